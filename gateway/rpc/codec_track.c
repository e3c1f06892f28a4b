#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"

void codec_id_request_write(const struct id *id, struct buffer *out)
{
    Enlace__V1__TrackRequest wire;

    enlace__v1__track_request__init(&wire);
    wire.exchange_id = pb_id_data(id);
    pb_write(&wire.base, out);
}

enum rc codec_id_request_read(struct bytes from, struct id *id, struct fault *fault)
{
    TRY(strict_check(SHAPE_ID_REQUEST, from, "", NULL, fault));
    /* One way to write it is left: the field's tag, its length, and the id. */
    return id_from_bytes(BYTES(from.data + 2, from.size - 2), id);
}

/* What an act takes on the wire, in the writer's frame. */
static Enlace__V1__TrackedAct *fill_act(const struct tracked_act *act, Enlace__V1__TrackedAct *wire)
{
    if (act->occurred_at_ms == 0) {
        return NULL;
    }
    enlace__v1__tracked_act__init(wire);
    wire->occurred_at_ms = act->occurred_at_ms;
    wire->entered_at_ms = act->entered_at_ms;
    wire->out_of_band = (Enlace__V1__OutOfBand)act->band;
    return wire;
}

static struct tracked_act read_act(const Enlace__V1__TrackedAct *wire)
{
    struct tracked_act act = {0};

    if (wire != NULL) {
        act.occurred_at_ms = wire->occurred_at_ms;
        act.entered_at_ms = wire->entered_at_ms;
        act.band = (enum out_of_band)wire->out_of_band;
    }
    return act;
}

struct clock_wire {
    Enlace__V1__ClockState state;
    Enlace__V1__TrackedAct anchored;
    Enlace__V1__TrackedAct stopped;
};

static void fill_clock(const struct clock_state *clock, struct clock_wire *wire)
{
    enlace__v1__clock_state__init(&wire->state);
    wire->state.id = pb_text(clock->id);
    wire->state.item = clock->item;
    wire->state.anchor = pb_text(clock->anchor);
    wire->state.stop = pb_text(clock->stop);
    wire->state.anchored = fill_act(&clock->anchored, &wire->anchored);
    wire->state.due_at_ms = clock->due_at_ms;
    wire->state.stopped = fill_act(&clock->stopped, &wire->stopped);
    wire->state.percent_left = clock->percent_left;
    wire->state.is_overdue = clock->is_overdue;
    wire->state.told = clock->told;
    wire->state.late = pb_text(clock->late);
}

static struct clock_state read_clock(const Enlace__V1__ClockState *wire)
{
    return (struct clock_state){.id = wire->id,
                                .item = wire->item,
                                .anchor = wire->anchor,
                                .stop = wire->stop,
                                .anchored = read_act(wire->anchored),
                                .due_at_ms = wire->due_at_ms,
                                .stopped = read_act(wire->stopped),
                                .percent_left = wire->percent_left,
                                .is_overdue = wire->is_overdue,
                                .told = wire->told,
                                .late = wire->late};
}

struct item_wire {
    Enlace__V1__ItemState state;
    Enlace__V1__Cadence cadence;
};

static void fill_item(const struct item_state *item, struct item_wire *wire)
{
    enlace__v1__item_state__init(&wire->state);
    wire->state.number = item->number;
    wire->state.code = pb_text(item->code);
    wire->state.state = (Enlace__V1__State)item->state;
    wire->state.occurrences = item->occurrences;
    wire->state.changed_at_ms = item->changed_at_ms;
    wire->state.responsible = pb_text(item->responsible);
    wire->state.occurrence_due_at_ms = item->occurrence_due_ms;
    wire->state.missing = item->missing;
    wire->state.ends_on = pb_text(item->ends_on);
    wire->state.is_suspended = item->is_suspended;
    wire->state.reason = pb_text(item->reason);
    wire->state.competent = pb_text(item->competent);
    if (item->period != PERIOD_NONE) {
        enlace__v1__cadence__init(&wire->cadence);
        wire->cadence.count = item->cadence_count;
        wire->cadence.period = (Enlace__V1__Period)item->period;
        wire->state.cadence = &wire->cadence;
    }
}

static struct item_state read_item(const Enlace__V1__ItemState *wire)
{
    return (struct item_state){
        .number = wire->number,
        .code = wire->code,
        .state = (enum state)wire->state,
        .occurrences = wire->occurrences,
        .changed_at_ms = wire->changed_at_ms,
        .responsible = wire->responsible,
        .occurrence_due_ms = wire->occurrence_due_at_ms,
        .missing = wire->missing,
        .ends_on = wire->ends_on,
        .is_suspended = wire->is_suspended,
        .reason = wire->reason,
        .competent = wire->competent,
        .cadence_count = wire->cadence != NULL ? wire->cadence->count : 0,
        .period = wire->cadence != NULL ? (enum period)wire->cadence->period : PERIOD_NONE,
    };
}

static void fill_track(const struct track *track, Enlace__V1__TrackResponse *wire)
{
    enlace__v1__track_response__init(wire);
    wire->exchange_id = pb_id_data(&track->exchange_id);
    wire->from = pb_text(track->from);
    wire->to = pb_text(track->to);
    wire->received_at_ms = track->received_at_ms;
    wire->parent_exchange_id = pb_id_data(&track->parent_exchange_id);
    wire->now_ms = track->now_ms;
    wire->urgency = (Enlace__V1__Urgency)track->urgency;
    wire->route = pb_text(track->route);
    wire->expires_at_ms = track->expires_at_ms;
    wire->type = (uint32_t)track->type;
}

