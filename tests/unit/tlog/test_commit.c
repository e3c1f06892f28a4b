#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/commit.h"

#define ORIGIN "gw.cdmx/audit/2026"

/* Made with Python's hashlib and hmac from the header's description: blind 00..1f, nonce f0..ff. */
static const char expected_header[] =
    "abe81f5f1d2c192c970f965c4ea20868638801ca7321391f26c410a90183943b";
static const char expected_part[] =
    "ddbcb603da295498f45c2c34446822b8b83b25330d5f6c9474623c9dab167fe6";
static const char expected_message[] =
    "2d135c9a2c08e118b3b02821fd28c58bb16edb2e1981d79181b6ea67fd585f61";
static const char expected_leaf[] =
    "cba9e0cadda566ce61154d8eaf3128b1b55843c02d2e80b01e19a2af7e44ceaa";
static const char expected_record[] =
    "ff1069905d29636ccb8d646e98143365b05ae23de5de9c1094fa1a47532900e7";
static const char *const expected_tags[] = {
    "7bde19292b1e3e7734bd9d02917b2044",
    "8a248c260f2bbfa2aaea47dced1a5e25",
    "983a83c9daf511cdd00a4a5e0e14231f",
    "f9ee4218def96033340df0c985dd2ad9",
};

static void assert_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    char text[2 * DIGEST_SIZE + 1];

    hex_encode(bytes, size, text);
    assert_string_equal(text, hex);
}

static void numbered(uint8_t first, size_t size, uint8_t *out)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(first + i);
    }
}

static void commitments_are_those_of_another_implementation(void **state)
{
    uint8_t blind[COMMIT_BLIND_SIZE];
    uint8_t nonce[LEAF_NONCE_SIZE];
    struct commit_part parts[2] = {{.number = COMMIT_HEADER_PART},
                                   {.number = commit_part_number(1, 2)}};
    uint8_t message[DIGEST_SIZE];
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    numbered(0, sizeof blind, blind);
    numbered(0xf0, sizeof nonce, nonce);
    commit_part(blind, bytes_text("header"), parts[0].digest);
    assert_hex(parts[0].digest, DIGEST_SIZE, expected_header);
    commit_part(blind, (struct bytes){0}, parts[1].digest);
    assert_hex(parts[1].digest, DIGEST_SIZE, expected_part);
    assert_int_equal(commit_message(parts, 2, message), RC_OK);
    assert_hex(message, DIGEST_SIZE, expected_message);
    commit_leaf(ORIGIN, nonce, message, digest);
    assert_hex(digest, DIGEST_SIZE, expected_leaf);
    commit_record(blind, bytes_text("record"), digest);
    assert_hex(digest, DIGEST_SIZE, expected_record);
    for (unsigned role = COMMIT_SUBJECT; role <= COMMIT_ACTOR; role++) {
        uint8_t tag[LEAF_TAG_SIZE];

        commit_tag(blind, nonce, (enum commit_role)role, tag);
        assert_hex(tag, LEAF_TAG_SIZE, expected_tags[role - 1]);
    }
}

static void parts_out_of_order_are_refused(void **state)
{
    static const struct {
        const char *why;
        size_t count;
        uint16_t numbers[3];
    } rows[] = {
        {"none", 0, {0}},
        {"no header", 1, {1}},
        {"twice", 3, {0, 1, 1}},
        {"header twice", 2, {0, 0}},
        {"descending", 3, {0, 2, 1}},
        {"compartment of type 0", 2, {0, 256}},
    };
    uint8_t digest[DIGEST_SIZE];
    static struct commit_part many[COMMIT_PARTS_MAX + 1];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct commit_part parts[3] = {0};

        for (size_t k = 0; k < 3; k++) {
            parts[k].number = rows[i].numbers[k];
        }
        if (commit_message(parts, rows[i].count, digest) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
    for (size_t i = 0; i <= COMMIT_PARTS_MAX; i++) {
        many[i].number = (uint16_t)(i < 256 ? i : i + 1);
    }
    assert_int_equal(commit_message(many, COMMIT_PARTS_MAX, digest), RC_OK);
    assert_int_equal(commit_message(many, COMMIT_PARTS_MAX + 1, digest), RC_INVALID_ARGUMENT);
}

static void every_input_counts(void **state)
{
    uint8_t blind[COMMIT_BLIND_SIZE] = {0};
    uint8_t nonce[LEAF_NONCE_SIZE] = {0};
    uint8_t message[DIGEST_SIZE] = {0};
    uint8_t first[DIGEST_SIZE];
    uint8_t second[DIGEST_SIZE];

    (void)state;
    commit_part(blind, bytes_text("x"), first);
    commit_record(blind, bytes_text("x"), second);
    assert_memory_not_equal(first, second, DIGEST_SIZE);
    blind[31] = 1;
    commit_part(blind, bytes_text("x"), second);
    assert_memory_not_equal(first, second, DIGEST_SIZE);
    commit_leaf("a", nonce, message, first);
    commit_leaf("b", nonce, message, second);
    assert_memory_not_equal(first, second, DIGEST_SIZE);
    nonce[15] = 1;
    commit_leaf("a", nonce, message, second);
    assert_memory_not_equal(first, second, DIGEST_SIZE);
    nonce[15] = 0;
    message[31] = 1;
    commit_leaf("a", nonce, message, second);
    assert_memory_not_equal(first, second, DIGEST_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commitments_are_those_of_another_implementation),
        cmocka_unit_test(parts_out_of_order_are_refused),
        cmocka_unit_test(every_input_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
