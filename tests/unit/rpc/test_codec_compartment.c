#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "enlace/v1/message.pb-c.h"
#include "rpc/codec_shape.h"
#include "rpc/codec_strict.h"
#include "unit/rpc/codec_samples.h"

#define ARENA_MAX ((size_t)4 << 20)

/* ---- the catalogue and the schema ---- */

static const ProtobufCMessageDescriptor *const compartments[COMPARTMENT_TYPES] = {
    [COMPARTMENT_IDENTITY] = &enlace__v1__identity_compartment__descriptor,
    [COMPARTMENT_CONTACT] = &enlace__v1__contact_compartment__descriptor,
    [COMPARTMENT_LOCATION] = &enlace__v1__location_compartment__descriptor,
    [COMPARTMENT_SCHEDULE] = &enlace__v1__schedule_compartment__descriptor,
    [COMPARTMENT_RELATIVES] = &enlace__v1__relatives_compartment__descriptor,
    [COMPARTMENT_HEALTH] = &enlace__v1__health_compartment__descriptor,
    [COMPARTMENT_LEGAL] = &enlace__v1__legal_compartment__descriptor,
    [COMPARTMENT_SOCIAL] = &enlace__v1__social_compartment__descriptor,
    [COMPARTMENT_NARRATIVE] = &enlace__v1__narrative_compartment__descriptor,
    [COMPARTMENT_ATTACHMENTS] = &enlace__v1__attachments_compartment__descriptor,
};

/* Every field of the schema has a number; `seen` gets them. */
static void number_all(const ProtobufCMessageDescriptor *message, const char *prefix,
                       struct field_set *seen)
{
    for (unsigned i = 0; i < message->n_fields; i++) {
        char path[96];
        int number;

        snprintf(path, sizeof path, "%s.%s", prefix, message->fields[i].name);
        if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE) {
            number_all(message->fields[i].descriptor, path, seen);
            continue;
        }
        number = field_number(path);
        if (number < 0) {
            fail_msg("%s is in the schema, not in the catalogue", path);
        }
        field_set_add(seen, (unsigned)number);
    }
}

static void the_catalogue_is_the_schema(void **state)
{
    struct field_set seen = {0};
    size_t count;
    const struct field *catalogue = field_catalogue(&count);

    (void)state;
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        number_all(compartments[type], compartment_name((enum compartment_type)type), &seen);
    }
    for (unsigned i = 0; i < count; i++) {
        if (!field_set_has(seen, i)) {
            fail_msg("%s is in the catalogue, not in the schema", catalogue[i].path);
        }
    }
}

/* A row of the table of bounds that names nothing would bound nothing. */
static bool is_bound_of(const ProtobufCMessageDescriptor *message, const struct bound *bound,
                        unsigned depth)
{
    for (unsigned i = 0; i < message->n_fields && depth < 8; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];

        if ((strcmp(message->short_name, bound->message) == 0 &&
             strcmp(field->name, bound->field) == 0) ||
            (field->type == PROTOBUF_C_TYPE_MESSAGE &&
             is_bound_of(field->descriptor, bound, depth + 1))) {
            return true;
        }
    }
    return false;
}

static void every_bound_bounds_a_field(void **state)
{
    size_t count;
    const struct bound *bounds = codec_bounds(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        bool is_found = false;

        for (unsigned name = SHAPE_NONE + 1; name < SHAPE_ROOTS && !is_found; name++) {
            is_found = is_bound_of(shape_get((enum shape_name)name)->descriptor, &bounds[i], 0);
        }
        if (!is_found) {
            fail_msg("%s.%s", bounds[i].message, bounds[i].field);
        }
    }
}

/* ---- writing and reading ---- */

#define HASH_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ID_TEXT "0193e2a1-0000-7abc-8def-0123456789ab"

static const char *text_for(const char *path)
{
    if (strcmp(path, "attachments.entries.attachment_id") == 0) {
        return ID_TEXT;
    }
    if (strcmp(path, "attachments.entries.sha256") == 0) {
        return HASH_HEX;
    }
    return strcmp(path, "attachments.entries.size") == 0 ? "209715200" : path;
}

/* Of one type, all fields; those of entries in three entries. Returns how many. */
static size_t all_values(enum compartment_type type, struct field_value *values)
{
    size_t count;
    size_t used = 0;
    const struct field *catalogue = field_catalogue(&count);
    const char *name = compartment_name(type);

    for (unsigned entry = 0; entry < 3; entry++) {
        for (unsigned i = 0; i < count; i++) {
            bool is_mine = strncmp(catalogue[i].path, name, strlen(name)) == 0;
            bool is_entry = strstr(catalogue[i].path, ".entries.") != NULL;

            if (is_mine && (entry == 0 || is_entry)) {
                values[used++] = (struct field_value){i, entry, text_for(catalogue[i].path)};
            }
        }
    }
    return used;
}

