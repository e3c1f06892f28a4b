#include "store/content.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "store/vault.h"
#include "store/wrap.h"

#define LABEL "enlace/content/v1"
#define FLAG_SEALED 1
#define PART_HEAD ((size_t)7)
#define ENTRY_SIZE ((size_t)35)
#define KEYS_SIZE_MAX (2 + CONTENT_PARTS_MAX * ENTRY_SIZE + MESSAGE_SUBJECTS_MAX * ID_SIZE)
#define AAD_SIZE (CONTENT_NONCE_SIZE + 3)

static_assert(KEYS_SIZE_MAX <= WRAP_PLAIN_MAX, "the keys of a message fit into one wrap");

/* A part's key is drawn for one encryption and never used for another. */
static const uint8_t once_only[AEAD_NONCE_SIZE];

enum key_state {
    KEY_THERE = 1,
    KEY_ERASED = 2,
};

struct part_key {
    uint16_t part;
    enum key_state state;
    uint8_t bytes[AEAD_KEY_SIZE]; /* the key, or H_i */
};

struct part_keys {
    struct part_key keys[CONTENT_PARTS_MAX];
    size_t count;
    struct content_persons persons;
};

/* A part on its way in, borrowed; the signatures have neither blind nor content. */
struct part {
    uint16_t number;
    uint8_t flags;
    size_t size; /* of P */
    struct bytes blind;
    struct bytes content;
};

struct parts {
    struct part parts[CONTENT_PARTS_MAX];
    size_t count;
    size_t row_size;
};

static enum rc parts_add(struct parts *parts, const struct part *part)
{
    if (parts->count > 0 && part->number <= parts->parts[parts->count - 1].number) {
        return RC_INVALID_ARGUMENT;
    }
    parts->parts[parts->count++] = *part;
    parts->row_size += PART_HEAD + part->size + AEAD_TAG_SIZE;
    return RC_OK;
}

static enum rc parts_add_blinded(struct parts *parts, uint16_t number, uint8_t flags,
                                 struct bytes blind, struct bytes content, size_t max)
{
    const struct part part = {.number = number,
                              .flags = flags,
                              .size = BLIND_SIZE + content.size,
                              .blind = blind,
                              .content = content};

    if (blind.size != BLIND_SIZE || content.size > max) {
        return RC_INVALID_ARGUMENT;
    }
    return parts_add(parts, &part);
}

static enum rc parts_add_signatures(struct parts *parts, const struct message *message)
{
    struct part part = {.number = CONTENT_SIGNATURES};

    for (size_t i = 0; i < message->signature_count; i++) {
        const struct signature *signature = &message->signatures[i];

        if (signature->certificate.size > CONTENT_SIGNATURE_MAX ||
            signature->signature.size > CONTENT_SIGNATURE_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        part.size += 8 + signature->certificate.size + signature->signature.size;
    }
    return parts_add(parts, &part);
}

static enum rc parts_of(const struct message *message, struct parts *parts)
{
    parts->count = 0;
    parts->row_size = 0;
    if (message->compartment_count > MESSAGE_COMPARTMENTS_MAX ||
        message->signature_count > MESSAGE_SIGNATURES_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(parts_add_blinded(parts, COMMIT_HEADER_PART, 0, message->header_blind,
                          message->header_bytes, MESSAGE_HEADER_MAX));
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        if (compartment->part >= CONTENT_SIGNATURES) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(parts_add_blinded(parts, (uint16_t)compartment->part,
                              compartment->is_sealed ? FLAG_SEALED : 0, compartment->blind,
                              compartment->content, MESSAGE_BYTES_MAX));
    }
    return message->signature_count == 0 ? RC_OK : parts_add_signatures(parts, message);
}

static void aad_make(uint8_t aad[AAD_SIZE], const uint8_t *nonce, uint16_t part, uint8_t flags)
{
    memcpy(aad, nonce, CONTENT_NONCE_SIZE);
    put_u16(aad + CONTENT_NONCE_SIZE, part);
    aad[CONTENT_NONCE_SIZE + 2] = flags;
}

static uint8_t *copy_to(uint8_t *at, struct bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(at, bytes.data, bytes.size);
    }
    return at + bytes.size;
}

