#include "relay/alarm.h"
#include "relay/comeback.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "policy/validate.h"
#include "relay/arrival.h"
#include "relay/backlog.h"
#include "relay/custody.h"
#include "relay/life.h"
#include "relay/terms.h"
#include "relay/node.h"
#include "relay/purge.h"
#include "rpc/codec.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/evidence.h"
#include "store/journal.h"
#include "store/writer.h"
#include "tlog/commit.h"
#include "tlog/succession.h"
#include "tlog/tlog_proof.h"

#define RECORD_ARENA ((size_t)256 << 10)
#define BATCH_BYTES_MAX (WRITE_BYTES_MAX / 2)

/* One message, in the arena of its page. */
struct comer {
    const struct replay_entry *from;
    bool is_sent; /* by a member of ours; else to one */
    struct arrival arrival;
    struct entry sent;
    struct proof proof; /* of the peer's leaf */
    int64_t as_of_ms;   /* when the peer's log took it */
    bool is_known;      /* stands in this log already */
    uint64_t known_index;
    /* Set on the writer thread. */
    struct fault fault;
    bool is_put;
    bool is_paid; /* a custody that paid a debt, */
    uint64_t paid_index;
    char paid_destination[DESK_DESTINATION_SIZE]; /* there */
};

/* The writer's while it is there; the caller waits. */
struct batch {
    struct write write; /* first: the writer's */
    const struct comeback_page *page;
    struct comer *comers[PARCEL_ENTRIES_MAX];
    size_t count;
    struct replay_mark mark;
    atomic_bool is_done;
};

/* ---- evidence ---- */

static enum rc refuse_evidence(struct comer *comer, const char *reason)
{
    return refuse(&comer->fault, RC_DATA_LOSS, reason, "old_leaf",
                  "La prueba de la bitácora anterior no corresponde al mensaje.");
}

/* Our own leaf of the log that is gone: signed then, not after its last good size, and of this. */
static enum rc check_old_leaf(const struct node *node, struct comer *comer)
{
    const struct succession *succession = node->succession;
    const struct replay_entry *from = comer->from;
    uint8_t commitment[DIGEST_SIZE];
    struct checkpoint checkpoint;
    uint64_t index;
    struct leaf leaf;

    if (tlog_proof_verify(from->old_proof, from->old_leaf, &succession->old_key, &index,
                          &checkpoint, NULL) != RC_OK ||
        leaf_decode(from->old_leaf, &leaf) != RC_OK || leaf.index != index) {
        return refuse_evidence(comer, "replay.old_proof");
    }
    if (!succession_covers(succession, &checkpoint)) {
        return refuse_evidence(comer, "log.succeeded");
    }
    commit_leaf(succession->old_key.name, leaf.nonce, comer->arrival.entry.commitment, commitment);
    return digest_equal(commitment, leaf.message) ? RC_OK
                                                  : refuse_evidence(comer, "leaf.other_message");
}

static enum rc check_parties(const struct comeback_page *page, struct comer *comer)
{
    const struct header *header = &comer->from->message->header;
    const struct directory *directory = page->directory;
    int32_t today = clock_local_day(clock_now_ms());
    const struct node_entry *sender = node_of_member(directory, header->from, today);
    const struct node_entry *receiver = node_of_member(directory, header->to, today);

    comer->is_sent = node_is(sender, page->node->self);
    if ((comer->is_sent && node_is(receiver, page->peer)) ||
        (node_is(sender, page->peer) && node_is(receiver, page->node->self))) {
        return RC_OK;
    }
    return refuse(&comer->fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                  "El mensaje volvió por un nodo que no le corresponde según el directorio.");
}

/* By the day of the peer's leaf; a clock that ran ahead gains five minutes at most. */
static int64_t leaf_instant(struct bytes leaf_bytes)
{
    int64_t latest_ms = clock_now_ms() + VALIDATE_ID_FUTURE_MS;
    struct leaf leaf;

    if (leaf_decode(leaf_bytes, &leaf) != RC_OK || leaf.time_s > (uint64_t)latest_ms / 1000) {
        return latest_ms;
    }
    return (int64_t)leaf.time_s * 1000;
}

static enum rc check_evidence(const struct comeback_page *page, struct comer *comer)
{
    const struct replay_entry *from = comer->from;
    uint8_t *commitment = comer->arrival.entry.commitment;

