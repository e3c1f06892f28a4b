#include "tlog/vkey.h"

#include <stdio.h>
#include <string.h>

#include "tlog/text.h"

bool vkey_name_is_valid(struct bytes name)
{
    if (name.size == 0 || name.size > VKEY_NAME_MAX || memchr(name.data, '+', name.size) != NULL) {
        return false;
    }
    return text_is_clean(name, TEXT_NO_SPACE);
}

static void compute_id(struct vkey *vkey)
{
    const uint8_t middle[] = {'\n', (uint8_t)vkey->type};
    const struct bytes parts[] = {bytes_text(vkey->name), BYTES_OF(middle),
                                  BYTES_OF(vkey->public_key)};
    uint8_t digest[DIGEST_SIZE];

    digest_of(parts, 3, digest);
    memcpy(vkey->id, digest, VKEY_ID_SIZE);
}

static enum rc make(struct bytes name, enum vkey_type type,
                    const uint8_t public_key[ED25519_PUBLIC_SIZE], struct vkey *vkey)
{
    if (!vkey_name_is_valid(name)) {
        return RC_INVALID_ARGUMENT;
    }
    *vkey = (struct vkey){.type = type};
    memcpy(vkey->name, name.data, name.size);
    memcpy(vkey->public_key, public_key, ED25519_PUBLIC_SIZE);
    compute_id(vkey);
    return RC_OK;
}

enum rc vkey_make(const char *name, enum vkey_type type,
                  const uint8_t public_key[ED25519_PUBLIC_SIZE], struct vkey *vkey)
{
    return make(bytes_text(name), type, public_key, vkey);
}

enum rc vkey_of(const char *name, enum vkey_type type, const struct keyring *keyring,
                struct vkey *vkey)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE];

    keyring_public(keyring, public_key);
    return vkey_make(name, type, public_key, vkey);
}

/* base64(type ‖ public key): 33 bytes. */
static enum rc parse_key(struct bytes base64, uint8_t raw[1 + ED25519_PUBLIC_SIZE])
{
    size_t size = 0;

    TRY(base64_decode(base64, raw, 1 + ED25519_PUBLIC_SIZE, &size));
    if (size != 1 + ED25519_PUBLIC_SIZE || (raw[0] != VKEY_ED25519 && raw[0] != VKEY_COSIGNATURE)) {
        return RC_INVALID_ARGUMENT;
    }
    return RC_OK;
}

enum rc vkey_parse(struct bytes text, struct vkey *vkey)
{
    struct bytes name;
    struct bytes id;
    uint8_t raw[1 + ED25519_PUBLIC_SIZE];
    struct vkey parsed;
    char hex[2 * VKEY_ID_SIZE + 1];

    if (text.size >= VKEY_TEXT_SIZE || !text_split(&text, '+', &name) ||
        !text_split(&text, '+', &id)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(parse_key(text, raw));
    TRY(make(name, (enum vkey_type)raw[0], raw + 1, &parsed));
    hex_encode(parsed.id, VKEY_ID_SIZE, hex);
    if (!bytes_are_text(id, hex)) {
        return RC_INVALID_ARGUMENT;
    }
    *vkey = parsed;
    return RC_OK;
}

void vkey_format(const struct vkey *vkey, char out[VKEY_TEXT_SIZE])
{
    uint8_t raw[1 + ED25519_PUBLIC_SIZE];
    char hex[2 * VKEY_ID_SIZE + 1];
    char base64[45];

    raw[0] = (uint8_t)vkey->type;
    memcpy(raw + 1, vkey->public_key, ED25519_PUBLIC_SIZE);
    hex_encode(vkey->id, VKEY_ID_SIZE, hex);
    base64_encode(raw, sizeof raw, base64);
    snprintf(out, VKEY_TEXT_SIZE, "%s+%s+%s", vkey->name, hex, base64);
}
