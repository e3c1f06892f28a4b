/*
 * stream - one bidirectional stream, the same struct at the server's and the client's end.
 *
 * Owner and thread: the stream's queue thread runs all callbacks and is the only one to call
 * these functions, except stream_resume, stream_hold, stream_release and stream_peer (any thread).
 *
 * The user puts a struct stream_user first in its own object. Order of callbacks:
 *
 *     on_open, then any of on_message, on_end, on_drained, on_items, then on_closed, on_items*,
 * on_free
 *
 * Reading is pulled: each stream_read brings one on_message (or on_end), so a user that does not
 * ask exerts back-pressure on the peer. Writing: stream_send queues, one write is in flight.
 *
 * A client's stream closes only after it has read what the server sent: ask until on_end.
 *
 * References: the stream lives until it is closed and nobody holds it. Another thread that will
 * call stream_resume later takes a hold first and releases it afterwards.
 */
#ifndef RPC_STREAM_H
#define RPC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct channel;
struct cq;
struct rpc_peer;
struct rpc_service;
struct stream;
struct stream_user;

/* Placed first in what another thread hands over; in one stream's list at a time. */
struct stream_item {
    struct stream_item *next;
};

/* All on the stream's queue thread. Those that may be NULL say so. */
struct stream_events {
    /* Server: at once when the call came. Client: the server answered with its first headers. May
     * be NULL. */
    void (*on_open)(struct stream_user *user);
    /* The message is borrowed until the callback returns. Ask for the next by stream_read. */
    void (*on_message)(struct stream_user *user, struct bytes message);
    /*
     * The peer sends no more. A server finishes now or later; a client just waits for on_closed.
     * NULL: a server's stream is then finished with RC_OK once what is queued has been sent.
     */
    void (*on_end)(struct stream_user *user);
    /* After each write that leaves at most a quarter of the outgoing queue: send more now. May be
     * NULL. */
    void (*on_drained)(struct stream_user *user);
    /* Everything that was given to stream_resume since, oldest first. May be NULL if nobody
     * resumes. */
    void (*on_items)(struct stream_user *user, struct stream_item *items);
    /* Once: nothing is sent or received any more. fault->rc is RC_OK when the stream ended well. */
    void (*on_closed)(struct stream_user *user, const struct fault *fault);
    /* Last of all: closed, no holds, no items under way. Free the user here. */
    void (*on_free)(struct stream_user *user);
};

struct stream_user {
    const struct stream_events *events;
    struct stream *stream; /* set by stream_accept or stream_open */
};

/* Most messages that may wait to be sent, and most bytes; beyond, stream_send refuses. */
#define STREAM_OUTGOING_MAX 1024
#define STREAM_OUTGOING_BYTES_MAX ((size_t)2 << 20)

/*
 * Server: the method's on_stream handler calls either stream_accept, giving the user who gets all
 * callbacks (on_open runs inside), or stream_refuse, after which it must not touch the stream.
 */
void stream_accept(struct stream *stream, struct stream_user *user);
void stream_refuse(struct stream *stream, const struct fault *fault);

/*
 * Client: opens a stream over a channel, owned by the queue. Fails only when out of memory
 * (RC_RESOURCE_EXHAUSTED); everything else, an unreachable peer too, comes as on_closed. Any
 * thread; callbacks may run before it returns. timeout_ms -1: none. The method's text is constant.
 */
MUST_CHECK enum rc stream_open(struct channel *channel, struct cq *cq, const char *method,
                               int timeout_ms, struct stream_user *user);

/* Asks for one more message. Asking again before it came changes nothing. */
void stream_read(struct stream *stream);
/*
 * Copies and queues the message. RC_RESOURCE_EXHAUSTED: too many wait, on_drained will tell;
 * RC_UNAVAILABLE: finished or closed.
 */
MUST_CHECK enum rc stream_send(struct stream *stream, struct bytes message);
/* The same without a copy: on RC_OK the message's bytes are gRPC's, and the buffer is empty. */
MUST_CHECK enum rc stream_send_buffer(struct stream *stream, struct buffer *message);
/* Messages that may still be queued before stream_send refuses. */
size_t stream_room(const struct stream *stream);
/*
 * No more sending once what is queued has gone out. Server: ends the stream with the fault's
 * status (NULL: OK). Client: NULL half-closes and goes on receiving; a fault cancels at once.
 */
void stream_finish(struct stream *stream, const struct fault *fault);
/* At once, dropping what waits: on_closed comes with RC_CANCELLED. */
void stream_cancel(struct stream *stream);
/* Nothing can be sent any more: finished, cancelled or closed. */
bool stream_is_over(const struct stream *stream);
/* Server: the client's deadline; INT64_MAX when none. */
int64_t stream_remaining_ms(const struct stream *stream);

/* The other end. Server: never NULL. Client: NULL. Any thread that holds. */
const struct rpc_peer *stream_peer(const struct stream *stream);
const char *stream_method(const struct stream *stream);
struct cq *stream_cq(const struct stream *stream);

/*
 * Any thread that holds the stream: hands the item to the stream's thread, where on_items gets it;
 * also after on_closed, so that the item's owner can free it. Coalesced: many items before the
 * thread looks are one wake-up and one on_items. Allocates nothing.
 */
void stream_resume(struct stream *stream, struct stream_item *item);
void stream_hold(struct stream *stream);
void stream_release(struct stream *stream);

#endif
