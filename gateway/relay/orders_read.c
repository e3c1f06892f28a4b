/* ReadBlocked: the authority reads what nobody else can; the reading is a leaf before the answer.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/validate_parts.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/orders.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_order.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/content.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/orderbook.h"
#include "store/writer.h"

struct reading_job {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct identity auditor;
    uint8_t directory[HASH_SIZE];
    struct blocked_request asked;
    uint64_t index;
    struct buffer response;
    struct fault fault;
};

static enum rc refuse_unknown(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "message.not_blocked", "message_id",
                  "Esa institución no tiene bloqueado aquí un mensaje con ese identificador.");
}

/* The keys as they were, when only a part of a message is blocked. */
static enum rc find_kept(struct txn *txn, uint64_t index, struct bytes *keys)
{
    struct id after = {{0}};
    struct order_row row;

    for (;;) {
        uint64_t found;
        enum rc rc;

        TRY(orderbook_next(txn, false, &after, &row));
        after = row.id;
        rc = orderbook_kept(txn, &row.id, index, &found, keys);
        if (rc == RC_OK && found == index) {
            return RC_OK;
        }
        if (rc != RC_OK && rc != RC_NOT_FOUND) {
            return rc;
        }
    }
}

static enum rc open_blocked(struct reading_job *job, struct txn *txn, uint64_t index,
                            struct bytes keys, struct bytes body)
{
    struct arena *arena = call_arena(job->call);
    struct message *message = arena_alloc(arena, sizeof *message);
    struct vault *view = NULL;
    const struct shard *shard;
    struct bytes leaf_bytes;
    struct bytes name;
    struct leaf leaf;
    enum rc rc;

    if (message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(auditlog_leaf(txn, index, &leaf_bytes));
    TRY(leaf_decode(leaf_bytes, &leaf));
    TRY(content_shard_name(keys, &name));
    shard = vault_known(job->node->vault, name);
    if (shard == NULL || !shard_is_of(shard, job->asked.member)) {
        return RC_NOT_FOUND;
    }
    TRY(vault_with_blocked(job->node->vault, name, &view, &shard));
    rc = content_open(view, keys, body, leaf.nonce, arena, message, NULL);
    vault_free(view);
    TRY(rc);
    codec_blocked_write(message, &job->response);
    job->index = index;
    return job->response.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc find_one(struct reading_job *job, struct txn *txn, enum journal_role role)
{
    struct journal_entry entry;
    struct bytes keys;
    struct bytes body;
    enum rc rc;

    TRY(journal_by_id(txn, role, &job->asked.message_id, &entry));
    TRY(body_get(txn, entry.index, &keys, &body));
    rc = open_blocked(job, txn, entry.index, keys, body);
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(find_kept(txn, entry.index, &keys));
    return open_blocked(job, txn, entry.index, keys, body);
}

static enum rc prepare(struct reading_job *job)
{
    OWN_READ(txn) = NULL;
    enum rc rc;

    inforce_digest(job->node->inforce, job->directory);
    TRY(who_is(job->node, call_peer(job->call), &job->auditor, &job->fault));
    if (job->auditor.kind != IDENTITY_AUDITOR) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                      "Esta identidad no puede usar este servicio.");
    }
    TRY(codec_blocked_request_read(call_request(job->call), call_arena(job->call), &job->asked,
                                   &job->fault));
    if (!is_slug(job->asked.purpose)) {
        return refuse(&job->fault, RC_INVALID_ARGUMENT, "audit.purpose", "purpose",
                      "Declare para qué se lee, en una palabra de minúsculas, dígitos y guiones.");
    }
    TRY(txn_read(job->node->db, &txn));
    rc = find_one(job, txn, JOURNAL_SENT);
    rc = rc == RC_NOT_FOUND ? find_one(job, txn, JOURNAL_RECEIVED) : rc;
    return rc == RC_NOT_FOUND ? refuse_unknown(&job->fault) : rc;
}

static enum rc apply_job(struct write *write, struct txn *txn)
{
    const struct reading_job *job = (const struct reading_job *)write;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_READING);
    record.hosted_by = job->node->self->code;
    record.actor = job->auditor.uri;
    record.from = job->asked.member;
    record.to = job->auditor.member;
    record.purpose = job->asked.purpose;
    record.reason = "blocked-content";
    record.first_index = job->index;
    record.count = 1;
    record.directory_sha256 = BYTES_OF(job->directory);
    return entry_put_record(job->node, txn, &record, &index);
}

static void forget_job(struct write *write)
{
    (void)write;
}

static void finish(struct reading_job *job)
{
    if (job->fault.rc == RC_OK && job->write.rc != RC_OK) {
        (void)refuse(&job->fault, RC_UNAVAILABLE, "node.unavailable", "",
                     "El nodo no pudo leer o guardar; reintente.");
    }
    if (job->fault.rc == RC_OK) {
        log_info("audit.blocked", "identity=%s purpose=%s leaf=%llu", job->auditor.uri,
                 job->asked.purpose, (unsigned long long)job->index);
        call_reply(job->call, buffer_bytes(&job->response));
    } else {
        call_refuse(job->call, &job->fault);
    }
}

static void answer_call(struct call *call)
{
    struct reading_job *job = (struct reading_job *)call_state(call);
    struct buffer response = job->response;

    commit_point_release(job->write.point);
    finish(job);
    buffer_release(&response);
}

static void job_done(struct write *write)
{
    call_resume(((struct reading_job *)write)->call, answer_call);
}

static const struct write_ops job_ops = {
    .name = "reading", .apply = apply_job, .again = forget_job, .done = job_done};

void orders_on_read_blocked(struct rpc_service *service, struct call *call)
{
    struct reading_job *job = arena_alloc(call_arena(call), sizeof *job);
    struct fault fault = {0};
    enum rc rc;

    if (job == NULL) {
        (void)refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "Reintente.");
        call_refuse(call, &fault);
        return;
    }
    job->node = (struct node *)service;
    job->call = call;
    job->write.ops = &job_ops;
    job->write.leaves = 1;
    job->write.bytes = 1024;
    call_set_state(call, (struct call_state *)job);
    rc = prepare(job);
    if (rc == RC_OK) {
        rc = writer_submit(job->node->writer, &job->write);
    }
    if (rc != RC_OK) {
        struct buffer response = job->response;

        job->write.rc = rc;
        finish(job);
        buffer_release(&response);
    }
}
