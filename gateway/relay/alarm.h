/*
 * alarm - an exchange's row and its one timer, always written together.
 *
 *     u8 ALARM_KIND | id[16] | u8 n | member[n]
 *
 * The timer stands at the next instant at which a clock of the exchange has something to tell
 * (relay/terms): a message that changes nothing about it writes no timer, and an exchange never has
 * two. Its number is that of the holder's opening leaf.
 */
#ifndef RELAY_ALARM_H
#define RELAY_ALARM_H

#include "store/exchange.h"

struct timer;
struct txn;

#define ALARM_KIND 'x'

/*
 * Writer: the row, and its timer moved if the next instant is another one; sets alarm_ms. Calls to
 * duty officials about what has been answered since end here (store/dutycall).
 */
MUST_CHECK enum rc alarm_keep(struct txn *txn, const char *member, struct exchange *exchange);

struct alarm {
    int64_t due_ms;
    uint64_t sequence; /* of its timer */
    struct id exchange_id;
    char member[CODE_SIZE];
};

/* RC_NOT_FOUND: a timer of another kind. RC_DATA_LOSS: damaged. */
MUST_CHECK enum rc alarm_read(const struct timer *timer, struct alarm *alarm);

#endif
