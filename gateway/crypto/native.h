/*
 * native - OpenSSL's own objects, for the files of this layer only.
 *
 * Declared by name, so that no header of ours includes one of OpenSSL's.
 */
#ifndef CRYPTO_NATIVE_H
#define CRYPTO_NATIVE_H

#include "base/bytes.h"

struct cert;
struct evp_pkey_st;
struct x509_st;

enum native_key {
    NATIVE_ED25519,
    NATIVE_P256,
    NATIVE_ANY, /* the caller looks at it */
};

/* Borrowed. */
struct x509_st *cert_native(const struct cert *cert);

bool native_key_is(const struct evp_pkey_st *key, enum native_key kind);

/*
 * A private key from a PEM file without passphrase. The file must be a regular one that neither
 * group nor others may read or write. Logs, and fills the fault (which may be NULL) with path and
 * remedy.
 */
MUST_CHECK enum rc native_key_load(const char *path, enum native_key kind, struct evp_pkey_st **key,
                                   struct fault *fault);

/* At most max bytes of a file, appended; RC_NOT_FOUND, RC_OUT_OF_RANGE; logged with the path. */
MUST_CHECK enum rc native_file_read(const char *path, size_t max, struct buffer *buffer);

/* For PEM readers: never asks a terminal for a passphrase. */
int native_no_passphrase(char *out, int size, int is_writing, void *unused);

/* The newest error of OpenSSL as text; empties this thread's queue. */
const char *native_error(void);

#endif
