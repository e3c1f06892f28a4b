/* What bytes.h promises: bounds that hold, one text for each value, and nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "unit/base/freed.h"

static void equal_means_the_same_bytes(void **state)
{
    static const uint8_t with_nul[] = {'a', 0, 'b'};

    (void)state;
    assert_true(bytes_equal(BYTES(NULL, 0), bytes_text("")));
    assert_true(bytes_equal(BYTES_OF(with_nul), BYTES_OF(with_nul)));
    assert_false(bytes_equal(BYTES_OF(with_nul), bytes_text("a")));
    assert_false(bytes_equal(bytes_text("abc"), bytes_text("abd")));
    assert_true(bytes_are_text(bytes_text("abc"), "abc"));
    assert_false(bytes_are_text(BYTES("abc", 2), "abc"));
    assert_false(bytes_are_text(BYTES_OF(with_nul), "a"));
}

static void integers_are_big_endian(void **state)
{
    static const uint8_t wanted[] = {0x01, 0xf2, 0x03, 0xf4, 0x05, 0x06, 0x07, 0xf8,
                                     0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0xff};
    struct reader reader = {.rest = BYTES_OF(wanted)};
    OWN(buffer) buffer = {0};

    (void)state;
    buffer_put_u8(&buffer, 0x01);
    buffer_put_u16(&buffer, 0xf203);
    buffer_put_u32(&buffer, 0xf4050607);
    buffer_put_u64(&buffer, 0xf8090a0b0c0d0eff);
    assert_true(bytes_equal(buffer_bytes(&buffer), BYTES_OF(wanted)));
    assert_int_equal(reader_u8(&reader), 0x01);
    assert_int_equal(reader_u16(&reader), 0xf203);
    assert_int_equal(reader_u32(&reader), 0xf4050607);
    assert_true(reader_u64(&reader) == 0xf8090a0b0c0d0eff);
    assert_true(reader_is_done(&reader));
}

static void a_read_past_the_end_fails_for_good(void **state)
{
    static const uint8_t three[] = {1, 2, 3};
    struct reader reader = {.rest = BYTES_OF(three)};
    uint8_t copy[2] = {9, 9};

    (void)state;
    assert_int_equal(reader_u32(&reader), 0);
    assert_true(reader.is_failed);
    /* The three bytes are there, but whoever lost his place must not read on. */
    assert_int_equal(reader_u8(&reader), 0);
    assert_int_equal(reader_u16(&reader), 0);
    assert_true(reader_u64(&reader) == 0);
    assert_null(reader_take(&reader, 0).data);
    assert_int_equal(reader_chunk(&reader).size, 0);
    reader_copy(&reader, copy, sizeof copy);
    assert_int_equal(copy[0] | copy[1], 0);
    assert_false(reader_is_done(&reader));
}

static void a_reader_is_done_at_the_end_only(void **state)
{
    static const uint8_t two[] = {1, 2};
    struct reader reader = {.rest = BYTES_OF(two)};
    uint8_t copy[2];

    (void)state;
    assert_false(reader_is_done(&reader));
    reader_copy(&reader, copy, sizeof copy);
    assert_memory_equal(copy, two, sizeof copy);
    assert_true(reader_is_done(&reader));
    assert_int_equal(reader_take(&reader, 0).size, 0);
    assert_true(reader_is_done(&reader));
    assert_null(reader_take(&reader, SIZE_MAX).data);
    assert_false(reader_is_done(&reader));
}

static void a_chunk_comes_back_and_its_length_is_not_believed(void **state)
{
    OWN(buffer) buffer = {0};
    struct reader reader;

    (void)state;
    buffer_put_chunk(&buffer, bytes_text("one"));
    buffer_put_chunk(&buffer, BYTES(NULL, 0));
    buffer_put_chunk(&buffer, bytes_text("three"));
    reader = (struct reader){.rest = buffer_bytes(&buffer)};
    assert_true(bytes_are_text(reader_chunk(&reader), "one"));
    assert_true(bytes_are_text(reader_chunk(&reader), ""));
    assert_true(bytes_are_text(reader_chunk(&reader), "three"));
    assert_true(reader_is_done(&reader));

    reader = (struct reader){.rest = BYTES(buffer.data, buffer.size - 1)};
    reader_chunk(&reader);
    reader_chunk(&reader);
    assert_null(reader_chunk(&reader).data);
    assert_true(reader.is_failed);

    put_u32(buffer.data, UINT32_MAX);
    reader = (struct reader){.rest = buffer_bytes(&buffer)};
    assert_null(reader_chunk(&reader).data);
    assert_true(reader.is_failed);
}

