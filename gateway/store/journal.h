/*
 * journal - messages by id, for ever: what makes a repeated submission harmless.
 *
 * The key is (role, message id, sending member). An entry is born with its message's leaf and is
 * never removed; erasure marks it. The first receipt is found from the index
 * (auditlog_receipt), so it is the same for ever.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdint.h>

#include "base/rc.h"
#include "crypto/digest.h"
#include "model/id.h"

struct txn;

/* On disk as these characters. */
enum journal_role {
    JOURNAL_SENT = 's',     /* by a member of this node */
    JOURNAL_RECEIVED = 'r', /* for a member of this node */
};

#define JOURNAL_MEMBER_MAX 63

enum journal_flag {
    JOURNAL_ERASED = 1,
    JOURNAL_REFUSED = 2, /* by the receiving node, for good */
};

struct journal_entry {
    uint64_t index;               /* of its leaf */
    uint8_t message[DIGEST_SIZE]; /* M */
    struct id exchange_id;
    uint32_t flags;
};

/* RC_NOT_FOUND, silently. `member` is the sending member's code. */
MUST_CHECK enum rc journal_find(struct txn *txn, enum journal_role role, const struct id *id,
                                const char *member, struct journal_entry *entry);
/* Of any sending member: the first of them. RC_NOT_FOUND, silently. */
MUST_CHECK enum rc journal_by_id(struct txn *txn, enum journal_role role, const struct id *id,
                                 struct journal_entry *entry);
/* RC_ALREADY_EXISTS changes nothing. */
MUST_CHECK enum rc journal_add(struct txn *txn, enum journal_role role, const struct id *id,
                               const char *member, const struct journal_entry *entry);
/* Adds flags. RC_NOT_FOUND. */
MUST_CHECK enum rc journal_mark(struct txn *txn, enum journal_role role, const struct id *id,
                                const char *member, uint32_t flags);

#endif
