#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tlog/note.h"

#define NAME "gw.cdmx/audit/2026"
#define TEXT "one\n\ntwo\n"
#define SIG "sig/AAAA"
#define DASH "\xe2\x80\x94 "

static struct keyring *keyring_of(uint8_t fill)
{
    uint8_t seed[ED25519_SEED_SIZE];

    memset(seed, fill, sizeof seed);
    return keyring_from_seed(seed);
}

static void what_is_signed_verifies(void **state)
{
    OWN_PTR(keyring) keyring = keyring_of(1);
    OWN_PTR(keyring) other = keyring_of(2);
    OWN(buffer) buffer = {0};
    struct note note;
    struct vkey vkey;

    (void)state;
    assert_int_equal(note_sign(bytes_text(TEXT), NAME, keyring, &buffer), RC_OK);
    assert_int_equal(note_sign_line(bytes_text(TEXT), "w", other, &buffer), RC_OK);
    assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_OK);
    assert_int_equal(note.count, 2);
    assert_true(bytes_are_text(note.text, TEXT));
    assert_int_equal(vkey_of(NAME, VKEY_ED25519, keyring, &vkey), RC_OK);
    assert_int_equal(note_verify(&note, &vkey), RC_OK);
    assert_int_equal(vkey_of(NAME, VKEY_ED25519, other, &vkey), RC_OK);
    assert_int_equal(note_verify(&note, &vkey), RC_NOT_FOUND);
    assert_int_equal(vkey_of(NAME, VKEY_COSIGNATURE, keyring, &vkey), RC_OK);
    assert_int_equal(note_verify(&note, &vkey), RC_INVALID_ARGUMENT);
}

static void a_flipped_bit_anywhere_is_refused(void **state)
{
    OWN_PTR(keyring) keyring = keyring_of(1);
    OWN(buffer) buffer = {0};
    struct vkey vkey;

    (void)state;
    assert_int_equal(vkey_of(NAME, VKEY_ED25519, keyring, &vkey), RC_OK);
    assert_int_equal(note_sign(bytes_text(TEXT), NAME, keyring, &buffer), RC_OK);
    for (size_t i = 0; i < buffer.size * 8; i++) {
        struct note note;
        enum rc rc;

        buffer.data[i / 8] ^= (uint8_t)(1 << i % 8);
        rc = note_parse(buffer_bytes(&buffer), &note);
        if (rc == RC_OK) {
            rc = note_verify(&note, &vkey);
        }
        assert_int_not_equal(rc, RC_OK);
        buffer.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void one_bad_line_of_a_known_key_spoils_the_note(void **state)
{
    OWN_PTR(keyring) keyring = keyring_of(1);
    OWN(buffer) buffer = {0};
    uint8_t wrong[ED25519_SIGNATURE_SIZE] = {0};
    struct note note;
    struct vkey vkey;

    (void)state;
    assert_int_equal(vkey_of(NAME, VKEY_ED25519, keyring, &vkey), RC_OK);
    assert_int_equal(note_sign(bytes_text(TEXT), NAME, keyring, &buffer), RC_OK);
    note_put_line(&vkey, BYTES_OF(wrong), &buffer);
    assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_OK);
    assert_int_equal(note_verify(&note, &vkey), RC_UNAUTHENTICATED);
    buffer_clear(&buffer);
    assert_int_equal(note_sign(bytes_text(TEXT), NAME, keyring, &buffer), RC_OK);
    note_put_line(&vkey, BYTES(wrong, 63), &buffer);
    assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_OK);
    assert_int_equal(note_verify(&note, &vkey), RC_UNAUTHENTICATED);
}

