#include "store/numbered.h"

#include <assert.h>
#include <stdlib.h>

#include "store/append.h"
#include "store/dbkey.h"

/* What the batch at hand gathered for the table; NULL outside the writer. */
static struct numbered *gathered_of(const struct txn *txn, enum table table)
{
    const struct append *append = txn_append(txn);

    assert(table == TABLE_TAG || table == TABLE_PROOF);
    if (append == NULL) {
        return NULL;
    }
    return table == TABLE_TAG ? &append->gathered->tags : &append->gathered->proofs;
}

static enum rc damaged(enum rc rc, uint64_t number)
{
    return rc == RC_DATA_LOSS
               ? failed(rc, "numbered.row", "number=%llu cause=damaged", (unsigned long long)number)
               : rc;
}

static enum rc put_pack(struct txn *txn, enum table table, uint64_t first, const struct pack *pack)
{
    struct dbkey key;
    uint8_t *row;

    dbkey_u64(&key, first);
    TRY(table_reserve(txn, table, dbkey_bytes(&key), pack_size(pack), &row));
    pack_write(pack, row);
    return RC_OK;
}

enum rc numbered_put(struct txn *txn, enum table table, const struct numbered *numbered)
{
    return numbered->pack.count > 0 ? put_pack(txn, table, numbered->first, &numbered->pack)
                                    : RC_OK;
}

static enum rc next_stored(struct txn *txn, enum table table, uint64_t *number)
{
    struct row last;
    size_t count;
    enum rc rc = table_last(txn, table, &last);

    if (rc == RC_NOT_FOUND) {
        *number = 0;
        return RC_OK;
    }
    TRY(rc);
    TRY(damaged(pack_count(last.value, &count), get_u64(last.key.data)));
    *number = get_u64(last.key.data) + count;
    return RC_OK;
}

enum rc numbered_next(struct txn *txn, enum table table, uint64_t *number)
{
    const struct numbered *gathered = gathered_of(txn, table);

    if (gathered != NULL && gathered->pack.count > 0) {
        *number = gathered->first + gathered->pack.count;
        return RC_OK;
    }
    return next_stored(txn, table, number);
}

static enum rc put_alone(struct txn *txn, enum table table, const struct pack_item *item)
{
    struct pack pack = {0};
    enum rc rc = pack_add(&pack, item);

    rc = rc == RC_OK ? put_pack(txn, table, item->index, &pack) : rc;
    pack_release(&pack);
    return rc;
}

enum rc numbered_add(struct txn *txn, enum table table, struct bytes first, struct bytes second,
                     uint64_t *number)
{
    struct numbered *gathered = gathered_of(txn, table);
    struct pack_item item = {.first = first, .second = second};

    TRY(numbered_next(txn, table, &item.index));
    *number = item.index;
    if (gathered == NULL) {
        return put_alone(txn, table, &item);
    }
    TRY(table_gather(txn));
    if (gathered->pack.count == 0) {
        gathered->first = item.index;
    }
    return pack_add(&gathered->pack, &item);
}

static struct pack_item *gathered_item(const struct txn *txn, enum table table, uint64_t number)
{
    struct numbered *gathered = gathered_of(txn, table);

    if (gathered == NULL || gathered->pack.count == 0 || number < gathered->first ||
        number - gathered->first >= gathered->pack.count) {
        return NULL;
    }
    return &gathered->pack.items[number - gathered->first];
}

/* The row that would hold the number, and the number's place in it. */
static enum rc row_of(struct txn *txn, enum table table, uint64_t number, struct row *row,
                      size_t *place)
{
    struct dbkey past;

    if (number == UINT64_MAX) {
        return RC_NOT_FOUND;
    }
    dbkey_u64(&past, number + 1);
    TRY(table_before(txn, table, dbkey_bytes(&past), row));
    if (row->key.size != 8) {
        return damaged(RC_DATA_LOSS, number);
    }
    *place = (size_t)(number - get_u64(row->key.data));
    return RC_OK;
}

enum rc numbered_get(struct txn *txn, enum table table, uint64_t number, struct pack_item *item)
{
    const struct pack_item *gathered = gathered_item(txn, table, number);
    struct row row;
    size_t place;

    if (gathered != NULL) {
        *item = *gathered;
        return RC_OK;
    }
    TRY(row_of(txn, table, number, &row, &place));
    TRY(damaged(pack_at(row.value, place, item), number));
    return item->index == number ? RC_OK : damaged(RC_DATA_LOSS, number);
}

/* The row with one value changed, made apart: what it borrows lies in the row itself. */
static enum rc row_rebuild(struct bytes row, size_t place, struct bytes second, struct buffer *out)
{
    struct pack pack = {0};
    struct pack_item item;
    enum rc rc = RC_OK;

    for (size_t i = 0; rc == RC_OK && (rc = pack_at(row, i, &item)) == RC_OK; i++) {
        item.second = i == place ? second : item.second;
        rc = pack_add(&pack, &item);
    }
    if (rc == RC_NOT_FOUND) { /* the end */
        out->data = calloc(1, pack_size(&pack));
        out->size = out->capacity = pack_size(&pack);
        rc = out->data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
    }
    if (rc == RC_OK) {
        pack_write(&pack, out->data);
    }
    pack_release(&pack);
    return rc;
}

enum rc numbered_replace(struct txn *txn, enum table table, uint64_t number, struct bytes second)
{
    struct pack_item *gathered = gathered_item(txn, table, number);
    OWN(buffer) changed = {0};
    struct dbkey key;
    struct row row;
    size_t place;

    if (gathered != NULL) {
        struct pack *pack = &gathered_of(txn, table)->pack;

        TRY(table_gather(txn));
        pack->bytes = pack->bytes - gathered->second.size + second.size;
        gathered->second = second;
        return RC_OK;
    }
    TRY(row_of(txn, table, number, &row, &place));
    TRY(damaged(row_rebuild(row.value, place, second, &changed), number));
    dbkey_u64(&key, get_u64(row.key.data));
    return table_put(txn, table, dbkey_bytes(&key), buffer_bytes(&changed));
}