    TRY(entry_commitment(from->message, commitment));
    TRY(chain_check_leaf(page->chain, from->leaf, &from->path, commitment, &comer->proof,
                         &comer->fault));
    TRY(check_old_leaf(page->node, comer));
    TRY(check_parties(page, comer));
    comer->as_of_ms = leaf_instant(from->leaf);
    return RC_OK;
}

/* ---- before the writer ---- */

static enum rc find_known(const struct comeback_page *page, struct comer *comer)
{
    const struct header *header = &comer->from->message->header;
    struct journal_entry known;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(page->node->db, &txn));
    rc = journal_find(txn, comer->is_sent ? JOURNAL_SENT : JOURNAL_RECEIVED, &header->message_id,
                      header->from, &known);
    if (rc == RC_OK && memcmp(known.message, comer->arrival.entry.commitment, HASH_SIZE) == 0) {
        comer->is_known = true;
        comer->known_index = known.index;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* RC_UNAVAILABLE with "exchange.unknown": it may come in this very batch. */
static enum rc find_running(const struct comeback_page *page, struct comer *comer,
                            struct exchange *exchange)
{
    const struct header *header = &comer->from->message->header;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(page->node->db, &txn));
    rc = exchange_get(txn, &header->exchange_id, header->from, exchange);
    return rc == RC_NOT_FOUND ? refuse(&comer->fault, RC_UNAVAILABLE, "exchange.unknown",
                                       "header.exchange_id", "Ese intercambio aún no ha vuelto.")
                              : rc;
}

static enum rc prepare_sent(const struct comeback_page *page, struct comer *comer)
{
    const struct message *message = comer->from->message;
    const struct header *header = &message->header;
    bool is_opening = message_opens(message);
    struct entry *sent = &comer->sent;
    struct exchange exchange;

    if (!is_opening) {
        TRY(find_running(page, comer, &exchange));
    }
    memcpy(sent->commitment, comer->arrival.entry.commitment, HASH_SIZE);
    TRY(arrival_admit(page->node, page->directory, message, is_opening ? NULL : &exchange,
                      sent->commitment, comer->as_of_ms, &sent->route, &comer->fault));
    sent->kind = RECORD_SENT;
    sent->directory = page->directory;
    sent->message = message;
    sent->holder = header->from;
    sent->actor = page->peer->uri;
    sent->replayed = comer->from->old_leaf;
    TRY(entry_prepare(sent, page->node, NULL, 0));
    return header->event == EVENT_PURGE ? purge_prepare(page->node, sent, &comer->arrival.purge)
                                        : RC_OK;
}

static enum rc prepare_received(const struct comeback_page *page, struct comer *comer)
{
    struct arrival *arrival = &comer->arrival;
    enum rc rc;

    arrival->message = comer->from->message;
    arrival->directory = page->directory;
    arrival->as_of_ms = comer->as_of_ms;
    arrival->entry.replayed = comer->from->old_leaf;
    rc = arrival_prepare(arrival, page->node, page->peer->uri);
    comer->fault = arrival->fault;
    return rc;
}

static enum rc prepare(const struct comeback_page *page, struct comer *comer)
{
    TRY(check_evidence(page, comer));
    TRY(find_known(page, comer));
    if (comer->is_known) {
        return RC_OK;
    }
    return comer->is_sent ? prepare_sent(page, comer) : prepare_received(page, comer);
}

/* ---- on the writer ---- */

static enum rc put_evidence(const struct comeback_page *page, struct txn *txn,
                            const struct comer *comer, uint64_t index)
{
    struct evidence evidence = {
        .leaf = comer->from->leaf,
        .path = &comer->proof,
        .checkpoint = &page->chain->last,
        .note = page->page->progress.checkpoint,
    };
    enum rc rc = evidence_put(txn, index, &evidence);

    return rc == RC_ALREADY_EXISTS ? RC_OK : rc;
}

/* It came by itself since the epoch began; that the old log had it, too, is noted once. */
static enum rc note_known(const struct comeback_page *page, struct txn *txn,
                          const struct comer *comer)
{
    OWN_PTR(arena) arena = arena_new(RECORD_ARENA);
    const struct header *header = &comer->from->message->header;
    struct record record;
    struct bytes blind;
    struct bytes bytes;
    uint64_t index;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(auditlog_record(txn, comer->known_index, &blind, &bytes));
    TRY(codec_record_read(bytes, arena, &record, NULL));
    if (record.replayed_leaf.size > 0) {
        return RC_OK;
    }
    record_init(&record, RECORD_EPOCH);
    record.message_id = header->message_id;
    record.hosted_by = page->node->self->code;
    record.actor = page->peer->uri;
    record.first_index = comer->known_index;
    record.message_commitment = BYTES(comer->arrival.entry.commitment, HASH_SIZE);
    record.replayed_leaf = comer->from->old_leaf;
    return entry_put_record(page->node, txn, &record, &index);
}

