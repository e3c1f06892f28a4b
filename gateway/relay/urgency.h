/*
 * urgency - what a member's urgent messages may take of a day, and what is counted of them.
 *
 * An urgent message goes before all that are not and has a reserve of every queue and of the disk;
 * so each member has so many of them, and so many bytes, for a day (UTC). Past three quarters and
 * at the end of its budget a human is woken (DUTYCALL_BUDGET); beyond it urgent messages are
 * refused, and may be sent as ordinary ones. Whatever was waived for one makes a review that is due
 * within a day (DUTYCALL_REVIEW); what a named official there finds is counted.
 *
 * On the writer thread, inside its transaction.
 */
#ifndef RELAY_URGENCY_H
#define RELAY_URGENCY_H

#include <stddef.h>
#include <stdint.h>

#include "base/rc.h"
#include "model/message.h"

struct entry;
struct node;
struct txn;

struct urgency_limits {
    uint32_t messages; /* of a member and day */
    uint64_t bytes;
};

/* How long until somebody has looked at what was waived. */
#define URGENCY_REVIEW_MS ((int64_t)24 * 3600 * 1000)

/* RC_RESOURCE_EXHAUSTED "urgent.budget"; an ordinary message always passes. Puts nothing. */
MUST_CHECK enum rc urgency_check(const struct node *node, struct txn *txn,
                                 const struct message *message, struct fault *fault);
/* The sender's message is being put: counts it, and wakes somebody when little is left. */
MUST_CHECK enum rc urgency_count(const struct node *node, struct txn *txn,
                                 const struct message *message);
/* It was refused for its budget: counted as well. */
MUST_CHECK enum rc urgency_refused(const struct node *node, struct txn *txn,
                                   const struct message *message);
/* Something was waived for it: a review, and counted, for the entry's holder. */
MUST_CHECK enum rc urgency_waived(const struct node *node, struct txn *txn,
                                  const struct entry *entry);

#endif
