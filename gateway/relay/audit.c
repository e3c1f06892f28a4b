#include "relay/audit.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "policy/validate_parts.h"
#include "relay/budget.h"
#include "relay/chain.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/writer.h"

#define PAGE_ARENA_MAX ((size_t)16 << 20)

struct session {
    struct stream_user user; /* first */
    struct node *node;
    struct budget_hold hold;
    struct identity auditor;
    uint8_t directory[HASH_SIZE]; /* of the reading's leaf */
    struct auditlog_reader *reader;
    struct audit_page_request asked;
    char purpose[MESSAGE_CODE_MAX + 1];
    bool is_logged;
};

/* The reading's own leaf. */
struct session_leaf {
    struct write write; /* first: the writer's */
    struct stream_item item;
    struct session *session;
    struct stream *stream;
};

static enum rc apply_leaf(struct write *write, struct txn *txn)
{
    const struct session *session = ((struct session_leaf *)write)->session;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_READING);
    record.hosted_by = session->node->self->code;
    record.actor = session->auditor.uri;
    record.from = session->node->self->code;
    record.to = session->auditor.member;
    record.purpose = session->purpose;
    record.first_index = session->asked.from_index;
    record.directory_sha256 = BYTES(session->directory, HASH_SIZE);
    return entry_put_record(session->node, txn, &record, &index);
}

static void leaf_done(struct write *write)
{
    struct session_leaf *leaf = (struct session_leaf *)write;
    struct stream *stream = leaf->stream;

    stream_resume(stream, &leaf->item);
    stream_release(stream);
}

/* It keeps nothing of the first time. */
static void forget_leaf(struct write *write)
{
    (void)write;
}

static const struct write_ops leaf_ops = {
    .name = "reading", .apply = apply_leaf, .again = forget_leaf, .done = leaf_done};

static enum rc fill_entry(struct session *session, struct txn *txn, uint64_t index, uint64_t size,
                          struct arena *arena, struct audit_entry *entry)
{
    struct proof proof;
    enum rc rc;

    TRY(auditlog_leaf(txn, index, &entry->leaf));
    rc = auditlog_record(txn, index, &entry->record_blind, &entry->record);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(auditlog_inclusion(session->reader, txn, index, size, &proof));
    return chain_path(&proof, arena, &entry->path);
}

static enum rc build_page(struct session *session, struct arena *arena, struct buffer *bytes)
{
    struct commit_point *point = writer_latest(session->node->writer);
    uint64_t size = commit_point_size(point);
    uint64_t from = session->asked.from_index;
    uint64_t left = from < size ? size - from : 0;
    size_t count = left < session->asked.count ? (size_t)left : session->asked.count;
    struct audit_page page = {.checkpoint = arena_copy(arena, commit_point_note(point))};
    OWN_READ(txn) = NULL;

    commit_point_release(point);
    page.entries = arena_alloc(arena, (count + 1) * sizeof *page.entries);
    if (page.entries == NULL || page.checkpoint.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(session->node->db, &txn));
    for (; page.entry_count < count; page.entry_count++) {
        TRY(fill_entry(session, txn, from + page.entry_count, size, arena,
                       &page.entries[page.entry_count]));
    }
    codec_audit_page_write(&page, bytes);
    return bytes->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void end_badly(struct session *session, enum rc rc)
{
    struct fault fault = {0};

    refuse(&fault, rc, "audit.unavailable", "", "No se pudo leer la bitácora; reintente.");
    stream_finish(session->user.stream, &fault);
}

static void send_page(struct session *session)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    OWN(buffer) bytes = {0};
    enum rc rc = arena != NULL ? build_page(session, arena, &bytes) : RC_RESOURCE_EXHAUSTED;

    if (rc == RC_OK) {
        rc = stream_send(session->user.stream, buffer_bytes(&bytes));
    }
    if (rc != RC_OK) {
        end_badly(session, rc);
        return;
    }
    stream_read(session->user.stream);
}

