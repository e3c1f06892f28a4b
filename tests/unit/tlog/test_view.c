#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tlog/view.h"
#include "unit/tlog/tree8.h"

#define COUNT 100
#define OLD_MAX 66

static uint8_t leaves[COUNT + 600][DIGEST_SIZE];

#define LEAVES ((const uint8_t(*)[DIGEST_SIZE])leaves)

static int make_leaves(void **state)
{
    (void)state;
    numbered_leaves(leaves, sizeof leaves / sizeof leaves[0]);
    return 0;
}

static void grow(struct frontier *frontier, size_t size)
{
    while (frontier->size < size) {
        frontier_append(frontier, leaves[frontier->size]);
    }
}

static void fill(struct view *view, const struct frontier *old, size_t count)
{
    view_begin(view, old);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(view_append(view, leaves[old->size + i]), RC_OK);
    }
    view_end(view);
}

static void check_proofs(const struct view *view)
{
    uint64_t size = view_size(view);
    struct naive_source naive = {.source.node = naive_node, .leaves = LEAVES, .size = size};
    struct proof proof;
    struct proof expected;

    for (uint64_t index = view_old_size(view); index < size; index++) {
        assert_int_equal(view_proof(view, index, &proof), RC_OK);
        assert_int_equal(proof_inclusion(&naive.source, index, size, &expected), RC_OK);
        assert_int_equal(proof.count, expected.count);
        assert_memory_equal(proof.hashes, expected.hashes, proof.count * DIGEST_SIZE);
    }
    assert_int_equal(view_proof(view, size, &proof), RC_OUT_OF_RANGE);
    if (view_old_size(view) > 0) {
        assert_int_equal(view_proof(view, view_old_size(view) - 1, &proof), RC_OUT_OF_RANGE);
    }
}

static void its_proofs_are_those_of_the_tree(void **state)
{
    OWN_PTR(view) view = view_new(COUNT);
    struct frontier old = {0};

    (void)state;
    for (size_t size = 0; size <= OLD_MAX; size++) {
        grow(&old, size);
        for (size_t count = 0; count <= COUNT - OLD_MAX; count++) {
            uint8_t root[DIGEST_SIZE];

            fill(view, &old, count);
            naive_root(LEAVES, 0, size + count, root);
            assert_memory_equal(view_root(view), root, DIGEST_SIZE);
            assert_int_equal(view_size(view), size + count);
            frontier_root(view_frontier(view), root);
            assert_memory_equal(view_root(view), root, DIGEST_SIZE);
            check_proofs(view);
        }
    }
}

/* Nodes as a store would keep them: each is given once, in order, and is the tree's. */
static void check_nodes(const struct view *view, uint64_t given[FRONTIER_LEVELS])
{
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        size_t count;
        const uint8_t *nodes = view_nodes(view, level, &count);

        assert_int_equal(given[level], view_old_size(view) >> level);
        for (size_t i = 0; i < count; i++) {
            uint8_t hash[DIGEST_SIZE];
            size_t from = (size_t)(given[level] + i) << level;

            naive_root(LEAVES, from, from + ((size_t)1 << level), hash);
            assert_memory_equal(nodes + i * DIGEST_SIZE, hash, DIGEST_SIZE);
        }
        given[level] += count;
        assert_int_equal(given[level], view_size(view) >> level);
    }
}

static void it_gives_each_complete_node_once(void **state)
{
    static const size_t batches[] = {0, 1, 1, 14, 1, 15, 16, 17, 3, 188, 1, 255, 40};
    OWN_PTR(view) view = view_new(255);
    struct frontier frontier = {0};
    uint64_t given[FRONTIER_LEVELS] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        fill(view, &frontier, batches[i]);
        check_nodes(view, given);
        frontier = *view_frontier(view);
    }
}

static void it_takes_no_more_than_its_batch(void **state)
{
    OWN_PTR(view) view = view_new(3);
    struct frontier old = {0};
    uint8_t root[DIGEST_SIZE];

    (void)state;
    grow(&old, 5);
    view_begin(view, &old);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(view_append(view, leaves[5 + i]), RC_OK);
    }
    assert_int_equal(view_append(view, leaves[8]), RC_RESOURCE_EXHAUSTED);
    view_end(view);
    naive_root(LEAVES, 0, 8, root);
    assert_memory_equal(view_root(view), root, DIGEST_SIZE);
    check_proofs(view);
}

static void a_view_of_a_very_large_tree_verifies(void **state)
{
    OWN_PTR(view) view = view_new(40);
    struct frontier *old = &(struct frontier){.size = (UINT64_C(1) << 40) - 7};

    (void)state;
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        memset(old->edge[level], (int)level, DIGEST_SIZE);
    }
    fill(view, &(struct frontier){0}, 40);
    view_begin(view, old);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(view_append(view, leaves[i]), RC_OK);
    }
    view_end(view);
    for (size_t i = 0; i < 40; i++) {
        struct proof proof;

        assert_int_equal(view_proof(view, old->size + i, &proof), RC_OK);
        assert_int_equal(proof_check_inclusion(leaves[i], old->size + i, view_size(view), &proof,
                                               view_root(view)),
                         RC_OK);
        proof.hashes[proof.count - 1][31] ^= 1;
        assert_int_equal(proof_check_inclusion(leaves[i], old->size + i, view_size(view), &proof,
                                               view_root(view)),
                         RC_DATA_LOSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_proofs_are_those_of_the_tree),
        cmocka_unit_test(it_gives_each_complete_node_once),
        cmocka_unit_test(it_takes_no_more_than_its_batch),
        cmocka_unit_test(a_view_of_a_very_large_tree_verifies),
    };

    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
