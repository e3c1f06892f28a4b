#include "store/journal.h"

#include <string.h>

#include "store/dbkey.h"

/* u64 index | M[32] | exchange id[16] | u32 flags */
#define ENTRY_SIZE (8 + DIGEST_SIZE + ID_SIZE + 4)

static enum rc key_of(enum journal_role role, const struct id *id, const char *member,
                      struct dbkey *key)
{
    struct bytes code = bytes_text(member);

    if (code.size == 0 || code.size > JOURNAL_MEMBER_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    dbkey_clear(key);
    dbkey_put_u8(key, (uint8_t)role);
    dbkey_put(key, BYTES_OF(id->bytes));
    dbkey_put(key, code);
    return RC_OK;
}

static void encode(const struct journal_entry *entry, uint8_t out[ENTRY_SIZE])
{
    put_u64(out, entry->index);
    memcpy(out + 8, entry->message, DIGEST_SIZE);
    memcpy(out + 8 + DIGEST_SIZE, entry->exchange_id.bytes, ID_SIZE);
    put_u32(out + 8 + DIGEST_SIZE + ID_SIZE, entry->flags);
}

static enum rc decode(struct bytes row, struct journal_entry *entry)
{
    struct reader reader = {.rest = row};

    entry->index = reader_u64(&reader);
    reader_copy(&reader, entry->message, DIGEST_SIZE);
    reader_copy(&reader, entry->exchange_id.bytes, ID_SIZE);
    entry->flags = reader_u32(&reader);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "journal.row", "cause=damaged");
}

enum rc journal_find(struct txn *txn, enum journal_role role, const struct id *id,
                     const char *member, struct journal_entry *entry)
{
    struct dbkey key;
    struct bytes row;

    TRY(key_of(role, id, member, &key));
    TRY(table_get(txn, TABLE_MESSAGE, dbkey_bytes(&key), &row));
    return decode(row, entry);
}

enum rc journal_add(struct txn *txn, enum journal_role role, const struct id *id,
                    const char *member, const struct journal_entry *entry)
{
    uint8_t row[ENTRY_SIZE];
    struct dbkey key;

    TRY(key_of(role, id, member, &key));
    encode(entry, row);
    return table_add(txn, TABLE_MESSAGE, dbkey_bytes(&key), BYTES_OF(row));
}

enum rc journal_mark(struct txn *txn, enum journal_role role, const struct id *id,
                     const char *member, uint32_t flags)
{
    struct journal_entry entry;
    uint8_t row[ENTRY_SIZE];
    struct dbkey key;

    TRY(journal_find(txn, role, id, member, &entry));
    if ((entry.flags & flags) == flags) {
        return RC_OK;
    }
    entry.flags |= flags;
    TRY(key_of(role, id, member, &key));
    encode(&entry, row);
    return table_put(txn, TABLE_MESSAGE, dbkey_bytes(&key), BYTES_OF(row));
}

enum rc journal_by_id(struct txn *txn, enum journal_role role, const struct id *id,
                      struct journal_entry *entry)
{
    struct dbkey key;
    struct row row;

    dbkey_clear(&key);
    dbkey_put_u8(&key, (uint8_t)role);
    dbkey_put(&key, BYTES_OF(id->bytes));
    TRY(table_from(txn, TABLE_MESSAGE, dbkey_bytes(&key), &row));
    return dbkey_has_prefix(row.key, dbkey_bytes(&key)) ? decode(row.value, entry) : RC_NOT_FOUND;
}
