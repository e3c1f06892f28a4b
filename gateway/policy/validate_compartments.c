#include <string.h>

#include "crypto/cms.h"
#include "policy/allowed.h"
#include "policy/catalogue.h"
#include "policy/curp.h"
#include "policy/validate.h"
#include "policy/validate_parts.h"

static bool must_be_sealed(enum compartment_type type)
{
    return (ALLOWED_ALWAYS_SEALED >> type & 1) != 0;
}

static enum rc check_one(const struct message *message, size_t i, struct fault *fault)
{
    const struct compartment *compartment = &message->compartments[i];
    enum compartment_type type = compartment_type(compartment);

    if (type == COMPARTMENT_NONE) {
        return invalid(fault, "compartment.type", "Use un tipo de compartimento del esquema.",
                       "compartments[%zu].part", i);
    }
    if (compartment_subject(compartment) >= message->header.subject_count) {
        return invalid(fault, "compartment.subject",
                       "El compartimento es de una persona que el encabezado no cita.",
                       "compartments[%zu].part", i);
    }
    if (i > 0 && message->compartments[i - 1].part >= compartment->part) {
        return invalid(fault, "compartment.order",
                       "Ordene los compartimentos por número, sin repetirlos.",
                       "compartments[%zu].part", i);
    }
    if (!is_hash(compartment->blind)) {
        return invalid(fault, "blind.malformed", "El cegador mide 32 bytes al azar.",
                       "compartments[%zu].blind", i);
    }
    if (compartment->content.size == 0) {
        return invalid(fault, "compartment.empty", "Quite el compartimento vacío.",
                       "compartments[%zu]", i);
    }
    if (!compartment->is_sealed && must_be_sealed(type)) {
        return invalid(fault, "compartment.must_be_sealed",
                       "Ubicación, horarios y familiares viajan sellados.", "compartments[%zu].%s",
                       i, compartment_name(type));
    }
    if (!compartment->is_sealed) {
        return validate_values(compartment, i, fault);
    }
    if (!cms_looks_sealed(compartment->content)) {
        return invalid(fault, "compartment.not_cms",
                       "Selle el compartimento: CMS AuthEnvelopedData en DER con AES-256-GCM, "
                       "relleno al tamaño fijado.",
                       "compartments[%zu].sealed", i);
    }
    return RC_OK;
}

/* One seal for each sealed compartment and no other, in the same order. */
static enum rc check_seals(const struct message *message, struct fault *fault)
{
    const struct header *header = &message->header;
    size_t next = 0;

    if (header->seal_count > MESSAGE_COMPARTMENTS_MAX) {
        return invalid(fault, "seal.excess", "16 sellos a lo más.", "header.seals");
    }
    for (size_t i = 0; i < message->compartment_count; i++) {
        if (!message->compartments[i].is_sealed) {
            continue;
        }
        if (next == header->seal_count ||
            header->seals[next].part != message->compartments[i].part) {
            return invalid(fault, "seal.missing",
                           "Agregue al encabezado el resumen de cada compartimento sellado, en "
                           "orden.",
                           "header.seals[%zu]", next);
        }
        if (!is_hash(header->seals[next].sha256)) {
            return invalid(fault, "hash.malformed", "El resumen SHA-256 mide 32 bytes.",
                           "header.seals[%zu].sha256", next);
        }
        next++;
    }
    if (next < header->seal_count) {
        return invalid(fault, "seal.excess", "Hay un sello sin su compartimento.",
                       "header.seals[%zu]", next);
    }
    return RC_OK;
}

static enum rc check_attachments(const struct message *message, struct fault *fault)
{
    if (message->attachment_count > MESSAGE_ATTACHMENTS_MAX) {
        return invalid(fault, "attachment.too_many", "16 anexos a lo más.", "attachments");
    }
    for (size_t i = 0; i < message->attachment_count; i++) {
        const struct attachment *attachment = &message->attachments[i];

        if (!id_is_v7(&attachment->id)) {
            return invalid(fault, "id.malformed", "El identificador debe ser un UUID versión 7.",
                           "attachments[%zu].attachment_id", i);
        }
        if (!is_code(attachment->media_type)) {
            return invalid(fault, "attachment.media_type", "Señale el tipo, como application/pdf.",
                           "attachments[%zu].media_type", i);
        }
        if (attachment->size == 0 || attachment->size > VALIDATE_ATTACHMENT_MAX) {
            return invalid(fault, "attachment.size", "Un anexo mide de 1 byte a 200 MiB.",
                           "attachments[%zu].size", i);
        }
        if (!is_hash(attachment->sha256)) {
            return invalid(fault, "hash.malformed", "El resumen SHA-256 mide 32 bytes.",
                           "attachments[%zu].sha256", i);
        }
        for (size_t j = 0; j < i; j++) {
            if (id_equal(&message->attachments[j].id, &attachment->id)) {
                return invalid(fault, "attachment.duplicate", "Cada anexo se cita una sola vez.",
                               "attachments[%zu].attachment_id", i);
            }
        }
    }
    return RC_OK;
}

enum rc validate_values(const struct compartment *compartment, size_t index, struct fault *fault)
{
    enum curp_verdict verdict =
        compartment->curp[0] != '\0' ? curp_check(compartment->curp) : CURP_GOOD;

    if (verdict == CURP_MALFORMED) {
        return invalid(fault, "curp.malformed", "La CURP tiene 18 caracteres con fecha y entidad.",
                       "compartments[%zu].identity.curp", index);
    }
    if (verdict == CURP_WRONG_DIGIT) {
        return invalid(fault, "curp.check_digit",
                       "El dígito verificador de la CURP no corresponde: revise la captura.",
                       "compartments[%zu].identity.curp", index);
    }
    if (compartment->birth_date[0] != '\0' && !is_date(compartment->birth_date)) {
        return invalid(fault, "date.malformed", "Escriba la fecha como 1985-04-23.",
                       "compartments[%zu].identity.birth_date", index);
    }
    if (compartment->alcaldia[0] != '\0' && alcaldia_name(compartment->alcaldia) == NULL) {
        return invalid(fault, "alcaldia.unknown", "Use la clave del INEGI, de 09002 a 09017.",
                       "compartments[%zu].location.alcaldia", index);
    }
    return RC_OK;
}

enum rc validate_compartments(const struct message *message, struct fault *fault)
{
    if (!is_hash(message->header_blind)) {
        return invalid(fault, "blind.malformed", "El cegador mide 32 bytes al azar.",
                       "header_blind");
    }
    if (message->compartment_count > 0 && message->header.type == MESSAGE_AGGREGATE) {
        return invalid(fault, "aggregate.person", "Un informe de cifras no lleva personas.",
                       "compartments");
    }
    for (size_t i = 0; i < message->compartment_count; i++) {
        TRY(check_one(message, i, fault));
    }
    TRY(check_seals(message, fault));
    return check_attachments(message, fault);
}
