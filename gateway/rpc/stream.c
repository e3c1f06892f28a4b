#include "rpc/stream.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rpc/dial.h"
#include "rpc/serving.h"

#define LOW_WATER (STREAM_OUTGOING_MAX / 4)

/* Several batches of one stream may be under way, each with a tag of its own. */
struct stream_op {
    struct op op; /* first */
    struct stream *stream;
};

struct stream_wake {
    struct cq_post post; /* first */
    struct stream *stream;
};

struct outgoing {
    grpc_byte_buffer *buffer;
    size_t size;
};

struct stream {
    struct cq_post post; /* first: the tag of the request, of starting, of the end, in turn */
    struct stream_op opening;
    struct stream_op reading;
    struct stream_op writing;
    struct stream_op ending;  /* status (server) or half-close (client) */
    struct stream_op closing; /* completes when the call is over, however it ended */
    struct stream_wake wake;  /* items are waiting */
    _Atomic(struct stream_item *) items;
    atomic_uint holds; /* the stream itself until it is closed, and whoever holds it */
    struct cq *cq;
    struct lane *lane; /* server only */
    struct stream_user *user;
    struct peer_entry *peer; /* server only */
    grpc_call *core;
    const char *method;
    gpr_timespec deadline;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_byte_buffer *incoming;
    struct outgoing *outgoing; /* ring, made for the first message */
    size_t first;
    size_t waiting; /* the one that is being written included */
    size_t waiting_bytes;
    struct core_status status;
    grpc_status_code code;
    grpc_slice details;
    struct fault fault; /* how it ended */
    unsigned batches;   /* under way, closing not counted */
    int is_cancelled;
    bool is_reading;
    bool is_writing;
    bool is_broken;    /* a write failed: the call is over, closing will tell */
    bool is_finishing; /* nothing more is queued */
    bool is_ending;    /* status or half-close has been started */
    bool is_core_done; /* closing has completed */
    bool is_closed;    /* on_closed has run */
    bool is_listed;
    struct served served; /* server only, once accepted */
};

static void on_woken(struct op *op, bool ok);
static void on_opened(struct op *op, bool ok);
static void on_read(struct op *op, bool ok);
static void on_written(struct op *op, bool ok);
static void on_ended(struct op *op, bool ok);
static void on_closing(struct op *op, bool ok);

static void drop_first(struct stream *stream)
{
    struct outgoing *first = &stream->outgoing[stream->first];

    grpc_byte_buffer_destroy(first->buffer);
    stream->waiting_bytes -= first->size;
    stream->waiting--;
    stream->first = (stream->first + 1) % STREAM_OUTGOING_MAX;
}

/* Not while one is being written. */
static void drop_outgoing(struct stream *stream)
{
    while (stream->waiting > 0) {
        drop_first(stream);
    }
}

static void stream_free(struct stream *stream)
{
    struct lane *lane = stream->lane;

    if (stream->is_listed) {
        server_unlist(lane->queue->server, &stream->served);
    }
    drop_outgoing(stream);
    free(stream->outgoing);
    core_status_release(&stream->status);
    grpc_slice_unref(stream->details);
    grpc_metadata_array_destroy(&stream->initial);
    grpc_metadata_array_destroy(&stream->trailing);
    if (stream->core != NULL) {
        grpc_call_unref(stream->core);
    }
    peer_release(stream->peer);
    free(stream);
    if (lane != NULL) {
        server_leave(lane->queue->server);
    }
}

static void on_unheld(struct op *op, bool ok)
{
    struct stream *stream = (struct stream *)op;
    struct stream_user *user = stream->user;

    (void)ok;
    if (user != NULL) {
        user->events->on_free(user);
    }
    stream_free(stream);
}

void stream_hold(struct stream *stream)
{
    atomic_fetch_add(&stream->holds, 1);
}

/* The end always comes from the loop, so that no caller's frame is left behind on a freed stream.
 */
void stream_release(struct stream *stream)
{
    if (atomic_fetch_sub(&stream->holds, 1) == 1) {
        stream->post.op.done = on_unheld;
        cq_post(stream->cq, &stream->post);
    }
}

