#include "relay/orders.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "policy/order_rules.h"
#include "relay/entry.h"
#include "relay/eraser.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/prune.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_order.h"
#include "rpc/codec_service.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/orderbook.h"
#include "store/writer.h"
#include "tlog/commit.h"

struct order_job {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct edition *edition; /* what the signers are rows of */
    struct identity caller;
    struct order_signed order;
    struct order_signers signers;
    struct order_row row; /* what is to be stored; then what is */
    struct buffer target;
    struct buffer signatures;
    struct fault fault;
    bool is_known;
};

/* ---- answers ---- */

static struct order_answer answer_of(const struct order_row *row)
{
    return (struct order_answer){
        .status = {.id = row->id,
                   .phase = row->phase,
                   .digest = BYTES_OF(row->digest),
                   .entries = row->entries,
                   .held = row->held,
                   .due_at_ms = row->due_at_ms,
                   .before_index = row->kind == ORDER_PRUNE ? row->until : 0}};
}

static enum rc signatures_of(const struct order_row *row, struct order_answer *answer)
{
    struct reader reader = {.rest = row->signatures};

    while (!reader_is_done(&reader)) {
        struct bytes certificate = reader_chunk(&reader);
        struct bytes signature = reader_chunk(&reader);

        if (reader.is_failed || answer->signature_count == MESSAGE_SIGNATURES_MAX) {
            return failed(RC_DATA_LOSS, "order.row", "cause=signatures");
        }
        answer->signatures[answer->signature_count++] =
            (struct signature){.certificate = certificate, .signature = signature};
    }
    return RC_OK;
}

static enum rc unavailable(struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "node.unavailable", "",
                  "El nodo no pudo leer o guardar; reintente.");
}

static enum rc not_allowed(struct fault *fault)
{
    return refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                  "Esta identidad no puede dar esa orden en este nodo.");
}

/* ---- before the writer ---- */

/* Whoever brings it: a system or official of the member, an auditor. Who ordered it, signed it. */
static enum rc check_caller(const struct order_job *job, struct fault *fault)
{
    const struct order *order = &job->order.order;
    const struct node_entry *host =
        node_of_member(job->edition->directory, order->member, clock_local_day(clock_now_ms()));
    bool is_theirs =
        order_is_officials(order->kind)
            ? job->caller.kind != IDENTITY_AUDITOR && strcmp(job->caller.member, order->member) == 0
            : job->caller.kind == IDENTITY_AUDITOR;

    return node_is(host, job->node->self) && is_theirs ? RC_OK : not_allowed(fault);
}

/* A hold is lifted by the institution that placed it. */
static enum rc check_lifts(struct order_job *job, struct txn *txn)
{
    struct order_row hold;
    enum rc rc = orderbook_get(txn, &job->order.order.lifts, &hold);
    const char *before;
    const char *now = job->signers.signers[0]->uri;
    size_t institution;

    if (rc == RC_NOT_FOUND ||
        (rc == RC_OK && (hold.kind != ORDER_HOLD || strcmp(hold.member, job->row.member) != 0))) {
        return refuse(&job->fault, RC_NOT_FOUND, "order.unknown", "order.lifts",
                      "No hay una retención con ese identificador.");
    }
    TRY(rc);
    before = hold.actor;
    institution = (size_t)(strrchr(before, '/') - before);
    return strncmp(before, now, institution + 1) == 0 ? RC_OK : not_allowed(&job->fault);
}

static void fill_row(struct order_job *job, int64_t blocking_ms)
{
    const struct order *order = &job->order.order;
    struct order_row *row = &job->row;

    row->id = order->id;
    row->kind = order->kind;
    row->phase = order_is_officials(order->kind) ? ORDER_BLOCKING
                 : order->kind == ORDER_HOLD     ? ORDER_HOLDING
                                                 : ORDER_LIFTED;
    snprintf(row->member, sizeof row->member, "%s", order->member);
    snprintf(row->basis, sizeof row->basis, "%s", order->basis);
    snprintf(row->reason, sizeof row->reason, "%s", order->reason);
    snprintf(row->actor, sizeof row->actor, "%s", job->signers.signers[0]->uri);
    if (job->signers.count > 1) {
        snprintf(row->official, sizeof row->official, "%s", job->signers.signers[1]->uri);
    }
    row->given_at_ms = clock_now_ms();
    row->due_at_ms = order->kind == ORDER_ERASE ? row->given_at_ms + blocking_ms : 0;
    for (size_t i = 0; i < job->order.signature_count; i++) {
        buffer_put_chunk(&job->signatures, job->order.signatures[i].certificate);
        buffer_put_chunk(&job->signatures, job->order.signatures[i].signature);
    }
}

