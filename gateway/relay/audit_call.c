#include "relay/audit_call.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "policy/validate_parts.h"
#include "relay/audit.h"
#include "relay/audit_leaf.h"
#include "relay/audit_page.h"
#include "relay/indexer.h"
#include "relay/node.h"
#include "relay/reading_rate.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "store/db.h"
#include "store/tagkey.h"

/* In the call's arena. */
struct call_state {
    struct chore chore;
    struct audit_leaf leaf;
    struct call *call;
    struct node *node;
    struct identity caller;
    struct audit_closing closing;
    struct audit_history history;
    uint8_t key[TAGKEY_SIZE];
    enum rc rc;
};

static struct call_state *state_of(struct audit_leaf *leaf)
{
    return (struct call_state *)((char *)leaf - offsetof(struct call_state, leaf));
}

static void refuse_call(struct call *call, struct fault *fault, enum rc rc)
{
    refuse(fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
    call_refuse(call, fault);
}

static enum rc admit(struct node *node, struct call *call, enum audit_method method,
                     struct call_state **state, struct audit_grant *grant, struct fault *fault)
{
    struct call_state *made = arena_alloc(call_arena(call), sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(who_is(node, call_peer(call), &made->caller, fault));
    TRY(audit_admit(node, &made->caller, method, grant, fault));
    made->call = call;
    made->node = node;
    made->leaf.node = node;
    audit_leaf_reader(&made->leaf, &made->caller);
    call_set_state(call, made);
    *state = made;
    return RC_OK;
}

/* ---- the key of a person's tags ---- */

static void answer_key(struct call *call)
{
    struct call_state *state = call_state(call);
    OWN(buffer) response = {0};
    struct fault fault = {0};

    if (state->leaf.write.rc != RC_OK) {
        explicit_bzero(state->key, sizeof state->key);
        refuse_call(call, &fault, state->leaf.write.rc);
        return;
    }
    log_info("audit.tag_key_given", "identity=%s approver=%s leaf=%llu", state->caller.uri,
             state->leaf.approver, (unsigned long long)state->leaf.index);
    codec_tag_key_write(state->key, state->leaf.index, &response);
    explicit_bzero(state->key, sizeof state->key);
    call_reply(call, buffer_bytes(&response));
}

static void key_logged(struct audit_leaf *leaf)
{
    call_resume(state_of(leaf)->call, answer_key);
}

static enum rc find_key(const struct node *node, const struct audit_query *query,
                        uint8_t key[TAGKEY_SIZE], struct fault *fault)
{
    const struct tagkey_name name = {
        .member = query->holder, .kind = TAGKEY_SUBJECT, .name = BYTES_OF(query->person.bytes)};
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(node->db, &txn));
    rc = tagkey_find(txn, node->tagkeys, &name, key);
    return rc == RC_NOT_FOUND
               ? refuse(fault, rc, "audit.no_tag_key", "query.person",
                        "No hay hojas de esa persona en esta bitácora, o su llave se destruyó.")
               : rc;
}

static enum rc give_key(struct node *node, struct call *call, struct fault *fault)
{
    struct audit_query_request request;
    struct audit_grant grant;
    struct audit_asked asked;
    struct call_state *state;

    TRY(admit(node, call, AUDIT_TAG_KEY, &state, &grant, fault));
    TRY(codec_tag_key_request_read(call_request(call), call_arena(call), &request, fault));
    TRY(audit_take_question(node, &state->caller, &request, call_arena(call), &asked, fault));
    if (!asked.query.wants_tag_key) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.question", "query.wants_tag_key",
                      "La petición aprobada no pide la llave.");
    }
    TRY(reading_rate_person(node->reading_rate, state->caller.uri, &grant, clock_now_ms(), fault));
    TRY(find_key(node, &asked.query, state->key, fault));
    state->leaf.kind = RECORD_TAG_KEY_GIVEN;
    state->leaf.done = key_logged;
    state->leaf.has_query = true;
    memcpy(state->leaf.query, asked.digest, DIGEST_SIZE);
    memcpy(state->leaf.commitment, asked.query.purpose_commitment.data, DIGEST_SIZE);
    memcpy(state->leaf.approver, asked.second, sizeof state->leaf.approver);
    return audit_leaf_submit(&state->leaf);
}

void audit_on_give_tag_key(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};
    enum rc rc = give_key((struct node *)service, call, &fault);

    if (rc != RC_OK) {
        refuse_call(call, &fault, rc);
    }
}

/* ---- the end of an audit ---- */

