#include "store/dbcheck.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "store/body.h"
#include "store/content.h"
#include "store/dbkey.h"
#include "store/pruning.h"
#include "store/tree.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"

#define BODY_ARENA_MAX ((size_t)16 << 20)
/* A page of the file is touched by each of these steps. */
#define TOUCH_STEP 512

/* ---- rows ---- */

static void begin_step(struct dbcheck_progress *progress, const char *what, const char *name)
{
    snprintf(progress->step, sizeof progress->step, "%s%s", what, name);
    progress->key_size = 0;
}

static void note_row(struct dbcheck_progress *progress, struct bytes key)
{
    progress->key_size = key.size < DBCHECK_KEY_MAX ? key.size : DBCHECK_KEY_MAX;
    memcpy(progress->key, key.data, progress->key_size);
    progress->rows++;
}

static enum rc bad_row(const char *table, uint64_t row, const char *cause)
{
    return failed(RC_DATA_LOSS, "store.damaged", "table=%s row=%" PRIu64 " cause=%s", table, row,
                  cause);
}

static bool is_after(struct bytes key, const struct dbkey *before)
{
    size_t shared = key.size < before->size ? key.size : before->size;
    int order = shared > 0 ? memcmp(key.data, before->data, shared) : 0;

    return order > 0 || (order == 0 && key.size > before->size);
}

static void touch(struct bytes value)
{
    volatile uint8_t seen = 0;

    for (size_t at = 0; at < value.size; at += TOUCH_STEP) {
        seen ^= value.data[at];
    }
    if (value.size > 0) {
        seen ^= value.data[value.size - 1];
    }
}

static enum rc check_table(struct txn *txn, enum table table, const char *name,
                           struct dbcheck_progress *progress)
{
    OWN_PTR(cursor) cursor = NULL;
    struct dbkey before = {0};
    uint64_t expected;
    uint64_t count = 0;
    struct row row;
    enum rc rc;

    begin_step(progress, "table ", name);
    TRY(table_count(txn, table, &expected));
    TRY(cursor_open(txn, table, (struct bytes){0}, &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        if (row.key.size == 0 || row.key.size > TABLE_KEY_MAX ||
            (count > 0 && !is_after(row.key, &before))) {
            return bad_row(name, count, "its key is not after the one before it");
        }
        dbkey_clear(&before);
        dbkey_put(&before, row.key);
        note_row(progress, row.key);
        touch(row.value);
        count++;
    }
    if (rc != RC_NOT_FOUND) {
        return bad_row(name, count, "it is not read");
    }
    return count == expected ? RC_OK : bad_row(name, count, "the table says another count");
}

enum rc dbcheck_rows(struct db *db, struct dbcheck_progress *progress)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(db, &txn));
    for (int table = 0; table < TABLES; table++) {
        const char *name = db_table_name(db, (enum table)table);

        if (name != NULL) {
            TRY(check_table(txn, (enum table)table, name, progress));
        }
    }
    return RC_OK;
}

/* ---- the log ---- */

struct walk {
    struct txn *txn;
    struct tree_source source;
    struct frontier frontier; /* of the leaves so far */
    uint64_t last_time_s;
    const struct vkey *vkey;
    struct vault *vault;
    struct arena *arena;
    struct dbcheck_progress *progress;
    uint64_t minimum; /* record leaves below it need no record */
};

static enum rc bad_leaf(uint64_t index, const char *cause)
{
    return failed(RC_DATA_LOSS, "log.damaged", "leaf=%" PRIu64 " cause=%s", index, cause);
}

static enum rc bad_commit(uint64_t size, const char *cause)
{
    return failed(RC_DATA_LOSS, "log.damaged", "commit=%" PRIu64 " cause=%s", size, cause);
}

