/*
 * holds - what the auditing authority holds: neither erased nor pruned until it lifts that.
 *
 * Read anew whenever something is about to go. More holds than HOLDS_MAX cover everything.
 */
#ifndef RELAY_HOLDS_H
#define RELAY_HOLDS_H

#include "store/orderbook.h"

struct record;

#define HOLDS_MAX 4096

/* About 3 MiB: not for the stack. */
struct holds {
    struct order_target targets[HOLDS_MAX];
    size_t count;
    bool is_everything;
};

/* Those in force over this member's data; NULL: over anybody's. */
MUST_CHECK enum rc holds_read(struct txn *txn, const char *member, struct holds *holds);
bool holds_cover(const struct holds *holds, const struct record *record);
bool holds_are_none(const struct holds *holds);

#endif
