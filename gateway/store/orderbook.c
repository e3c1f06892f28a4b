#include "store/orderbook.h"

#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "store/dbkey.h"
#include "store/wrap.h"

/*
 *     u8 layout, 1 | u8 kind | u8 phase | u8 is retention | text member | basis | reason | actor
 *     | official | shard | digest[32] | u64 given | u64 due | u64 until | u64 cursor | u32 entries
 *     | u32 held | chunk target | chunk signatures
 *
 * text: u8 size | bytes, no NUL.
 */
#define LAYOUT 1
#define LABEL "enlace/order/v1"
#define OPEN 0
#define DONE 1

bool order_is_over(enum order_phase phase)
{
    return phase == ORDER_ERASED || phase == ORDER_LIFTED;
}

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

static void encode(const struct order_row *row, struct buffer *out)
{
    buffer_put_u8(out, LAYOUT);
    buffer_put_u8(out, (uint8_t)row->kind);
    buffer_put_u8(out, (uint8_t)row->phase);
    buffer_put_u8(out, row->is_retention);
    put_text(out, row->member);
    put_text(out, row->basis);
    put_text(out, row->reason);
    put_text(out, row->actor);
    put_text(out, row->official);
    put_text(out, row->shard);
    buffer_put(out, row->digest, sizeof row->digest);
    buffer_put_u64(out, (uint64_t)row->given_at_ms);
    buffer_put_u64(out, (uint64_t)row->due_at_ms);
    buffer_put_u64(out, row->until);
    buffer_put_u64(out, row->cursor);
    buffer_put_u32(out, row->entries);
    buffer_put_u32(out, row->held);
    buffer_put_chunk(out, row->target);
    buffer_put_chunk(out, row->signatures);
}

static enum rc decode(struct bytes from, const struct id *id, struct order_row *row)
{
    struct reader reader = {.rest = from};
    uint8_t layout = reader_u8(&reader);

    memset(row, 0, sizeof *row);
    row->id = *id;
    row->kind = (enum order_kind)reader_u8(&reader);
    row->phase = (enum order_phase)reader_u8(&reader);
    row->is_retention = reader_u8(&reader) != 0;
    read_text(&reader, row->member, sizeof row->member);
    read_text(&reader, row->basis, sizeof row->basis);
    read_text(&reader, row->reason, sizeof row->reason);
    read_text(&reader, row->actor, sizeof row->actor);
    read_text(&reader, row->official, sizeof row->official);
    read_text(&reader, row->shard, sizeof row->shard);
    reader_copy(&reader, row->digest, sizeof row->digest);
    row->given_at_ms = (int64_t)reader_u64(&reader);
    row->due_at_ms = (int64_t)reader_u64(&reader);
    row->until = reader_u64(&reader);
    row->cursor = reader_u64(&reader);
    row->entries = reader_u32(&reader);
    row->held = reader_u32(&reader);
    row->target = reader_chunk(&reader);
    row->signatures = reader_chunk(&reader);
    return reader_is_done(&reader) && layout == LAYOUT && row->kind <= ORDER_PRUNE &&
                   row->phase < ORDER_PHASES
               ? RC_OK
               : failed(RC_DATA_LOSS, "order.row", "cause=damaged");
}

static void key_of(const struct id *id, uint8_t is_done, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put_u8(key, is_done);
    dbkey_put(key, BYTES(id->bytes, ID_SIZE));
}

enum rc orderbook_get(struct txn *txn, const struct id *id, struct order_row *row)
{
    struct dbkey key;
    struct bytes found;
    enum rc rc;

    key_of(id, OPEN, &key);
    rc = table_get(txn, TABLE_ORDER, dbkey_bytes(&key), &found);
    if (rc == RC_NOT_FOUND) {
        key_of(id, DONE, &key);
        rc = table_get(txn, TABLE_ORDER, dbkey_bytes(&key), &found);
    }
    TRY(rc);
    return decode(found, id, row);
}

enum rc orderbook_put(struct txn *txn, const struct order_row *row)
{
    bool is_over = order_is_over(row->phase);
    OWN(buffer) out = {0};
    struct dbkey key;
    enum rc rc;

    encode(row, &out); /* before the first write: what it borrows may lie in the database */
    if (out.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    key_of(&row->id, is_over ? OPEN : DONE, &key);
    rc = table_delete(txn, TABLE_ORDER, dbkey_bytes(&key));
    if (rc != RC_NOT_FOUND) {
        TRY(rc);
    }
    key_of(&row->id, is_over ? DONE : OPEN, &key);
    return table_put(txn, TABLE_ORDER, dbkey_bytes(&key), buffer_bytes(&out));
}

enum rc orderbook_next(struct txn *txn, bool is_over, const struct id *after, struct order_row *row)
{
    uint8_t group = is_over ? DONE : OPEN;
    struct dbkey key;
    struct row found;
    struct id id;

    key_of(after, group, &key);
    dbkey_put_u8(&key, 0);
    TRY(table_from(txn, TABLE_ORDER, dbkey_bytes(&key), &found));
    if (found.key.size != 1 + ID_SIZE || found.key.data[0] != group) {
        return RC_NOT_FOUND;
    }
    memcpy(id.bytes, found.key.data + 1, ID_SIZE);
    return decode(found.value, &id, row);
}

/* ---- what it has to remember ---- */

static void thing_key(const struct id *id, char kind, struct dbkey *key)
{
    dbkey_clear(key);
    dbkey_put(key, BYTES(id->bytes, ID_SIZE));
    dbkey_put_u8(key, (uint8_t)kind);
}

enum rc orderbook_touch(struct txn *txn, const struct id *id, struct bytes shard)
{
    static const uint8_t nothing[1];
    struct dbkey key;

