#include "store/exchange.h"

#include <assert.h>
#include <string.h>

#include "store/dbkey.h"

/*
 *     u8 layout, 1 | parent id[16] | text from | text to | text route | u8 type | u8 urgency
 *     u64 opening index | u64 received at | u32 flags
 *     u8 clocks | each: text id | u64 due | u32 flags
 *     u8 items  | each: u32 number | text code | u8 state | u32 occurrences | u64 changed at
 *                       | u64 index
 *
 * text: u8 size | bytes, no NUL. The id and the member stand in the key.
 */
#define LAYOUT 1

static struct bytes text_of(const char text[CODE_SIZE])
{
    size_t size = strnlen(text, CODE_SIZE);

    assert(size < CODE_SIZE);
    return BYTES(text, size);
}

static void put_text(struct buffer *row, const char text[CODE_SIZE])
{
    struct bytes bytes = text_of(text);

    buffer_put_u8(row, (uint8_t)bytes.size);
    buffer_put_bytes(row, bytes);
}

static void read_text(struct reader *reader, char out[CODE_SIZE])
{
    struct bytes bytes = reader_take(reader, reader_u8(reader));

    if (reader->is_failed || bytes.size >= CODE_SIZE ||
        (bytes.size > 0 && memchr(bytes.data, 0, bytes.size) != NULL)) {
        reader->is_failed = true;
        return;
    }
    if (bytes.size > 0) {
        memcpy(out, bytes.data, bytes.size);
    }
    out[bytes.size] = '\0';
}

/* A number of a closed list; else the row is not ours. */
static unsigned read_choice(struct reader *reader, unsigned most)
{
    unsigned value = reader_u8(reader);

    if (value > most) {
        reader->is_failed = true;
        return 0;
    }
    return value;
}

static void put_clocks(struct buffer *row, const struct exchange *exchange)
{
    assert(exchange->clock_count <= MESSAGE_CLOCKS_MAX);
    buffer_put_u8(row, (uint8_t)exchange->clock_count);
    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];

        put_text(row, clock->id);
        buffer_put_u64(row, (uint64_t)clock->due_ms);
        buffer_put_u32(row, clock->flags);
    }
}

static void read_clocks(struct reader *reader, struct exchange *exchange)
{
    exchange->clock_count = read_choice(reader, MESSAGE_CLOCKS_MAX);
    for (size_t i = 0; i < exchange->clock_count; i++) {
        struct exchange_clock *clock = &exchange->clocks[i];

        read_text(reader, clock->id);
        clock->due_ms = (int64_t)reader_u64(reader);
        clock->flags = reader_u32(reader);
    }
}

static void put_items(struct buffer *row, const struct exchange *exchange)
{
    assert(exchange->item_count <= MESSAGE_ITEMS_MAX);
    buffer_put_u8(row, (uint8_t)exchange->item_count);
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        assert(item->state < STATES);
        buffer_put_u32(row, item->number);
        put_text(row, item->code);
        buffer_put_u8(row, (uint8_t)item->state);
        buffer_put_u32(row, item->occurrences);
        buffer_put_u64(row, (uint64_t)item->changed_at_ms);
        buffer_put_u64(row, item->index);
    }
}

static void read_items(struct reader *reader, struct exchange *exchange)
{
    exchange->item_count = read_choice(reader, MESSAGE_ITEMS_MAX);
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        item->number = reader_u32(reader);
        read_text(reader, item->code);
        item->state = (enum state)read_choice(reader, STATES - 1);
        item->occurrences = reader_u32(reader);
        item->changed_at_ms = (int64_t)reader_u64(reader);
        item->index = reader_u64(reader);
    }
}

static void encode(const struct exchange *exchange, struct buffer *row)
{
    assert(exchange->type <= UINT8_MAX && exchange->urgency <= URGENCY_URGENT);
    buffer_put_u8(row, LAYOUT);
    buffer_put(row, exchange->parent_id.bytes, ID_SIZE);
    put_text(row, exchange->from);
    put_text(row, exchange->to);
    put_text(row, exchange->route);
    buffer_put_u8(row, (uint8_t)exchange->type);
    buffer_put_u8(row, (uint8_t)exchange->urgency);
    buffer_put_u64(row, exchange->opening_index);
    buffer_put_u64(row, (uint64_t)exchange->received_at_ms);
    buffer_put_u32(row, exchange->flags);
    put_clocks(row, exchange);
    put_items(row, exchange);
}

static enum rc decode(struct bytes row, const struct id *id, struct exchange *exchange)
{
    struct reader reader = {.rest = row};

    memset(exchange, 0, sizeof *exchange);
    exchange->id = *id;
    if (reader_u8(&reader) != LAYOUT) {
        return failed(RC_DATA_LOSS, "exchange.row", "cause=unknown layout");
    }
    reader_copy(&reader, exchange->parent_id.bytes, ID_SIZE);
    read_text(&reader, exchange->from);
    read_text(&reader, exchange->to);
    read_text(&reader, exchange->route);
    exchange->type = (enum message_type)reader_u8(&reader);
    exchange->urgency = (enum urgency)read_choice(&reader, URGENCY_URGENT);
    exchange->opening_index = reader_u64(&reader);
    exchange->received_at_ms = (int64_t)reader_u64(&reader);
    exchange->flags = reader_u32(&reader);
    read_clocks(&reader, exchange);
    read_items(&reader, exchange);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "exchange.row", "cause=damaged");
}

static enum rc key_of(const struct id *id, const char *member, struct dbkey *key)
{
    struct bytes code = bytes_text(member);

    if (code.size == 0 || code.size >= CODE_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    dbkey_clear(key);
    dbkey_put(key, BYTES_OF(id->bytes));
    dbkey_put(key, code);
    return RC_OK;
}

enum rc exchange_get(struct txn *txn, const struct id *id, const char *member,
                     struct exchange *exchange)
{
    struct dbkey key;
    struct bytes row;

    TRY(key_of(id, member, &key));
    TRY(table_get(txn, TABLE_EXCHANGE, dbkey_bytes(&key), &row));
    return decode(row, id, exchange);
}

enum rc exchange_put(struct txn *txn, const char *member, const struct exchange *exchange)
{
    OWN(buffer) row = {0};
    struct dbkey key;

    TRY(key_of(&exchange->id, member, &key));
    encode(exchange, &row);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return table_put(txn, TABLE_EXCHANGE, dbkey_bytes(&key), buffer_bytes(&row));
}

enum rc exchange_next(struct txn *txn, const char *member, const struct id *after,
                      struct exchange *exchange)
{
    OWN_PTR(cursor) cursor = NULL;
    struct bytes code = bytes_text(member);
    struct dbkey from;
    struct row row;

    TRY(key_of(after, member, &from));
    dbkey_put_u8(&from, 0); /* past the key itself: codes hold no NUL */
    TRY(cursor_open(txn, TABLE_EXCHANGE, dbkey_bytes(&from), &cursor));
    for (;;) {
        struct bytes holder;

        TRY(cursor_next(cursor, &row));
        if (row.key.size <= ID_SIZE) {
            return failed(RC_DATA_LOSS, "exchange.row", "cause=damaged key");
        }
        holder = BYTES(row.key.data + ID_SIZE, row.key.size - ID_SIZE);
        if (bytes_equal(holder, code)) {
            struct id id;

            memcpy(id.bytes, row.key.data, ID_SIZE);
            return decode(row.value, &id, exchange);
        }
    }
}
