#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "rpc/codec_service.h"
#include "unit/rpc/codec_agrees.h"
#include "unit/rpc/codec_samples.h"

#define ARENA_MAX ((size_t)4 << 20)
#define MUTATIONS 100000

/* ---- one fault each ---- */

struct refused {
    enum shape_name shape;
    const char *hex;
    const char *reason;
    const char *path;
    const char *why;
};

static const struct refused refused_bytes[] = {
    {SHAPE_IDENTITY, "0a02", "decode.malformed", "x.full_name", "cut off inside a value"},
    {SHAPE_IDENTITY, "0a", "decode.malformed", "x.full_name", "cut off before a length"},
    {SHAPE_IDENTITY, "8a", "decode.malformed", "x", "cut off inside a tag"},
    {SHAPE_IDENTITY, "0801", "decode.malformed", "x.full_name", "a number where a text belongs"},
    {SHAPE_IDENTITY, "0b", "decode.malformed", "x.full_name", "a group"},
    {SHAPE_IDENTITY, "0d01020304", "decode.malformed", "x.full_name", "a fixed number"},
    {SHAPE_IDENTITY, "020141", "decode.malformed", "x", "field 0"},
    {SHAPE_IDENTITY, "ffffffff7f00", "decode.malformed", "x", "a field above 2^29 - 1"},
    {SHAPE_IDENTITY, "0affffffffffffffffff01", "decode.malformed", "x.full_name",
     "a length above all memory"},
    {SHAPE_IDENTITY, "0affffffffffffffffffff01", "decode.malformed", "x.full_name",
     "a number of eleven bytes"},
    {SHAPE_IDENTITY, "4a0141", "decode.unknown_field", "x.9", "the field after the last"},
    {SHAPE_IDENTITY, "0a0141c23e0141", "decode.unknown_field", "x.1000", "a far field"},
    {SHAPE_HEADER, "8a01034a0141", "decode.unknown_field", "x.subjects[0].9", "a nested field"},
    {SHAPE_IDENTITY, "0a01410a0142", "decode.not_canonical", "x.full_name", "a text twice"},
    {SHAPE_IDENTITY, "1201410a0142", "decode.not_canonical", "x.full_name", "out of order"},
    {SHAPE_IDENTITY, "0a00", "decode.not_canonical", "x.full_name", "an empty text, written"},
    {SHAPE_IDENTITY, "8a000141", "decode.not_canonical", "x", "a padded tag"},
    {SHAPE_IDENTITY, "0a810041", "decode.not_canonical", "x.full_name", "a padded length"},
    {SHAPE_HEADER, "0800", "decode.not_canonical", "x.schema", "a zero, written"},
    {SHAPE_HEADER, "088100", "decode.not_canonical", "x.schema", "a padded number"},
    {SHAPE_HEADER, "08ffffffff7f", "decode.not_canonical", "x.schema", "more than 32 bits"},
    {SHAPE_HEADER, "08ffffffffffffffffff7f", "decode.not_canonical", "x.schema",
     "more than 64 bits"},
    {SHAPE_HEADER, "08010801", "decode.not_canonical", "x.schema", "a number twice"},
    {SHAPE_HEADER, "7a030a01417a03120131", "decode.not_canonical", "x.aviso",
     "a part twice, to be merged"},
    {SHAPE_HEADER, "7a00", "decode.missing", "x.aviso", "a part with nothing in it"},
    {SHAPE_SCHEDULE, "0a00", "decode.missing", "x.entries[0]", "an entry with nothing in it"},
    {SHAPE_HEADER, "121000000000000000000000000000000000", "decode.missing", "x.message_id",
     "an id of zeros"},
    {SHAPE_PUT_ATTACHMENT_RESPONSE, "1002", "decode.not_canonical", "x.is_complete",
     "a boolean of 2"},
    {SHAPE_PUT_ATTACHMENT_RESPONSE, "1000", "decode.not_canonical", "x.is_complete",
     "false, written"},
    {SHAPE_ATTACH_REQUEST, "0a0012120a10000102030405060708090a0b0c0d0e0f", "decode.not_canonical",
     "x.acknowledgement", "two of a oneof"},
    {SHAPE_HEADER, "5803", "decode.unknown_value", "x.urgency", "the value after the last"},
    {SHAPE_HEADER, "58ffffffffffffffffff01", "decode.unknown_value", "x.urgency", "value -1"},
    {SHAPE_HEADER, "", "decode.missing", "x.message_id", "nothing at all"},
    {SHAPE_ATTACH_REQUEST, "", "decode.missing", "x", "nothing of a oneof"},
    {SHAPE_HEADER, "1202aabb", "decode.size", "x.message_id", "an id of two bytes"},
    {SHAPE_HEADER, "1211000102030405060708090a0b0c0d0e0f10", "decode.size", "x.message_id",
     "an id of 17 bytes"},
    {SHAPE_IDENTITY, "0a0100", "decode.text", "x.full_name", "NUL"},
    {SHAPE_IDENTITY, "0a010a", "decode.text", "x.full_name", "a line break outside a narrative"},
    {SHAPE_NARRATIVE, "0a010d", "decode.text", "x.summary", "a carriage return"},
    {SHAPE_IDENTITY, "0a017f", "decode.text", "x.full_name", "DEL"},
    {SHAPE_IDENTITY, "0a02c285", "decode.text", "x.full_name", "a C1 control"},
    {SHAPE_IDENTITY, "0a02c328", "decode.text", "x.full_name", "a broken sequence"},
    {SHAPE_IDENTITY, "0a01c3", "decode.text", "x.full_name", "half a sequence"},
    {SHAPE_IDENTITY, "0a0180", "decode.text", "x.full_name", "a continuation alone"},
    {SHAPE_IDENTITY, "0a02c080", "decode.text", "x.full_name", "overlong NUL"},
    {SHAPE_IDENTITY, "0a03e08080", "decode.text", "x.full_name", "overlong, three bytes"},
    {SHAPE_IDENTITY, "0a03eda080", "decode.text", "x.full_name", "a surrogate"},
    {SHAPE_IDENTITY, "0a04f0808080", "decode.text", "x.full_name", "overlong, four bytes"},
    {SHAPE_IDENTITY, "0a04f4908080", "decode.text", "x.full_name", "above U+10FFFF"},
    {SHAPE_IDENTITY, "0a09414141414141410841", "decode.text", "x.full_name",
     "a control among eight letters"},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t size = strlen(hex) / 2;

    assert_int_equal(hex_decode(hex, out, size), RC_OK);
    return size;
}

