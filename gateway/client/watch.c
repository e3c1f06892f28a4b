#include "client/watch.h"

#include "base/arena.h"
#include "client/session.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"

#define SERVICE "/enlace.v1.WatchService/"

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

static enum rc list(struct session *session, const struct watch_request *question,
                    struct arena *arena, struct watch_page *page, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_watch_request_write(question, &request);
    TRY(ask(session, SERVICE "ListExchanges", buffer_bytes(&request), arena, &response, fault));
    return codec_watch_page_read(response, arena, page, fault);
}

enum rc watch_open(struct session *session, const char *member, struct bytes after,
                   struct arena *arena, struct watch_page *page, struct fault *fault)
{
    const struct watch_request question = {.scope = WATCH_OPEN, .after = after, .member = member};

    return list(session, &question, arena, page, fault);
}

enum rc watch_related(struct session *session, const struct id *exchange_id, struct arena *arena,
                      struct watch_page *page, struct fault *fault)
{
    const struct watch_request question = {
        .scope = WATCH_RELATED, .exchange_id = *exchange_id, .member = ""};

    return list(session, &question, arena, page, fault);
}

enum rc watch_trace(struct session *session, const struct id *exchange_id, struct arena *arena,
                    struct trace *trace, struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_id_request_write(exchange_id, &request);
    TRY(ask(session, SERVICE "TraceExchange", buffer_bytes(&request), arena, &response, fault));
    return codec_trace_read(response, arena, trace, fault);
}

enum rc watch_redeliver(struct session *session, struct redeliver *redeliver, struct arena *arena,
                        struct fault *fault)
{
    OWN(buffer) request = {0};
    struct bytes response;

    codec_redeliver_request_write(redeliver, &request);
    TRY(ask(session, SERVICE "Redeliver", buffer_bytes(&request), arena, &response, fault));
    return codec_redeliver_response_read(response, arena, redeliver, fault);
}
