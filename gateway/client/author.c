#include "client/author.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/session.h"
#include "client/spool.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/spiffe.h"
#include "model/lifecycle.h"
#include "rpc/codec.h"

/* ---- who signs ---- */

struct official {
    struct cert *cert;
    struct actkey *key;
    struct spiffe spiffe;
};

static void official_release(struct official *official)
{
    cert_free(official->cert);
    actkey_free(official->key);
}

static bool is_signed_by_person(const struct header *header)
{
    return header->type == MESSAGE_RECALL || header->type == MESSAGE_AGGREGATE ||
           header->consent == CONSENT_IMPEDED || header->out_of_band != BAND_NONE ||
           header->break_glass[0] != '\0' ||
           (header->type == MESSAGE_ACT && event_is_signed(header->event));
}

static enum rc load_official(const struct profile *profile, struct official *official,
                             struct fault *fault)
{
    if (profile->official_key[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.official", profile->path,
                      "Este mensaje lo firma un funcionario: agregue official_certificate y "
                      "official_key a su perfil.");
    }
    TRY(cert_load(profile->official_certificate, &official->cert, fault));
    TRY(actkey_load(profile->official_key, &official->key, fault));
    return spiffe_parse(bytes_text(cert_uri(official->cert)), &official->spiffe) == RC_OK
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, "profile.official",
                        profile->official_certificate,
                        "Ese certificado no nombra a un funcionario; corrija "
                        "official_certificate.");
}

/* ---- composing ---- */

void author_fill(const struct profile *profile, struct header *header)
{
    if (header->from[0] == '\0') {
        header->from = profile->member;
    }
    if (header->from_system[0] == '\0') {
        header->from_system = profile->system;
    }
    if (header->created_at_ms == 0) {
        header->created_at_ms = clock_now_ms();
    }
    if (header->urgency == URGENCY_NONE) {
        header->urgency = URGENCY_ORDINARY;
    }
}

enum rc author_compose(const struct author *author, struct draft *draft, struct composed *composed,
                       struct fault *fault)
{
    const struct profile *profile = author->profile;
    OWN(official) official = {0};
    uint8_t seed[COMPOSE_SEED_SIZE];
    enum rc rc;

    author_fill(profile, &draft->header);
    if (is_signed_by_person(&draft->header) ||
        (author->signs_all && profile->official_key[0] != '\0')) {
        TRY(load_official(profile, &official, fault));
        draft->header.on_behalf_of = official.spiffe.name;
        draft->signers[0] = (struct draft_signer){official.cert, official.key};
        draft->signer_count = 1;
    }
    random_fill(seed, sizeof seed);
    rc = compose(draft, seed, composed, fault);
    explicit_bzero(seed, sizeof seed);
    draft->header.on_behalf_of = ""; /* it was the official's, who leaves with this block */
    return rc;
}

/* ---- sending ---- */

/* The opening of an exchange of ours, for later acts. */
static void keep_own(const struct author *author, struct bytes request, struct arena *arena)
{
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    struct fault fault = {0};

    if (submission != NULL && codec_submit_read(request, arena, submission, &fault) == RC_OK &&
        message_opens(&submission->message)) {
        author_keep(author, &submission->message, arena);
    }
}

enum rc author_send(const struct author *author, const struct id *id, struct bytes request,
                    struct arena *arena, struct sent *sent, struct fault *fault)
{
    TRY(send_spooled(author->session, author->spool, id, request, sent, fault));
    keep_own(author, request, arena);
    return RC_OK;
}

void author_keep(const struct author *author, const struct message *message, struct arena *arena)
{
    struct message *bare = arena_alloc(arena, sizeof *bare);
    struct spool_entry entry = {SPOOL_EXCHANGES, message->header.message_id, {0}};
    OWN(buffer) bytes = {0};

    if (bare == NULL || author->spool == NULL) {
        return;
    }
    bare->header_bytes = message->header_bytes;
    bare->header_blind = message->header_blind;
    codec_message_write(bare, &bytes);
    entry.bytes = buffer_bytes(&bytes);
    if (bytes.is_failed || spool_store(author->spool, &entry, 1) != RC_OK) {
        log_warn("exchange.not_kept", "cause=disk");
    }
}

/* ---- answering ---- */

void author_answer(const struct profile *profile, const struct header *to, struct header *answer)
{
    bool is_ours =
        strcmp(to->from, profile->member) == 0 && strcmp(to->from_system, profile->system) == 0;

    draft_header_init(answer);
    answer->exchange_id = to->exchange_id;
    answer->parent_exchange_id = to->parent_exchange_id;
    answer->to = is_ours ? to->to : to->from;
    answer->to_system = is_ours ? to->to_system : to->from_system;
    answer->urgency = to->urgency;
    answer->catalogue_code = to->catalogue_code;
    answer->purpose = to->purpose;
    answer->legal_basis = to->legal_basis;
    answer->aviso_id = to->aviso_id;
    answer->aviso_version = to->aviso_version;
    answer->aviso_sha256 = to->aviso_sha256;
    answer->consent = CONSENT_NOT_NEEDED;
}

enum rc author_custody(const struct author *author, const struct message *message,
                       struct composed *composed, struct fault *fault)
{
    static const char label[] = "enlace/cli/custody/v1";
    struct bytes parts[] = {BYTES_OF(label), BYTES_OF(message->header.message_id.bytes)};
    uint8_t seed[COMPOSE_SEED_SIZE];
    struct draft draft;

    draft_init(&draft);
    author_answer(author->profile, &message->header, &draft.header);
    author_fill(author->profile, &draft.header);
    draft.header.type = MESSAGE_ACT;
    draft.header.event = EVENT_CUSTODY;
    draft.header.regards = message->header.message_id;
    spool_seed(author->spool, parts, 2, seed);
    return compose(&draft, seed, composed, fault);
}
