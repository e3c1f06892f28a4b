#include "relay/audit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "relay/audit_leaf.h"
#include "relay/audit_page.h"
#include "relay/budget.h"
#include "relay/node.h"
#include "relay/reading_rate.h"
#include "relay/who.h"
#include "rpc/stream.h"
#include "store/auditlog.h"

#define REQUEST_ARENA_MAX ((size_t)64 << 10)
#define QUESTION_ARENA_MAX ((size_t)64 << 10)

enum step {
    STEP_NONE,
    STEP_LEAF, /* the writer has it */
    STEP_PAGE, /* the reading room has it */
    STEP_END,  /* the writer has its last leaf */
};

/* One stream. Between two steps it is its queue's. */
struct session {
    struct stream_user user; /* first */
    struct chore chore;
    struct stream_item item;
    struct audit_leaf leaf; /* of its begin */
    enum step step;
    struct node *node;
    struct budget_hold hold;
    enum audit_method method;
    struct audit_grant grant;
    struct identity reader;
    struct auditlog_reader *log;
    struct arena *arena;      /* what was asked, as long as the session */
    struct audit_asked asked; /* of a query */
    struct finder_question question;
    uint64_t from;
    uint32_t count;
    uint64_t seen_size;
    uint64_t shown;
    bool is_logged;
    bool is_first_page;
    bool is_ending; /* the reader asks no more */
    struct audit_page_made page;
    enum rc rc; /* of the step */
    bool is_closed_audit;
};

static struct session *session_of(struct stream_user *user)
{
    return (struct session *)user;
}

static void end_badly(struct session *session, struct fault *fault, enum rc rc)
{
    refuse(fault, rc, "audit.unavailable", "", "No se pudo leer la bitácora; reintente.");
    log_info("audit.refused", "identity=%s reason=%s", session->reader.uri, fault->reason);
    stream_finish(session->user.stream, fault);
}

/* ---- the reading room's thread ---- */

static enum rc make_page(struct session *session)
{
    if (session->is_first_page) {
        struct audit_history history;

        TRY(audit_history_read(session->node, BYTES_OF(session->leaf.commitment), &history));
        session->is_closed_audit = history.is_closed;
        if (history.is_closed) {
            return RC_FAILED_PRECONDITION;
        }
    }
    buffer_clear(&session->page.bytes);
    if (session->method == AUDIT_WHOLE_LOG) {
        return audit_page_whole(session->node, session->log, session->from, session->count,
                                &session->page);
    }
    return audit_page_query(session->node, session->log, &session->question, session->from,
                            session->count, session->seen_size, &session->page);
}

static void run_page(struct chore *chore)
{
    struct session *session = (struct session *)((char *)chore - offsetof(struct session, chore));
    struct stream *stream = session->user.stream;

    session->rc = make_page(session);
    stream_resume(stream, &session->item);
    stream_release(stream);
}

/* ---- the queue's thread ---- */

static void ask_page(struct session *session)
{
    struct fault fault = {0};
    enum rc rc;

    session->step = STEP_PAGE;
    session->chore.run = run_page;
    stream_hold(session->user.stream);
    rc = worker_put(session->node->reading_room, &session->chore);
    if (rc != RC_OK) {
        stream_release(session->user.stream);
        session->step = STEP_NONE;
        end_badly(session, &fault, rc);
    }
}

static void on_leaf(struct audit_leaf *leaf)
{
    struct session *session = (struct session *)((char *)leaf - offsetof(struct session, leaf));
    struct stream *stream = session->user.stream;

    stream_resume(stream, &session->item);
    stream_release(stream);
}

static enum rc log_begin(struct session *session)
{
    enum rc rc;

    session->leaf.node = session->node;
    session->leaf.done = on_leaf;
    session->leaf.kind = RECORD_READING;
    session->leaf.first_index = session->from;
    audit_leaf_reader(&session->leaf, &session->reader);
    session->step = STEP_LEAF;
    stream_hold(session->user.stream);
    rc = audit_leaf_submit(&session->leaf);
    if (rc != RC_OK) {
        stream_release(session->user.stream);
        session->step = STEP_NONE;
    }
    return rc;
}

/* How much was shown: the second leaf of the session. */
static void fill_end(const struct session *session, struct audit_leaf *leaf)
{
    *leaf = session->leaf;
    leaf->kind = RECORD_READING_ENDED;
    leaf->first_index = session->leaf.index;
    leaf->count = session->shown < UINT32_MAX ? (uint32_t)session->shown : UINT32_MAX;
    log_info("audit.reading_ended", "identity=%s leaf=%llu records=%llu", session->reader.uri,
             (unsigned long long)session->leaf.index, (unsigned long long)session->shown);
}

