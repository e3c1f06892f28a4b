#include "tlog/sheet_note.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "tlog/text.h"

#define TITLE "enlace-oficio v1\n"
#define NONE "-"

static bool is_folio(struct bytes text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";

    for (size_t i = 0; i < text.size; i++) {
        if (memchr(allowed, text.data[i], sizeof allowed - 1) == NULL) {
            return false;
        }
    }
    return text.size > 0 && text.size <= SHEET_NOTE_FOLIO_MAX;
}

static bool is_id(struct bytes text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.size; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? text.data[i] != '-' : memchr(digits, text.data[i], 16) == NULL) {
            return false;
        }
    }
    return text.size == SHEET_NOTE_ID_SIZE - 1;
}

static bool is_due(struct bytes text)
{
    int64_t instant_ms;

    return text.size < SHEET_NOTE_DUE_SIZE && clock_parse(text, &instant_ms) == RC_OK;
}

static void digest_lines(struct bytes lines, uint8_t out[DIGEST_SIZE])
{
    static const char label[] = "enlace/oficio/v1";
    const struct bytes parts[] = {BYTES_OF(label), lines};

    digest_of(parts, 2, out);
}

/* ---- writing ---- */

static void put_hash(struct buffer *text, const char *word, bool is_there,
                     const uint8_t hash[DIGEST_SIZE])
{
    buffer_print(text, "%s ", word);
    if (is_there) {
        buffer_put_base64(text, BYTES(hash, DIGEST_SIZE));
    } else {
        buffer_print(text, NONE);
    }
    buffer_put_u8(text, '\n');
}

enum rc sheet_note_sign(struct sheet_note *note, const struct cert *cert, const struct actkey *key,
                        struct buffer *text)
{
    OWN(buffer) lines = {0};

    memcpy(note->signer, cert_fingerprint(cert), DIGEST_SIZE);
    buffer_print(&lines, TITLE "folio %s\nmessage %s\nexchange %s\n", note->folio, note->message_id,
                 note->exchange_id);
    put_hash(&lines, "commitment", true, note->commitment);
    put_hash(&lines, "receipt", note->has_receipt, note->receipt);
    buffer_print(&lines, "due %s\n", note->due[0] != '\0' ? note->due : NONE);
    put_hash(&lines, "signer", true, note->signer);
    if (lines.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (!is_folio(bytes_text(note->folio)) || !is_id(bytes_text(note->message_id)) ||
        !is_id(bytes_text(note->exchange_id)) ||
        (note->due[0] != '\0' && !is_due(bytes_text(note->due)))) {
        return RC_INVALID_ARGUMENT;
    }
    digest_lines(buffer_bytes(&lines), note->digest);
    TRY(actkey_sign(key, note->digest, note->signature, &note->signature_size));
    buffer_put_bytes(text, buffer_bytes(&lines));
    buffer_print(text, "signature ");
    buffer_put_base64(text, BYTES(note->signature, note->signature_size));
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* ---- reading ---- */

static bool take(struct bytes *rest, const char *word, struct bytes *value)
{
    return text_word(rest, word) && text_line(rest, value);
}

static void keep(char *into, struct bytes value)
{
    memcpy(into, value.data, value.size);
    into[value.size] = '\0';
}

static enum rc take_names(struct bytes *rest, struct sheet_note *note)
{
    struct bytes folio;
    struct bytes message;
    struct bytes exchange;

    if (!text_word(rest, TITLE) || !take(rest, "folio ", &folio) || !is_folio(folio) ||
        !take(rest, "message ", &message) || !is_id(message) ||
        !take(rest, "exchange ", &exchange) || !is_id(exchange)) {
        return RC_INVALID_ARGUMENT;
    }
    keep(note->folio, folio);
    keep(note->message_id, message);
    keep(note->exchange_id, exchange);
    return RC_OK;
}

static enum rc take_hash(struct bytes *rest, const char *word, uint8_t out[DIGEST_SIZE])
{
    struct bytes value;

    return take(rest, word, &value) ? text_hash(value, out) : RC_INVALID_ARGUMENT;
}

static enum rc take_facts(struct bytes *rest, struct sheet_note *note)
{
    struct bytes value;

    TRY(take_hash(rest, "commitment ", note->commitment));
    if (!take(rest, "receipt ", &value)) {
        return RC_INVALID_ARGUMENT;
    }
    note->has_receipt = !bytes_are_text(value, NONE);
    if (note->has_receipt) {
        TRY(text_hash(value, note->receipt));
    }
    if (!take(rest, "due ", &value) || (!bytes_are_text(value, NONE) && !is_due(value))) {
        return RC_INVALID_ARGUMENT;
    }
    if (!bytes_are_text(value, NONE)) {
        keep(note->due, value);
    }
    return take_hash(rest, "signer ", note->signer);
}

enum rc sheet_note_parse(struct bytes text, struct sheet_note *note)
{
    struct bytes rest = text;

    *note = (struct sheet_note){0};
    if (text.size > SHEET_NOTE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(take_names(&rest, note));
    TRY(take_facts(&rest, note));
    digest_lines(BYTES(text.data, text.size - rest.size), note->digest);
    if (!text_word(&rest, "signature ")) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(base64_decode(rest, note->signature, ACTSIG_MAX, &note->signature_size));
    return note->signature_size > 0 ? RC_OK : RC_INVALID_ARGUMENT;
}

enum rc sheet_note_verify(const struct sheet_note *note, const struct cert *cert)
{
    if (!digest_equal(note->signer, cert_fingerprint(cert))) {
        return RC_NOT_FOUND;
    }
    return actsig_verify(cert, note->digest, BYTES(note->signature, note->signature_size));
}