static void malformed_notes_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"no signature", "text\n\n"},
        {"no empty line", "text\n" DASH "a " SIG "\n"},
        {"no text", "\n\n" DASH "a " SIG "\n"},
        {"no text at all", "\n" DASH "a " SIG "\n"},
        {"last line without LF", "text\n\n" DASH "a " SIG},
        {"CR LF", "text\r\n\r\n" DASH "a " SIG "\r\n"},
        {"CR in the text", "te\rxt\n\n" DASH "a " SIG "\n"},
        {"tab in the text", "te\txt\n\n" DASH "a " SIG "\n"},
        {"hyphen for em dash", "text\n\n- a " SIG "\n"},
        {"en dash for em dash", "text\n\n\xe2\x80\x93 a " SIG "\n"},
        {"no name", "text\n\n" DASH " " SIG "\n"},
        {"plus in the name", "text\n\n" DASH "a+b " SIG "\n"},
        {"no-break space in the name", "text\n\n" DASH "a\xc2\xa0z " SIG "\n"},
        {"ideographic space in the name", "text\n\n" DASH "a\xe3\x80\x80z " SIG "\n"},
        {"two spaces", "text\n\n" DASH "a  " SIG "\n"},
        {"space at the end", "text\n\n" DASH "a " SIG " \n"},
        {"not base64", "text\n\n" DASH "a sig!AAAA\n"},
        {"base64url", "text\n\n" DASH "a sig_AAAA\n"},
        {"no padding", "text\n\n" DASH "a AAAAAAA\n"},
        {"hidden bits", "text\n\n" DASH "a AAAAAAB=\n"},
        {"key id alone", "text\n\n" DASH "a AAAAAA==\n"},
        {"a line that is none", "text\n\n" DASH "a " SIG "\nmore\n"},
        {"invalid UTF-8", "te\xfft\n\n" DASH "a " SIG "\n"},
        {"overlong UTF-8", "te\xc0\xaft\n\n" DASH "a " SIG "\n"},
        {"a surrogate", "te\xed\xa0\x80t\n\n" DASH "a " SIG "\n"},
        {"above U+10FFFF", "te\xf4\x90\x80\x80t\n\n" DASH "a " SIG "\n"},
        {"UTF-8 cut off", "te\xe2\x80"},
    };
    struct note note;

    (void)state;
    assert_int_equal(note_parse(bytes_text("text\n\n" DASH "a " SIG "\n"), &note), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (note_parse(bytes_text(rows[i].text), &note) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
    assert_int_equal(note_parse(BYTES("te\0xt\n\n" DASH "a " SIG "\n", 23), &note),
                     RC_INVALID_ARGUMENT);
}

static void lines_and_size_are_bounded(void **state)
{
    OWN(buffer) buffer = {0};
    struct note note;

    (void)state;
    buffer_put_bytes(&buffer, bytes_text("text\n\n"));
    for (size_t i = 0; i < NOTE_LINES_MAX; i++) {
        buffer_put_bytes(&buffer, bytes_text(DASH "a " SIG "\n"));
        assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_OK);
    }
    buffer_put_bytes(&buffer, bytes_text(DASH "a " SIG "\n"));
    assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_INVALID_ARGUMENT);
    buffer_clear(&buffer);
    while (buffer.size < NOTE_SIZE_MAX) {
        buffer_put_u8(&buffer, 'x');
    }
    buffer_put_bytes(&buffer, bytes_text("\n\n" DASH "a " SIG "\n"));
    assert_int_equal(note_parse(buffer_bytes(&buffer), &note), RC_INVALID_ARGUMENT);
}

static void a_text_that_would_not_parse_is_not_signed(void **state)
{
    static const char *const texts[] = {"", "\n", "no end", "bad\r\n", "\xff\n"};
    OWN_PTR(keyring) keyring = keyring_of(1);
    OWN(buffer) buffer = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(note_sign(bytes_text(texts[i]), NAME, keyring, &buffer),
                         RC_INVALID_ARGUMENT);
    }
    assert_int_equal(note_sign(bytes_text(TEXT), "a name", keyring, &buffer), RC_INVALID_ARGUMENT);
    assert_int_equal(buffer.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_signed_verifies),
        cmocka_unit_test(a_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(one_bad_line_of_a_known_key_spoils_the_note),
        cmocka_unit_test(malformed_notes_are_refused),
        cmocka_unit_test(lines_and_size_are_bounded),
        cmocka_unit_test(a_text_that_would_not_parse_is_not_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
