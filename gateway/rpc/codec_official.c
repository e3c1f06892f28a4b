#include "rpc/codec_official.h"

#include <stdio.h>
#include <string.h>

#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"
#include "rpc/codec_walk.h"

void codec_official_act_write(const struct official_act *act, struct buffer *out)
{
    Enlace__V1__OfficialAct wire;

    enlace__v1__official_act__init(&wire);
    wire.act_id = pb_id_data(&act->id);
    wire.member = pb_text(act->member);
    wire.kind = (Enlace__V1__OfficialActKind)act->kind;
    wire.message_id = pb_id_data(&act->message_id);
    wire.reason = pb_text(act->reason);
    wire.created_at_ms = act->created_at_ms;
    wire.subject = pb_id_data(&act->subject);
    wire.target = pb_text(act->target);
    pb_write(&wire.base, out);
}

static enum rc act_read(struct bytes from, struct arena *arena, struct official_act *act,
                        struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__OfficialAct *wire;

    TRY(pb_read(SHAPE_OFFICIAL_ACT, from, "act", arena, &read, fault));
    wire = (const Enlace__V1__OfficialAct *)read;
    *act = (struct official_act){.id = pb_id(wire->act_id),
                                 .member = wire->member,
                                 .kind = (enum official_kind)wire->kind,
                                 .message_id = pb_id(wire->message_id),
                                 .reason = wire->reason,
                                 .created_at_ms = wire->created_at_ms,
                                 .subject = pb_id(wire->subject),
                                 .target = wire->target};
    return RC_OK;
}

static struct signature signature_of(const Enlace__V1__Signature *from)
{
    return (struct signature){.certificate = pb_bytes(from->certificate),
                              .signature = pb_bytes(from->signature)};
}

static void signature_fill(Enlace__V1__Signature *to, const struct signature *from)
{
    enlace__v1__signature__init(to);
    to->certificate = pb_data(from->certificate);
    to->signature = pb_data(from->signature);
}

enum rc codec_official_signed_read(struct bytes from, struct arena *arena,
                                   struct official_signed *act, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveActRequest *wire;

    TRY(pb_read(SHAPE_GIVE_ACT_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GiveActRequest *)read;
    act->bytes = pb_bytes(wire->act);
    act->signature = signature_of(wire->signature);
    act->has_approval = wire->approval != NULL;
    if (act->has_approval) {
        act->approval = signature_of(wire->approval);
    }
    return act_read(act->bytes, arena, &act->act, fault);
}

void codec_official_signed_write(const struct official_signed *act, struct buffer *out)
{
    Enlace__V1__GiveActRequest wire;
    Enlace__V1__Signature signature;
    Enlace__V1__Signature approval;

    enlace__v1__give_act_request__init(&wire);
    wire.act = pb_data(act->bytes);
    signature_fill(&signature, &act->signature);
    wire.signature = &signature;
    if (act->has_approval) {
        signature_fill(&approval, &act->approval);
        wire.approval = &approval;
    }
    pb_write(&wire.base, out);
}

enum rc codec_official_answer_read(struct bytes from, struct arena *arena,
                                   uint8_t digest[HASH_SIZE], struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_GIVE_ACT_RESPONSE, from, "", arena, &read, fault));
    memcpy(digest, ((const Enlace__V1__GiveActResponse *)read)->digest.data, HASH_SIZE);
    return RC_OK;
}

void codec_official_answer_write(const uint8_t digest[HASH_SIZE], struct buffer *out)
{
    Enlace__V1__GiveActResponse wire;

    enlace__v1__give_act_response__init(&wire);
    wire.digest = pb_data(BYTES(digest, HASH_SIZE));
    pb_write(&wire.base, out);
}

