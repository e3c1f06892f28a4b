#include "policy/sign_rules.h"

#include <string.h>

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"
#include "model/lifecycle.h"
#include "policy/member.h"
#include "policy/route.h"

bool sign_rules_need_official(const struct message *message)
{
    if (message->header.consent == CONSENT_IMPEDED || message->header.break_glass[0] != '\0') {
        return true; /* somebody decided for the person, or did not wait */
    }
    switch (message->header.type) {
    case MESSAGE_ACT:
        return event_is_signed(message->header.event);
    case MESSAGE_RECALL:
    case MESSAGE_AGGREGATE:
        return true;
    default:
        return false;
    }
}

bool sign_rules_need_second(const struct route *route, const struct message *message)
{
    return route->needs_second_official && message->header.break_glass[0] == '\0' &&
           route_side(route, message) == SIDE_REQUESTER &&
           (message_opens(message) || message->compartment_count > 0 ||
            message->header.type == MESSAGE_MEASURE_CHANGE);
}

static enum rc deny(struct fault *fault, const char *reason, const char *path, const char *remedy)
{
    return refuse(fault, RC_PERMISSION_DENIED, reason, path, "%s", remedy);
}

static enum rc refuse_signer(struct fault *fault)
{
    return deny(fault, "signature.not_official", "signatures.certificate",
                "Firme con el certificado vigente de quien está en el registro de su institución.");
}

/* Who of the sender's roster holds this certificate. */
static enum rc find_signer(const struct directory *directory, const struct message *message,
                           const struct cert *cert, int32_t today, const struct identity **signer,
                           struct fault *fault)
{
    const struct identity *found = NULL;

    if (identity_authenticate(directory, cert_uri(cert), cert_fingerprint(cert), today, &found,
                              NULL) != RC_OK ||
        found->kind == IDENTITY_AUDITOR || !found->has_fingerprint ||
        strcmp(found->member, message->header.from) != 0) {
        return refuse_signer(fault);
    }
    *signer = found;
    return RC_OK;
}

static enum rc check_one(const struct directory *directory, const struct cert_store *authorities,
                         const struct message *message, const struct signature *signature,
                         const uint8_t commitment[DIGEST_SIZE], int32_t today, int64_t now_ms,
                         const struct identity **signer, struct fault *fault)
{
    OWN_PTR(cert) cert = NULL;

    if (cert_from_der(signature->certificate, &cert, NULL) != RC_OK) {
        return refuse_signer(fault);
    }
    TRY(find_signer(directory, message, cert, today, signer, fault));
    if (cert_verify_chain(cert, authorities, now_ms, NULL) != RC_OK) {
        return deny(fault, "signature.invalid", "signatures.certificate",
                    "El certificado de la firma no está vigente o no lo emitió la red.");
    }
    if (actsig_verify(cert, commitment, signature->signature) != RC_OK) {
        return deny(fault, "signature.invalid", "signatures.signature",
                    "La firma no corresponde a este mensaje: firme de nuevo.");
    }
    return RC_OK;
}

static bool is_another_official(const struct signature *signature, const char *first)
{
    OWN_PTR(cert) cert = NULL;
    struct spiffe spiffe;

    return cert_from_der(signature->certificate, &cert, NULL) == RC_OK &&
           spiffe_parse(bytes_text(cert_uri(cert)), &spiffe) == RC_OK &&
           spiffe.kind == SPIFFE_OFFICIAL && strcmp(spiffe.name, first) != 0;
}

enum rc sign_rules_check_second(const struct message *message, struct fault *fault)
{
    const char *first = message->header.on_behalf_of;

    if (first[0] == '\0') {
        return deny(fault, "approval.no_official", "header.on_behalf_of",
                    "Esta ruta pide dos personas servidoras públicas: nombre a la primera.");
    }
    for (size_t i = 0; i < message->signature_count; i++) {
        if (is_another_official(&message->signatures[i], first)) {
            return RC_OK;
        }
    }
    return deny(fault, "approval.missing", "signatures",
                "Falta que lo apruebe una segunda persona servidora pública de la institución que "
                "envía.");
}

static enum rc check_named(const struct directory *directory, const struct header *header,
                           int32_t today, struct fault *fault)
{
    const char *named = header->on_behalf_of;

    if (named[0] == '\0') {
        return RC_OK;
    }
    if (!official_is_in_force(directory, header->from, named, today)) {
        return deny(fault, "official.not_in_force", "header.on_behalf_of",
                    "Nombre a una persona servidora pública vigente en el registro de su "
                    "institución.");
    }
    if (header->from_system[0] != '\0' &&
        !system_acts_for(directory, header->from, header->from_system, named)) {
        return deny(fault, "official.not_bound", "header.on_behalf_of",
                    "Ese sistema no actúa por esa persona: agréguela a su «acts-for» en el "
                    "registro de la institución, o envíe con el sistema que sí actúa por ella.");
    }
    return RC_OK;
}

enum rc sign_rules_check(const struct directory *directory, const struct cert_store *authorities,
                         const struct message *message, const uint8_t commitment[DIGEST_SIZE],
                         int32_t today, int64_t now_ms, struct fault *fault)
{
    const char *named = message->header.on_behalf_of;
    bool is_needed = sign_rules_need_official(message);
    bool is_signed = false;

    if (is_needed && named[0] == '\0') {
        return deny(fault, "signature.missing", "header.on_behalf_of",
                    "Nombre a la persona servidora pública que responde por este acto.");
    }
    TRY(check_named(directory, &message->header, today, fault));
    if (is_needed && message->signature_count == 0) {
        return deny(fault, "signature.missing", "signatures",
                    "Este acto lleva la firma de la persona servidora pública que lo ordena.");
    }
    for (size_t i = 0; i < message->signature_count; i++) {
        const struct identity *signer = NULL;

        TRY(check_one(directory, authorities, message, &message->signatures[i], commitment, today,
                      now_ms, &signer, fault));
        is_signed =
            is_signed || (signer->kind == IDENTITY_OFFICIAL && strcmp(signer->name, named) == 0);
    }
    if (is_needed && !is_signed) {
        return deny(fault, "signature.not_official", "header.on_behalf_of",
                    "Debe firmar la misma persona servidora pública que el encabezado nombra.");
    }
    return RC_OK;
}
