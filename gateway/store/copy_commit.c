#include "store/copy_commit.h"

#include <stdlib.h>
#include <string.h>

#include "store/append.h"
#include "store/logrow.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/view.h"

struct copy_commit {
    const struct vkey *vkey;
    struct view *view;
};

struct copy_commit *copy_commit_new(const struct vkey *vkey)
{
    OWN_PTR(copy_commit) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return NULL;
    }
    made->vkey = vkey;
    made->view = view_new(APPEND_LEAVES_MAX);
    return made->view != NULL ? MOVE(made) : NULL;
}

void copy_commit_free(struct copy_commit *commit)
{
    if (commit != NULL) {
        view_free(commit->view);
        free(commit);
    }
}

static enum rc bad(uint64_t size, uint64_t index, const char *cause)
{
    return failed(RC_DATA_LOSS, "copy.commit", "size=%llu leaf=%llu cause=\"%s\"",
                  (unsigned long long)size, (unsigned long long)index, cause);
}

static enum rc check_record(const struct logrow *row, uint64_t index, const struct leaf *leaf,
                            uint64_t *absent)
{
    uint8_t hash[DIGEST_SIZE];
    struct bytes record;

    if (logrow_record(row, index, &record) != RC_OK) {
        return bad(row->size, index, "its record is not there");
    }
    if (record.size == 0) {
        if (leaf->class == LEAF_RECORD && index >= *absent) {
            *absent = index + 1;
        }
        return RC_OK;
    }
    if (record.size < COMMIT_BLIND_SIZE) {
        return bad(row->size, index, "its record is cut");
    }
    commit_record(record.data,
                  BYTES(record.data + COMMIT_BLIND_SIZE, record.size - COMMIT_BLIND_SIZE), hash);
    return digest_equal(hash, leaf->record) ? RC_OK
                                            : bad(row->size, index, "its record is another's");
}

static enum rc check_leaves(struct copy_commit *commit, const struct logrow *row, uint64_t *absent)
{
    for (uint64_t index = row->size - row->count; index < row->size; index++) {
        struct bytes entry = BYTES(logrow_leaf(row, index), LEAF_SIZE);
        uint8_t hash[DIGEST_SIZE];
        struct leaf leaf;

        if (leaf_decode(entry, &leaf) != RC_OK || leaf.index != index) {
            return bad(row->size, index, "its form or its own index");
        }
        TRY(check_record(row, index, &leaf, absent));
        merkle_leaf(entry, hash);
        TRY(view_append(commit->view, hash));
    }
    return RC_OK;
}

/* The row holds exactly the nodes that the leaves complete, and their root. */
static enum rc check_nodes(const struct view *view, const struct logrow *row)
{
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        size_t count;
        const uint8_t *nodes = view_nodes(view, level, &count);
        uint64_t first = view_old_size(view) >> level;

        for (size_t i = 0; i < count; i++) {
            const uint8_t *held = logrow_node(row, level, first + i);

            if (held == NULL || !digest_equal(held, nodes + i * DIGEST_SIZE)) {
                return bad(row->size, first + i, "a node is not of its children");
            }
        }
    }
    return digest_equal(view_root(view), row->root)
               ? RC_OK
               : bad(row->size, row->size, "its root is not that of its leaves");
}

static enum rc check_note(const struct copy_commit *commit, const struct logrow *row,
                          const struct frontier *before)
{
    uint8_t root[DIGEST_SIZE];
    struct checkpoint checkpoint;

    if (row->note_before.size == 0) {
        return RC_OK;
    }
    frontier_root(before, root);
    return checkpoint_open(row->note_before, commit->vkey, NULL, &checkpoint) == RC_OK &&
                   checkpoint.size == before->size && digest_equal(checkpoint.root, root)
               ? RC_OK
               : bad(row->size, before->size, "the note before it is not of its size and root");
}

enum rc copy_commit_check(struct copy_commit *commit, struct txn *txn, uint64_t size,
                          struct frontier *frontier, uint64_t *absent)
{
    struct logrow row;
    enum rc rc = logrow_get(txn, size, &row);

    if (rc != RC_OK) {
        return bad(size, size, "its row is damaged");
    }
    if (row.size - row.count != frontier->size || row.count == 0 || row.count > APPEND_LEAVES_MAX) {
        return bad(size, frontier->size, "it does not follow the commit before it");
    }
    TRY(check_note(commit, &row, frontier));
    view_begin(commit->view, frontier);
    TRY(check_leaves(commit, &row, absent));
    view_end(commit->view);
    TRY(check_nodes(commit->view, &row));
    *frontier = *view_frontier(commit->view);
    return RC_OK;
}

void copy_commit_absent(const struct logrow *row, uint64_t *absent)
{
    for (uint64_t index = row->size - row->count; index < row->size; index++) {
        struct bytes record;
        struct leaf leaf;

        if (index >= *absent && logrow_record(row, index, &record) == RC_OK && record.size == 0 &&
            leaf_decode(BYTES(logrow_leaf(row, index), LEAF_SIZE), &leaf) == RC_OK &&
            leaf.class == LEAF_RECORD) {
            *absent = index + 1;
        }
    }
}
