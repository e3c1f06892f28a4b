#include "relay/give_again.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "relay/backlog.h"
#include "relay/desk.h"
#include "relay/held.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/writer.h"

/* In the call's arena. */
struct call_state {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct identity caller;
    struct id id;
    bool only_asks;
    enum urgency urgency;
    uint64_t index;
    char shared[DESK_DESTINATION_SIZE]; /* where it stood first */
    char own[DESK_DESTINATION_SIZE];
    struct fault fault;
    struct given_again found;
};

static enum rc unknown(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "message.unknown", "message_id",
                  "No hay un mensaje para este sistema con ese identificador.");
}

static void refuse_call(struct call *call, struct fault *fault, enum rc rc)
{
    refuse(fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
    call_refuse(call, fault);
}

/* ---- on the writer ---- */

static enum rc find_debt(struct call_state *again, struct txn *txn)
{
    const char *const places[] = {again->shared, again->own};
    struct outbox_entry entry;

    for (size_t i = 0; i < 2; i++) {
        enum rc rc = outbox_find(txn, places[i], again->urgency, again->index, &entry);

        if (rc != RC_NOT_FOUND) {
            again->found.was_owed = rc == RC_OK;
            return rc;
        }
    }
    return RC_NOT_FOUND;
}

static enum rc apply(struct write *write, struct txn *txn)
{
    struct call_state *again = (struct call_state *)write;
    struct outbox_entry entry = {
        .index = again->index, .due_ms = clock_now_ms(), .flags = OUTBOX_GIVEN | OUTBOX_SETTLED};
    enum rc rc = find_debt(again, txn);

    if (rc != RC_NOT_FOUND || again->only_asks) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    TRY(backlog_check(again->node->backlog, again->own, again->urgency, &again->fault));
    return outbox_add(txn, again->own, again->urgency, &entry);
}

static void forget(struct write *write)
{
    ((struct call_state *)write)->found.was_owed = false;
}

static void answer(struct call *call)
{
    struct call_state *again = call_state(call);
    OWN(buffer) response = {0};

    if (again->write.rc != RC_OK) {
        refuse_call(call, &again->fault, again->write.rc);
        return;
    }
    codec_given_again_write(&again->found, &response);
    call_reply(call, buffer_bytes(&response));
}

static void done(struct write *write)
{
    struct call_state *again = (struct call_state *)write;
    struct node *node = again->node;

    commit_point_release(write->point);
    write->point = NULL;
    if (write->rc == RC_OK && !again->found.was_owed && !again->only_asks) {
        char id[ID_TEXT_SIZE];

        id_format(&again->id, id);
        log_info("delivery.again", "msg=%s identity=%s leaf=%llu", id, again->caller.uri,
                 (unsigned long long)again->index);
        backlog_count(node->backlog, again->own, 1);
        desk_returned(node->desk, again->caller.member, again->urgency);
    }
    call_resume(again->call, answer);
}

static const struct write_ops ops = {
    .name = "give_again", .apply = apply, .again = forget, .done = done};

/* ---- the question ---- */

static bool has_several(const struct call_state *again)
{
    OWN_EDITION(edition) = inforce_take(again->node->inforce);
    const struct identity *systems[2];

    return identities_of_member(edition->directory, again->caller.member, IDENTITY_SYSTEM,
                                clock_local_day(clock_now_ms()), systems, 2) > 1;
}

static enum rc find_message(struct call_state *again, struct fault *fault)
{
    struct arena *arena = call_arena(again->call);
    struct held *held = arena_alloc(arena, sizeof *held);
    const struct header *header;
    struct journal_entry entry;
    OWN_READ(txn) = NULL;
    enum rc rc;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(again->node->db, &txn));
    rc = journal_by_id(txn, JOURNAL_RECEIVED, &again->id, &entry);
    if (rc == RC_OK) {
        rc = held_load(again->node, txn, entry.index, arena, held);
    }
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? unknown(fault) : rc;
    }
    header = &held->message.header;
    if (strcmp(header->to, again->caller.member) != 0 ||
        (header->to_system[0] != '\0' && strcmp(header->to_system, again->caller.name) != 0)) {
        return unknown(fault);
    }
    again->index = entry.index;
    again->urgency = header->urgency;
    again->found.maybe_another_has = header->to_system[0] == '\0' && has_several(again);
    desk_destination(header, again->shared);
    snprintf(again->own, sizeof again->own, "system:%s/%s", again->caller.member,
             again->caller.name);
    return RC_OK;
}

static enum rc begin(struct node *node, struct call *call, struct fault *fault)
{
    struct call_state *again = arena_alloc(call_arena(call), sizeof *again);

    if (again == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *again = (struct call_state){.write = {.ops = &ops}, .node = node, .call = call};
    TRY(who_is_member(node, call_peer(call), &again->caller, fault));
    if (again->caller.kind != IDENTITY_SYSTEM) {
        return refuse(fault, RC_PERMISSION_DENIED, "identity.not_system", "",
                      "Solo un sistema recibe entregas; pídalo con su certificado.");
    }
    TRY(codec_give_again_read(call_request(call), call_arena(call), &again->id, &again->only_asks,
                              fault));
    TRY(find_message(again, fault));
    again->write.bytes = 1024;
    call_set_state(call, again);
    return writer_submit(node->writer, &again->write);
}

void give_again_on_call(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};
    enum rc rc = begin((struct node *)service, call, &fault);

    if (rc != RC_OK) {
        refuse_call(call, &fault, rc);
    }
}