    thing_key(id, 't', &key);
    dbkey_put(&key, shard);
    return table_put(txn, TABLE_ORDERED, dbkey_bytes(&key), BYTES(nothing, 0));
}

/* The first row of this kind at or past the key; *rest: what follows id and kind in its key. */
static enum rc thing_from(struct txn *txn, const struct dbkey *key, struct row *row,
                          struct bytes *rest)
{
    struct bytes prefix = BYTES(key->data, ID_SIZE + 1);

    TRY(table_from(txn, TABLE_ORDERED, dbkey_bytes(key), row));
    if (!dbkey_has_prefix(row->key, prefix)) {
        return RC_NOT_FOUND;
    }
    *rest = BYTES(row->key.data + prefix.size, row->key.size - prefix.size);
    return RC_OK;
}

enum rc orderbook_touched(struct txn *txn, const struct id *id, const char *after,
                          char shard[VAULT_NAME_SIZE])
{
    struct dbkey key;
    struct bytes name;
    struct row row;

    thing_key(id, 't', &key);
    dbkey_put(&key, bytes_text(after));
    dbkey_put_u8(&key, 0);
    TRY(thing_from(txn, &key, &row, &name));
    if (name.size >= VAULT_NAME_SIZE) {
        return failed(RC_DATA_LOSS, "order.row", "cause=shard");
    }
    memcpy(shard, name.data, name.size);
    shard[name.size] = '\0';
    return RC_OK;
}

enum rc orderbook_keep(struct txn *txn, const struct id *id, uint64_t index, struct bytes keys)
{
    struct dbkey key;

    thing_key(id, 'p', &key);
    dbkey_put_u64(&key, index);
    return table_put(txn, TABLE_ORDERED, dbkey_bytes(&key), keys);
}

enum rc orderbook_kept(struct txn *txn, const struct id *id, uint64_t from, uint64_t *index,
                       struct bytes *keys)
{
    struct dbkey key;
    struct bytes number;
    struct row row;

    thing_key(id, 'p', &key);
    dbkey_put_u64(&key, from);
    TRY(thing_from(txn, &key, &row, &number));
    if (number.size != 8) {
        return failed(RC_DATA_LOSS, "order.row", "cause=index");
    }
    *index = get_u64(number.data);
    *keys = row.value;
    return RC_OK;
}

enum rc orderbook_drop(struct txn *txn, const struct id *id, uint64_t index)
{
    struct dbkey key;

    thing_key(id, 'p', &key);
    dbkey_put_u64(&key, index);
    return table_delete(txn, TABLE_ORDERED, dbkey_bytes(&key));
}

/* ---- what it is about ---- */

/* id message | u16 part | id exchange | u8 n | ids of persons | u8 n | ids of attachments */
void order_target_write(const struct order_target *target, struct buffer *out)
{
    buffer_put(out, target->message_id.bytes, ID_SIZE);
    buffer_put_u16(out, (uint16_t)target->part);
    buffer_put(out, target->exchange_id.bytes, ID_SIZE);
    buffer_put_u8(out, (uint8_t)target->subject_count);
    for (size_t i = 0; i < target->subject_count; i++) {
        buffer_put(out, target->subjects[i].bytes, ID_SIZE);
    }
    buffer_put_u8(out, (uint8_t)target->attachment_count);
    for (size_t i = 0; i < target->attachment_count; i++) {
        buffer_put(out, target->attachments[i].bytes, ID_SIZE);
    }
}

static size_t read_ids(struct reader *reader, struct id ids[ORDER_IDS_MAX])
{
    size_t count = reader_u8(reader);

    if (count > ORDER_IDS_MAX) {
        reader->is_failed = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        reader_copy(reader, ids[i].bytes, ID_SIZE);
    }
    return count;
}

enum rc order_target_read(struct bytes from, struct order_target *target)
{
    struct reader reader = {.rest = from};

    memset(target, 0, sizeof *target);
    reader_copy(&reader, target->message_id.bytes, ID_SIZE);
    target->part = reader_u16(&reader);
    reader_copy(&reader, target->exchange_id.bytes, ID_SIZE);
    target->subject_count = read_ids(&reader, target->subjects);
    target->attachment_count = read_ids(&reader, target->attachments);
    return reader_is_done(&reader) ? RC_OK : failed(RC_DATA_LOSS, "order.target", "cause=damaged");
}

static struct wrap_place place_of(const struct id *id)
{
    return (struct wrap_place){.label = LABEL, .context = BYTES(id->bytes, ID_SIZE)};
}

enum rc order_target_wrap(struct vault *view, const struct shard *shard, const struct id *id,
                          const struct order_target *target, struct buffer *out)
{
    const struct wrap_place place = place_of(id);
    uint8_t nonce[AEAD_NONCE_SIZE];
    OWN(buffer) plain = {0};

    order_target_write(target, &plain);
    if (plain.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    random_fill(nonce, sizeof nonce);
    return wrap_seal(view, shard, &place, nonce, buffer_bytes(&plain), out);
}

enum rc order_target_open(struct vault *view, const struct id *id, struct bytes wrapped,
                          struct order_target *target)
{
    const struct wrap_place place = place_of(id);
    uint8_t plain[WRAP_PLAIN_MAX];
    size_t size = 0;
    enum rc rc = wrap_open(view, &place, wrapped, plain, &size);

    if (rc == RC_OK) {
        rc = order_target_read(BYTES(plain, size), target);
    }
    explicit_bzero(plain, size);
    return rc;
}
