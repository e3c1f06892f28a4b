#include "tlog/authorities.h"

#include <string.h>

#include "tlog/text.h"

static bool is_listed(const struct authorities *authorities, const struct vkey *key)
{
    for (size_t i = 0; i < authorities->count; i++) {
        const struct vkey *known = &authorities->keys[i];

        if (strcmp(known->name, key->name) == 0 ||
            memcmp(known->public_key, key->public_key, sizeof key->public_key) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc take_key(struct bytes line, struct authorities *authorities)
{
    struct vkey *key = &authorities->keys[authorities->count];

    if (authorities->count == AUTHORITIES_MAX || !text_word(&line, "authority ") ||
        vkey_parse(line, key) != RC_OK || key->type != VKEY_ED25519 ||
        is_listed(authorities, key)) {
        return RC_INVALID_ARGUMENT;
    }
    authorities->count++;
    return RC_OK;
}

static enum rc take_quorum(struct bytes line, struct authorities *authorities)
{
    uint64_t quorum;

    if (!text_word(&line, "quorum ") || text_decimal(line, &quorum) != RC_OK || quorum == 0 ||
        quorum > AUTHORITIES_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    authorities->quorum = (unsigned)quorum;
    return RC_OK;
}

enum rc authorities_parse(struct bytes text, struct authorities *authorities, unsigned *line)
{
    struct bytes words;

    memset(authorities, 0, sizeof *authorities);
    *line = 1;
    if (text.size > AUTHORITIES_TEXT_MAX || !text_line(&text, &words) ||
        !bytes_are_text(words, "enlace-authorities v1")) {
        return RC_INVALID_ARGUMENT;
    }
    *line = 2;
    if (!text_line(&text, &words)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_quorum(words, authorities));
    for (*line = 3; text.size > 0; (*line)++) {
        if (!text_line(&text, &words)) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(take_key(words, authorities));
    }
    return authorities->count >= authorities->quorum ? RC_OK : RC_INVALID_ARGUMENT;
}

enum rc authorities_check(const struct authorities *authorities, const struct note *note,
                          unsigned *signed_by)
{
    *signed_by = 0;
    for (size_t i = 0; i < authorities->count; i++) {
        enum rc rc = note_verify(note, &authorities->keys[i]);

        if (rc != RC_OK && rc != RC_NOT_FOUND) {
            return RC_UNAUTHENTICATED;
        }
        *signed_by += rc == RC_OK;
    }
    return authorities->quorum > 0 && *signed_by >= authorities->quorum ? RC_OK
                                                                        : RC_PERMISSION_DENIED;
}
