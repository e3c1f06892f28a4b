#include "client/official_ask.h"

#include "base/arena.h"
#include "base/clock.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "rpc/channel.h"
#include "rpc/codec_official.h"
#include "rpc/codec_service.h"
#include "tlog/commit.h"

#define SERVICE "/enlace.v1.OfficialService/"

static enum rc ask(struct session *session, const char *method, struct bytes request,
                   struct arena *arena, struct bytes *response, struct fault *fault)
{
    OWN(buffer) answer = {0};

    TRY(channel_call(session->channel, method, request, session->timeout_ms, &answer, fault));
    *response = arena_copy(arena, buffer_bytes(&answer));
    return response->data != NULL || answer.size == 0
               ? RC_OK
               : refuse(fault, RC_RESOURCE_EXHAUSTED, "ask.memory", "",
                        "La respuesta no cabe en memoria.");
}

enum rc official_list(struct session *session, struct arena *arena, struct awaiting *rows,
                      size_t *count, struct fault *fault)
{
    struct bytes response;

    TRY(ask(session, SERVICE "ListAwaiting", (struct bytes){0}, arena, &response, fault));
    return codec_awaiting_read(response, arena, rows, count, fault);
}

enum rc official_read(struct session *session, const struct id *id, struct arena *arena,
                      struct message *message, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_id_request_write(id, &request);
    TRY(ask(session, SERVICE "GetAwaiting", buffer_bytes(&request), arena, &response, fault));
    return codec_awaiting_message_read(response, arena, message, fault);
}

enum rc official_will(struct session *session, const struct id *person, struct arena *arena,
                      struct will *will, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_id_request_write(person, &request);
    TRY(ask(session, SERVICE "GetWill", buffer_bytes(&request), arena, &response, fault));
    return codec_will_read(response, arena, will, fault);
}

/* M of what is about to be approved, from the parts that were read: not what the node says it is.
 */
static enum rc commitment_of(const struct message *message, uint8_t out[DIGEST_SIZE],
                             struct fault *fault)
{
    struct commit_part parts[MESSAGE_COMPARTMENTS_MAX + 1];

    parts[0].number = COMMIT_HEADER_PART;
    commit_part(message->header_blind.data, message->header_bytes, parts[0].digest);
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        parts[i + 1].number = (uint16_t)compartment->part;
        commit_part(compartment->blind.data, compartment->content, parts[i + 1].digest);
    }
    return commit_message(parts, message->compartment_count + 1, out) == RC_OK
               ? RC_OK
               : refuse(fault, RC_DATA_LOSS, "message.parts", "compartments",
                        "El nodo entregó un mensaje con partes que no van.");
}

struct signer {
    struct cert *cert;
    struct actkey *key;
};

static void signer_release(struct signer *signer)
{
    cert_free(signer->cert);
    actkey_free(signer->key);
}

static enum rc signer_load(const struct profile *profile, struct signer *signer,
                           struct fault *fault)
{
    bool is_apart = profile->official_key[0] != '\0';

    TRY(cert_load(is_apart ? profile->official_certificate : profile->certificate, &signer->cert,
                  fault));
    return actkey_load(is_apart ? profile->official_key : profile->key, &signer->key, fault);
}

static enum rc sign(const struct signer *signer, const uint8_t digest[DIGEST_SIZE],
                    struct arena *arena, struct signature *out)
{
    uint8_t der[ACTSIG_MAX];
    size_t size = 0;

    TRY(actkey_sign(signer->key, digest, der, &size));
    out->certificate = cert_der(signer->cert);
    out->signature = arena_copy(arena, BYTES(der, size));
    return out->signature.data != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

enum rc official_give(struct session *session, const struct profile *profile,
                      struct official_act *act, const struct message *message, struct arena *arena,
                      struct fault *fault)
{
    OWN(signer) signer = {0};
    OWN(buffer) bytes = {0};
    OWN(buffer) request = {0};
    struct official_signed given = {.has_approval = message != NULL};
    uint8_t digest[DIGEST_SIZE];
    uint8_t random[10];
    struct bytes response;

    TRY(signer_load(profile, &signer, fault));
    act->created_at_ms = clock_now_ms();
    random_fill(random, sizeof random);
    act->id = id_v7(act->created_at_ms, random);
    act->member = profile->member;
    codec_official_act_write(act, &bytes);
    given.bytes = buffer_bytes(&bytes);
    commit_official(given.bytes, digest);
    TRY(sign(&signer, digest, arena, &given.signature));
    if (message != NULL) {
        TRY(commitment_of(message, digest, fault));
        TRY(sign(&signer, digest, arena, &given.approval));
    }
    codec_official_signed_write(&given, &request);
    if (bytes.is_failed || request.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(ask(session, SERVICE "GiveAct", buffer_bytes(&request), arena, &response, fault));
    return codec_official_answer_read(response, arena, digest, fault);
}
