#include "relay/replay.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "relay/chain.h"
#include "relay/epochs.h"
#include "relay/held.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/evidence.h"
#include "store/seen.h"
#include "tlog/succession.h"
#include "tlog/tlog_proof.h"

/* Leaves looked at for one page, and what a page holds at most. */
#define SCAN_MAX 4096
#define PAGE_BYTES_SOFT ((size_t)2 << 20)
#define ENTRY_OVERHEAD ((size_t)4 << 10)
#define RECORD_ARENA ((size_t)256 << 10)

/* One page in the making. */
struct gathering {
    const struct node *node;
    const struct node_entry *peer;
    const struct succession *succession;
    struct arena *arena;
    struct arena *scratch;
    struct auditlog_reader *reader;
    uint64_t size; /* of our log, under the page's checkpoint */
    size_t bytes;
    struct replay_page page;
};

/* Did this leaf's message go to, or come from, a member that the peer hosts? */
static enum rc is_shared(struct gathering *gathering, struct txn *txn, uint64_t index, bool *is_so)
{
    OWN_EDITION(edition) = inforce_take(gathering->node->inforce);
    const struct node_entry *host;
    struct record record;
    struct bytes blind;
    struct bytes bytes;
    enum rc rc = auditlog_record(txn, index, &blind, &bytes);

    *is_so = false;
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    arena_reset(gathering->scratch);
    TRY(codec_record_read(bytes, gathering->scratch, &record, NULL));
    if (record.kind != RECORD_SENT && record.kind != RECORD_RECEIVED) {
        return RC_OK;
    }
    host = node_of_member(edition->directory, record.kind == RECORD_SENT ? record.to : record.from,
                          clock_local_day(clock_now_ms()));
    *is_so = host != NULL && strcmp(host->code, gathering->peer->code) == 0;
    return RC_OK;
}

/* RC_NOT_FOUND: the peer gave no leaf for it, or one of another log than the one that it lost. */
static enum rc add_evidence(struct gathering *gathering, struct txn *txn, uint64_t index,
                            struct replay_entry *entry)
{
    const char *origin = gathering->succession->old_key.name;
    OWN(buffer) text = {0};
    struct tlog_proof proof;
    uint8_t leaf[LEAF_SIZE];
    struct bytes line;

    TRY(evidence_get(txn, index, leaf, &text));
    TRY(tlog_proof_parse(buffer_bytes(&text), &proof));
    line = proof.note;
    if (line.size <= strlen(origin) || memcmp(line.data, origin, strlen(origin)) != 0 ||
        line.data[strlen(origin)] != '\n') {
        return RC_NOT_FOUND;
    }
    entry->old_leaf = arena_copy(gathering->arena, BYTES_OF(leaf));
    entry->old_proof = arena_copy(gathering->arena, buffer_bytes(&text));
    return entry->old_leaf.data != NULL && entry->old_proof.data != NULL ? RC_OK
                                                                         : RC_RESOURCE_EXHAUSTED;
}

static enum rc add_leaf(struct gathering *gathering, struct txn *txn, uint64_t index)
{
    struct replay_entry *entry = &gathering->page.entries[gathering->page.entry_count];
    struct held *held = arena_alloc(gathering->arena, sizeof *held);
    struct proof proof;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(add_evidence(gathering, txn, index, entry));
    TRY(held_load(gathering->node, txn, index, gathering->arena, held));
    TRY(auditlog_inclusion(gathering->reader, txn, index, gathering->size, &proof));
    TRY(chain_path(&proof, gathering->arena, &entry->path));
    entry->message_bytes = held->bytes;
    entry->leaf = BYTES_OF(held->leaf_bytes);
    gathering->bytes += held->bytes.size + ENTRY_OVERHEAD;
    gathering->page.entry_count++;
    return RC_OK;
}

/* Erased or damaged here: the others go on. */
static enum rc add_if_shared(struct gathering *gathering, struct txn *txn, uint64_t index)
{
    bool is_so;
    enum rc rc;

