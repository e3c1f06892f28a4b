/*
 * proof_run - inclusion proofs of many leaves under one checkpoint: what one proof has shown, the
 * next one need not compute again.
 *
 * Paths of neighbours meet a few levels above the leaves. From there on the next path must be, byte
 * for byte, the one that was verified before; only what lies below is hashed. Accepts exactly what
 * proof_check_inclusion accepts, collisions of SHA-256 apart. Pure; one owner at a time.
 */
#ifndef TLOG_PROOF_RUN_H
#define TLOG_PROOF_RUN_H

#include "tlog/proof.h"

struct proof_run {
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
    /* The last path that was verified, step by step; step i takes hashes[i]. */
    size_t count;
    uint8_t levels[PROOF_MAX];
    uint64_t places[PROOF_MAX];            /* of the node on the leaf's side, at its level */
    uint8_t nodes[PROOF_MAX][DIGEST_SIZE]; /* that node */
    uint8_t hashes[PROOF_MAX][DIGEST_SIZE];
};

void proof_run_begin(struct proof_run *run, uint64_t size, const uint8_t root[DIGEST_SIZE]);
/* RC_DATA_LOSS like proof_check_inclusion. */
MUST_CHECK enum rc proof_run_check(struct proof_run *run, const uint8_t leaf_hash[DIGEST_SIZE],
                                   uint64_t index, const struct proof *proof);

#endif