void codec_track_write(const struct track *track, struct buffer *out)
{
    Enlace__V1__TrackResponse wire;
    Enlace__V1__TrackedAct opened;
    struct item_wire items[MESSAGE_ITEMS_MAX];
    Enlace__V1__ItemState *item_at[MESSAGE_ITEMS_MAX];
    struct clock_wire clocks[TRACK_CLOCKS_MAX];
    Enlace__V1__ClockState *clock_at[TRACK_CLOCKS_MAX];

    if (track->item_count > MESSAGE_ITEMS_MAX || track->clock_count > TRACK_CLOCKS_MAX) {
        out->is_failed = true;
        return;
    }
    fill_track(track, &wire);
    wire.opened = fill_act(&track->opened, &opened);
    for (size_t i = 0; i < track->item_count; i++) {
        fill_item(&track->items[i], &items[i]);
        item_at[i] = &items[i].state;
    }
    wire.n_items = track->item_count;
    wire.items = item_at;
    for (size_t i = 0; i < track->clock_count; i++) {
        fill_clock(&track->clocks[i], &clocks[i]);
        clock_at[i] = &clocks[i].state;
    }
    wire.n_clocks = track->clock_count;
    wire.clocks = clock_at;
    pb_write(&wire.base, out);
}

enum rc codec_track_read(struct bytes from, struct arena *arena, struct track *track,
                         struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__TrackResponse *wire;

    TRY(pb_read(SHAPE_TRACK_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__TrackResponse *)read;
    *track = (struct track){.exchange_id = pb_id(wire->exchange_id),
                            .from = wire->from,
                            .to = wire->to,
                            .item_count = wire->n_items,
                            .clock_count = wire->n_clocks,
                            .received_at_ms = wire->received_at_ms,
                            .now_ms = wire->now_ms,
                            .urgency = (enum urgency)wire->urgency,
                            .route = wire->route,
                            .opened = read_act(wire->opened),
                            .expires_at_ms = wire->expires_at_ms,
                            .type = (enum message_type)wire->type,
                            .parent_exchange_id = pb_id(wire->parent_exchange_id)};
    for (size_t i = 0; i < wire->n_items; i++) {
        track->items[i] = read_item(wire->items[i]);
    }
    for (size_t i = 0; i < wire->n_clocks; i++) {
        track->clocks[i] = read_clock(wire->clocks[i]);
    }
    return RC_OK;
}

void codec_receipts_write(const struct receipts *receipts, struct buffer *out)
{
    Enlace__V1__GetReceiptsResponse wire;
    Enlace__V1__Receipt items[RECEIPTS_MAX];
    Enlace__V1__Receipt *item_at[RECEIPTS_MAX];

    if (receipts->count > RECEIPTS_MAX) {
        out->is_failed = true;
        return;
    }
    enlace__v1__get_receipts_response__init(&wire);
    wire.message_commitment = pb_data(receipts->message_commitment);
    for (size_t i = 0; i < receipts->count; i++) {
        pb_receipt_fill(&items[i], &receipts->items[i]);
        item_at[i] = &items[i];
    }
    wire.n_receipts = receipts->count;
    wire.receipts = item_at;
    pb_write(&wire.base, out);
}

enum rc codec_receipts_read(struct bytes from, struct arena *arena, struct receipts *receipts,
                            struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GetReceiptsResponse *wire;

    TRY(pb_read(SHAPE_RECEIPTS_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GetReceiptsResponse *)read;
    *receipts = (struct receipts){.message_commitment = pb_bytes(wire->message_commitment),
                                  .count = wire->n_receipts};
    for (size_t i = 0; i < wire->n_receipts; i++) {
        receipts->items[i] = pb_receipt(wire->receipts[i]);
    }
    return RC_OK;
}

void codec_give_again_write(const struct id *id, bool only_asks, struct buffer *out)
{
    Enlace__V1__GiveAgainRequest wire;

    enlace__v1__give_again_request__init(&wire);
    wire.message_id = pb_id_data(id);
    wire.only_ask = only_asks;
    pb_write(&wire.base, out);
}

enum rc codec_give_again_read(struct bytes from, struct arena *arena, struct id *id,
                              bool *only_asks, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveAgainRequest *wire;

    TRY(pb_read(SHAPE_GIVE_AGAIN_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GiveAgainRequest *)read;
    *id = pb_id(wire->message_id);
    *only_asks = wire->only_ask;
    return RC_OK;
}

void codec_given_again_write(const struct given_again *given, struct buffer *out)
{
    Enlace__V1__GiveAgainResponse wire;

    enlace__v1__give_again_response__init(&wire);
    wire.was_owed = given->was_owed;
    wire.maybe_another_has = given->maybe_another_has;
    pb_write(&wire.base, out);
}

enum rc codec_given_again_read(struct bytes from, struct arena *arena, struct given_again *given,
                               struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveAgainResponse *wire;

    TRY(pb_read(SHAPE_GIVE_AGAIN_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GiveAgainResponse *)read;
    *given = (struct given_again){wire->was_owed, wire->maybe_another_has};
    return RC_OK;
}

void codec_ping_write(const struct ping *ping, struct buffer *out)
{
    Enlace__V1__PingResponse wire;

    enlace__v1__ping_response__init(&wire);
    wire.you = pb_text(ping->you);
    wire.node = pb_text(ping->node);
    wire.time_ms = ping->time_ms;
    wire.directory_sha256 = pb_data(ping->directory_sha256);
    pb_write(&wire.base, out);
}

enum rc codec_ping_read(struct bytes from, struct arena *arena, struct ping *ping,
                        struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__PingResponse *wire;

    TRY(pb_read(SHAPE_PING_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__PingResponse *)read;
    *ping = (struct ping){.you = wire->you,
                          .node = wire->node,
                          .time_ms = wire->time_ms,
                          .directory_sha256 = pb_bytes(wire->directory_sha256)};
    return RC_OK;
}
