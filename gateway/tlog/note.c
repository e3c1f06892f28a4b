#include "tlog/note.h"

#include <assert.h>
#include <string.h>

#include "tlog/text.h"

/* An em dash and a space. */
static const char line_start[] = "\xe2\x80\x94 ";

/* The text ends before the last empty line: only signature lines, never empty, come after it. */
static bool split_text(struct bytes bytes, struct bytes *text, struct bytes *lines)
{
    for (size_t i = bytes.size; i >= 2; i--) {
        if (bytes.data[i - 1] == '\n' && bytes.data[i - 2] == '\n') {
            *text = BYTES(bytes.data, i - 1);
            *lines = BYTES(bytes.data + i, bytes.size - i);
            return text->size > 1;
        }
    }
    return false;
}

static enum rc parse_line(struct bytes text, struct note_line *line)
{
    uint8_t payload[NOTE_PAYLOAD_MAX];
    size_t size = 0;

    if (!text_word(&text, line_start) || !text_split(&text, ' ', &line->name) ||
        !vkey_name_is_valid(line->name)) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(base64_decode(text, payload, sizeof payload, &size));
    if (size <= VKEY_ID_SIZE) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(line->id, payload, VKEY_ID_SIZE);
    line->base64 = text;
    return RC_OK;
}

enum rc note_parse(struct bytes bytes, struct note *note)
{
    struct bytes lines;
    struct bytes line;

    note->count = 0;
    if (bytes.size > NOTE_SIZE_MAX || !text_is_clean(bytes, TEXT_LINES) ||
        !split_text(bytes, &note->text, &lines)) {
        return RC_INVALID_ARGUMENT;
    }
    while (text_line(&lines, &line)) {
        if (note->count == NOTE_LINES_MAX) {
            return RC_INVALID_ARGUMENT;
        }
        TRY(parse_line(line, &note->lines[note->count]));
        note->count++;
    }
    return lines.size == 0 && note->count > 0 ? RC_OK : RC_INVALID_ARGUMENT;
}

bool note_line_is_of(const struct note_line *line, const struct vkey *vkey)
{
    return bytes_are_text(line->name, vkey->name) && memcmp(line->id, vkey->id, VKEY_ID_SIZE) == 0;
}

enum rc note_line_payload(const struct note_line *line, uint8_t *out, size_t size)
{
    uint8_t payload[NOTE_PAYLOAD_MAX];
    size_t found = 0;

    TRY(base64_decode(line->base64, payload, sizeof payload, &found));
    if (found != VKEY_ID_SIZE + size) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(out, payload + VKEY_ID_SIZE, size);
    return RC_OK;
}

enum rc note_verify(const struct note *note, const struct vkey *vkey)
{
    enum rc rc = RC_NOT_FOUND;

    if (vkey->type != VKEY_ED25519) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < note->count; i++) {
        uint8_t signature[ED25519_SIGNATURE_SIZE];

        if (!note_line_is_of(&note->lines[i], vkey)) {
            continue;
        }
        if (note_line_payload(&note->lines[i], signature, sizeof signature) != RC_OK) {
            return RC_UNAUTHENTICATED;
        }
        TRY(ed25519_verify(vkey->public_key, note->text, signature));
        rc = RC_OK;
    }
    return rc;
}

void note_put_line(const struct vkey *vkey, struct bytes payload, struct buffer *buffer)
{
    uint8_t raw[NOTE_PAYLOAD_MAX];

    assert(payload.size > 0 && payload.size <= sizeof raw - VKEY_ID_SIZE);
    memcpy(raw, vkey->id, VKEY_ID_SIZE);
    memcpy(raw + VKEY_ID_SIZE, payload.data, payload.size);
    buffer_put_bytes(buffer, bytes_text(line_start));
    buffer_put_bytes(buffer, bytes_text(vkey->name));
    buffer_put_u8(buffer, ' ');
    buffer_put_base64(buffer, BYTES(raw, VKEY_ID_SIZE + payload.size));
    buffer_put_u8(buffer, '\n');
}

enum rc note_sign_line(struct bytes text, const char *name, const struct keyring *keyring,
                       struct buffer *buffer)
{
    struct vkey vkey;
    uint8_t signature[ED25519_SIGNATURE_SIZE];

    TRY(vkey_of(name, VKEY_ED25519, keyring, &vkey));
    TRY(keyring_sign(keyring, text, signature));
    note_put_line(&vkey, BYTES_OF(signature), buffer);
    return buffer->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc note_sign(struct bytes text, const char *name, const struct keyring *keyring,
                  struct buffer *buffer)
{
    if (text.size < 2 || text.data[text.size - 1] != '\n' || !text_is_clean(text, TEXT_LINES) ||
        !vkey_name_is_valid(bytes_text(name))) {
        return RC_INVALID_ARGUMENT;
    }
    buffer_put_bytes(buffer, text);
    buffer_put_u8(buffer, '\n');
    return note_sign_line(text, name, keyring, buffer);
}
