#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tlog/proof.h"
#include "unit/tlog/tree8.h"

#define COUNT 66

static uint8_t leaves[COUNT][DIGEST_SIZE];
static uint8_t roots[COUNT + 1][DIGEST_SIZE];

#define LEAVES ((const uint8_t(*)[DIGEST_SIZE])leaves)

static int make_tree(void **state)
{
    (void)state;
    numbered_leaves(leaves, COUNT);
    for (size_t size = 0; size <= COUNT; size++) {
        naive_root(LEAVES, 0, size, roots[size]);
    }
    return 0;
}

static struct naive_source source_of(uint64_t size)
{
    return (struct naive_source){.source.node = naive_node, .leaves = LEAVES, .size = size};
}

static void inclusion_is_built_as_the_standard_says_and_verifies(void **state)
{
    (void)state;
    for (size_t size = 1; size <= COUNT; size++) {
        struct naive_source naive = source_of(size);

        for (size_t index = 0; index < size; index++) {
            struct proof proof;
            struct proof expected = {.count = 0};

            assert_int_equal(proof_inclusion(&naive.source, index, size, &proof), RC_OK);
            naive_path(LEAVES, index, 0, size, &expected);
            assert_int_equal(proof.count, expected.count);
            assert_memory_equal(proof.hashes, expected.hashes, proof.count * DIGEST_SIZE);
            assert_int_equal(proof_check_inclusion(leaves[index], index, size, &proof, roots[size]),
                             RC_OK);
        }
    }
}

static void consistency_is_built_as_the_standard_says_and_verifies(void **state)
{
    (void)state;
    for (size_t size = 1; size <= COUNT; size++) {
        struct naive_source naive = source_of(size);

        for (size_t old = 0; old <= size; old++) {
            struct proof proof;
            struct proof expected = {.count = 0};

            assert_int_equal(proof_consistency(&naive.source, old, size, &proof), RC_OK);
            if (old > 0) {
                naive_subproof(LEAVES, old, 0, size, 1, &expected);
            }
            assert_int_equal(proof.count, expected.count);
            assert_memory_equal(proof.hashes, expected.hashes, proof.count * DIGEST_SIZE);
            assert_int_equal(proof_check_consistency(old, roots[old], size, roots[size], &proof),
                             RC_OK);
        }
    }
}

static enum rc check(size_t index, size_t size, const struct proof *proof)
{
    return proof_check_inclusion(leaves[index], index, size, proof, roots[size]);
}

static void a_changed_inclusion_proof_is_refused(void **state)
{
    struct naive_source naive = source_of(COUNT);
    struct proof proof;

    (void)state;
    for (size_t index = 0; index < COUNT; index += 5) {
        assert_int_equal(proof_inclusion(&naive.source, index, COUNT, &proof), RC_OK);
        for (size_t i = 0; i < proof.count * DIGEST_SIZE; i++) {
            proof.hashes[i / DIGEST_SIZE][i % DIGEST_SIZE] ^= 1;
            assert_int_equal(check(index, COUNT, &proof), RC_DATA_LOSS);
            proof.hashes[i / DIGEST_SIZE][i % DIGEST_SIZE] ^= 1;
        }
        proof.count--;
        assert_int_equal(check(index, COUNT, &proof), RC_DATA_LOSS);
        proof.count += 2;
        memset(proof.hashes[proof.count - 1], 0, DIGEST_SIZE);
        assert_int_equal(check(index, COUNT, &proof), RC_DATA_LOSS);
        memcpy(proof.hashes[proof.count - 1], roots[COUNT], DIGEST_SIZE);
        assert_int_equal(check(index, COUNT, &proof), RC_DATA_LOSS);
        proof.count--;
        for (size_t other = 0; other < COUNT; other++) {
            assert_int_equal(
                proof_check_inclusion(leaves[index], other, COUNT, &proof, roots[COUNT]),
                other == index ? RC_OK : RC_DATA_LOSS);
        }
    }
}

