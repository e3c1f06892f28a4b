#include "rpc/codec_order.h"

#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"
#include "rpc/codec_walk.h"

static size_t ids_fill(ProtobufCBinaryData *to, const struct id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = pb_id_data(&ids[i]);
    }
    return count;
}

static size_t ids_read(const ProtobufCBinaryData *from, size_t count, struct id *ids)
{
    for (size_t i = 0; i < count; i++) {
        ids[i] = pb_id(from[i]);
    }
    return count;
}

void codec_order_write(const struct order *order, struct buffer *out)
{
    const struct order_target *target = &order->target;
    ProtobufCBinaryData subjects[ORDER_IDS_MAX];
    ProtobufCBinaryData attachments[ORDER_IDS_MAX];
    Enlace__V1__Order wire;

    if (target->subject_count > ORDER_IDS_MAX || target->attachment_count > ORDER_IDS_MAX) {
        out->is_failed = true;
        return;
    }
    enlace__v1__order__init(&wire);
    wire.order_id = pb_id_data(&order->id);
    wire.kind = (Enlace__V1__OrderKind)order->kind;
    wire.member = pb_text(order->member);
    wire.message_id = pb_id_data(&target->message_id);
    wire.part = target->part;
    wire.exchange_id = pb_id_data(&target->exchange_id);
    wire.n_subjects = ids_fill(subjects, target->subjects, target->subject_count);
    wire.subjects = subjects;
    wire.n_attachments = ids_fill(attachments, target->attachments, target->attachment_count);
    wire.attachments = attachments;
    wire.basis = pb_text(order->basis);
    wire.reason = pb_text(order->reason);
    wire.created_at_ms = order->created_at_ms;
    wire.lifts = pb_id_data(&order->lifts);
    wire.before_index = order->before_index;
    wire.before_ms = order->before_ms;
    pb_write(&wire.base, out);
}

static enum rc order_read(struct bytes from, struct arena *arena, struct order *order,
                          struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__Order *wire;

    TRY(pb_read(SHAPE_ORDER, from, "order", arena, &read, fault));
    wire = (const Enlace__V1__Order *)read;
    *order = (struct order){.id = pb_id(wire->order_id),
                            .kind = (enum order_kind)wire->kind,
                            .member = wire->member,
                            .basis = wire->basis,
                            .reason = wire->reason,
                            .created_at_ms = wire->created_at_ms,
                            .lifts = pb_id(wire->lifts),
                            .before_index = wire->before_index,
                            .before_ms = wire->before_ms};
    order->target = (struct order_target){.message_id = pb_id(wire->message_id),
                                          .part = wire->part,
                                          .exchange_id = pb_id(wire->exchange_id)};
    order->target.subject_count =
        ids_read(wire->subjects, wire->n_subjects, order->target.subjects);
    order->target.attachment_count =
        ids_read(wire->attachments, wire->n_attachments, order->target.attachments);
    return RC_OK;
}

static size_t signatures_read(Enlace__V1__Signature *const *from, size_t count,
                              struct signature *signatures)
{
    for (size_t i = 0; i < count; i++) {
        signatures[i] = (struct signature){.certificate = pb_bytes(from[i]->certificate),
                                           .signature = pb_bytes(from[i]->signature)};
    }
    return count;
}

struct wire_signatures {
    Enlace__V1__Signature signatures[MESSAGE_SIGNATURES_MAX];
    Enlace__V1__Signature *at[MESSAGE_SIGNATURES_MAX];
};

static bool signatures_fill(struct wire_signatures *to, const struct signature *signatures,
                            size_t count)
{
    if (count > MESSAGE_SIGNATURES_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enlace__v1__signature__init(&to->signatures[i]);
        to->signatures[i].certificate = pb_data(signatures[i].certificate);
        to->signatures[i].signature = pb_data(signatures[i].signature);
        to->at[i] = &to->signatures[i];
    }
    return true;
}

