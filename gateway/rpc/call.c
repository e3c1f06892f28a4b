#include "rpc/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "rpc/serving.h"

#define SPARES_MAX 256

struct call {
    struct cq_post post; /* first: the tag of the request, of coming back, of the answer, in turn */
    struct lane *lane;
    void (*resume)(struct call *call);
    grpc_call *core;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload;
    struct core_message request;
    struct arena *arena;
    struct peer_entry *peer;
    struct call_state *state;
    struct call *next_spare;
    struct core_status status;
    grpc_byte_buffer *response;
    int is_cancelled;
    bool is_answered;
};

static struct call *call_take(struct server_queue *queue)
{
    struct call *call = queue->spare;

    if (call != NULL) {
        queue->spare = call->next_spare;
        queue->spare_count--;
        return call;
    }
    call = calloc(1, sizeof *call);
    if (call != NULL) {
        grpc_metadata_array_init(&call->metadata);
    }
    return call;
}

static void call_free(struct call *call)
{
    grpc_metadata_array_destroy(&call->metadata);
    arena_free(call->arena);
    free(call);
}

/* Everything of the request goes; the arena's first block and the struct serve the next call. */
static void call_give_back(struct call *call)
{
    struct server_queue *queue = call->lane->queue;

    core_message_release(&call->request);
    if (call->arena != NULL) {
        arena_reset(call->arena);
    }
    peer_release(call->peer);
    call->peer = NULL;
    call->state = NULL;
    call->is_answered = false;
    if (call->core != NULL) {
        grpc_call_unref(call->core);
        call->core = NULL;
    }
    if (queue->spare_count < SPARES_MAX) {
        call->next_spare = queue->spare;
        queue->spare = call;
        queue->spare_count++;
    } else {
        call_free(call);
    }
    server_leave(queue->server);
}

void call_forget_spares(struct server_queue *queue)
{
    while (queue->spare != NULL) {
        struct call *call = queue->spare;

        queue->spare = call->next_spare;
        call_free(call);
    }
}

static void on_request(struct op *op, bool ok)
{
    struct call *call = (struct call *)op;
    struct lane *lane = call->lane;
    struct fault fault = {0};

    if (!ok) { /* the server stops */
        call_give_back(call);
        return;
    }
    call_listen(lane);
    core_message_init(&call->request, call->payload);
    call->payload = NULL;
    call->peer = peers_of(lane->queue->peers, call->core);
    if (peer_admit(call->peer, lane->method->is_public, &fault) != RC_OK) {
        call_refuse(call, &fault);
    } else if (call->request.buffer == NULL) {
        (void)refuse(&fault, RC_INVALID_ARGUMENT, "call.empty", "", "Falta el mensaje.");
        call_refuse(call, &fault);
    } else {
        lane->method->on_call(lane->method->service, call);
    }
}

void call_listen(struct lane *lane)
{
    struct call *call = call_take(lane->queue);
    grpc_completion_queue *queue = cq_queue(lane->queue->cq);
    grpc_call_error error;

    if (call == NULL) {
        log_error("call.slot", "method=%s cause=memory", lane->method->path);
        return;
    }
    call->post.op.done = on_request;
    call->lane = lane;
    call->payload = NULL;
    server_enter(lane->queue->server);
    error = grpc_server_request_registered_call(server_core(lane->queue->server), lane->registered,
                                                &call->core, &call->deadline, &call->metadata,
                                                &call->payload, queue, queue, &call->post.op);
    assert(error == GRPC_CALL_OK);
}

struct bytes call_request(const struct call *call)
{
    return core_message_bytes((struct core_message *)&call->request);
}

struct arena *call_arena(struct call *call)
{
    if (call->arena == NULL) {
        call->arena = arena_new(CALL_ARENA_MAX);
    }
    return call->arena;
}

const struct rpc_peer *call_peer(const struct call *call)
{
    return &call->peer->peer;
}

const char *call_method(const struct call *call)
{
    return call->lane->method->path;
}

int64_t call_remaining_ms(const struct call *call)
{
    return core_remaining_ms(call->deadline);
}

void call_set_state(struct call *call, struct call_state *state)
{
    call->state = state;
}

struct call_state *call_state(const struct call *call)
{
    return call->state;
}

static void on_answered(struct op *op, bool ok)
{
    struct call *call = (struct call *)op;

    (void)ok; /* a client that has gone is no business of ours */
    if (call->response != NULL) {
        grpc_byte_buffer_destroy(call->response);
        call->response = NULL;
    }
    core_status_release(&call->status);
    call_give_back(call);
}

/* One batch for the whole answer; the close of the call completes it. */
static void answer(struct call *call, grpc_byte_buffer *response, const struct fault *fault)
{
    grpc_op ops[4];
    size_t count = 0;

    assert(!call->is_answered && cq_is_here(call->lane->queue->cq));
    call->is_answered = true;
    memset(ops, 0, sizeof ops);
    ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
    if (response != NULL) {
        call->response = response;
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = call->response;
    }
    core_status_init(&call->status, fault);
    core_status_op(&call->status, &ops[count++]);
    ops[count].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[count++].data.recv_close_on_server.cancelled = &call->is_cancelled;
    call->post.op.done = on_answered;
    core_start(call->core, ops, count, &call->post.op);
}

void call_reply(struct call *call, struct bytes response)
{
    answer(call, core_buffer(response), NULL);
}

void call_reply_buffer(struct call *call, struct buffer *response)
{
    answer(call, core_buffer_take(response), NULL);
}

void call_refuse(struct call *call, const struct fault *fault)
{
    answer(call, NULL, fault);
}

static void on_resumed(struct op *op, bool ok)
{
    struct call *call = (struct call *)op;

    (void)ok;
    call->resume(call);
}

void call_resume(struct call *call, void (*fn)(struct call *call))
{
    call->resume = fn;
    call->post.op.done = on_resumed;
    cq_post(call->lane->queue->cq, &call->post);
}
