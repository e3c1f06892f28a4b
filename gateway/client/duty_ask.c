#include "client/duty_ask.h"

#include "base/arena.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "rpc/channel.h"
#include "tlog/commit.h"

#define SERVICE "/enlace.v1.DutyService/"

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

enum rc duty_ask_list(struct session *session, const struct duty_list_request *request,
                      struct arena *arena, struct duty_list *list, struct fault *fault)
{
    OWN(buffer) bytes = {0};
    struct bytes response;

    codec_duty_list_request_write(request, &bytes);
    TRY(ask(session, SERVICE "ListDuty", buffer_bytes(&bytes), arena, &response, fault));
    return codec_duty_list_read(response, arena, list, fault);
}

static enum rc sign(const struct profile *profile, struct arena *arena,
                    struct duty_answer_signed *answer, struct fault *fault)
{
    OWN_PTR(actkey) key = NULL;
    OWN_PTR(cert) cert = NULL;
    uint8_t digest[DIGEST_SIZE];
    uint8_t der[ACTSIG_MAX];
    size_t size = 0;

    if (profile->official_key[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.official", profile->path,
                      "Contesta una persona: agregue official_certificate y official_key a su "
                      "perfil.");
    }
    TRY(cert_load(profile->official_certificate, &cert, fault));
    TRY(actkey_load(profile->official_key, &key, fault));
    commit_duty(answer->bytes, digest);
    TRY(actkey_sign(key, digest, der, &size));
    answer->signature.certificate = arena_copy(arena, cert_der(cert));
    answer->signature.signature = arena_copy(arena, BYTES(der, size));
    return RC_OK;
}

enum rc duty_ask_answer(struct session *session, const struct duty_answer *answer,
                        struct arena *arena, struct duty_shown *shown, struct fault *fault)
{
    struct duty_answer_signed made = {.answer = *answer};
    OWN(buffer) bytes = {0};
    OWN(buffer) request = {0};
    struct bytes response;

    codec_duty_answer_write(answer, &bytes);
    made.bytes = buffer_bytes(&bytes);
    TRY(sign(session->profile, arena, &made, fault));
    codec_duty_signed_write(&made, &request);
    TRY(ask(session, SERVICE "AnswerDuty", buffer_bytes(&request), arena, &response, fault));
    return codec_duty_shown_read(response, arena, shown, fault);
}
