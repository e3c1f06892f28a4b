/*
 * tree8 - for tests: the eight standard leaves, the roots of their trees, and a naive tree.
 *
 * The naive tree follows the recursive definition of RFC 9162 §2.1 to the letter, so that it shares
 * nothing with the code under test but the two hashes.
 */
#ifndef TESTS_TLOG_TREE8_H
#define TESTS_TLOG_TREE8_H

#include <string.h>

#include "tlog/merkle.h"
#include "tlog/proof.h"

#define UNUSED __attribute__((unused))

static const char *const tree8_roots[] UNUSED = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

UNUSED static void tree8_leaf(unsigned index, uint8_t out[DIGEST_SIZE])
{
    static const struct {
        size_t size;
        uint8_t data[16];
    } leaves[] = {
        {0, {0}},
        {1, {0x00}},
        {1, {0x10}},
        {2, {0x20, 0x21}},
        {2, {0x30, 0x31}},
        {4, {0x40, 0x41, 0x42, 0x43}},
        {8, {0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57}},
        {16,
         {0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e,
          0x6f}},
    };

    merkle_leaf(BYTES(leaves[index].data, leaves[index].size), out);
}

UNUSED static void assert_hash(const uint8_t hash[DIGEST_SIZE], const char *hex)
{
    char text[2 * DIGEST_SIZE + 1];

    hex_encode(hash, DIGEST_SIZE, text);
    assert_string_equal(text, hex);
}

/* MTH(D[from:to]) of RFC 9162 §2.1.1 over leaf hashes. */
UNUSED static void naive_root(const uint8_t (*leaves)[DIGEST_SIZE], size_t from, size_t to,
                              uint8_t out[DIGEST_SIZE])
{
    uint8_t left[DIGEST_SIZE];
    uint8_t right[DIGEST_SIZE];
    size_t split = 1;

    if (to == from) {
        digest_of(NULL, 0, out);
        return;
    }
    if (to - from == 1) {
        memcpy(out, leaves[from], DIGEST_SIZE);
        return;
    }
    while (split * 2 < to - from) {
        split *= 2;
    }
    naive_root(leaves, from, from + split, left);
    naive_root(leaves, from + split, to, right);
    merkle_node(left, right, out);
}

/* PATH(m, D[from:to]) of RFC 9162 §2.1.3.1. */
UNUSED static void naive_path(const uint8_t (*leaves)[DIGEST_SIZE], size_t index, size_t from,
                              size_t to, struct proof *proof)
{
    size_t split = 1;

    if (to - from <= 1) {
        return;
    }
    while (split * 2 < to - from) {
        split *= 2;
    }
    if (index < from + split) {
        naive_path(leaves, index, from, from + split, proof);
        naive_root(leaves, from + split, to, proof->hashes[proof->count++]);
    } else {
        naive_path(leaves, index, from + split, to, proof);
        naive_root(leaves, from, from + split, proof->hashes[proof->count++]);
    }
}

/* SUBPROOF(m, D[from:to], b) of RFC 9162 §2.1.4.1. */
UNUSED static void naive_subproof(const uint8_t (*leaves)[DIGEST_SIZE], size_t old, size_t from,
                                  size_t to, int is_whole, struct proof *proof)
{
    size_t split = 1;

    if (old == to) {
        if (!is_whole) {
            naive_root(leaves, from, to, proof->hashes[proof->count++]);
        }
        return;
    }
    while (split * 2 < to - from) {
        split *= 2;
    }
    if (old <= from + split) {
        naive_subproof(leaves, old, from, from + split, is_whole, proof);
        naive_root(leaves, from + split, to, proof->hashes[proof->count++]);
    } else {
        naive_subproof(leaves, old, from + split, to, 0, proof);
        naive_root(leaves, from, from + split, proof->hashes[proof->count++]);
    }
}

/* Leaf hashes that differ: SHA-256 of the index. */
UNUSED static void numbered_leaves(uint8_t (*leaves)[DIGEST_SIZE], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t raw[8];

        put_u64(raw, i);
        merkle_leaf(BYTES_OF(raw), leaves[i]);
    }
}

/* A node source over leaf hashes in memory, which refuses nodes that are not complete. */
struct naive_source {
    struct node_source source; /* first */
    const uint8_t (*leaves)[DIGEST_SIZE];
    uint64_t size;
};

UNUSED static enum rc naive_node(struct node_source *source, unsigned level, uint64_t index,
                                 uint8_t out[DIGEST_SIZE])
{
    struct naive_source *naive = (struct naive_source *)source;

    if (level >= 63 || (index + 1) << level > naive->size) {
        return RC_INTERNAL;
    }
    naive_root(naive->leaves, (size_t)(index << level), (size_t)((index + 1) << level), out);
    return RC_OK;
}

#endif