/* 511, 512, 513: around the size that is printed without a second pass. */
static void a_printed_text_of_any_length_is_whole(void **state)
{
    (void)state;
    for (size_t length = 0; length < 1100; length += length < 509 || length > 514 ? 509 : 1) {
        OWN(buffer) buffer = {0};
        char wanted[1200];

        memset(wanted, 'x', length);
        wanted[length] = '\0';
        buffer_print(&buffer, "%s", wanted);
        buffer_print(&buffer, "|%d", 7);
        assert_false(buffer.is_failed);
        assert_int_equal(buffer.size, length + 2);
        assert_memory_equal(buffer.data, wanted, length);
        assert_memory_equal(buffer.data + length, "|7", 2);
    }
}

static void past_the_maximum_nothing_is_added(void **state)
{
    static const uint8_t byte = 0xaa;
    OWN(buffer) buffer = {0};
    char text[600];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buffer_reserve(&buffer, BUFFER_MAX - 3); /* an odd capacity must not double past the maximum */
    assert_int_equal(buffer.capacity, BUFFER_MAX - 3);
    buffer.size = BUFFER_MAX - 3; /* as if it had been filled */

    buffer_put_chunk(&buffer, BYTES(&byte, 1)); /* its length alone would not fit either */
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.size, BUFFER_MAX - 3);
    buffer.is_failed = false;
    buffer_put_u32(&buffer, 1);
    assert_true(buffer.is_failed);
    buffer.is_failed = false;
    buffer_print(&buffer, "%s", text);
    assert_true(buffer.is_failed);
    buffer.is_failed = false;
    buffer_put_base64(&buffer, BYTES(&byte, 1));
    assert_true(buffer.is_failed);
    buffer.is_failed = false;
    buffer_reserve(&buffer, 4);
    assert_true(buffer.is_failed);
    buffer_put_u8(&buffer, 1); /* it would fit, but something before it is missing */
    assert_int_equal(buffer.size, BUFFER_MAX - 3);

    buffer.is_failed = false;
    buffer_put(&buffer, "abc", 3);
    assert_false(buffer.is_failed);
    assert_int_equal(buffer.size, BUFFER_MAX);
    assert_true(buffer.capacity <= BUFFER_MAX);
    buffer_put_u8(&buffer, 1);
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.size, BUFFER_MAX);
}

static void a_chunk_is_added_whole_or_not_at_all(void **state)
{
    OWN(buffer) buffer = {0};

    (void)state;
    buffer_put_u8(&buffer, 7);
    /* The bytes are never looked at: there is no room for so many. */
    buffer_put_chunk(&buffer, BYTES(&buffer, BUFFER_MAX - 4));
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.size, 1);
    buffer.is_failed = false;
    buffer_put_chunk(&buffer, BYTES(&buffer, SIZE_MAX));
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.size, 1);
}

static void a_sum_that_wraps_is_refused(void **state)
{
    OWN(buffer) buffer = {0};

    (void)state;
    buffer_put_u8(&buffer, 7);
    buffer_put(&buffer, "x", SIZE_MAX);
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.size, 1);
    buffer.is_failed = false;
    buffer_reserve(&buffer, SIZE_MAX);
    assert_true(buffer.is_failed);
    assert_int_equal(buffer.data[0], 7);
}

static void a_cleared_buffer_can_be_used_again(void **state)
{
    OWN(buffer) buffer = {0};

    (void)state;
    buffer_put(&buffer, "x", SIZE_MAX);
    buffer_clear(&buffer);
    buffer_put_bytes(&buffer, bytes_text("again"));
    assert_false(buffer.is_failed);
    assert_true(bytes_are_text(buffer_bytes(&buffer), "again"));
}

static void a_size_that_is_known_grows_once(void **state)
{
    OWN(buffer) buffer = {0};
    const uint8_t *data;

    (void)state;
    buffer_reserve(&buffer, 1000);
    data = buffer.data;
    for (int i = 0; i < 1000; i++) {
        buffer_put_u8(&buffer, (uint8_t)i);
    }
    assert_ptr_equal(buffer.data, data);
    assert_int_equal(buffer.capacity, 1000);
}

