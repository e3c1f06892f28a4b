#include "store/logrow.h"

#include <assert.h>
#include <string.h>

#include "store/append.h"
#include "store/dbkey.h"
#include "tlog/leaf.h"
#include "tlog/view.h"

#define KEY_SIZE 9
#define END_SIZE 4

static void key_of(uint64_t size, struct dbkey *key)
{
    dbkey_u64(key, size);
    dbkey_put_u8(key, LOGROW_LOG);
}

/* ---- putting ---- */

static uint8_t *copy_to(uint8_t *at, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(at, data, size);
    }
    return at + size;
}

static size_t nodes_size(const struct view *view)
{
    size_t total = 0;

    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        size_t count;

        (void)view_nodes(view, level, &count);
        total += count * DIGEST_SIZE;
    }
    return total;
}

static uint8_t *put_nodes(uint8_t *at, const struct view *view)
{
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        size_t count;
        const uint8_t *nodes = view_nodes(view, level, &count);

        at = copy_to(at, nodes, count * DIGEST_SIZE);
    }
    return at;
}

enum rc logrow_put(struct txn *txn, const struct view *view, struct bytes note_before,
                   const struct gathered *gathered)
{
    uint32_t count = (uint32_t)(view_size(view) - view_old_size(view));
    size_t size = 4 + DIGEST_SIZE + 2 + note_before.size + gathered->leaves.size +
                  nodes_size(view) + gathered->ends.size + gathered->records.size;
    struct dbkey key;
    uint8_t *row;
    uint8_t *at;

    assert(gathered->leaves.size == (size_t)count * LEAF_SIZE && note_before.size <= UINT16_MAX);
    assert(gathered->ends.size == (size_t)count * END_SIZE);
    key_of(view_size(view), &key);
    TRY(table_reserve(txn, TABLE_COMMIT, dbkey_bytes(&key), size, &row));
    put_u32(row, count);
    at = copy_to(row + 4, view_root(view), DIGEST_SIZE);
    put_u16(at, (uint16_t)note_before.size);
    at = copy_to(at + 2, note_before.data, note_before.size);
    at = copy_to(at, gathered->leaves.data, gathered->leaves.size);
    at = put_nodes(at, view);
    at = copy_to(at, gathered->ends.data, gathered->ends.size);
    at = copy_to(at, gathered->records.data, gathered->records.size);
    assert(at == row + size);
    return RC_OK;
}

/* ---- getting ---- */

static enum rc damaged(uint64_t size, const char *cause)
{
    return failed(RC_DATA_LOSS, "log.row", "size=%llu cause=%s", (unsigned long long)size, cause);
}

/* Nodes of the levels below that became complete with the leaves from before to size. */
static size_t nodes_below(uint64_t before, uint64_t size, unsigned levels)
{
    size_t total = 0;

    for (unsigned level = 0; level < levels && size >> level != 0; level++) {
        total += (size_t)((size >> level) - (before >> level));
    }
    return total;
}

enum rc logrow_read(struct bytes key, struct bytes value, struct logrow *row)
{
    struct reader reader = {.rest = value};
    uint64_t size = get_u64(key.data);

    if (key.size != KEY_SIZE || key.data[8] != LOGROW_LOG || size > FRONTIER_SIZE_MAX) {
        return damaged(size, "key");
    }
    row->size = size;
    row->count = reader_u32(&reader);
    if (row->count == 0 || row->count > size || row->count > value.size / LEAF_SIZE) {
        return damaged(size, "count");
    }
    row->root = reader_take(&reader, DIGEST_SIZE).data;
    row->note_before = reader_take(&reader, reader_u16(&reader));
    row->leaves = reader_take(&reader, (size_t)row->count * LEAF_SIZE).data;
    row->nodes =
        reader_take(&reader, nodes_below(size - row->count, size, FRONTIER_LEVELS) * DIGEST_SIZE)
            .data;
    row->ends = reader_take(&reader, (size_t)row->count * END_SIZE).data;
    row->records = reader.rest;
    return reader.is_failed ? damaged(size, "too short") : RC_OK;
}

enum rc logrow_get(struct txn *txn, uint64_t size, struct logrow *row)
{
    struct dbkey key;
    struct bytes value;

    key_of(size, &key);
    TRY(table_get(txn, TABLE_COMMIT, dbkey_bytes(&key), &value));
    return logrow_read(dbkey_bytes(&key), value, row);
}

