/*
 * chain - a foreign log as one stream saw it grow, and our own as we show it to that peer.
 *
 * Exchanging is witnessing: each checkpoint must extend the last one of the chain, which begins
 * with what `seen` remembers. One owner at a time.
 */
#ifndef RELAY_CHAIN_H
#define RELAY_CHAIN_H

#include "model/directory.h"
#include "rpc/codec_service.h"
#include "tlog/checkpoint.h"
#include "tlog/proof_run.h"

struct auditlog_reader;
struct commit_point;
struct epoch;
struct epochs;
struct node;
struct txn;

struct chain {
    struct epochs *epochs;
    const struct node_entry *peer;
    const struct epoch *epoch; /* of the peer's log: over when another one speaks for it */
    struct checkpoint last;    /* size 0: nothing seen yet */
    struct proof_run run;      /* what was proven under it */
};

/* Appends the note of the chain's last checkpoint, if there is one. */
MUST_CHECK enum rc chain_load(struct chain *chain, const struct node *node,
                              const struct node_entry *peer, struct buffer *note);
/*
 * What a peer says that it saw of our own log must be in it. When it shows a checkpoint with our
 * signature that is not, this store is an older copy or another one, and the process ends before it
 * signs a second history. RC_DATA_LOSS: it names a larger size without showing the checkpoint.
 * *seen_size is how far it saw this epoch's log: 0 when it shows the one before.
 */
MUST_CHECK enum rc chain_check_own(const struct node *node, const struct node_entry *peer,
                                   const struct peer_hello *hello, uint64_t *seen_size);
/*
 * "log.succeeded" when another epoch speaks for the peer meanwhile. Signature by the peer's log
 * key, its origin, and consistency from the chain's last size; the chain then stands at the new
 * one. Refusals are RC_DATA_LOSS with "log.signature", "log.origin", "log.not_consistent".
 */
MUST_CHECK enum rc chain_extend(struct chain *chain, const struct progress *progress,
                                struct fault *fault);
/* Our checkpoint at `point`, and the proof from the size that the peer has seen. */
MUST_CHECK enum rc chain_progress(struct txn *txn, struct auditlog_reader *reader,
                                  const struct commit_point *point, uint64_t old_size,
                                  struct arena *arena, struct progress *progress);

/*
 * A leaf of the chain's log, under its last checkpoint, that commits to this message.
 * RC_DATA_LOSS with "leaf.malformed", "leaf.other_message", "leaf.not_included".
 */
MUST_CHECK enum rc chain_check_leaf(struct chain *chain, struct bytes leaf, const struct path *path,
                                    const uint8_t commitment[HASH_SIZE], struct proof *proof,
                                    struct fault *fault);

/* RC_INVALID_ARGUMENT: too many hashes, or not of 32 bytes. */
MUST_CHECK enum rc chain_proof(const struct path *path, struct proof *proof);
MUST_CHECK enum rc chain_path(const struct proof *proof, struct arena *arena, struct path *path);

#endif