static void each_fault_has_its_reason_and_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused_bytes / sizeof refused_bytes[0]; i++) {
        const struct refused *row = &refused_bytes[i];
        uint8_t bytes[64];
        size_t size = from_hex(row->hex, bytes);
        struct fault fault = {0};

        (void)!strict_check(row->shape, BYTES(bytes, size), "x", NULL, &fault);
        if (fault.rc != RC_INVALID_ARGUMENT || strcmp(fault.reason, row->reason) != 0) {
            fail_msg("%s: %s %s", row->why, rc_name(fault.rc), fault.reason);
        }
        assert_string_equal(fault.path, row->path);
        assert_true(codec_agrees(row->shape, BYTES(bytes, size)));
    }
}

static void what_is_good_passes(void **state)
{
    static const struct {
        enum shape_name shape;
        const char *hex;
    } good[] = {
        {SHAPE_IDENTITY, ""},
        {SHAPE_IDENTITY, "0a0141"},
        {SHAPE_IDENTITY, "0a0ac3b1e282acf09f98807e"}, /* ñ€😀~ */
        {SHAPE_NARRATIVE, "0a03410a41"},
        {SHAPE_PUT_ATTACHMENT_RESPONSE, "08ffffffffffffffffff011001"},
        {SHAPE_ATTACH_REQUEST, "0a00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint8_t bytes[64];
        size_t size = from_hex(good[i].hex, bytes);

        assert_int_equal(strict_check(good[i].shape, BYTES(bytes, size), "x", NULL, NULL), RC_OK);
        assert_true(codec_agrees(good[i].shape, BYTES(bytes, size)));
    }
}

static void long_texts_and_lists_are_refused(void **state)
{
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    struct fault other = {0};

    (void)state;
    buffer_put(&bytes, "\x0a\x81\x20", 3); /* full_name, 4,097 bytes */
    for (size_t i = 0; i < MESSAGE_TEXT_MAX + 1; i++) {
        buffer_put_u8(&bytes, 'a');
    }
    assert_int_equal(strict_check(SHAPE_IDENTITY, buffer_bytes(&bytes), "identity", NULL, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "decode.too_large");
    assert_string_equal(fault.path, "identity.full_name");

    buffer_clear(&bytes);
    for (size_t i = 0; i < CODEC_ENTRIES_MAX + 1; i++) {
        buffer_put(&bytes, "\x0a\x03\x0a\x01l", 5);
    }
    assert_int_equal(strict_check(SHAPE_SCHEDULE, buffer_bytes(&bytes), "schedule", NULL, &other),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(other.reason, "decode.too_many");
    assert_string_equal(other.path, "schedule.entries[32]");
}

/* ---- messages ---- */

static void expect_refusal(const struct sample *sample, const char *reason, const char *path)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct submission read;
    struct fault fault = {0};

    codec_submit_write(&sample->submission, &bytes);
    assert_int_equal(codec_submit_read(buffer_bytes(&bytes), arena, &read, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, reason);
    assert_string_equal(fault.path, path);
    assert_true(fault.remedy[0] != '\0');
}

static void compartments_stand_in_order_and_belong_to_somebody(void **state)
{
    struct sample sample;
    struct message *message = &sample.submission.message;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    message->compartments[3].part = 256 + COMPARTMENT_TYPES;
    expect_refusal(&sample, "decode.unknown_value", "compartments[3].part");
    message->compartments[3].part = 2 * 256 + COMPARTMENT_NARRATIVE;
    expect_refusal(&sample, "decode.unknown_value", "compartments[3].part");
    message->compartments[3].part = UINT32_C(1) << 16 | COMPARTMENT_NARRATIVE;
    expect_refusal(&sample, "decode.unknown_value", "compartments[3].part");
    message->compartments[3].part = COMPARTMENT_LOCATION;
    expect_refusal(&sample, "decode.not_canonical", "compartments[3].part");
    message->compartments[3].part = COMPARTMENT_IDENTITY;
    expect_refusal(&sample, "decode.not_canonical", "compartments[3].part");
    message->compartments[3].part = 256 + COMPARTMENT_CONTACT; /* another type than its bytes */
    message->compartments[3].content = BYTES("\x3a\x01x", 3);
    expect_refusal(&sample, "decode.unknown_field", "contact.7");
    sample_release(&sample);
}

static void wrappers_are_strict_too(void **state)
{
    struct sample sample;
    struct message *message = &sample.submission.message;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    sample.submission.local_subject_count = 1;
    expect_refusal(&sample, "decode.missing", "submission.local_subjects");
    sample.submission.local_subject_count = 0;
    message->compartments[1].blind.size = 31;
    expect_refusal(&sample, "decode.size", "submission.message.compartments[1].blind");
    message->compartments[1].blind.size = 32;
    message->header_blind.size = 0;
    expect_refusal(&sample, "decode.missing", "submission.message.header_blind");
    message->header_blind.size = 32;
    message->header_bytes.size--;
    expect_refusal(&sample, "decode.malformed", "header.referral");
    sample_release(&sample);
}

static void a_message_of_two_mebibytes_is_refused(void **state)
{
    OWN(buffer) content = {0};
    struct sample sample;
    struct compartment *sealed = &sample.submission.message.compartments[2];

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    while (content.size < MESSAGE_BYTES_MAX) {
        buffer_put_u64(&content, 0);
    }
    sealed->content = buffer_bytes(&content);
    expect_refusal(&sample, "decode.too_large", "submission.message");
    while (content.size < 2 * MESSAGE_BYTES_MAX) {
        buffer_put_u64(&content, 0);
    }
    sealed->content = buffer_bytes(&content);
    expect_refusal(&sample, "decode.too_large", "submission.message");
    sample_release(&sample);
}

/* ---- damage ---- */

static void every_truncation_is_refused(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct submission read;
    struct sample sample;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_ACT));
    codec_submit_write(&sample.submission, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        /* A copy of exactly this size: reading past it is seen by the sanitizer. */
        uint8_t *copy = malloc(size > 0 ? size : 1);
        enum rc rc;

        memcpy(copy, bytes.data, size);
        rc = codec_submit_read(BYTES(copy, size), arena, &read, NULL);
        free(copy);
        arena_reset(arena);
        assert_int_equal(rc, RC_INVALID_ARGUMENT);
    }
    sample_release(&sample);
}

static void every_truncated_header_is_refused(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct sample sample;
    struct message *message = &sample.submission.message;
    size_t whole;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_ACT));
    whole = message->header_bytes.size;
    for (size_t size = 0; size < whole; size++) {
        OWN(buffer) bytes = {0};
        struct message read;

        message->header_bytes.size = size;
        codec_message_write(message, &bytes);
        assert_int_equal(codec_message_read(buffer_bytes(&bytes), arena, &read, NULL),
                         RC_INVALID_ARGUMENT);
        arena_reset(arena);
    }
    sample_release(&sample);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* One to three changes: a flipped bit, a byte of any value, a run copied, a run cut out. */
