#include "store/dutycall.h"

#include <assert.h>
#include <string.h>

#include "crypto/digest.h"
#include "store/dbkey.h"

/*
 *     u8 layout, 1 | u64 number | text route | text because | u8 urgency | u64 due | u64 made
 *     | u64 wake | u8 state | u32 told | u32 attempts | u64 told at | text actor | text moved to
 *     | u64 over at | u8 is misuse
 *
 * text: u8 size | bytes, no NUL.
 */
#define LAYOUT 1
#define OPEN 0
#define OVER 1

static const char counter_name[] = "dutycall";

/* ---- keys ---- */

static void key_of(const struct dutycall_key *call, uint8_t group, struct dbkey *key)
{
    assert(call->kind >= DUTYCALL_CLOCK && call->kind < DUTYCALL_KINDS);
    assert(memchr(call->member, 0, sizeof call->member) != NULL);
    assert(memchr(call->clock, 0, sizeof call->clock) != NULL);
    dbkey_clear(key);
    dbkey_put_u8(key, group);
    dbkey_put_u8(key, (uint8_t)call->kind);
    dbkey_put(key, BYTES(call->member, strlen(call->member) + 1));
    dbkey_put(key, BYTES(call->exchange.bytes, ID_SIZE));
    dbkey_put_u8(key, (uint8_t)(call->item >> 24));
    dbkey_put_u8(key, (uint8_t)(call->item >> 16));
    dbkey_put_u8(key, (uint8_t)(call->item >> 8));
    dbkey_put_u8(key, (uint8_t)call->item);
    dbkey_put(key, BYTES(call->clock, strlen(call->clock) + 1));
    dbkey_put_u8(key, call->percent);
}

static void read_ended(struct reader *reader, char *out, size_t room)
{
    const uint8_t *end =
        reader->rest.size > 0 ? memchr(reader->rest.data, 0, reader->rest.size) : NULL;
    size_t size = end != NULL ? (size_t)(end - reader->rest.data) + 1 : room + 1;

    if (size > room) {
        reader->is_failed = true;
        return;
    }
    reader_copy(reader, out, size);
}

static enum rc read_key(struct bytes from, struct dutycall_key *key)
{
    struct reader reader = {.rest = from};

    memset(key, 0, sizeof *key);
    (void)reader_u8(&reader);
    key->kind = (enum dutycall_kind)reader_u8(&reader);
    read_ended(&reader, key->member, sizeof key->member);
    reader_copy(&reader, key->exchange.bytes, ID_SIZE);
    key->item = reader_u32(&reader);
    read_ended(&reader, key->clock, sizeof key->clock);
    key->percent = reader_u8(&reader);
    return reader_is_done(&reader) && key->kind >= DUTYCALL_CLOCK && key->kind < DUTYCALL_KINDS
               ? RC_OK
               : failed(RC_DATA_LOSS, "dutycall.key", "cause=damaged");
}

/* ---- rows ---- */

static void put_text(struct buffer *out, const char *text)
{
    buffer_put_u8(out, (uint8_t)strlen(text));
    buffer_put_bytes(out, bytes_text(text));
}

static void read_text(struct reader *reader, char *out, size_t room)
{
    struct bytes text = reader_take(reader, reader_u8(reader));

    if (reader->is_failed || text.size >= room ||
        (text.size > 0 && memchr(text.data, 0, text.size) != NULL)) {
        reader->is_failed = true;
        return;
    }
    if (text.size > 0) {
        memcpy(out, text.data, text.size);
    }
    out[text.size] = '\0';
}

static void encode(const struct dutycall *call, struct buffer *out)
{
    buffer_put_u8(out, LAYOUT);
    buffer_put_u64(out, call->number);
    put_text(out, call->route);
    put_text(out, call->because);
    buffer_put_u8(out, (uint8_t)call->urgency);
    buffer_put_u64(out, (uint64_t)call->due_ms);
    buffer_put_u64(out, (uint64_t)call->made_at_ms);
    buffer_put_u64(out, (uint64_t)call->wake_at_ms);
    buffer_put_u8(out, (uint8_t)call->state);
    buffer_put_u32(out, call->told);
    buffer_put_u32(out, call->attempts);
    buffer_put_u64(out, (uint64_t)call->told_at_ms);
    put_text(out, call->actor);
    put_text(out, call->moved_to);
    buffer_put_u64(out, (uint64_t)call->over_at_ms);
    buffer_put_u8(out, call->is_misuse);
}

static enum rc decode(struct bytes from, struct dutycall *call)
{
    struct reader reader = {.rest = from};
    uint8_t layout = reader_u8(&reader);

    call->number = reader_u64(&reader);
    read_text(&reader, call->route, sizeof call->route);
    read_text(&reader, call->because, sizeof call->because);
    call->urgency = (enum urgency)reader_u8(&reader);
    call->due_ms = (int64_t)reader_u64(&reader);
    call->made_at_ms = (int64_t)reader_u64(&reader);
    call->wake_at_ms = (int64_t)reader_u64(&reader);
    call->state = (enum dutycall_state)reader_u8(&reader);
    call->told = reader_u32(&reader);
    call->attempts = reader_u32(&reader);
    call->told_at_ms = (int64_t)reader_u64(&reader);
    read_text(&reader, call->actor, sizeof call->actor);
    read_text(&reader, call->moved_to, sizeof call->moved_to);
    call->over_at_ms = (int64_t)reader_u64(&reader);
    call->is_misuse = reader_u8(&reader) != 0;
    return reader_is_done(&reader) && layout == LAYOUT && call->state >= DUTYCALL_WAITING &&
                   call->state < DUTYCALL_STATES
               ? RC_OK
               : failed(RC_DATA_LOSS, "dutycall.row", "cause=damaged");
}

