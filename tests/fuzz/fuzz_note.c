/*
 * fuzz_note - signed notes, checkpoints and verifier keys from arbitrary bytes.
 *
 * Beyond not crashing: what parses is text, empty line and lines written again byte for byte, so
 * that no two notes are read as one.
 */
#include <assert.h>
#include <string.h>

#include "tlog/checkpoint.h"

static void check_writes_back(struct bytes input, const struct note *note)
{
    OWN(buffer) again = {0};

    buffer_put_bytes(&again, note->text);
    buffer_put_u8(&again, '\n');
    for (size_t i = 0; i < note->count; i++) {
        const struct note_line *line = &note->lines[i];
        uint8_t payload[NOTE_PAYLOAD_MAX];
        size_t size = 0;

        assert(base64_decode(line->base64, payload, sizeof payload, &size) == RC_OK);
        assert(size > VKEY_ID_SIZE && memcmp(payload, line->id, VKEY_ID_SIZE) == 0);
        assert(vkey_name_is_valid(line->name));
        buffer_put_bytes(&again, bytes_text("\xe2\x80\x94 "));
        buffer_put_bytes(&again, line->name);
        buffer_put_u8(&again, ' ');
        buffer_put_base64(&again, BYTES(payload, size));
        buffer_put_u8(&again, '\n');
    }
    assert(bytes_equal(buffer_bytes(&again), input));
}

static void check_text(struct bytes text)
{
    struct checkpoint head;

    if (checkpoint_parse_text(text, &head) == RC_OK) {
        OWN(buffer) again = {0};

        checkpoint_text(&head, &again);
        assert(bytes_equal(buffer_bytes(&again), text));
    }
}

/* RFC 8032 §7.1, test 1: a key that the fuzzer cannot sign with. */
static const uint8_t public_key[ED25519_PUBLIC_SIZE] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = BYTES(data, size);
    struct note note;
    struct vkey vkey;
    struct checkpoint head;

    if (note_parse(input, &note) == RC_OK) {
        check_writes_back(input, &note);
        check_text(note.text);
    }
    if (vkey_parse(input, &vkey) == RC_OK) {
        char text[VKEY_TEXT_SIZE];

        vkey_format(&vkey, text);
        assert(bytes_are_text(input, text));
    }
    check_text(input);
    if (vkey_make("gw.cdmx/audit/2026", VKEY_ED25519, public_key, &vkey) == RC_OK) {
        assert(checkpoint_open(input, &vkey, NULL, &head) != RC_OK);
    }
    return 0;
}
