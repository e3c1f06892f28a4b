/*
 * compose - from what somebody wants to say to the bytes that say it, made once.
 *
 * Header and compartments are serialised here and never again: commitment, signatures and
 * idempotency use exactly these bytes, so keep them (client/spool) and resend them.
 *
 * Randomness enters as one seed of 32 bytes, time as header.created_at_ms: the message id's random
 * part and all blinds are derived from the seed, so the same draft with the same seed gives the
 * same id and the same bytes. Exceptions: what is sealed (ephemeral keys) and officials' signatures
 * (ECDSA) differ each time; signatures are outside the commitment M. A seed is as secret as the
 * content: whoever has it can confirm a guess. Draw it (random_fill) or derive it from a secret.
 *
 * Any thread; no state.
 */
#ifndef CLIENT_COMPOSE_H
#define CLIENT_COMPOSE_H

#include "base/own.h"
#include "model/message.h"
#include "rpc/codec.h"

struct actkey;
struct cert;

#define COMPOSE_SEED_SIZE 32

struct draft_compartment {
    unsigned subject; /* index into header.subjects */
    enum compartment_type type;
    bool is_sealed;
    const struct field_value *values;
    size_t value_count;
};

struct draft_signer {
    const struct cert *cert;
    const struct actkey *key;
};

/* Everything is borrowed until compose returns. */
struct draft {
    /*
     * schema, from and created_at_ms included. message_id zero: made here. exchange_id zero: the
     * message opens its exchange. Seals are filled here.
     */
    struct header header;
    struct draft_compartment compartments[MESSAGE_COMPARTMENTS_MAX]; /* in any order */
    size_t compartment_count;
    const struct cert *const *recipients; /* seal certificates of the recipient's systems */
    size_t recipient_count;
    struct draft_signer signers[MESSAGE_SIGNATURES_MAX];
    size_t signer_count;
    struct id local_subjects[MESSAGE_SUBJECTS_MAX]; /* as many as subjects, or none */
    size_t local_subject_count;
};

struct composed {
    struct id message_id;
    struct id exchange_id;
    uint8_t commitment[HASH_SIZE]; /* M */
    struct buffer request;         /* a serialised SubmitRequest */
};

/* All texts "", numbers 0, schema set. */
void draft_init(struct draft *draft);
void draft_header_init(struct header *header);

/* The id that compose gives to a message of this seed and time. */
struct id compose_id(const uint8_t seed[COMPOSE_SEED_SIZE], int64_t created_at_ms);

/*
 * Sets message_id, exchange_id and seals of the draft's header. Refusals: "draft.compartment" (two
 * of one part, or more than allowed), "draft.field" (a field that the type has not, or a value that
 * is none), "draft.seal" (nobody to seal to), "draft.signature", "draft.too_large".
 */
MUST_CHECK enum rc compose(struct draft *draft, const uint8_t seed[COMPOSE_SEED_SIZE],
                           struct composed *out, struct fault *fault);
/* Wipes: the request holds clear compartments. */
void composed_release(struct composed *composed);

#endif
