#include "store/wrap.h"

#include <string.h>

#include "crypto/digest.h"
#include "store/vault.h"

#define FORMAT 1
#define LABEL_MAX ((size_t)32)
/* Label, context, format, length and name. */
#define AAD_MAX (LABEL_MAX + WRAP_CONTEXT_MAX + 2 + VAULT_NAME_SIZE)

struct aad {
    uint8_t data[AAD_MAX];
    size_t size;
};

static void aad_put(struct aad *aad, const void *data, size_t size)
{
    memcpy(aad->data + aad->size, data, size);
    aad->size += size;
}

static enum rc aad_make(struct aad *aad, const struct wrap_place *place, struct bytes name)
{
    const uint8_t head[] = {FORMAT, (uint8_t)name.size};
    size_t label = strlen(place->label) + 1;

    if (label > LABEL_MAX || place->context.size > WRAP_CONTEXT_MAX ||
        name.size >= VAULT_NAME_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    aad->size = 0;
    aad_put(aad, place->label, label);
    aad_put(aad, place->context.data, place->context.size);
    aad_put(aad, head, sizeof head);
    aad_put(aad, name.data, name.size);
    return RC_OK;
}

enum rc wrap_seal(struct vault *vault, const struct shard *shard, const struct wrap_place *place,
                  const uint8_t nonce[AEAD_NONCE_SIZE], struct bytes plain, struct buffer *out)
{
    static const uint8_t room[WRAP_PLAIN_MAX + AEAD_TAG_SIZE];
    struct bytes name = bytes_text(shard_name(shard));
    uint8_t key[VAULT_KEY_SIZE];
    struct aad aad;
    enum rc rc;

    if (plain.size > WRAP_PLAIN_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(aad_make(&aad, place, name));
    buffer_put_u8(out, FORMAT);
    buffer_put_u8(out, (uint8_t)name.size);
    buffer_put_bytes(out, name);
    buffer_put(out, nonce, AEAD_NONCE_SIZE);
    buffer_put(out, room, plain.size + AEAD_TAG_SIZE);
    if (out->is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(shard_key(vault, shard, key));
    rc = aead_seal(key, nonce, BYTES(aad.data, aad.size), plain,
                   out->data + out->size - plain.size - AEAD_TAG_SIZE);
    explicit_bzero(key, sizeof key);
    return rc;
}

enum rc wrap_shard_name(struct bytes wrapped, struct bytes *name)
{
    struct reader reader = {.rest = wrapped};
    uint8_t format = reader_u8(&reader);
    struct bytes found = reader_take(&reader, reader_u8(&reader));

    if (reader.is_failed || format != FORMAT || found.size == 0 || found.size >= VAULT_NAME_SIZE) {
        return RC_DATA_LOSS;
    }
    *name = found;
    return RC_OK;
}

enum rc wrap_open(struct vault *vault, const struct wrap_place *place, struct bytes wrapped,
                  uint8_t plain[WRAP_PLAIN_MAX], size_t *size)
{
    const struct shard *shard = NULL;
    struct bytes name;
    struct bytes sealed;
    const uint8_t *nonce;
    uint8_t key[VAULT_KEY_SIZE];
    struct aad aad;
    enum rc rc;

    TRY(wrap_shard_name(wrapped, &name));
    if (wrapped.size < 2 + name.size + AEAD_NONCE_SIZE + AEAD_TAG_SIZE) {
        return RC_DATA_LOSS;
    }
    nonce = name.data + name.size;
    sealed = BYTES(nonce + AEAD_NONCE_SIZE, wrapped.size - 2 - name.size - AEAD_NONCE_SIZE);
    if (sealed.size > WRAP_PLAIN_MAX + AEAD_TAG_SIZE) {
        return RC_DATA_LOSS;
    }
    TRY(aad_make(&aad, place, name));
    TRY(vault_shard_by_name(vault, name, &shard));
    TRY(shard_key(vault, shard, key));
    rc = aead_open(key, nonce, BYTES(aad.data, aad.size), sealed, plain);
    explicit_bzero(key, sizeof key);
    if (rc == RC_OK) {
        *size = sealed.size - AEAD_TAG_SIZE;
    }
    return rc;
}

enum rc wrap_move(struct vault *vault, const struct wrap_place *place, struct bytes wrapped,
                  const struct shard *to, struct buffer *out)
{
    uint8_t nonce[AEAD_NONCE_SIZE];
    uint8_t plain[WRAP_PLAIN_MAX];
    size_t size = 0;
    enum rc rc = wrap_open(vault, place, wrapped, plain, &size);

    if (rc == RC_OK) {
        random_fill(nonce, sizeof nonce);
        rc = wrap_seal(vault, to, place, nonce, BYTES(plain, size), out);
    }
    explicit_bzero(plain, size);
    return rc;
}