static enum rc log_session(struct session *session)
{
    struct session_leaf *leaf = calloc(1, sizeof *leaf);
    enum rc rc;

    if (leaf == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    leaf->write.ops = &leaf_ops;
    leaf->write.leaves = 1;
    leaf->write.bytes = 1024;
    leaf->session = session;
    leaf->stream = session->user.stream;
    stream_hold(leaf->stream);
    rc = writer_submit(session->node->writer, &leaf->write);
    if (rc != RC_OK) {
        stream_release(leaf->stream);
        free(leaf);
    }
    return rc;
}

static enum rc take_request(struct session *session, struct bytes message, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    struct identity identity;

    TRY(who_is(session->node, stream_peer(session->user.stream), &identity, fault));
    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_audit_request_read(message, arena, &session->asked, fault));
    if (session->asked.count == 0 || session->asked.count > AUDIT_PAGE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.count", "count",
                      "Pida de 1 a %d registros por página.", AUDIT_PAGE_MAX);
    }
    if (!session->is_logged) {
        /* It goes into a record that nobody can erase: a code, never free text. */
        if (!is_slug(session->asked.purpose)) {
            return refuse(fault, RC_INVALID_ARGUMENT, "audit.purpose", "purpose",
                          "Declare para qué se lee la bitácora, en una palabra de minúsculas, "
                          "dígitos y guiones, como «auditoria-2026».");
        }
        snprintf(session->purpose, sizeof session->purpose, "%s", session->asked.purpose);
    }
    session->asked.purpose = session->purpose;
    return RC_OK;
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct session *session = (struct session *)user;
    struct fault fault = {0};
    enum rc rc = take_request(session, message, &fault);

    if (rc == RC_OK && !session->is_logged) {
        rc = log_session(session);
        if (rc == RC_OK) {
            return; /* the page follows when the reading stands in the log */
        }
    }
    if (rc != RC_OK) {
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_finish(user->stream, &fault);
        return;
    }
    send_page(session);
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct session *session = (struct session *)user;
    struct session_leaf *leaf =
        (struct session_leaf *)((char *)items - offsetof(struct session_leaf, item));
    enum rc rc = leaf->write.rc;

    commit_point_release(leaf->write.point);
    free(leaf);
    if (stream_is_over(user->stream)) {
        return;
    }
    if (rc != RC_OK) {
        end_badly(session, rc);
        return;
    }
    session->is_logged = true;
    log_info("audit.reading", "identity=%s purpose=%s", session->auditor.uri, session->purpose);
    send_page(session);
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)user;
    (void)fault;
}

static void on_free(struct stream_user *user)
{
    struct session *session = (struct session *)user;

    auditlog_reader_free(session->reader);
    budget_leave(&session->hold);
    free(session);
}

static const struct stream_events session_events = {
    .on_message = on_message,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

void audit_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct identity identity;
    struct fault fault = {0};
    struct session *session;

    if (who_is(node, stream_peer(stream), &identity, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    if (identity.kind != IDENTITY_AUDITOR) {
        refuse(&fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
               "Esta identidad no puede usar este servicio.");
        log_warn("identity.refused", "uri=%s check=auditor", identity.uri);
        stream_refuse(stream, &fault);
        return;
    }
    session = calloc(1, sizeof *session);
    if (session != NULL) {
        session->reader = auditlog_reader_new();
    }
    if (session == NULL || session->reader == NULL) {
        free(session);
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_refuse(stream, &fault);
        return;
    }
    if (budget_enter(node->budget, identity.uri, BUDGET_AUDIT, &session->hold, &fault) != RC_OK) {
        auditlog_reader_free(session->reader);
        free(session);
        stream_refuse(stream, &fault);
        return;
    }
    session->user.events = &session_events;
    session->node = node;
    session->auditor = identity;
    inforce_digest(node->inforce, session->directory);
    stream_accept(stream, &session->user);
    stream_read(stream);
}