static struct bytes mutated(struct bytes from, uint8_t *into, uint64_t *seed)
{
    size_t size = from.size;

    memcpy(into, from.data, size);
    for (uint64_t n = 1 + next_random(seed) % 3; n > 0 && size > 16; n--) {
        size_t at = next_random(seed) % (size - 8);
        size_t run = 1 + next_random(seed) % 8;

        switch (next_random(seed) % 4) {
        case 0:
            into[at] ^= (uint8_t)(1 << next_random(seed) % 8);
            break;
        case 1:
            into[at] = (uint8_t)next_random(seed);
            break;
        case 2:
            memmove(into + at + run, into + at, size - at);
            size += run;
            break;
        default:
            memmove(into + at, into + at + run, size - at - run);
            size -= run;
        }
    }
    return BYTES(into, size);
}

static void damaged_messages_are_refused_or_read_exactly(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct sample sample;
    uint64_t seed = UINT64_C(20191212);
    uint8_t *copy;
    unsigned accepted = 0;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_MEASURE_REQUEST));
    codec_submit_write(&sample.submission, &bytes);
    copy = malloc(bytes.size + 64);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        struct bytes from = mutated(buffer_bytes(&bytes), copy, &seed);
        struct submission read;

        if (codec_submit_read(from, arena, &read, NULL) == RC_OK) {
            buffer_clear(&again);
            codec_submit_write(&read, &again);
            assert_true(bytes_equal(buffer_bytes(&again), from));
            buffer_clear(&again);
            codec_header_write(&read.message.header, &again);
            assert_true(bytes_equal(buffer_bytes(&again), read.message.header_bytes));
            accepted++;
        }
        arena_reset(arena);
    }
    assert_true(accepted > 0 && accepted < MUTATIONS);
    free(copy);
    sample_release(&sample);
}