static void write_plain(uint8_t *at, const struct part *part, const struct message *message)
{
    if (part->number != CONTENT_SIGNATURES) {
        at = copy_to(at, part->blind);
        copy_to(at, part->content);
        return;
    }
    for (size_t i = 0; i < message->signature_count; i++) {
        const struct signature *signature = &message->signatures[i];

        put_u32(at, (uint32_t)signature->certificate.size);
        at = copy_to(at + 4, signature->certificate);
        put_u32(at, (uint32_t)signature->signature.size);
        at = copy_to(at + 4, signature->signature);
    }
}

/* Grows once and before any plaintext is in it: growing later would leave copies on the heap. */
static enum rc row_grow(struct buffer *row, size_t size)
{
    static const uint8_t zeros[4096];

    buffer_reserve(row, size);
    while (size > 0) {
        size_t step = size < sizeof zeros ? size : sizeof zeros;

        buffer_put(row, zeros, step);
        size -= step;
    }
    return row->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc seal_parts(const struct parts *parts, const struct message *message,
                          const uint8_t *nonce, struct part_keys *keys, uint8_t *at)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct part *part = &parts->parts[i];
        struct part_key *key = &keys->keys[keys->count++];
        uint8_t aad[AAD_SIZE];

        key->part = part->number;
        key->state = KEY_THERE;
        random_fill(key->bytes, sizeof key->bytes);
        put_u16(at, part->number);
        at[2] = part->flags;
        put_u32(at + 3, (uint32_t)part->size);
        at += PART_HEAD;
        write_plain(at, part, message);
        aad_make(aad, nonce, part->number, part->flags);
        TRY(aead_seal(key->bytes, once_only, BYTES_OF(aad), BYTES(at, part->size), at));
        at += part->size + AEAD_TAG_SIZE;
    }
    return RC_OK;
}

static struct wrap_place place_of(const uint8_t *nonce)
{
    return (struct wrap_place){.label = LABEL, .context = BYTES(nonce, CONTENT_NONCE_SIZE)};
}

static enum rc keys_seal(struct vault *vault, const struct shard *shard, const uint8_t *nonce,
                         const struct part_keys *keys, struct buffer *out)
{
    const struct wrap_place place = place_of(nonce);
    uint8_t plain[KEYS_SIZE_MAX];
    uint8_t wrap_nonce[AEAD_NONCE_SIZE];
    uint8_t *at = plain;
    enum rc rc;

    *at++ = (uint8_t)keys->count;
    for (size_t i = 0; i < keys->count; i++) {
        const struct part_key *key = &keys->keys[i];

        put_u16(at, key->part);
        at[2] = (uint8_t)key->state;
        memcpy(at + 3, key->bytes, sizeof key->bytes);
        at += ENTRY_SIZE;
    }
    *at++ = (uint8_t)keys->persons.count;
    for (size_t i = 0; i < keys->persons.count; i++) {
        memcpy(at, keys->persons.ids[i].bytes, ID_SIZE);
        at += ID_SIZE;
    }
    random_fill(wrap_nonce, sizeof wrap_nonce);
    rc = wrap_seal(vault, shard, &place, wrap_nonce, BYTES(plain, at - plain), out);
    explicit_bzero(plain, (size_t)(at - plain));
    return rc;
}

static enum rc persons_parse(struct reader *reader, struct content_persons *persons)
{
    size_t count = reader_u8(reader);

    if (count > MESSAGE_SUBJECTS_MAX) {
        return RC_DATA_LOSS;
    }
    for (persons->count = 0; persons->count < count; persons->count++) {
        reader_copy(reader, persons->ids[persons->count].bytes, ID_SIZE);
    }
    return RC_OK;
}

