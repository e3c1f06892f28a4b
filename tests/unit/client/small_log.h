/*
 * small_log - for tests of client: a log of four entries whose third holds a given message.
 */
#ifndef TESTS_CLIENT_SMALL_LOG_H
#define TESTS_CLIENT_SMALL_LOG_H

#include <string.h>

#include "client/receipt_check.h"
#include "crypto/keyring.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/tlog_proof.h"
#include "tlog/view.h"

#define SMALL_LOG_ORIGIN "gw.cdmx/audit/2026"
#define SMALL_LOG_INDEX 2

struct small_log {
    struct vkey vkey;
    uint8_t leaf[LEAF_SIZE];
    struct buffer proof;
};

static inline void small_log_release(struct small_log *log)
{
    buffer_release(&log->proof);
}

/* index_in_leaf differs from SMALL_LOG_INDEX only in tests that want it wrong. */
static inline void small_log_make_at(struct small_log *log, const uint8_t commitment[HASH_SIZE],
                                     uint64_t index_in_leaf)
{
    uint8_t seed[ED25519_SEED_SIZE] = {7};
    OWN_PTR(keyring) keyring = keyring_from_seed(seed);
    OWN_PTR(view) view = view_new(8);
    OWN(buffer) note = {0};
    struct checkpoint head = {.origin = SMALL_LOG_ORIGIN, .size = 4};
    struct leaf leaf = {
        .class = LEAF_RECORD, .time_s = 1795467167, .index = index_in_leaf, .nonce = {9}};
    struct proof path;

    memset(log, 0, sizeof *log);
    assert_int_equal(vkey_of(SMALL_LOG_ORIGIN, VKEY_ED25519, keyring, &log->vkey), RC_OK);
    commit_leaf(SMALL_LOG_ORIGIN, leaf.nonce, commitment, leaf.message);
    leaf_encode(&leaf, log->leaf);
    view_begin(view, &(struct frontier){0});
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t hash[DIGEST_SIZE];

        merkle_leaf(i == SMALL_LOG_INDEX ? BYTES_OF(log->leaf) : BYTES(&i, 1), hash);
        assert_int_equal(view_append(view, hash), RC_OK);
    }
    view_end(view);
    memcpy(head.root, view_root(view), DIGEST_SIZE);
    assert_int_equal(checkpoint_sign(&head, keyring, &note), RC_OK);
    assert_int_equal(view_proof(view, SMALL_LOG_INDEX, &path), RC_OK);
    tlog_proof_write(SMALL_LOG_INDEX, &path, (struct bytes){0}, buffer_bytes(&note), &log->proof);
}

static inline void small_log_make(struct small_log *log, const uint8_t commitment[HASH_SIZE])
{
    small_log_make_at(log, commitment, SMALL_LOG_INDEX);
}

static inline struct receipt small_log_receipt(const struct small_log *log)
{
    return (struct receipt){.level = RECEIPT_HELD,
                            .leaf = BYTES_OF(log->leaf),
                            .tlog_proof = buffer_bytes(&log->proof)};
}

#endif
