#include "rpc/codec.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "rpc/codec_pb.h"
#include "rpc/codec_strict.h"
#include "rpc/codec_walk.h"

/* Field numbers of the wrappers in message.proto and exchange.proto. */
enum { SUBMISSION_MESSAGE = 1 };
enum { MESSAGE_HEADER = 1, MESSAGE_HEADER_BLIND, MESSAGE_COMPARTMENT };
enum { COMPARTMENT_PART = 1, COMPARTMENT_BLIND };
enum { SIGNATURE_CERTIFICATE = 1 };

/* ---- reading ---- */

static enum rc refuse_compartment(size_t index, const char *field, const char *reason,
                                  const char *remedy, struct fault *fault)
{
    char path[48];

    snprintf(path, sizeof path, "compartments[%zu]%s", index, field);
    return refuse(fault, RC_INVALID_ARGUMENT, reason, path, "%s", remedy);
}

/* Ascending parts of known types, each of a subject that the header has. */
static enum rc check_part(const struct message *message, size_t index, struct fault *fault)
{
    const struct compartment *compartment = &message->compartments[index];

    if (compartment->part > UINT16_MAX || compartment_type(compartment) == COMPARTMENT_NONE) {
        return refuse_compartment(index, ".part", "decode.unknown_value",
                                  "El tipo de compartimento no está en el esquema.", fault);
    }
    if (compartment_subject(compartment) >= message->header.subject_count) {
        return refuse_compartment(index, ".part", "decode.unknown_value",
                                  "El compartimento debe pertenecer a una persona del encabezado.",
                                  fault);
    }
    if (index > 0 && compartment->part <= message->compartments[index - 1].part) {
        return refuse_compartment(index, ".part", "decode.not_canonical",
                                  "Ordene los compartimentos por su número, sin repetirlos.",
                                  fault);
    }
    return RC_OK;
}

static enum rc read_attachments(const Enlace__V1__AttachmentsCompartment *from, struct arena *arena,
                                struct message *message, struct fault *fault)
{
    size_t count = message->attachment_count + from->n_entries;
    struct attachment *all;
    void *memory;

    if (count > MESSAGE_ATTACHMENTS_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.too_many", "attachments.entries",
                      "Un mensaje lleva como máximo %d anexos.", MESSAGE_ATTACHMENTS_MAX);
    }
    TRY(pb_alloc(arena, count * sizeof *all, &memory, fault));
    all = memory;
    if (message->attachment_count > 0) {
        memcpy(all, message->attachments, message->attachment_count * sizeof *all);
    }
    for (size_t i = 0; i < from->n_entries; i++) {
        const Enlace__V1__Attachment *entry = from->entries[i];

        all[message->attachment_count + i] = (struct attachment){.id = pb_id(entry->attachment_id),
                                                                 .media_type = entry->media_type,
                                                                 .size = entry->size,
                                                                 .sha256 = pb_bytes(entry->sha256),
                                                                 .title = entry->title};
    }
    message->attachments = all;
    message->attachment_count = count;
    return RC_OK;
}

/* Of most types the fields' names are all that anybody looks at: only some are unpacked. */
static enum rc read_clear(struct compartment *compartment, struct arena *arena,
                          struct message *message, struct fault *fault)
{
    enum compartment_type type = compartment_type(compartment);
    enum shape_name shape = shape_of_compartment(type);
    ProtobufCMessage *read = NULL;

    TRY(strict_check(shape, compartment->content, compartment_name(type), &message->fields, fault));
    switch (type) {
    case COMPARTMENT_IDENTITY:
        TRY(pb_unpack(shape, compartment->content, arena, &read, fault));
        compartment->curp = ((Enlace__V1__IdentityCompartment *)read)->curp;
        compartment->birth_date = ((Enlace__V1__IdentityCompartment *)read)->birth_date;
        return RC_OK;
    case COMPARTMENT_LOCATION:
        TRY(pb_unpack(shape, compartment->content, arena, &read, fault));
        compartment->alcaldia = ((Enlace__V1__LocationCompartment *)read)->alcaldia;
        return RC_OK;
    case COMPARTMENT_ATTACHMENTS:
        TRY(pb_unpack(shape, compartment->content, arena, &read, fault));
        return read_attachments((Enlace__V1__AttachmentsCompartment *)read, arena, message, fault);
    default:
        return RC_OK;
    }
}

static enum rc read_compartment(struct bytes from, size_t index, struct arena *arena,
                                struct message *message, struct fault *fault)
{
    struct compartment *to = &message->compartments[index];
    struct walk_field field;
    uint32_t type_bit;

    *to = (struct compartment){.curp = "", .birth_date = "", .alcaldia = ""};
    while (walk_next(&from, &field)) {
        switch (field.id) {
        case COMPARTMENT_PART:
            to->part = (uint32_t)field.number;
            break;
        case COMPARTMENT_BLIND:
            to->blind = field.value;
            break;
        default:
            to->is_sealed = field.id == ENLACE__V1__COMPARTMENT__CONTENT_SEALED;
            to->content = field.value;
        }
    }
    TRY(check_part(message, index, fault));
    type_bit = (uint32_t)1 << compartment_type(to);
    if (to->is_sealed) {
        message->sealed_types |= type_bit;
        return RC_OK;
    }
    message->clear_types |= type_bit;
    return read_clear(to, arena, message, fault);
}

static struct signature read_signature(struct bytes from)
{
    struct signature signature = {0};
    struct walk_field field;

    while (walk_next(&from, &field)) {
        if (field.id == SIGNATURE_CERTIFICATE) {
            signature.certificate = field.value;
        } else {
            signature.signature = field.value;
        }
    }
    return signature;
}

