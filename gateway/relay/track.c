#include "relay/track.h"

#include "base/clock.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "rpc/peer.h"
#include "store/db.h"
#include "store/exchange.h"

static void fill_track(const struct exchange *exchange, struct track *track)
{
    *track = (struct track){
        .exchange_id = exchange->id,
        .from = exchange->from,
        .to = exchange->to,
        .received_at_ms = exchange->received_at_ms,
        .parent_exchange_id = exchange->parent_id,
        .item_count = exchange->item_count,
    };
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        track->items[i] = (struct item_state){
            .number = item->number,
            .code = item->code,
            .state = item->state,
            .occurrences = item->occurrences,
            .changed_at_ms = item->changed_at_ms,
        };
    }
}

static enum rc find(const struct node *node, const struct id *id, const char *member,
                    struct exchange *exchange)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    return exchange_get(txn, id, member, exchange);
}

void track_on_call(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    OWN(buffer) response = {0};
    struct identity identity;
    struct fault fault = {0};
    struct exchange exchange;
    struct track track;
    struct id id;
    enum rc rc;

    if (who_is_member(node, call_peer(call), &identity, &fault) != RC_OK ||
        codec_id_request_read(call_request(call), &id, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    rc = find(node, &id, identity.member, &exchange);
    if (rc != RC_OK) {
        refuse(&fault, rc == RC_NOT_FOUND ? rc : RC_UNAVAILABLE,
               rc == RC_NOT_FOUND ? "exchange.unknown" : "node.unavailable", "exchange_id", "%s",
               rc == RC_NOT_FOUND ? "No hay un intercambio suyo con ese identificador."
                                  : "El nodo no pudo leer su base; reintente.");
        call_refuse(call, &fault);
        return;
    }
    fill_track(&exchange, &track);
    codec_track_write(&track, &response);
    call_reply(call, buffer_bytes(&response));
}

void ping_on_call(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    OWN(buffer) response = {0};
    struct identity identity;
    struct fault fault = {0};
    uint8_t sha256[HASH_SIZE];
    struct ping ping;

    if (who_is(node, call_peer(call), &identity, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    inforce_digest(node->inforce, sha256);
    ping = (struct ping){
        .you = identity.uri,
        .node = node->self->uri,
        .time_ms = clock_now_ms(),
        .directory_sha256 = BYTES_OF(sha256),
    };
    codec_ping_write(&ping, &response);
    call_reply(call, buffer_bytes(&response));
}