/* Nobody waits for it: the reader has gone. */
static void log_end(struct session *session)
{
    struct audit_leaf leaf;

    fill_end(session, &leaf);
    session->is_logged = false;
    audit_leaf_send(&leaf);
}

/* The reader learns of the end when the count stands in the log. */
static void end_well(struct session *session)
{
    struct audit_leaf leaf;

    fill_end(session, &leaf);
    session->is_logged = false;
    session->leaf = leaf;
    session->step = STEP_END;
    stream_hold(session->user.stream);
    if (audit_leaf_submit(&session->leaf) != RC_OK) {
        stream_release(session->user.stream);
        session->step = STEP_NONE;
        session->is_logged = true; /* on_closed tries again */
        stream_finish(session->user.stream, NULL);
    }
}

static void send_page(struct session *session)
{
    struct fault fault = {0};
    enum rc rc = session->rc;

    if (session->is_closed_audit) {
        refuse(&fault, RC_FAILED_PRECONDITION, "audit.closed", "purpose_commitment",
               "Esa auditoría ya se cerró y su propósito es público: abra otra.");
    }
    if (rc == RC_OK) {
        rc = reading_rate_records(session->node->reading_rate, session->reader.uri, &session->grant,
                                  session->page.entries, clock_now_ms(), &fault);
    }
    if (rc == RC_OK) {
        rc = stream_send(session->user.stream, buffer_bytes(&session->page.bytes));
    }
    if (rc != RC_OK) {
        end_badly(session, &fault, rc);
        return;
    }
    session->is_first_page = false;
    session->shown += session->page.entries;
    stream_read(session->user.stream);
}

static enum rc take_count(struct session *session, uint64_t from, uint32_t count,
                          struct fault *fault)
{
    if (count == 0 || count > AUDIT_PAGE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.count", "count",
                      "Pida de 1 a %d registros por página.", AUDIT_PAGE_MAX);
    }
    session->from = from;
    session->count = count;
    return RC_OK;
}

static enum rc take_commitment(struct session *session, struct bytes commitment,
                               struct fault *fault)
{
    if (commitment.size != DIGEST_SIZE) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.purpose", "purpose_commitment",
                      "Comprométase a un propósito: «enlace audit open».");
    }
    memcpy(session->leaf.commitment, commitment.data, DIGEST_SIZE);
    return RC_OK;
}

static enum rc take_whole(struct session *session, struct bytes message, struct arena *arena,
                          struct fault *fault)
{
    struct audit_page_request request;

    TRY(codec_audit_request_read(message, arena, &request, fault));
    TRY(take_count(session, request.from_index, request.count, fault));
    return session->is_logged ? RC_OK : take_commitment(session, request.purpose_commitment, fault);
}

static void make_question(struct session *session)
{
    const struct audit_query *query = &session->asked.query;

    session->question = (struct finder_question){
        .from_s = (uint64_t)query->from_s,
        .to_s = (uint64_t)query->to_s,
        .member = query->member,
        .kind = query->kind,
        .type = query->type,
        .event = query->event,
        .route = query->route,
        .exchange_id = query->exchange_id,
        .person = query->person,
        .only_of = query->holder,
        .is_only_own = session->grant.scope == AUDIT_NODES_OWN,
    };
    if (session->grant.scope == AUDIT_OWN_MEMBER) {
        session->question.only_of = session->reader.member;
    }
}

static enum rc take_query(struct session *session, struct audit_query_request *request,
                          struct fault *fault)
{
    request->query = arena_copy(session->arena, request->query);
    if (request->query.data == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "audit.question", "query",
                      "La primera petición lleva la pregunta.");
    }
    TRY(audit_take_question(session->node, &session->reader, request, session->arena,
                            &session->asked, fault));
    session->grant = session->asked.grant;
    TRY(take_commitment(session, session->asked.query.purpose_commitment, fault));
    if (!id_is_zero(&session->asked.query.person)) {
        session->method = AUDIT_PERSON;
        TRY(reading_rate_person(session->node->reading_rate, session->reader.uri, &session->grant,
                                clock_now_ms(), fault));
    }
    session->leaf.has_query = true;
    memcpy(session->leaf.query, session->asked.digest, DIGEST_SIZE);
    memcpy(session->leaf.approver, session->asked.second, sizeof session->leaf.approver);
    make_question(session);
    return RC_OK;
}

static enum rc take_question(struct session *session, struct bytes message, struct arena *arena,
                             struct fault *fault)
{
    struct audit_query_request request;

