/*
 * terms - the law's clocks of an exchange: what anchors them, what stops them, what they tell when.
 *
 * A route's clocks begin with the opening message (relay/life calls in here at each step), anchored
 * on the time of its sender's leaf: an instant that a node signed, and that both nodes read in the
 * same proof. An act that was told by telephone or on paper counts from when it happened. A message
 * may carry an earlier deadline of its own for a clock (Header.clocks); never a later one. Both
 * nodes keep the same clocks, whether or not they reach each other.
 *
 * Pure: works on the exchange's row.
 */
#ifndef RELAY_TERMS_H
#define RELAY_TERMS_H

#include "store/exchange.h"

struct directory;
struct message;
struct route;

/* The act at hand. */
struct moment {
    struct exchange_act act;
    struct holidays holidays; /* borrowed from the directory */
};

/* `entered_ms`: of the leaf of its sender's node. */
void terms_moment(const struct header *header, const struct directory *directory,
                  const struct route *route, int64_t entered_ms, struct moment *moment);

/* The opening message: its items are in place. */
void terms_open(const struct header *header, const struct route *route, const struct moment *moment,
                struct exchange *exchange);
/* R1, at the instant of the receiving node's leaf. */
void terms_received(struct exchange *exchange, int64_t at_ms);
/* An event moved these items (bit i: items[i]). */
void terms_step(enum event event, uint32_t moved, const struct moment *moment,
                struct exchange *exchange);
/* The exchange was recalled: its items are so already. */
void terms_recall(const struct moment *moment, struct exchange *exchange);
/* Items changed by no act: stops what nobody owes any more. */
void terms_settle(struct exchange *exchange, const struct exchange_act *act);

/* Is it running: anchored, and not stopped? */
bool terms_is_running(const struct exchange_clock *clock);
/* Ran out, whether or not it was stopped later. */
bool terms_is_overdue(const struct exchange_clock *clock, int64_t now_ms);
/* Whose delay it is. */
enum side terms_late(const struct exchange_clock *clock);
/* Occurrences of the item that should have been reported by now and were not. */
uint32_t terms_missing(const struct exchange_item *item, int64_t now_ms);
/* When the next occurrence is due; INT64_MAX: none is. */
int64_t terms_occurrence_due_ms(const struct exchange_item *item);

/* The next instant at which something must be told or ends; 0: none. */
int64_t terms_alarm_ms(const struct exchange *exchange);

/* What has come due. */
struct term_due {
    char clock[CLOCK_ID_SIZE];
    uint32_t item; /* 0: all */
    unsigned percent;
    int64_t anchored_ms;
    int64_t due_ms;
    enum side late;
};

/* At once; what is over that stays due. */
#define TERMS_DUE_MAX 8

/*
 * Marks what is due by now as told, and lists it: of each clock the highest share that has passed,
 * of each measure its missing occurrence. How many.
 */
size_t terms_fire(struct exchange *exchange, int64_t now_ms, struct term_due out[TERMS_DUE_MAX]);

#endif
