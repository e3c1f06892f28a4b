#include "crypto/spiffe.h"

#include <stdio.h>
#include <string.h>

static bool take_word(struct bytes *rest, const char *word)
{
    size_t size = strlen(word);

    if (rest->size < size || memcmp(rest->data, word, size) != 0) {
        return false;
    }
    *rest = BYTES(rest->data + size, rest->size - size);
    return true;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The longest run of allowed characters; out holds max of them and a NUL. */
static bool take_name(struct bytes *rest, char *out, size_t max, bool may_hyphen)
{
    size_t n = 0;

    while (n < rest->size && (is_plain(rest->data[n]) || (may_hyphen && rest->data[n] == '-'))) {
        n++;
    }
    if (n == 0 || n > max) {
        return false;
    }
    memcpy(out, rest->data, n);
    out[n] = '\0';
    *rest = BYTES(rest->data + n, rest->size - n);
    return true;
}

static bool take_code(struct bytes *rest, char out[33])
{
    return take_name(rest, out, 32, true);
}

static bool take_member(struct bytes *rest, struct spiffe *spiffe)
{
    if (!take_code(rest, spiffe->code)) {
        return false;
    }
    if (take_word(rest, "/system/")) {
        spiffe->kind = SPIFFE_SYSTEM;
    } else if (take_word(rest, "/official/")) {
        spiffe->kind = SPIFFE_OFFICIAL;
    } else {
        return false;
    }
    return take_code(rest, spiffe->name);
}

static bool take_path(struct bytes *rest, struct spiffe *spiffe)
{
    if (take_word(rest, "/member/")) {
        return take_member(rest, spiffe);
    }
    if (take_word(rest, "/node/")) {
        spiffe->kind = SPIFFE_NODE;
        return take_code(rest, spiffe->code);
    }
    spiffe->kind = SPIFFE_AUDITOR;
    return take_word(rest, "/auditor/") && take_code(rest, spiffe->code) && take_word(rest, "/") &&
           take_code(rest, spiffe->name);
}

enum rc spiffe_parse(struct bytes uri, struct spiffe *spiffe)
{
    struct spiffe parsed = {0};

    if (!take_word(&uri, "spiffe://enlace.") || !take_name(&uri, parsed.network, 16, false) ||
        !take_path(&uri, &parsed) || uri.size != 0) {
        return RC_INVALID_ARGUMENT;
    }
    *spiffe = parsed;
    return RC_OK;
}

void spiffe_format(const struct spiffe *spiffe, char out[SPIFFE_TEXT_SIZE])
{
    const char *network = spiffe->network;
    const char *code = spiffe->code;

    switch (spiffe->kind) {
    case SPIFFE_SYSTEM:
        snprintf(out, SPIFFE_TEXT_SIZE, "spiffe://enlace.%s/member/%s/system/%s", network, code,
                 spiffe->name);
        break;
    case SPIFFE_NODE:
        snprintf(out, SPIFFE_TEXT_SIZE, "spiffe://enlace.%s/node/%s", network, code);
        break;
    case SPIFFE_OFFICIAL:
        snprintf(out, SPIFFE_TEXT_SIZE, "spiffe://enlace.%s/member/%s/official/%s", network, code,
                 spiffe->name);
        break;
    case SPIFFE_AUDITOR:
        snprintf(out, SPIFFE_TEXT_SIZE, "spiffe://enlace.%s/auditor/%s/%s", network, code,
                 spiffe->name);
        break;
    }
}
