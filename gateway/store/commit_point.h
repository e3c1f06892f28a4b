/*
 * commit_point - what one commit of the log proves: its signed checkpoint, its leaves' proofs.
 *
 * Made by the writer once the commit is durable; immutable, shared by all that it answered, and
 * held by a count: who gets one releases it, any thread. Several are alive at one time. All must be
 * released before the writer is freed.
 */
#ifndef STORE_COMMIT_POINT_H
#define STORE_COMMIT_POINT_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tlog/proof.h"

struct commit_point;
struct commit_point *commit_point_hold(struct commit_point *point);
/* NULL does nothing. */
void commit_point_release(struct commit_point *point);

uint64_t commit_point_size(const struct commit_point *point);
/* DIGEST_SIZE bytes, borrowed. */
const uint8_t *commit_point_root(const struct commit_point *point);
/* The signed note (C2SP checkpoint, with the log's line only); borrowed. */
struct bytes commit_point_note(const struct commit_point *point);

/*
 * The path of a leaf of this commit under its checkpoint: memory look-ups, no disk.
 * RC_OUT_OF_RANGE for any other leaf (auditlog_inclusion knows them).
 */
MUST_CHECK enum rc commit_point_proof(const struct commit_point *point, uint64_t index,
                                      struct proof *proof);
/* Appends R0 as C2SP tlog-proof text. RC_OUT_OF_RANGE likewise. */
MUST_CHECK enum rc commit_point_receipt(const struct commit_point *point, uint64_t index,
                                        struct buffer *text);

#endif
