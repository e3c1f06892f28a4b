/*
 * receipt_file - a message's receipts in one text file: what `enlace receipt -o` writes, what the
 * spool keeps, what `enlace verify receipt` reads. It holds no content of the message.
 * The text is that of tlog/receipt_bundle.h.
 *
 * Strict: one form for one content. Pure; any thread.
 */
#ifndef CLIENT_RECEIPT_FILE_H
#define CLIENT_RECEIPT_FILE_H

#include "model/message.h"
#include "model/receipt.h"
#include "tlog/receipt_bundle.h"

#define RECEIPT_FILE_MAX RECEIPT_BUNDLE_MAX
#define RECEIPT_FILE_SIZE_MAX RECEIPT_BUNDLE_SIZE_MAX

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
