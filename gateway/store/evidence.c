#include "store/evidence.h"

#include <string.h>

#include "store/append.h"
#include "store/dbkey.h"
#include "store/numbered.h"
#include "tlog/tlog_proof.h"

/*
 *     evidence    u64 own index -> u64 number
 *     proof       by number: leaf[200] | SHA-256(origin)[32] | u64 size, then the path, 32 bytes
 * each note        SHA-256(origin)[32] | u64 size -> signed note
 */
#define HEAD_SIZE (LEAF_SIZE + DIGEST_SIZE + 8)

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

/* Kept until the batch is done: inside the writer it belongs to what that gathers. */
static enum rc add_proof(struct txn *txn, uint8_t head[HEAD_SIZE],
                         const uint8_t origin[DIGEST_SIZE], const struct evidence *evidence,
                         uint64_t *number)
{
    memcpy(head, evidence->leaf.data, LEAF_SIZE);
    memcpy(head + LEAF_SIZE, origin, DIGEST_SIZE);
    put_u64(head + LEAF_SIZE + DIGEST_SIZE, evidence->checkpoint->size);
    return numbered_add(txn, TABLE_PROOF, BYTES(head, HEAD_SIZE),
                        BYTES(evidence->path->hashes, evidence->path->count * DIGEST_SIZE), number);
}

static enum rc put_proof(struct txn *txn, const uint8_t origin[DIGEST_SIZE],
                         const struct evidence *evidence, uint64_t *number)
{
    struct append *append = txn_append(txn);
    uint8_t alone[HEAD_SIZE];
    uint8_t *head = append != NULL ? gathered_alloc(append->gathered, HEAD_SIZE) : alone;

    return head != NULL ? add_proof(txn, head, origin, evidence, number) : RC_RESOURCE_EXHAUSTED;
}

static enum rc put_rows(struct txn *txn, uint64_t own_index, const uint8_t origin[DIGEST_SIZE],
                        const struct evidence *evidence)
{
    uint8_t row[8];
    struct dbkey key;
    struct bytes there;
    uint64_t number;
    enum rc rc;

    dbkey_u64(&key, own_index);
    rc = table_get(txn, TABLE_EVIDENCE, dbkey_bytes(&key), &there);
    if (rc != RC_NOT_FOUND) {
        return rc == RC_OK ? RC_ALREADY_EXISTS : rc;
    }
    TRY(put_proof(txn, origin, evidence, &number));
    put_u64(row, number);
    return table_put(txn, TABLE_EVIDENCE, dbkey_bytes(&key), BYTES_OF(row));
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
    enum rc rc;

    TRY(check_bounds(evidence));
    rc = find_note(txn, evidence->checkpoint, origin, &note);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(put_rows(txn, own_index, origin, evidence));
    if (rc == RC_NOT_FOUND) {
        return table_add(txn, TABLE_NOTE, dbkey_bytes(&note), evidence->note);
    }
    return RC_OK;
}

static enum rc damaged(uint64_t own_index, const char *cause)
{
    return failed(RC_DATA_LOSS, "evidence.row", "index=%llu cause=%s",
                  (unsigned long long)own_index, cause);
}

static enum rc find_proof(struct txn *txn, uint64_t own_index, struct pack_item *item)
{
    struct dbkey key;
    struct bytes row;
    enum rc rc;

    dbkey_u64(&key, own_index);
    TRY(table_get(txn, TABLE_EVIDENCE, dbkey_bytes(&key), &row));
    if (row.size != 8) {
        return damaged(own_index, "number");
    }
    rc = numbered_get(txn, TABLE_PROOF, get_u64(row.data), item);
    if (rc == RC_NOT_FOUND) {
        return damaged(own_index, "no proof");
    }
    TRY(rc);
    return item->first.size == HEAD_SIZE && item->second.size % DIGEST_SIZE == 0 &&
                   item->second.size / DIGEST_SIZE <= TLOG_PROOF_HASHES_MAX
               ? RC_OK
               : damaged(own_index, "another length");
}

enum rc evidence_get(struct txn *txn, uint64_t own_index, uint8_t leaf[LEAF_SIZE],
                     struct buffer *tlog_proof)
{
    struct pack_item item;
    struct leaf decoded;
    struct proof path;
    struct dbkey key;
    struct bytes note;

    TRY(find_proof(txn, own_index, &item));
    path.count = item.second.size / DIGEST_SIZE;
    if (path.count > 0) {
        memcpy(path.hashes, item.second.data, item.second.size);
    }
    note_key(item.first.data + LEAF_SIZE, get_u64(item.first.data + LEAF_SIZE + DIGEST_SIZE), &key);
    if (table_get(txn, TABLE_NOTE, dbkey_bytes(&key), &note) != RC_OK ||
        leaf_decode(BYTES(item.first.data, LEAF_SIZE), &decoded) != RC_OK) {
        return damaged(own_index, "no checkpoint or no leaf");
    }
    tlog_proof_write(decoded.index, &path, (struct bytes){0}, note, tlog_proof);
    if (tlog_proof->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(leaf, item.first.data, LEAF_SIZE);
    return RC_OK;
}
