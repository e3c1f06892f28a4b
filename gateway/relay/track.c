#include "relay/track.h"

#include "base/clock.h"
#include "relay/clock_doubt.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/reading_rate.h"
#include "relay/terms.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "rpc/peer.h"
#include "store/db.h"
#include "store/exchange.h"

_Static_assert(TRACK_CLOCKS_MAX == EXCHANGE_CLOCKS_MAX, "all of an exchange's clocks are shown");

/* Dates of items' ends: what the answer borrows. */
struct ends {
    char dates[MESSAGE_ITEMS_MAX][CLOCK_TEXT_SIZE];
};

static const char *member_of(const struct exchange *exchange, enum side side)
{
    return side == SIDE_EXECUTOR ? exchange->to : exchange->from;
}

static struct tracked_act act_of(const struct exchange_act *act)
{
    return (struct tracked_act){
        .occurred_at_ms = act->occurred_ms, .entered_at_ms = act->entered_ms, .band = act->band};
}

static void fill_item(const struct exchange *exchange, const struct exchange_item *item,
                      int64_t now_ms, char ends_on[CLOCK_TEXT_SIZE], struct item_state *out)
{
    int64_t due_ms = terms_occurrence_due_ms(item);

    ends_on[0] = '\0';
    if (item->cadence.ends_day != CADENCE_ENDLESS) {
        clock_format_date(item->cadence.ends_day, ends_on);
    }
    *out = (struct item_state){
        .number = item->number,
        .code = item->code,
        .state = item->state,
        .occurrences = item->occurrences,
        .changed_at_ms = item->changed_at_ms,
        .responsible = member_of(exchange, state_responsible(item->state)),
        .occurrence_due_ms = due_ms != INT64_MAX ? due_ms : 0,
        .missing = terms_missing(item, now_ms),
        .ends_on = ends_on,
        .is_suspended = item->is_suspended,
        .reason = item->reason,
        .competent = item->competent,
        .cadence_count = item->cadence.count,
        .period = item->cadence.period,
    };
}

static void fill_clock(const struct exchange *exchange, const struct exchange_clock *clock,
                       int64_t now_ms, struct clock_state *out)
{
    int64_t until_ms = clock->stopped.occurred_ms != 0 ? clock->stopped.occurred_ms : now_ms;
    bool is_anchored = clock->anchored.occurred_ms != 0;

    *out = (struct clock_state){
        .id = clock->rule.id,
        .item = clock->item,
        .anchor = clock_anchor_name(clock->rule.anchor),
        .stop = clock_stop_name(clock->rule.stop),
        .anchored = act_of(&clock->anchored),
        .due_at_ms = is_anchored ? clock->due_ms : 0,
        .stopped = act_of(&clock->stopped),
        .percent_left = is_anchored ? deadline_percent_left(clock->anchored.occurred_ms,
                                                            clock->due_ms, until_ms)
                                    : 100,
        .is_overdue = terms_is_overdue(clock, now_ms),
        .told = clock->told,
        .late = member_of(exchange, terms_late(clock)),
    };
}

static void fill_track(const struct exchange *exchange, int64_t now_ms, struct ends *ends,
                       struct track *track)
{
    *track = (struct track){
        .exchange_id = exchange->id,
        .from = exchange->from,
        .to = exchange->to,
        .received_at_ms = exchange->received_at_ms,
        .parent_exchange_id = exchange->parent_id,
        .item_count = exchange->item_count,
        .clock_count = exchange->clock_count,
        .now_ms = now_ms,
        .urgency = exchange->urgency,
        .route = exchange->route,
        .opened = act_of(&exchange->opened),
        .expires_at_ms = exchange->expires_at_ms,
        .type = exchange->type,
    };
    for (size_t i = 0; i < exchange->item_count; i++) {
        fill_item(exchange, &exchange->items[i], now_ms, ends->dates[i], &track->items[i]);
    }
    for (size_t i = 0; i < exchange->clock_count; i++) {
        fill_clock(exchange, &exchange->clocks[i], now_ms, &track->clocks[i]);
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
    struct ends ends;
    struct id id;
    enum rc rc;

    if (who_is_member(node, call_peer(call), &identity, &fault) != RC_OK ||
        codec_id_request_read(call_request(call), &id, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    if (reading_rate_exchange(node->reading_rate, &identity, clock_now_ms(), &fault) != RC_OK) {
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
    fill_track(&exchange, clock_doubt_now_ms(node), &ends, &track);
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