    TRY(is_shared(gathering, txn, index, &is_so));
    if (!is_so) {
        return RC_OK;
    }
    rc = add_leaf(gathering, txn, index);
    if (rc == RC_DATA_LOSS) {
        log_error("replay.parked", "peer=%s leaf=%llu", gathering->peer->code,
                  (unsigned long long)index);
    }
    return rc == RC_NOT_FOUND || rc == RC_DATA_LOSS ? RC_OK : rc;
}

static enum rc gather(struct gathering *gathering, uint64_t from, uint64_t seen_size,
                      struct commit_point *point)
{
    struct replay_page *page = &gathering->page;
    uint64_t index = from;
    OWN_READ(txn) = NULL;

    TRY(txn_read(gathering->node->db, &txn));
    for (; index < gathering->size && index - from < SCAN_MAX &&
           page->entry_count < PARCEL_ENTRIES_MAX && gathering->bytes < PAGE_BYTES_SOFT;
         index++) {
        TRY(add_if_shared(gathering, txn, index));
    }
    page->next_index = index;
    page->is_complete = index >= gathering->size;
    return chain_progress(txn, gathering->reader, point, seen_size, gathering->arena,
                          &page->progress);
}

static enum rc write_page(struct gathering *gathering, const struct replay_request *request,
                          struct buffer *response)
{
    struct commit_point *point = anchor_latest(gathering->node->anchor);
    enum rc rc;

    gathering->size = commit_point_size(point);
    rc = gather(gathering, request->from_index, request->seen_size, point);
    if (rc == RC_OK) {
        codec_replay_page_write(&gathering->page, response);
        rc = response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
    }
    commit_point_release(point);
    return rc;
}

static enum rc make_page(struct gathering *gathering, const struct replay_request *request,
                         struct buffer *response)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_PTR(arena) scratch = arena_new(RECORD_ARENA);

    gathering->page.entries =
        arena_alloc(gathering->arena, PARCEL_ENTRIES_MAX * sizeof *gathering->page.entries);
    if (reader == NULL || scratch == NULL || gathering->page.entries == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    gathering->reader = reader;
    gathering->scratch = scratch;
    return write_page(gathering, request, response);
}

static enum rc answer(const struct node *node, struct call *call, struct buffer *response,
                      struct fault *fault)
{
    struct node_entry peer;
    struct gathering gathering = {.node = node, .peer = &peer, .arena = call_arena(call)};
    struct replay_request request;
    const struct epoch *epoch;

    TRY(who_is_node(node, call_peer(call), &peer, fault));
    if (gathering.arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_replay_request_read(call_request(call), gathering.arena, &request, fault));
    TRY(epochs_admit(node->epochs, gathering.peer, request.origin, request.succession, fault));
    epoch = epochs_of(node->epochs, gathering.peer);
    if (epoch == NULL || epoch->statement == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "replay.first_epoch", "origin",
                      "Esa bitácora no sucede a ninguna: no hay nada que devolver.");
    }
    gathering.succession = epoch->statement;
    return make_page(&gathering, &request, response);
}

void replay_on_call(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};
    enum rc rc = answer((struct node *)service, call, &response, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}

/* ---- what was seen of a log ---- */

static enum rc find_seen(const struct node *node, struct call *call, struct buffer *response,
                         struct fault *fault)
{
    OWN(buffer) note = {0};
    struct node_entry peer;
    struct identity identity;
    struct checkpoint checkpoint;
    const char *origin;

    if (who_is_node(node, call_peer(call), &peer, fault) != RC_OK) {
        *fault = (struct fault){0};
        TRY(who_is(node, call_peer(call), &identity, fault));
    }
    if (call_arena(call) == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_get_seen_read(call_request(call), call_arena(call), &origin, fault));
    if (seen_get(node->seen, origin, &checkpoint, &note) != RC_OK) {
        return refuse(fault, RC_NOT_FOUND, "seen.none", "origin",
                      "Este nodo no ha visto esa bitácora.");
    }
    codec_seen_write(buffer_bytes(&note), response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void get_seen_on_call(struct rpc_service *service, struct call *call)
{
    OWN(buffer) response = {0};
    struct fault fault = {0};
    enum rc rc = find_seen((struct node *)service, call, &response, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}
