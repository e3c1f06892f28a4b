/*
 * receipts - R0 and R1 as bytes: leaf and tlog-proof.
 *
 * A receipt is signed at the size of its leaf's commit and never changes: fresh ones are built from
 * the commit's view in memory, old ones from the stored rows, with the same bytes.
 */
#ifndef RELAY_RECEIPTS_H
#define RELAY_RECEIPTS_H

#include "model/receipt.h"
#include "tlog/leaf.h"

struct auditlog_reader;
struct commit_point;
struct node;
struct txn;
struct call;
struct rpc_service;

/* Appends leaf, then tlog-proof, to `scratch`; the receipt borrows from it once it stops growing.
 */
struct receipt_span {
    enum receipt_level level;
    size_t leaf_at;
    size_t proof_at;
    size_t end;
};

/* From the commit in memory. Any thread. */
MUST_CHECK enum rc receipts_fresh(const struct commit_point *point, enum receipt_level level,
                                  uint64_t index, const uint8_t leaf[LEAF_SIZE],
                                  struct buffer *scratch, struct receipt_span *span);
/* From the log. */
MUST_CHECK enum rc receipts_stored(const struct node *node, struct auditlog_reader *reader,
                                   struct txn *txn, enum receipt_level level, uint64_t index,
                                   struct buffer *scratch, struct receipt_span *span);
/* The other node's evidence, kept beside our own leaf `index`. RC_NOT_FOUND: none yet. */
MUST_CHECK enum rc receipts_foreign(struct txn *txn, enum receipt_level level, uint64_t index,
                                    struct buffer *scratch, struct receipt_span *span);
/*
 * Of our own leaf, under the first checkpoint over it that reached its quorum: another proof of the
 * same leaf. RC_NOT_FOUND: none yet.
 */
MUST_CHECK enum rc receipts_witnessed(struct auditlog_reader *reader, struct txn *txn,
                                      enum receipt_level level, uint64_t index,
                                      struct buffer *scratch, struct receipt_span *span);
struct receipt receipt_of(const struct receipt_span *span, const struct buffer *scratch);

/* The rpc methods GetReceipts and GetWitnessedReceipts. */
void receipts_on_call(struct rpc_service *service, struct call *call);
void receipts_on_witnessed_call(struct rpc_service *service, struct call *call);

#endif
