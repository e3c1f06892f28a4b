/*
 * text - the bits of grammar that the C2SP formats share: lines, decimals, hashes, clean UTF-8.
 *
 * Each take_ function moves the slice forward on success and leaves it where it was on refusal.
 * Pure; any thread.
 */
#ifndef TLOG_TEXT_H
#define TLOG_TEXT_H

#include "base/bytes.h"
#include "crypto/digest.h"

enum text_rule {
    TEXT_LINES,    /* LF is the only control character */
    TEXT_NO_SPACE, /* no control character and no white space of Unicode */
};

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) that keeps the rule. */
bool text_is_clean(struct bytes text, enum text_rule rule);

/* What stands before the first separator; false when there is none. */
bool text_split(struct bytes *rest, char separator, struct bytes *before);
/* A line without its LF; false when no LF is left. */
bool text_line(struct bytes *rest, struct bytes *line);
bool text_word(struct bytes *rest, const char *word);

/* Digits only, no leading zero but "0" itself, at most 2^63 - 1. */
MUST_CHECK enum rc text_decimal(struct bytes text, uint64_t *value);
/* 44 characters of canonical base64. */
MUST_CHECK enum rc text_hash(struct bytes text, uint8_t out[DIGEST_SIZE]);

#endif
