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

struct route;

/* The exchange that an opening message begins. */
void life_open(const struct message *message, const struct route *route, enum state state,
               struct exchange *exchange);

/*
 * Applies a message of a running exchange to the exchange as it stands. Refusals
 * (FAILED_PRECONDITION): "life.item_unknown", "life.not_from_here" (this event, from that state, by
 * this side), "report.out_of_order", "report.not_running". Refused by NOT_FOUND
 * "exchange.unknown": the message's parties are not the exchange's.
 */
MUST_CHECK enum rc life_step(const struct message *message, int64_t now_ms,
                             struct exchange *exchange, struct fault *fault);

/* R1: the other node holds the opening message. True when something changed. */
bool life_received(struct exchange *exchange, int64_t now_ms);
/* The other node refused the opening message for good: nothing follows it
 * ("exchange.undeliverable"). */
void life_undeliverable(struct exchange *exchange, int64_t now_ms);

#endif
