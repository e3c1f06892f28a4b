#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/vkey.h"

/* The example of C2SP signed-note. */
#define EXAMPLE "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

static void the_example_of_the_standard_reads_and_writes(void **state)
{
    struct vkey vkey;
    char text[VKEY_TEXT_SIZE];

    (void)state;
    assert_int_equal(vkey_parse(bytes_text(EXAMPLE), &vkey), RC_OK);
    assert_string_equal(vkey.name, "example.com/foo");
    assert_int_equal(vkey.type, VKEY_ED25519);
    vkey_format(&vkey, text);
    assert_string_equal(text, EXAMPLE);
}

static void the_type_and_the_name_are_part_of_the_id(void **state)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE] = {9};
    struct vkey log;
    struct vkey witness;
    struct vkey renamed;

    (void)state;
    assert_int_equal(vkey_make("a", VKEY_ED25519, public_key, &log), RC_OK);
    assert_int_equal(vkey_make("a", VKEY_COSIGNATURE, public_key, &witness), RC_OK);
    assert_int_equal(vkey_make("b", VKEY_ED25519, public_key, &renamed), RC_OK);
    assert_memory_not_equal(log.id, witness.id, VKEY_ID_SIZE);
    assert_memory_not_equal(log.id, renamed.id, VKEY_ID_SIZE);
}

static void the_longest_name_fits_and_a_longer_one_is_refused(void **state)
{
    uint8_t public_key[ED25519_PUBLIC_SIZE] = {0};
    char name[VKEY_NAME_MAX + 2];
    char text[VKEY_TEXT_SIZE];
    struct vkey vkey;
    struct vkey read;

    (void)state;
    memset(name, 'n', sizeof name);
    name[VKEY_NAME_MAX] = '\0';
    assert_int_equal(vkey_make(name, VKEY_COSIGNATURE, public_key, &vkey), RC_OK);
    vkey_format(&vkey, text);
    assert_int_equal(vkey_parse(bytes_text(text), &read), RC_OK);
    assert_string_equal(read.name, name);
    name[VKEY_NAME_MAX] = 'n';
    name[VKEY_NAME_MAX + 1] = '\0';
    assert_int_equal(vkey_make(name, VKEY_COSIGNATURE, public_key, &vkey), RC_INVALID_ARGUMENT);
}

static void malformed_keys_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"no key", "example.com/foo+530d903a"},
        {"no name", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
        {"another id", "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
        {"upper case id", "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
        {"short id", "example.com/foo+530d90+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
        {"space at the end",
         "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k "},
        {"space in the name",
         "example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"},
        {"longer key",
         "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="},
        {"unknown type", "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"},
        {"short key", "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q="},
    };
    struct vkey vkey;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (vkey_parse(bytes_text(rows[i].text), &vkey) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_standard_reads_and_writes),
        cmocka_unit_test(the_type_and_the_name_are_part_of_the_id),
        cmocka_unit_test(the_longest_name_fits_and_a_longer_one_is_refused),
        cmocka_unit_test(malformed_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