    TRY(codec_query_request_read(message, arena, &request, fault));
    TRY(take_count(session, request.from_index, request.count, fault));
    session->seen_size = request.seen_size;
    if (!session->is_logged) {
        return take_query(session, &request, fault);
    }
    return request.query.size == 0
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "audit.question", "query",
                        "Una pregunta por sesión: las demás páginas no la repiten.");
}

static enum rc take_request(struct session *session, struct bytes message, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(REQUEST_ARENA_MAX);
    struct audit_grant grant;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(who_is(session->node, stream_peer(session->user.stream), &session->reader, fault));
    TRY(audit_admit(session->node, &session->reader, session->method, &grant, fault));
    if (session->method == AUDIT_WHOLE_LOG) {
        session->grant = grant;
        return take_whole(session, message, arena, fault);
    }
    return take_question(session, message, arena, fault);
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct session *session = session_of(user);
    struct fault fault = {0};
    enum rc rc = take_request(session, message, &fault);

    if (rc == RC_OK && !session->is_logged) {
        rc = log_begin(session); /* the page follows when the reading stands in the log */
    } else if (rc == RC_OK) {
        ask_page(session);
    }
    if (rc != RC_OK) {
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        end_badly(session, &fault, rc);
    }
}

static void on_begun(struct session *session)
{
    struct fault fault = {0};

    if (session->leaf.write.rc != RC_OK) {
        if (!stream_is_over(session->user.stream)) {
            end_badly(session, &fault, session->leaf.write.rc);
        }
        return;
    }
    session->is_logged = true;
    session->is_first_page = true;
    log_info("audit.reading", "identity=%s leaf=%llu", session->reader.uri,
             (unsigned long long)session->leaf.index);
    if (stream_is_over(session->user.stream)) {
        log_end(session);
    } else {
        ask_page(session);
    }
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct session *session = session_of(user);
    enum step step = session->step;

    (void)items; /* there is one */
    session->step = STEP_NONE;
    if (step == STEP_LEAF) {
        on_begun(session);
    } else if (stream_is_over(user->stream)) {
        return;
    } else if (step == STEP_END) {
        struct fault fault = {0};
        enum rc rc = session->leaf.write.rc;

        if (rc == RC_OK) {
            stream_finish(user->stream, NULL);
        } else {
            end_badly(session, &fault, rc);
        }
        return;
    } else {
        send_page(session);
    }
    if (session->is_ending && session->is_logged && session->step == STEP_NONE) {
        end_well(session);
    }
}

static void on_end(struct stream_user *user)
{
    struct session *session = session_of(user);

    session->is_ending = true;
    if (session->step != STEP_NONE) {
        return; /* after this step */
    }
    if (session->is_logged) {
        end_well(session);
    } else {
        stream_finish(user->stream, NULL);
    }
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)fault;
    if (session_of(user)->is_logged) {
        log_end(session_of(user));
    }
}

static void session_free(struct session *session)
{
    if (session != NULL) {
        auditlog_reader_free(session->log);
        arena_free(session->arena);
        buffer_release(&session->page.bytes);
        budget_leave(&session->hold);
        free(session);
    }
}

static void on_free(struct stream_user *user)
{
    session_free(session_of(user));
}

static const struct stream_events session_events = {
    .on_message = on_message,
    .on_end = on_end,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

static enum rc open_session(struct node *node, struct stream *stream, enum audit_method method,
                            struct session *session, struct fault *fault)
{
    struct audit_grant grant;

    TRY(who_is(node, stream_peer(stream), &session->reader, fault));
    TRY(audit_admit(node, &session->reader, method, &grant, fault));
    session->user.events = &session_events;
    session->node = node;
    session->method = method;
    session->log = auditlog_reader_new();
    session->arena = arena_new(QUESTION_ARENA_MAX);
    if (session->log == NULL || session->arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return budget_enter(node->budget, session->reader.uri, BUDGET_AUDIT, &session->hold, fault);
}

static void on_stream(struct rpc_service *service, struct stream *stream, enum audit_method method)
{
    struct session *session = calloc(1, sizeof *session);
    struct fault fault = {0};
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (session != NULL) {
        rc = open_session((struct node *)service, stream, method, session, &fault);
    }
    if (rc != RC_OK) {
        session_free(session);
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_refuse(stream, &fault);
        return;
    }
    stream_accept(stream, &session->user);
    stream_read(stream);
}

void audit_on_whole_stream(struct rpc_service *service, struct stream *stream)
{
    on_stream(service, stream, AUDIT_WHOLE_LOG);
}

void audit_on_query_stream(struct rpc_service *service, struct stream *stream)
{
    on_stream(service, stream, AUDIT_QUERY);
}
