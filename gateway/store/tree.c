#include "store/tree.h"

#include <string.h>

#include "store/dbkey.h"
#include "tlog/merkle.h"
#include "tlog/view.h"

static const uint8_t edge_key[1] = {0};

enum rc tree_edge_get(struct txn *txn, struct tree_edge *edge)
{
    struct reader reader = {0};
    enum rc rc = table_get(txn, TABLE_EDGE, BYTES_OF(edge_key), &reader.rest);

    if (rc == RC_NOT_FOUND) {
        memset(edge, 0, sizeof *edge);
        return RC_OK;
    }
    TRY(rc);
    TRY(frontier_read(&reader, &edge->frontier));
    edge->last_time_s = reader_u64(&reader);
    edge->minimum_index = reader_u64(&reader);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "log.edge", "cause=damaged");
}

static void hash_key(unsigned level, uint64_t chunk, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put_u8(key, (uint8_t)level);
    dbkey_put_u64(key, chunk);
}

/* The run continues the row that the commits before it left. */
static enum rc run_put(struct txn *txn, const struct view_run *run)
{
    uint8_t row[VIEW_ROW_HASHES * DIGEST_SIZE];
    size_t before = (size_t)(run->first % VIEW_ROW_HASHES) * DIGEST_SIZE;
    struct dbkey key;
    struct bytes old;

    hash_key(run->level, run->first / VIEW_ROW_HASHES, &key);
    if (before > 0) {
        TRY(table_get(txn, TABLE_HASH, dbkey_bytes(&key), &old));
        if (old.size != before) {
            return failed(RC_DATA_LOSS, "log.hash", "level=%u first=%llu cause=another length",
                          run->level, (unsigned long long)run->first);
        }
        memcpy(row, old.data, before);
    }
    memcpy(row + before, run->hashes, run->count * DIGEST_SIZE);
    return table_put(txn, TABLE_HASH, dbkey_bytes(&key),
                     BYTES(row, before + run->count * DIGEST_SIZE));
}

static enum rc edge_put(struct txn *txn, const struct frontier *frontier, uint64_t last_time_s,
                        uint64_t minimum_index)
{
    OWN(buffer) row = {0};

    frontier_write(frontier, &row);
    buffer_put_u64(&row, last_time_s);
    buffer_put_u64(&row, minimum_index);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return table_put(txn, TABLE_EDGE, BYTES_OF(edge_key), buffer_bytes(&row));
}

enum rc tree_put(struct txn *txn, const struct view *view, uint64_t last_time_s,
                 uint64_t minimum_index)
{
    struct view_run run = {0};
    struct dbkey key;

    while (view_run_next(view, &run)) {
        TRY(run_put(txn, &run));
    }
    TRY(edge_put(txn, view_frontier(view), last_time_s, minimum_index));
    dbkey_u64(&key, view_size(view));
    return table_append(txn, TABLE_CHECKPOINT, dbkey_bytes(&key),
                        BYTES(view_root(view), DIGEST_SIZE));
}

static enum rc commit_of(const struct row *row, struct tree_commit *commit)
{
    if (row->key.size != 8 || row->value.size < DIGEST_SIZE) {
        return failed(RC_DATA_LOSS, "log.checkpoint", "cause=damaged");
    }
    commit->size = get_u64(row->key.data);
    commit->root = row->value.data;
    commit->note = BYTES(row->value.data + DIGEST_SIZE, row->value.size - DIGEST_SIZE);
    return RC_OK;
}

enum rc tree_commit_get(struct txn *txn, uint64_t size, struct tree_commit *commit)
{
    struct dbkey key;
    struct row row;

    dbkey_u64(&key, size);
    row.key = dbkey_bytes(&key);
    TRY(table_get(txn, TABLE_CHECKPOINT, row.key, &row.value));
    return commit_of(&row, commit);
}

enum rc tree_commit_past(struct txn *txn, uint64_t index, struct tree_commit *commit)
{
    struct dbkey key;
    struct row row;

    if (index >= FRONTIER_SIZE_MAX) {
        return RC_NOT_FOUND;
    }
    dbkey_u64(&key, index + 1);
    TRY(table_from(txn, TABLE_CHECKPOINT, dbkey_bytes(&key), &row));
    return commit_of(&row, commit);
}

enum rc tree_commit_last(struct txn *txn, struct tree_commit *commit)
{
    struct row row;

    TRY(table_last(txn, TABLE_CHECKPOINT, &row));
    return commit_of(&row, commit);
}

