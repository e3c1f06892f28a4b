#include "store/outbox.h"

#include <assert.h>
#include <string.h>

#include "store/dbkey.h"

/* i64 due | u32 attempts | u32 flags */
#define ENTRY_SIZE (8 + 4 + 4)

/* Destination and class; the index follows. The class is a byte that sorts urgent first. */
static enum rc prefix_of(const char *destination, enum urgency urgency, struct dbkey *key)
{
    struct bytes text = bytes_text(destination);

    assert(urgency == URGENCY_URGENT || urgency == URGENCY_ORDINARY);
    if (text.size == 0 || text.size > OUTBOX_DESTINATION_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    dbkey_clear(key);
    dbkey_put(key, text);
    dbkey_put_u8(key, 0);
    dbkey_put_u8(key, urgency == URGENCY_URGENT ? 0 : 1);
    return RC_OK;
}

static enum rc key_of(const char *destination, enum urgency urgency, uint64_t index,
                      struct dbkey *key)
{
    TRY(prefix_of(destination, urgency, key));
    dbkey_put_u64(key, index);
    return RC_OK;
}

static void encode(const struct outbox_entry *entry, uint8_t out[ENTRY_SIZE])
{
    put_u64(out, (uint64_t)entry->due_ms);
    put_u32(out + 8, entry->attempts);
    put_u32(out + 12, entry->flags);
}

static enum rc decode(struct bytes row, uint64_t index, struct outbox_entry *entry)
{
    struct reader reader = {.rest = row};

    entry->index = index;
    entry->due_ms = (int64_t)reader_u64(&reader);
    entry->attempts = reader_u32(&reader);
    entry->flags = reader_u32(&reader);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "outbox.row", "cause=damaged");
}

enum rc outbox_add(struct txn *txn, const char *destination, enum urgency urgency,
                   const struct outbox_entry *entry)
{
    uint8_t row[ENTRY_SIZE];
    struct dbkey key;

    TRY(key_of(destination, urgency, entry->index, &key));
    encode(entry, row);
    return table_add(txn, TABLE_DEBT, dbkey_bytes(&key), BYTES_OF(row));
}

enum rc outbox_update(struct txn *txn, const char *destination, enum urgency urgency,
                      const struct outbox_entry *entry)
{
    uint8_t row[ENTRY_SIZE];
    struct dbkey key;
    struct bytes old;

    TRY(key_of(destination, urgency, entry->index, &key));
    TRY(table_get(txn, TABLE_DEBT, dbkey_bytes(&key), &old));
    encode(entry, row);
    return table_put(txn, TABLE_DEBT, dbkey_bytes(&key), BYTES_OF(row));
}

enum rc outbox_settle(struct txn *txn, const char *destination, enum urgency urgency,
                      uint64_t index)
{
    struct dbkey key;

    TRY(key_of(destination, urgency, index, &key));
    return table_delete(txn, TABLE_DEBT, dbkey_bytes(&key));
}

enum rc outbox_find(struct txn *txn, const char *destination, enum urgency urgency, uint64_t index,
                    struct outbox_entry *entry)
{
    struct dbkey key;
    struct bytes row;

    TRY(key_of(destination, urgency, index, &key));
    TRY(table_get(txn, TABLE_DEBT, dbkey_bytes(&key), &row));
    return decode(row, index, entry);
}

enum rc outbox_scan(struct txn *txn, const char *destination, enum urgency urgency,
                    uint64_t after_index, struct outbox_entry *entries, size_t max, size_t *count)
{
    OWN_PTR(cursor) cursor = NULL;
    struct dbkey prefix;
    struct dbkey from;
    size_t found = 0;
    enum rc rc = RC_OK;

    TRY(prefix_of(destination, urgency, &prefix));
    from = prefix;
    dbkey_put_u64(&from, after_index + 1); /* OUTBOX_START + 1 is 0 */
    TRY(cursor_open(txn, TABLE_DEBT, dbkey_bytes(&from), &cursor));
    while (found < max && rc == RC_OK) {
        struct row row;

        rc = cursor_next(cursor, &row);
        if (rc == RC_OK && row.key.size == prefix.size + 8 &&
            dbkey_has_prefix(row.key, dbkey_bytes(&prefix))) {
            TRY(decode(row.value, get_u64(row.key.data + prefix.size), &entries[found++]));
        } else {
            break;
        }
    }
    *count = found;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc outbox_next_destination(struct txn *txn, const char *after,
                                char destination[OUTBOX_DESTINATION_MAX + 1])
{
    struct dbkey from;
    struct row row;
    const uint8_t *end;

    if (strlen(after) > OUTBOX_DESTINATION_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    dbkey_clear(&from);
    dbkey_put(&from, bytes_text(after));
    dbkey_put_u8(&from, 1); /* past every row of `after`, whose next byte is 0 */
    TRY(table_from(txn, TABLE_DEBT, dbkey_bytes(&from), &row));
    end = memchr(row.key.data, 0, row.key.size);
    if (end == NULL || end - row.key.data > OUTBOX_DESTINATION_MAX) {
        return failed(RC_DATA_LOSS, "outbox.row", "cause=damaged key");
    }
    memcpy(destination, row.key.data, (size_t)(end - row.key.data) + 1);
    return RC_OK;
}