static struct stream *stream_new(struct cq *cq)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL) {
        return NULL;
    }
    stream->opening = (struct stream_op){{on_opened}, stream};
    stream->reading = (struct stream_op){{on_read}, stream};
    stream->writing = (struct stream_op){{on_written}, stream};
    stream->ending = (struct stream_op){{on_ended}, stream};
    stream->closing = (struct stream_op){{on_closing}, stream};
    stream->wake = (struct stream_wake){{{on_woken}, NULL}, stream};
    stream->cq = cq;
    stream->status.details = grpc_empty_slice();
    stream->details = grpc_empty_slice();
    stream->deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
    atomic_init(&stream->holds, 1);
    grpc_metadata_array_init(&stream->initial);
    grpc_metadata_array_init(&stream->trailing);
    return stream;
}

static void start(struct stream *stream, const grpc_op *ops, size_t count, struct stream_op *tag)
{
    core_start(stream->core, ops, count, &tag->op);
    stream->batches += tag != &stream->closing;
}

/* Closed once the call is over and its last batch has come back. */
static void close_if_over(struct stream *stream)
{
    if (!stream->is_core_done || stream->batches > 0 || stream->is_closed) {
        return;
    }
    stream->is_closed = true;
    stream->is_finishing = true;
    drop_outgoing(stream);
    if (stream->user != NULL) {
        stream->user->events->on_closed(stream->user, &stream->fault);
    }
    stream_release(stream);
}

/* Every batch but closing ends here. */
static void batch_done(struct stream *stream)
{
    stream->batches--;
    close_if_over(stream);
}

static void start_ending(struct stream *stream)
{
    grpc_op op;

    memset(&op, 0, sizeof op);
    if (stream->lane != NULL) {
        core_status_op(&stream->status, &op);
    } else {
        op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    }
    stream->is_ending = true;
    start(stream, &op, 1, &stream->ending);
}

/* Starts what is next to be sent, if nothing is under way. */
static void write_next(struct stream *stream)
{
    grpc_op op;

    if (stream->is_writing || stream->is_core_done || stream->is_broken) {
        return;
    }
    if (stream->waiting > 0) {
        memset(&op, 0, sizeof op);
        op.op = GRPC_OP_SEND_MESSAGE;
        op.flags = stream->waiting > 1 ? GRPC_WRITE_BUFFER_HINT : 0;
        op.data.send_message.send_message = stream->outgoing[stream->first].buffer;
        stream->is_writing = true;
        start(stream, &op, 1, &stream->writing);
    } else if (stream->is_finishing && !stream->is_ending) {
        start_ending(stream);
    }
}

static void on_written(struct op *op, bool ok)
{
    struct stream *stream = ((struct stream_op *)op)->stream;
    const struct stream_events *events = stream->user->events;

    stream->is_writing = false;
    drop_first(stream);
    stream->is_broken = stream->is_broken || !ok;
    write_next(stream);
    if (!stream_is_over(stream) && stream->waiting <= LOW_WATER && events->on_drained != NULL) {
        events->on_drained(stream->user);
    }
    batch_done(stream);
}

static void on_ended(struct op *op, bool ok)
{
    (void)ok;
    batch_done(((struct stream_op *)op)->stream);
}

static void on_opened(struct op *op, bool ok)
{
    struct stream *stream = ((struct stream_op *)op)->stream;

    if (ok && stream->lane == NULL && stream->user->events->on_open != NULL) {
        stream->user->events->on_open(stream->user);
    }
    batch_done(stream);
}

static void peer_sends_no_more(struct stream *stream)
{
    const struct stream_events *events = stream->user->events;

    if (stream->is_core_done || grpc_call_failed_before_recv_message(stream->core)) {
        return; /* not an end but a breach: closing tells */
    }
    if (events->on_end != NULL) {
        events->on_end(stream->user);
    } else if (stream->lane != NULL) {
        stream_finish(stream, NULL);
    }
}

