#include "relay/packing.h"

#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "relay/chain.h"
#include "relay/entry.h"
#include "relay/forward.h"
#include "relay/held.h"
#include "relay/node.h"
#include "rpc/codec_service.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"

#define PARCEL_BYTES_SOFT ((size_t)3 << 20)
/* What an entry takes beside its message and its path: leaf, tags, lengths. */
#define ENTRY_BYTES (LEAF_SIZE + 32)
#define PATH_HASH_BYTES (HASH_SIZE + 2)
/* What a parcel takes beside its entries: checkpoint, consistency proof. */
#define PARCEL_ROOM ((size_t)4096)
#define PARCEL_ARENA_MAX ((size_t)64 << 20)

/* One parcel in the making. */
struct pack {
    struct packing *packing;
    struct settle_job *job;
    struct txn *txn;
    struct arena *arena; /* until it is written */
    uint64_t size;       /* of our log, at the checkpoint */
};

/* The message of a debt, wherever it comes from. */
struct goods {
    struct recent *recent; /* in memory; NULL: read back */
    struct bytes message;
    struct bytes leaf;
};

static enum rc read_back(const struct pack *pack, uint64_t index, struct settle_item *item,
                         struct goods *goods)
{
    struct held *held = arena_alloc(pack->arena, sizeof *held);
    uint8_t commitment[HASH_SIZE];

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(held_load(pack->packing->node, pack->txn, index, pack->arena, held));
    TRY(entry_commitment(&held->message, commitment));
    owed_fill(&item->owed, &held->message, commitment);
    *goods = (struct goods){.message = held->bytes, .leaf = BYTES_OF(held->leaf_bytes)};
    return RC_OK;
}

static enum rc fetch(const struct pack *pack, uint64_t index, struct settle_item *item,
                     struct goods *goods)
{
    struct recent *recent = recent_find(&pack->packing->recents, index);

    if (recent == NULL) {
        return read_back(pack, index, item, goods);
    }
    item->owed = recent->owed;
    *goods = (struct goods){.recent = recent,
                            .message = BYTES(recent->message, recent->size),
                            .leaf = BYTES_OF(recent->leaf)};
    return RC_OK;
}

/* RC_OUT_OF_RANGE: no more room in this parcel; an empty one takes any message. */
static enum rc add_entry(const struct pack *pack, uint64_t index)
{
    struct settle_job *job = pack->job;
    struct parcel_entry *entry = &job->parcel.entries[job->parcel.entry_count];
    struct settle_item *item = &job->items[job->parcel.entry_count];
    size_t max = pack->packing->bytes_max > 0 ? pack->packing->bytes_max : PARCEL_BYTES_SOFT;
    struct goods goods;
    struct proof proof;
    size_t bytes;

    TRY(fetch(pack, index, item, &goods));
    TRY(auditlog_inclusion(pack->packing->reader, pack->txn, index, pack->size, &proof));
    bytes = goods.message.size + ENTRY_BYTES + proof.count * PATH_HASH_BYTES;
    if (job->parcel.entry_count > 0 && job->bytes + bytes > max) {
        return RC_OUT_OF_RANGE;
    }
    TRY(chain_path(&proof, pack->arena, &entry->path));
    if (goods.recent != NULL) {
        recent_take(&pack->packing->recents);
    }
    entry->message_bytes = goods.message;
    entry->leaf = goods.leaf;
    item->recent = goods.recent;
    item->index = index;
    job->bytes += bytes;
    job->parcel.entry_count++;
    return RC_OK;
}

static enum rc add_entries(const struct pack *pack, size_t count)
{
    struct packing *packing = pack->packing;

    for (size_t i = 0; i < count; i++) {
        uint64_t index = packing->debts[i].index;
        enum rc rc;

        if (index >= pack->size) {
            packing->wants_anchor = true; /* durable, but not signed or not anchored yet */
            break;
        }
        rc = add_entry(pack, index);
        if (rc == RC_OUT_OF_RANGE) {
            break;
        }
        if (rc == RC_NOT_FOUND || rc == RC_DATA_LOSS) {
            /* Erased or damaged: it stays in the outbox for a human, the others go on. */
            log_error("forward.parked", "leaf=%llu rc=%s", (unsigned long long)index, rc_name(rc));
        } else {
            TRY(rc);
        }
        packing->cursor = index;
    }
    return RC_OK;
}

static bool is_worth_sending(const struct packing *packing, bool is_first, size_t count)
{
    return packing->urgency == URGENCY_URGENT || is_first || count == PARCEL_ENTRIES_MAX;
}

static enum rc find_debts(struct packing *packing, struct txn *txn, bool is_first, size_t *count)
{
    char destination[FORWARD_DESTINATION_SIZE];

    forward_destination(packing->code, destination);
    TRY(outbox_scan(txn, destination, packing->urgency, packing->cursor, packing->debts,
                    PARCEL_ENTRIES_MAX, count));
    return *count > 0 && is_worth_sending(packing, is_first, *count) ? RC_OK : RC_NOT_FOUND;
}

static enum rc fill(const struct pack *pack, size_t count, const struct commit_point *point,
                    uint64_t told_size)
{
    struct parcel *parcel = &pack->job->parcel;

    parcel->entries = arena_alloc(pack->arena, count * sizeof *parcel->entries);
    if (parcel->entries == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(add_entries(pack, count));
    if (parcel->entry_count == 0) {
        return RC_NOT_FOUND;
    }
    return chain_progress(pack->txn, pack->packing->reader, point, told_size, pack->arena,
                          &parcel->progress);
}

static enum rc write(struct settle_job *job, struct buffer *bytes)
{
    buffer_reserve(bytes, job->bytes + PARCEL_ROOM);
    codec_parcel_write(&job->parcel, bytes);
    return bytes->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc packing_make(struct packing *packing, const struct commit_point *point, uint64_t told_size,
                     bool is_first, struct settle_job *job, struct buffer *bytes)
{
    OWN_PTR(arena) arena = NULL;
    OWN_READ(txn) = NULL;
    struct pack pack = {.packing = packing, .job = job, .size = commit_point_size(point)};
    size_t count = 0;

    if (packing->reader == NULL) {
        packing->reader = auditlog_reader_new();
    }
    TRY(txn_read(packing->node->db, &txn));
    TRY(find_debts(packing, txn, is_first, &count));
    arena = arena_new(PARCEL_ARENA_MAX);
    if (packing->reader == NULL || arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pack.txn = txn;
    pack.arena = arena;
    TRY(fill(&pack, count, point, told_size));
    TRY(write(job, bytes));
    settle_sent(job);
    return RC_OK;
}

void packing_release(struct packing *packing)
{
    recent_clear(&packing->recents);
    auditlog_reader_free(packing->reader);
}
