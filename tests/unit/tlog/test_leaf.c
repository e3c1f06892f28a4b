#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/leaf.h"

static struct leaf example(void)
{
    struct leaf leaf = {.class = LEAF_RECORD, .time_s = 1574467200, .index = 4711};

    memset(leaf.message, 1, DIGEST_SIZE);
    memset(leaf.record, 2, DIGEST_SIZE);
    memset(leaf.nonce, 3, LEAF_NONCE_SIZE);
    memset(leaf.subject_tag, 4, LEAF_TAG_SIZE);
    memset(leaf.sender_tag, 5, LEAF_TAG_SIZE);
    memset(leaf.receiver_tag, 6, LEAF_TAG_SIZE);
    memset(leaf.actor_tag, 7, LEAF_TAG_SIZE);
    memset(leaf.seen, 8, DIGEST_SIZE);
    return leaf;
}

static void its_bytes_stand_where_the_format_says(void **state)
{
    static const struct {
        size_t from;
        size_t to;
        uint8_t fill;
    } fields[] = {{24, 56, 1},   {56, 88, 2},   {88, 104, 3},  {104, 120, 4},
                  {120, 136, 5}, {136, 152, 6}, {152, 168, 7}, {168, 200, 8}};
    static const uint8_t head[] = {'E',  'N',  'L',  '1',  1, 0, 0, 1, 0, 0, 0,    0,
                                   0x5d, 0xd8, 0x76, 0x80, 0, 0, 0, 0, 0, 0, 0x12, 0x67};
    struct leaf leaf = example();
    uint8_t bytes[LEAF_SIZE];

    (void)state;
    leaf_encode(&leaf, bytes);
    assert_memory_equal(bytes, head, sizeof head);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        for (size_t at = fields[i].from; at < fields[i].to; at++) {
            assert_int_equal(bytes[at], fields[i].fill);
        }
    }
}

static void every_byte_decodes_and_encodes_back_or_is_refused(void **state)
{
    struct leaf leaf = example();
    uint8_t bytes[LEAF_SIZE];

    (void)state;
    leaf_encode(&leaf, bytes);
    for (size_t i = 0; i < LEAF_SIZE * 8; i++) {
        uint8_t again[LEAF_SIZE];

        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        if (leaf_decode(BYTES_OF(bytes), &leaf) == RC_OK) {
            assert_true(i / 8 >= 8);
            leaf_encode(&leaf, again);
            assert_memory_equal(again, bytes, LEAF_SIZE);
        } else {
            assert_true(i / 8 < 24);
        }
        bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
}

static void malformed_leaves_are_refused(void **state)
{
    static const struct {
        const char *why;
        size_t at;
        uint8_t value;
    } rows[] = {
        {"magic", 0, 'e'},        {"version", 3, '2'},
        {"class 0", 4, 0},        {"class 3", 4, 3},
        {"byte 5", 5, 1},         {"layout", 7, 2},
        {"layout", 6, 1},         {"time 2^63", 8, 0x80},
        {"index 2^63", 16, 0x80}, {"control with a commitment", 4, 2},
    };
    struct leaf leaf = example();
    uint8_t bytes[LEAF_SIZE + 1] = {0};

    (void)state;
    leaf_encode(&leaf, bytes);
    assert_int_equal(leaf_decode(BYTES(bytes, LEAF_SIZE), &leaf), RC_OK);
    assert_int_equal(leaf_decode(BYTES(bytes, LEAF_SIZE - 1), &leaf), RC_INVALID_ARGUMENT);
    assert_int_equal(leaf_decode(BYTES(bytes, LEAF_SIZE + 1), &leaf), RC_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t kept = bytes[rows[i].at];

        bytes[rows[i].at] = rows[i].value;
        if (leaf_decode(BYTES(bytes, LEAF_SIZE), &leaf) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
        bytes[rows[i].at] = kept;
    }
    memset(bytes + 24, 0, DIGEST_SIZE);
    bytes[4] = LEAF_CONTROL;
    assert_int_equal(leaf_decode(BYTES(bytes, LEAF_SIZE), &leaf), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_bytes_stand_where_the_format_says),
        cmocka_unit_test(every_byte_decodes_and_encodes_back_or_is_refused),
        cmocka_unit_test(malformed_leaves_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
