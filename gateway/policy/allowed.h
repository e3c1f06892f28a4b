/*
 * allowed - strictly necessary data only (LGPDPPSO 19): the fields that a route lists.
 *
 * Never alters a message; stripping lives in client. Requests take the route's `fields`, answers
 * its `reply_fields`; both take its sealed types, sealed and not otherwise. What stands inside a
 * sealed compartment only the recipient's system can check. RC_PERMISSION_DENIED:
 *
 *     fields.excess               path and remedy list the fields that have to go
 *     compartment.not_allowed     a sealed compartment that the route does not list
 *     compartment.must_be_sealed  in clear what may travel only sealed
 *
 * Pure; any thread.
 */
#ifndef POLICY_ALLOWED_H
#define POLICY_ALLOWED_H

#include "base/rc.h"
#include "model/directory.h"

/* Types that travel sealed or not at all, whatever a route says: location, schedule, relatives. */
#define ALLOWED_ALWAYS_SEALED                                                                      \
    (1u << COMPARTMENT_LOCATION | 1u << COMPARTMENT_SCHEDULE | 1u << COMPARTMENT_RELATIVES)

MUST_CHECK enum rc allowed_check(const struct route *route, const struct message *message,
                                 struct fault *fault);
/* What this message may carry in clear: by direction. */
struct field_set allowed_fields(const struct route *route, const struct message *message);

#endif
