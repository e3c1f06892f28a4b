/*
 * receipt_bundle - a message's receipts in one text, without any content of the message.
 *
 *     enlace-receipt v1 LF
 *     message <id, 8-4-4-4-12 lower-case hexadecimal digits> LF
 *     commitment <base64 of M, 32 bytes> LF
 *     receipt R0|R1 <bytes of the proof, decimal> LF       one to four times, with what follows:
 *     leaf <base64, 200 bytes> LF
 *     <a tlog-proof of that many bytes>
 *
 * Strict: one form for one content. Pure; any thread.
 */
#ifndef TLOG_RECEIPT_BUNDLE_H
#define TLOG_RECEIPT_BUNDLE_H

#include "base/bytes.h"
#include "tlog/leaf.h"

#define RECEIPT_BUNDLE_MAX 4
#define RECEIPT_BUNDLE_SIZE_MAX ((size_t)2 << 20)
#define RECEIPT_BUNDLE_ID_SIZE 37

struct receipt_bundle_item {
    unsigned level; /* 0 or 1 */
    uint8_t leaf[LEAF_SIZE];
    struct bytes tlog_proof; /* borrowed from the text; not yet parsed */
};

struct receipt_bundle {
    char message_id[RECEIPT_BUNDLE_ID_SIZE];
    uint8_t commitment[DIGEST_SIZE];
    size_t count;
    struct receipt_bundle_item items[RECEIPT_BUNDLE_MAX];
};

/* RC_INVALID_ARGUMENT. */
MUST_CHECK enum rc receipt_bundle_parse(struct bytes text, struct receipt_bundle *bundle);

#endif
