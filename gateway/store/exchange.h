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
#include "model/deadline.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/lifecycle.h"
#include "model/message.h"

struct txn;

/* A route's clocks, and for clocks from R3 one for each item that was accepted by itself. */
#define EXCHANGE_CLOCKS_MAX 80

struct exchange_item {
    uint32_t number;
    char code[CODE_SIZE];
    enum state state;
    uint32_t occurrences; /* reported so far */
    int64_t changed_at_ms;
    uint64_t index; /* of the leaf that changed it last */
    /* Why it was declined or failed, and who is competent instead; empty otherwise. */
    char reason[CODE_SIZE];
    char competent[CODE_SIZE];
    struct cadence cadence; /* period NONE: nobody counts occurrences; from_day 0: not yet */
    bool is_suspended;      /* by a MeasureChange: no occurrence falls due */
    uint32_t told;          /* up to this occurrence it was told that one is missing */
};

/* When an act happened, and when it was entered here: apart when it was told by another way. */
struct exchange_act {
    int64_t occurred_ms; /* 0: not yet */
    int64_t entered_ms;
    enum out_of_band band;
};

struct exchange_clock {
    struct clock_rule rule;
    uint32_t item;                /* 0: those that have none of their own by this id */
    int64_t due_ms;               /* 0: not anchored yet */
    int64_t cap_ms;               /* the message's own deadline, if it is earlier; 0: none */
    struct exchange_act anchored; /* from when it counts */
    struct exchange_act stopped;
    uint32_t told; /* 0, 50, 75 or 100: the share that was told last */
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
    int64_t received_at_ms; /* when the recipient's node logged the opening message; 0: not yet */
    int64_t alarm_ms;       /* its timer's instant (relay/alarm); 0: it has none */
    int64_t expires_at_ms;  /* a consultation's session; 0: none */
    uint32_t flags;         /* the caller's */
    struct exchange_act opened;
    struct exchange_clock clocks[EXCHANGE_CLOCKS_MAX];
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
