#include "client/order_ask.h"

#include "base/arena.h"
#include "client/session.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"

#define SERVICE "/enlace.v1.OrderService/"

static enum rc ask(struct session *session, const char *method, struct bytes request,
                   struct arena *arena, struct bytes *response, struct fault *fault)
{
    OWN(buffer) answer = {0};

    TRY(channel_call(session->channel, method, request, session->timeout_ms, &answer, fault));
    *response = arena_copy(arena, buffer_bytes(&answer));
    return response->data != NULL ? RC_OK
                                  : refuse(fault, RC_RESOURCE_EXHAUSTED, "ask.memory", "",
                                           "La respuesta no cabe en memoria.");
}

enum rc order_give(struct session *session, struct bytes request, struct arena *arena,
                   struct order_answer *answer, struct fault *fault)
{
    struct bytes response;

    TRY(ask(session, SERVICE "GiveOrder", request, arena, &response, fault));
    return codec_order_answer_read(response, arena, answer, fault);
}

enum rc order_get(struct session *session, const struct id *id, struct arena *arena,
                  struct order_answer *answer, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_id_request_write(id, &request);
    TRY(ask(session, SERVICE "GetOrder", buffer_bytes(&request), arena, &response, fault));
    return codec_order_answer_read(response, arena, answer, fault);
}

enum rc order_read_blocked(struct session *session, const struct blocked_request *request,
                           struct arena *arena, struct message *message, struct fault *fault)
{
    OWN(buffer) bytes = {0};
    struct bytes response;

    codec_blocked_request_write(request, &bytes);
    TRY(ask(session, SERVICE "ReadBlocked", buffer_bytes(&bytes), arena, &response, fault));
    return codec_blocked_read(response, arena, message, fault);
}
