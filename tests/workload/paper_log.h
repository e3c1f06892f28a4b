/*
 * paper_log - for tests: a log of some leaves in memory, each with a record, that can show any page
 * and any receipt as a node would, signed by a key of its own.
 */
#ifndef WORKLOAD_PAPER_LOG_H
#define WORKLOAD_PAPER_LOG_H

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "crypto/keyring.h"
#include "model/receipt.h"
#include "rpc/codec_service.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/frontier.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"
#include "tlog/tlog_proof.h"
#include "tlog/vkey.h"

#define PAPER_LEAVES 8
#define PAPER_TIME_S 1795000000u

struct paper_log {
    struct node_source source; /* first */
    struct keyring *key;
    struct vkey vkey;
    uint8_t leaves[PAPER_LEAVES][LEAF_SIZE];
    uint8_t hashes[PAPER_LEAVES][DIGEST_SIZE];
    uint8_t blinds[PAPER_LEAVES][COMMIT_BLIND_SIZE];
    uint8_t commitments[PAPER_LEAVES][DIGEST_SIZE]; /* M */
    struct buffer records[PAPER_LEAVES];
};

static inline void paper_log_release(struct paper_log *log)
{
    keyring_free(log->key);
    for (size_t i = 0; i < PAPER_LEAVES; i++) {
        buffer_release(&log->records[i]);
    }
}

static inline enum rc paper_node(struct node_source *source, unsigned level, uint64_t index,
                                 uint8_t out[DIGEST_SIZE])
{
    const struct paper_log *log = (const struct paper_log *)source;

    merkle_root(&log->hashes[index << level], (size_t)1 << level, out);
    return RC_OK;
}

static inline void paper_put(struct paper_log *log, unsigned i, uint8_t salt, uint64_t time_s)
{
    struct leaf leaf = {
        .class = LEAF_RECORD, .time_s = time_s, .index = i, .nonce = {(uint8_t)i, salt}};
    struct record record;

    memset(log->commitments[i], (int)(i + 1), DIGEST_SIZE);
    memset(log->blinds[i], salt, COMMIT_BLIND_SIZE);
    record_init(&record, RECORD_RECEIVED);
    record.type = MESSAGE_STATUS_REPORT;
    record.from = "cdmx/ssc";
    record.to = "cdmx/mpi-cdmx";
    record.occurrence = i + 1;
    record.message_commitment = BYTES_OF(log->commitments[i]);
    buffer_clear(&log->records[i]);
    codec_record_write(&record, &log->records[i]);
    commit_record(log->blinds[i], buffer_bytes(&log->records[i]), leaf.record);
    commit_leaf(log->vkey.name, leaf.nonce, log->commitments[i], leaf.message);
    leaf_encode(&leaf, log->leaves[i]);
    merkle_leaf(BYTES_OF(log->leaves[i]), log->hashes[i]);
}

/* The same origin has the same key; another salt makes another history. */
static inline void paper_log_make(struct paper_log *log, const char *origin, uint8_t salt)
{
    uint8_t seed[ED25519_SEED_SIZE] = {0};

    memset(log, 0, sizeof *log);
    snprintf((char *)seed, sizeof seed, "%s", origin);
    log->source.node = paper_node;
    log->key = keyring_from_seed(seed);
    assert_non_null(log->key);
    assert_int_equal(vkey_of(origin, VKEY_ED25519, log->key, &log->vkey), RC_OK);
    for (unsigned i = 0; i < PAPER_LEAVES; i++) {
        paper_put(log, i, salt, PAPER_TIME_S + i);
    }
}

/* The checkpoint of the first `size` leaves. */
static inline void paper_note(struct paper_log *log, uint64_t size, struct buffer *note)
{
    struct checkpoint head = {.size = size};
    struct frontier frontier = {0};

    for (uint64_t i = 0; i < size; i++) {
        frontier_append(&frontier, log->hashes[i]);
    }
    snprintf(head.origin, sizeof head.origin, "%s", log->vkey.name);
    frontier_root(&frontier, head.root);
    assert_int_equal(checkpoint_sign(&head, log->key, note), RC_OK);
}

/* Memory of one page. */
struct paper_page {
    struct audit_page page;
    struct audit_entry entries[PAPER_LEAVES];
    struct proof proofs[PAPER_LEAVES];
    struct buffer note;
};

static inline void paper_page_release(struct paper_page *page)
{
    buffer_release(&page->note);
}

static inline void paper_show(struct paper_log *log, unsigned from, unsigned count, uint64_t size,
                              struct paper_page *page)
{
    memset(page, 0, sizeof *page);
    paper_note(log, size, &page->note);
    page->page.checkpoint = buffer_bytes(&page->note);
    page->page.entries = page->entries;
    page->page.entry_count = count;
    for (unsigned i = 0; i < count; i++) {
        struct audit_entry *entry = &page->entries[i];

        assert_int_equal(proof_inclusion(&log->source, from + i, size, &page->proofs[i]), RC_OK);
        entry->leaf = BYTES_OF(log->leaves[from + i]);
        entry->record = buffer_bytes(&log->records[from + i]);
        entry->record_blind = BYTES_OF(log->blinds[from + i]);
        entry->path.count = page->proofs[i].count;
        for (size_t k = 0; k < entry->path.count; k++) {
            entry->path.hashes[k] = BYTES_OF(page->proofs[i].hashes[k]);
        }
    }
}

/* A receipt of leaf i; the proof is appended to `proof`, which the receipt borrows. */
static inline struct receipt paper_receipt(struct paper_log *log, unsigned i,
                                           enum receipt_level level, struct buffer *proof)
{
    OWN(buffer) note = {0};
    struct proof path;

    paper_note(log, PAPER_LEAVES, &note);
    assert_int_equal(proof_inclusion(&log->source, i, PAPER_LEAVES, &path), RC_OK);
    tlog_proof_write(i, &path, (struct bytes){0}, buffer_bytes(&note), proof);
    return (struct receipt){level, BYTES_OF(log->leaves[i]), buffer_bytes(proof)};
}

#endif
