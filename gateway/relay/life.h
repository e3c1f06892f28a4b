/*
 * life - what a message does to its exchange, as one holder sees it.
 *
 * Both nodes derive the same state from the same messages by the one table of model/lifecycle.
 * Runs inside the writer's transaction: life_step decides and puts nothing.
 */
#ifndef RELAY_LIFE_H
#define RELAY_LIFE_H

#include "model/message.h"
#include "store/exchange.h"

struct moment;
struct route;

/* Of exchange.flags. */
#define LIFE_UNDELIVERABLE 1u
#define LIFE_EXPIRED 2u
#define LIFE_AWAITING 4u
#define LIFE_REJECTED 8u

/*
 * The exchange that an opening message begins, its clocks included. A Consultation asks one thing:
 * it has an item of its own, number 1.
 */
void life_open(const struct message *message, const struct route *route, enum state state,
               const struct moment *moment, struct exchange *exchange);

/*
 * Applies a message of a running exchange to the exchange as it stands. Refusals
 * (FAILED_PRECONDITION):
 *
 *     life.item_unknown       no such item in the opening message
 *     life.not_from_here      this event, from that state, by this side
 *     report.out_of_order     occurrences go 1, 2, 3
 *     report.not_running      nothing is reported of what is not accepted or in force
 *     change.not_running      a change of a measure that is over, or was never taken
 *     change.not_later        an extension that ends no later than the measure does
 *     time.before_opening     told by another way, and before the exchange began
 *     exchange.undeliverable  the other node refused the opening message
 *     approval.awaited        its opening message waits for a second official, or was rejected
 *     exchange.expired        the consultation's session is over
 *
 * Refused by NOT_FOUND "exchange.unknown": the message's parties are not the exchange's.
 */
MUST_CHECK enum rc life_step(const struct message *message, const struct moment *moment,
                             struct exchange *exchange, struct fault *fault);

/*
 * The same at the other side, where what it says may have crossed what was said to it: acts and
 * reports of an executor that had not heard of the recall yet move nothing; an error told after
 * custody is a recall. Both sides end in the same state.
 */
MUST_CHECK enum rc life_arrive(const struct message *message, const struct moment *moment,
                               struct exchange *exchange, struct fault *fault);
/* All of it was purged, or entered in error before custody: the recipient keeps no body of it. */
bool life_is_purged(const struct exchange *exchange);

/* R1: the other node holds the opening message, by its leaf of that instant. True when something
 * changed. */
bool life_received(struct exchange *exchange, int64_t at_ms);
/*
 * A second official has to approve the opening message ("approval.awaited": nothing follows it
 * meanwhile, nor when it was rejected); the clocks run. Deciding twice changes nothing.
 */
void life_await(struct exchange *exchange);
void life_decide(struct exchange *exchange, bool is_approved, int64_t now_ms);
/* The other node refused the opening message for good: nothing follows it
 * ("exchange.undeliverable"). */
void life_undeliverable(struct exchange *exchange, int64_t now_ms);
/* A consultation whose session is over: what was not answered has failed. True when it is now. */
bool life_expire(struct exchange *exchange, int64_t now_ms);

#endif
