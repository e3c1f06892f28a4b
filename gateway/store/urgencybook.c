#include "store/urgencybook.h"

#include <assert.h>
#include <string.h>

#include "store/dbkey.h"

#define DAYS 2
#define ANSWERS 3
#define ROW_SIZE (4 + 8 + 4 + 4 + 4)

static void prefix_of(const char *member, struct dbkey *key)
{
    assert(strlen(member) < CODE_SIZE);
    dbkey_clear(key);
    dbkey_put_u8(key, DAYS);
    dbkey_put(key, BYTES(member, strlen(member) + 1));
}

static void key_of(const char *member, int32_t day, struct dbkey *key)
{
    prefix_of(member, key);
    dbkey_put_u64(key, day > 0 ? (uint64_t)day : 0);
}

static enum rc decode(struct bytes from, int32_t day, struct urgency_day *row)
{
    struct reader reader = {.rest = from};

    *row = (struct urgency_day){.day = day};
    row->messages = reader_u32(&reader);
    row->bytes = reader_u64(&reader);
    row->refused = reader_u32(&reader);
    row->waived = reader_u32(&reader);
    row->misused = reader_u32(&reader);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "urgency.row", "cause=damaged");
}

enum rc urgencybook_get(struct txn *txn, const char *member, int32_t day, struct urgency_day *row)
{
    struct bytes found;
    struct dbkey key;
    enum rc rc;

    key_of(member, day, &key);
    rc = table_get(txn, TABLE_DUTY, dbkey_bytes(&key), &found);
    if (rc == RC_NOT_FOUND) {
        *row = (struct urgency_day){.day = day};
        return RC_OK;
    }
    TRY(rc);
    return decode(found, day, row);
}

enum rc urgencybook_put(struct txn *txn, const char *member, const struct urgency_day *row)
{
    uint8_t bytes[ROW_SIZE];
    struct dbkey key;

    put_u32(bytes, row->messages);
    put_u64(bytes + 4, row->bytes);
    put_u32(bytes + 12, row->refused);
    put_u32(bytes + 16, row->waived);
    put_u32(bytes + 20, row->misused);
    key_of(member, row->day, &key);
    return table_put(txn, TABLE_DUTY, dbkey_bytes(&key), BYTES_OF(bytes));
}

enum rc urgencybook_from(struct txn *txn, const char *member, int32_t day, struct urgency_day *row)
{
    struct dbkey prefix;
    struct dbkey key;
    struct row found;

    prefix_of(member, &prefix);
    key_of(member, day, &key);
    TRY(table_from(txn, TABLE_DUTY, dbkey_bytes(&key), &found));
    if (!dbkey_has_prefix(found.key, dbkey_bytes(&prefix)) || found.key.size != prefix.size + 8) {
        return RC_NOT_FOUND;
    }
    return decode(found.value, (int32_t)get_u64(found.key.data + prefix.size), row);
}

static void answer_key(uint64_t number, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put_u8(key, ANSWERS);
    dbkey_put_u64(key, number);
}

enum rc urgencybook_keep_answer(struct txn *txn, const struct duty_answer_signed *answer)
{
    OWN(buffer) out = {0};
    struct dbkey key;

    buffer_put_chunk(&out, answer->bytes);
    buffer_put_chunk(&out, answer->signature.certificate);
    buffer_put_chunk(&out, answer->signature.signature);
    if (out.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    answer_key(answer->answer.number, &key);
    return table_put(txn, TABLE_DUTY, dbkey_bytes(&key), buffer_bytes(&out));
}

enum rc urgencybook_answer(struct txn *txn, uint64_t number, struct duty_answer_signed *answer)
{
    struct reader reader = {0};
    struct dbkey key;

    answer_key(number, &key);
    TRY(table_get(txn, TABLE_DUTY, dbkey_bytes(&key), &reader.rest));
    *answer = (struct duty_answer_signed){.bytes = reader_chunk(&reader)};
    answer->signature.certificate = reader_chunk(&reader);
    answer->signature.signature = reader_chunk(&reader);
    return reader_is_done(&reader) ? RC_OK
                                   : failed(RC_DATA_LOSS, "duty.answer_row", "cause=damaged");
}
