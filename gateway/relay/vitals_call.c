/*
 * vitals_call - the two ways to ask how a node is doing: gRPC with a certificate, and plain HTTP on
 * this machine. Both read on a thread that may wait.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/worker.h"
#include "policy/audit_rules.h"
#include "relay/audit.h"
#include "relay/node.h"
#include "relay/vitals.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"

/* In the call's arena. */
struct call_state {
    struct chore chore; /* first */
    struct call *call;
    const struct node *node;
    struct condition condition;
};

static void answer_look(struct call *call)
{
    const struct call_state *look = call_state(call);
    OWN(buffer) response = {0};

    codec_condition_write(&look->condition, &response);
    call_reply(call, buffer_bytes(&response));
}

static void run_look(struct chore *chore)
{
    struct call_state *look = (struct call_state *)chore;

    vitals_look(look->node, &look->condition);
    call_resume(look->call, answer_look);
}

static enum rc begin_look(struct node *node, struct call *call, struct fault *fault)
{
    struct call_state *look = arena_alloc(call_arena(call), sizeof *look);
    struct identity caller;
    struct audit_grant grant;

    TRY(who_is(node, call_peer(call), &caller, fault));
    TRY(audit_admit(node, &caller, AUDIT_CONDITION, &grant, fault));
    TRY(codec_condition_request_read(call_request(call), fault));
    if (look == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *look = (struct call_state){.chore = {.run = run_look}, .call = call, .node = node};
    look->condition.max = CONDITION_SAMPLES_MAX;
    look->condition.items =
        arena_alloc(call_arena(call), CONDITION_SAMPLES_MAX * sizeof *look->condition.items);
    if (look->condition.items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    call_set_state(call, look);
    return worker_put(node->reading_room, &look->chore);
}

void vitals_on_call(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};
    enum rc rc = begin_look((struct node *)service, call, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
    }
}

static void answer_http(struct http_service *service, const struct http_request *request,
                        struct http_response *response)
{
    const struct vitals_http *http = (const struct vitals_http *)service;
    struct condition condition = {.max = CONDITION_SAMPLES_MAX};

    if (request->is_post || !bytes_equal(request->path, bytes_text("/metrics"))) {
        response->status = 404;
        return;
    }
    condition.items = calloc(CONDITION_SAMPLES_MAX, sizeof *condition.items);
    if (condition.items == NULL) {
        response->status = 503;
        return;
    }
    vitals_look(http->node, &condition);
    condition_print(&condition, &response->body);
    free(condition.items);
    response->status = 200;
    response->type = CONDITION_CONTENT_TYPE;
}

void vitals_http_init(struct vitals_http *http, const struct node *node)
{
    http->service.answer = answer_http;
    http->node = node;
}