static enum rc check_sent(struct comer *comer, struct txn *txn, struct exchange *exchange)
{
    const struct message *message = comer->from->message;
    const struct header *header = &message->header;
    struct journal_entry known;
    struct moment moment;
    enum rc rc = journal_find(txn, JOURNAL_SENT, &header->message_id, header->from, &known);

    if (rc != RC_NOT_FOUND) {
        comer->is_known = rc == RC_OK;
        comer->known_index = known.index;
        return rc;
    }
    if (message_opens(message)) {
        TRY(arrival_check_new(txn, header, header->from, exchange, &comer->fault));
        terms_moment(header, comer->sent.directory, comer->sent.route, comer->as_of_ms, &moment);
        life_open(message, comer->sent.route, STATE_SENT, &moment, exchange);
        (void)life_received(exchange, comer->as_of_ms);
        return RC_OK;
    }
    rc = exchange_get(txn, &header->exchange_id, header->from, exchange);
    terms_moment(header, comer->sent.directory, comer->sent.route, comer->as_of_ms, &moment);
    return rc == RC_OK ? life_arrive(message, &moment, exchange, &comer->fault) : rc;
}

static enum rc pay_custody(struct comer *comer, struct txn *txn)
{
    const struct header *header = &comer->from->message->header;
    struct journal_entry received;
    enum rc rc;

    if (!custody_is(header)) {
        return RC_OK;
    }
    rc = journal_find(txn, JOURNAL_RECEIVED, &header->regards, header->to, &received);
    rc = rc == RC_OK ? custody_settle(txn, header, received.index, comer->paid_destination) : rc;
    comer->is_paid = rc == RC_OK;
    comer->paid_index = received.index;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc take_sent(const struct comeback_page *page, struct txn *txn, struct comer *comer)
{
    const struct header *header = &comer->from->message->header;
    struct exchange exchange;

    TRY(check_sent(comer, txn, &exchange));
    if (comer->is_known) {
        return note_known(page, txn, comer);
    }
    TRY(entry_put(&comer->sent, page->node, txn));
    if (message_opens(comer->from->message)) {
        exchange.opening_index = comer->sent.index;
    }
    TRY(alarm_keep(txn, header->from, &exchange));
    if (life_is_purged(&exchange)) {
        TRY(purge_put(comer->arrival.purge, txn, comer->sent.index));
    }
    TRY(put_evidence(page, txn, comer, comer->sent.index));
    TRY(pay_custody(comer, txn));
    comer->is_put = true;
    return RC_OK;
}

static enum rc take_received(const struct comeback_page *page, struct txn *txn, struct comer *comer)
{
    struct arrival *arrival = &comer->arrival;
    struct exchange exchange;
    enum rc rc = arrival_check(arrival, page->node, txn, &exchange);

    if (rc == RC_RESOURCE_EXHAUSTED) {
        return rc; /* its queue is full now: the page is asked for again */
    }
    if (rc != RC_OK) {
        comer->fault = arrival->fault;
        return rc;
    }
    if (arrival->is_duplicate) {
        comer->known_index = arrival->index;
        return note_known(page, txn, comer);
    }
    TRY(arrival_put(arrival, page->node, txn, &exchange));
    TRY(put_evidence(page, txn, comer, arrival->index));
    comer->is_put = true;
    return RC_OK;
}

static enum rc take_one(const struct comeback_page *page, struct txn *txn, struct comer *comer)
{
    enum rc rc;

    if (comer->fault.rc != RC_OK) {
        return RC_OK;
    }
    rc = comer->is_known  ? note_known(page, txn, comer)
         : comer->is_sent ? take_sent(page, txn, comer)
                          : take_received(page, txn, comer);
    return comer->fault.rc != RC_OK ? RC_OK
                                    : rc; /* a reason: this one stays out, nothing was put */
}

static void count(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->mark.taken += batch->comers[i]->is_put;
        batch->mark.refused += batch->comers[i]->fault.rc != RC_OK;
    }
}

static enum rc apply_batch(struct write *write, struct txn *txn)
{
    struct batch *batch = (struct batch *)write;

    TRY(evidence_check(txn, &batch->page->chain->last));
    for (size_t i = 0; i < batch->count; i++) {
        TRY(take_one(batch->page, txn, batch->comers[i]));
    }
    count(batch);
    return replay_mark_put(txn, batch->page->peer->code, &batch->mark);
}