static enum rc check_record(const struct walk *walk, const struct logrow *row, uint64_t index,
                            const struct leaf *leaf)
{
    struct bytes record;
    uint8_t hash[DIGEST_SIZE];

    TRY(logrow_record(row, index, &record));
    if (record.size == 0) {
        return leaf->class == LEAF_CONTROL || index < walk->minimum
                   ? RC_OK
                   : bad_leaf(index, "it has no record");
    }
    if (record.size < COMMIT_BLIND_SIZE) {
        return bad_leaf(index, "its record is cut");
    }
    commit_record(record.data,
                  BYTES(record.data + COMMIT_BLIND_SIZE, record.size - COMMIT_BLIND_SIZE), hash);
    return digest_equal(hash, leaf->record) ? RC_OK : bad_leaf(index, "its record is another's");
}

static enum rc check_body(struct walk *walk, uint64_t index, const struct leaf *leaf)
{
    struct message message = {0};
    struct bytes keys;
    struct bytes body;
    enum rc rc = body_get(walk->txn, index, &keys, &body);

    if (rc == RC_OK) {
        arena_reset(walk->arena);
        rc = content_open(walk->vault, keys, body, leaf->nonce, walk->arena, &message, NULL);
        walk->progress->bodies += rc == RC_OK;
    }
    return rc == RC_OK || rc == RC_NOT_FOUND ? RC_OK : bad_leaf(index, "its body does not open");
}

static enum rc check_leaf(struct walk *walk, const struct logrow *row, uint64_t index)
{
    struct bytes entry = BYTES(logrow_leaf(row, index), LEAF_SIZE);
    uint8_t hash[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(entry, &leaf) != RC_OK || leaf.index != index) {
        return bad_leaf(index, "its form or its own index");
    }
    if (leaf.time_s < walk->last_time_s) {
        return bad_leaf(index, "its time goes back");
    }
    walk->last_time_s = leaf.time_s;
    merkle_leaf(entry, hash);
    if (!digest_equal(hash, logrow_node(row, 0, index))) {
        return bad_leaf(index, "its hash is not the one in the tree");
    }
    frontier_append(&walk->frontier, hash);
    TRY(check_record(walk, row, index, &leaf));
    TRY(check_body(walk, index, &leaf));
    walk->progress->leaves++;
    return RC_OK;
}

/* Above level 0: each is that of its two children, which this row or an earlier one has. */
static enum rc check_nodes(struct walk *walk, const struct logrow *row)
{
    struct node_source *nodes = &walk->source.source;

    for (unsigned level = 1; row->size >> level != 0; level++) {
        for (uint64_t i = (row->size - row->count) >> level; i < row->size >> level; i++) {
            uint8_t left[DIGEST_SIZE];
            uint8_t right[DIGEST_SIZE];
            uint8_t hash[DIGEST_SIZE];

            TRY(nodes->node(nodes, level - 1, 2 * i, left));
            TRY(nodes->node(nodes, level - 1, 2 * i + 1, right));
            merkle_node(left, right, hash);
            if (!digest_equal(hash, logrow_node(row, level, i))) {
                return failed(RC_DATA_LOSS, "log.damaged",
                              "commit=%" PRIu64 " node=%u/%" PRIu64 " cause=not of its children",
                              row->size, level, i);
            }
        }
    }
    return RC_OK;
}

static enum rc check_note(struct walk *walk, uint64_t size, struct bytes note)
{
    struct checkpoint checkpoint;
    struct logrow row;

    if (logrow_get(walk->txn, size, &row) != RC_OK) {
        return bad_commit(size, "it has a note and is not there");
    }
    return checkpoint_open(note, walk->vkey, NULL, &checkpoint) == RC_OK &&
                   checkpoint.size == size && digest_equal(checkpoint.root, row.root)
               ? RC_OK
               : bad_commit(size, "its note is not of this size and root");
}

static enum rc check_commit(struct walk *walk, uint64_t size)
{
    uint8_t root[DIGEST_SIZE];
    struct logrow row;

    TRY(logrow_get(walk->txn, size, &row));
    if (row.size - row.count != walk->frontier.size) {
        return bad_commit(size, "the commit before it is another");
    }
    for (uint64_t index = walk->frontier.size; index < row.size; index++) {
        TRY(check_leaf(walk, &row, index));
    }
    TRY(check_nodes(walk, &row));
    frontier_root(&walk->frontier, root);
    if (!digest_equal(root, row.root)) {
        return bad_commit(size, "its root is not that of its leaves");
    }
    return row.note_before.size == 0 ? RC_OK
                                     : check_note(walk, row.size - row.count, row.note_before);
}