static void on_read(struct op *op, bool ok)
{
    struct stream *stream = ((struct stream_op *)op)->stream;
    struct core_message message;

    core_message_init(&message, stream->incoming);
    stream->incoming = NULL;
    stream->is_reading = false;
    if (ok && message.buffer != NULL) {
        stream->user->events->on_message(stream->user, core_message_bytes(&message));
    } else {
        peer_sends_no_more(stream);
    }
    core_message_release(&message);
    batch_done(stream);
}

static void on_closing(struct op *op, bool ok)
{
    struct stream *stream = ((struct stream_op *)op)->stream;

    (void)ok;
    stream->is_core_done = true;
    if (stream->lane == NULL) {
        core_fault(stream->code, stream->details, &stream->trailing, &stream->fault);
    } else if (stream->is_cancelled) {
        memset(&stream->fault, 0, sizeof stream->fault);
        (void)refuse(&stream->fault, RC_CANCELLED, "stream.cancelled", "",
                     "La otra parte interrumpió la conexión.");
    }
    close_if_over(stream);
}

void stream_read(struct stream *stream)
{
    grpc_op op;

    if (stream->is_reading || stream->is_core_done) {
        return;
    }
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &stream->incoming;
    stream->is_reading = true;
    start(stream, &op, 1, &stream->reading);
}

size_t stream_room(const struct stream *stream)
{
    if (stream_is_over(stream) || stream->waiting_bytes >= STREAM_OUTGOING_BYTES_MAX) {
        return 0;
    }
    return STREAM_OUTGOING_MAX - stream->waiting;
}

