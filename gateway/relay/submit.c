#include "relay/submit.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "policy/validate.h"
#include "relay/alarm.h"
#include "relay/arrival.h"
#include "relay/backlog.h"
#include "relay/clock_doubt.h"
#include "relay/custody.h"
#include "relay/desk.h"
#include "relay/forward.h"
#include "relay/gather.h"
#include "relay/glass.h"
#include "relay/kin.h"
#include "relay/life.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/pending.h"
#include "relay/purge.h"
#include "relay/recent.h"
#include "relay/refusals.h"
#include "relay/replay.h"
#include "relay/reply.h"
#include "relay/room.h"
#include "relay/terms.h"
#include "relay/urgency.h"
#include "relay/who.h"
#include "relay/wills.h"
#include "rpc/call.h"
#include "rpc/codec.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "tlog/leaf.h"

static enum rc apply_job(struct write *write, struct txn *txn);
static void forget_job(struct write *write);
static void settle_job(struct write *write);

static const struct write_ops job_ops = {
    .name = "submit", .apply = apply_job, .again = forget_job, .done = settle_job};

struct submit_job *submit_new(struct node *node, struct arena *arena, const struct identity *sender)
{
    struct submit_job *job = arena_alloc(arena, sizeof *job);
    struct identity *own = arena_alloc(arena, sizeof *own);
    struct submission *submission = arena_alloc(arena, sizeof *submission);

    if (job == NULL || own == NULL || submission == NULL) {
        return NULL;
    }
    *own = *sender;
    job->write.ops = &job_ops;
    job->node = node;
    job->arena = arena;
    job->sender = own;
    job->submission = submission;
    job->edition = inforce_take(node->inforce);
    return job;
}

/* ---- before the writer ---- */

/* What its peers hold for this node is still coming back. */
static enum rc refuse_recovering(struct submit_job *job)
{
    return refuse(&job->fault, RC_UNAVAILABLE, "node.recovering", "header.exchange_id",
                  "El nodo está recuperando lo que tenía; reintente en unos minutos con el mismo "
                  "identificador.");
}

/* A running exchange's row, as the sender's member sees it; NULL for an opening message. */
static enum rc find_running(struct submit_job *job, struct exchange *exchange,
                            const struct exchange **running)
{
    const struct header *header = &job->submission->message.header;
    OWN_READ(txn) = NULL;
    enum rc rc;

    *running = NULL;
    if (message_opens(&job->submission->message)) {
        return RC_OK;
    }
    TRY(txn_read(job->node->db, &txn));
    rc = exchange_get(txn, &header->exchange_id, header->from, exchange);
    if (rc == RC_NOT_FOUND) {
        return replay_is_under_way(job->node->replay) ? refuse_recovering(job)
                                                      : wills_uniform(&job->fault);
    }
    *running = exchange;
    return rc;
}

static enum rc find_recipient(struct submit_job *job)
{
    const struct node *node = job->node;
    const char *to = job->submission->message.header.to;
    const struct node_entry *host =
        node_of_member(job->edition->directory, to, clock_local_day(clock_now_ms()));

    if (host == NULL) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                      "Ninguna ruta en vigor lleva a ese destino.");
    }
    snprintf(job->recipient_node, sizeof job->recipient_node, "%s", host->code);
    job->is_local = node_is(host, node->self);
    return RC_OK;
}

static enum rc refuse_used(struct submit_job *job)
{
    return refuse(&job->fault, RC_ALREADY_EXISTS, "id.other_content", "header.message_id",
                  "Ese identificador ya se usó con otro contenido; use uno nuevo.");
}

static enum rc prepare_local(struct submit_job *job)
{
    enum rc rc;

    job->arrival = arena_alloc(job->arena, sizeof *job->arrival);
    if (job->arrival == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    job->arrival->message = &job->submission->message;
    job->arrival->directory = job->edition->directory;
    job->arrival->as_of_ms = clock_doubt_now_ms(job->node);
    memcpy(job->arrival->entry.commitment, job->sent.commitment, HASH_SIZE);
    rc = arrival_prepare_hosted(job->arrival, job->node, job->sender->uri, job->sent.route,
                                job->submission->local_subjects,
                                job->submission->local_subject_count);
    if (rc != RC_OK) {
        job->fault = job->arrival->fault;
        return rc;
    }
    return job->arrival->is_known ? refuse_used(job) : RC_OK;
}

/* The answers of the executor speak of people by our pseudonyms: their will is kept here. */
static enum rc ask_will(struct submit_job *job, const struct exchange *running)
{
    const char *from = job->submission->message.header.from;
    struct will *pending;
    bool is_pending = false;
    enum rc rc;

