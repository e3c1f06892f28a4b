#include "store/auditlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/append.h"
#include "store/table.h"
#include "store/tree.h"
#include "tlog/merkle.h"
#include "tlog/tlog_proof.h"
#include "tlog/view.h"

struct auditlog_reader {
    struct tree_memo memo;
};

int64_t auditlog_time_ms(struct txn *txn)
{
    const struct append *append = txn_append(txn);

    assert(append != NULL);
    return (int64_t)append->time_s * 1000;
}

enum rc auditlog_append(struct txn *txn, struct leaf *leaf, struct bytes record,
                        const uint8_t blind[COMMIT_BLIND_SIZE], uint64_t *index)
{
    struct append *append = txn_append(txn);
    struct gathered *gathered;
    uint8_t entry[LEAF_SIZE];
    uint8_t hash[DIGEST_SIZE];

    assert(append != NULL && append->left > 0);
    TRY(table_gather(txn));
    gathered = append->gathered;
    leaf->index = append->size;
    leaf->time_s = append->time_s;
    leaf_encode(leaf, entry);
    buffer_put(&gathered->leaves, entry, sizeof entry);
    if (blind != NULL) {
        buffer_put(&gathered->records, blind, COMMIT_BLIND_SIZE);
        buffer_put_bytes(&gathered->records, record);
    }
    buffer_put_u32(&gathered->ends, (uint32_t)gathered->records.size);
    if (gathered->leaves.is_failed || gathered->records.is_failed || gathered->ends.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    merkle_leaf(BYTES_OF(entry), hash);
    TRY(view_append(append->view, hash));
    append->size++;
    append->left--;
    *index = leaf->index;
    return RC_OK;
}

enum rc auditlog_size(struct txn *txn, uint64_t *size)
{
    struct logrow row;
    enum rc rc = logrow_last(txn, &row);

    *size = rc == RC_OK ? row.size : 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc auditlog_leaf(struct txn *txn, uint64_t index, struct bytes *leaf)
{
    struct logrow row;

    TRY(logrow_of_leaf(txn, index, &row));
    *leaf = BYTES(logrow_leaf(&row, index), LEAF_SIZE);
    return RC_OK;
}

enum rc auditlog_record(struct txn *txn, uint64_t index, struct bytes *blind, struct bytes *record)
{
    struct logrow row;
    struct bytes found;

    TRY(logrow_of_leaf(txn, index, &row));
    TRY(logrow_record(&row, index, &found));
    if (found.size == 0) {
        return RC_NOT_FOUND;
    }
    if (found.size < COMMIT_BLIND_SIZE) {
        return failed(RC_DATA_LOSS, "log.record", "index=%llu cause=damaged",
                      (unsigned long long)index);
    }
    *blind = BYTES(found.data, COMMIT_BLIND_SIZE);
    *record = BYTES(found.data + COMMIT_BLIND_SIZE, found.size - COMMIT_BLIND_SIZE);
    return RC_OK;
}

enum rc auditlog_commit_size(struct txn *txn, uint64_t index, uint64_t *size)
{
    struct logrow row;

    TRY(logrow_of_leaf(txn, index, &row));
    *size = row.size;
    return RC_OK;
}

struct auditlog_reader *auditlog_reader_new(void)
{
    return calloc(1, sizeof(struct auditlog_reader));
}

void auditlog_reader_free(struct auditlog_reader *reader)
{
    free(reader);
}

/* A proof about a tree that is not there yet would be a promise. */
static enum rc check_size(struct txn *txn, uint64_t size)
{
    uint64_t now;

    TRY(auditlog_size(txn, &now));
    return size <= now ? RC_OK : RC_OUT_OF_RANGE;
}

enum rc auditlog_inclusion(struct auditlog_reader *reader, struct txn *txn, uint64_t index,
                           uint64_t size, struct proof *proof)
{
    struct tree_source source = tree_source(txn, &reader->memo);

    TRY(check_size(txn, size));
    return proof_inclusion(&source.source, index, size, proof);
}

enum rc auditlog_consistency(struct auditlog_reader *reader, struct txn *txn, uint64_t old_size,
                             uint64_t new_size, struct proof *proof)
{
    struct tree_source source = tree_source(txn, &reader->memo);

    TRY(check_size(txn, new_size));
    return proof_consistency(&source.source, old_size, new_size, proof);
}

enum rc auditlog_root(struct auditlog_reader *reader, struct txn *txn, uint64_t size,
                      uint8_t root[DIGEST_SIZE])
{
    struct tree_source source = tree_source(txn, &reader->memo);

    TRY(check_size(txn, size));
    return tree_root(&source, size, root);
}

static enum rc commit_note(struct txn *txn, const struct keyring *keyring,
                           const struct tree_commit *commit, struct buffer *note)
{
    struct checkpoint checkpoint = {.size = commit->size};
    const char *origin = db_origin(txn_db(txn));

    if (commit->note.size > 0) {
        buffer_put_bytes(note, commit->note);
        return note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
    }
    memcpy(checkpoint.origin, origin, strlen(origin) + 1);
    memcpy(checkpoint.root, commit->root, DIGEST_SIZE);
    return checkpoint_sign(&checkpoint, keyring, note);
}

enum rc auditlog_checkpoint(struct txn *txn, const struct keyring *keyring, uint64_t size,
                            struct buffer *note)
{
    struct tree_commit commit;

    TRY(tree_commit_get(txn, size, &commit));
    return commit_note(txn, keyring, &commit, note);
}

enum rc auditlog_receipt(struct auditlog_reader *reader, struct txn *txn,
                         const struct keyring *keyring, uint64_t index, struct buffer *text)
{
    OWN(buffer) note = {0};
    struct tree_source source = tree_source(txn, &reader->memo);
    struct tree_commit commit;
    struct proof path;

    TRY(tree_commit_past(txn, index, &commit));
    TRY(proof_inclusion(&source.source, index, commit.size, &path));
    TRY(commit_note(txn, keyring, &commit, &note));
    tlog_proof_write(index, &path, (struct bytes){0}, buffer_bytes(&note), text);
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
