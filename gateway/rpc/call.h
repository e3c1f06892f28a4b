/*
 * call - one incoming unary call: request, arena, who asks, and exactly one answer.
 *
 * Owner and thread: the method's handler gets the call on its queue's thread and owns it until it
 * answers. It may give it away to another thread (the writer), which gives it back by
 * call_resume(); every other function here belongs to the queue's thread, except those marked
 * "any owner", which whoever owns the call may use.
 *
 *     queue thread: handler --writer_submit()--> writer --call_resume(fn)--> queue thread: fn -->
 * call_reply
 *
 * Life: whoever owns a call must answer it once, by call_reply or call_refuse, even when the
 * client has gone; with that the call is given up and must not be touched again. It is released
 * (arena, request, peer) when gRPC has finished the answer. A client that vanishes frees nothing
 * early: its answer just goes nowhere.
 */
#ifndef RPC_CALL_H
#define RPC_CALL_H

#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct call;
struct rpc_peer;

/* The request message in one piece. Any owner. */
struct bytes call_request(const struct call *call);
/* Holds up to CALL_ARENA_MAX bytes; NULL when out of memory. Any owner. */
struct arena *call_arena(struct call *call);
/* Never NULL. Any owner. */
const struct rpc_peer *call_peer(const struct call *call);
/* The method's path, "/enlace.v1.ExchangeService/Submit". Any owner. */
const char *call_method(const struct call *call);
/* Time left until the client's deadline: 0 when it is over, INT64_MAX when it set none. Any owner.
 */
int64_t call_remaining_ms(const struct call *call);

/* The response is copied. */
void call_reply(struct call *call, struct bytes response);
/* Takes what the buffer holds, without a copy. */
void call_reply_buffer(struct call *call, struct buffer *response);
/*
 * Status code fault->rc (RC_OK becomes INTERNAL), message "reason path: remedy", and trailing
 * metadata enlace-reason, enlace-path, enlace-remedy-bin; for RESOURCE_EXHAUSTED also
 * grpc-retry-pushback-ms.
 */
void call_refuse(struct call *call, const struct fault *fault);

/*
 * Any thread: gives the call back to its queue's thread, where fn(call) runs. Resuming many calls
 * of one queue in a row costs about one wake-up. Allocates nothing, cannot fail.
 */
void call_resume(struct call *call, void (*fn)(struct call *call));

/*
 * What a handler keeps with the call between its steps, usually from the call's arena. Any owner.
 * The handler's files agree on what struct call_state is.
 */
struct call_state;
void call_set_state(struct call *call, struct call_state *state);
struct call_state *call_state(const struct call *call);

#define CALL_ARENA_MAX ((size_t)16 << 20)

#endif