enum rc codec_order_signed_read(struct bytes from, struct arena *arena, struct order_signed *order,
                                struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GiveOrderRequest *wire;

    TRY(pb_read(SHAPE_GIVE_ORDER_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GiveOrderRequest *)read;
    order->bytes = pb_bytes(wire->order);
    order->signature_count =
        signatures_read(wire->signatures, wire->n_signatures, order->signatures);
    return order_read(order->bytes, arena, &order->order, fault);
}

void codec_order_signed_write(const struct order_signed *order, struct buffer *out)
{
    struct wire_signatures signatures;
    Enlace__V1__GiveOrderRequest wire;

    if (!signatures_fill(&signatures, order->signatures, order->signature_count)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__give_order_request__init(&wire);
    wire.order = pb_data(order->bytes);
    wire.n_signatures = order->signature_count;
    wire.signatures = signatures.at;
    pb_write(&wire.base, out);
}

enum rc codec_order_answer_read(struct bytes from, struct arena *arena, struct order_answer *answer,
                                struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__GetOrderResponse *wire;

    TRY(pb_read(SHAPE_ORDER_ANSWER, from, "", arena, &read, fault));
    wire = (const Enlace__V1__GetOrderResponse *)read;
    answer->status = (struct order_status){.id = pb_id(wire->status->order_id),
                                           .phase = (enum order_phase)wire->status->phase,
                                           .digest = pb_bytes(wire->status->digest),
                                           .entries = wire->status->entries,
                                           .held = wire->status->held,
                                           .due_at_ms = wire->status->due_at_ms,
                                           .before_index = wire->status->before_index};
    answer->signature_count =
        signatures_read(wire->signatures, wire->n_signatures, answer->signatures);
    return RC_OK;
}

void codec_order_answer_write(const struct order_answer *answer, struct buffer *out)
{
    struct wire_signatures signatures;
    Enlace__V1__GetOrderResponse wire;
    Enlace__V1__OrderStatus status;

    if (!signatures_fill(&signatures, answer->signatures, answer->signature_count)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__order_status__init(&status);
    status.order_id = pb_id_data(&answer->status.id);
    status.phase = (Enlace__V1__OrderPhase)answer->status.phase;
    status.digest = pb_data(answer->status.digest);
    status.entries = answer->status.entries;
    status.held = answer->status.held;
    status.due_at_ms = answer->status.due_at_ms;
    status.before_index = answer->status.before_index;
    enlace__v1__get_order_response__init(&wire);
    wire.status = &status;
    wire.n_signatures = answer->signature_count;
    wire.signatures = signatures.at;
    pb_write(&wire.base, out);
}

enum rc codec_blocked_request_read(struct bytes from, struct arena *arena,
                                   struct blocked_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__ReadBlockedRequest *wire;

    TRY(pb_read(SHAPE_READ_BLOCKED_REQUEST, from, "", arena, &read, fault));
    wire = (const Enlace__V1__ReadBlockedRequest *)read;
    *request = (struct blocked_request){
        .message_id = pb_id(wire->message_id), .member = wire->member, .purpose = wire->purpose};
    return RC_OK;
}

void codec_blocked_request_write(const struct blocked_request *request, struct buffer *out)
{
    Enlace__V1__ReadBlockedRequest wire;

    enlace__v1__read_blocked_request__init(&wire);
    wire.message_id = pb_id_data(&request->message_id);
    wire.member = pb_text(request->member);
    wire.purpose = pb_text(request->purpose);
    pb_write(&wire.base, out);
}

enum rc codec_blocked_read(struct bytes from, struct arena *arena, struct message *message,
                           struct fault *fault)
{
    TRY(strict_check(SHAPE_READ_BLOCKED_RESPONSE, from, "", NULL, fault));
    return pb_message_read(walk_first(from).value, arena, message, fault);
}

void codec_blocked_write(const struct message *message, struct buffer *out)
{
    Enlace__V1__ReadBlockedResponse wire;
    struct pb_message inner;

    if (!pb_message_fill(&inner, message)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__read_blocked_response__init(&wire);
    wire.message = &inner.message;
    pb_write(&wire.base, out);
}
