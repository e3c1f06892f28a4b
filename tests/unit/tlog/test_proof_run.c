#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tlog/proof_run.h"
#include "unit/tlog/tree8.h"

#define COUNT 71

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

static struct proof proof_of(size_t index, size_t size)
{
    struct naive_source naive = {.source.node = naive_node, .leaves = LEAVES, .size = size};
    struct proof proof;

    assert_int_equal(proof_inclusion(&naive.source, index, size, &proof), RC_OK);
    return proof;
}

static enum rc check(struct proof_run *run, size_t index, const struct proof *proof)
{
    return proof_run_check(run, leaves[index], index, proof);
}

/* Whatever was shown before: neighbours, leaves far apart, the same one twice, the edge. */
static void proofs_in_any_order_verify(void **state)
{
    (void)state;
    for (size_t size = 1; size <= COUNT; size++) {
        for (size_t stride = 1; stride <= 7; stride++) {
            struct proof_run run;

            proof_run_begin(&run, size, roots[size]);
            for (size_t i = 0; i < 2 * size; i++) {
                size_t index = i * stride % size;
                struct proof proof = proof_of(index, size);

                assert_int_equal(check(&run, index, &proof), RC_OK);
            }
        }
    }
}

/* Also what stands above the node where it meets the path before: it will be in the receipt. */
static void a_changed_byte_is_refused_after_any_neighbour(void **state)
{
    const size_t size = COUNT;

    (void)state;
    for (size_t index = 0; index < size; index++) {
        size_t before = index > 0 ? index - 1 : size - 1;
        struct proof first = proof_of(before, size);
        struct proof proof = proof_of(index, size);

        for (size_t at = 0; at < proof.count; at++) {
            struct proof_run run;

            proof_run_begin(&run, size, roots[size]);
            assert_int_equal(check(&run, before, &first), RC_OK);
            proof.hashes[at][at % DIGEST_SIZE] ^= 1;
            assert_int_equal(check(&run, index, &proof), RC_DATA_LOSS);
            assert_int_equal(proof_check_inclusion(leaves[index], index, size, &proof, roots[size]),
                             RC_DATA_LOSS);
            proof.hashes[at][at % DIGEST_SIZE] ^= 1;
            assert_int_equal(check(&run, index, &proof), RC_OK); /* a refusal leaves no trace */
        }
    }
}

static void a_path_too_short_or_too_long_is_refused(void **state)
{
    const size_t size = COUNT;

    (void)state;
    for (size_t index = 0; index < size; index++) {
        struct proof_run run;
        struct proof proof = proof_of(index, size);

        proof_run_begin(&run, size, roots[size]);
        assert_int_equal(check(&run, index, &proof), RC_OK);
        proof.count--;
        assert_int_equal(check(&run, index, &proof), RC_DATA_LOSS);
        proof.count += 2;
        memset(proof.hashes[proof.count - 1], 0, DIGEST_SIZE);
        assert_int_equal(check(&run, index, &proof), RC_DATA_LOSS);
    }
}

static void another_leaf_or_place_is_refused(void **state)
{
    const size_t size = COUNT;
    struct proof_run run;

    (void)state;
    proof_run_begin(&run, size, roots[size]);
    for (size_t index = 0; index < size; index++) {
        struct proof proof = proof_of(index, size);

        assert_int_equal(check(&run, index, &proof), RC_OK);
        for (size_t other = 0; other < size; other++) {
            if (other != index) {
                assert_int_equal(proof_run_check(&run, leaves[other], index, &proof), RC_DATA_LOSS);
                assert_int_equal(proof_run_check(&run, leaves[index], other, &proof), RC_DATA_LOSS);
            }
        }
        assert_int_equal(proof_run_check(&run, leaves[index], size, &proof), RC_DATA_LOSS);
    }
}

static void what_one_checkpoint_showed_is_nothing_under_the_next(void **state)
{
    struct proof_run run;
    struct proof proof = proof_of(3, 8);

    (void)state;
    proof_run_begin(&run, 8, roots[8]);
    assert_int_equal(check(&run, 3, &proof), RC_OK);
    proof_run_begin(&run, 8, roots[9]);
    assert_int_equal(check(&run, 3, &proof), RC_DATA_LOSS);
    proof_run_begin(&run, 0, roots[0]);
    assert_int_equal(check(&run, 3, &proof), RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_in_any_order_verify),
        cmocka_unit_test(a_changed_byte_is_refused_after_any_neighbour),
        cmocka_unit_test(a_path_too_short_or_too_long_is_refused),
        cmocka_unit_test(another_leaf_or_place_is_refused),
        cmocka_unit_test(what_one_checkpoint_showed_is_nothing_under_the_next),
    };

    return cmocka_run_group_tests(tests, make_tree, NULL);
}