enum rc logrow_of_leaf(struct txn *txn, uint64_t index, struct logrow *row)
{
    struct dbkey key;
    struct row found;

    if (index >= FRONTIER_SIZE_MAX) {
        return RC_NOT_FOUND;
    }
    key_of(index + 1, &key);
    TRY(table_from(txn, TABLE_COMMIT, dbkey_bytes(&key), &found));
    if (found.key.size != KEY_SIZE) {
        return damaged(index + 1, "key");
    }
    TRY(logrow_read(found.key, found.value, row));
    return index >= row->size - row->count ? RC_OK : damaged(row->size, "a commit is missing");
}

enum rc logrow_last(struct txn *txn, struct logrow *row)
{
    struct row last;
    enum rc rc;

    TRY(table_last(txn, TABLE_COMMIT, &last));
    if (last.key.size != KEY_SIZE) {
        return damaged(0, "key");
    }
    rc = logrow_get(txn, get_u64(last.key.data), row);
    return rc == RC_NOT_FOUND ? damaged(get_u64(last.key.data), "bodies without leaves") : rc;
}

const uint8_t *logrow_leaf(const struct logrow *row, uint64_t index)
{
    uint64_t first = row->size - row->count;

    assert(index >= first && index < row->size);
    return row->leaves + (size_t)(index - first) * LEAF_SIZE;
}

const uint8_t *logrow_node(const struct logrow *row, unsigned level, uint64_t index)
{
    uint64_t before = row->size - row->count;

    if (level >= FRONTIER_LEVELS || index < before >> level || index >= row->size >> level) {
        return NULL;
    }
    return row->nodes +
           (nodes_below(before, row->size, level) + (size_t)(index - (before >> level))) *
               DIGEST_SIZE;
}

enum rc logrow_record(const struct logrow *row, uint64_t index, struct bytes *record)
{
    size_t place = (size_t)(index - (row->size - row->count));
    const uint8_t *at = row->ends + place * END_SIZE;
    size_t begin = place > 0 ? get_u32(at - END_SIZE) : 0;
    size_t end = get_u32(at);

    if (begin > end || end > row->records.size) {
        return damaged(row->size, "record");
    }
    *record = BYTES(row->records.data + begin, end - begin);
    return RC_OK;
}

/* ---- pruning ---- */

static bool may_go(const struct logrow *row, uint64_t index, uint64_t minimum)
{
    struct leaf leaf;

    return index < minimum &&
           leaf_decode(BYTES(logrow_leaf(row, index), LEAF_SIZE), &leaf) == RC_OK &&
           leaf.class == LEAF_RECORD;
}

enum rc logrow_prune(struct txn *txn, const struct logrow *row, uint64_t minimum, size_t *written)
{
    const uint8_t *begin = row->root - 4;
    OWN(buffer) value = {0};
    OWN(buffer) kept = {0};
    struct dbkey key;

    buffer_put(&value, begin, (size_t)(row->ends - begin));
    for (uint64_t index = row->size - row->count; index < row->size; index++) {
        struct bytes record;

        TRY(logrow_record(row, index, &record));
        if (!may_go(row, index, minimum)) {
            buffer_put_bytes(&kept, record);
        }
        buffer_put_u32(&value, (uint32_t)kept.size);
    }
    if (kept.size == row->records.size) {
        return RC_OK;
    }
    buffer_put_bytes(&value, buffer_bytes(&kept));
    if (value.is_failed || kept.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    key_of(row->size, &key);
    *written += value.size;
    return table_put(txn, TABLE_COMMIT, dbkey_bytes(&key), buffer_bytes(&value));
}

bool logrow_is_pruned(const struct logrow *before, const struct logrow *now)
{
    const uint8_t *begin = before->root - 4;
    size_t same = (size_t)(before->ends - begin);

    if (before->size != now->size || now->ends - (now->root - 4) != before->ends - begin ||
        memcmp(begin, now->root - 4, same) != 0) {
        return false;
    }
    for (uint64_t index = now->size - now->count; index < now->size; index++) {
        struct bytes was;
        struct bytes is;

        if (logrow_record(before, index, &was) != RC_OK ||
            logrow_record(now, index, &is) != RC_OK ||
            (!bytes_equal(was, is) && (is.size > 0 || !may_go(now, index, UINT64_MAX)))) {
            return false;
        }
    }
    return true;
}