static void announce(const struct node *node, struct comer *comer)
{
    if (comer->is_put && comer->is_sent) {
        entry_remember(&comer->sent, node);
        purge_committed(comer->arrival.purge, node);
    } else if (comer->is_put) {
        entry_remember(&comer->arrival.entry, node);
        arrival_announce(&comer->arrival, node);
    }
    if (comer->is_paid) {
        backlog_count(node->backlog, comer->paid_destination, -1);
        desk_settled(node->desk, comer->paid_index);
    }
}

static void batch_done(struct write *write)
{
    struct batch *batch = (struct batch *)write;

    for (size_t i = 0; write->rc == RC_OK && i < batch->count; i++) {
        announce(batch->page->node, batch->comers[i]);
    }
    atomic_store(&batch->is_done, true);
}

static const struct write_ops batch_ops = {
    .name = "replay", .apply = apply_batch, .done = batch_done};

/* ---- pages ---- */

static void say_refused(const struct comeback_page *page, const struct comer *comer)
{
    struct leaf leaf;

    if (comer->fault.rc != RC_OK && leaf_decode(comer->from->old_leaf, &leaf) == RC_OK) {
        log_error("replay.refused", "peer=%s old_leaf=%llu reason=%s path=%s", page->peer->code,
                  (unsigned long long)leaf.index, comer->fault.reason, comer->fault.path);
    }
}

static void batch_empty(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        say_refused(batch->page, batch->comers[i]);
        arrival_release(&batch->comers[i]->arrival, batch->page->node);
        entry_release(&batch->comers[i]->sent);
    }
    batch->count = 0;
    batch->write = (struct write){.ops = &batch_ops, .bytes = 1024};
}

/* Waits until it stands. */
static enum rc flush(struct batch *batch, struct replay_mark *mark)
{
    enum rc rc;

    batch->write.leaves = (unsigned)batch->count;
    batch->mark = *mark;
    atomic_store(&batch->is_done, false);
    rc = writer_submit(batch->page->node->writer, &batch->write);
    while (rc == RC_OK && !atomic_load(&batch->is_done)) {
        clock_sleep_ms(1);
    }
    if (rc == RC_OK) {
        commit_point_release(batch->write.point);
        rc = batch->write.rc;
    }
    if (rc == RC_OK) {
        *mark = batch->mark;
    }
    batch_empty(batch);
    return rc;
}

static bool waits_for_batch(const struct batch *batch, const struct comer *comer)
{
    return batch->count > 0 && comer->fault.rc == RC_UNAVAILABLE;
}

/* A message of an exchange that is not on disk yet goes after the batch that holds its opening. */
static enum rc add(struct batch *batch, const struct replay_entry *from, struct replay_mark *mark)
{
    struct comer *comer = arena_alloc(batch->page->arena, sizeof *comer);
    enum rc rc;

    if (comer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    comer->from = from;
    rc = prepare(batch->page, comer);
    if (rc != RC_OK && waits_for_batch(batch, comer)) {
        arrival_release(&comer->arrival, batch->page->node);
        entry_release(&comer->sent);
        TRY(flush(batch, mark));
        *comer = (struct comer){.from = from};
        rc = prepare(batch->page, comer);
    }
    batch->comers[batch->count++] = comer;
    batch->write.bytes += comer->sent.body_row.size + comer->arrival.entry.body_row.size + 2048;
    return comer->fault.rc != RC_OK ? RC_OK : rc; /* refused: counted with its batch */
}

static enum rc take_entries(struct batch *batch, struct replay_mark *mark)
{
    const struct replay_page *page = batch->page->page;

    for (size_t i = 0; i < page->entry_count; i++) {
        TRY(add(batch, &page->entries[i], mark));
        if (batch->count == PARCEL_ENTRIES_MAX || batch->write.bytes > BATCH_BYTES_MAX) {
            TRY(flush(batch, mark));
        }
    }
    mark->next_index = page->next_index;
    mark->is_complete = page->is_complete;
    return flush(batch, mark);
}

enum rc comeback_take(const struct comeback_page *page, struct replay_mark *mark)
{
    struct batch *batch = arena_alloc(page->arena, sizeof *batch);
    struct replay_mark going = *mark;
    enum rc rc;

    if (batch == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    batch->page = page;
    batch_empty(batch);
    rc = take_entries(batch, &going);
    batch_empty(batch);
    if (rc == RC_OK) {
        *mark = going;
    }
    return rc;
}