static void growing_wipes_what_it_leaves(void **state)
{
    OWN(buffer) buffer = {0};

    (void)state;
    buffer_print(&buffer, "%s", "a key and a plaintext");
    freed_watch(buffer.data, buffer.capacity);
    buffer_reserve(&buffer, 100000);
    assert_true(freed.is_freed && freed.is_wiped);
    assert_true(bytes_are_text(buffer_bytes(&buffer), "a key and a plaintext"));

    freed_watch(buffer.data, buffer.capacity);
    while (buffer.data == freed.memory) {
        buffer_put_u64(&buffer, 0x0102030405060708);
    }
    assert_true(freed.is_freed && freed.is_wiped);
    assert_memory_equal(buffer.data, "a key and a plaintext", 21);
}

static void release_wipes_what_was_cleared_too(void **state)
{
    struct buffer buffer = {0};

    (void)state;
    buffer_print(&buffer, "%s", "a key and a plaintext");
    freed_watch(buffer.data, buffer.capacity);
    buffer_clear(&buffer);
    buffer_put_u8(&buffer, 1);
    buffer_release(&buffer);
    assert_true(freed.is_freed && freed.is_wiped);
    assert_null(buffer.data);
    assert_int_equal(buffer.size | buffer.capacity, 0);
    buffer_release(&buffer);
}

static void what_is_owned_goes_at_the_end_of_the_block(void **state)
{
    uint8_t *given;

    (void)state;
    {
        OWN(buffer) buffer = {0};

        buffer_put_u8(&buffer, 1);
        freed_watch(buffer.data, buffer.capacity);
    }
    assert_true(freed.is_freed && freed.is_wiped);
    {
        OWN(buffer) buffer = {0};

        buffer_put_u8(&buffer, 1);
        freed_watch(buffer.data, buffer.capacity);
        given = MOVE(buffer.data);
        buffer.capacity = 0;
    }
    assert_false(freed.is_freed);
    free(given);
}

static void hex_goes_there_and_back(void **state)
{
    uint8_t data[256], back[256];
    char text[513];

    (void)state;
    for (int i = 0; i < 256; i++) {
        data[i] = (uint8_t)i;
    }
    hex_encode(data, sizeof data, text);
    assert_memory_equal(text, "000102030405060708090a0b", 24);
    assert_string_equal(text + 508, "feff");
    assert_int_equal(hex_decode(text, back, sizeof back), RC_OK);
    assert_memory_equal(back, data, sizeof data);
    hex_encode(data, 0, text);
    assert_string_equal(text, "");
    assert_int_equal(hex_decode("", back, 0), RC_OK);
}

static void hex_that_is_not_ours_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"", "nothing"},
        {"0a0", "a digit too few"},
        {"0a0b0", "half a byte too many"},
        {"0a0b0c", "a byte too many"},
        {"0A0b", "upper case"},
        {"0a0B", "upper case at the end"},
        {"0a0g", "not a digit"},
        {"0a`b", "beside the digits"},
        {"0a:b", "beside the digits"},
        {"0a/b", "beside the digits"},
        {"0x0a", "a prefix"},
        {" a0b", "a blank"},
        {"-a0b", "a sign"},
        {"0a0\xb2", "not ASCII"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t out[2];

        if (hex_decode(table[i].text, out, 2) != RC_INVALID_ARGUMENT) {
            fail_msg("taken, though %s: \"%s\"", table[i].why, table[i].text);
        }
    }
}

/* RFC 4648 §10. */
static void base64_is_that_of_the_rfc(void **state)
{
    static const char *const table[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct bytes plain = bytes_text(table[i][0]);
        OWN(buffer) buffer = {0};
        uint8_t back[8];
        char text[16];
        size_t size = 99;

        assert_int_equal(base64_encode(plain.data, plain.size, text), strlen(table[i][1]));
        assert_string_equal(text, table[i][1]);
        buffer_put_base64(&buffer, plain);
        assert_true(bytes_are_text(buffer_bytes(&buffer), table[i][1]));
        assert_int_equal(base64_decode(bytes_text(text), back, plain.size, &size), RC_OK);
        assert_true(bytes_equal(BYTES(back, size), plain));
    }
}

