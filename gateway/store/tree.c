#include "store/tree.h"

#include <string.h>

#include "store/dbkey.h"

/* ---- commits ---- */

/* Where the next commit's row is, its note is in it, unless a stop came between. */
static enum rc find_note(struct txn *txn, uint64_t size, struct bytes *note)
{
    struct logrow next;
    struct dbkey key;
    enum rc rc = logrow_of_leaf(txn, size, &next);

    if (rc == RC_OK && next.note_before.size > 0) {
        *note = next.note_before;
        return next.size - next.count == size
                   ? RC_OK
                   : failed(RC_DATA_LOSS, "log.checkpoint", "size=%llu cause=overlapping commits",
                            (unsigned long long)size);
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    dbkey_u64(&key, size);
    rc = table_get(txn, TABLE_CHECKPOINT, dbkey_bytes(&key), note);
    if (rc == RC_NOT_FOUND) {
        *note = (struct bytes){0};
        return RC_OK;
    }
    return rc;
}

static enum rc commit_of(struct txn *txn, const struct logrow *row, struct tree_commit *commit)
{
    commit->size = row->size;
    commit->root = row->root;
    return find_note(txn, row->size, &commit->note);
}

enum rc tree_commit_get(struct txn *txn, uint64_t size, struct tree_commit *commit)
{
    struct logrow row;

    TRY(logrow_get(txn, size, &row));
    return commit_of(txn, &row, commit);
}

enum rc tree_commit_past(struct txn *txn, uint64_t index, struct tree_commit *commit)
{
    struct logrow row;

    TRY(logrow_of_leaf(txn, index, &row));
    return commit_of(txn, &row, commit);
}

enum rc tree_commit_last(struct txn *txn, struct tree_commit *commit)
{
    struct logrow row;

    TRY(logrow_last(txn, &row));
    return commit_of(txn, &row, commit);
}

enum rc tree_commit_sign(struct txn *txn, uint64_t size, struct bytes note)
{
    struct dbkey key;

    dbkey_u64(&key, size);
    return table_put(txn, TABLE_CHECKPOINT, dbkey_bytes(&key), note);
}

/* ---- nodes ---- */

static enum rc missing(unsigned level, uint64_t index)
{
    return failed(RC_DATA_LOSS, "log.node", "level=%u index=%llu cause=missing", level,
                  (unsigned long long)index);
}

/* The row of the commit that brought the last leaf below the node. */
static enum rc node_load(struct tree_source *source, unsigned level, uint64_t index,
                         const uint8_t **node)
{
    uint64_t last;
    enum rc rc;

    if (level >= FRONTIER_LEVELS - 1 || index >= FRONTIER_SIZE_MAX >> level) {
        return missing(level, index);
    }
    *node = source->row.size > 0 ? logrow_node(&source->row, level, index) : NULL;
    if (*node != NULL) {
        return RC_OK;
    }
    last = ((index + 1) << level) - 1;
    source->row.size = 0;
    rc = logrow_of_leaf(source->txn, last, &source->row);
    if (rc != RC_OK) {
        source->row.size = 0;
        return rc == RC_NOT_FOUND ? missing(level, index) : rc;
    }
    *node = logrow_node(&source->row, level, index);
    return *node != NULL ? RC_OK : missing(level, index);
}

static enum rc node_of(struct node_source *node_source, unsigned level, uint64_t index,
                       uint8_t out[DIGEST_SIZE])
{
    struct tree_source *source = (struct tree_source *)node_source;
    struct tree_node *at = &source->memo->nodes[(index + (uint64_t)level * 97) % TREE_MEMO_NODES];
    const uint8_t *node;

    if (!at->is_used || at->level != level || at->index != index) {
        TRY(node_load(source, level, index, &node));
        at->is_used = true;
        at->level = (uint8_t)level;
        at->index = index;
        memcpy(at->hash, node, DIGEST_SIZE);
    }
    memcpy(out, at->hash, DIGEST_SIZE);
    return RC_OK;
}

struct tree_source tree_source(struct txn *txn, struct tree_memo *memo)
{
    return (struct tree_source){.source = {.node = node_of}, .txn = txn, .memo = memo};
}

enum rc tree_edge(struct tree_source *source, uint64_t size, struct frontier *edge)
{
    edge->size = size;
    for (unsigned level = 0; level < FRONTIER_LEVELS - 1; level++) {
        if ((size >> level & 1) != 0) {
            TRY(node_of(&source->source, level, (size >> level) - 1, edge->edge[level]));
        }
    }
    return RC_OK;
}

enum rc tree_root(struct tree_source *source, uint64_t size, uint8_t root[DIGEST_SIZE])
{
    struct frontier frontier;

    TRY(tree_edge(source, size, &frontier));
    frontier_root(&frontier, root);
    return RC_OK;
}
