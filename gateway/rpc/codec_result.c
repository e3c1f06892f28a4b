#include "rpc/codec.h"

#include <stdio.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"

void pb_receipt_fill(Enlace__V1__Receipt *to, const struct receipt *from)
{
    enlace__v1__receipt__init(to);
    to->level = (Enlace__V1__ReceiptLevel)from->level;
    to->leaf = pb_data(from->leaf);
    to->tlog_proof = pb_data(from->tlog_proof);
}

struct receipt pb_receipt(const Enlace__V1__Receipt *from)
{
    if (from == NULL) {
        return (struct receipt){0};
    }
    return (struct receipt){.level = (enum receipt_level)from->level,
                            .leaf = pb_bytes(from->leaf),
                            .tlog_proof = pb_bytes(from->tlog_proof)};
}

void pb_refusal_fill(Enlace__V1__Refusal *to, const struct fault *from)
{
    enlace__v1__refusal__init(to);
    to->code = (uint32_t)from->rc;
    to->reason = pb_text(from->reason);
    to->path = pb_text(from->path);
    to->remedy = pb_text(from->remedy);
}

enum rc pb_refusal_read(const Enlace__V1__Refusal *from, struct fault *refusal, struct fault *fault)
{
    if (from->code > RC_UNAUTHENTICATED) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.unknown_value", "refusal.code",
                      "No es un código de estado de gRPC.");
    }
    *refusal = (struct fault){.rc = (enum rc)from->code};
    snprintf(refusal->reason, sizeof refusal->reason, "%s", from->reason);
    snprintf(refusal->path, sizeof refusal->path, "%s", from->path);
    snprintf(refusal->remedy, sizeof refusal->remedy, "%s", from->remedy);
    return RC_OK;
}

void pb_result_fill(struct pb_result *to, const struct submit_result *from)
{
    enlace__v1__submit_result__init(&to->result);
    to->result.message_id = pb_id_data(&from->message_id);
    to->result.is_erased = from->is_erased;
    if (from->fault.rc == RC_OK) {
        pb_receipt_fill(&to->receipt, &from->receipt);
        to->result.outcome_case = ENLACE__V1__SUBMIT_RESULT__OUTCOME_RECEIPT;
        to->result.receipt = &to->receipt;
    } else {
        pb_refusal_fill(&to->refusal, &from->fault);
        to->result.outcome_case = ENLACE__V1__SUBMIT_RESULT__OUTCOME_REFUSAL;
        to->result.refusal = &to->refusal;
    }
}

enum rc pb_result_read(const Enlace__V1__SubmitResult *from, struct submit_result *result,
                       struct fault *fault)
{
    *result =
        (struct submit_result){.message_id = pb_id(from->message_id), .is_erased = from->is_erased};
    if (from->outcome_case == ENLACE__V1__SUBMIT_RESULT__OUTCOME_REFUSAL) {
        return pb_refusal_read(from->refusal, &result->fault, fault);
    }
    result->receipt = pb_receipt(from->receipt);
    return RC_OK;
}

void codec_submit_response_write(const struct receipt *receipt, bool is_erased, struct buffer *out)
{
    Enlace__V1__SubmitResponse response;
    Enlace__V1__Receipt wire;

    enlace__v1__submit_response__init(&response);
    pb_receipt_fill(&wire, receipt);
    response.receipt = &wire;
    response.is_erased = is_erased;
    pb_write(&response.base, out);
}

enum rc codec_submit_response_read(struct bytes from, struct arena *arena, struct receipt *receipt,
                                   bool *is_erased, struct fault *fault)
{
    ProtobufCMessage *read = NULL;

    TRY(pb_read(SHAPE_SUBMIT_RESPONSE, from, "", arena, &read, fault));
    *receipt = pb_receipt(((const Enlace__V1__SubmitResponse *)read)->receipt);
    *is_erased = ((const Enlace__V1__SubmitResponse *)read)->is_erased;
    return RC_OK;
}

/*
 * One result at a time: protobuf is made so that messages with one entry each, written one after
 * the other, are one message with all of them.
 */
void codec_results_write(const struct submit_result *results, size_t count, struct buffer *out)
{
    if (count > CODEC_RESULTS_MAX) {
        out->is_failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct pb_result wire;
        Enlace__V1__SubmitResult *entry = &wire.result;
        Enlace__V1__SubmitStreamResponse response;

        pb_result_fill(&wire, &results[i]);
        enlace__v1__submit_stream_response__init(&response);
        response.n_results = 1;
        response.results = &entry;
        pb_write(&response.base, out);
    }
}

enum rc codec_results_read(struct bytes from, struct arena *arena, struct submit_result **results,
                           size_t *count, struct fault *fault)
{
    ProtobufCMessage *read = NULL;
    const Enlace__V1__SubmitStreamResponse *wire;
    struct submit_result *all;
    void *memory;

    TRY(pb_read(SHAPE_SUBMIT_STREAM_RESPONSE, from, "", arena, &read, fault));
    wire = (const Enlace__V1__SubmitStreamResponse *)read;
    TRY(pb_alloc(arena, wire->n_results * sizeof *all, &memory, fault));
    all = memory;
    for (size_t i = 0; i < wire->n_results; i++) {
        TRY(pb_result_read(wire->results[i], &all[i], fault));
    }
    *results = all;
    *count = wire->n_results;
    return RC_OK;
}
