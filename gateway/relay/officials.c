#include "relay/officials.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/official_rules.h"
#include "relay/glass.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/pending.h"
#include "relay/refusals.h"
#include "relay/who.h"
#include "relay/wills.h"
#include "rpc/call.h"
#include "rpc/codec_official.h"
#include "rpc/codec_service.h"
#include "store/writer.h"
#include "tlog/commit.h"

struct act_job {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct edition *edition;
    struct identity official;
    struct official_signed act;
    uint8_t digest[HASH_SIZE];
    struct decision decision;  /* of an approval or a rejection */
    struct review review;      /* of the end of a review */
    struct will_change change; /* of what is about a person */
    struct fault fault;
};

static enum rc unavailable(struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "node.unavailable", "",
                  "El nodo no pudo leer o guardar; reintente.");
}

static enum rc who_is_official(const struct node *node, struct call *call,
                               struct identity *official, struct fault *fault)
{
    TRY(who_is_member(node, call_peer(call), official, fault));
    return official->kind == IDENTITY_OFFICIAL
               ? RC_OK
               : refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                        "Esta identidad no puede usar este servicio.");
}

/* ---- what waits ---- */

static enum rc list(const struct node *node, struct call *call, struct buffer *response,
                    struct fault *fault)
{
    struct awaiting *rows = arena_alloc(call_arena(call), OFFICIAL_AWAITING_MAX * sizeof *rows);
    struct identity official;
    size_t count;

    if (rows == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(who_is_official(node, call, &official, fault));
    TRY(pending_list(node, official.member, rows, OFFICIAL_AWAITING_MAX, &count));
    TRY(review_list(node, official.member, rows, OFFICIAL_AWAITING_MAX, &count));
    codec_awaiting_write(rows, count, response);
    return RC_OK;
}

static enum rc get(const struct node *node, struct call *call, struct buffer *response,
                   struct fault *fault)
{
    struct message *message = arena_alloc(call_arena(call), sizeof *message);
    struct identity official;
    struct id id;
    enum rc rc;

    if (message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(who_is_official(node, call, &official, fault));
    TRY(codec_id_request_read(call_request(call), &id, fault));
    rc = pending_read(node, official.member, &id, call_arena(call), message);
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, rc, "message.unknown", "message_id",
                      "No hay un mensaje suyo con ese identificador que espere aprobación.");
    }
    TRY(rc);
    codec_awaiting_message_write(message, response);
    return RC_OK;
}

static enum rc read_will(const struct node *node, struct call *call, struct buffer *response,
                         struct fault *fault)
{
    struct identity official;
    struct will will;
    struct id id;
    enum rc rc;

    TRY(who_is_official(node, call, &official, fault));
    TRY(codec_id_request_read(call_request(call), &id, fault));
    rc = wills_read(node, &official, &id, &will);
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, rc, "person.unknown", "subject",
                      "No lleva usted el caso de una persona con ese identificador.");
    }
    TRY(rc);
    codec_will_write(&will, response);
    explicit_bzero(&will, sizeof will);
    return RC_OK;
}

static void answer(struct call *call, enum rc rc, struct buffer *response, struct fault *fault)
{
    if (rc == RC_OK && !response->is_failed) {
        call_reply(call, buffer_bytes(response));
        return;
    }
    if (fault->rc == RC_OK) {
        (void)unavailable(fault);
    }
    call_refuse(call, fault);
}

void officials_on_list(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};

    answer(call, list((struct node *)service, call, &response, &fault), &response, &fault);
}

void officials_on_get(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};

    answer(call, get((struct node *)service, call, &response, &fault), &response, &fault);
}

void officials_on_will(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};

    answer(call, read_will((struct node *)service, call, &response, &fault), &response, &fault);
}

/* ---- an act ---- */

/* What kind of thing is done, in the order of the steps. */
static enum rc prepare_kind(struct act_job *job)
{
    const struct official_act *act = &job->act.act;

    if (official_act_is_personal(act->kind)) {
        return will_change_prepare(&job->change, job->node, job->edition->directory, &job->official,
                                   act, &job->fault);
    }
    if (act->kind == OFFICIAL_CLOSE_REVIEW) {
        return review_prepare(&job->review, job->node, &job->official, act, &job->fault);
    }
    return decision_prepare(&job->decision, job->node, job->edition->directory, &job->official,
                            &job->act, call_arena(job->call), &job->fault);
}

static enum rc check_kind(struct act_job *job, struct txn *txn)
{
    if (official_act_is_personal(job->act.act.kind)) {
        return will_change_check(&job->change, txn, &job->fault);
    }
    return job->act.act.kind == OFFICIAL_CLOSE_REVIEW
               ? review_check(&job->review, txn, &job->fault)
               : decision_check(&job->decision, job->node, txn, &job->fault);
}

