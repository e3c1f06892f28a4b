#include "relay/settle.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/alarm.h"
#include "relay/backlog.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/forward.h"
#include "relay/life.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/evidence.h"
#include "store/journal.h"
#include "store/outbox.h"

static enum rc apply_settle(struct write *write, struct txn *txn);
static void forget_settle(struct write *write);
static void settle_done(struct write *write);

static const struct write_ops settle_ops = {
    .name = "settle", .apply = apply_settle, .again = forget_settle, .done = settle_done};

struct settle_job *settle_new(struct node *node, const struct node_entry *peer,
                              enum urgency urgency, size_t arena_max)
{
    struct settle_job *job = calloc(1, sizeof *job);

    if (job == NULL) {
        return NULL;
    }
    job->write.ops = &settle_ops;
    job->node = node;
    job->peer = peer;
    job->urgency = urgency;
    job->arena = arena_new(arena_max);
    if (job->arena == NULL) {
        settle_free(job);
        return NULL;
    }
    return job;
}

void settle_free(struct settle_job *job)
{
    if (job != NULL) {
        settle_sent(job);
        commit_point_release(job->write.point);
        arena_free(job->arena);
        free(job);
    }
}

void settle_sent(struct settle_job *job)
{
    for (size_t i = 0; i < job->parcel.entry_count; i++) {
        recent_free(job->items[i].recent);
        job->items[i].recent = NULL;
    }
    job->parcel.entries = NULL;
}

struct settle_job *settle_of(struct stream_item *item)
{
    return (struct settle_job *)((char *)item - offsetof(struct settle_job, item));
}

const char *settle_word(const char *word)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.[]";

    return word[strspn(word, allowed)] == '\0' ? word : "peer.unreadable";
}

/* What the peer may take another time stays in the outbox. */
static bool is_for_now(enum rc rc)
{
    return rc == RC_RESOURCE_EXHAUSTED || rc == RC_UNAVAILABLE || rc == RC_ABORTED ||
           rc == RC_DEADLINE_EXCEEDED || rc == RC_INTERNAL || rc == RC_UNKNOWN;
}

/* Its proven leaf bears the time of the peer's clock. */
static void hear(const struct settle_job *job, struct bytes bytes)
{
    struct leaf leaf;

    if (leaf_decode(bytes, &leaf) == RC_OK) {
        clock_doubt_hear(job->node, job->peer->origin, leaf.time_s);
    }
}

static enum rc take_item(struct settle_job *job, struct settle_item *item,
                         const struct entry_answer *answer, struct chain *chain)
{
    struct fault fault = {0};

    if (answer->fault.rc != RC_OK) {
        item->refusal = answer->fault;
        job->is_held_back = job->is_held_back || is_for_now(answer->fault.rc);
        return RC_OK;
    }
    if (chain_check_leaf(chain, answer->leaf, &answer->path, item->owed.commitment, &item->proof,
                         &fault) != RC_OK) {
        log_error("peer.receipt", "peer=%s check=%s leaf=%llu", job->peer->code, fault.reason,
                  (unsigned long long)item->index);
        return RC_DATA_LOSS;
    }
    hear(job, answer->leaf);
    item->leaf = arena_copy(job->arena, answer->leaf);
    return item->leaf.data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

enum rc settle_verify(struct settle_job *job, const struct parcel_answer *answer,
                      struct chain *chain)
{
    struct fault fault = {0};

    if (answer->answer_count != job->parcel.entry_count) {
        log_error("peer.answer", "peer=%s check=count", job->peer->code);
        return RC_INVALID_ARGUMENT;
    }
    job->proven = chain->last;
    TRY(chain_extend(chain, &answer->progress, &fault));
    job->step.checkpoint = chain->last;
    job->note = arena_copy(job->arena, answer->progress.checkpoint);
    if (job->note.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < answer->answer_count; i++) {
        TRY(take_item(job, &job->items[i], &answer->answers[i], chain));
    }
    return RC_OK;
}

static struct settle_job *job_of(struct lineage_step *step)
{
    return (struct settle_job *)((char *)step - offsetof(struct settle_job, step));
}

static void on_doubt(struct lineage_step *step)
{
    struct settle_job *job = job_of(step);

    if (job->stream == NULL) {
        job->on_settled(job);
        return;
    }
    stream_resume(job->stream, &job->item);
}

static void on_passed(struct lineage_step *step)
{
    struct settle_job *job = job_of(step);
    enum rc rc = step->rc == RC_OK ? writer_submit(job->node->writer, &job->write) : step->rc;

    if (rc != RC_OK) {
        job->write.rc = rc;
        settle_done(&job->write);
    }
}

/* Only what the peer refused for good becomes a leaf. */
static unsigned leaves_of(const struct settle_job *job)
{
    unsigned leaves = 0;

    for (size_t i = 0; i < job->parcel.entry_count; i++) {
        leaves += job->items[i].refusal.rc != RC_OK;
    }
    return leaves;
}

void settle_begin(struct settle_job *job, struct lineage *lineage)
{
    job->write.leaves = leaves_of(job);
    /* The peer has answered already; nobody waits for this to stand. */
    job->write.is_patient = job->urgency == URGENCY_ORDINARY;
    job->write.bytes = job->parcel.entry_count * 1024;
    job->write.is_urgent = job->urgency == URGENCY_URGENT;
    job->step.on_doubt = on_doubt;
    job->step.on_passed = on_passed;
    lineage_enter(lineage, &job->step, &job->proven, job->note);
}

/* ---- on the writer ---- */

/* R1 is when the peer's log took it. */
static int64_t leaf_time_ms(struct txn *txn, struct bytes bytes)
{
    int64_t now_ms = auditlog_time_ms(txn);
    struct leaf leaf;

    return leaf_decode(bytes, &leaf) == RC_OK && leaf.time_s < (uint64_t)now_ms / 1000
               ? (int64_t)leaf.time_s * 1000
               : now_ms;
}

static enum rc mark_exchange(struct txn *txn, const struct settle_item *item)
{
    const struct owed *owed = &item->owed;
    struct exchange exchange;

    if (!owed->is_opening) {
        return RC_OK;
    }
    TRY(exchange_get(txn, &owed->exchange_id, owed->from, &exchange));
    if (item->refusal.rc != RC_OK) {
        life_undeliverable(&exchange, auditlog_time_ms(txn));
    } else if (!life_received(&exchange, leaf_time_ms(txn, item->leaf))) {
        return RC_OK;
    }
    return alarm_keep(txn, owed->from, &exchange);
}

static enum rc put_refusal(const struct settle_job *job, struct txn *txn,
                           const struct settle_item *item)
{
    const struct owed *owed = &item->owed;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_REFUSED);
    record.message_id = owed->message_id;
    record.exchange_id = owed->exchange_id;
    record.from = owed->from;
    record.to = owed->to;
    record.hosted_by = job->node->self->code;
    record.actor = job->peer->uri;
    record.type = owed->type;
    record.urgency = owed->urgency;
    record.message_commitment = BYTES(item->owed.commitment, HASH_SIZE);
    record.reason = settle_word(item->refusal.reason);
    record.reason_path = settle_word(item->refusal.path);
    log_warn("peer.message_refused", "peer=%s leaf=%llu reason=%s path=%s", job->peer->code,
             (unsigned long long)item->index, record.reason, record.reason_path);
    return entry_put_record(job->node, txn, &record, &index);
}

