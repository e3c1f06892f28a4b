#include "client/compose.h"

#include <stdlib.h>
#include <string.h>

#include "client/receipt_check.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/cms.h"
#include "crypto/digest.h"
#include "tlog/commit.h"

/* What a message is made of while it is being made. */
struct making {
    struct submission submission;
    struct buffer header;
    struct buffer contents[MESSAGE_COMPARTMENTS_MAX];
    uint8_t blinds[1 + MESSAGE_COMPARTMENTS_MAX][BLIND_SIZE];
    uint8_t seals[MESSAGE_COMPARTMENTS_MAX][HASH_SIZE];
    uint8_t signatures[MESSAGE_SIGNATURES_MAX][ACTSIG_MAX];
};

static void making_free(struct making *making)
{
    if (making == NULL) {
        return;
    }
    for (size_t i = 0; i < MESSAGE_COMPARTMENTS_MAX; i++) {
        if (making->contents[i].data != NULL) {
            explicit_bzero(making->contents[i].data, making->contents[i].size);
        }
        buffer_release(&making->contents[i]);
    }
    buffer_release(&making->header);
    explicit_bzero(making, sizeof *making);
    free(making);
}
OWN_PTR_DEFINE(making)

void composed_release(struct composed *composed)
{
    if (composed->request.data != NULL) {
        explicit_bzero(composed->request.data, composed->request.size);
    }
    buffer_release(&composed->request);
}

void draft_header_init(struct header *header)
{
    header_init(header);
}

void draft_init(struct draft *draft)
{
    memset(draft, 0, sizeof *draft);
    draft_header_init(&draft->header);
}

struct id compose_id(const uint8_t seed[COMPOSE_SEED_SIZE], int64_t created_at_ms)
{
    uint8_t random[DIGEST_SIZE];

    hkdf_expand(seed, "enlace/client/message-id/v1", random);
    return id_v7(created_at_ms, random);
}

static void derive_blind(const uint8_t seed[COMPOSE_SEED_SIZE], uint32_t part,
                         uint8_t out[BLIND_SIZE])
{
    static const char label[] = "enlace/client/blind/v1";
    uint8_t number[4];
    struct bytes parts[] = {BYTES_OF(label), BYTES_OF(number)};

    put_u32(number, part);
    hmac_of(BYTES(seed, COMPOSE_SEED_SIZE), parts, 2, out);
}

static uint32_t part_of(const struct draft_compartment *compartment)
{
    return compartment->subject * 256 + (uint32_t)compartment->type;
}

/* Ascending by part, as they travel. */
static void sort_compartments(struct draft *draft)
{
    for (size_t i = 1; i < draft->compartment_count; i++) {
        struct draft_compartment moved = draft->compartments[i];
        size_t j = i;

        for (; j > 0 && part_of(&draft->compartments[j - 1]) > part_of(&moved); j--) {
            draft->compartments[j] = draft->compartments[j - 1];
        }
        draft->compartments[j] = moved;
    }
}

static enum rc check_parts(const struct draft *draft, struct fault *fault)
{
    for (size_t i = 0; i < draft->compartment_count; i++) {
        const struct draft_compartment *compartment = &draft->compartments[i];

        if (compartment->type == COMPARTMENT_NONE ||
            compartment->subject >= draft->header.subject_count) {
            return refuse(fault, RC_INVALID_ARGUMENT, "draft.compartment", "compartments",
                          "Cada compartimento es de una persona del encabezado (subjects) y de un "
                          "tipo conocido; corrija la persona %u.",
                          compartment->subject);
        }
        if (i > 0 && part_of(&draft->compartments[i - 1]) == part_of(compartment)) {
            return refuse(fault, RC_INVALID_ARGUMENT, "draft.compartment", "compartments",
                          "Hay dos compartimentos «%s» de la misma persona; júntelos en uno.",
                          compartment_name(compartment->type));
        }
    }
    return RC_OK;
}

static enum rc seal_content(struct draft *draft, struct making *making, size_t i,
                            struct fault *fault)
{
    struct buffer *content = &making->contents[i];
    struct buffer sealed = {0};
    enum rc rc;

    if (draft->recipient_count == 0) {
        return refuse(fault, RC_FAILED_PRECONDITION, "draft.seal", "compartments",
                      "Para sellar hace falta el certificado de sello de quien recibe; agréguelo "
                      "en seal_to.");
    }
    rc = cms_seal(buffer_bytes(content), draft->recipients, draft->recipient_count, &sealed,
                  making->seals[i]);
    explicit_bzero(content->data, content->size);
    buffer_release(content);
    if (rc != RC_OK) {
        buffer_release(&sealed);
        return refuse(fault, rc, "draft.seal", "compartments",
                      "No se pudo sellar; revise que los certificados de sello sean P-256 y que el "
                      "contenido quepa en 1 MiB.");
    }
    *content = sealed;
    draft->header.seals[draft->header.seal_count++] =
        (struct seal){part_of(&draft->compartments[i]), BYTES(making->seals[i], HASH_SIZE)};
    return RC_OK;
}

