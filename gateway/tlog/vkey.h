/*
 * vkey - a verifier key of C2SP signed-note: `<name>+<8 hex digits>+<base64(type ‖ public key)>`.
 *
 *     id = SHA-256(name ‖ 0x0A ‖ type ‖ public[32]), first 4 bytes
 *
 * Types: 0x01 Ed25519 signs the note's text; 0x04 Ed25519 makes cosignature/v1. The type keeps a
 * log's key and a witness's key apart even if somebody gave both the same name. Pure; any thread.
 */
#ifndef TLOG_VKEY_H
#define TLOG_VKEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/keyring.h"

#define VKEY_NAME_MAX 255
#define VKEY_ID_SIZE 4
/* name, two '+', 8 hex digits, 44 base64 characters, NUL. */
#define VKEY_TEXT_SIZE (VKEY_NAME_MAX + 2 + 8 + 44 + 1)

enum vkey_type {
    VKEY_ED25519 = 0x01,
    VKEY_COSIGNATURE = 0x04,
};

struct vkey {
    char name[VKEY_NAME_MAX + 1];
    enum vkey_type type;
    uint8_t id[VKEY_ID_SIZE];
    uint8_t public_key[ED25519_PUBLIC_SIZE];
};

/* Not empty, at most VKEY_NAME_MAX bytes, valid UTF-8 without white space, control characters or
 * '+'. */
bool vkey_name_is_valid(struct bytes name);

/* RC_INVALID_ARGUMENT for a bad name. */
MUST_CHECK enum rc vkey_make(const char *name, enum vkey_type type,
                             const uint8_t public_key[ED25519_PUBLIC_SIZE], struct vkey *vkey);
/* The vkey of a private key. */
MUST_CHECK enum rc vkey_of(const char *name, enum vkey_type type, const struct keyring *keyring,
                           struct vkey *vkey);
/* RC_INVALID_ARGUMENT: malformed, an id that is not the key's, an unknown type, another length. */
MUST_CHECK enum rc vkey_parse(struct bytes text, struct vkey *vkey);
void vkey_format(const struct vkey *vkey, char out[VKEY_TEXT_SIZE]);

#endif