/* May one more be queued? */
static enum rc check_outgoing(struct stream *stream)
{
    assert(cq_is_here(stream->cq));
    if (stream_is_over(stream)) {
        return RC_UNAVAILABLE;
    }
    if (stream_room(stream) == 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (stream->outgoing == NULL) {
        stream->outgoing = calloc(STREAM_OUTGOING_MAX, sizeof *stream->outgoing);
    }
    return stream->outgoing != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static void enqueue(struct stream *stream, grpc_byte_buffer *buffer, size_t size)
{
    stream->outgoing[(stream->first + stream->waiting) % STREAM_OUTGOING_MAX] =
        (struct outgoing){buffer, size};
    stream->waiting++;
    stream->waiting_bytes += size;
    write_next(stream);
}

enum rc stream_send(struct stream *stream, struct bytes message)
{
    TRY(check_outgoing(stream));
    enqueue(stream, core_buffer(message), message.size);
    return RC_OK;
}

enum rc stream_send_buffer(struct stream *stream, struct buffer *message)
{
    size_t size = message->size;

    TRY(check_outgoing(stream));
    enqueue(stream, core_buffer_take(message), size);
    return RC_OK;
}

void stream_finish(struct stream *stream, const struct fault *fault)
{
    assert(cq_is_here(stream->cq));
    if (stream_is_over(stream)) {
        return;
    }
    stream->is_finishing = true;
    if (stream->lane != NULL) {
        core_status_init(&stream->status, fault);
        if (fault != NULL) {
            stream->fault = *fault;
        }
    } else if (fault != NULL) {
        stream_cancel(stream);
        return;
    }
    write_next(stream);
}

void stream_cancel(struct stream *stream)
{
    stream->is_finishing = true;
    stream->is_broken = true; /* what waits is not sent */
    if (!stream->is_closed) {
        (void)grpc_call_cancel(stream->core, NULL);
    }
}

bool stream_is_over(const struct stream *stream)
{
    return stream->is_finishing || stream->is_broken || stream->is_core_done;
}

int64_t stream_remaining_ms(const struct stream *stream)
{
    return core_remaining_ms(stream->deadline);
}

const struct rpc_peer *stream_peer(const struct stream *stream)
{
    return stream->peer != NULL ? &stream->peer->peer : NULL;
}

const char *stream_method(const struct stream *stream)
{
    return stream->method;
}

struct cq *stream_cq(const struct stream *stream)
{
    return stream->cq;
}

static void on_woken(struct op *op, bool ok)
{
    struct stream *stream = ((struct stream_wake *)op)->stream;
    struct stream_item *item = atomic_exchange(&stream->items, NULL);
    struct stream_item *oldest = NULL;

    (void)ok;
    while (item != NULL) {
        struct stream_item *next = item->next;

        item->next = oldest;
        oldest = item;
        item = next;
    }
    stream->user->events->on_items(stream->user, oldest);
    stream_release(stream);
}

void stream_resume(struct stream *stream, struct stream_item *item)
{
    struct stream_item *head = atomic_load(&stream->items);

    do {
        item->next = head;
    } while (!atomic_compare_exchange_weak(&stream->items, &head, item));
    if (head == NULL) {
        stream_hold(stream);
        cq_post(stream->cq, &stream->wake.post);
    }
}

static void start_closing(struct stream *stream)
{
    grpc_op op;

    memset(&op, 0, sizeof op);
    if (stream->lane != NULL) {
        op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
        op.data.recv_close_on_server.cancelled = &stream->is_cancelled;
    } else {
        op.op = GRPC_OP_RECV_STATUS_ON_CLIENT;
        op.data.recv_status_on_client.trailing_metadata = &stream->trailing;
        op.data.recv_status_on_client.status = &stream->code;
        op.data.recv_status_on_client.status_details = &stream->details;
    }
    start(stream, &op, 1, &stream->closing);
}

void stream_accept(struct stream *stream, struct stream_user *user)
{
    grpc_op op;

    stream->user = user;
    user->stream = stream;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_INITIAL_METADATA;
    start(stream, &op, 1, &stream->opening);
    start_closing(stream);
    stream->served.core = stream->core;
    stream->served.peer = &stream->peer->peer;
    stream->is_listed = true;
    server_list(stream->lane->queue->server, &stream->served);
    if (user->events->on_open != NULL) {
        user->events->on_open(user);
    }
}

void stream_refuse(struct stream *stream, const struct fault *fault)
{
    grpc_op ops[2];

    memset(ops, 0, sizeof ops);
    core_status_init(&stream->status, fault);
    stream->is_finishing = true;
    stream->is_ending = true;
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    core_status_op(&stream->status, &ops[1]);
    start(stream, ops, 2, &stream->ending);
    start_closing(stream);
}

static void on_request(struct op *op, bool ok)
{
    struct stream *stream = (struct stream *)op;
    struct lane *lane = stream->lane;
    struct fault fault = {0};

    if (!ok) { /* the server stops */
        stream_free(stream);
        return;
    }
    stream_listen(lane);
    stream->peer = peers_of(lane->queue->peers, stream->core);
    if (peer_admit(stream->peer, lane->method->is_public, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    lane->method->on_stream(lane->method->service, stream);
    assert(stream->user != NULL || stream->is_ending);
}

void stream_listen(struct lane *lane)
{
    struct stream *stream = stream_new(lane->queue->cq);
    grpc_completion_queue *queue = cq_queue(lane->queue->cq);
    grpc_call_error error;

    if (stream == NULL) {
        log_error("stream.slot", "method=%s cause=memory", lane->method->path);
        return;
    }
    stream->post.op.done = on_request;
    stream->lane = lane;
    stream->method = lane->method->path;
    server_enter(lane->queue->server);
    error = grpc_server_request_registered_call(server_core(lane->queue->server), lane->registered,
                                                &stream->core, &stream->deadline, &stream->initial,
                                                NULL, queue, queue, &stream->post.op);
    assert(error == GRPC_CALL_OK);
}

/* On the stream's own thread: from here on nobody else starts a batch on it. */
static void on_started(struct op *op, bool ok)
{
    struct stream *stream = (struct stream *)op;
    grpc_op ops[2];

    (void)ok;
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &stream->initial;
    start(stream, ops, 2, &stream->opening);
    start_closing(stream);
}

enum rc stream_open(struct channel *channel, struct cq *cq, const char *method, int timeout_ms,
                    struct stream_user *user)
{
    struct stream *stream = stream_new(cq);

    if (stream == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "stream.open", "method=%s cause=memory", method);
    }
    stream->deadline = core_deadline(timeout_ms);
    stream->method = method;
    stream->user = user;
    stream->core = channel_dial(channel, cq_queue(cq), method, stream->deadline);
    user->stream = stream;
    stream->post.op.done = on_started;
    cq_post(cq, &stream->post);
    return RC_OK;
}