    if (running != NULL && strcmp(running->from, from) != 0) {
        return RC_OK;
    }
    pending = arena_alloc(job->arena, sizeof *pending);
    if (pending == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = wills_ask(job->node, job->edition->directory, &job->submission->message,
                   job->submission->local_subjects, job->submission->local_subject_count, pending,
                   &is_pending, &job->told, &job->fault);
    job->pending = is_pending ? pending : NULL;
    return rc;
}

static enum rc prepare(struct submit_job *job)
{
    struct submission *submission = job->submission;
    struct message *message = &submission->message;
    const struct exchange *running;
    struct exchange exchange;
    enum rc rc;

    if (message->header.urgency != URGENCY_URGENT) {
        TRY(clock_doubt_admit(job->node, &job->fault));
        TRY(room_admit(job->node->room, &job->fault));
        TRY(gather_admit(job->node->gather, &job->fault));
    }
    if (message->header.type == MESSAGE_NOTICE) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "notice.by_node", "header.content",
                      "Los avisos de plazo los hace el nodo, que cuenta por sí mismo.");
    }
    rc = find_running(job, &exchange, &running);
    if (rc == RC_NOT_FOUND) {
        struct fault unsaid = job->fault;

        (void)!ask_will(job, NULL); /* as much work as where the person said no */
        job->told = (struct fault){0};
        job->fault = unsaid;
    }
    TRY(rc);
    TRY(ask_will(job, running));
    TRY(arrival_admit(job->node, job->edition->directory, message, running, job->sent.commitment,
                      clock_doubt_now_ms(job->node), &job->sent.route, &job->fault));
    TRY(find_recipient(job));
    TRY(pending_judge(job->sent.route, message, &job->awaits, &job->fault));
    job->sent.kind = RECORD_SENT;
    job->sent.message = message;
    job->sent.holder = message->header.from;
    job->sent.actor = job->sender->uri;
    job->sent.directory = job->edition->directory;
    TRY(entry_prepare(&job->sent, job->node, submission->local_subjects,
                      submission->local_subject_count));
    if (message->header.event == EVENT_PURGE) {
        TRY(purge_prepare(job->node, &job->sent, &job->purge));
    }
    return job->is_local && !job->awaits ? prepare_local(job) : RC_OK;
}

/* A failure of our own is never told, or logged, as a refusal. */
static enum rc no_words(struct submit_job *job, enum rc rc)
{
    if (rc != RC_OK && job->fault.rc == RC_OK) {
        return refuse(&job->fault, RC_UNAVAILABLE, "node.unavailable", "",
                      "El nodo no pudo guardar el mensaje; reintente con el mismo identificador.");
    }
    return rc;
}