/* In the order of their numbers: the header is there when a compartment asks for its subjects. */
static enum rc read_part(const struct walk_field *field, struct arena *arena,
                         struct message *message, struct fault *fault)
{
    switch (field->id) {
    case MESSAGE_HEADER:
        message->header_bytes = field->value;
        return codec_header_read(field->value, arena, &message->header, fault);
    case MESSAGE_HEADER_BLIND:
        message->header_blind = field->value;
        return RC_OK;
    case MESSAGE_COMPARTMENT:
        return read_compartment(field->value, message->compartment_count++, arena, message, fault);
    default:
        message->signatures[message->signature_count++] = read_signature(field->value);
        return RC_OK;
    }
}

enum rc pb_message_read(struct bytes from, struct arena *arena, struct message *message,
                        struct fault *fault)
{
    struct walk_field field;

    message->bytes = from;
    message->fields = (struct field_set){0};
    message->clear_types = message->sealed_types = 0;
    message->attachments = NULL;
    message->attachment_count = 0;
    message->compartment_count = message->signature_count = 0;
    while (walk_next(&from, &field)) {
        TRY(read_part(&field, arena, message, fault));
    }
    return RC_OK;
}

enum rc codec_message_read(struct bytes from, struct arena *arena, struct message *message,
                           struct fault *fault)
{
    if (from.size > MESSAGE_BYTES_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.too_large", "message",
                      "Un mensaje ocupa como máximo 1 MiB; los archivos viajan como anexos.");
    }
    TRY(strict_check(SHAPE_MESSAGE, from, "message", NULL, fault));
    return pb_message_read(from, arena, message, fault);
}

static struct id id_of(struct bytes bytes)
{
    return pb_id(pb_data(bytes));
}

enum rc pb_submission_read(struct bytes from, struct arena *arena, struct submission *submission,
                           struct fault *fault)
{
    struct walk_field field;

    submission->local_subject_count = 0;
    while (walk_next(&from, &field)) {
        if (field.id == SUBMISSION_MESSAGE) {
            TRY(pb_message_read(field.value, arena, &submission->message, fault));
        } else {
            submission->local_subjects[submission->local_subject_count++] = id_of(field.value);
        }
    }
    if (submission->local_subject_count > 0 &&
        submission->local_subject_count != submission->message.header.subject_count) {
        return refuse(fault, RC_INVALID_ARGUMENT, "decode.missing", "submission.local_subjects",
                      "Envíe un identificador propio por cada persona del encabezado, o ninguno.");
    }
    return RC_OK;
}

enum rc codec_submit_read(struct bytes from, struct arena *arena, struct submission *submission,
                          struct fault *fault)
{
    TRY(strict_check(SHAPE_SUBMIT_REQUEST, from, "", NULL, fault));
    return pb_submission_read(walk_first(from).value, arena, submission, fault);
}

/* ---- writing ---- */

static void fill_compartments(struct pb_message *to, const struct message *from)
{
    for (size_t i = 0; i < from->compartment_count; i++) {
        const struct compartment *compartment = &from->compartments[i];
        Enlace__V1__Compartment *wire = &to->compartments[i];

        enlace__v1__compartment__init(wire);
        wire->part = compartment->part;
        wire->blind = pb_data(compartment->blind);
        wire->content_case = compartment->is_sealed ? ENLACE__V1__COMPARTMENT__CONTENT_SEALED
                                                    : ENLACE__V1__COMPARTMENT__CONTENT_CLEAR;
        wire->clear = pb_data(compartment->content); /* in a union with `sealed` */
        to->compartment_at[i] = wire;
    }
    to->message.n_compartments = from->compartment_count;
    to->message.compartments = to->compartment_at;
}

bool pb_message_fill(struct pb_message *to, const struct message *from)
{
    if (from->compartment_count > MESSAGE_COMPARTMENTS_MAX ||
        from->signature_count > MESSAGE_SIGNATURES_MAX) {
        return false;
    }
    enlace__v1__message__init(&to->message);
    to->message.header = pb_data(from->header_bytes);
    to->message.header_blind = pb_data(from->header_blind);
    fill_compartments(to, from);
    for (size_t i = 0; i < from->signature_count; i++) {
        enlace__v1__signature__init(&to->signatures[i]);
        to->signatures[i].certificate = pb_data(from->signatures[i].certificate);
        to->signatures[i].signature = pb_data(from->signatures[i].signature);
        to->signature_at[i] = &to->signatures[i];
    }
    to->message.n_signatures = from->signature_count;
    to->message.signatures = to->signature_at;
    return true;
}

bool pb_submission_fill(struct pb_submission *to, const struct submission *from)
{
    if (from->local_subject_count > MESSAGE_SUBJECTS_MAX ||
        !pb_message_fill(&to->message, &from->message)) {
        return false;
    }
    enlace__v1__submission__init(&to->submission);
    to->submission.message = &to->message.message;
    for (size_t i = 0; i < from->local_subject_count; i++) {
        to->local_subjects[i] = pb_data(BYTES_OF(from->local_subjects[i].bytes));
    }
    to->submission.n_local_subjects = from->local_subject_count;
    to->submission.local_subjects = to->local_subjects;
    return true;
}

void codec_message_write(const struct message *message, struct buffer *out)
{
    struct pb_message wire;

    if (pb_message_fill(&wire, message)) {
        pb_write(&wire.message.base, out);
    } else {
        out->is_failed = true;
    }
}

void codec_submit_write(const struct submission *submission, struct buffer *out)
{
    struct pb_submission wire;
    Enlace__V1__SubmitRequest request;

    enlace__v1__submit_request__init(&request);
    request.submission = &wire.submission;
    if (pb_submission_fill(&wire, submission)) {
        pb_write(&request.base, out);
    } else {
        out->is_failed = true;
    }
}
