/*
 * custody - R2 pays the debt of the delivery that it answers, whichever queue that waited in.
 */
#ifndef RELAY_CUSTODY_H
#define RELAY_CUSTODY_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/desk.h"

struct header;
struct txn;

bool custody_is(const struct header *act);
/*
 * Writer: removes the debt of the received leaf `index`, in the system's own queue or its member's,
 * urgent or not; destination is then where it waited. RC_NOT_FOUND: it was paid before.
 */
MUST_CHECK enum rc custody_settle(struct txn *txn, const struct header *act, uint64_t index,
                                  char destination[DESK_DESTINATION_SIZE]);

#endif
