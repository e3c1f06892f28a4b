/*
 * cms - seals a compartment to the systems of the recipient member, so that no node can read it.
 *
 * CMS AuthEnvelopedData (RFC 5083) in DER, AES-256-GCM (RFC 5084), one key-agreement recipient per
 * certificate (RFC 5753: ephemeral-static ECDH, X9.63 KDF with SHA-256, AES-256 key wrap). What
 * cms_seal makes, `openssl cms -decrypt -inform DER -inkey KEY -recip CERT` opens.
 *
 * Plaintext, because GCM does not commit to its key and lengths speak:
 *
 *     0  [32] random bytes | 32 u32 length | 36 content | zero bytes up to the bucket
 *
 * Buckets, for the whole plaintext: 1, 4, 16, 64, 256 KiB, 1 MiB. The SHA-256 of the padded
 * plaintext goes into the header; the random bytes keep it from confirming a guess.
 *
 * That digest is what binds the content: CMS leaves a few bytes of its own frame (version numbers,
 * say) uncovered, and the commitment to the message covers all of them.
 *
 * Any thread; a sealkey is constant once loaded.
 */
#ifndef CRYPTO_CMS_H
#define CRYPTO_CMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "crypto/digest.h"

#define CMS_RECIPIENTS_MAX 64
#define CMS_CONTENT_MAX (((size_t)1 << 20) - 36)
/* A sealed compartment is refused above this size before it is parsed. */
#define CMS_SEALED_MAX (((size_t)1 << 20) + ((size_t)64 << 10))

struct cert;
struct sealkey;

/* A P-256 private key in a PEM file, with keyring_load's demands. */
MUST_CHECK enum rc sealkey_load(const char *path, struct sealkey **key, struct fault *fault);
void sealkey_free(struct sealkey *key);
OWN_PTR_DEFINE(sealkey)

/* Appends the padded plaintext. RC_OUT_OF_RANGE past CMS_CONTENT_MAX. The caller wipes it. */
MUST_CHECK enum rc cms_pad(struct bytes content, struct buffer *padded);
/* The content is borrowed. RC_INVALID_ARGUMENT: no bucket's size, a wrong length, a byte that is
 * not zero. */
MUST_CHECK enum rc cms_unpad(struct bytes padded, struct bytes *content);

/*
 * Pads and seals; appends the CMS bytes and gives the SHA-256 of the padded plaintext.
 * RC_INVALID_ARGUMENT: no recipient or too many, or a certificate whose key is not P-256.
 */
MUST_CHECK enum rc cms_seal(struct bytes content, const struct cert *const *recipients,
                            size_t count, struct buffer *sealed, uint8_t plain_digest[DIGEST_SIZE]);

/*
 * Looks sealed, as a node may judge that can not open it: exactly one DER ContentInfo of
 * AuthEnvelopedData (RFC 5083 §2.1) in definite lengths, with one to CMS_RECIPIENTS_MAX
 * key-agreement recipients, content of type data under AES-256-GCM with a nonce of 12 and a tag of
 * 16 bytes, as long as a bucket, and nothing beside: no originator, no attributes. What plain text
 * or another cipher would be is found; what only the recipient can know is not. Costs no parse of
 * OpenSSL.
 */
MUST_CHECK bool cms_looks_sealed(struct bytes sealed);

/*
 * Opens, compares the digest of the padded plaintext with the header's, unpads, appends the
 * content; the caller wipes it. RC_PERMISSION_DENIED when it is sealed to others, RC_DATA_LOSS
 * when anything was changed or the digest is another, RC_INVALID_ARGUMENT when it is no
 * AuthEnvelopedData with AES-256-GCM or wrongly padded.
 */
MUST_CHECK enum rc cms_open(struct bytes sealed, const struct cert *cert, const struct sealkey *key,
                            const uint8_t plain_digest[DIGEST_SIZE], struct buffer *content);

#endif
