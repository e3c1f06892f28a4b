#include "rpc/codec_service.h"

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"
#include "rpc/codec_walk.h"

/* ---- requests ---- */

static enum rc read_submission(struct bytes from, struct arena *arena,
                               struct attach_request *request, struct fault *fault)
{
    void *memory;

    TRY(pb_alloc(arena, sizeof *request->submission, &memory, fault));
    request->kind = ATTACH_SUBMISSION;
    request->submission = memory;
    return pb_submission_read(from, arena, request->submission, fault);
}

enum rc codec_attach_request_read(struct bytes from, struct arena *arena,
                                  struct attach_request *request, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AttachRequest *wire;
    struct walk_field only;

    TRY(strict_check(SHAPE_ATTACH_REQUEST, from, "", NULL, fault));
    *request = (struct attach_request){.kind = ATTACH_NONE};
    only = walk_first(from);
    if (only.id == ENLACE__V1__ATTACH_REQUEST__REQUEST_SUBMISSION) {
        return read_submission(only.value, arena, request, fault);
    }
    TRY(pb_unpack(SHAPE_ATTACH_REQUEST, from, arena, &read, fault));
    wire = (const Enlace__V1__AttachRequest *)read;
    if (wire->request_case == ENLACE__V1__ATTACH_REQUEST__REQUEST_HELLO) {
        request->kind = ATTACH_HELLO;
        request->urgency = (enum urgency)wire->hello->urgency;
        request->window = wire->hello->window;
    } else {
        request->kind = ATTACH_ACKNOWLEDGEMENT;
        request->message_id = pb_id(wire->acknowledgement->message_id);
    }
    return RC_OK;
}

void codec_attach_request_write(const struct attach_request *request, struct buffer *out)
{
    Enlace__V1__AttachRequest wire;
    Enlace__V1__AttachHello hello;
    Enlace__V1__Acknowledgement acknowledgement;
    struct pb_submission submission;

    enlace__v1__attach_request__init(&wire);
    switch (request->kind) {
    case ATTACH_HELLO:
        enlace__v1__attach_hello__init(&hello);
        hello.urgency = (Enlace__V1__Urgency)request->urgency;
        hello.window = request->window;
        wire.request_case = ENLACE__V1__ATTACH_REQUEST__REQUEST_HELLO;
        wire.hello = &hello;
        break;
    case ATTACH_ACKNOWLEDGEMENT:
        enlace__v1__acknowledgement__init(&acknowledgement);
        acknowledgement.message_id = pb_id_data(&request->message_id);
        wire.request_case = ENLACE__V1__ATTACH_REQUEST__REQUEST_ACKNOWLEDGEMENT;
        wire.acknowledgement = &acknowledgement;
        break;
    case ATTACH_SUBMISSION:
        if (!pb_submission_fill(&submission, request->submission)) {
            out->is_failed = true;
            return;
        }
        wire.request_case = ENLACE__V1__ATTACH_REQUEST__REQUEST_SUBMISSION;
        wire.submission = &submission.submission;
        break;
    case ATTACH_NONE:
        out->is_failed = true;
        return;
    }
    pb_write(&wire.base, out);
}

/* ---- responses ---- */

/* `bytes` is the same Delivery: its message is read where it lies. */
static enum rc read_delivery(const Enlace__V1__Delivery *from, struct bytes bytes,
                             struct arena *arena, struct delivery *delivery, struct fault *fault)
{
    struct message *message;
    void *memory;

    TRY(pb_alloc(arena, sizeof *message, &memory, fault));
    message = memory;
    TRY(pb_message_read(walk_first(bytes).value, arena, message, fault));
    *delivery = (struct delivery){.message = message,
                                  .receipt = pb_receipt(from->receipt),
                                  .sender_receipt = pb_receipt(from->sender_receipt),
                                  .is_redelivered = from->is_redelivered,
                                  .was_settled = from->was_settled};
    return RC_OK;
}

enum rc codec_attach_response_read(struct bytes from, struct arena *arena,
                                   struct attach_response *response, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__AttachResponse *wire;

    TRY(pb_read(SHAPE_ATTACH_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__AttachResponse *)read;
    *response = (struct attach_response){.kind = ANSWER_NONE};
    switch (wire->response_case) {
    case ENLACE__V1__ATTACH_RESPONSE__RESPONSE_DELIVERY:
        response->kind = ANSWER_DELIVERY;
        return read_delivery(wire->delivery, walk_first(from).value, arena, &response->delivery,
                             fault);
    case ENLACE__V1__ATTACH_RESPONSE__RESPONSE_RESULT:
        response->kind = ANSWER_RESULT;
        return pb_result_read(wire->result, &response->result, fault);
    default:
        response->kind = ANSWER_SETTLED;
        response->settled = pb_id(wire->settled->message_id);
        return RC_OK;
    }
}

static void write_delivery(const struct delivery *delivery, struct buffer *out)
{
    Enlace__V1__AttachResponse wire;
    Enlace__V1__Delivery inner;
    Enlace__V1__Receipt receipt;
    Enlace__V1__Receipt sender_receipt;
    struct pb_message message;

    if (!pb_message_fill(&message, delivery->message)) {
        out->is_failed = true;
        return;
    }
    enlace__v1__delivery__init(&inner);
    inner.message = &message.message;
    pb_receipt_fill(&receipt, &delivery->receipt);
    inner.receipt = &receipt;
    if (delivery->sender_receipt.level != RECEIPT_NONE) {
        pb_receipt_fill(&sender_receipt, &delivery->sender_receipt);
        inner.sender_receipt = &sender_receipt;
    }
    inner.is_redelivered = delivery->is_redelivered;
    inner.was_settled = delivery->was_settled;
    enlace__v1__attach_response__init(&wire);
    wire.response_case = ENLACE__V1__ATTACH_RESPONSE__RESPONSE_DELIVERY;
    wire.delivery = &inner;
    pb_write(&wire.base, out);
}

void codec_attach_response_write(const struct attach_response *response, struct buffer *out)
{
    Enlace__V1__AttachResponse wire;
    Enlace__V1__Acknowledgement settled;
    struct pb_result result;

    enlace__v1__attach_response__init(&wire);
    switch (response->kind) {
    case ANSWER_DELIVERY:
        write_delivery(&response->delivery, out);
        return;
    case ANSWER_RESULT:
        pb_result_fill(&result, &response->result);
        wire.response_case = ENLACE__V1__ATTACH_RESPONSE__RESPONSE_RESULT;
        wire.result = &result.result;
        break;
    case ANSWER_SETTLED:
        enlace__v1__acknowledgement__init(&settled);
        settled.message_id = pb_id_data(&response->settled);
        wire.response_case = ENLACE__V1__ATTACH_RESPONSE__RESPONSE_SETTLED;
        wire.settled = &settled;
        break;
    case ANSWER_NONE:
        out->is_failed = true;
        return;
    }
    pb_write(&wire.base, out);
}