static enum rc keys_parse(struct bytes plain, struct part_keys *keys)
{
    struct reader reader = {.rest = plain};
    size_t count = reader_u8(&reader);

    keys->count = 0;
    if (count == 0 || count > CONTENT_PARTS_MAX) {
        return RC_DATA_LOSS;
    }
    for (size_t i = 0; i < count; i++) {
        struct part_key *key = &keys->keys[i];
        uint16_t part = reader_u16(&reader);
        uint8_t state = reader_u8(&reader);

        reader_copy(&reader, key->bytes, sizeof key->bytes);
        if ((state != KEY_THERE && state != KEY_ERASED) ||
            (i > 0 && part <= keys->keys[i - 1].part)) {
            return RC_DATA_LOSS;
        }
        key->part = part;
        key->state = (enum key_state)state;
        keys->count++;
    }
    TRY(persons_parse(&reader, &keys->persons));
    return reader_is_done(&reader) ? RC_OK : RC_DATA_LOSS;
}

static enum rc keys_open(struct vault *vault, struct bytes key_row, const uint8_t *nonce,
                         struct part_keys *keys)
{
    const struct wrap_place place = place_of(nonce);
    uint8_t plain[WRAP_PLAIN_MAX];
    size_t size = 0;
    enum rc rc = wrap_open(vault, &place, key_row, plain, &size);

    if (rc == RC_OK) {
        rc = keys_parse(BYTES(plain, size), keys);
    }
    explicit_bzero(plain, size);
    return rc;
}

enum rc content_seal(struct vault *vault, const struct shard *shard, const struct message *message,
                     const struct content_persons *persons, const uint8_t nonce[CONTENT_NONCE_SIZE],
                     struct buffer *key_row, struct buffer *body_row)
{
    struct parts parts;
    struct part_keys keys;
    enum rc rc;

    if (key_row->size != 0 || body_row->size != 0 || persons->count > MESSAGE_SUBJECTS_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    keys.count = 0;
    keys.persons = *persons;
    TRY(parts_of(message, &parts));
    rc = row_grow(body_row, parts.row_size);
    if (rc == RC_OK) {
        rc = seal_parts(&parts, message, nonce, &keys, body_row->data);
    }
    if (rc == RC_OK) {
        rc = keys_seal(vault, shard, nonce, &keys, key_row);
    }
    explicit_bzero(keys.keys, keys.count * sizeof keys.keys[0]);
    if (rc != RC_OK) {
        if (body_row->size > 0) {
            explicit_bzero(body_row->data, body_row->size);
        }
        buffer_clear(body_row);
        buffer_clear(key_row);
    }
    return rc;
}

/* One part as it lies in a body row. */
struct stored {
    uint16_t number;
    uint8_t flags;
    struct bytes sealed;
};

static enum rc stored_next(struct reader *reader, const struct part_key *key, struct stored *stored)
{
    size_t size;