static void strictness_is_what_protobuf_c_packs(void **state)
{
    static const enum shape_name shapes[] = {SHAPE_HEADER, SHAPE_MESSAGE, SHAPE_IDENTITY};
    OWN(buffer) message = {0};
    struct sample sample;
    uint64_t seed = UINT64_C(20190603);
    uint8_t *copy;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_AGGREGATE));
    codec_message_write(&sample.submission.message, &message);
    copy = malloc(message.size + 64);
    for (unsigned i = 0; i < MUTATIONS; i++) {
        const struct bytes sources[] = {sample.submission.message.header_bytes,
                                        buffer_bytes(&message),
                                        sample.submission.message.compartments[0].content};
        struct bytes from = mutated(sources[i % 3], copy, &seed);

        assert_true(codec_agrees(shapes[i % 3], from));
    }
    free(copy);
    sample_release(&sample);
}

static void random_bytes_are_never_trusted(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    uint64_t seed = UINT64_C(42);

    (void)state;
    for (unsigned i = 0; i < MUTATIONS; i++) {
        uint8_t bytes[64];
        struct bytes from = BYTES(bytes, next_random(&seed) % sizeof bytes);
        struct attach_request request;
        struct exchange_part part;
        struct submission submission;

        for (size_t k = 0; k < from.size; k++) {
            bytes[k] = (uint8_t)next_random(&seed);
        }
        assert_int_not_equal(codec_submit_read(from, arena, &submission, NULL), RC_OK);
        (void)!codec_attach_request_read(from, arena, &request, NULL);
        (void)!codec_exchange_request_read(from, arena, &part, NULL);
        assert_true(codec_agrees(SHAPE_EXCHANGE_REQUEST, from));
        arena_reset(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_has_its_reason_and_path),
        cmocka_unit_test(what_is_good_passes),
        cmocka_unit_test(long_texts_and_lists_are_refused),
        cmocka_unit_test(compartments_stand_in_order_and_belong_to_somebody),
        cmocka_unit_test(wrappers_are_strict_too),
        cmocka_unit_test(a_message_of_two_mebibytes_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_truncated_header_is_refused),
        cmocka_unit_test(damaged_messages_are_refused_or_read_exactly),
        cmocka_unit_test(strictness_is_what_protobuf_c_packs),
        cmocka_unit_test(random_bytes_are_never_trusted),
    };

    return cmocka_run_group_tests_name("codec_strict", tests, NULL, NULL);
}
