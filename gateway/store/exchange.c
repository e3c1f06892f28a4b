#include "store/exchange.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "store/dbkey.h"

/*
 *     u8 layout, 1 | parent id[16] | text from | text to | text route | u8 type | u8 urgency
 *     u64 opening index | u64 received at | u64 alarm | u64 expires | u32 flags | act opened
 *     u8 clocks | each: text id | u8 unit | u8 anchor | u8 stop | u8 urgency | u64 limit | u8 item
 *                       | u8 told | u64 due | u64 cap | act anchored | act stopped
 *     u8 items  | each: u32 number | text code | u8 state | u32 occurrences | u64 changed at
 *                       | u64 index | text reason | text competent | u8 period | u8 more
 *                       | with more: u32 count | u32 from | u32 ends | u32 base | u8 suspended
 *                       | u32 told
 *
 * text: u8 size | bytes, no NUL. act: u8 0xff: not yet; else u8 band | u64 entered | u64 occurred.
 * The id and the member stand in the key.
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

#define NOT_YET 0xff

static void put_act(struct buffer *row, const struct exchange_act *act)
{
    if (act->occurred_ms == 0) {
        buffer_put_u8(row, NOT_YET);
        return;
    }
    buffer_put_u8(row, (uint8_t)act->band);
    buffer_put_u64(row, (uint64_t)act->entered_ms);
    buffer_put_u64(row, (uint64_t)act->occurred_ms);
}

static void read_act(struct reader *reader, struct exchange_act *act)
{
    unsigned band = reader_u8(reader);

    if (band == NOT_YET) {
        return;
    }
    reader->is_failed = reader->is_failed || band > BAND_IN_PERSON;
    act->band = (enum out_of_band)(band <= BAND_IN_PERSON ? band : 0);
    act->entered_ms = (int64_t)reader_u64(reader);
    act->occurred_ms = (int64_t)reader_u64(reader);
}

static void put_clocks(struct buffer *row, const struct exchange *exchange)
{
    assert(exchange->clock_count <= EXCHANGE_CLOCKS_MAX);
    buffer_put_u8(row, (uint8_t)exchange->clock_count);
    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];
        struct bytes id = bytes_text(clock->rule.id);

        assert(id.size < CLOCK_ID_SIZE && clock->item <= MESSAGE_ITEMS_MAX && clock->told <= 100);
        buffer_put_u8(row, (uint8_t)id.size);
        buffer_put_bytes(row, id);
        buffer_put_u8(row, (uint8_t)clock->rule.unit);
        buffer_put_u8(row, (uint8_t)clock->rule.anchor);
        buffer_put_u8(row, (uint8_t)clock->rule.stop);
        buffer_put_u8(row, (uint8_t)clock->rule.urgency);
        buffer_put_u64(row, (uint64_t)clock->rule.limit);
        buffer_put_u8(row, (uint8_t)clock->item);
        buffer_put_u8(row, (uint8_t)clock->told);
        buffer_put_u64(row, (uint64_t)clock->due_ms);
        buffer_put_u64(row, (uint64_t)clock->cap_ms);
        put_act(row, &clock->anchored);
        put_act(row, &clock->stopped);
    }
}

static void read_clock(struct reader *reader, struct exchange_clock *clock)
{
    char id[CODE_SIZE] = "";

    read_text(reader, id);
    if (strlen(id) >= CLOCK_ID_SIZE) {
        reader->is_failed = true;
        return;
    }
    memcpy(clock->rule.id, id, CLOCK_ID_SIZE);
    clock->rule.unit = (enum clock_unit)read_choice(reader, CLOCK_UNITS - 1);
    clock->rule.anchor = (enum clock_anchor)read_choice(reader, CLOCK_ANCHORS - 1);
    clock->rule.stop = (enum clock_stop)read_choice(reader, CLOCK_STOPS - 1);
    clock->rule.urgency = (enum urgency)read_choice(reader, URGENCY_URGENT);
    clock->rule.limit = (int64_t)reader_u64(reader);
    clock->item = read_choice(reader, MESSAGE_ITEMS_MAX);
    clock->told = read_choice(reader, 100);
    clock->due_ms = (int64_t)reader_u64(reader);
    clock->cap_ms = (int64_t)reader_u64(reader);
    read_act(reader, &clock->anchored);
    read_act(reader, &clock->stopped);
}

static void read_clocks(struct reader *reader, struct exchange *exchange)
{
    exchange->clock_count = read_choice(reader, EXCHANGE_CLOCKS_MAX);
    for (size_t i = 0; i < exchange->clock_count; i++) {
        memset(&exchange->clocks[i], 0, sizeof exchange->clocks[i]);
        read_clock(reader, &exchange->clocks[i]);
    }
}

static void put_cadence(struct buffer *row, const struct exchange_item *item)
{
    const struct cadence *cadence = &item->cadence;
    bool has_more = cadence->period != PERIOD_NONE || cadence->ends_day != CADENCE_ENDLESS ||
                    item->is_suspended;

    buffer_put_u8(row, (uint8_t)cadence->period);
    buffer_put_u8(row, has_more);
    if (has_more) {
        buffer_put_u32(row, cadence->count);
        buffer_put_u32(row, (uint32_t)cadence->from_day);
        buffer_put_u32(row, (uint32_t)cadence->ends_day);
        buffer_put_u32(row, cadence->base);
        buffer_put_u8(row, item->is_suspended);
        buffer_put_u32(row, item->told);
    }
}

static void read_cadence(struct reader *reader, struct exchange_item *item)
{
    struct cadence *cadence = &item->cadence;

    cadence->period = (enum period)read_choice(reader, PERIOD_MONTH);
    cadence->ends_day = CADENCE_ENDLESS;
    if (read_choice(reader, true)) {
        cadence->count = reader_u32(reader);
        cadence->from_day = (int32_t)reader_u32(reader);
        cadence->ends_day = (int32_t)reader_u32(reader);
        cadence->base = reader_u32(reader);
        item->is_suspended = read_choice(reader, true);
        item->told = reader_u32(reader);
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
        put_text(row, item->reason);
        put_text(row, item->competent);
        put_cadence(row, item);
    }
}

static void read_items(struct reader *reader, struct exchange *exchange)
{
    exchange->item_count = read_choice(reader, MESSAGE_ITEMS_MAX);
    for (size_t i = 0; i < exchange->item_count; i++) {
        struct exchange_item *item = &exchange->items[i];

        memset(item, 0, sizeof *item);
        item->number = reader_u32(reader);
        read_text(reader, item->code);
        item->state = (enum state)read_choice(reader, STATES - 1);
        item->occurrences = reader_u32(reader);
        item->changed_at_ms = (int64_t)reader_u64(reader);
        item->index = reader_u64(reader);
        read_text(reader, item->reason);
        read_text(reader, item->competent);
        read_cadence(reader, item);
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
    buffer_put_u64(row, (uint64_t)exchange->alarm_ms);
    buffer_put_u64(row, (uint64_t)exchange->expires_at_ms);
    buffer_put_u32(row, exchange->flags);
    put_act(row, &exchange->opened);
    put_clocks(row, exchange);
    put_items(row, exchange);
}

static enum rc decode(struct bytes row, const struct id *id, struct exchange *exchange)
{
    struct reader reader = {.rest = row};

    /* Clocks and items are cleared as they are read: mostly they are few. */
    memset(exchange, 0, offsetof(struct exchange, clocks));
    exchange->clock_count = 0;
    exchange->item_count = 0;
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
    exchange->alarm_ms = (int64_t)reader_u64(&reader);
    exchange->expires_at_ms = (int64_t)reader_u64(&reader);
    exchange->flags = reader_u32(&reader);
    read_act(&reader, &exchange->opened);
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
