/*
 * timer - durable alarms: set in the transaction of their cause, found after any restart.
 *
 * What a timer means is the caller's bytes, the first of which is its kind: several callers share
 * the table. Instants are UTC milliseconds since 1970.
 */
#ifndef STORE_TIMER_H
#define STORE_TIMER_H

#include <stdint.h>

#include "base/bytes.h"

struct txn;

#define TIMER_VALUE_MAX 256

/* The value is copied: it may cross transactions. */
struct timer {
    int64_t due_ms;
    uint64_t sequence; /* timer_add's are never used twice */
    size_t size;
    uint8_t value[TIMER_VALUE_MAX];
};

/* Asserts due_ms >= 0 and at most TIMER_VALUE_MAX bytes. */
MUST_CHECK enum rc timer_add(struct txn *txn, int64_t due_ms, struct bytes value,
                             uint64_t *sequence);
/*
 * A timer by a number of the caller's own, of which it is sure that no other timer of that instant
 * has it: TIMER_OWN set, apart from all numbers that timer_add gives.
 */
#define TIMER_OWN (UINT64_C(1) << 63)
MUST_CHECK enum rc timer_set(struct txn *txn, int64_t due_ms, uint64_t sequence,
                             struct bytes value);
/* RC_NOT_FOUND when it was removed before. */
MUST_CHECK enum rc timer_remove(struct txn *txn, int64_t due_ms, uint64_t sequence);
/* At most max timers of one kind (their value's first byte) with due_ms <= now_ms, the earliest
 * first. */
MUST_CHECK enum rc timer_due(struct txn *txn, uint8_t kind, int64_t now_ms, struct timer *timers,
                             size_t max, size_t *count);
/* When the next one is due; RC_NOT_FOUND when there is none. */
MUST_CHECK enum rc timer_next(struct txn *txn, int64_t *due_ms);

#endif
