#include "rpc/duplex.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/dial.h"

/* A queue of gRPC's "pluck" kind: each thread waits for its own tag. Tags are addresses of these.
 */
struct duplex {
    grpc_completion_queue *queue;
    grpc_call *core;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    grpc_byte_buffer *incoming;
    struct fault fault; /* how it ended, once has_status */
    bool is_receiving;
    bool has_status;
    bool is_end_sent;
    char opened_tag;
    char status_tag;
    char send_tag;
    char receive_tag;
};

static void start(struct duplex *duplex, const grpc_op *ops, size_t count, char *tag)
{
    grpc_call_error error = grpc_call_start_batch(duplex->core, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
}

/* False on timeout; *ok as the operation went. */
static bool pluck(struct duplex *duplex, char *tag, int timeout_ms, bool *ok)
{
    grpc_event event =
        grpc_completion_queue_pluck(duplex->queue, tag, core_deadline(timeout_ms), NULL);

    *ok = event.success != 0;
    return event.type == GRPC_OP_COMPLETE;
}

enum rc duplex_open(struct channel *channel, const char *method, int timeout_ms,
                    struct duplex **out)
{
    struct duplex *duplex = calloc(1, sizeof *duplex);
    grpc_op ops[2];

    if (duplex == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "duplex.open", "cause=memory");
    }
    core_begin();
    duplex->queue = grpc_completion_queue_create_for_pluck(NULL);
    duplex->core = channel_dial(channel, duplex->queue, method, core_deadline(timeout_ms));
    duplex->details = grpc_empty_slice();
    grpc_metadata_array_init(&duplex->initial);
    grpc_metadata_array_init(&duplex->trailing);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &duplex->initial;
    start(duplex, ops, 2, &duplex->opened_tag);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[0].data.recv_status_on_client.trailing_metadata = &duplex->trailing;
    ops[0].data.recv_status_on_client.status = &duplex->code;
    ops[0].data.recv_status_on_client.status_details = &duplex->details;
    start(duplex, ops, 1, &duplex->status_tag);
    *out = duplex;
    return RC_OK;
}

static enum rc send_op(struct duplex *duplex, const grpc_op *op, struct fault *fault)
{
    bool ok;

    start(duplex, op, 1, &duplex->send_tag);
    (void)pluck(duplex, &duplex->send_tag, -1, &ok);
    return ok ? RC_OK
              : refuse(fault, RC_UNAVAILABLE, "stream.over", "", "La otra parte cerró el flujo.");
}

enum rc duplex_send(struct duplex *duplex, struct bytes message, struct fault *fault)
{
    grpc_byte_buffer *buffer;
    grpc_op op;
    enum rc rc;

    assert(!duplex->is_end_sent);
    buffer = core_buffer(message);
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_MESSAGE;
    op.data.send_message.send_message = buffer;
    rc = send_op(duplex, &op, fault);
    grpc_byte_buffer_destroy(buffer);
    return rc;
}

enum rc duplex_end(struct duplex *duplex, struct fault *fault)
{
    grpc_op op;

    if (duplex->is_end_sent) {
        return RC_OK;
    }
    duplex->is_end_sent = true;
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    return send_op(duplex, &op, fault);
}

static enum rc ended(struct duplex *duplex, struct fault *fault)
{
    bool ok;

    if (!duplex->has_status) {
        (void)pluck(duplex, &duplex->status_tag, -1, &ok);
        core_fault(duplex->code, duplex->details, &duplex->trailing, &duplex->fault);
        (void)refuse(&duplex->fault, RC_OUT_OF_RANGE, "stream.end", "", "El flujo terminó.");
        duplex->has_status = true;
    }
    if (fault != NULL) {
        *fault = duplex->fault;
    }
    return duplex->fault.rc;
}

static void receive_start(struct duplex *duplex)
{
    grpc_op op;

    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &duplex->incoming;
    duplex->is_receiving = true;
    start(duplex, &op, 1, &duplex->receive_tag);
}

enum rc duplex_receive(struct duplex *duplex, int timeout_ms, struct buffer *message,
                       struct fault *fault)
{
    struct core_message came;
    bool ok;

    if (duplex->has_status) {
        return ended(duplex, fault);
    }
    if (!duplex->is_receiving) {
        receive_start(duplex);
    }
    if (!pluck(duplex, &duplex->receive_tag, timeout_ms, &ok)) {
        return refuse(fault, RC_DEADLINE_EXCEEDED, "stream.quiet", "", "Todavía no llega nada.");
    }
    duplex->is_receiving = false;
    if (!ok || duplex->incoming == NULL) {
        return ended(duplex, fault);
    }
    core_message_init(&came, duplex->incoming);
    duplex->incoming = NULL;
    buffer_clear(message);
    buffer_put_bytes(message, core_message_bytes(&came));
    core_message_release(&came);
    return !message->is_failed ? RC_OK
                               : refuse(fault, RC_RESOURCE_EXHAUSTED, "stream.message", "",
                                        "El mensaje no cabe en memoria.");
}

void duplex_cancel(struct duplex *duplex)
{
    (void)grpc_call_cancel(duplex->core, NULL);
}

void duplex_free(struct duplex *duplex)
{
    bool ok;

    if (duplex == NULL) {
        return;
    }
    duplex_cancel(duplex);
    if (duplex->is_receiving) {
        (void)pluck(duplex, &duplex->receive_tag, -1, &ok);
    }
    if (duplex->incoming != NULL) {
        grpc_byte_buffer_destroy(duplex->incoming);
    }
    (void)pluck(duplex, &duplex->opened_tag, -1, &ok);
    if (!duplex->has_status) {
        (void)pluck(duplex, &duplex->status_tag, -1, &ok);
    }
    grpc_call_unref(duplex->core);
    grpc_metadata_array_destroy(&duplex->initial);
    grpc_metadata_array_destroy(&duplex->trailing);
    grpc_slice_unref(duplex->details);
    grpc_completion_queue_shutdown(duplex->queue);
    while (grpc_completion_queue_pluck(duplex->queue, NULL, core_deadline(-1), NULL).type !=
           GRPC_QUEUE_SHUTDOWN) {
        continue;
    }
    grpc_completion_queue_destroy(duplex->queue);
    free(duplex);
    core_end();
}
