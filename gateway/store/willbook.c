#include "store/willbook.h"

#include <string.h>

#include "crypto/aead.h"
#include "crypto/digest.h"
#include "store/dbkey.h"
#include "store/table.h"

/*
 * Before encryption: u8 layout, 1 | u8 consent | chunk reference | chunk official | u64 since
 * u64 ratify by | impeded by[16] | u8 count, chunks excluded | u8 count, chunks standing
 */
#define LAYOUT 1
#define OWNER_SIZE 8
#define NAME_SIZE 16
#define ROW_MAX ((size_t)4096)

static const char name_label[] = "enlace/will/name/v1";
#define ROW_LABEL "enlace/will/row/v1"

static void owner_of(const char *member, struct dbkey *key)
{
    struct bytes text = bytes_text(member);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&text, 1, digest);
    dbkey_clear(key);
    dbkey_put(key, BYTES(digest, OWNER_SIZE));
}

static void key_of(const char *member, const uint8_t key[TAGKEY_SIZE], struct dbkey *out)
{
    struct bytes label = bytes_text(name_label);
    uint8_t mac[DIGEST_SIZE];

    hmac_of(BYTES(key, TAGKEY_SIZE), &label, 1, mac);
    owner_of(member, out);
    dbkey_put(out, BYTES(mac, NAME_SIZE));
}

static void put_texts(struct buffer *out, const char *texts, size_t size, size_t count)
{
    buffer_put_u8(out, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        buffer_put_chunk(out, bytes_text(texts + i * size));
    }
}

static void encode(const struct will *will, struct buffer *out)
{
    buffer_put_u8(out, LAYOUT);
    buffer_put_u8(out, (uint8_t)will->consent);
    buffer_put_chunk(out, bytes_text(will->reference));
    buffer_put_chunk(out, bytes_text(will->official));
    buffer_put_u64(out, (uint64_t)will->since_ms);
    buffer_put_u64(out, (uint64_t)will->ratify_by_ms);
    buffer_put(out, will->impeded_by.bytes, ID_SIZE);
    put_texts(out, will->excluded[0], WILL_NAME_SIZE, will->excluded_count);
    put_texts(out, will->standing[0], CODE_SIZE, will->standing_count);
}

static void read_text(struct reader *reader, char *out, size_t size)
{
    struct bytes text = reader_chunk(reader);

    if (reader->is_failed || text.size >= size ||
        (text.size > 0 && memchr(text.data, 0, text.size) != NULL)) {
        reader->is_failed = true;
        return;
    }
    if (text.size > 0) {
        memcpy(out, text.data, text.size);
    }
    out[text.size] = '\0';
}

static size_t read_texts(struct reader *reader, char *texts, size_t size, size_t max)
{
    size_t count = reader_u8(reader);

    if (count > max) {
        reader->is_failed = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        read_text(reader, texts + i * size, size);
    }
    return count;
}

static enum rc decode(struct bytes row, struct will *will)
{
    struct reader reader = {.rest = row};
    unsigned layout = reader_u8(&reader);

    memset(will, 0, sizeof *will);
    will->consent = (enum will_consent)reader_u8(&reader);
    read_text(&reader, will->reference, sizeof will->reference);
    read_text(&reader, will->official, sizeof will->official);
    will->since_ms = (int64_t)reader_u64(&reader);
    will->ratify_by_ms = (int64_t)reader_u64(&reader);
    reader_copy(&reader, will->impeded_by.bytes, ID_SIZE);
    will->excluded_count =
        read_texts(&reader, will->excluded[0], WILL_NAME_SIZE, WILL_EXCLUDED_MAX);
    will->standing_count = read_texts(&reader, will->standing[0], CODE_SIZE, WILL_STANDING_MAX);
    return reader_is_done(&reader) && layout == LAYOUT && will->consent < WILL_CONSENTS
               ? RC_OK
               : failed(RC_DATA_LOSS, "will.row", "cause=damaged");
}

enum rc willbook_get(struct txn *txn, const char *member, const uint8_t key[TAGKEY_SIZE],
                     struct will *will)
{
    uint8_t row_key[DIGEST_SIZE];
    uint8_t plain[ROW_MAX];
    struct dbkey at;
    struct bytes row;
    struct bytes sealed;
    enum rc rc;

    key_of(member, key, &at);
    TRY(table_get(txn, TABLE_WILL, dbkey_bytes(&at), &row));
    if (row.size < AEAD_NONCE_SIZE + AEAD_TAG_SIZE || row.size > ROW_MAX) {
        return failed(RC_DATA_LOSS, "will.row", "cause=size");
    }
    sealed = BYTES(row.data + AEAD_NONCE_SIZE, row.size - AEAD_NONCE_SIZE);
    hkdf_expand(key, ROW_LABEL, row_key);
    rc = aead_open(row_key, row.data, dbkey_bytes(&at), sealed, plain);
    explicit_bzero(row_key, sizeof row_key);
    if (rc != RC_OK) {
        return failed(RC_DATA_LOSS, "will.row", "cause=does not open");
    }
    rc = decode(BYTES(plain, sealed.size - AEAD_TAG_SIZE), will);
    explicit_bzero(plain, sizeof plain);
    return rc;
}

enum rc willbook_put(struct txn *txn, const char *member, const uint8_t key[TAGKEY_SIZE],
                     const struct will *will)
{
    uint8_t sealed[ROW_MAX];
    uint8_t row_key[DIGEST_SIZE];
    OWN(buffer) plain = {0};
    struct dbkey at;
    enum rc rc;

    encode(will, &plain);
    if (plain.is_failed || plain.size + AEAD_NONCE_SIZE + AEAD_TAG_SIZE > sizeof sealed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    key_of(member, key, &at);
    random_fill(sealed, AEAD_NONCE_SIZE);
    hkdf_expand(key, ROW_LABEL, row_key);
    rc = aead_seal(row_key, sealed, dbkey_bytes(&at), buffer_bytes(&plain),
                   sealed + AEAD_NONCE_SIZE);
    explicit_bzero(row_key, sizeof row_key);
    explicit_bzero(plain.data, plain.size);
    TRY(rc);
    return table_put(txn, TABLE_WILL, dbkey_bytes(&at),
                     BYTES(sealed, AEAD_NONCE_SIZE + plain.size + AEAD_TAG_SIZE));
}

enum rc willbook_any(struct txn *txn, const char *member, bool *is_any)
{
    struct dbkey owner;
    struct row row;
    enum rc rc;

    owner_of(member, &owner);
    rc = table_from(txn, TABLE_WILL, dbkey_bytes(&owner), &row);
    *is_any = rc == RC_OK && dbkey_has_prefix(row.key, dbkey_bytes(&owner));
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
