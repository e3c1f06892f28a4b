#include "relay/witness_http.h"

#include "base/log.h"
#include "relay/witness.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"
#define TEXT_SIZE "text/x.tlog.size"

static enum witness_status cosign(const struct node *node, struct witness_ask *ask,
                                  struct bytes body, struct buffer *line)
{
    enum witness_status status = witness_prepare(node, body, NULL, ask);

    if (status == WITNESS_COSIGNED) {
        status = witness_put(node, ask);
    }
    if (status == WITNESS_COSIGNED && witness_sign(node, &ask->offered, line) != RC_OK) {
        status = WITNESS_BUSY;
    }
    return status;
}

static void add(const struct node *node, struct bytes body, struct http_response *response)
{
    struct witness_ask ask = {0};
    enum witness_status status = cosign(node, &ask, body, &response->body);

    response->status = (int)status;
    response->type = TEXT_PLAIN;
    if (status == WITNESS_CONFLICT) {
        response->type = TEXT_SIZE;
        add_checkpoint_put_size(ask.last_size, &response->body);
    }
    log_info("witness.answered", "origin=%s size=%llu status=%d", ask.offered.origin,
             (unsigned long long)ask.offered.size, (int)status);
    witness_ask_release(&ask);
}

static void monitor(const struct node *node, const uint8_t origin_sha256[DIGEST_SIZE],
                    struct http_response *response)
{
    enum rc rc = witness_last(node, origin_sha256, &response->body);

    response->status = rc == RC_OK ? 200 : rc == RC_NOT_FOUND ? 404 : WITNESS_BUSY;
    response->type = TEXT_PLAIN;
    if (rc != RC_OK) {
        buffer_clear(&response->body);
    }
}

static void answer(struct http_service *service, const struct http_request *request,
                   struct http_response *response)
{
    const struct node *node = ((struct witness_http *)service)->node;
    uint8_t digest[DIGEST_SIZE];
    enum witness_resource resource = add_checkpoint_path(request->path, digest);

    if (resource == WITNESS_ADD && request->is_post) {
        add(node, request->body, response);
    } else if (resource == WITNESS_MONITOR && !request->is_post) {
        monitor(node, digest, response);
    } else {
        response->status = resource == WITNESS_NOTHING ? 404 : 405;
    }
}

void witness_http_init(struct witness_http *http, const struct node *node)
{
    http->service.answer = answer;
    http->node = node;
}
