/*
 * order_ask - orders to the node: give one, ask how far it is, read what is blocked (auditors).
 *
 * Answers live in the arena. Blocking; any thread.
 */
#ifndef CLIENT_ORDER_ASK_H
#define CLIENT_ORDER_ASK_H

#include "rpc/codec_order.h"

struct arena;
struct session;

/* `request` is a serialised GiveOrderRequest. */
MUST_CHECK enum rc order_give(struct session *session, struct bytes request, struct arena *arena,
                              struct order_answer *answer, struct fault *fault);
MUST_CHECK enum rc order_get(struct session *session, const struct id *id, struct arena *arena,
                             struct order_answer *answer, struct fault *fault);
MUST_CHECK enum rc order_read_blocked(struct session *session,
                                      const struct blocked_request *request, struct arena *arena,
                                      struct message *message, struct fault *fault);

#endif
