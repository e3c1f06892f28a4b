/* unknown - calls of methods that nobody serves: answered with UNIMPLEMENTED, or they would wait
 * for ever. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rpc/serving.h"

struct unknown {
    struct op op; /* first */
    struct server_queue *queue;
    grpc_call *core;
    grpc_call_details details;
    grpc_metadata_array metadata;
    struct core_status status;
    int is_cancelled;
};

static void unknown_free(struct unknown *call)
{
    struct server *server = call->queue->server;

    core_status_release(&call->status);
    grpc_call_details_destroy(&call->details);
    grpc_metadata_array_destroy(&call->metadata);
    if (call->core != NULL) {
        grpc_call_unref(call->core);
    }
    free(call);
    server_leave(server);
}

static void on_answered(struct op *op, bool ok)
{
    (void)ok;
    unknown_free((struct unknown *)op);
}

static void on_request(struct op *op, bool ok)
{
    struct unknown *call = (struct unknown *)op;
    struct fault fault = {0};
    grpc_op ops[3];

    if (!ok) {
        unknown_free(call);
        return;
    }
    unknown_listen(call->queue);
    (void)refuse(&fault, RC_UNIMPLEMENTED, "method.unknown", "",
                 "Este nodo no atiende ese método.");
    core_status_init(&call->status, &fault);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    core_status_op(&call->status, &ops[1]);
    ops[2].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[2].data.recv_close_on_server.cancelled = &call->is_cancelled;
    call->op.done = on_answered;
    core_start(call->core, ops, 3, &call->op);
}

void unknown_listen(struct server_queue *queue)
{
    struct unknown *call = calloc(1, sizeof *call);
    grpc_completion_queue *core = cq_queue(queue->cq);
    grpc_call_error error;

    if (call == NULL) {
        log_error("call.slot", "method=unknown cause=memory");
        return;
    }
    call->op.done = on_request;
    call->queue = queue;
    call->status.details = grpc_empty_slice();
    grpc_call_details_init(&call->details);
    grpc_metadata_array_init(&call->metadata);
    server_enter(queue->server);
    error = grpc_server_request_call(server_core(queue->server), &call->core, &call->details,
                                     &call->metadata, core, core, &call->op);
    assert(error == GRPC_CALL_OK);
}
