/*
 * receipt_check - does this receipt prove that a log holds this message? Offline, without the node.
 *
 *     M  from the message's header and compartments (tlog/commit.h), or kept from before
 *     C  = H(origin, the leaf's nonce, M) has to stand in the leaf
 *     the tlog-proof has to show this leaf under a checkpoint signed by the log's key
 *
 * RC_OK, or RC_DATA_LOSS with the failing check in the fault:
 *
 *     receipt.malformed       the proof is no C2SP tlog-proof, or its checkpoint is malformed
 *     receipt.leaf            the leaf is not 200 bytes of the known layout, or no record
 *     receipt.unknown_log     its log's key is not among those that we trust
 *     receipt.signature       the checkpoint is not signed by that key
 *     receipt.other_message   it is about another message (C is another)
 *     receipt.index           leaf and proof name different places
 *     receipt.not_included    the leaf is not in the tree that the checkpoint signs
 *     receipt.level           not the kind of receipt that was expected
 *
 * Pure; any thread.
 */
#ifndef CLIENT_RECEIPT_CHECK_H
#define CLIENT_RECEIPT_CHECK_H

#include "model/message.h"
#include "model/receipt.h"
#include "tlog/vkey.h"

struct receipt_facts {
    char origin[VKEY_NAME_MAX + 1];
    uint64_t index;
    uint64_t tree_size;
    int64_t time_ms; /* of the leaf, whole seconds */
};

/* M. RC_INVALID_ARGUMENT when the parts do not ascend or a blind is missing. */
MUST_CHECK enum rc receipt_commitment(const struct message *message, uint8_t out[HASH_SIZE]);

/* `facts` may be NULL; filled as far as the check went. */
MUST_CHECK enum rc receipt_check(const uint8_t commitment[HASH_SIZE], const struct receipt *receipt,
                                 const struct vkey *logs, size_t log_count,
                                 struct receipt_facts *facts, struct fault *fault);

/* "R0: lo guarda el nodo que envía", "R1: ..." */
const char *receipt_level_text(enum receipt_level level);
/* "R0", "R1" */
const char *receipt_level_name(enum receipt_level level);

#endif