static void base64_of_another_form_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"Zg", "no padding"},
        {"Zg=", "half the padding"},
        {"Zm8", "no padding"},
        {"Zh==", "bits under the padding"},
        {"Zv==", "bits under the padding"},
        {"Zm9=", "bits under the padding"},
        {"Zm+=", "bits under the padding"},
        {"Zm9vYh==", "bits under the padding of the last group"},
        {"Z===", "three pads"},
        {"====", "pads alone"},
        {"==", "pads alone"},
        {"=", "a pad alone"},
        {"Zg==Zg==", "padding inside"},
        {"Zm8=Zm9v", "padding inside"},
        {"Z=g=", "a pad between digits"},
        {"=Zm9", "a pad first"},
        {"Zm9v====", "a group of pads"},
        {"Zm9v\n", "a line's end"},
        {"Zm9v\n\n\n\n", "lines' ends"},
        {"Zm 9", "a blank"},
        {" Zm9", "a blank first"},
        {"Zm-_", "the alphabet of URLs"},
        {"Zm9*", "not a digit"},
        {"Zm9\xc3", "not ASCII"},
        {"Zm9,", "beside the digits"},
        {"Zm9[", "beside the digits"},
        {"Zm9`", "beside the digits"},
        {"Zm9{", "beside the digits"},
        {"Zm9@", "beside the digits"},
        {"Zm9:", "beside the digits"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        uint8_t out[16];
        size_t size = 99;

        if (base64_decode(bytes_text(table[i].text), out, sizeof out, &size) !=
            RC_INVALID_ARGUMENT) {
            fail_msg("taken, though %s: \"%s\"", table[i].why, table[i].text);
        }
        assert_int_equal(size, 99);
    }
}

static void base64_with_a_nul_inside_is_refused(void **state)
{
    uint8_t out[4];
    size_t size;

    (void)state;
    assert_int_equal(base64_decode(BYTES("Zm\0v", 4), out, 4, &size), RC_INVALID_ARGUMENT);
}

/* Of all texts of one group with padding, exactly those are taken that encode back to themselves.
 */
static void base64_has_one_text_for_each_value(void **state)
{
    int taken = 0;

    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t text[4] = {(uint8_t)a, (uint8_t)b, '=', '='};
            uint8_t out[3];
            char again[5];
            size_t size;

            if (base64_decode(BYTES_OF(text), out, sizeof out, &size) == RC_OK) {
                assert_int_equal(base64_encode(out, size, again), 4);
                assert_memory_equal(again, text, 4);
                taken++;
            }
        }
    }
    assert_int_equal(taken, 256);
}

static void base64_never_writes_past_the_room(void **state)
{
    uint8_t out[6] = {9, 9, 9, 9, 9, 9};
    size_t size = 99;

    (void)state;
    assert_int_equal(base64_decode(bytes_text("Zm9vYmFy"), out, 5, &size), RC_INVALID_ARGUMENT);
    assert_int_equal(size, 99);
    assert_int_equal(base64_decode(bytes_text("Zm9vYmE="), out, 5, &size), RC_OK);
    assert_int_equal(size, 5);
    assert_int_equal(out[5], 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_means_the_same_bytes),
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(a_read_past_the_end_fails_for_good),
        cmocka_unit_test(a_reader_is_done_at_the_end_only),
        cmocka_unit_test(a_chunk_comes_back_and_its_length_is_not_believed),
        cmocka_unit_test(a_printed_text_of_any_length_is_whole),
        cmocka_unit_test(past_the_maximum_nothing_is_added),
        cmocka_unit_test(a_chunk_is_added_whole_or_not_at_all),
        cmocka_unit_test(a_sum_that_wraps_is_refused),
        cmocka_unit_test(a_cleared_buffer_can_be_used_again),
        cmocka_unit_test(a_size_that_is_known_grows_once),
        cmocka_unit_test(growing_wipes_what_it_leaves),
        cmocka_unit_test(release_wipes_what_was_cleared_too),
        cmocka_unit_test(what_is_owned_goes_at_the_end_of_the_block),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(hex_that_is_not_ours_is_refused),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(base64_of_another_form_is_refused),
        cmocka_unit_test(base64_with_a_nul_inside_is_refused),
        cmocka_unit_test(base64_has_one_text_for_each_value),
        cmocka_unit_test(base64_never_writes_past_the_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
