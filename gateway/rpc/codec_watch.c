#include "rpc/codec_watch.h"

#include "base/arena.h"
#include "enlace/v1/watch.pb-c.h"
#include "rpc/codec_pb.h"

#define SAME(ours, wires) _Static_assert((int)(ours) == (int)(wires), "the wire's values")
SAME(WATCH_RELATED, ENLACE__V1__LIST_SCOPE__LIST_SCOPE_RELATED);
SAME(HANG_PEER_UNREACHABLE, ENLACE__V1__HANG_KIND__HANG_KIND_PEER_UNREACHABLE);
SAME(HANG_NO_SYSTEM, ENLACE__V1__HANG_KIND__HANG_KIND_NO_SYSTEM);
SAME(HANG_RUNNING, ENLACE__V1__HANG_KIND__HANG_KIND_RUNNING);
SAME(HANG_REQUESTER, ENLACE__V1__HANG_KIND__HANG_KIND_REQUESTER);
SAME(HOP_SETTLED, ENLACE__V1__HOP_STATE__HOP_STATE_SETTLED);
SAME(HOP_NO_SYSTEM, ENLACE__V1__HOP_STATE__HOP_STATE_NO_SYSTEM);
SAME(HOP_WITH_SYSTEM, ENLACE__V1__HOP_STATE__HOP_STATE_WITH_SYSTEM);

/* ---- a page of exchanges ---- */

void codec_watch_request_write(const struct watch_request *request, struct buffer *out)
{
    Enlace__V1__ListExchangesRequest wire;

    enlace__v1__list_exchanges_request__init(&wire);
    wire.scope = (Enlace__V1__ListScope)request->scope;
    wire.exchange_id = pb_id_data(&request->exchange_id);
    wire.after = pb_data(request->after);
    wire.member = pb_text(request->member);
    pb_write(&wire.base, out);
}