static enum rc put_receipt(const struct settle_job *job, struct txn *txn,
                           const struct settle_item *item)
{
    struct evidence evidence = {
        .leaf = item->leaf,
        .path = &item->proof,
        .checkpoint = &job->step.checkpoint,
        .note = job->note,
    };
    enum rc rc = evidence_put(txn, item->index, &evidence);

    return rc == RC_ALREADY_EXISTS ? RC_OK : rc;
}

static enum rc settle_one(const struct settle_job *job, struct txn *txn, struct settle_item *item,
                          const char *destination)
{
    const struct owed *owed = &item->owed;
    enum rc rc;

    if (item->refusal.rc != RC_OK && is_for_now(item->refusal.rc)) {
        return RC_OK;
    }
    rc = outbox_settle(txn, destination, job->urgency, item->index);
    if (rc == RC_NOT_FOUND) {
        return RC_OK; /* answered before, over another stream */
    }
    TRY(rc);
    item->is_settled = true;
    if (item->refusal.rc == RC_OK) {
        TRY(put_receipt(job, txn, item));
    } else {
        TRY(put_refusal(job, txn, item));
        TRY(journal_mark(txn, JOURNAL_SENT, &owed->message_id, owed->from, JOURNAL_REFUSED));
    }
    return mark_exchange(txn, item);
}

static enum rc apply_settle(struct write *write, struct txn *txn)
{
    struct settle_job *job = (struct settle_job *)write;
    char destination[FORWARD_DESTINATION_SIZE];

    TRY(evidence_check(txn, &job->step.checkpoint));
    forward_destination(job->peer->code, destination);
    for (size_t i = 0; i < job->parcel.entry_count; i++) {
        TRY(settle_one(job, txn, &job->items[i], destination));
    }
    return RC_OK;
}

static void forget_settle(struct write *write)
{
    struct settle_job *job = (struct settle_job *)write;

    for (size_t i = 0; i < job->parcel.entry_count; i++) {
        job->items[i].is_settled = false;
    }
}

static void settle_done(struct write *write)
{
    struct settle_job *job = (struct settle_job *)write;
    char destination[FORWARD_DESTINATION_SIZE];

    forward_destination(job->peer->code, destination);
    for (size_t i = 0; write->rc == RC_OK && i < job->parcel.entry_count; i++) {
        if (job->items[i].is_settled) {
            backlog_count(job->node->backlog, destination, -1);
        }
    }
    job->is_held_back = job->is_held_back || write->rc != RC_OK;
    job->on_settled(job);
}
