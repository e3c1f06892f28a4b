#include "policy/official_rules.h"

#include <string.h>

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "policy/validate_parts.h"

#define AHEAD_MAX_MS ((int64_t)5 * 60 * 1000)

static enum rc wrong(struct fault *fault, const char *reason, const char *path, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, path, "%s", remedy);
}

static enum rc check_words(const struct official_act *act, struct fault *fault)
{
    if (official_act_name(act->kind) == NULL) {
        return wrong(fault, "act.kind", "act.kind", "Señale qué acto es.");
    }
    if (!id_is_v7(&act->id)) {
        return wrong(fault, "act.id", "act.act_id", "El identificador debe ser un UUID versión 7.");
    }
    if (act->reason[0] != '\0' && !is_slug(act->reason)) {
        return wrong(
            fault, "act.reason", "act.reason",
            "El motivo queda en la bitácora para siempre: una clave de minúsculas, dígitos "
            "y guiones, sin datos de nadie.");
    }
    return RC_OK;
}

static enum rc check_parts(const struct official_signed *act, struct fault *fault)
{
    switch (act->act.kind) {
    case OFFICIAL_APPROVE:
        return !id_is_zero(&act->act.message_id) && act->has_approval
                   ? RC_OK
                   : wrong(fault, "act.missing", "approval",
                           "Señale el mensaje, y agregue su firma sobre él.");
    case OFFICIAL_REJECT:
    case OFFICIAL_CLOSE_REVIEW:
        return !id_is_zero(&act->act.message_id) && act->act.reason[0] != '\0'
                   ? RC_OK
                   : wrong(fault, "act.missing", "act.reason", "Señale el mensaje y el motivo.");
    default:
        return !id_is_zero(&act->act.subject) && act->act.target[0] != '\0'
                   ? RC_OK
                   : wrong(fault, "act.missing", "act.subject",
                           "Señale a la persona, y a quién excluye o dónde consta.");
    }
}

static enum rc check_age(const struct official_act *act, int64_t now_ms, struct fault *fault)
{
    if (act->created_at_ms < now_ms - OFFICIAL_ACT_AGE_MS ||
        act->created_at_ms > now_ms + AHEAD_MAX_MS) {
        return refuse(fault, RC_FAILED_PRECONDITION, "act.age", "act.created_at_ms",
                      "El acto tiene más de un día, o su fecha está adelantada: haga otro.");
    }
    return RC_OK;
}

static enum rc check_signature(const struct cert_store *authorities,
                               const struct identity *official, const struct signature *signature,
                               const uint8_t digest[HASH_SIZE], int64_t now_ms, struct fault *fault)
{
    OWN_PTR(cert) cert = NULL;

    if (cert_from_der(signature->certificate, &cert, NULL) != RC_OK ||
        strcmp(cert_uri(cert), official->uri) != 0 || !official->has_fingerprint ||
        !digest_equal(cert_fingerprint(cert), official->fingerprint)) {
        return refuse(
            fault, RC_PERMISSION_DENIED, "signature.not_official", "signature",
            "Firme con el mismo certificado con que se conecta, el vigente en el registro "
            "de su institución.");
    }
    if (cert_verify_chain(cert, authorities, now_ms, NULL) != RC_OK ||
        actsig_verify(cert, digest, signature->signature) != RC_OK) {
        return refuse(fault, RC_PERMISSION_DENIED, "signature.invalid", "signature",
                      "La firma no corresponde a este acto: firme de nuevo.");
    }
    return RC_OK;
}

enum rc official_rules_check(const struct cert_store *authorities, const struct identity *official,
                             const struct official_signed *act, const uint8_t digest[HASH_SIZE],
                             int64_t now_ms, struct fault *fault)
{
    if (strcmp(act->act.member, official->member) != 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "act.member", "act.member",
                      "El acto es de otra institución que la suya.");
    }
    TRY(check_words(&act->act, fault));
    TRY(check_parts(act, fault));
    TRY(check_age(&act->act, now_ms, fault));
    return check_signature(authorities, official, &act->signature, digest, now_ms, fault);
}
