#include "tlog/proof.h"

#include <string.h>

#include "tlog/merkle.h"

/* Sizes above this are refused, so that no shift or sum below can overflow. */
#define SIZE_MAX_LEAVES (UINT64_MAX >> 1)

/*
 * The root of the leaves from (size >> level) << level up to size: the incomplete node at the edge
 * of a level. Each call of tail_step goes one level up.
 */
struct tail {
    uint8_t hash[DIGEST_SIZE];
    bool is_empty;
};

static enum rc tail_step(struct node_source *source, unsigned level, uint64_t size,
                         struct tail *tail)
{
    uint8_t left[DIGEST_SIZE];

    if ((size >> level & 1) == 0) {
        return RC_OK;
    }
    TRY(source->node(source, level, (size >> level) - 1, left));
    if (tail->is_empty) {
        memcpy(tail->hash, left, DIGEST_SIZE);
        tail->is_empty = false;
    } else {
        merkle_node(left, tail->hash, tail->hash);
    }
    return RC_OK;
}

static uint8_t *next_hash(struct proof *proof)
{
    return proof->hashes[proof->count++];
}

/* Appends the siblings of node (level, index), which is complete, up to the root. */
static enum rc path_from(struct node_source *source, unsigned from, uint64_t index, uint64_t size,
                         struct proof *proof)
{
    struct tail tail = {.is_empty = true};

    for (unsigned level = 0; level < 64 && (size - 1) >> level != 0; level++) {
        if (level >= from) {
            uint64_t at = index >> (level - from);
            uint64_t complete = size >> level;

            if ((at & 1) != 0) {
                TRY(source->node(source, level, at - 1, next_hash(proof)));
            } else if (at + 1 < complete) {
                TRY(source->node(source, level, at + 1, next_hash(proof)));
            } else if (at + 1 == complete && !tail.is_empty) {
                memcpy(next_hash(proof), tail.hash, DIGEST_SIZE);
            }
        }
        TRY(tail_step(source, level, size, &tail));
    }
    return RC_OK;
}

enum rc proof_inclusion(struct node_source *source, uint64_t index, uint64_t size,
                        struct proof *proof)
{
    if (index >= size || size > SIZE_MAX_LEAVES) {
        return RC_OUT_OF_RANGE;
    }
    proof->count = 0;
    return path_from(source, 0, index, size, proof);
}

enum rc proof_consistency(struct node_source *source, uint64_t old_size, uint64_t new_size,
                          struct proof *proof)
{
    unsigned level;
    uint64_t index;

    if (old_size > new_size || new_size > SIZE_MAX_LEAVES) {
        return RC_OUT_OF_RANGE;
    }
    proof->count = 0;
    if (old_size == 0 || old_size == new_size) {
        return RC_OK;
    }
    /* The smallest complete node at the old edge; where it is the whole old tree, its root is
     * known. */
    level = (unsigned)__builtin_ctzll(old_size);
    index = (old_size >> level) - 1;
    if (index != 0) {
        TRY(source->node(source, level, index, next_hash(proof)));
    }
    return path_from(source, level, index, new_size, proof);
}

/* RFC 9162 §2.1.3.2. */
enum rc proof_check_inclusion(const uint8_t leaf_hash[DIGEST_SIZE], uint64_t index, uint64_t size,
                              const struct proof *proof, const uint8_t root[DIGEST_SIZE])
{
    uint64_t fn = index;
    uint64_t sn = size - 1;
    uint8_t hash[DIGEST_SIZE];

    if (index >= size || size > SIZE_MAX_LEAVES || proof->count > PROOF_MAX) {
        return RC_DATA_LOSS;
    }
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0) {
            return RC_DATA_LOSS; /* longer than the tree is high */
        }
        if ((fn & 1) != 0 || fn == sn) {
            merkle_node(proof->hashes[i], hash, hash);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(hash, proof->hashes[i], hash);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && digest_equal(hash, root) ? RC_OK : RC_DATA_LOSS;
}

/* RFC 9162 §2.1.4.2, from step 2 on: fr grows into the old root, sr into the new one. */
static enum rc check_growth(uint64_t old_size, const uint8_t old_root[DIGEST_SIZE],
                            uint64_t new_size, const uint8_t new_root[DIGEST_SIZE],
                            const struct proof *proof)
{
    bool is_power = (old_size & (old_size - 1)) == 0;
    const uint8_t *first = is_power ? old_root : proof->hashes[0];
    uint64_t fn = old_size - 1;
    uint64_t sn = new_size - 1;
    uint8_t fr[DIGEST_SIZE];
    uint8_t sr[DIGEST_SIZE];

    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    memcpy(fr, first, DIGEST_SIZE);
    memcpy(sr, first, DIGEST_SIZE);
    for (size_t i = is_power ? 0 : 1; i < proof->count; i++) {
        const uint8_t *next = proof->hashes[i];

        if (sn == 0) {
            return RC_DATA_LOSS;
        }
        if ((fn & 1) != 0 || fn == sn) {
            merkle_node(next, fr, fr);
            merkle_node(next, sr, sr);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            merkle_node(sr, next, sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && digest_equal(fr, old_root) && digest_equal(sr, new_root) ? RC_OK
                                                                               : RC_DATA_LOSS;
}

enum rc proof_check_consistency(uint64_t old_size, const uint8_t old_root[DIGEST_SIZE],
                                uint64_t new_size, const uint8_t new_root[DIGEST_SIZE],
                                const struct proof *proof)
{
    uint8_t empty[DIGEST_SIZE];

    if (old_size > new_size || new_size > SIZE_MAX_LEAVES || proof->count > PROOF_MAX) {
        return RC_DATA_LOSS;
    }
    merkle_empty(empty);
    if (new_size == 0 && !digest_equal(new_root, empty)) {
        return RC_DATA_LOSS;
    }
    if (old_size == new_size) {
        return proof->count == 0 && digest_equal(old_root, new_root) ? RC_OK : RC_DATA_LOSS;
    }
    if (old_size == 0) {
        return proof->count == 0 && digest_equal(old_root, empty) ? RC_OK : RC_DATA_LOSS;
    }
    if (proof->count == 0) {
        return RC_DATA_LOSS;
    }
    return check_growth(old_size, old_root, new_size, new_root, proof);
}