static enum rc write_row(struct txn *txn, const struct dutycall *call)
{
    OWN(buffer) out = {0};
    struct dbkey key;

    encode(call, &out);
    if (out.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    key_of(&call->key, dutycall_is_over(call->state) ? OVER : OPEN, &key);
    return table_put(txn, TABLE_DUTY, dbkey_bytes(&key), buffer_bytes(&out));
}

/* A number that no call had before: an official who names one long over touches no other. */
static enum rc next_number(struct txn *txn, uint64_t *number)
{
    struct bytes name = bytes_text(counter_name);
    uint8_t next[8] = {0};
    struct bytes row;
    enum rc rc = table_get(txn, TABLE_FORMAT, name, &row);

    if (rc == RC_OK && row.size == sizeof next) {
        memcpy(next, row.data, sizeof next);
    } else if (rc != RC_NOT_FOUND) {
        return rc != RC_OK ? rc : failed(RC_DATA_LOSS, "dutycall.counter", "cause=damaged");
    }
    *number = get_u64(next) + 1;
    put_u64(next, *number);
    return table_put(txn, TABLE_FORMAT, name, BYTES_OF(next));
}

/* ---- the calls ---- */

enum rc dutycall_put(struct txn *txn, struct dutycall *call)
{
    struct dutycall found;
    struct dbkey key;
    enum rc rc = dutycall_get(txn, &call->key, &found);

    if (rc == RC_OK && (!dutycall_is_over(found.state) || found.due_ms == call->due_ms)) {
        return RC_ALREADY_EXISTS;
    }
    if (rc == RC_OK) {
        key_of(&call->key, OVER, &key);
        rc = table_delete(txn, TABLE_DUTY, dbkey_bytes(&key));
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(next_number(txn, &call->number));
    call->state = DUTYCALL_WAITING;
    return write_row(txn, call);
}

enum rc dutycall_update(struct txn *txn, const struct dutycall *call)
{
    struct dbkey key;

    if (dutycall_is_over(call->state)) {
        key_of(&call->key, OPEN, &key);
        TRY(table_delete(txn, TABLE_DUTY, dbkey_bytes(&key)));
    }
    return write_row(txn, call);
}

enum rc dutycall_end(struct txn *txn, const struct dutycall_key *key, int64_t now_ms)
{
    struct dutycall call;

    TRY(dutycall_get(txn, key, &call));
    if (dutycall_is_over(call.state)) {
        return RC_NOT_FOUND;
    }
    call.state = DUTYCALL_ENDED;
    call.over_at_ms = now_ms;
    return dutycall_update(txn, &call);
}

enum rc dutycall_get(struct txn *txn, const struct dutycall_key *key, struct dutycall *call)
{
    struct dbkey row;
    struct bytes found;
    enum rc rc;

    key_of(key, OPEN, &row);
    rc = table_get(txn, TABLE_DUTY, dbkey_bytes(&row), &found);
    if (rc == RC_NOT_FOUND) {
        key_of(key, OVER, &row);
        rc = table_get(txn, TABLE_DUTY, dbkey_bytes(&row), &found);
    }
    TRY(rc);
    memset(call, 0, sizeof *call);
    call->key = *key;
    return decode(found, call);
}

enum rc dutycall_next(struct txn *txn, bool is_over, const struct dutycall_key *after,
                      struct dutycall *call)
{
    uint8_t group = is_over ? OVER : OPEN;
    struct dbkey key;
    struct row row;

    dbkey_clear(&key);
    if (after != NULL) {
        key_of(after, group, &key);
        dbkey_put_u8(&key, 0); /* the first key past it */
    } else {
        dbkey_put_u8(&key, group);
    }
    TRY(table_from(txn, TABLE_DUTY, dbkey_bytes(&key), &row));
    if (row.key.data[0] != group) {
        return RC_NOT_FOUND;
    }
    memset(call, 0, sizeof *call);
    TRY(read_key(row.key, &call->key));
    return decode(row.value, call);
}

static enum rc find_in(struct txn *txn, bool is_over, uint64_t number, struct dutycall *call)
{
    enum rc rc = dutycall_next(txn, is_over, NULL, call);

    while (rc == RC_OK && call->number != number) {
        struct dutycall_key after = call->key;

        rc = dutycall_next(txn, is_over, &after, call);
    }
    return rc;
}

enum rc dutycall_find(struct txn *txn, uint64_t number, struct dutycall *call)
{
    enum rc rc = find_in(txn, false, number, call);

    return rc == RC_NOT_FOUND ? find_in(txn, true, number, call) : rc;
}

void dutycall_name(const char *label, const char *origin, const struct dutycall *call,
                   struct id *out)
{
    uint8_t digest[DIGEST_SIZE];
    uint8_t number[8];
    struct dbkey key;

    key_of(&call->key, OPEN, &key);
    put_u64(number, call->number);
    const struct bytes parts[] = {BYTES(label, strlen(label) + 1),
                                  BYTES(origin, strlen(origin) + 1), BYTES_OF(number),
                                  dbkey_bytes(&key)};
    digest_of(parts, 4, digest);
    memcpy(out->bytes, digest, ID_SIZE);
}
