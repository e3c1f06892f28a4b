/*
 * commit - commitments: what a leaf says about a message without saying anything.
 *
 * `"..."` are the ASCII characters and the terminating NUL (0x00), which is part of the bytes;
 * ‖ concatenates; integers are big-endian. All digests are SHA-256.
 *
 * Part: H_i = SHA-256(
 *      0  15  "enlace/part/v1"        14 characters and NUL
 *     15  32  r_i, the part's blind
 *     47   8  u64 length of the part
 *     55   n  the part's bytes, as its sender serialised them (sealed: the CMS bytes) )
 *
 * The blind is 32 random bytes that the sender's system draws for each part; it travels with the
 * part and is kept as secret as the part: with it a guessed content can be confirmed, without
 * it H_i says nothing. Erasing one part and its blind leaves the others provable.
 *
 * Part number, u16: 0 = the header; else subject index * 256 + compartment type (1..255).
 *
 * Message: M = SHA-256(
 *      0  18  "enlace/message/v1"     17 characters and NUL
 *     18   2  u16 number of parts
 *     20   -  per part, ascending by number:  u16 part number ‖ H_i[32] )
 * Equal on both sides. An act (crypto/actsig.h) signs M.
 *
 * Leaf: C = SHA-256(
 *      0  15  "enlace/leaf/v1"        14 characters and NUL
 *     15   2  u16 length of the log's origin
 *     17   n  origin, without NUL
 *      -  16  N, the leaf's nonce
 *      -  32  M )
 * Differs per log, so that mirrors cannot pair two logs; whoever knows M pairs at once.
 *
 * Record: A = SHA-256(
 *      0  17  "enlace/record/v1"      16 characters and NUL
 *     17  32  r_A, random, kept beside the record; survives erasure
 *     49   8  u64 length of the audit record
 *     57   n  audit record )
 *
 * Order: D = SHA-256(
 *      0  16  "enlace/order/v1"       15 characters and NUL
 *     16   8  u64 length of the order
 *     24   n  the order's bytes (enlace.v1.Order), which its officials sign as they sign an M )
 *
 * Act of an official at the own node: D, as an order's, with the label "enlace/official/v1".
 * Duty: the same over "enlace/duty/v1" (14 characters and NUL) and an enlace.v1.DutyAnswer.
 *
 * Tag: HMAC-SHA256(tag key[32], N[16] ‖ u8 role), first 16 bytes. Differs in every leaf.
 *
 * Pure; any thread.
 */
#ifndef TLOG_COMMIT_H
#define TLOG_COMMIT_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tlog/leaf.h"

#define COMMIT_BLIND_SIZE 32
#define COMMIT_KEY_SIZE 32
#define COMMIT_HEADER_PART 0
/* Parts of one message, header included. */
#define COMMIT_PARTS_MAX 256

enum commit_role {
    COMMIT_SUBJECT = 1,
    COMMIT_SENDER = 2,
    COMMIT_RECEIVER = 3,
    COMMIT_ACTOR = 4,
};

struct commit_part {
    uint16_t number;
    uint8_t digest[DIGEST_SIZE]; /* H_i */
};

/* type 1..255; subject is the index in the header's subjects[]. */
uint16_t commit_part_number(uint8_t subject, uint8_t type);

void commit_part(const uint8_t blind[COMMIT_BLIND_SIZE], struct bytes part,
                 uint8_t out[DIGEST_SIZE]);
void commit_order(struct bytes order, uint8_t out[DIGEST_SIZE]);
void commit_official(struct bytes act, uint8_t out[DIGEST_SIZE]);
void commit_duty(struct bytes answer, uint8_t out[DIGEST_SIZE]);
/*
 * RC_INVALID_ARGUMENT: no part, more than COMMIT_PARTS_MAX, the first is not the header, numbers
 * that do not ascend strictly, or a compartment of type 0.
 */
MUST_CHECK enum rc commit_message(const struct commit_part *parts, size_t count,
                                  uint8_t out[DIGEST_SIZE]);
/* Asserts an origin of at most 65,535 bytes. */
void commit_leaf(const char *origin, const uint8_t nonce[LEAF_NONCE_SIZE],
                 const uint8_t message[DIGEST_SIZE], uint8_t out[DIGEST_SIZE]);
void commit_record(const uint8_t blind[COMMIT_BLIND_SIZE], struct bytes record,
                   uint8_t out[DIGEST_SIZE]);
void commit_tag(const uint8_t key[COMMIT_KEY_SIZE], const uint8_t nonce[LEAF_NONCE_SIZE],
                enum commit_role role, uint8_t out[LEAF_TAG_SIZE]);

#endif
