#include "tlog/checkpoint.h"

#include <inttypes.h>
#include <string.h>

#include "tlog/text.h"

#define TIME_MAX (UINT64_MAX >> 1)

void checkpoint_text(const struct checkpoint *checkpoint, struct buffer *buffer)
{
    buffer_put_bytes(buffer, bytes_text(checkpoint->origin));
    buffer_print(buffer, "\n%" PRIu64 "\n", checkpoint->size);
    buffer_put_base64(buffer, BYTES_OF(checkpoint->root));
    buffer_put_u8(buffer, '\n');
}

enum rc checkpoint_parse_text(struct bytes text, struct checkpoint *checkpoint)
{
    struct checkpoint parsed = {0};
    struct bytes origin;
    struct bytes size;
    struct bytes root;

    if (!text_line(&text, &origin) || !text_line(&text, &size) || !text_line(&text, &root) ||
        text.size != 0 || !vkey_name_is_valid(origin)) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(parsed.origin, origin.data, origin.size);
    TRY(text_decimal(size, &parsed.size));
    TRY(text_hash(root, parsed.root));
    *checkpoint = parsed;
    return RC_OK;
}

enum rc checkpoint_sign(const struct checkpoint *checkpoint, const struct keyring *keyring,
                        struct buffer *note)
{
    OWN(buffer) text = {0};

    checkpoint_text(checkpoint, &text);
    if (text.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return note_sign(buffer_bytes(&text), checkpoint->origin, keyring, note);
}

enum rc checkpoint_open(struct bytes bytes, const struct vkey *log, struct note *note,
                        struct checkpoint *checkpoint)
{
    struct note own;
    struct note *parsed = note != NULL ? note : &own;
    struct checkpoint head;

    if (bytes.size > CHECKPOINT_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(note_parse(bytes, parsed));
    TRY(checkpoint_parse_text(parsed->text, &head));
    if (strcmp(head.origin, log->name) != 0) {
        return RC_NOT_FOUND;
    }
    TRY(note_verify(parsed, log));
    *checkpoint = head;
    return RC_OK;
}

static void put_cosigned(uint64_t time_s, struct bytes text, struct buffer *message)
{
    buffer_print(message, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    buffer_put_bytes(message, text);
}

enum rc checkpoint_cosign(struct bytes text, const char *witness, const struct keyring *keyring,
                          uint64_t time_s, struct buffer *line)
{
    struct vkey vkey;
    struct checkpoint head;
    uint8_t payload[8 + ED25519_SIGNATURE_SIZE];
    OWN(buffer) message = {0};

    if (time_s == 0 || time_s > TIME_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(checkpoint_parse_text(text, &head));
    TRY(vkey_of(witness, VKEY_COSIGNATURE, keyring, &vkey));
    put_cosigned(time_s, text, &message);
    if (message.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    put_u64(payload, time_s);
    TRY(keyring_sign(keyring, buffer_bytes(&message), payload + 8));
    note_put_line(&vkey, BYTES_OF(payload), line);
    return line->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc check_cosignature(const struct note_line *line, struct bytes text,
                                 const struct vkey *witness, uint64_t *time_s)
{
    uint8_t payload[8 + ED25519_SIGNATURE_SIZE];
    OWN(buffer) message = {0};

    if (note_line_payload(line, payload, sizeof payload) != RC_OK) {
        return RC_UNAUTHENTICATED;
    }
    *time_s = get_u64(payload);
    if (*time_s == 0 || *time_s > TIME_MAX) {
        return RC_UNAUTHENTICATED;
    }
    put_cosigned(*time_s, text, &message);
    if (message.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return ed25519_verify(witness->public_key, buffer_bytes(&message), payload + 8);
}

enum rc checkpoint_cosigned(const struct note *note, const struct vkey *witness, uint64_t *time_s)
{
    struct checkpoint head;
    uint64_t latest = 0;

    if (witness->type != VKEY_COSIGNATURE) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(checkpoint_parse_text(note->text, &head));
    for (size_t i = 0; i < note->count; i++) {
        uint64_t time = 0;

        if (!note_line_is_of(&note->lines[i], witness)) {
            continue;
        }
        TRY(check_cosignature(&note->lines[i], note->text, witness, &time));
        latest = time > latest ? time : latest;
    }
    if (latest == 0) {
        return RC_NOT_FOUND;
    }
    *time_s = latest;
    return RC_OK;
}