static enum rc check_commits(struct walk *walk)
{
    OWN_PTR(cursor) cursor = NULL;
    struct row row;
    enum rc rc;

    begin_step(walk->progress, "commits", "");
    TRY(cursor_open(walk->txn, TABLE_COMMIT, (struct bytes){0}, &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        note_row(walk->progress, row.key);
        if (row.key.size != 9 || row.key.data[8] > LOGROW_BODIES) {
            return bad_row("commit", walk->progress->rows, "its key");
        }
        if (row.key.data[8] == LOGROW_LOG) {
            TRY(check_commit(walk, get_u64(row.key.data)));
        } else if (get_u64(row.key.data) != walk->frontier.size) {
            return bad_commit(get_u64(row.key.data), "it has bodies and no leaves");
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc check_notes(struct walk *walk)
{
    OWN_PTR(cursor) cursor = NULL;
    struct row row;
    enum rc rc;

    begin_step(walk->progress, "checkpoints", "");
    TRY(cursor_open(walk->txn, TABLE_CHECKPOINT, (struct bytes){0}, &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        note_row(walk->progress, row.key);
        if (row.key.size != 8) {
            return bad_row("checkpoint", walk->progress->rows, "its key");
        }
        TRY(check_note(walk, get_u64(row.key.data), row.value));
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc walk_log(struct walk *walk)
{
    struct pruning pruning;

    TRY(pruning_proven(walk->txn, &pruning));
    walk->minimum = walk->progress->minimum = pruning.minimum;
    TRY(check_commits(walk));
    return check_notes(walk);
}

enum rc dbcheck_log(struct db *db, const struct vkey *vkey, struct vault *vault,
                    struct dbcheck_progress *progress)
{
    OWN_PTR(arena) arena = arena_new(BODY_ARENA_MAX);
    struct tree_memo *memo = calloc(1, sizeof *memo);
    OWN_READ(txn) = NULL;
    struct walk walk = {.vkey = vkey, .vault = vault, .arena = arena, .progress = progress};
    enum rc rc = arena != NULL && memo != NULL ? txn_read(db, &txn) : RC_RESOURCE_EXHAUSTED;

    if (rc == RC_OK) {
        walk.txn = txn;
        walk.source = tree_source(txn, memo);
        rc = walk_log(&walk);
    }
    free(memo);
    return rc;
}

/* ---- what was witnessed ---- */

static bool is_of(const struct vkey *vkey, struct bytes key)
{
    const struct bytes name = bytes_text(vkey->name);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&name, 1, digest);
    return bytes_equal(key, BYTES_OF(digest));
}

static enum rc check_seen(const struct row *row, const struct vkey *vkey)
{
    struct reader reader = {.rest = row->value};
    struct checkpoint checkpoint;
    uint64_t size = reader_u64(&reader);
    struct bytes root = reader_take(&reader, DIGEST_SIZE);

    return !reader.is_failed && checkpoint_open(reader.rest, vkey, NULL, &checkpoint) == RC_OK &&
                   checkpoint.size == size && bytes_equal(root, BYTES_OF(checkpoint.root))
               ? RC_OK
               : failed(RC_DATA_LOSS, "store.damaged", "table=seen origin=%s cause=its note",
                        vkey->name);
}

enum rc dbcheck_seen(struct db *db, const struct vkey *vkeys, size_t count,
                     struct dbcheck_progress *progress)
{
    OWN_PTR(cursor) cursor = NULL;
    OWN_READ(txn) = NULL;
    struct row row;
    enum rc rc;

    begin_step(progress, "witnessed checkpoints", "");
    TRY(txn_read(db, &txn));
    TRY(cursor_open(txn, TABLE_SEEN, (struct bytes){0}, &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        note_row(progress, row.key);
        for (size_t i = 0; i < count; i++) {
            if (is_of(&vkeys[i], row.key)) {
                TRY(check_seen(&row, &vkeys[i]));
            }
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