enum rc codec_awaiting_read(struct bytes from, struct arena *arena, struct awaiting *rows,
                            size_t *count, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ListAwaitingResponse *wire;

    TRY(pb_read(SHAPE_LIST_AWAITING_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ListAwaitingResponse *)read;
    *count = wire->n_awaiting;
    for (size_t i = 0; i < wire->n_awaiting; i++) {
        const Enlace__V1__Awaiting *row = wire->awaiting[i];

        rows[i] = (struct awaiting){.kind = (enum awaiting_kind)row->kind,
                                    .message_id = pb_id(row->message_id),
                                    .exchange_id = pb_id(row->exchange_id),
                                    .urgency = (enum urgency)row->urgency,
                                    .since_ms = row->since_ms,
                                    .until_ms = row->until_ms};
        snprintf(rows[i].to, sizeof rows[i].to, "%s", row->to);
        snprintf(rows[i].official, sizeof rows[i].official, "%s", row->official);
    }
    return RC_OK;
}

void codec_awaiting_write(const struct awaiting *rows, size_t count, struct buffer *out)
{
    Enlace__V1__ListAwaitingResponse wire;
    Enlace__V1__Awaiting parts[OFFICIAL_AWAITING_MAX];
    Enlace__V1__Awaiting *at[OFFICIAL_AWAITING_MAX];

    if (count > OFFICIAL_AWAITING_MAX) {
        out->is_failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        enlace__v1__awaiting__init(&parts[i]);
        parts[i].message_id = pb_id_data(&rows[i].message_id);
        parts[i].exchange_id = pb_id_data(&rows[i].exchange_id);
        parts[i].to = pb_text(rows[i].to);
        parts[i].official = pb_text(rows[i].official);
        parts[i].urgency = (Enlace__V1__Urgency)rows[i].urgency;
        parts[i].since_ms = rows[i].since_ms;
        parts[i].until_ms = rows[i].until_ms;
        parts[i].kind = (Enlace__V1__AwaitingKind)rows[i].kind;
        at[i] = &parts[i];
    }
    enlace__v1__list_awaiting_response__init(&wire);
    wire.n_awaiting = count;
    wire.awaiting = at;
    pb_write(&wire.base, out);
}

enum rc codec_awaiting_message_read(struct bytes from, struct arena *arena, struct message *message,
                                    struct fault *fault)
{
    TRY(strict_check(SHAPE_GET_AWAITING_RESPONSE, from, "", NULL, fault));
    return pb_message_read(walk_first(from).value, arena, message, fault);
}

void codec_awaiting_message_write(const struct message *message, struct buffer *out)
{
    Enlace__V1__GetAwaitingResponse wire;
    struct pb_message inner;

    if (!pb_message_fill(&inner, message)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__get_awaiting_response__init(&wire);
    wire.message = &inner.message;
    pb_write(&wire.base, out);
}

enum rc codec_will_read(struct bytes from, struct arena *arena, struct will *will,
                        struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GetWillResponse *wire;

    TRY(pb_read(SHAPE_GET_WILL_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GetWillResponse *)read;
    *will = (struct will){.consent = (enum will_consent)wire->consent,
                          .since_ms = wire->since_ms,
                          .ratify_by_ms = wire->ratify_by_ms,
                          .excluded_count = wire->n_excluded,
                          .standing_count = wire->n_standing};
    snprintf(will->reference, sizeof will->reference, "%s", wire->reference);
    snprintf(will->official, sizeof will->official, "%s", wire->official);
    for (size_t i = 0; i < wire->n_excluded; i++) {
        snprintf(will->excluded[i], WILL_NAME_SIZE, "%s", wire->excluded[i]);
    }
    for (size_t i = 0; i < wire->n_standing; i++) {
        snprintf(will->standing[i], CODE_SIZE, "%s", wire->standing[i]);
    }
    return RC_OK;
}

void codec_will_write(const struct will *will, struct buffer *out)
{
    Enlace__V1__GetWillResponse wire;
    char *excluded[WILL_EXCLUDED_MAX];
    char *standing[WILL_STANDING_MAX];

    enlace__v1__get_will_response__init(&wire);
    wire.consent = (Enlace__V1__WillConsent)will->consent;
    wire.reference = pb_text(will->reference);
    wire.official = pb_text(will->official);
    wire.since_ms = will->since_ms;
    wire.ratify_by_ms = will->ratify_by_ms;
    for (size_t i = 0; i < will->excluded_count; i++) {
        excluded[i] = pb_text(will->excluded[i]);
    }
    for (size_t i = 0; i < will->standing_count; i++) {
        standing[i] = pb_text(will->standing[i]);
    }
    wire.n_excluded = will->excluded_count;
    wire.excluded = excluded;
    wire.n_standing = will->standing_count;
    wire.standing = standing;
    pb_write(&wire.base, out);
}
