#include "store/filekey.h"

#include <string.h>

#include "store/durable.h"
#include "store/vault.h"
#include "store/wrap.h"

#define LABEL "enlace/file/v1"
#define HEADER_MAX ((size_t)512)
#define FIXED_SIZE ((size_t)AEAD_KEY_SIZE + 8 + DIGEST_SIZE + 1)

enum rc filename_make(const struct file_name *name, struct filename *filename)
{
    static const char label[] = LABEL;
    size_t holder = strnlen(name->holder, FILES_MEMBER_MAX + 1);
    const struct bytes parts[] = {BYTES_OF(label), BYTES(name->holder, holder + 1),
                                  BYTES_OF(name->id.bytes)};
    uint8_t digest[DIGEST_SIZE];

    if (holder == 0 || holder > FILES_MEMBER_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    digest_of(parts, 3, digest);
    memcpy(filename->bytes, digest, FILENAME_SIZE);
    hex_encode(filename->bytes, FILENAME_SIZE, filename->hex);
    return RC_OK;
}

enum rc filename_parse(const char *hex, struct filename *filename)
{
    TRY(hex_decode(hex, filename->bytes, FILENAME_SIZE));
    hex_encode(filename->bytes, FILENAME_SIZE, filename->hex);
    return RC_OK;
}

static struct wrap_place place_of(const struct filename *name)
{
    return (struct wrap_place){.label = LABEL, .context = BYTES_OF(name->bytes)};
}

enum rc filekey_write(int folder, struct vault *vault, const struct shard *shard,
                      const struct filename *name, const struct filekey *key)
{
    const struct wrap_place place = place_of(name);
    size_t owner = strlen(key->owner);
    uint8_t plain[FIXED_SIZE + FILES_MEMBER_MAX];
    uint8_t nonce[AEAD_NONCE_SIZE];
    uint8_t *at = plain;
    OWN(buffer) header = {0};
    enum rc rc;

    memcpy(at, key->key, AEAD_KEY_SIZE);
    put_u64(at + AEAD_KEY_SIZE, key->size);
    memcpy(at + AEAD_KEY_SIZE + 8, key->sha256, DIGEST_SIZE);
    at[FIXED_SIZE - 1] = (uint8_t)owner;
    memcpy(at + FIXED_SIZE, key->owner, owner);
    random_fill(nonce, sizeof nonce);
    rc = wrap_seal(vault, shard, &place, nonce, BYTES(plain, FIXED_SIZE + owner), &header);
    explicit_bzero(plain, sizeof plain);
    TRY(rc);
    return durable_write(folder, name->hex, buffer_bytes(&header));
}

static enum rc parse(struct bytes plain, struct filekey *key)
{
    struct reader reader = {.rest = plain};
    struct bytes owner;

    reader_copy(&reader, key->key, sizeof key->key);
    key->size = reader_u64(&reader);
    reader_copy(&reader, key->sha256, sizeof key->sha256);
    owner = reader_take(&reader, reader_u8(&reader));
    if (!reader_is_done(&reader) || owner.size > FILES_MEMBER_MAX || key->size == 0 ||
        key->size > FILES_SIZE_MAX) {
        return RC_DATA_LOSS;
    }
    memset(key->owner, 0, sizeof key->owner);
    if (owner.size > 0) {
        memcpy(key->owner, owner.data, owner.size);
    }
    return RC_OK;
}

enum rc filekey_read(int folder, struct vault *vault, const struct filename *name,
                     struct filekey *key)
{
    const struct wrap_place place = place_of(name);
    uint8_t header[HEADER_MAX];
    uint8_t plain[WRAP_PLAIN_MAX];
    size_t header_size = 0;
    size_t size = 0;
    enum rc rc;

    TRY(durable_read(folder, name->hex, header, sizeof header, &header_size));
    rc = wrap_open(vault, &place, BYTES(header, header_size), plain, &size);
    if (rc == RC_OK) {
        rc = parse(BYTES(plain, size), key);
    }
    explicit_bzero(plain, size);
    if (rc != RC_OK) {
        filekey_wipe(key);
    }
    return rc == RC_DATA_LOSS ? failed(rc, "files.header", "file=%s", name->hex) : rc;
}

bool filekey_is_erased(int folder, struct vault *vault, const struct filename *name)
{
    const struct shard *shard;
    uint8_t header[HEADER_MAX];
    struct bytes shard_of;
    size_t size = 0;

    if (durable_read(folder, name->hex, header, sizeof header, &size) != RC_OK ||
        wrap_shard_name(BYTES(header, size), &shard_of) != RC_OK) {
        return false;
    }
    shard = vault_known(vault, shard_of);
    return shard != NULL && shard_is_erased(shard) && !shard_is_blocked(shard);
}

enum rc filekey_move(int folder, struct vault *vault, const struct filename *name,
                     const struct shard *from, const struct shard *to, bool *is_moved)
{
    const struct wrap_place place = place_of(name);
    uint8_t header[HEADER_MAX];
    OWN(buffer) moved = {0};
    struct bytes shard;
    size_t size = 0;

    TRY(durable_read(folder, name->hex, header, sizeof header, &size));
    TRY(wrap_shard_name(BYTES(header, size), &shard));
    *is_moved = from == NULL ? !bytes_are_text(shard, shard_name(to))
                             : bytes_are_text(shard, shard_name(from));
    if (!*is_moved) {
        return RC_OK;
    }
    TRY(wrap_move(vault, &place, BYTES(header, size), to, &moved));
    return durable_write(folder, name->hex, buffer_bytes(&moved));
}

void filekey_shard(int folder, const struct filename *name, char shard[VAULT_NAME_SIZE])
{
    uint8_t header[HEADER_MAX];
    struct bytes found;
    size_t size = 0;

    shard[0] = '\0';
    if (durable_read(folder, name->hex, header, sizeof header, &size) == RC_OK &&
        wrap_shard_name(BYTES(header, size), &found) == RC_OK) {
        memcpy(shard, found.data, found.size);
        shard[found.size] = '\0';
    }
}

void filekey_wipe(struct filekey *key)
{
    explicit_bzero(key, sizeof *key);
}