static enum rc put_kind(struct act_job *job, struct txn *txn)
{
    if (official_act_is_personal(job->act.act.kind)) {
        return will_change_put(&job->change, job->node, txn);
    }
    return job->act.act.kind == OFFICIAL_CLOSE_REVIEW
               ? review_put(&job->review, txn)
               : decision_put(&job->decision, job->node, txn);
}

static void announce_kind(struct act_job *job)
{
    if (official_act_is_personal(job->act.act.kind)) {
        will_change_done(&job->change, job->node);
    } else if (job->act.act.kind != OFFICIAL_CLOSE_REVIEW) {
        decision_announce(&job->decision, job->node);
    }
}

static enum rc prepare(struct act_job *job)
{
    struct arena *arena = call_arena(job->call);

    TRY(who_is_official(job->node, job->call, &job->official, &job->fault));
    TRY(codec_official_signed_read(call_request(job->call), arena, &job->act, &job->fault));
    commit_official(job->act.bytes, job->digest);
    TRY(official_rules_check(job->node->ca, &job->official, &job->act, job->digest, clock_now_ms(),
                             &job->fault));
    return prepare_kind(job);
}

static enum rc put_leaf(const struct act_job *job, struct txn *txn)
{
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_OFFICIAL);
    record.hosted_by = job->node->self->code;
    record.from = job->official.member;
    record.to = job->decision.row.to;
    record.message_id = job->act.act.message_id;
    record.exchange_id = job->decision.row.exchange_id;
    record.actor = job->official.uri;
    record.official = job->official.name;
    record.reason = official_act_name(job->act.act.kind);
    record.reason_path = job->act.act.reason;
    record.message_commitment = BYTES_OF(job->digest);
    record.directory_sha256 = BYTES(job->edition->directory->sha256, HASH_SIZE);
    return entry_put_record(job->node, txn, &record, &index);
}

static enum rc apply_job(struct write *write, struct txn *txn)
{
    struct act_job *job = (struct act_job *)write;
    enum rc rc = check_kind(job, txn);

    if (rc != RC_OK) {
        return job->fault.rc != RC_OK ? RC_OK : rc; /* a refusal is no failed write */
    }
    TRY(put_leaf(job, txn));
    return put_kind(job, txn);
}

static void forget_job(struct write *write)
{
    struct act_job *job = (struct act_job *)write;

    job->fault = (struct fault){0};
    decision_again(&job->decision);
}

static void finish(struct act_job *job, enum rc rc)
{
    OWN(buffer) response = {0};
    struct fault fault = job->fault;
    struct call *call = job->call;
    char id[ID_TEXT_SIZE];

    id_format(&job->act.act.message_id, id);
    rc = rc == RC_OK ? fault.rc : rc;
    if (rc == RC_OK) {
        log_info(official_act_name(job->act.act.kind), "msg=%s official=%s reason=%s", id,
                 job->official.uri, job->act.act.reason);
        codec_official_answer_write(job->digest, &response);
    } else {
        log_info("act.refused", "msg=%s rc=%s reason=%s", id, rc_name(rc), fault.reason);
    }
    commit_point_release(job->write.point);
    decision_release(&job->decision, job->node);
    will_change_release(&job->change);
    inforce_leave(job->edition);
    answer(call, rc, &response, &fault);
}

static void answer_call(struct call *call)
{
    struct act_job *job = (struct act_job *)call_state(call);

    finish(job, job->write.rc);
}

static void job_done(struct write *write)
{
    struct act_job *job = (struct act_job *)write;

    if (write->rc == RC_OK && job->fault.rc == RC_OK) {
        announce_kind(job);
    }
    call_resume(job->call, answer_call);
}

static const struct write_ops job_ops = {
    .name = "act", .apply = apply_job, .again = forget_job, .done = job_done};

void officials_on_give(struct rpc_service *service, struct call *call)
{
    struct act_job *job = arena_alloc(call_arena(call), sizeof *job);
    struct fault fault = {0};
    enum rc rc;

    if (job == NULL) {
        (void)unavailable(&fault);
        call_refuse(call, &fault);
        return;
    }
    job->node = (struct node *)service;
    job->call = call;
    job->edition = inforce_take(job->node->inforce);
    job->write.ops = &job_ops;
    job->act.act.reason = "";
    call_set_state(call, (struct call_state *)job);
    rc = prepare(job);
    if (rc == RC_OK && !job->decision.is_known && !job->review.is_known) {
        job->write.leaves = 2;
        job->write.bytes = job->decision.arrival.entry.body_row.size + 8192;
        rc = writer_submit(job->node->writer, &job->write);
        if (rc == RC_OK) {
            return;
        }
    }
    finish(job, rc);
}