    stored->number = reader_u16(reader);
    stored->flags = reader_u8(reader);
    size = reader_u32(reader);
    stored->sealed = reader_take(reader, size + AEAD_TAG_SIZE);
    return reader->is_failed || stored->number != key->part ? RC_DATA_LOSS : RC_OK;
}

static enum rc stored_open(const struct stored *stored, const struct part_key *key,
                           const uint8_t *nonce, struct arena *arena, struct bytes *plain)
{
    size_t size = stored->sealed.size - AEAD_TAG_SIZE;
    uint8_t *out = arena_alloc(arena, size);
    uint8_t aad[AAD_SIZE];

    if (out == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    aad_make(aad, nonce, stored->number, stored->flags);
    TRY(aead_open(key->bytes, once_only, BYTES_OF(aad), stored->sealed, out));
    *plain = BYTES(out, size);
    return RC_OK;
}

static enum rc signatures_read(struct bytes plain, struct message *message)
{
    struct reader reader = {.rest = plain};

    while (!reader_is_done(&reader)) {
        struct bytes certificate = reader_chunk(&reader);
        struct bytes signature = reader_chunk(&reader);

        if (reader.is_failed || message->signature_count == MESSAGE_SIGNATURES_MAX) {
            return RC_DATA_LOSS;
        }
        message->signatures[message->signature_count++] =
            (struct signature){.certificate = certificate, .signature = signature};
    }
    return RC_OK;
}

static enum rc plain_read(const struct stored *stored, struct bytes plain, struct message *message)
{
    struct compartment *compartment;
    struct bytes blind;
    struct bytes content;

    if (stored->number == CONTENT_SIGNATURES) {
        return signatures_read(plain, message);
    }
    if (plain.size < BLIND_SIZE) {
        return RC_DATA_LOSS;
    }
    blind = BYTES(plain.data, BLIND_SIZE);
    content = BYTES(plain.data + BLIND_SIZE, plain.size - BLIND_SIZE);
    if (stored->number == COMMIT_HEADER_PART) {
        message->header_blind = blind;
        message->header_bytes = content;
        return RC_OK;
    }
    if (message->compartment_count == MESSAGE_COMPARTMENTS_MAX) {
        return RC_DATA_LOSS;
    }
    compartment = &message->compartments[message->compartment_count++];
    compartment->part = stored->number;
    compartment->blind = blind;
    compartment->content = content;
    compartment->is_sealed = stored->flags == FLAG_SEALED;
    compartment->curp = compartment->birth_date = compartment->alcaldia = "";
    return RC_OK;
}

static void list_erased(struct content_erased *erased, const struct part_key *key)
{
    struct commit_part *part = &erased->parts[erased->count++];

    part->number = key->part;
    memcpy(part->digest, key->bytes, sizeof part->digest);
}

static enum rc body_open(const struct part_keys *keys, struct bytes body_row, const uint8_t *nonce,
                         struct arena *arena, struct message *message,
                         struct content_erased *erased)
{
    struct reader reader = {.rest = body_row};

    for (size_t i = 0; i < keys->count; i++) {
        const struct part_key *key = &keys->keys[i];
        struct stored stored;
        struct bytes plain;

        TRY(stored_next(&reader, key, &stored));
        if (key->state == KEY_ERASED) {
            list_erased(erased, key);
        } else {
            TRY(stored_open(&stored, key, nonce, arena, &plain));
            TRY(plain_read(&stored, plain, message));
        }
    }
    return reader_is_done(&reader) ? RC_OK : RC_DATA_LOSS;
}

enum rc content_open(struct vault *vault, struct bytes key_row, struct bytes body_row,
                     const uint8_t nonce[CONTENT_NONCE_SIZE], struct arena *arena,
                     struct message *message, struct content_erased *erased)
{
    struct content_erased unasked;
    struct part_keys keys;
    enum rc rc;

    erased = erased == NULL ? &unasked : erased;
    erased->count = 0;
    memset(message, 0, sizeof *message);
    keys.count = 0;
    rc = keys_open(vault, key_row, nonce, &keys);
    if (rc == RC_OK) {
        rc = body_open(&keys, body_row, nonce, arena, message, erased);
    }
    explicit_bzero(keys.keys, keys.count * sizeof keys.keys[0]);
    if (rc != RC_OK) {
        memset(message, 0, sizeof *message);
        erased->count = 0;
    }
    return rc;
}

enum rc content_persons_open(struct vault *vault, struct bytes key_row,
                             const uint8_t nonce[CONTENT_NONCE_SIZE],
                             struct content_persons *persons)
{
    struct part_keys keys;
    enum rc rc;

    keys.count = 0;
    rc = keys_open(vault, key_row, nonce, &keys);
    if (rc == RC_OK) {
        *persons = keys.persons;
    }
    explicit_bzero(keys.keys, keys.count * sizeof keys.keys[0]);
    return rc;
}

enum rc content_rewrap(struct vault *vault, struct bytes key_row,
                       const uint8_t nonce[CONTENT_NONCE_SIZE], const struct shard *to,
                       struct buffer *out)
{
    const struct wrap_place place = place_of(nonce);

    return wrap_move(vault, &place, key_row, to, out);
}

/* Puts H_i where the part's key was. */
static enum rc key_erase(struct part_key *key, const struct stored *stored, const uint8_t *nonce)
{
    OWN_PTR(arena) arena = arena_new(MESSAGE_BYTES_MAX + ((size_t)64 << 10));
    uint8_t digest[DIGEST_SIZE] = {0};
    struct bytes plain;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(stored_open(stored, key, nonce, arena, &plain));
    if (key->part != CONTENT_SIGNATURES) {
        if (plain.size < BLIND_SIZE) {
            return RC_DATA_LOSS;
        }
        commit_part(plain.data, BYTES(plain.data + BLIND_SIZE, plain.size - BLIND_SIZE), digest);
    }
    memcpy(key->bytes, digest, sizeof key->bytes);
    key->state = KEY_ERASED;
    return RC_OK;
}

static enum rc keys_erase_part(struct part_keys *keys, struct bytes body_row, const uint8_t *nonce,
                               uint16_t part)
{
    struct reader reader = {.rest = body_row};

    for (size_t i = 0; i < keys->count; i++) {
        struct part_key *key = &keys->keys[i];
        struct stored stored;

        TRY(stored_next(&reader, key, &stored));
        if (key->part == part) {
            return key->state == KEY_ERASED ? RC_OK : key_erase(key, &stored, nonce);
        }
    }
    return RC_INVALID_ARGUMENT;
}

enum rc content_erase_part(struct vault *vault, struct bytes key_row, struct bytes body_row,
                           const uint8_t nonce[CONTENT_NONCE_SIZE], uint16_t part,
                           const struct shard *to, struct buffer *out)
{
    struct part_keys keys;
    enum rc rc;

    keys.count = 0;
    rc = keys_open(vault, key_row, nonce, &keys);
    if (rc == RC_OK) {
        rc = keys_erase_part(&keys, body_row, nonce, part);
    }
    if (part == COMMIT_HEADER_PART) {
        keys.persons.count = 0;
    }
    if (rc == RC_OK) {
        rc = keys_seal(vault, to, nonce, &keys, out);
    }
    explicit_bzero(keys.keys, keys.count * sizeof keys.keys[0]);
    return rc;
}

static enum rc keys_erase_subject(struct part_keys *keys, struct bytes body_row,
                                  const uint8_t *nonce, unsigned subject)
{
    struct reader reader = {.rest = body_row};

    if (subject >= keys->persons.count) {
        return RC_INVALID_ARGUMENT;
    }
    memset(&keys->persons.ids[subject], 0, sizeof keys->persons.ids[subject]);
    for (size_t i = 0; i < keys->count; i++) {
        struct part_key *key = &keys->keys[i];
        struct stored stored;

        TRY(stored_next(&reader, key, &stored));
        if (key->part != COMMIT_HEADER_PART && key->part / 256 == subject &&
            key->state != KEY_ERASED) {
            TRY(key_erase(key, &stored, nonce));
        }
    }
    return RC_OK;
}

enum rc content_erase_subject(struct vault *vault, struct bytes key_row, struct bytes body_row,
                              const uint8_t nonce[CONTENT_NONCE_SIZE], unsigned subject,
                              const struct shard *to, struct buffer *out)
{
    struct part_keys keys;
    enum rc rc;

    keys.count = 0;
    rc = keys_open(vault, key_row, nonce, &keys);
    if (rc == RC_OK) {
        rc = keys_erase_subject(&keys, body_row, nonce, subject);
    }
    if (rc == RC_OK) {
        rc = keys_seal(vault, to, nonce, &keys, out);
    }
    explicit_bzero(keys.keys, keys.count * sizeof keys.keys[0]);
    return rc;
}

enum rc content_shard_name(struct bytes key_row, struct bytes *name)
{
    return wrap_shard_name(key_row, name);
}
