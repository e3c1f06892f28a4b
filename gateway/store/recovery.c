#include "store/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "store/auditlog.h"
#include "store/dbkey.h"
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

static enum rc check_commit(struct txn *txn, const struct checkpoint *checkpoint)
{
    struct tree_commit newest;
    enum rc rc = tree_commit_last(txn, &newest);

    if (rc == RC_NOT_FOUND && checkpoint->size == 0) {
        return RC_OK;
    }
    if (rc == RC_NOT_FOUND) {
        return contradiction(checkpoint->size, "a tree without a commit");
    }
    TRY(rc);
    if (newest.size != checkpoint->size) {
        return contradiction(checkpoint->size, "the newest commit has another size");
    }
    if (!digest_equal(newest.root, checkpoint->root)) {
        return contradiction(checkpoint->size, "the edge is not that of the newest commit");
    }
    return RC_OK;
}

static enum rc check_rows(struct txn *txn, const struct checkpoint *checkpoint)
{
    struct tree_memo *memo = calloc(1, sizeof *memo);
    struct tree_source source = tree_source(txn, memo);
    uint8_t root[DIGEST_SIZE];
    enum rc rc;

    if (memo == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = tree_root(&source, checkpoint->size, root);
    free(memo);
    TRY(rc);
    return digest_equal(root, checkpoint->root)
               ? RC_OK
               : contradiction(checkpoint->size, "the hash rows have another root");
}

static enum rc check_last_leaf(struct txn *txn, uint64_t size, const struct tree_edge *edge)
{
    struct row last;
    struct leaf leaf;
    enum rc rc = table_last(txn, TABLE_ENTRY, &last);

    if (rc == RC_NOT_FOUND) {
        return size == 0 ? RC_OK : contradiction(size, "no leaf");
    }
    TRY(rc);
    if (last.key.size != 8 || get_u64(last.key.data) + 1 != size) {
        return contradiction(size, "the last leaf is not at the end of the tree");
    }
    if (leaf_decode(last.value, &leaf) != RC_OK || leaf.index + 1 != size ||
        leaf.time_s > edge->last_time_s) {
        return contradiction(size, "the last leaf is damaged");
    }
    return RC_OK;
}

/* The last leaf's hash stands in the tree: at level 0 the edge has it, or a row does. */
static enum rc check_last_hash(struct txn *txn, uint64_t size)
{
    struct dbkey key;
    struct bytes leaf;
    struct bytes row;
    uint8_t hash[DIGEST_SIZE];
    size_t place = (size_t)((size - 1) % 16) * DIGEST_SIZE;

    TRY(auditlog_leaf(txn, size - 1, &leaf));
    merkle_leaf(leaf, hash);
    dbkey_clear(&key);
    dbkey_put_u8(&key, 0);
    dbkey_put_u64(&key, (size - 1) / 16);
    TRY(table_get(txn, TABLE_HASH, dbkey_bytes(&key), &row));
    if (row.size < place + DIGEST_SIZE || !digest_equal(row.data + place, hash)) {
        return contradiction(size, "the last leaf is not the one in the tree");
    }
    return RC_OK;
}

/* Only the newest commit may be unsigned, so the newest note is its or the one before it. */
static enum rc newest_note(struct txn *txn, struct tree_commit *commit)
{
    struct dbkey key;
    struct row row;

    TRY(tree_commit_last(txn, commit));
    if (commit->note.size > 0) {
        return RC_OK;
    }
    dbkey_u64(&key, commit->size);
    TRY(table_before(txn, TABLE_CHECKPOINT, dbkey_bytes(&key), &row));
    if (row.key.size != 8) {
        return contradiction(commit->size, "a checkpoint's key");
    }
    return tree_commit_get(txn, get_u64(row.key.data), commit);
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

    TRY(tree_edge_get(txn, &recovery->edge));
    memcpy(checkpoint->origin, origin, strlen(origin) + 1);
    checkpoint->size = recovery->edge.frontier.size;
    frontier_root(&recovery->edge.frontier, checkpoint->root);
    TRY(check_commit(txn, checkpoint));
    TRY(check_rows(txn, checkpoint));
    TRY(check_last_leaf(txn, checkpoint->size, &recovery->edge));
    if (checkpoint->size > 0) {
        TRY(check_last_hash(txn, checkpoint->size));
    }
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