static void answer_close(struct call *call)
{
    const struct call_state *state = call_state(call);
    const struct audit_closed closed = {state->leaf.index, state->history.sessions,
                                        state->history.records};
    OWN(buffer) response = {0};
    struct fault fault = {0};

    if (state->leaf.write.rc != RC_OK) {
        refuse_call(call, &fault, state->leaf.write.rc);
        return;
    }
    log_info("audit.closed", "identity=%s purpose=%s sessions=%u leaf=%llu", state->caller.uri,
             state->leaf.purpose, closed.sessions, (unsigned long long)closed.index);
    codec_audit_closed_write(&closed, &response);
    call_reply(call, buffer_bytes(&response));
}

static void close_logged(struct audit_leaf *leaf)
{
    call_resume(state_of(leaf)->call, answer_close);
}

static enum rc check_history(const struct call_state *state, struct fault *fault)
{
    if (state->rc != RC_OK) {
        return state->rc;
    }
    if (state->history.sessions == 0 || strcmp(state->history.member, state->caller.member) != 0) {
        return refuse(fault, RC_NOT_FOUND, "audit.unknown", "purpose",
                      "Su institución no leyó nada con ese propósito en esta bitácora.");
    }
    if (state->history.is_closed) {
        return refuse(fault, RC_ALREADY_EXISTS, "audit.closed", "purpose",
                      "Esa auditoría ya se cerró.");
    }
    return RC_OK;
}

static void log_close(struct call *call)
{
    struct call_state *state = call_state(call);
    struct fault fault = {0};
    enum rc rc = check_history(state, &fault);

    if (rc == RC_OK) {
        state->leaf.kind = RECORD_AUDIT_CLOSED;
        state->leaf.done = close_logged;
        state->leaf.first_index = state->history.first_index;
        state->leaf.count = state->history.sessions;
        rc = audit_leaf_submit(&state->leaf);
    }
    if (rc != RC_OK) {
        refuse_call(call, &fault, rc);
    }
}

static void run_close(struct chore *chore)
{
    struct call_state *state =
        (struct call_state *)((char *)chore - offsetof(struct call_state, chore));

    state->rc = audit_history_read(state->node, BYTES_OF(state->leaf.commitment), &state->history);
    call_resume(state->call, log_close);
}

static enum rc begin_close(struct node *node, struct call *call, struct fault *fault)
{
    struct audit_grant grant;
    struct call_state *state;

    TRY(admit(node, call, AUDIT_CLOSE, &state, &grant, fault));
    TRY(codec_audit_closing_read(call_request(call), call_arena(call), &state->closing, fault));
    /* It goes into a record that nobody can erase: a code, never free text. */
    if (!is_slug(state->closing.purpose)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.purpose", "purpose",
                      "El propósito es una palabra de minúsculas, dígitos y guiones, como "
                      "«auditoria-2026».");
    }
    memcpy(state->leaf.purpose, state->closing.purpose, strlen(state->closing.purpose) + 1);
    memcpy(state->leaf.blind, state->closing.blind.data, BLIND_SIZE);
    audit_digest_purpose(state->closing.blind, state->closing.purpose, state->leaf.commitment);
    state->chore.run = run_close;
    return worker_put(node->reading_room, &state->chore);
}

void audit_on_close(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};
    enum rc rc = begin_close((struct node *)service, call, &fault);

    if (rc != RC_OK) {
        refuse_call(call, &fault, rc);
    }
}

/* ---- the index ---- */

static void write_state(const struct node *node, struct buffer *response)
{
    struct indexer_status status;
    struct audit_index_state state;

    indexer_status(node->indexer, &status);
    state = (struct audit_index_state){
        .state = (enum index_state)(status.state + 1),
        .size = status.size,
        .indexed_to = status.up_to,
        .rebuilt_to = status.rebuilt_to,
        .rebuilds = status.rebuilds,
        .rows = status.difference.rows,
        .missing = status.difference.missing,
        .extra = status.difference.extra,
        .first_leaf = status.difference.missing + status.difference.extra > 0
                          ? status.difference.first_leaf
                          : 0,
    };
    codec_index_state_write(&state, response);
}

static enum rc reindex(struct node *node, struct call *call, struct buffer *response,
                       struct fault *fault)
{
    struct audit_grant grant;
    struct call_state *state;
    bool is_to_begin;

    TRY(codec_reindex_request_read(call_request(call), &is_to_begin, fault));
    TRY(admit(node, call, is_to_begin ? AUDIT_REINDEX : AUDIT_INDEX_STATE, &state, &grant, fault));
    if (is_to_begin) {
        log_info("audit.reindex", "identity=%s", state->caller.uri);
        indexer_rebuild(node->indexer);
    }
    write_state(node, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void audit_on_reindex(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};
    enum rc rc = reindex((struct node *)service, call, &response, &fault);

    if (rc != RC_OK) {
        refuse_call(call, &fault, rc);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}
