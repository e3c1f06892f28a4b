/*
 * checkpoint - the tree head as a signed note (C2SP tlog-checkpoint), and cosignatures.
 *
 *     <origin> LF <size, decimal, no leading zeros> LF <base64(root), 44 characters> LF
 *
 * Exactly three lines. Extension lines are refused: implementations disagree on what a cosignature
 * signs when there are any. The log's key name equals the origin, and that is checked.
 *
 * cosignature/v1 (C2SP tlog-cosignature, type 0x04): payload  u64 time ‖ signature[64]  over
 * "cosignature/v1\n" ‖ "time <decimal>\n" ‖ the three lines. The time is in POSIX seconds, not
 * zero. A note's lines of witnesses say nothing about a quorum, and a witness's own institution
 * never counts for its own: the caller counts. Pure; any thread.
 */
#ifndef TLOG_CHECKPOINT_H
#define TLOG_CHECKPOINT_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tlog/note.h"

#define CHECKPOINT_SIZE_MAX ((size_t)64 << 10)
/* The three lines. */
#define CHECKPOINT_TEXT_MAX (VKEY_NAME_MAX + 1 + 20 + 1 + 44 + 1)

struct checkpoint {
    char origin[VKEY_NAME_MAX + 1];
    uint64_t size; /* at most 2^63 - 1 */
    uint8_t root[DIGEST_SIZE];
};

void checkpoint_text(const struct checkpoint *checkpoint, struct buffer *buffer);
MUST_CHECK enum rc checkpoint_parse_text(struct bytes text, struct checkpoint *checkpoint);

/* Appends the whole note: text, empty line, the log's line. Ed25519: the same again every time. */
MUST_CHECK enum rc checkpoint_sign(const struct checkpoint *checkpoint,
                                   const struct keyring *keyring, struct buffer *note);

/*
 * Parses and verifies: the log's line must be there and right, the origin must be the key's name.
 * The note may be NULL; else it borrows from the bytes. RC_INVALID_ARGUMENT (malformed),
 * RC_NOT_FOUND (no line of this key, or another log's origin), RC_UNAUTHENTICATED (bad signature).
 */
MUST_CHECK enum rc checkpoint_open(struct bytes bytes, const struct vkey *log, struct note *note,
                                   struct checkpoint *checkpoint);

/* Appends a witness's line for these three lines of text. RC_INVALID_ARGUMENT for time 0 or >=
 * 2^63. */
MUST_CHECK enum rc checkpoint_cosign(struct bytes text, const char *witness,
                                     const struct keyring *keyring, uint64_t time_s,
                                     struct buffer *line);
/*
 * For a key of type VKEY_COSIGNATURE; the latest time of its lines. RC_NOT_FOUND,
 * RC_UNAUTHENTICATED as note_verify.
 */
MUST_CHECK enum rc checkpoint_cosigned(const struct note *note, const struct vkey *witness,
                                       uint64_t *time_s);

#endif
