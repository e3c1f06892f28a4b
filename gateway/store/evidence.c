#include "store/evidence.h"

#include <string.h>

#include "store/dbkey.h"
#include "tlog/tlog_proof.h"

/*
 *     evidence    u64 own index -> leaf[200] | SHA-256(origin)[32] | u64 size | path, 32 bytes each
 *     note        SHA-256(origin)[32] | u64 size -> signed note
 */
static void note_key(const uint8_t origin[DIGEST_SIZE], uint64_t size, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put(key, BYTES(origin, DIGEST_SIZE));
    dbkey_put_u64(key, size);
}

static enum rc check_bounds(const struct evidence *evidence)
{
    struct leaf leaf;

    TRY(leaf_decode(evidence->leaf, &leaf));
    if (evidence->path->count > TLOG_PROOF_HASHES_MAX || evidence->note.size == 0 ||
        evidence->note.size > CHECKPOINT_SIZE_MAX || leaf.index >= evidence->checkpoint->size) {
        return RC_INVALID_ARGUMENT;
    }
    return RC_OK;
}

/* The three lines, which say origin, size and root; cosignatures may differ. */
static enum rc same_text(struct bytes stored, const struct checkpoint *checkpoint)
{
    OWN(buffer) text = {0};

    checkpoint_text(checkpoint, &text);
    if (text.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (dbkey_has_prefix(stored, buffer_bytes(&text))) {
        return RC_OK;
    }
    return failed(RC_DATA_LOSS, "evidence.fork", "origin=%s size=%llu cause=two roots",
                  checkpoint->origin, (unsigned long long)checkpoint->size);
}

static enum rc put_row(struct txn *txn, const struct dbkey *key, const uint8_t origin[DIGEST_SIZE],
                       const struct evidence *evidence)
{
    OWN(buffer) row = {0};

    buffer_put_bytes(&row, evidence->leaf);
    buffer_put(&row, origin, DIGEST_SIZE);
    buffer_put_u64(&row, evidence->checkpoint->size);
    buffer_put(&row, evidence->path->hashes, evidence->path->count * DIGEST_SIZE);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return table_add(txn, TABLE_EVIDENCE, dbkey_bytes(key), buffer_bytes(&row));
}

static enum rc find_note(struct txn *txn, const struct checkpoint *checkpoint,
                         uint8_t origin[DIGEST_SIZE], struct dbkey *key)
{
    struct bytes name = bytes_text(checkpoint->origin);
    struct bytes stored;

    digest_of(&name, 1, origin);
    note_key(origin, checkpoint->size, key);
    TRY(table_get(txn, TABLE_NOTE, dbkey_bytes(key), &stored));
    return same_text(stored, checkpoint);
}

enum rc evidence_check(struct txn *txn, const struct checkpoint *checkpoint)
{
    uint8_t origin[DIGEST_SIZE];
    struct dbkey key;
    enum rc rc = find_note(txn, checkpoint, origin, &key);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc evidence_put(struct txn *txn, uint64_t own_index, const struct evidence *evidence)
{
    uint8_t origin[DIGEST_SIZE];
    struct dbkey note;
    struct dbkey key;
    enum rc rc;

    TRY(check_bounds(evidence));
    rc = find_note(txn, evidence->checkpoint, origin, &note);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    dbkey_u64(&key, own_index);
    TRY(put_row(txn, &key, origin, evidence));
    if (rc == RC_NOT_FOUND) {
        return table_add(txn, TABLE_NOTE, dbkey_bytes(&note), evidence->note);
    }
    return RC_OK;
}

static enum rc read_path(struct reader *reader, struct proof *path)
{
    size_t count = reader->rest.size / DIGEST_SIZE;

    if (count > TLOG_PROOF_HASHES_MAX) {
        return failed(RC_DATA_LOSS, "evidence.row", "cause=path too long");
    }
    path->count = count;
    reader_copy(reader, path->hashes, count * DIGEST_SIZE);
    return reader_is_done(reader) ? RC_OK : failed(RC_DATA_LOSS, "evidence.row", "cause=damaged");
}

enum rc evidence_get(struct txn *txn, uint64_t own_index, uint8_t leaf[LEAF_SIZE],
                     struct buffer *tlog_proof)
{
    struct reader reader = {0};
    uint8_t origin[DIGEST_SIZE];
    uint8_t entry[LEAF_SIZE];
    struct leaf decoded;
    struct proof path;
    struct dbkey key;
    struct bytes note;
    uint64_t size;

    dbkey_u64(&key, own_index);
    TRY(table_get(txn, TABLE_EVIDENCE, dbkey_bytes(&key), &reader.rest));
    reader_copy(&reader, entry, sizeof entry);
    reader_copy(&reader, origin, sizeof origin);
    size = reader_u64(&reader);
    TRY(read_path(&reader, &path));
    note_key(origin, size, &key);
    if (table_get(txn, TABLE_NOTE, dbkey_bytes(&key), &note) != RC_OK ||
        leaf_decode(BYTES_OF(entry), &decoded) != RC_OK) {
        return failed(RC_DATA_LOSS, "evidence.row", "index=%llu cause=no checkpoint or no leaf",
                      (unsigned long long)own_index);
    }
    tlog_proof_write(decoded.index, &path, (struct bytes){0}, note, tlog_proof);
    if (tlog_proof->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(leaf, entry, sizeof entry);
    return RC_OK;
}
