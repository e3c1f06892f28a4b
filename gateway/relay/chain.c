#include "relay/chain.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/epochs.h"
#include "relay/node.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/seen.h"
#include "store/writer.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/succession.h"

enum rc chain_load(struct chain *chain, const struct node *node, const struct node_entry *peer,
                   struct buffer *note)
{
    enum rc rc;

    memset(chain, 0, sizeof *chain);
    chain->epochs = node->epochs;
    chain->peer = peer;
    chain->epoch = epochs_of(node->epochs, peer);
    if (chain->epoch == NULL) {
        return RC_UNAVAILABLE;
    }
    rc = seen_get(node->seen, chain->epoch->origin, &chain->last, note);
    if (rc == RC_NOT_FOUND) {
        snprintf(chain->last.origin, sizeof chain->last.origin, "%s", chain->epoch->origin);
        merkle_empty(chain->last.root);
        return RC_OK;
    }
    return rc;
}

static uint64_t own_size(const struct node *node)
{
    struct commit_point *point = writer_latest(node->writer);
    uint64_t size = commit_point_size(point);

    commit_point_release(point);
    return size;
}

/* A checkpoint of the epoch before ours: the peer has not heard yet, or may know more of it. */
static bool is_of_epoch_before(const struct node *node, const struct node_entry *peer,
                               struct bytes note)
{
    const struct succession *succession = node->succession;
    struct checkpoint shown;

    if (succession == NULL || checkpoint_open(note, &succession->old_key, NULL, &shown) != RC_OK) {
        return false;
    }
    if (shown.size > succession->last.size) {
        log_error("succession.behind", "peer=%s origin=%s named=%llu seen=%llu", peer->code,
                  shown.origin, (unsigned long long)succession->last.size,
                  (unsigned long long)shown.size);
    }
    return true;
}

enum rc chain_check_own(const struct node *node, const struct node_entry *peer,
                        const struct peer_hello *hello, uint64_t *seen_size)
{
    struct checkpoint shown;
    uint64_t size = own_size(node);

    *seen_size = 0;
    if (is_of_epoch_before(node, peer, hello->seen_checkpoint)) {
        return RC_OK;
    }
    *seen_size = hello->seen_size;
    if (hello->seen_checkpoint.size > 0) {
        if (checkpoint_open(hello->seen_checkpoint, &node->log_vkey, NULL, &shown) != RC_OK ||
            shown.size != hello->seen_size) {
            log_error("peer.hello", "peer=%s check=checkpoint_not_ours", peer->code);
            return RC_INVALID_ARGUMENT;
        }
        return anchor_hold_to(node->db, size, &shown, peer->code);
    }
    if (hello->seen_size > size) {
        log_error("log.older_than_witnessed", "peer=%s seen=%llu ours=%llu", peer->code,
                  (unsigned long long)hello->seen_size, (unsigned long long)size);
        return RC_DATA_LOSS;
    }
    return RC_OK;
}

enum rc chain_proof(const struct path *path, struct proof *proof)
{
    if (path->count > PROOF_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    proof->count = path->count;
    for (size_t i = 0; i < path->count; i++) {
        if (path->hashes[i].size != DIGEST_SIZE) {
            return RC_INVALID_ARGUMENT;
        }
        memcpy(proof->hashes[i], path->hashes[i].data, DIGEST_SIZE);
    }
    return RC_OK;
}

static enum rc refuse_chain(const struct chain *chain, struct fault *fault, const char *reason)
{
    log_error("peer.log", "origin=%s check=%s last=%llu", chain->last.origin, reason,
              (unsigned long long)chain->last.size);
    return refuse(fault, RC_DATA_LOSS, reason, "progress",
                  "La bitácora del otro nodo no concuerda con la última que vimos; avise a las dos "
                  "áreas responsables antes de seguir.");
}

enum rc chain_extend(struct chain *chain, const struct progress *progress, struct fault *fault)
{
    struct checkpoint next;
    struct proof proof;
    enum rc rc;

    if (chain->epoch != epochs_of(chain->epochs, chain->peer)) {
        return refuse_chain(chain, fault, "log.succeeded");
    }
    rc = checkpoint_open(progress->checkpoint, &chain->epoch->key, NULL, &next);
    if (rc != RC_OK) {
        return refuse_chain(chain, fault, rc == RC_NOT_FOUND ? "log.origin" : "log.signature");
    }
    if (progress->old_size != chain->last.size ||
        chain_proof(&progress->consistency, &proof) != RC_OK ||
        proof_check_consistency(chain->last.size, chain->last.root, next.size, next.root, &proof) !=
            RC_OK) {
        return refuse_chain(chain, fault, "log.not_consistent");
    }
    chain->last = next;
    proof_run_begin(&chain->run, next.size, next.root);
    return RC_OK;
}

enum rc chain_path(const struct proof *proof, struct arena *arena, struct path *path)
{
    uint8_t *copy = arena_alloc(arena, proof->count * DIGEST_SIZE + 1);

    if (copy == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    path->count = proof->count;
    for (size_t i = 0; i < proof->count; i++) {
        memcpy(copy + i * DIGEST_SIZE, proof->hashes[i], DIGEST_SIZE);
        path->hashes[i] = BYTES(copy + i * DIGEST_SIZE, DIGEST_SIZE);
    }
    return RC_OK;
}

enum rc chain_progress(struct txn *txn, struct auditlog_reader *reader,
                       const struct commit_point *point, uint64_t old_size, struct arena *arena,
                       struct progress *progress)
{
    struct proof proof;

    TRY(auditlog_consistency(reader, txn, old_size, commit_point_size(point), &proof));
    TRY(chain_path(&proof, arena, &progress->consistency));
    progress->old_size = old_size;
    progress->checkpoint = arena_copy(arena, commit_point_note(point));
    return progress->checkpoint.data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc refuse_leaf(struct fault *fault, const char *reason)
{
    return refuse(fault, RC_DATA_LOSS, reason, "entries.leaf",
                  "El comprobante no corresponde al mensaje recibido; no se usó. Pida que lo "
                  "reenvíen y avise al área responsable.");
}

enum rc chain_check_leaf(struct chain *chain, struct bytes leaf_bytes, const struct path *path,
                         const uint8_t commitment[HASH_SIZE], struct proof *proof,
                         struct fault *fault)
{
    uint8_t expected[DIGEST_SIZE];
    uint8_t hash[DIGEST_SIZE];
    struct leaf leaf;

    if (leaf_decode(leaf_bytes, &leaf) != RC_OK || chain_proof(path, proof) != RC_OK) {
        return refuse_leaf(fault, "leaf.malformed");
    }
    commit_leaf(chain->last.origin, leaf.nonce, commitment, expected);
    if (!digest_equal(expected, leaf.message)) {
        return refuse_leaf(fault, "leaf.other_message");
    }
    merkle_leaf(leaf_bytes, hash);
    if (proof_run_check(&chain->run, hash, leaf.index, proof) != RC_OK) {
        return refuse_leaf(fault, "leaf.not_included");
    }
    return RC_OK;
}