enum rc codec_watch_request_read(struct bytes from, struct arena *arena,
                                 struct watch_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ListExchangesRequest *wire;

    TRY(pb_read(SHAPE_LIST_EXCHANGES_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ListExchangesRequest *)read;
    *request = (struct watch_request){.scope = (enum watch_scope)wire->scope,
                                      .exchange_id = pb_id(wire->exchange_id),
                                      .after = pb_bytes(wire->after),
                                      .member = wire->member};
    return RC_OK;
}

/* A summary and the message inside it. */
struct pb_summary {
    Enlace__V1__ExchangeSummary summary;
    Enlace__V1__Hang hang;
};

static void fill_summary(struct pb_summary *to, const struct exchange_summary *from)
{
    Enlace__V1__ExchangeSummary *wire = &to->summary;

    enlace__v1__exchange_summary__init(wire);
    enlace__v1__hang__init(&to->hang);
    wire->exchange_id = pb_id_data(&from->exchange_id);
    wire->parent_exchange_id = pb_id_data(&from->parent_id);
    wire->from = pb_text(from->from);
    wire->to = pb_text(from->to);
    wire->urgency = (Enlace__V1__Urgency)from->urgency;
    wire->type = from->type;
    wire->items = from->items;
    wire->item = from->item;
    wire->code = pb_text(from->code);
    wire->state = (Enlace__V1__State)from->state;
    wire->changed_at_ms = from->changed_at_ms;
    wire->responsible = pb_text(from->responsible);
    wire->clock = pb_text(from->clock);
    wire->anchored_at_ms = from->anchored_at_ms;
    wire->due_at_ms = from->due_at_ms;
    wire->is_overdue = from->is_overdue;
    to->hang.kind = (Enlace__V1__HangKind)from->hang.kind;
    to->hang.who = pb_text(from->hang.who);
    to->hang.since_ms = from->hang.since_ms;
    wire->hang = from->hang.kind != HANG_NONE ? &to->hang : NULL;
}

static struct exchange_summary summary_of(const Enlace__V1__ExchangeSummary *wire)
{
    struct exchange_summary summary = {
        .exchange_id = pb_id(wire->exchange_id),
        .parent_id = pb_id(wire->parent_exchange_id),
        .from = wire->from,
        .to = wire->to,
        .urgency = (enum urgency)wire->urgency,
        .type = (enum message_type)wire->type,
        .items = wire->items,
        .item = wire->item,
        .code = wire->code,
        .state = (enum state)wire->state,
        .changed_at_ms = wire->changed_at_ms,
        .responsible = wire->responsible,
        .clock = wire->clock,
        .anchored_at_ms = wire->anchored_at_ms,
        .due_at_ms = wire->due_at_ms,
        .is_overdue = wire->is_overdue,
        .hang = {.who = ""},
    };

    if (wire->hang != NULL) {
        summary.hang = (struct hang){.kind = (enum hang_kind)wire->hang->kind,
                                     .who = wire->hang->who,
                                     .since_ms = wire->hang->since_ms};
    }
    return summary;
}

void codec_watch_page_write(const struct watch_page *page, struct arena *arena, struct buffer *out)
{
    Enlace__V1__ListExchangesResponse wire;
    struct pb_summary *filled = arena_alloc(arena, (page->count + 1) * sizeof *filled);
    Enlace__V1__ExchangeSummary **at = arena_alloc(arena, (page->count + 1) * sizeof *at);

    if (page->count > WATCH_PAGE_MAX || filled == NULL || at == NULL) {
        out->is_failed = true;
        return;
    }
    enlace__v1__list_exchanges_response__init(&wire);
    for (size_t i = 0; i < page->count; i++) {
        fill_summary(&filled[i], &page->exchanges[i]);
        at[i] = &filled[i].summary;
    }
    wire.n_exchanges = page->count;
    wire.exchanges = at;
    wire.next = pb_data(page->next);
    wire.undelivered = page->undelivered;
    wire.oldest_undelivered_at_ms = page->oldest_ms;
    wire.oldest_undelivered_exchange_id = pb_id_data(&page->oldest_exchange_id);
    wire.now_ms = page->now_ms;
    pb_write(&wire.base, out);
}

enum rc codec_watch_page_read(struct bytes from, struct arena *arena, struct watch_page *page,
                              struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ListExchangesResponse *wire;
    void *exchanges = NULL;

    TRY(pb_read(SHAPE_LIST_EXCHANGES_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ListExchangesResponse *)read;
    TRY(pb_alloc(arena, (wire->n_exchanges + 1) * sizeof *page->exchanges, &exchanges, fault));
    *page = (struct watch_page){.exchanges = exchanges,
                                .count = wire->n_exchanges,
                                .next = pb_bytes(wire->next),
                                .undelivered = wire->undelivered,
                                .oldest_ms = wire->oldest_undelivered_at_ms,
                                .oldest_exchange_id = pb_id(wire->oldest_undelivered_exchange_id),
                                .now_ms = wire->now_ms};
    for (size_t i = 0; i < page->count; i++) {
        page->exchanges[i] = summary_of(wire->exchanges[i]);
    }
    return RC_OK;
}

/* ---- the way of one exchange ---- */

struct pb_hop {
    Enlace__V1__Hop hop;
    Enlace__V1__HopSide sent;
    Enlace__V1__HopSide received;
};

static Enlace__V1__HopSide *fill_side(Enlace__V1__HopSide *to, const struct hop_side *from)
{
    if (from->node == NULL) {
        return NULL;
    }
    enlace__v1__hop_side__init(to);
    to->node = pb_text(from->node);
    to->leaf = from->leaf;
    to->time_ms = from->time_ms;
    return to;
}

static struct hop_side side_of(const Enlace__V1__HopSide *wire)
{
    return wire != NULL ? (struct hop_side){wire->node, wire->leaf, wire->time_ms}
                        : (struct hop_side){0};
}

static void fill_hop(struct pb_hop *to, const struct hop *from)
{
    Enlace__V1__Hop *wire = &to->hop;

    enlace__v1__hop__init(wire);
    wire->message_id = pb_id_data(&from->message_id);
    wire->type = from->type;
    wire->event = (Enlace__V1__Event)from->event;
    wire->item = from->item;
    wire->occurrence = from->occurrence;
    wire->from = pb_text(from->from);
    wire->to = pb_text(from->to);
    wire->official = pb_text(from->official);
    wire->sent = fill_side(&to->sent, &from->sent);
    wire->received = fill_side(&to->received, &from->received);
    wire->state = (Enlace__V1__HopState)from->state;
    wire->since_ms = from->since_ms;
}

static struct hop hop_of(const Enlace__V1__Hop *wire)
{
    return (struct hop){
        .message_id = pb_id(wire->message_id),
        .type = (enum message_type)wire->type,
        .event = (enum event)wire->event,
        .item = wire->item,
        .occurrence = wire->occurrence,
        .from = wire->from,
        .to = wire->to,
        .official = wire->official,
        .sent = side_of(wire->sent),
        .received = side_of(wire->received),
        .state = (enum hop_state)wire->state,
        .since_ms = wire->since_ms,
    };
}

void codec_trace_write(const struct trace *trace, struct arena *arena, struct buffer *out)
{
    Enlace__V1__TraceExchangeResponse wire;
    struct pb_summary summary;
    struct pb_hop *filled = arena_alloc(arena, (trace->count + 1) * sizeof *filled);
    Enlace__V1__Hop **at = arena_alloc(arena, (trace->count + 1) * sizeof *at);

    if (trace->count > WATCH_HOPS_MAX || filled == NULL || at == NULL) {
        out->is_failed = true;
        return;
    }
    enlace__v1__trace_exchange_response__init(&wire);
    fill_summary(&summary, &trace->summary);
    wire.summary = &summary.summary;
    for (size_t i = 0; i < trace->count; i++) {
        fill_hop(&filled[i], &trace->hops[i]);
        at[i] = &filled[i].hop;
    }
    wire.n_hops = trace->count;
    wire.hops = at;
    wire.omitted = trace->omitted;
    wire.now_ms = trace->now_ms;
    pb_write(&wire.base, out);
}

enum rc codec_trace_read(struct bytes from, struct arena *arena, struct trace *trace,
                         struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__TraceExchangeResponse *wire;
    void *hops = NULL;

    TRY(pb_read(SHAPE_TRACE_EXCHANGE_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__TraceExchangeResponse *)read;
    TRY(pb_alloc(arena, (wire->n_hops + 1) * sizeof *trace->hops, &hops, fault));
    *trace = (struct trace){.summary = summary_of(wire->summary),
                            .hops = hops,
                            .count = wire->n_hops,
                            .omitted = wire->omitted,
                            .now_ms = wire->now_ms};
    for (size_t i = 0; i < trace->count; i++) {
        trace->hops[i] = hop_of(wire->hops[i]);
    }
    return RC_OK;
}

/* ---- once more ---- */

void codec_redeliver_request_write(const struct redeliver *redeliver, struct buffer *out)
{
    Enlace__V1__RedeliverRequest wire;

    enlace__v1__redeliver_request__init(&wire);
    wire.from_leaf = redeliver->from;
    wire.from_time_ms = redeliver->from_ms;
    pb_write(&wire.base, out);
}

enum rc codec_redeliver_request_read(struct bytes from, struct arena *arena,
                                     struct redeliver *redeliver, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__RedeliverRequest *wire;

    TRY(pb_read(SHAPE_REDELIVER_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__RedeliverRequest *)read;
    if (wire->from_time_ms < 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "redeliver.time", "from_time_ms",
                      "El instante va en milisegundos desde 1970.");
    }
    *redeliver = (struct redeliver){.from = wire->from_leaf, .from_ms = wire->from_time_ms};
    return RC_OK;
}

void codec_redeliver_response_write(uint32_t count, uint64_t next, struct buffer *out)
{
    Enlace__V1__RedeliverResponse wire;

    enlace__v1__redeliver_response__init(&wire);
    wire.count = count;
    wire.next_leaf = next;
    pb_write(&wire.base, out);
}

enum rc codec_redeliver_response_read(struct bytes from, struct arena *arena,
                                      struct redeliver *redeliver, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__RedeliverResponse *wire;

    TRY(pb_read(SHAPE_REDELIVER_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__RedeliverResponse *)read;
    redeliver->count = wire->count;
    redeliver->next = wire->next_leaf;
    return RC_OK;
}
