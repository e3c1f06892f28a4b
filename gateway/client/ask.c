#include "client/ask.h"

#include "base/arena.h"
#include "client/session.h"
#include "rpc/channel.h"

#define SERVICE "/enlace.v1.ExchangeService/"

/* The answer moves into the arena, whose life the decoded structs share. */
static enum rc ask(struct session *session, const char *method, struct bytes request,
                   struct arena *arena, struct bytes *response, struct fault *fault)
{
    OWN(buffer) answer = {0};

    TRY(channel_call(session->channel, method, request, session->timeout_ms, &answer, fault));
    *response = arena_copy(arena, buffer_bytes(&answer));
    if (response->data == NULL && answer.size > 0) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "ask.memory", "",
                      "La respuesta no cabe en memoria.");
    }
    return RC_OK;
}

static enum rc ask_about(struct session *session, const char *method, const struct id *id,
                         struct arena *arena, struct bytes *response, struct fault *fault)
{
    OWN(buffer) request = {0};

    codec_id_request_write(id, &request);
    return ask(session, method, buffer_bytes(&request), arena, response, fault);
}

enum rc ask_track(struct session *session, const struct id *exchange_id, struct arena *arena,
                  struct track *track, struct fault *fault)
{
    struct bytes response;

    TRY(ask_about(session, SERVICE "Track", exchange_id, arena, &response, fault));
    return codec_track_read(response, arena, track, fault);
}

enum rc ask_receipts(struct session *session, const struct id *message_id, struct arena *arena,
                     struct receipts *receipts, struct fault *fault)
{
    struct bytes response;

    TRY(ask_about(session, SERVICE "GetReceipts", message_id, arena, &response, fault));
    return codec_receipts_read(response, arena, receipts, fault);
}

enum rc ask_give_again(struct session *session, const struct id *message_id, bool only_asks,
                       struct arena *arena, struct given_again *given, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_give_again_write(message_id, only_asks, &request);
    TRY(ask(session, SERVICE "GiveAgain", buffer_bytes(&request), arena, &response, fault));
    return codec_given_again_read(response, arena, given, fault);
}

enum rc ask_witnessed_receipts(struct session *session, const struct id *message_id,
                               struct arena *arena, struct receipts *receipts, struct fault *fault)
{
    struct bytes response;

    TRY(ask_about(session, SERVICE "GetWitnessedReceipts", message_id, arena, &response, fault));
    return codec_receipts_read(response, arena, receipts, fault);
}

enum rc ask_checkpoint(struct session *session, const char *origin, struct arena *arena,
                       struct bytes *note, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_origin_write(origin, &request);
    TRY(ask(session, "/enlace.v1.FederationService/GetCheckpoint", buffer_bytes(&request), arena,
            &response, fault));
    return codec_note_read(response, arena, note, fault);
}

enum rc ask_ping(struct session *session, struct arena *arena, struct ping *ping,
                 struct fault *fault)
{
    struct bytes response;

    TRY(ask(session, SERVICE "Ping", (struct bytes){0}, arena, &response, fault));
    return codec_ping_read(response, arena, ping, fault);
}

enum rc ask_seen(struct session *session, const char *origin, struct arena *arena,
                 struct bytes *checkpoint, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_get_seen_write(origin, &request);
    TRY(ask(session, "/enlace.v1.FederationService/GetSeen", buffer_bytes(&request), arena,
            &response, fault));
    return codec_seen_read(response, arena, checkpoint, fault);
}

enum rc ask_condition(struct session *session, struct arena *arena, struct condition *condition,
                      struct fault *fault)
{
    struct bytes response;

    TRY(ask(session, "/enlace.v1.OperationService/GetCondition", (struct bytes){0}, arena,
            &response, fault));
    return codec_condition_read(response, arena, condition, fault);
}