static void a_changed_consistency_proof_is_refused(void **state)
{
    struct naive_source naive = source_of(COUNT);
    struct proof proof;

    (void)state;
    for (size_t old = 1; old < COUNT; old += 3) {
        assert_int_equal(proof_consistency(&naive.source, old, COUNT, &proof), RC_OK);
        for (size_t i = 0; i < proof.count * DIGEST_SIZE; i++) {
            proof.hashes[i / DIGEST_SIZE][i % DIGEST_SIZE] ^= 0x80;
            assert_int_equal(proof_check_consistency(old, roots[old], COUNT, roots[COUNT], &proof),
                             RC_DATA_LOSS);
            proof.hashes[i / DIGEST_SIZE][i % DIGEST_SIZE] ^= 0x80;
        }
        assert_int_equal(proof_check_consistency(old, roots[old - 1], COUNT, roots[COUNT], &proof),
                         RC_DATA_LOSS);
        assert_int_equal(proof_check_consistency(old, roots[old], COUNT, roots[COUNT - 1], &proof),
                         RC_DATA_LOSS);
        proof.count++;
        memset(proof.hashes[proof.count - 1], 7, DIGEST_SIZE);
        assert_int_equal(proof_check_consistency(old, roots[old], COUNT, roots[COUNT], &proof),
                         RC_DATA_LOSS);
        proof.count -= 2;
        assert_int_equal(proof_check_consistency(old, roots[old], COUNT, roots[COUNT], &proof),
                         RC_DATA_LOSS);
    }
}

static void sizes_at_the_edges_are_refused_or_exact(void **state)
{
    struct naive_source naive = source_of(COUNT);
    struct proof none = {.count = 0};
    struct proof proof = {.count = 0};
    uint64_t huge = (uint64_t)1 << 63;

    (void)state;
    assert_int_equal(proof_inclusion(&naive.source, 8, 8, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(proof_inclusion(&naive.source, 0, huge, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(proof_consistency(&naive.source, 9, 8, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(proof_consistency(&naive.source, 0, UINT64_MAX, &proof), RC_OUT_OF_RANGE);
    assert_int_equal(proof_check_inclusion(leaves[0], 0, 0, &none, leaves[0]), RC_DATA_LOSS);
    assert_int_equal(proof_check_inclusion(leaves[0], 0, huge, &none, leaves[0]), RC_DATA_LOSS);
    assert_int_equal(proof_check_inclusion(leaves[0], UINT64_MAX, 1, &none, leaves[0]),
                     RC_DATA_LOSS);
    assert_int_equal(proof_check_inclusion(leaves[0], 0, 1, &none, leaves[0]), RC_OK);
    assert_int_equal(proof_check_consistency(0, roots[0], 0, roots[0], &none), RC_OK);
    assert_int_equal(proof_check_consistency(0, roots[1], 0, roots[1], &none), RC_DATA_LOSS);
    assert_int_equal(proof_check_consistency(0, roots[1], 5, roots[5], &none), RC_DATA_LOSS);
    assert_int_equal(proof_check_consistency(5, roots[5], 4, roots[4], &none), RC_DATA_LOSS);
    assert_int_equal(proof_check_consistency(3, roots[3], 5, roots[5], &none), RC_DATA_LOSS);
    none.count = PROOF_MAX + 1;
    assert_int_equal(proof_check_inclusion(leaves[0], 0, 1, &none, leaves[0]), RC_DATA_LOSS);
    assert_int_equal(proof_check_consistency(3, roots[3], 5, roots[5], &none), RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inclusion_is_built_as_the_standard_says_and_verifies),
        cmocka_unit_test(consistency_is_built_as_the_standard_says_and_verifies),
        cmocka_unit_test(a_changed_inclusion_proof_is_refused),
        cmocka_unit_test(a_changed_consistency_proof_is_refused),
        cmocka_unit_test(sizes_at_the_edges_are_refused_or_exact),
    };

    return cmocka_run_group_tests(tests, make_tree, NULL);
}
