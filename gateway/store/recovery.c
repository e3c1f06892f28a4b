#include "store/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "store/auditlog.h"
#include "store/table.h"
#include "tlog/merkle.h"

void recovery_release(struct recovery *recovery)
{
    buffer_release(&recovery->note);
}

static enum rc contradiction(uint64_t size, const char *cause)
{
    return failed(RC_DATA_LOSS, "log.contradiction",
                  "size=%llu cause=%s remedy=restore the store or begin a new epoch",
                  (unsigned long long)size, cause);
}

/* Each leaf of the newest commit is the one in the tree; the last says the time. */
static enum rc check_leaves(const struct logrow *row, uint64_t *last_time_s)
{
    for (uint64_t index = row->size - row->count; index < row->size; index++) {
        struct bytes entry = BYTES(logrow_leaf(row, index), LEAF_SIZE);
        uint8_t hash[DIGEST_SIZE];
        struct leaf leaf;

        if (leaf_decode(entry, &leaf) != RC_OK || leaf.index != index) {
            return contradiction(row->size, "a leaf of the newest commit is damaged");
        }
        merkle_leaf(entry, hash);
        if (!digest_equal(hash, logrow_node(row, 0, index))) {
            return contradiction(row->size, "a leaf of the newest commit is not in the tree");
        }
        *last_time_s = leaf.time_s;
    }
    return RC_OK;
}

static enum rc read_edge(struct txn *txn, const struct logrow *row, struct recovery *recovery)
{
    struct tree_memo *memo = calloc(1, sizeof *memo);
    struct tree_source source = tree_source(txn, memo);
    enum rc rc;

    if (memo == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = tree_edge(&source, row->size, &recovery->edge.frontier);
    free(memo);
    TRY(rc);
    frontier_root(&recovery->edge.frontier, recovery->checkpoint.root);
    return digest_equal(row->root, recovery->checkpoint.root)
               ? RC_OK
               : contradiction(row->size, "the nodes lead to another root");
}

static enum rc check_before(struct txn *txn, const struct logrow *row)
{
    struct logrow before;
    enum rc rc;

    if (row->size == row->count) {
        return RC_OK;
    }
    rc = logrow_get(txn, row->size - row->count, &before);
    return rc == RC_NOT_FOUND ? contradiction(row->size, "the commit before is missing") : rc;
}

/* A note that was stored apart, of a tree that is not there. */
static enum rc check_apart(struct txn *txn, uint64_t size)
{
    struct row last;
    enum rc rc = table_last(txn, TABLE_CHECKPOINT, &last);

    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    TRY(rc);
    return last.key.size == 8 && get_u64(last.key.data) <= size
               ? RC_OK
               : contradiction(size, "a commit with a checkpoint is missing");
}

/* Only the newest commit may be unsigned, so the newest note is its or the one before it. */
static enum rc newest_note(struct txn *txn, struct tree_commit *commit)
{
    struct logrow row;

    TRY(logrow_last(txn, &row));
    TRY(tree_commit_get(txn, row.size, commit));
    if (commit->note.size > 0 || row.size == row.count) {
        return commit->note.size > 0 ? RC_OK : RC_NOT_FOUND;
    }
    TRY(tree_commit_get(txn, row.size - row.count, commit));
    return commit->note.size > 0 ? RC_OK
                                 : contradiction(commit->size, "two commits without a note");
}

static enum rc check_note(struct txn *txn, const struct keyring *keyring)
{
    struct tree_commit commit;
    struct checkpoint signed_then;
    struct vkey vkey;
    enum rc rc = newest_note(txn, &commit);

    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    TRY(rc);
    TRY(vkey_of(db_origin(txn_db(txn)), VKEY_ED25519, keyring, &vkey));
    rc = checkpoint_open(commit.note, &vkey, NULL, &signed_then);
    if (rc == RC_NOT_FOUND) {
        return failed(RC_FAILED_PRECONDITION, "log.key",
                      "size=%llu cause=the newest checkpoint is signed by another key remedy=start "
                      "with the log key that signed it",
                      (unsigned long long)commit.size);
    }
    if (rc != RC_OK || signed_then.size != commit.size ||
        !digest_equal(signed_then.root, commit.root)) {
        return contradiction(commit.size, "the newest note is not of its commit");
    }
    return RC_OK;
}

static enum rc check_all(struct txn *txn, const struct keyring *keyring, struct recovery *recovery)
{
    struct checkpoint *checkpoint = &recovery->checkpoint;
    const char *origin = db_origin(txn_db(txn));

    struct logrow row;
    enum rc rc = logrow_last(txn, &row);

    memcpy(checkpoint->origin, origin, strlen(origin) + 1);
    if (rc == RC_NOT_FOUND) {
        frontier_root(&recovery->edge.frontier, checkpoint->root);
        return check_apart(txn, 0);
    }
    TRY(rc);
    checkpoint->size = row.size;
    TRY(check_apart(txn, row.size));
    TRY(check_before(txn, &row));
    TRY(read_edge(txn, &row, recovery));
    TRY(check_leaves(&row, &recovery->edge.last_time_s));
    return check_note(txn, keyring);
}

/* The commit is on disk, so it may be signed now if that did not happen then. */
static enum rc find_note(struct txn *txn, const struct keyring *keyring, struct recovery *recovery)
{
    struct tree_commit commit;

    if (recovery->checkpoint.size == 0) {
        recovery->is_note_stored = true; /* the empty tree has no row */
        return checkpoint_sign(&recovery->checkpoint, keyring, &recovery->note);
    }
    TRY(tree_commit_get(txn, recovery->checkpoint.size, &commit));
    recovery->is_note_stored = commit.note.size > 0;
    return auditlog_checkpoint(txn, keyring, commit.size, &recovery->note);
}

enum rc recovery_run(struct db *db, const struct keyring *keyring, struct recovery *recovery)
{
    OWN_READ(txn) = NULL;

    memset(recovery, 0, sizeof *recovery);
    TRY(txn_read(db, &txn));
    TRY(check_all(txn, keyring, recovery));
    return find_note(txn, keyring, recovery);
}
