#include "store/approval.h"

#include <assert.h>
#include <string.h>

#include "store/dbkey.h"
#include "store/table.h"

/*
 *     u8 layout, 1 | u8 outcome | u8 urgency | message id[16] | exchange id[16] | chunk from
 *     chunk to | chunk official | chunk by | u64 since | u64 decided | chunk certificate
 *     chunk signature
 */
#define LAYOUT 1

static void key_of(bool is_decided, uint64_t index, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put_u8(key, is_decided);
    dbkey_put_u64(key, index);
}

static void read_text(struct reader *reader, char out[CODE_SIZE])
{
    struct bytes text = reader_chunk(reader);

    if (reader->is_failed || text.size >= CODE_SIZE ||
        (text.size > 0 && memchr(text.data, 0, text.size) != NULL)) {
        reader->is_failed = true;
        return;
    }
    if (text.size > 0) {
        memcpy(out, text.data, text.size);
    }
    out[text.size] = '\0';
}

static enum rc decode(struct bytes row, uint64_t index, struct approval *approval)
{
    struct reader reader = {.rest = row};
    unsigned layout = reader_u8(&reader);

    *approval = (struct approval){.index = index};
    approval->outcome = (enum approval_outcome)reader_u8(&reader);
    approval->urgency = (enum urgency)reader_u8(&reader);
    reader_copy(&reader, approval->message_id.bytes, ID_SIZE);
    reader_copy(&reader, approval->exchange_id.bytes, ID_SIZE);
    read_text(&reader, approval->from);
    read_text(&reader, approval->to);
    read_text(&reader, approval->official);
    read_text(&reader, approval->by);
    approval->since_ms = (int64_t)reader_u64(&reader);
    approval->decided_ms = (int64_t)reader_u64(&reader);
    approval->signature.certificate = reader_chunk(&reader);
    approval->signature.signature = reader_chunk(&reader);
    return reader_is_done(&reader) && layout == LAYOUT && approval->outcome < APPROVAL_OUTCOMES &&
                   approval->urgency <= URGENCY_URGENT
               ? RC_OK
               : failed(RC_DATA_LOSS, "approval.row", "cause=damaged");
}

enum rc approval_get(struct txn *txn, uint64_t index, struct approval *approval)
{
    struct dbkey key;
    struct bytes row;
    enum rc rc;

    key_of(true, index, &key);
    rc = table_get(txn, TABLE_APPROVAL, dbkey_bytes(&key), &row);
    if (rc == RC_NOT_FOUND) {
        key_of(false, index, &key);
        rc = table_get(txn, TABLE_APPROVAL, dbkey_bytes(&key), &row);
    }
    return rc == RC_OK ? decode(row, index, approval) : rc;
}

enum rc approval_put(struct txn *txn, const struct approval *approval)
{
    bool is_decided = approval->outcome != APPROVAL_WAITING;
    OWN(buffer) row = {0};
    struct dbkey key;

    assert(approval->outcome < APPROVAL_OUTCOMES && approval->urgency <= URGENCY_URGENT);
    buffer_put_u8(&row, LAYOUT);
    buffer_put_u8(&row, (uint8_t)approval->outcome);
    buffer_put_u8(&row, (uint8_t)approval->urgency);
    buffer_put(&row, approval->message_id.bytes, ID_SIZE);
    buffer_put(&row, approval->exchange_id.bytes, ID_SIZE);
    buffer_put_chunk(&row, bytes_text(approval->from));
    buffer_put_chunk(&row, bytes_text(approval->to));
    buffer_put_chunk(&row, bytes_text(approval->official));
    buffer_put_chunk(&row, bytes_text(approval->by));
    buffer_put_u64(&row, (uint64_t)approval->since_ms);
    buffer_put_u64(&row, (uint64_t)approval->decided_ms);
    buffer_put_chunk(&row, approval->signature.certificate);
    buffer_put_chunk(&row, approval->signature.signature);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (is_decided) {
        enum rc rc;

        key_of(false, approval->index, &key);
        rc = table_delete(txn, TABLE_APPROVAL, dbkey_bytes(&key));
        TRY(rc == RC_NOT_FOUND ? RC_OK : rc);
    }
    key_of(is_decided, approval->index, &key);
    return table_put(txn, TABLE_APPROVAL, dbkey_bytes(&key), buffer_bytes(&row));
}

enum rc approval_next(struct txn *txn, uint64_t from, struct approval *approval)
{
    struct dbkey key;
    struct row row;

    key_of(false, from, &key);
    TRY(table_from(txn, TABLE_APPROVAL, dbkey_bytes(&key), &row));
    if (row.key.size != 9 || row.key.data[0] != 0) {
        return RC_NOT_FOUND;
    }
    return decode(row.value, get_u64(row.key.data + 1), approval);
}