static void every_field_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int type = COMPARTMENT_IDENTITY; type < COMPARTMENT_TYPES; type++) {
        OWN_PTR(arena) arena = arena_new(ARENA_MAX);
        OWN(buffer) bytes = {0};
        struct field_value values[64];
        struct field_value *read = NULL;
        struct field_set fields = {0};
        size_t count = all_values((enum compartment_type)type, values);
        size_t read_count = 0;

        assert_true(count > 0);
        assert_int_equal(
            codec_compartment_write((enum compartment_type)type, values, count, &bytes), RC_OK);
        assert_int_equal(codec_compartment_read((enum compartment_type)type, buffer_bytes(&bytes),
                                                arena, &read, &read_count, NULL),
                         RC_OK);
        assert_int_equal(read_count, count);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(read[i].field, values[i].field);
            assert_int_equal(read[i].entry, values[i].entry);
            assert_string_equal(read[i].text, values[i].text);
        }
        assert_int_equal(strict_check(shape_of_compartment((enum compartment_type)type),
                                      buffer_bytes(&bytes), "", &fields, NULL),
                         RC_OK);
        for (size_t i = 0; i < count; i++) {
            assert_true(field_set_has(fields, values[i].field));
        }
        while (count-- > 0) {
            fields.bits &= ~(UINT64_C(1) << values[count].field);
        }
        assert_true(field_set_is_empty(fields));
    }
}

static void empty_texts_set_nothing(void **state)
{
    OWN(buffer) bytes = {0};
    const struct field_value values[] = {sample_value("identity.full_name", 0, "A"),
                                         sample_value("identity.curp", 0, "")};

    (void)state;
    assert_int_equal(codec_compartment_write(COMPARTMENT_IDENTITY, values, 2, &bytes), RC_OK);
    assert_true(bytes_equal(buffer_bytes(&bytes), BYTES("\x0a\x01"
                                                        "A",
                                                        3)));
}

static void what_a_reader_would_refuse_is_not_written(void **state)
{
    const struct {
        enum compartment_type type;
        struct field_value values[3];
        size_t count;
    } bad[] = {
        {COMPARTMENT_NONE, {sample_value("identity.curp", 0, "A")}, 1},
        {COMPARTMENT_TYPES, {sample_value("identity.curp", 0, "A")}, 1},
        {COMPARTMENT_CONTACT, {sample_value("identity.curp", 0, "A")}, 1},
        {COMPARTMENT_IDENTITY, {{FIELD_MAX, 0, "A"}}, 1},
        {COMPARTMENT_IDENTITY, {sample_value("identity.curp", 1, "A")}, 1},
        {COMPARTMENT_IDENTITY,
         {sample_value("identity.curp", 0, "A"), sample_value("identity.curp", 0, "A")},
         2},
        {COMPARTMENT_IDENTITY, {sample_value("identity.full_name", 0, "A\nB")}, 1},
        {COMPARTMENT_IDENTITY, {sample_value("identity.full_name", 0, "\xc3")}, 1},
        {COMPARTMENT_SCHEDULE, {sample_value("schedule.entries.days", 1, "lunes")}, 1},
        {COMPARTMENT_SCHEDULE, {sample_value("schedule.entries.days", 32, "lunes")}, 1},
        {COMPARTMENT_ATTACHMENTS,
         {sample_value("attachments.entries.attachment_id", 0, ID_TEXT)},
         1},
        {COMPARTMENT_ATTACHMENTS,
         {sample_value("attachments.entries.attachment_id", 0, "7"),
          sample_value("attachments.entries.sha256", 0, HASH_HEX)},
         2},
        {COMPARTMENT_ATTACHMENTS,
         {sample_value("attachments.entries.attachment_id", 0, ID_TEXT),
          sample_value("attachments.entries.sha256", 0, HASH_HEX),
          sample_value("attachments.entries.size", 0, "-1")},
         3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        OWN(buffer) bytes = {0};

        buffer_put_u8(&bytes, 7);
        assert_int_equal(codec_compartment_write(bad[i].type, bad[i].values, bad[i].count, &bytes),
                         RC_INVALID_ARGUMENT);
        assert_int_equal(bytes.size, 1);
    }
}

static void an_unknown_compartment_is_not_read(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct field_value *values = NULL;
    struct fault fault = {0};
    size_t count = 0;

    (void)state;
    assert_int_equal(
        codec_compartment_read(COMPARTMENT_TYPES, BYTES("", 0), arena, &values, &count, &fault),
        RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "decode.unknown_value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_is_the_schema),
        cmocka_unit_test(every_bound_bounds_a_field),
        cmocka_unit_test(every_field_is_read_as_it_was_written),
        cmocka_unit_test(empty_texts_set_nothing),
        cmocka_unit_test(what_a_reader_would_refuse_is_not_written),
        cmocka_unit_test(an_unknown_compartment_is_not_read),
    };

    return cmocka_run_group_tests_name("codec_compartment", tests, NULL, NULL);
}