/* Idempotent for ever: what the log holds with these bytes is not judged by today's law again. */
static enum rc look_back(struct submit_job *job)
{
    const struct message *message = &job->submission->message;
    struct journal_entry seen;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(identity_may_send(job->sender, message, &job->fault));
    if (entry_commitment(message, job->sent.commitment) != RC_OK) {
        TRY(validate_message(message, &job->fault)); /* names what is malformed */
        return RC_INTERNAL;                          /* nothing goes on without its commitment */
    }
    TRY(txn_read(job->node->db, &txn));
    rc = journal_find(txn, JOURNAL_SENT, &message->header.message_id, message->header.from, &seen);
    if (rc == RC_OK && memcmp(seen.message, job->sent.commitment, HASH_SIZE) == 0) {
        job->is_duplicate = true;
        job->is_erased = (seen.flags & JOURNAL_ERASED) != 0;
        job->index = seen.index;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc submit_begin_decoded(struct submit_job *job, struct submission *submission)
{
    enum rc rc;

    job->submission = submission;
    rc = look_back(job);
    if (rc == RC_OK && job->is_duplicate) {
        job->on_settled(job);
        return RC_OK;
    }
    rc = no_words(job, rc == RC_OK ? prepare(job) : rc);
    if (rc != RC_OK && (!refusal_is_policy(rc) ||
                        !refusals_admit(job->node->refusals, job->sender->uri, clock_now_ms()))) {
        reply_log_refusal(job);
        return rc;
    }
    job->write.leaves = 1;
    job->write.bytes = job->sent.body_row.size + 2048;
    if (job->arrival != NULL) {
        job->write.leaves = 2;
        job->write.bytes += job->arrival->entry.body_row.size + 2048;
    }
    job->write.leaves += glass_is_broken(&submission->message);
    job->is_refused = rc != RC_OK;
    if (!job->is_refused && !job->is_local && !job->awaits) {
        job->recent = links_keep(job->node->links, job->recipient_node, &submission->message,
                                 job->sent.commitment);
    }
    job->write.is_urgent = submission->message.header.urgency == URGENCY_URGENT;
    rc = writer_submit(job->node->writer, &job->write);
    if (rc != RC_OK) {
        job->fault.rc = RC_OK;
        refuse(&job->fault, rc, rc == RC_RESOURCE_EXHAUSTED ? "node.busy" : "node.stopping", "",
               "El nodo está ocupado; reintente en un segundo con el mismo identificador.");
    }
    return rc;
}

enum rc submit_begin(struct submit_job *job, struct bytes request)
{
    enum rc rc = codec_submit_read(request, job->arena, job->submission, &job->fault);

    if (rc != RC_OK) {
        rc = no_words(job, rc);
        reply_log_refusal(job);
        return rc;
    }
    return submit_begin_decoded(job, job->submission);
}

/* ---- on the writer ---- */

/* The exchange with this message, as its sender and as a recipient hosted here see it. */
struct views {
    struct exchange sent;
    struct exchange received;
};

/* The recipient's own queue is checked where it arrives. */
static enum rc check_room(struct submit_job *job)
{
    char destination[FORWARD_DESTINATION_SIZE];

    if (job->is_local || job->awaits) {
        return RC_OK;
    }
    forward_destination(job->recipient_node, destination);
    return backlog_check(job->node->backlog, destination, job->submission->message.header.urgency,
                         &job->fault);
}

/* Idempotent for ever: the same id with the same bytes is the first one again. */
static enum rc check_id(struct submit_job *job, struct txn *txn)
{
    const struct message *message = &job->submission->message;
    struct journal_entry seen;
    enum rc rc =
        journal_find(txn, JOURNAL_SENT, &message->header.message_id, message->header.from, &seen);

    if (rc == RC_NOT_FOUND) {
        TRY(validate_age(message, clock_doubt_now_ms(job->node), &job->fault));
        TRY(urgency_check(job->node, txn, message, &job->fault));
        return check_room(job);
    }
    TRY(rc);
    if (memcmp(seen.message, job->sent.commitment, HASH_SIZE) != 0) {
        return refuse_used(job);
    }
    job->is_duplicate = true;
    job->is_erased = (seen.flags & JOURNAL_ERASED) != 0;
    job->index = seen.index;
    return RC_OK;
}

static enum rc check_exchange(struct submit_job *job, struct txn *txn, struct exchange *exchange)
{
    const struct message *message = &job->submission->message;
    int64_t now_ms = auditlog_time_ms(txn);
    struct moment moment;

    terms_moment(&message->header, job->edition->directory, job->sent.route, now_ms, &moment);
    if (message_opens(message)) {
        TRY(arrival_check_new(txn, &message->header, message->header.from, exchange, &job->fault));
        life_open(message, job->sent.route, job->is_local ? STATE_RECEIVED : STATE_SENT, &moment,
                  exchange);
        if (job->awaits) {
            life_await(exchange);
        } else if (job->is_local) {
            (void)life_received(exchange, now_ms);
        }
        TRY(kin_check(txn, &message->header, exchange, &moment, &job->fault));
        return RC_OK;
    }
    TRY(exchange_get(txn, &message->header.exchange_id, message->header.from, exchange));
    return life_step(message, &moment, exchange, &job->fault);
}

/* Custody (R2) answers a delivery of this exchange, and settles it. */
static enum rc check_custody(struct submit_job *job, struct txn *txn)
{
    const struct header *header = &job->submission->message.header;
    struct journal_entry received;
    enum rc rc;

    if (!custody_is(header)) {
        return RC_OK;
    }
    rc = journal_find(txn, JOURNAL_RECEIVED, &header->regards, header->to, &received);
    if (rc == RC_NOT_FOUND && replay_is_under_way(job->node->replay)) {
        return refuse_recovering(job);
    }
    if (rc == RC_NOT_FOUND ||
        (rc == RC_OK && !id_equal(&received.exchange_id, &header->exchange_id))) {
        return refuse(&job->fault, RC_FAILED_PRECONDITION, "act.regards", "header.act.regards",
                      "Ese mensaje no es de este intercambio; tome custodia del que recibió.");
    }
    job->is_custody = rc == RC_OK;
    job->settled_index = received.index;
    return rc;
}

static enum rc settle_custody(struct submit_job *job, struct txn *txn)
{
    const struct header *header = &job->submission->message.header;
    enum rc rc;

    if (!job->is_custody) {
        return RC_OK;
    }
    rc = custody_settle(txn, header, job->settled_index, job->settled_destination);
    job->is_custody_settled = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc put_sent(struct submit_job *job, struct txn *txn, struct views *views)
{
    const struct header *header = &job->submission->message.header;
    char destination[FORWARD_DESTINATION_SIZE];

    TRY(entry_put(&job->sent, job->node, txn));
    TRY(urgency_count(job->node, txn, &job->submission->message));
    job->index = job->sent.index;
    if (message_opens(&job->submission->message)) {
        views->sent.opening_index = job->index;
    }
    TRY(alarm_keep(txn, header->from, &views->sent));
    if (life_is_purged(&views->sent)) {
        TRY(purge_put(job->purge, txn, job->index));
    }
    TRY(glass_put(job->node, txn, &job->sent));
    if (job->pending != NULL) {
        TRY(wills_note(txn, &job->submission->message, job->sent.tags[0].key, job->pending));
    }
    TRY(settle_custody(job, txn));
    if (job->awaits) {
        return pending_put(&job->sent, txn);
    }
    if (job->is_local) {
        return arrival_put(job->arrival, job->node, txn, &views->received);
    }
    forward_destination(job->recipient_node, destination);
    return outbox_add(txn, destination, header->urgency,
                      &(struct outbox_entry){.index = job->index});
}

static enum rc put_refusal(struct submit_job *job, struct txn *txn)
{
    const struct header *header = &job->submission->message.header;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_REFUSED);
    record.message_id = header->message_id;
    record.from = job->sender->member;
    record.to = member_code_is_valid(header->to) ? header->to : "";
    record.hosted_by = job->node->self->code;
    record.actor = job->sender->uri;
    record.type = header->type;
    record.urgency = header->urgency;
    record.fields_withheld = job->submission->message.fields;
    record.directory_sha256 = BYTES(job->edition->directory->sha256, HASH_SIZE);
    record.reason = job->fault.reason;
    record.reason_path = job->fault.path;
    TRY(entry_put_record(job->node, txn, &record, &index));
    job->is_refusal_logged = true;
    return RC_OK;
}

static enum rc check_all(struct submit_job *job, struct txn *txn, struct views *views)
{
    TRY(check_id(job, txn));
    if (job->is_duplicate) {
        return RC_OK;
    }
    TRY(check_exchange(job, txn, &views->sent));
    TRY(check_custody(job, txn));
    if (!job->is_local || job->awaits) {
        return RC_OK;
    }
    job->arrival->as_of_ms = auditlog_time_ms(txn);
    TRY(arrival_check(job->arrival, job->node, txn, &views->received));
    return job->arrival->is_duplicate ? refuse_used(job) : RC_OK;
}

/*
 * Checks everything, then puts. A refusal found here leaves no trace but its own leaf, so the
 * write itself succeeds and the job carries the fault.
 */
static enum rc apply_job(struct write *write, struct txn *txn)
{
    struct submit_job *job = (struct submit_job *)write;
    struct views views;
    enum rc rc;

    if (job->fault.rc == RC_OK) {
        rc = check_all(job, txn, &views);
        if (rc == RC_OK) {
            return job->is_duplicate ? RC_OK : put_sent(job, txn, &views);
        }
        if (job->is_local && job->fault.rc == RC_OK) {
            job->fault = job->arrival->fault;
        }
        if (job->fault.rc == RC_OK) {
            return rc; /* the store failed: nobody is told a reason of policy */
        }
        if (strcmp(job->fault.reason, "urgent.budget") == 0) {
            return urgency_refused(job->node, txn, &job->submission->message);
        }
        if (!refusal_is_policy(job->fault.rc) ||
            !refusals_admit(job->node->refusals, job->sender->uri, clock_now_ms())) {
            return RC_OK;
        }
    }
    return put_refusal(job, txn);
}

static void forget_job(struct write *write)
{
    struct submit_job *job = (struct submit_job *)write;

    job->is_refusal_logged = false;
    if (job->is_refused) {
        return; /* it puts a refusal, and looks at nothing */
    }
    job->fault = (struct fault){0};
    job->is_duplicate = job->is_erased = job->is_custody = job->is_custody_settled = false;
    purge_again(job->purge);
    entry_again(&job->sent);
    if (job->arrival != NULL) {
        arrival_again(job->arrival);
    }
}

/* What stands on disk now is counted and told to whoever waits for it. */
static void announce(struct submit_job *job)
{
    const struct node *node = job->node;
    char destination[FORWARD_DESTINATION_SIZE];

    entry_remember(&job->sent, node);
    purge_committed(job->purge, node);
    if (job->is_custody_settled) {
        backlog_count(node->backlog, job->settled_destination, -1);
        desk_settled(node->desk, job->settled_index);
    }
    if (job->awaits) {
        return;
    }
    if (job->is_local) {
        entry_remember(&job->arrival->entry, node);
        arrival_announce(job->arrival, node);
    } else {
        forward_destination(job->recipient_node, destination);
        backlog_count(node->backlog, destination, 1);
        links_owe(node->links, job->recipient_node, job->submission->message.header.urgency,
                  MOVE(job->recent), &job->sent.leaf);
    }
}

static void settle_job(struct write *write)
{
    struct submit_job *job = (struct submit_job *)write;

    if (write->rc != RC_OK) {
        job->fault.rc = RC_OK;
        (void)no_words(job, write->rc);
    }
    if (job->fault.rc == RC_OK && !job->is_duplicate) {
        announce(job);
    }
    job->on_settled(job);
}

/* ---- after the commit ---- */

static enum rc stored_receipt(const struct submit_job *job, struct buffer *scratch,
                              struct receipt_span *span)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    if (reader == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(job->node->db, &txn));
    return receipts_stored(job->node, reader, txn, RECEIPT_HELD, job->index, scratch, span);
}

void submit_result(struct submit_job *job, struct buffer *scratch, struct submit_result *result,
                   struct receipt_span *span)
{
    uint8_t leaf[LEAF_SIZE];
    enum rc rc;

