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

void codec_track_write(const struct track *track, struct buffer *out)
{
    Enlace__V1__TrackResponse wire;
    Enlace__V1__ItemState items[MESSAGE_ITEMS_MAX];
    Enlace__V1__ItemState *item_at[MESSAGE_ITEMS_MAX];

    if (track->item_count > MESSAGE_ITEMS_MAX) {
        out->is_failed = true;
        return;
    }
    enlace__v1__track_response__init(&wire);
    wire.exchange_id = pb_id_data(&track->exchange_id);
    wire.from = pb_text(track->from);
    wire.to = pb_text(track->to);
    wire.received_at_ms = track->received_at_ms;
    wire.parent_exchange_id = pb_id_data(&track->parent_exchange_id);
    for (size_t i = 0; i < track->item_count; i++) {
        enlace__v1__item_state__init(&items[i]);
        items[i].number = track->items[i].number;
        items[i].code = pb_text(track->items[i].code);
        items[i].state = (Enlace__V1__State)track->items[i].state;
        items[i].occurrences = track->items[i].occurrences;
        items[i].changed_at_ms = track->items[i].changed_at_ms;
        item_at[i] = &items[i];
    }
    wire.n_items = track->item_count;
    wire.items = item_at;
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
                            .received_at_ms = wire->received_at_ms,
                            .parent_exchange_id = pb_id(wire->parent_exchange_id)};
    for (size_t i = 0; i < wire->n_items; i++) {
        track->items[i] = (struct item_state){.number = wire->items[i]->number,
                                              .code = wire->items[i]->code,
                                              .state = (enum state)wire->items[i]->state,
                                              .occurrences = wire->items[i]->occurrences,
                                              .changed_at_ms = wire->items[i]->changed_at_ms};
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
