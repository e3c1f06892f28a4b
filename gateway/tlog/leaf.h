/*
 * leaf - the 200 bytes of one entry of the audit log: all that a mirror can see.
 *
 * The byte layout stands in gateway/tlog/README.md. No kind, no party, no exchange id: nothing that
 * pairs two logs. Pure.
 */
#ifndef TLOG_LEAF_H
#define TLOG_LEAF_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"

#define LEAF_SIZE 200
#define LEAF_NONCE_SIZE 16
#define LEAF_TAG_SIZE 16

enum leaf_class {
    LEAF_RECORD = 1,
    LEAF_CONTROL = 2,
};

struct leaf {
    enum leaf_class class;
    uint64_t time_s;
    uint64_t index;
    uint8_t message[DIGEST_SIZE]; /* C */
    uint8_t record[DIGEST_SIZE];  /* A */
    uint8_t nonce[LEAF_NONCE_SIZE];
    uint8_t subject_tag[LEAF_TAG_SIZE];
    uint8_t sender_tag[LEAF_TAG_SIZE];
    uint8_t receiver_tag[LEAF_TAG_SIZE];
    uint8_t actor_tag[LEAF_TAG_SIZE];
    uint8_t seen[DIGEST_SIZE];
};

/* Asserts what leaf_decode refuses: a leaf that we make is never malformed. */
void leaf_encode(const struct leaf *leaf, uint8_t out[LEAF_SIZE]);
/*
 * RC_INVALID_ARGUMENT: another length, magic, class or layout, byte 5 not zero, a control leaf with
 * a commitment to a message, a time or an index above 2^63 - 1.
 */
MUST_CHECK enum rc leaf_decode(struct bytes bytes, struct leaf *leaf);

#endif