    *result = (struct submit_result){.message_id = job->submission->message.header.message_id};
    if (job->fault.rc != RC_OK) {
        reply_log_refusal(job);
        result->fault = job->told.rc != RC_OK ? job->told : job->fault;
        return;
    }
    result->is_erased = job->is_erased;
    if (job->is_duplicate) {
        rc = stored_receipt(job, scratch, span);
    } else {
        leaf_encode(&job->sent.leaf, leaf);
        rc = receipts_fresh(job->write.point, RECEIPT_HELD, job->index, leaf, scratch, span);
    }
    if (rc != RC_OK) {
        (void)no_words(job, rc);
        result->fault = job->fault;
        return;
    }
    reply_log_accepted(job);
}

void submit_result_bind(const struct buffer *scratch, const struct receipt_span *span,
                        struct submit_result *result)
{
    if (result->fault.rc == RC_OK) {
        result->receipt = receipt_of(span, scratch);
    }
}

void submit_release(struct submit_job *job)
{
    recent_free(job->recent);
    purge_free(job->purge, job->node);
    entry_release(&job->sent);
    if (job->arrival != NULL) {
        arrival_release(job->arrival, job->node);
    }
    commit_point_release(job->write.point);
    budget_leave(&job->hold);
    inforce_leave(job->edition);
    job->edition = NULL;
}

/* ---- the unary method ---- */

/* What a response takes beside its receipt. */
#define RESPONSE_ROOM 64

static void answer_call(struct call *call)
{
    struct submit_job *job = (struct submit_job *)call_state(call);
    OWN(buffer) scratch = {0};
    OWN(buffer) response = {0};
    struct submit_result result;
    struct receipt_span span;

    buffer_reserve(&scratch, SUBMIT_RECEIPT_ROOM);
    submit_result(job, &scratch, &result, &span);
    submit_result_bind(&scratch, &span, &result);
    if (result.fault.rc == RC_OK) {
        buffer_reserve(&response, scratch.size + RESPONSE_ROOM);
        codec_submit_response_write(&result.receipt, result.is_erased, &response);
    }
    submit_release(job);
    if (result.fault.rc == RC_OK && !response.is_failed) {
        call_reply_buffer(call, &response);
    } else {
        call_refuse(call, &result.fault);
    }
}

static void resume_call(struct submit_job *job)
{
    call_resume(job->call, answer_call);
}

void submit_on_call(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    struct identity sender;
    struct fault fault = {0};
    struct submit_job *job;

    if (who_is_member(node, call_peer(call), &sender, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    job = submit_new(node, call_arena(call), &sender);
    if (job == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "message.too_large", "", "El mensaje es muy grande.");
        call_refuse(call, &fault);
        return;
    }
    if (budget_enter(node->budget, sender.uri, BUDGET_CALL, &job->hold, &fault) != RC_OK ||
        budget_admit(&job->hold, budget_weight(call_request(call).size), &fault) != RC_OK) {
        submit_release(job);
        call_refuse(call, &fault);
        return;
    }
    job->call = call;
    job->on_settled = resume_call;
    call_set_state(call, (struct call_state *)job);
    if (submit_begin(job, call_request(call)) != RC_OK) {
        fault = job->fault;
        submit_release(job);
        call_refuse(call, &fault);
    }
}