/* What an erasure is about, and later what it blocks, is under a shard of its own. */
static enum rc wrap_target(struct order_job *job)
{
    struct node *node = job->node;
    const struct shard *blocked = NULL;
    const struct shard *made = NULL;
    struct vault *view = NULL;
    int32_t month;
    enum rc rc;

    if (job->row.kind != ORDER_ERASE) {
        order_target_write(&job->order.order.target, &job->target);
        return RC_OK;
    }
    TRY(vault_month("R1", clock_now_ms(), &month));
    TRY(vault_escrow(node->vault, job->row.member, month - 100, &made));
    snprintf(job->row.shard, sizeof job->row.shard, "%s", shard_name(made));
    rc = vault_with_blocked(node->vault, bytes_text(job->row.shard), &view, &blocked);
    if (rc == RC_OK) {
        rc = order_target_wrap(view, blocked, &job->row.id, &job->order.order.target, &job->target);
    }
    vault_free(view);
    return rc;
}

static enum rc find_known(struct order_job *job, struct txn *txn)
{
    struct order_row before;
    enum rc rc = orderbook_get(txn, &job->order.order.id, &before);

    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (memcmp(before.digest, job->row.digest, HASH_SIZE) != 0) {
        return refuse(&job->fault, RC_ALREADY_EXISTS, "id.other_content", "order.order_id",
                      "Ese identificador ya se usó en otra orden; use uno nuevo.");
    }
    job->is_known = true;
    job->row = before;
    job->row.target = job->row.signatures = (struct bytes){0};
    return RC_OK;
}

static enum rc look_back(struct order_job *job)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(job->node->db, &txn));
    return find_known(job, txn);
}

static enum rc prepare(struct order_job *job)
{
    struct arena *arena = call_arena(job->call);

    job->edition = inforce_take(job->node->inforce);
    TRY(who_is(job->node, call_peer(job->call), &job->caller, &job->fault));
    TRY(codec_order_signed_read(call_request(job->call), arena, &job->order, &job->fault));
    TRY(check_caller(job, &job->fault));
    commit_order(job->order.bytes, job->row.digest);
    TRY(look_back(job));
    if (job->is_known) {
        return RC_OK;
    }
    TRY(order_rules_check(job->edition->directory, job->node->ca, &job->order, job->row.digest,
                          clock_now_ms(), &job->signers, &job->fault));
    fill_row(job, job->node->blocking_ms);
    if (job->row.kind == ORDER_PRUNE) {
        TRY(prune_judge(job->node, &job->order.order, &job->row.until, &job->fault));
    }
    TRY(wrap_target(job));
    return job->target.is_failed || job->signatures.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- on the writer ---- */

static enum rc put_leaf(struct order_job *job, struct txn *txn, uint64_t *index)
{
    static const enum record_kind kinds[] = {RECORD_NONE, RECORD_ORDER, RECORD_HOLD, RECORD_RELEASE,
                                             RECORD_ORDER};
    const struct order_row *row = &job->row;
    struct record record;

    record_init(&record, kinds[row->kind]);
    record.hosted_by = job->node->self->code;
    record.from = row->member;
    record.to = job->signers.signers[0]->member;
    record.actor = row->actor;
    record.official = row->official;
    record.legal_basis = row->basis;
    record.reason = row->reason;
    record.message_commitment = BYTES_OF(row->digest);
    record.directory_sha256 = BYTES(job->edition->directory->sha256, HASH_SIZE);
    if (row->kind == ORDER_HOLD) { /* codes and ids of the log itself */
        record.message_id = job->order.order.target.message_id;
        record.exchange_id = job->order.order.target.exchange_id;
    }
    if (row->kind == ORDER_PRUNE) {
        record.first_index = row->until;
    }
    return entry_put_record(job->node, txn, &record, index);
}

static enum rc put_lifted(struct order_job *job, struct txn *txn)
{
    struct order_row hold;

    TRY(orderbook_get(txn, &job->order.order.lifts, &hold));
    hold.phase = ORDER_LIFTED;
    return orderbook_put(txn, &hold);
}

static enum rc apply_job(struct write *write, struct txn *txn)
{
    struct order_job *job = (struct order_job *)write;
    uint64_t index;

