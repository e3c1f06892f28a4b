#include "store/body.h"

#include <assert.h>

#include "store/append.h"
#include "store/dbkey.h"
#include "store/logrow.h"

static void key_of(uint64_t size, struct dbkey *key)
{
    dbkey_u64(key, size);
    dbkey_put_u8(key, LOGROW_BODIES);
}

/* ---- putting ---- */

enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body)
{
    const struct append *append = txn_append(txn);
    const struct pack_item item = {.index = index, .first = keys, .second = body};
    struct pack *bodies;

    assert(append != NULL && index < append->size && keys.size > 0);
    bodies = &append->gathered->bodies;
    assert(bodies->count == 0 || bodies->items[bodies->count - 1].index < index);
    TRY(table_gather(txn));
    return pack_add(bodies, &item);
}

enum rc body_put_gathered(struct txn *txn, const struct append *append)
{
    const struct pack *bodies = &append->gathered->bodies;
    struct dbkey key;
    uint8_t *row;

    if (bodies->count == 0) {
        return RC_OK;
    }
    key_of(append->size, &key);
    TRY(table_reserve(txn, TABLE_COMMIT, dbkey_bytes(&key), pack_size(bodies), &row));
    pack_write(bodies, row);
    return RC_OK;
}

/* ---- getting ---- */

static enum rc checked(enum rc rc, uint64_t index)
{
    return rc == RC_DATA_LOSS
               ? failed(rc, "body.row", "index=%llu cause=damaged", (unsigned long long)index)
               : rc;
}

/* The row that would hold the index's body. */
static enum rc row_of(struct txn *txn, uint64_t index, struct dbkey *key, struct bytes *row)
{
    struct logrow log;

    TRY(logrow_of_leaf(txn, index, &log));
    key_of(log.size, key);
    return table_get(txn, TABLE_COMMIT, dbkey_bytes(key), row);
}

/* What stands in the table of keys goes before what the commit wrote. */
static enum rc current_keys(struct txn *txn, struct pack_item *item)
{
    struct dbkey key;
    struct bytes again;
    enum rc rc;

    dbkey_u64(&key, item->index);
    rc = table_get(txn, TABLE_KEY, dbkey_bytes(&key), &again);
    if (rc == RC_OK) {
        item->first = again;
        return again.size > 0 ? RC_OK : RC_NOT_FOUND;
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc find(struct txn *txn, uint64_t index, struct pack_item *item)
{
    struct dbkey key;
    struct bytes row;

    TRY(row_of(txn, index, &key, &row));
    TRY(checked(pack_find(row, index, item), index));
    return current_keys(txn, item);
}

enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys, struct bytes *body)
{
    struct pack_item item;

    TRY(find(txn, index, &item));
    *keys = item.first;
    *body = item.second;
    return RC_OK;
}

/* The first of this row at or after `from`. */
static enum rc next_in(struct txn *txn, struct bytes row, uint64_t from, struct pack_item *item)
{
    enum rc rc;

    for (size_t i = 0;; i++) {
        TRY(checked(pack_at(row, i, item), from));
        rc = item->index >= from ? current_keys(txn, item) : RC_NOT_FOUND;
        if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
}

enum rc body_next(struct txn *txn, uint64_t from, uint64_t *index, struct bytes *keys)
{
    struct logrow log;
    enum rc rc;

    while ((rc = logrow_of_leaf(txn, from, &log)) == RC_OK) {
        struct pack_item item;
        struct dbkey key;
        struct bytes row;

        key_of(log.size, &key);
        rc = table_get(txn, TABLE_COMMIT, dbkey_bytes(&key), &row);
        rc = rc == RC_OK ? next_in(txn, row, from, &item) : rc;
        if (rc == RC_OK) {
            *index = item.index;
            *keys = item.first;
        }
        if (rc != RC_NOT_FOUND) {
            return rc;
        }
        from = log.size;
    }
    return rc;
}

/* ---- afterwards ---- */

static enum rc keys_put(struct txn *txn, uint64_t index, struct bytes keys)
{
    struct dbkey key;

    dbkey_u64(&key, index);
    return table_put(txn, TABLE_KEY, dbkey_bytes(&key), keys);
}

enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys)
{
    struct pack_item item;

    assert(keys.size > 0);
    TRY(find(txn, index, &item));
    return keys_put(txn, index, keys);
}

/* The row's own indices go with it; their keys' rows are read no more. */
static enum rc row_delete(struct txn *txn, const struct dbkey *at, const uint64_t *indices,
                          size_t count)
{
    TRY(table_delete(txn, TABLE_COMMIT, dbkey_bytes(at)));
    for (size_t i = 0; i < count; i++) {
        struct dbkey key;

        dbkey_u64(&key, indices[i]);
        TRY(table_delete(txn, TABLE_KEY, dbkey_bytes(&key)));
    }
    return RC_OK;
}

/* RC_NOT_FOUND: one of the row's messages has its keys still. */
static enum rc all_deleted(struct txn *txn, struct bytes row, uint64_t *indices, size_t most,
                           size_t *count)
{
    struct pack_item item;
    size_t found = 0;
    enum rc rc;

    while ((rc = pack_at(row, found, &item)) == RC_OK) {
        uint64_t index = item.index;

        rc = current_keys(txn, &item);
        if (rc == RC_OK || found == most) {
            return RC_NOT_FOUND;
        }
        if (rc != RC_NOT_FOUND) {
            return rc;
        }
        indices[found++] = index;
    }
    *count = found;
    return rc == RC_NOT_FOUND ? RC_OK : checked(rc, 0);
}

enum rc body_delete(struct txn *txn, uint64_t index)
{
    uint64_t indices[APPEND_LEAVES_MAX];
    struct pack_item item;
    struct dbkey key;
    struct bytes row;
    size_t count;
    enum rc rc;

    TRY(find(txn, index, &item));
    TRY(keys_put(txn, index, (struct bytes){0}));
    TRY(row_of(txn, index, &key, &row));
    rc = all_deleted(txn, row, indices, APPEND_LEAVES_MAX, &count);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    return row_delete(txn, &key, indices, count);
}
