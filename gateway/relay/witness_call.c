#include "relay/witness_call.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "model/directory.h"
#include "relay/budget.h"
#include "relay/node.h"
#include "relay/who.h"
#include "relay/witness.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"

/* Of one peer: a round asks once, and after a conflict once or twice more. */
#define WEIGHT ((size_t)64 << 10)

struct call_state {
    struct witness_ask ask; /* first */
    struct call *call;
    struct node *node;
    struct budget_hold hold;
};

static void answer(struct call *call)
{
    struct call_state *state = call_state(call);
    struct witness_ask *ask = &state->ask;
    struct add_response response = {.status = (uint32_t)ask->status};
    OWN(buffer) bytes = {0};
    OWN(buffer) line = {0};

    if (ask->status == WITNESS_COSIGNED &&
        witness_sign(state->node, &ask->offered, &line) != RC_OK) {
        response.status = WITNESS_BUSY;
    }
    response.size = ask->status == WITNESS_CONFLICT ? ask->last_size : 0;
    response.cosignature = buffer_bytes(&line);
    codec_add_response_write(&response, &bytes);
    log_debug("witness.answered", "origin=%s size=%llu status=%u", ask->offered.origin,
              (unsigned long long)ask->offered.size, response.status);
    budget_leave(&state->hold);
    witness_ask_release(ask);
    call_reply(call, buffer_bytes(&bytes));
}

static void on_done(struct witness_ask *ask)
{
    call_resume(((struct call_state *)ask)->call, answer);
}

static enum rc begin(struct node *node, struct call *call, struct call_state *state,
                     struct fault *fault)
{
    struct node_entry peer;
    struct add_request request;

    TRY(who_is_node(node, call_peer(call), &peer, fault));
    TRY(codec_add_request_read(call_request(call), call_arena(call), &request, fault));
    TRY(budget_enter(node->budget, peer.uri, BUDGET_CALL, &state->hold, fault));
    TRY(budget_admit(&state->hold, WEIGHT, fault));
    state->ask.status = witness_prepare(node, request.body, request.later, &state->ask);
    return RC_OK;
}

void witness_on_add(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    struct arena *arena = call_arena(call);
    struct call_state *state = arena != NULL ? arena_alloc(arena, sizeof *state) : NULL;
    struct fault fault = {0};
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (state != NULL) {
        state->call = call;
        state->node = node;
        state->ask.done = on_done;
        call_set_state(call, state);
        rc = begin(node, call, state, &fault);
    }
    if (rc != RC_OK) {
        if (state != NULL) {
            budget_leave(&state->hold);
        }
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
        return;
    }
    if (state->ask.status != WITNESS_COSIGNED ||
        witness_begin(node, &state->ask) != WITNESS_COSIGNED) {
        answer(call);
    }
}

/* Auditors too: they compare what each institution holds of a log. */
static enum rc check_asker(const struct node *node, const struct call *call, struct fault *fault)
{
    struct identity identity;
    struct node_entry peer;
    struct fault ignored = {0};

    if (who_is_node(node, call_peer(call), &peer, &ignored) == RC_OK) {
        return RC_OK;
    }
    TRY(who_is(node, call_peer(call), &identity, fault));
    return identity.kind == IDENTITY_AUDITOR
               ? RC_OK
               : refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "", "No permitido.");
}

static enum rc find_last(const struct node *node, struct call *call, struct buffer *note,
                         struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];
    const char *origin;
    struct bytes name;
    enum rc rc;

    TRY(check_asker(node, call, fault));
    TRY(codec_origin_read(call_request(call), call_arena(call), &origin, fault));
    name = bytes_text(origin);
    digest_of(&name, 1, digest);
    rc = witness_last(node, digest, note);
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    return rc == RC_OK ? rc
                       : refuse(fault, RC_UNAVAILABLE, "node.unavailable", "",
                                "El nodo no pudo leer su base; reintente.");
}

void witness_on_get(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    struct fault fault = {0};
    OWN(buffer) note = {0};
    OWN(buffer) response = {0};

    if (find_last(node, call, &note, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    codec_note_write(buffer_bytes(&note), &response);
    call_reply(call, buffer_bytes(&response));
}
