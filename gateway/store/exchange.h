/*
 * exchange - the state of an exchange as one holding member sees it: one row, rewritten by
 * messages.
 *
 * Plain data; model/lifecycle says which steps are legal, relay applies them. Two members of one
 * node that share an exchange have a row each.
 */
#ifndef STORE_EXCHANGE_H
#define STORE_EXCHANGE_H

#include <stdint.h>

#include "base/rc.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/lifecycle.h"
#include "model/message.h"

struct txn;

struct exchange_item {
    uint32_t number;
    char code[CODE_SIZE];
    enum state state;
    uint32_t occurrences; /* reported so far */
    int64_t changed_at_ms;
    uint64_t index; /* of the leaf that changed it last */
};

struct exchange_clock {
    char id[CODE_SIZE];
    int64_t due_ms;
    uint32_t flags; /* the caller's: stopped, notices sent */
};

struct exchange {
    struct id id;
    struct id parent_id; /* zero: none */
    char from[CODE_SIZE];
    char to[CODE_SIZE];
    char route[CODE_SIZE];
    enum message_type type; /* of the opening message */
    enum urgency urgency;
    uint64_t opening_index; /* of this holder's leaf */
    int64_t received_at_ms; /* when this node logged the opening message */
    uint32_t flags;         /* the caller's */
    struct exchange_clock clocks[MESSAGE_CLOCKS_MAX];
    size_t clock_count;
    struct exchange_item items[MESSAGE_ITEMS_MAX];
    size_t item_count;
};

/* RC_NOT_FOUND, silently; RC_DATA_LOSS: not what exchange_put wrote. `member` holds it. */
MUST_CHECK enum rc exchange_get(struct txn *txn, const struct id *id, const char *member,
                                struct exchange *exchange);
/* Makes or replaces. Asserts the bounds: texts end within their arrays, counts, enums. */
MUST_CHECK enum rc exchange_put(struct txn *txn, const char *member,
                                const struct exchange *exchange);

/*
 * The first exchange of this member that stands after `after` (zero to begin) in the order of ids,
 * which is that of their beginning. RC_NOT_FOUND at the end.
 */
MUST_CHECK enum rc exchange_next(struct txn *txn, const char *member, const struct id *after,
                                 struct exchange *exchange);

#endif
