/*
 * content - a message's parts, encrypted at rest: one random key per part, all of them wrapped
 * under the holding member's shard key (vault.h).
 *
 * Two rows. The key row is rewritten when a compartment is erased or the shard changes; the body
 * row never is:
 *
 *     key row   W, wrapped (wrap.h) under the shard key: label "enlace/content/v1", context N[16]
 *     W         u8 count | count times: u16 part | u8 state | [32] | u8 persons | id[16] of each
 *
 *     body row  count times: u16 part | u8 flags | u32 n | GCM(part's key, P)[n + 16]
 *     P         blind[32] | content;   n is its size
 *     AAD       N[16] | u16 part | u8 flags;   flag 1: sealed by its sender;   nonce: 12 zeros,
 *               because a part's key is drawn for this one encryption
 *
 * State 1: the 32 bytes are the part's key. State 2: the part is erased and they are its H_i
 * (commit.h), so that M can still be computed from what is left. GCM is AES-256-GCM.
 *
 * Persons are those of the message, first to last, by the ids that the holder knows them by: the
 * index over the log is made of them (index.h), and who destroys the shard's key, or erases the
 * header, takes them along.
 *
 * Parts ascend: 0 the header, the compartments by number, CONTENT_SIGNATURES the signatures with
 * their certificates, which name officials (there P is, per signature, u32 n | certificate | u32 n
 * | signature). N is the leaf's nonce: rows of two messages cannot be exchanged. Integers are
 * big-endian.
 *
 * Nothing here keeps plaintext: it goes into the caller's arena, which wipes itself. Any thread.
 */
#ifndef STORE_CONTENT_H
#define STORE_CONTENT_H

#include <stdint.h>

#include "base/bytes.h"
#include "model/message.h"
#include "tlog/commit.h"

#define CONTENT_NONCE_SIZE LEAF_NONCE_SIZE
#define CONTENT_SIGNATURES 0xffff
/* Header, compartments, signatures. */
#define CONTENT_PARTS_MAX (MESSAGE_COMPARTMENTS_MAX + 2)
/* The longest certificate or signature of an act. */
#define CONTENT_SIGNATURE_MAX ((size_t)16 << 10)

struct arena;
struct shard;
struct vault;

/* What was erased out of a message: numbers ascending, and H_i for commit_message. */
struct content_erased {
    struct commit_part parts[CONTENT_PARTS_MAX]; /* of CONTENT_SIGNATURES the digest is zero */
    size_t count;
};

/* As the holding member knows them. */
struct content_persons {
    struct id ids[MESSAGE_SUBJECTS_MAX];
    size_t count;
};

/*
 * Seals header_bytes, header_blind, compartments {part, blind, content, is_sealed} and signatures,
 * and appends to both rows, which must be empty. RC_INVALID_ARGUMENT: parts that do not ascend
 * strictly, a blind of another size, more persons or a size above message.h's limits. RC_NOT_FOUND:
 * the shard was destroyed. RC_RESOURCE_EXHAUSTED: out of memory. On failure the rows are cleared.
 */
MUST_CHECK enum rc content_seal(struct vault *vault, const struct shard *shard,
                                const struct message *message,
                                const struct content_persons *persons,
                                const uint8_t nonce[CONTENT_NONCE_SIZE], struct buffer *key_row,
                                struct buffer *body_row);

/* The persons of a message, without its body. Errors as content_open's. */
MUST_CHECK enum rc content_persons_open(struct vault *vault, struct bytes key_row,
                                        const uint8_t nonce[CONTENT_NONCE_SIZE],
                                        struct content_persons *persons);

/*
 * Fills what content_seal took, in the arena; header and fields are not decoded and stay zero.
 * Erased parts are left out and listed in erased, which may be NULL when the caller does not ask;
 * an erased header leaves header_bytes empty. RC_NOT_FOUND: the shard was destroyed.
 * RC_DATA_LOSS: any byte of either row or of N is not what was sealed (but for the ciphertext
 * of an erased part), or the shard's key is missing. RC_RESOURCE_EXHAUSTED: the arena is full.
 */
MUST_CHECK enum rc content_open(struct vault *vault, struct bytes key_row, struct bytes body_row,
                                const uint8_t nonce[CONTENT_NONCE_SIZE], struct arena *arena,
                                struct message *message, struct content_erased *erased);

/* The same keys under another shard; appends to out. The body row stays as it is. Errors as above.
 */
MUST_CHECK enum rc content_rewrap(struct vault *vault, struct bytes key_row,
                                  const uint8_t nonce[CONTENT_NONCE_SIZE], const struct shard *to,
                                  struct buffer *out);

/*
 * The same without the key of one part, which is unreadable from the moment the old shard is
 * destroyed. Wants the body row for the part's H_i. RC_INVALID_ARGUMENT: no such part; erasing
 * an erased part again is no error.
 */
MUST_CHECK enum rc content_erase_part(struct vault *vault, struct bytes key_row,
                                      struct bytes body_row,
                                      const uint8_t nonce[CONTENT_NONCE_SIZE], uint16_t part,
                                      const struct shard *to, struct buffer *out);

/*
 * The same without the keys of all parts about one of the persons, and without his or her id:
 * `subject` is the place in the message's persons.
 */
MUST_CHECK enum rc content_erase_subject(struct vault *vault, struct bytes key_row,
                                         struct bytes body_row,
                                         const uint8_t nonce[CONTENT_NONCE_SIZE], unsigned subject,
                                         const struct shard *to, struct buffer *out);

/* The shard's name in a key row, borrowed from it: for finding the rows of a shard. */
MUST_CHECK enum rc content_shard_name(struct bytes key_row, struct bytes *name);

#endif
