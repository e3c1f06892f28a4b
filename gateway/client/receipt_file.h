/*
 * receipt_file - a message's receipts in one text file: what `enlace receipt -o` writes, what the
 * spool keeps, what `enlace verify receipt` reads. It holds no content of the message.
 *
 *     enlace-receipt v1
 *     message 0193e2a1-...                     the message's id
 *     commitment <base64>                      M, 32 bytes
 *     receipt R0 <bytes of the proof>          one to four receipts
 *     leaf <base64>                            200 bytes
 *     c2sp.org/tlog-proof@v1                   the tlog-proof, that many bytes, as it came
 *     ...
 *
 * Strict: one form for one content. Pure; any thread.
 */
#ifndef CLIENT_RECEIPT_FILE_H
#define CLIENT_RECEIPT_FILE_H

#include "model/message.h"
#include "model/receipt.h"
#include "tlog/leaf.h"

#define RECEIPT_FILE_MAX 4
#define RECEIPT_FILE_SIZE_MAX ((size_t)2 << 20)

struct receipt_file {
    struct id message_id;
    uint8_t commitment[HASH_SIZE];
    struct receipt receipts[RECEIPT_FILE_MAX]; /* leaf points into `leaves` once parsed */
    uint8_t leaves[RECEIPT_FILE_MAX][LEAF_SIZE];
    size_t count;
};

void receipt_file_write(const struct receipt_file *file, struct buffer *out);
/* The proofs are borrowed from the text. RC_INVALID_ARGUMENT. The struct must stay where it is. */
MUST_CHECK enum rc receipt_file_parse(struct bytes text, struct receipt_file *file);

#endif