enum rc tree_commit_sign(struct txn *txn, uint64_t size, const uint8_t root[DIGEST_SIZE],
                         struct bytes note)
{
    OWN(buffer) row = {0};
    struct dbkey key;

    buffer_put(&row, root, DIGEST_SIZE);
    buffer_put_bytes(&row, note);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    dbkey_u64(&key, size);
    return table_put(txn, TABLE_CHECKPOINT, dbkey_bytes(&key), buffer_bytes(&row));
}

/* Place in tree_row.nodes of the hashes that stand `above` levels over the row's own. */
static size_t fold_start(unsigned above)
{
    static const size_t starts[VIEW_ROW_LEVELS] = {0, 16, 24, 28};

    return starts[above];
}

static void fold(struct tree_row *row)
{
    for (unsigned above = 1; above < VIEW_ROW_LEVELS; above++) {
        const uint8_t(*below)[DIGEST_SIZE] =
            (const uint8_t(*)[DIGEST_SIZE])row->nodes + fold_start(above - 1);
        uint8_t(*into)[DIGEST_SIZE] = row->nodes + fold_start(above);

        for (size_t i = 0; i < row->count >> above; i++) {
            merkle_node(below[2 * i], below[2 * i + 1], into[i]);
        }
    }
}

static enum rc row_load(struct txn *txn, unsigned level, uint64_t chunk, struct tree_row *row)
{
    struct dbkey key;
    struct bytes hashes;
    enum rc rc;

    hash_key(level, chunk, &key);
    rc = table_get(txn, TABLE_HASH, dbkey_bytes(&key), &hashes);
    if (rc == RC_NOT_FOUND) {
        return failed(RC_DATA_LOSS, "log.hash", "level=%u chunk=%llu cause=missing", level,
                      (unsigned long long)chunk);
    }
    TRY(rc);
    if (hashes.size == 0 || hashes.size % DIGEST_SIZE != 0 ||
        hashes.size > (size_t)VIEW_ROW_HASHES * DIGEST_SIZE) {
        return failed(RC_DATA_LOSS, "log.hash", "level=%u chunk=%llu cause=damaged", level,
                      (unsigned long long)chunk);
    }
    row->is_used = true;
    row->level = level;
    row->chunk = chunk;
    row->count = hashes.size / DIGEST_SIZE;
    memcpy(row->nodes, hashes.data, hashes.size);
    fold(row);
    return RC_OK;
}

/* A row in the memo may be from when it had fewer hashes. */
static enum rc row_with(struct tree_source *source, unsigned level, uint64_t chunk, size_t count,
                        struct tree_row **row)
{
    struct tree_row *at = &source->memo->rows[(chunk + (uint64_t)level * 5) % TREE_MEMO_ROWS];

    if (!at->is_used || at->level != level || at->chunk != chunk || at->count < count) {
        at->is_used = false;
        TRY(row_load(source->txn, level, chunk, at));
    }
    if (at->count < count) {
        return failed(RC_DATA_LOSS, "log.hash", "level=%u chunk=%llu cause=too short", level,
                      (unsigned long long)chunk);
    }
    *row = at;
    return RC_OK;
}

static enum rc node_of(struct node_source *node_source, unsigned level, uint64_t index,
                       uint8_t out[DIGEST_SIZE])
{
    struct tree_source *source = (struct tree_source *)node_source;
    unsigned above = level % VIEW_ROW_LEVELS;
    uint64_t first = index << above;
    size_t place = (size_t)(first % VIEW_ROW_HASHES);
    struct tree_row *row = NULL;

    TRY(row_with(source, level - above, first / VIEW_ROW_HASHES, place + ((size_t)1 << above),
                 &row));
    memcpy(out, row->nodes[fold_start(above) + (place >> above)], DIGEST_SIZE);
    return RC_OK;
}

struct tree_source tree_source(struct txn *txn, struct tree_memo *memo)
{
    return (struct tree_source){.source = {.node = node_of}, .txn = txn, .memo = memo};
}

enum rc tree_root(struct tree_source *source, uint64_t size, uint8_t root[DIGEST_SIZE])
{
    struct frontier frontier = {.size = size};

    for (unsigned level = 0; level < FRONTIER_LEVELS - 1; level++) {
        if ((size >> level & 1) != 0) {
            TRY(node_of(&source->source, level, (size >> level) - 1, frontier.edge[level]));
        }
    }
    frontier_root(&frontier, root);
    return RC_OK;
}
