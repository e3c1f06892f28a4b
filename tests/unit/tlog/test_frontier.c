#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tlog/frontier.h"
#include "unit/tlog/tree8.h"

#define COUNT 300

static void its_root_is_the_naive_root(void **state)
{
    static uint8_t leaves[COUNT][DIGEST_SIZE];
    struct frontier frontier = {0};
    uint8_t root[DIGEST_SIZE];
    uint8_t expected[DIGEST_SIZE];

    (void)state;
    numbered_leaves(leaves, COUNT);
    for (size_t size = 0; size <= COUNT; size++) {
        naive_root((const uint8_t(*)[DIGEST_SIZE])leaves, 0, size, expected);
        frontier_root(&frontier, root);
        assert_memory_equal(root, expected, DIGEST_SIZE);
        assert_int_equal(frontier.size, size);
        if (size < COUNT) {
            frontier_append(&frontier, leaves[size]);
        }
    }
}

static void it_has_the_standard_roots(void **state)
{
    struct frontier frontier = {0};
    uint8_t hash[DIGEST_SIZE];

    (void)state;
    for (unsigned size = 0; size <= 8; size++) {
        frontier_root(&frontier, hash);
        assert_hash(hash, tree8_roots[size]);
        if (size < 8) {
            tree8_leaf(size, hash);
            frontier_append(&frontier, hash);
        }
    }
}

static void what_it_writes_reads_back(void **state)
{
    struct frontier frontier = {0};

    (void)state;
    for (unsigned size = 0; size < 70; size++) {
        OWN(buffer) buffer = {0};
        struct frontier read;
        struct reader reader;
        uint8_t root[DIGEST_SIZE];
        uint8_t again[DIGEST_SIZE];

        frontier_write(&frontier, &buffer);
        assert_int_equal(buffer.size, 8 + DIGEST_SIZE * __builtin_popcount(size));
        buffer_put_u16(&buffer, 0xabcd);
        reader = (struct reader){.rest = buffer_bytes(&buffer)};
        assert_int_equal(frontier_read(&reader, &read), RC_OK);
        assert_int_equal(reader_u16(&reader), 0xabcd);
        assert_true(reader_is_done(&reader));
        frontier_root(&frontier, root);
        frontier_root(&read, again);
        assert_memory_equal(root, again, DIGEST_SIZE);
        memset(root, (int)size, sizeof root);
        frontier_append(&frontier, root);
    }
}

static void a_short_or_oversized_one_is_refused(void **state)
{
    struct frontier frontier = {.size = 7};
    OWN(buffer) buffer = {0};
    struct frontier read;

    (void)state;
    frontier_write(&frontier, &buffer);
    for (size_t size = 0; size < buffer.size; size++) {
        struct reader reader = {.rest = BYTES(buffer.data, size)};

        assert_int_equal(frontier_read(&reader, &read), RC_DATA_LOSS);
    }
    buffer_clear(&buffer);
    buffer_put_u64(&buffer, (uint64_t)1 << 63);
    buffer_put(&buffer, frontier.edge[0], DIGEST_SIZE);
    assert_int_equal(frontier_read(&(struct reader){.rest = buffer_bytes(&buffer)}, &read),
                     RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_root_is_the_naive_root),
        cmocka_unit_test(it_has_the_standard_roots),
        cmocka_unit_test(what_it_writes_reads_back),
        cmocka_unit_test(a_short_or_oversized_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
