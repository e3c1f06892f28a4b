#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tlog/merkle.h"
#include "unit/tlog/tree8.h"

static void the_standard_leaves_have_their_hashes(void **state)
{
    uint8_t hash[DIGEST_SIZE];

    (void)state;
    merkle_leaf(BYTES("L123456", 7), hash);
    assert_hash(hash, "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
    tree8_leaf(0, hash);
    assert_hash(hash, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    tree8_leaf(7, hash);
    assert_hash(hash, "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1");
}

static void a_node_is_no_leaf(void **state)
{
    uint8_t left[DIGEST_SIZE] = {1};
    uint8_t right[DIGEST_SIZE] = {2};
    uint8_t pair[2 * DIGEST_SIZE] = {1};
    uint8_t node[DIGEST_SIZE];
    uint8_t leaf[DIGEST_SIZE];

    (void)state;
    pair[DIGEST_SIZE] = 2;
    merkle_node(left, right, node);
    merkle_leaf(BYTES_OF(pair), leaf);
    assert_memory_not_equal(node, leaf, DIGEST_SIZE);
    merkle_node(left, right, left);
    assert_memory_equal(left, node, DIGEST_SIZE);
}

static void small_trees_have_the_standard_roots(void **state)
{
    uint8_t leaves[8][DIGEST_SIZE];
    uint8_t root[DIGEST_SIZE];

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        tree8_leaf(i, leaves[i]);
    }
    for (size_t size = 0; size <= 8; size++) {
        merkle_root((const uint8_t(*)[DIGEST_SIZE])leaves, size, root);
        assert_hash(root, tree8_roots[size]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standard_leaves_have_their_hashes),
        cmocka_unit_test(a_node_is_no_leaf),
        cmocka_unit_test(small_trees_have_the_standard_roots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
