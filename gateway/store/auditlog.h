/*
 * auditlog - the leaves and hashes of this node's log: append in a write, read in any transaction.
 *
 * Leaves are 200 bytes (tlog/leaf.h), records stand beside them as r_A ‖ audit record. A commit's
 * leaves, records and nodes are one row by its size (logrow.h), so the size under which a leaf's
 * first receipt was signed is known for ever, and a proof hashes nothing.
 */
#ifndef STORE_AUDITLOG_H
#define STORE_AUDITLOG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tlog/checkpoint.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/proof.h"

struct auditlog_reader;
struct keyring;
struct txn;

/* The time of the leaves that this write transaction appends, UTC milliseconds in whole seconds. */
int64_t auditlog_time_ms(struct txn *txn);

/*
 * Inside write_ops.apply only. Sets leaf->index and leaf->time_s (whole seconds, never backwards),
 * copies the leaf and, unless blind is NULL, blind ‖ record; leaf->record (A) is the caller's. The
 * leaf joins the tree when the batch stands, and is found from the next transaction on.
 */
MUST_CHECK enum rc auditlog_append(struct txn *txn, struct leaf *leaf, struct bytes record,
                                   const uint8_t blind[COMMIT_BLIND_SIZE], uint64_t *index);

/* Leaves of the last commit of the snapshot. */
MUST_CHECK enum rc auditlog_size(struct txn *txn, uint64_t *size);
/* LEAF_SIZE bytes, borrowed from the transaction. RC_NOT_FOUND. */
MUST_CHECK enum rc auditlog_leaf(struct txn *txn, uint64_t index, struct bytes *leaf);
/* Both borrowed; blind has COMMIT_BLIND_SIZE bytes. RC_NOT_FOUND: none, or none with a record. */
MUST_CHECK enum rc auditlog_record(struct txn *txn, uint64_t index, struct bytes *blind,
                                   struct bytes *record);
/* Size of the commit that brought the leaf: what its R0 is signed under. RC_NOT_FOUND. */
MUST_CHECK enum rc auditlog_commit_size(struct txn *txn, uint64_t index, uint64_t *size);

/*
 * Makes proofs from the rows, and remembers complete nodes, which never change: neighbours share
 * nearly all of theirs. About 100 KiB; keep one per thread or task, across transactions of the same
 * database. One owner at a time. NULL when out of memory.
 */
struct auditlog_reader *auditlog_reader_new(void);
void auditlog_reader_free(struct auditlog_reader *reader);
OWN_PTR_DEFINE(auditlog_reader)

/* RC_OUT_OF_RANGE: not index < size <= size of the snapshot. RC_DATA_LOSS: a row is missing. */
MUST_CHECK enum rc auditlog_inclusion(struct auditlog_reader *reader, struct txn *txn,
                                      uint64_t index, uint64_t size, struct proof *proof);
MUST_CHECK enum rc auditlog_consistency(struct auditlog_reader *reader, struct txn *txn,
                                        uint64_t old_size, uint64_t new_size, struct proof *proof);
/* From the nodes in the rows. */
MUST_CHECK enum rc auditlog_root(struct auditlog_reader *reader, struct txn *txn, uint64_t size,
                                 uint8_t root[DIGEST_SIZE]);
/*
 * Appends the signed note of a commit: as stored, or signed again, which gives the same bytes.
 * RC_NOT_FOUND: no commit had this size. Read transactions only: what they see is durable.
 */
MUST_CHECK enum rc auditlog_checkpoint(struct txn *txn, const struct keyring *keyring,
                                       uint64_t size, struct buffer *note);
/*
 * Appends R0 of a leaf, the same text as at its commit, for ever: tlog-proof under the checkpoint
 * of auditlog_commit_size. RC_NOT_FOUND.
 */
MUST_CHECK enum rc auditlog_receipt(struct auditlog_reader *reader, struct txn *txn,
                                    const struct keyring *keyring, uint64_t index,
                                    struct buffer *text);

#endif
