/*
 * sheet_note - what the QR code of a printed sheet says: which message it is, in eight lines and a
 * signature, so that paper can be held against logs without any network.
 *
 *     enlace-oficio v1 LF
 *     folio <1 to 64 of A-Z a-z 0-9 / . _ -> LF
 *     message <id, 8-4-4-4-12 lower-case hexadecimal digits> LF
 *     exchange <id> LF
 *     commitment <base64 of M (tlog/commit.h)> LF
 *     receipt <base64 of the SHA-256 of the receipt file, or "-"> LF
 *     due <RFC 3339 with offset, or "-"> LF
 *     signer <base64 of the SHA-256 of the certificate, DER> LF
 *     signature <base64>                                             without a LF
 *
 * The signature is that of crypto/actsig.h over, instead of M,
 *     D = SHA-256( "enlace/oficio/v1" and its NUL (17) ‖ the first eight lines )
 * by the system that printed the sheet. It holds no personal data. Strict: one form for one
 * content. Pure; any thread.
 */
#ifndef TLOG_SHEET_NOTE_H
#define TLOG_SHEET_NOTE_H

#include "base/bytes.h"
#include "crypto/actsig.h"

#define SHEET_NOTE_FOLIO_MAX 64
#define SHEET_NOTE_ID_SIZE 37
#define SHEET_NOTE_DUE_SIZE 32
#define SHEET_NOTE_MAX 1024

struct sheet_note {
    char folio[SHEET_NOTE_FOLIO_MAX + 1];
    char message_id[SHEET_NOTE_ID_SIZE];
    char exchange_id[SHEET_NOTE_ID_SIZE];
    uint8_t commitment[DIGEST_SIZE];
    bool has_receipt;
    uint8_t receipt[DIGEST_SIZE];
    char due[SHEET_NOTE_DUE_SIZE]; /* "" none */
    uint8_t signer[DIGEST_SIZE];
    uint8_t digest[DIGEST_SIZE]; /* D; set by parsing */
    uint8_t signature[ACTSIG_MAX];
    size_t signature_size;
};

/* Sets signer, digest and signature. RC_INVALID_ARGUMENT: a folio or an instant that is none. */
MUST_CHECK enum rc sheet_note_sign(struct sheet_note *note, const struct cert *cert,
                                   const struct actkey *key, struct buffer *text);
/* RC_INVALID_ARGUMENT. */
MUST_CHECK enum rc sheet_note_parse(struct bytes text, struct sheet_note *note);
/* RC_NOT_FOUND: another certificate signed; RC_UNAUTHENTICATED: none did. */
MUST_CHECK enum rc sheet_note_verify(const struct sheet_note *note, const struct cert *cert);

#endif