    TRY(find_known(job, txn));
    if (job->is_known) {
        return RC_OK;
    }
    if (job->row.kind == ORDER_RELEASE) {
        TRY(check_lifts(job, txn));
    }
    TRY(put_leaf(job, txn, &index));
    job->row.until = job->row.kind == ORDER_PRUNE ? job->row.until : index;
    job->row.target = buffer_bytes(&job->target);
    job->row.signatures = buffer_bytes(&job->signatures);
    TRY(orderbook_put(txn, &job->row));
    return job->row.kind == ORDER_RELEASE ? put_lifted(job, txn) : RC_OK;
}

static void forget_job(struct write *write)
{
    ((struct order_job *)write)->is_known = false;
}

/* ---- after the commit ---- */

static void drop_shard(const struct order_job *job)
{
    bool is_stored = job->write.rc == RC_OK && !job->is_known && job->fault.rc == RC_OK;

    if (!is_stored && job->row.kind == ORDER_ERASE && job->row.shard[0] != '\0' && !job->is_known &&
        vault_destroy(job->node->vault, bytes_text(job->row.shard)) != RC_OK) {
        log_warn("order.shard", "shard=%s is empty and stays", job->row.shard);
    }
}

static void finish(struct order_job *job)
{
    OWN(buffer) response = {0};
    struct order_answer answer;
    struct call *call = job->call;

    if (job->fault.rc == RC_OK && job->write.rc != RC_OK) {
        (void)unavailable(&job->fault);
    }
    if (job->fault.rc == RC_OK) {
        answer = answer_of(&job->row);
        codec_order_answer_write(&answer, &response);
    }
    buffer_release(&job->target);
    buffer_release(&job->signatures);
    inforce_leave(job->edition);
    if (job->fault.rc != RC_OK || response.is_failed) {
        call_refuse(call, &job->fault);
    } else {
        call_reply(call, buffer_bytes(&response));
    }
}

static void answer_call(struct call *call)
{
    struct order_job *job = (struct order_job *)call_state(call);

    commit_point_release(job->write.point);
    drop_shard(job);
    if (job->write.rc == RC_OK && job->fault.rc == RC_OK && !job->is_known) {
        char id[ID_TEXT_SIZE];

        id_format(&job->row.id, id);
        log_info("order.given", "order=%s kind=%d member=%s basis=%s reason=%s", id, job->row.kind,
                 job->row.member, job->row.basis, job->row.reason);
    }
    eraser_poke(job->node->eraser);
    finish(job);
}

static void job_done(struct write *write)
{
    call_resume(((struct order_job *)write)->call, answer_call);
}

static const struct write_ops job_ops = {
    .name = "order", .apply = apply_job, .again = forget_job, .done = job_done};

void orders_on_give(struct rpc_service *service, struct call *call)
{
    struct order_job *job = arena_alloc(call_arena(call), sizeof *job);
    struct fault fault = {0};
    enum rc rc;

    if (job == NULL) {
        (void)unavailable(&fault);
        call_refuse(call, &fault);
        return;
    }
    job->node = (struct node *)service;
    job->call = call;
    job->write.ops = &job_ops;
    job->write.leaves = 1;
    job->write.bytes = 16384;
    call_set_state(call, (struct call_state *)job);
    rc = prepare(job);
    if (rc == RC_OK && !job->is_known) {
        rc = writer_submit(job->node->writer, &job->write);
        if (rc == RC_OK) {
            return;
        }
    }
    if (rc != RC_OK && job->fault.rc == RC_OK) {
        (void)unavailable(&job->fault);
    }
    if (rc != RC_OK) {
        log_info("order.refused", "rc=%s reason=%s", rc_name(rc), job->fault.reason);
        job->write.rc = rc;
        drop_shard(job);
    }
    finish(job);
}

/* ---- how far it is ---- */

static enum rc get(struct node *node, struct call *call, struct buffer *response,
                   struct fault *fault)
{
    struct identity caller;
    struct order_answer answer;
    struct order_row row;
    struct id id;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(who_is(node, call_peer(call), &caller, fault));
    TRY(codec_id_request_read(call_request(call), &id, fault));
    TRY(txn_read(node->db, &txn));
    rc = orderbook_get(txn, &id, &row);
    if (rc == RC_NOT_FOUND || (rc == RC_OK && caller.kind != IDENTITY_AUDITOR &&
                               strcmp(caller.member, row.member) != 0)) {
        return refuse(fault, RC_NOT_FOUND, "order.unknown", "order_id",
                      "No hay una orden suya con ese identificador.");
    }
    TRY(rc);
    answer = answer_of(&row);
    TRY(signatures_of(&row, &answer));
    codec_order_answer_write(&answer, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void orders_on_get(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};

    if (get((struct node *)service, call, &response, &fault) == RC_OK) {
        call_reply(call, buffer_bytes(&response));
        return;
    }
    if (fault.rc == RC_OK) {
        (void)unavailable(&fault);
    }
    call_refuse(call, &fault);
}
