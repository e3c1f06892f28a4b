/*
 * outbox - what this node still owes, by destination, urgent first, then in the log's order.
 *
 * A debt is born in the transaction that logs its message and ends in the one that records the
 * acknowledgement, so a crash neither loses nor invents one. Destinations are texts of the
 * caller's: "node:cdmx/ssc", "system:cdmx/mpi-cdmx/plataforma".
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include <stdint.h>

#include "base/rc.h"
#include "model/message.h"

struct txn;

#define OUTBOX_DESTINATION_MAX 200
/* Of flags: it may have been given before this log began. */
#define OUTBOX_GIVEN 1u
/* It was settled, and is owed again because its recipient asked. */
#define OUTBOX_SETTLED 2u

struct outbox_entry {
    uint64_t index; /* of the leaf whose message is owed */
    int64_t due_ms; /* not before this instant */
    uint32_t attempts;
    uint32_t flags; /* the caller's */
};

/* RC_ALREADY_EXISTS. Urgency: URGENCY_URGENT or URGENCY_ORDINARY. */
MUST_CHECK enum rc outbox_add(struct txn *txn, const char *destination, enum urgency urgency,
                              const struct outbox_entry *entry);
/* Another attempt's time and count. RC_NOT_FOUND. */
MUST_CHECK enum rc outbox_update(struct txn *txn, const char *destination, enum urgency urgency,
                                 const struct outbox_entry *entry);
/* The debt is paid: RC_NOT_FOUND when it was paid before, which callers may ignore. */
MUST_CHECK enum rc outbox_settle(struct txn *txn, const char *destination, enum urgency urgency,
                                 uint64_t index);
MUST_CHECK enum rc outbox_find(struct txn *txn, const char *destination, enum urgency urgency,
                               uint64_t index, struct outbox_entry *entry);

/* Position before the first debt, for outbox_scan. */
#define OUTBOX_START UINT64_MAX

/*
 * At most max debts of one class past after_index (OUTBOX_START: from the first), in order; *count
 * 0 at the end.
 */
MUST_CHECK enum rc outbox_scan(struct txn *txn, const char *destination, enum urgency urgency,
                               uint64_t after_index, struct outbox_entry *entries, size_t max,
                               size_t *count);

/*
 * The first destination with a debt that stands after `after` ("" to begin). RC_NOT_FOUND at the
 * end. For the start of a node.
 */
MUST_CHECK enum rc outbox_next_destination(struct txn *txn, const char *after,
                                           char destination[OUTBOX_DESTINATION_MAX + 1]);

#endif
