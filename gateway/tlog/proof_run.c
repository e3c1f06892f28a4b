#include "tlog/proof_run.h"

#include <string.h>

#include "tlog/merkle.h"

/* Where a path stands: a node, and the last node of its level. */
struct climb {
    unsigned level;
    uint64_t at;
    uint64_t last;
    uint8_t hash[DIGEST_SIZE];
};

void proof_run_begin(struct proof_run *run, uint64_t size, const uint8_t root[DIGEST_SIZE])
{
    run->size = size;
    memcpy(run->root, root, DIGEST_SIZE);
    run->count = 0;
}

static void go_up(struct climb *climb)
{
    climb->level++;
    climb->at >>= 1;
    climb->last >>= 1;
}

/* RFC 9162 §2.1.3.2, one element of the path. */
static void climb_step(struct climb *climb, const uint8_t sibling[DIGEST_SIZE])
{
    if ((climb->at & 1) == 0 && climb->at != climb->last) {
        merkle_node(climb->hash, sibling, climb->hash);
    } else {
        merkle_node(sibling, climb->hash, climb->hash);
        while ((climb->at & 1) == 0 && climb->at != 0) {
            go_up(climb);
        }
    }
    go_up(climb);
}

/* The step of the last path that begins at this very node; run->count: none. */
static size_t same_step(const struct proof_run *run, const struct climb *climb)
{
    for (size_t i = 0; i < run->count && run->levels[i] <= climb->level; i++) {
        if (run->levels[i] == climb->level && run->places[i] == climb->at) {
            return i;
        }
    }
    return run->count;
}

/* From this step on both paths are the same bytes, and lead from the same node. */
static bool is_rest_known(const struct proof_run *run, size_t step, const struct climb *climb,
                          const struct proof *proof, size_t from)
{
    size_t left = run->count - step;

    return left == proof->count - from && digest_equal(run->nodes[step], climb->hash) &&
           memcmp(run->hashes[step], proof->hashes[from], left * DIGEST_SIZE) == 0;
}

/* Steps that were taken, and behind them those of the last path from `known` on. */
static void remember(struct proof_run *run, const struct proof_run *taken, size_t known)
{
    size_t left = run->count - known;

    memmove(run->levels + taken->count, run->levels + known, left);
    memmove(run->places + taken->count, run->places + known, left * sizeof run->places[0]);
    memmove(run->nodes + taken->count, run->nodes + known, left * DIGEST_SIZE);
    memmove(run->hashes + taken->count, run->hashes + known, left * DIGEST_SIZE);
    memcpy(run->levels, taken->levels, taken->count);
    memcpy(run->places, taken->places, taken->count * sizeof run->places[0]);
    memcpy(run->nodes, taken->nodes, taken->count * DIGEST_SIZE);
    memcpy(run->hashes, taken->hashes, taken->count * DIGEST_SIZE);
    run->count = taken->count + left;
}

static void take_note(struct proof_run *taken, const struct climb *climb,
                      const uint8_t sibling[DIGEST_SIZE])
{
    size_t i = taken->count++;

    taken->levels[i] = (uint8_t)climb->level;
    taken->places[i] = climb->at;
    memcpy(taken->nodes[i], climb->hash, DIGEST_SIZE);
    memcpy(taken->hashes[i], sibling, DIGEST_SIZE);
}

enum rc proof_run_check(struct proof_run *run, const uint8_t leaf_hash[DIGEST_SIZE], uint64_t index,
                        const struct proof *proof)
{
    struct climb climb = {.at = index, .last = run->size - 1};
    struct proof_run taken;
    size_t known = 0;

    taken.count = 0;
    if (index >= run->size || run->size > UINT64_MAX >> 1 || proof->count > PROOF_MAX) {
        return RC_DATA_LOSS;
    }
    memcpy(climb.hash, leaf_hash, DIGEST_SIZE);
    for (size_t i = 0; i < proof->count; i++) {
        if (climb.last == 0) {
            return RC_DATA_LOSS; /* longer than the tree is high */
        }
        known = same_step(run, &climb);
        if (known < run->count && is_rest_known(run, known, &climb, proof, i)) {
            remember(run, &taken, known);
            return RC_OK;
        }
        take_note(&taken, &climb, proof->hashes[i]);
        climb_step(&climb, proof->hashes[i]);
    }
    if (climb.last != 0 || !digest_equal(climb.hash, run->root)) {
        return RC_DATA_LOSS;
    }
    remember(run, &taken, run->count);
    return RC_OK;
}