static enum rc make_compartment(struct draft *draft, const uint8_t seed[COMPOSE_SEED_SIZE],
                                struct making *making, size_t i, struct fault *fault)
{
    const struct draft_compartment *from = &draft->compartments[i];
    struct compartment *to = &making->submission.message.compartments[i];

    if (codec_compartment_write(from->type, from->values, from->value_count,
                                &making->contents[i]) != RC_OK ||
        making->contents[i].is_failed) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.field", compartment_name(from->type),
                      "Algún campo no es de este compartimento o su valor no tiene la forma "
                      "debida; revise sus nombres y valores.");
    }
    if (from->is_sealed) {
        TRY(seal_content(draft, making, i, fault));
    }
    derive_blind(seed, part_of(from), making->blinds[1 + i]);
    to->part = part_of(from);
    to->is_sealed = from->is_sealed;
    to->blind = BYTES(making->blinds[1 + i], BLIND_SIZE);
    to->content = buffer_bytes(&making->contents[i]);
    to->curp = to->birth_date = to->alcaldia = "";
    return RC_OK;
}

static void set_ids(struct header *header, const uint8_t seed[COMPOSE_SEED_SIZE])
{
    if (id_is_zero(&header->message_id)) {
        header->message_id = compose_id(seed, header->created_at_ms);
    }
    if (id_is_zero(&header->exchange_id)) {
        header->exchange_id = header->message_id;
    }
}

static enum rc make_header(struct draft *draft, const uint8_t seed[COMPOSE_SEED_SIZE],
                           struct making *making, struct fault *fault)
{
    struct message *message = &making->submission.message;

    codec_header_write(&draft->header, &making->header);
    if (making->header.is_failed || making->header.size > MESSAGE_HEADER_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.too_large", "header",
                      "El encabezado pasa de 64 KiB; acorte textos o reparta en varios mensajes.");
    }
    derive_blind(seed, COMMIT_HEADER_PART, making->blinds[0]);
    message->header = draft->header;
    message->header_bytes = buffer_bytes(&making->header);
    message->header_blind = BYTES(making->blinds[0], BLIND_SIZE);
    return RC_OK;
}

static enum rc sign(const struct draft *draft, struct making *making,
                    const uint8_t commitment[HASH_SIZE], struct fault *fault)
{
    struct message *message = &making->submission.message;

    for (size_t i = 0; i < draft->signer_count; i++) {
        size_t size = 0;

        if (actkey_sign(draft->signers[i].key, commitment, making->signatures[i], &size) != RC_OK) {
            return refuse(fault, RC_INTERNAL, "draft.signature", "signatures",
                          "No se pudo firmar; revise la llave del funcionario.");
        }
        message->signatures[i].certificate = cert_der(draft->signers[i].cert);
        message->signatures[i].signature = BYTES(making->signatures[i], size);
        message->signature_count++;
    }
    return RC_OK;
}

static enum rc make_all(struct draft *draft, const uint8_t seed[COMPOSE_SEED_SIZE],
                        struct making *making, uint8_t commitment[HASH_SIZE], struct fault *fault)
{
    struct submission *submission = &making->submission;

    sort_compartments(draft);
    TRY(check_parts(draft, fault));
    set_ids(&draft->header, seed);
    draft->header.seal_count = 0;
    for (size_t i = 0; i < draft->compartment_count; i++) {
        TRY(make_compartment(draft, seed, making, i, fault));
        submission->message.compartment_count++;
    }
    TRY(make_header(draft, seed, making, fault));
    if (receipt_commitment(&submission->message, commitment) != RC_OK) {
        return refuse(fault, RC_INTERNAL, "draft.commitment", "", "No se pudo calcular la huella.");
    }
    TRY(sign(draft, making, commitment, fault));
    memcpy(submission->local_subjects, draft->local_subjects, sizeof draft->local_subjects);
    submission->local_subject_count = draft->local_subject_count;
    return RC_OK;
}

enum rc compose(struct draft *draft, const uint8_t seed[COMPOSE_SEED_SIZE], struct composed *out,
                struct fault *fault)
{
    OWN_PTR(making) making = calloc(1, sizeof *making);
    OWN(composed) made = {0};
    enum rc rc;

    if (making == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "draft.memory", "", "Falta memoria.");
    }
    rc = make_all(draft, seed, making, made.commitment, fault);
    draft->header.seal_count = rc == RC_OK ? draft->header.seal_count : 0;
    TRY(rc);
    made.message_id = draft->header.message_id;
    made.exchange_id = draft->header.exchange_id;
    codec_submit_write(&making->submission, &made.request);
    /* Their digests were borrowed from what is freed now. */
    draft->header.seal_count = 0;
    if (made.request.is_failed || made.request.size > MESSAGE_BYTES_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.too_large", "message",
                      "El mensaje pasa de 1 MiB; envíe los documentos como anexos.");
    }
    *out = made;
    made.request = (struct buffer){0};
    return RC_OK;
}
