#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/commit.h"
#include "tlog/control.h"
#include "tlog/leaf.h"

static const uint8_t blind[COMMIT_BLIND_SIZE];

static enum rc read_as(enum leaf_class class, uint64_t index, struct bytes record,
                       struct control_retention *retention)
{
    struct leaf leaf = {.class = class, .index = index};
    OWN(buffer) row = {0};

    commit_record(blind, record, leaf.record);
    buffer_put(&row, blind, sizeof blind);
    buffer_put_bytes(&row, record);
    return control_retention_read(&leaf, buffer_bytes(&row), retention);
}

static void it_is_the_protobuf_of_the_record(void **state)
{
    static const uint8_t expected[] = {0x08, 18, 0xf0, 0x01, 0x80, 0x04};
    const struct control_retention said = {.minimum = 512};
    struct control_retention read;
    OWN(buffer) record = {0};

    (void)state;
    control_retention_write(&said, &record);
    assert_true(bytes_equal(buffer_bytes(&record), BYTES_OF(expected)));
    assert_int_equal(read_as(LEAF_CONTROL, 600, buffer_bytes(&record), &read), RC_OK);
    assert_int_equal(read.minimum, 512);
    assert_false(read.has_order);
}

static void the_order_comes_back(void **state)
{
    struct control_retention said = {.minimum = UINT64_C(1) << 40, .has_order = true};
    struct control_retention read;
    OWN(buffer) record = {0};

    (void)state;
    memset(said.order, 7, sizeof said.order);
    control_retention_write(&said, &record);
    assert_int_equal(read_as(LEAF_CONTROL, UINT64_C(1) << 40, buffer_bytes(&record), &read), RC_OK);
    assert_true(read.has_order);
    assert_memory_equal(read.order, said.order, sizeof said.order);
}

static void other_records_say_nothing(void **state)
{
    static const struct {
        const char *what;
        size_t size;
        uint8_t bytes[16];
    } others[] = {
        {"nothing", 0, {0}},
        {"another kind", 6, {0x08, 13, 0xf0, 0x01, 0x80, 0x04}},
        {"no minimum", 2, {0x08, 18}},
        {"a minimum that is cut", 5, {0x08, 18, 0xf0, 0x01, 0x80}},
        {"a padded number", 7, {0x08, 18, 0xf0, 0x01, 0x80, 0x84, 0x00}},
        {"more after it", 7, {0x08, 18, 0xf0, 0x01, 0x80, 0x04, 0x00}},
        {"a digest that is cut", 6, {0x08, 18, 0xc2, 0x01, 0x20, 0x01}},
        {"no whole step", 5, {0x08, 18, 0xf0, 0x01, 0x7f}},
        {"zero", 5, {0x08, 18, 0xf0, 0x01, 0x00}},
    };
    struct control_retention read;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (read_as(LEAF_CONTROL, 100000, BYTES(others[i].bytes, others[i].size), &read) !=
            RC_NOT_FOUND) {
            fail_msg("%s is taken", others[i].what);
        }
    }
}

static void only_a_later_control_leaf_that_commits_to_it_says_so(void **state)
{
    const struct control_retention said = {.minimum = 512};
    struct leaf leaf = {.class = LEAF_CONTROL, .index = 600};
    struct control_retention read;
    OWN(buffer) record = {0};
    OWN(buffer) row = {0};

    (void)state;
    control_retention_write(&said, &record);
    assert_int_equal(read_as(LEAF_RECORD, 600, buffer_bytes(&record), &read), RC_NOT_FOUND);
    assert_int_equal(read_as(LEAF_CONTROL, 511, buffer_bytes(&record), &read), RC_NOT_FOUND);
    assert_int_equal(read_as(LEAF_CONTROL, 512, buffer_bytes(&record), &read), RC_OK);
    buffer_put(&row, blind, sizeof blind);
    buffer_put_bytes(&row, buffer_bytes(&record));
    assert_int_equal(control_retention_read(&leaf, buffer_bytes(&row), &read), RC_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_protobuf_of_the_record),
        cmocka_unit_test(the_order_comes_back),
        cmocka_unit_test(other_records_say_nothing),
        cmocka_unit_test(only_a_later_control_leaf_that_commits_to_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
