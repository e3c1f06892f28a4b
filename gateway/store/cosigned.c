#include "store/cosigned.h"

#include "store/dbkey.h"

static enum rc read_row(const struct row *row, struct cosigned *cosigned)
{
    struct reader reader = {.rest = row->value};

    cosigned->time_s = reader_u64(&reader);
    if (row->key.size != 8 || reader.is_failed || reader.rest.size == 0) {
        return failed(RC_DATA_LOSS, "cosigned.row", "cause=damaged");
    }
    cosigned->size = get_u64(row->key.data);
    cosigned->note = reader.rest;
    return RC_OK;
}

/* The newest, when it stands within a minute of the one before: its place is taken by the next. */
static enum rc drop_crowded(struct txn *txn, const struct cosigned *newest)
{
    struct cosigned before;
    struct dbkey key;
    struct row row;
    enum rc rc;

    dbkey_u64(&key, newest->size);
    rc = table_before(txn, TABLE_COSIGNED, dbkey_bytes(&key), &row);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    TRY(read_row(&row, &before));
    return newest->time_s < before.time_s + COSIGNED_APART_S
               ? table_delete(txn, TABLE_COSIGNED, dbkey_bytes(&key))
               : RC_OK;
}

static enum rc put_row(struct txn *txn, const struct cosigned *cosigned)
{
    OWN(buffer) value = {0};
    struct dbkey key;

    buffer_put_u64(&value, cosigned->time_s);
    buffer_put_bytes(&value, cosigned->note);
    if (value.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    dbkey_u64(&key, cosigned->size);
    return table_put(txn, TABLE_COSIGNED, dbkey_bytes(&key), buffer_bytes(&value));
}

enum rc cosigned_put(struct txn *txn, const struct cosigned *cosigned)
{
    struct cosigned newest;
    enum rc rc = cosigned_last(txn, &newest);

    if (rc == RC_OK && newest.size > cosigned->size) {
        return RC_FAILED_PRECONDITION;
    }
    if (rc == RC_OK && newest.size < cosigned->size) {
        TRY(drop_crowded(txn, &newest));
    } else if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    return put_row(txn, cosigned);
}

enum rc cosigned_last(struct txn *txn, struct cosigned *cosigned)
{
    struct row row;

    TRY(table_last(txn, TABLE_COSIGNED, &row));
    return read_row(&row, cosigned);
}

enum rc cosigned_over(struct txn *txn, uint64_t index, struct cosigned *cosigned)
{
    struct dbkey key;
    struct row row;

    if (index == UINT64_MAX) {
        return RC_NOT_FOUND;
    }
    dbkey_u64(&key, index + 1);
    TRY(table_from(txn, TABLE_COSIGNED, dbkey_bytes(&key), &row));
    return read_row(&row, cosigned);
}
