/*
 * note - C2SP signed-note 1.0.0: a text and the lines that sign it.
 *
 *     <text, ends with LF> LF
 *     E2 80 94 20 <key name> 20 <base64(key id[4] ‖ signature)> LF        one or more
 *
 * The signed bytes are the text with its last LF, not the empty line. Strict and bounded: valid
 * UTF-8, no control character but LF (so no CR), canonical base64, 1..NOTE_LINES_MAX lines.
 * Lines of unknown keys and kinds are kept and ignored. Pure; any thread.
 */
#ifndef TLOG_NOTE_H
#define TLOG_NOTE_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/keyring.h"
#include "tlog/vkey.h"

#define NOTE_SIZE_MAX ((size_t)1 << 20)
#define NOTE_LINES_MAX 64
/* One signature, decoded, key id included: post-quantum signatures reach nearly 5 KiB. */
#define NOTE_PAYLOAD_MAX 8192

struct note_line {
    struct bytes name;
    struct bytes base64; /* known to be canonical and to hold at least 5 bytes */
    uint8_t id[VKEY_ID_SIZE];
};

/* Slices of the parsed bytes: keep those as long as the note. About 2.5 KiB. */
struct note {
    struct bytes text;
    size_t count;
    struct note_line lines[NOTE_LINES_MAX];
};

MUST_CHECK enum rc note_parse(struct bytes bytes, struct note *note);

/* Is this line of this key? By name and id; says nothing about the signature. */
bool note_line_is_of(const struct note_line *line, const struct vkey *vkey);
/* The decoded payload after the key id. RC_INVALID_ARGUMENT unless it has exactly size bytes. */
MUST_CHECK enum rc note_line_payload(const struct note_line *line, uint8_t *out, size_t size);

/*
 * For a key of type VKEY_ED25519. RC_NOT_FOUND when no line is of this key, RC_UNAUTHENTICATED
 * when one that is does not verify: a single bad line of a known key spoils the note.
 */
MUST_CHECK enum rc note_verify(const struct note *note, const struct vkey *vkey);

/* Appends one signature line (Ed25519 over the text). The caller put text and empty line before. */
MUST_CHECK enum rc note_sign_line(struct bytes text, const char *name,
                                  const struct keyring *keyring, struct buffer *buffer);
/* Appends a line with these signature bytes after the key id. */
void note_put_line(const struct vkey *vkey, struct bytes payload, struct buffer *buffer);
/* Appends text, empty line and one signature line. RC_INVALID_ARGUMENT when the text is none. */
MUST_CHECK enum rc note_sign(struct bytes text, const char *name, const struct keyring *keyring,
                             struct buffer *buffer);

#endif
