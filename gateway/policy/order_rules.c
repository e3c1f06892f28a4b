#include "policy/order_rules.h"

#include <string.h>

#include "base/clock.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/member.h"
#include "policy/validate_parts.h"
#include "tlog/control.h"

#define AHEAD_MAX_MS ((int64_t)5 * 60 * 1000)
#define LAW "LGPDPPSO-"

static enum rc refuse_target(struct fault *fault)
{
    return refuse(fault, RC_INVALID_ARGUMENT, "order.target", "order",
                  "Diga exactamente una cosa: un mensaje (y, si acaso, una de sus partes), un "
                  "intercambio o una persona; para depurar, una hoja (múltiplo de 256) o una "
                  "fecha pasada.");
}

static bool is_part(uint32_t part)
{
    return part / 256 < MESSAGE_SUBJECTS_MAX && part % 256 > COMPARTMENT_NONE &&
           part % 256 < COMPARTMENT_TYPES;
}

static enum rc check_target(const struct order *order, struct fault *fault)
{
    const struct order_target *target = &order->target;
    bool is_message = !id_is_zero(&target->message_id);
    bool is_exchange = !id_is_zero(&target->exchange_id);
    unsigned things = is_message + is_exchange + (target->subject_count > 0);
    bool is_good = false;

    if (order->kind != ORDER_PRUNE && (order->before_index != 0 || order->before_ms != 0)) {
        return refuse_target(fault);
    }
    switch (order->kind) {
    case ORDER_ERASE:
        is_good = things == 1 && id_is_zero(&order->lifts) &&
                  (target->part == 0 || (is_message && is_part(target->part)));
        break;
    case ORDER_HOLD: /* nothing in particular: all of the member's */
        is_good = things <= 1 && target->subject_count == 0 && target->attachment_count == 0 &&
                  target->part == 0 && id_is_zero(&order->lifts);
        break;
    case ORDER_RELEASE:
        is_good = things == 0 && target->attachment_count == 0 && target->part == 0 &&
                  !id_is_zero(&order->lifts);
        break;
    case ORDER_PRUNE:
        is_good = things == 0 && target->attachment_count == 0 && target->part == 0 &&
                  id_is_zero(&order->lifts) &&
                  (order->before_index != 0) != (order->before_ms != 0) &&
                  order->before_index % CONTROL_MINIMUM_STEP == 0 && order->before_ms >= 0 &&
                  order->before_ms <= order->created_at_ms;
        break;
    default:
        break;
    }
    return is_good ? RC_OK : refuse_target(fault);
}

static bool is_basis(const struct directory *directory, const char *code, int32_t today)
{
    size_t law = strlen(LAW);

    if (strncmp(code, LAW, law) == 0) {
        return strspn(code + law, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == strlen(code + law) &&
               code[law] != '\0';
    }
    for (size_t i = 0; i < directory->basis_count; i++) {
        if (strcmp(directory->bases[i].id, code) == 0 &&
            dates_cover(directory->bases[i].in_force, today)) {
            return true;
        }
    }
    return false;
}

static enum rc check_words(const struct directory *directory, const struct order *order,
                           int64_t now_ms, struct fault *fault)
{
    int32_t today = clock_local_day(now_ms);

    if (member_find(directory, order->member, today) == NULL) {
        return refuse(fault, RC_PERMISSION_DENIED, "order.member", "order.member",
                      "No es una institución vigente en el directorio.");
    }
    if (!is_basis(directory, order->basis, today)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "order.basis", "order.basis",
                      "Dé el fundamento: una clave vigente del directorio, o LGPDPPSO- y el "
                      "artículo.");
    }
    if (!is_slug(order->reason)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "order.reason", "order.reason",
                      "El motivo queda en la bitácora para siempre: una clave de minúsculas, "
                      "dígitos y guiones, sin datos de nadie.");
    }
    if (order->created_at_ms < now_ms - ORDER_AGE_MAX_MS ||
        order->created_at_ms > now_ms + AHEAD_MAX_MS) {
        return refuse(fault, RC_FAILED_PRECONDITION, "order.age", "order.created_at_ms",
                      "La orden tiene más de 30 días, o su fecha está adelantada: haga otra.");
    }
    return RC_OK;
}

static enum rc refuse_signer(struct fault *fault)
{
    return refuse(fault, RC_PERMISSION_DENIED, "signature.not_official", "signatures.certificate",
                  "Firman dos personas servidoras públicas vigentes de la institución; una "
                  "retención, quien audita.");
}

static bool may_sign(const struct order *order, const struct identity *signer)
{
    return order_is_officials(order->kind)
               ? signer->kind == IDENTITY_OFFICIAL && strcmp(signer->member, order->member) == 0
               : signer->kind == IDENTITY_AUDITOR;
}

static enum rc check_one(const struct directory *directory, const struct cert_store *authorities,
                         const struct order *order, const struct signature *signature,
                         const uint8_t digest[HASH_SIZE], int64_t now_ms,
                         const struct identity **signer, struct fault *fault)
{
    OWN_PTR(cert) cert = NULL;
    const struct identity *found = NULL;

    if (cert_from_der(signature->certificate, &cert, NULL) != RC_OK ||
        identity_authenticate(directory, cert_uri(cert), cert_fingerprint(cert),
                              clock_local_day(now_ms), &found, NULL) != RC_OK ||
        !found->has_fingerprint || !may_sign(order, found)) {
        return refuse_signer(fault);
    }
    if (cert_verify_chain(cert, authorities, now_ms, NULL) != RC_OK ||
        actsig_verify(cert, digest, signature->signature) != RC_OK) {
        return refuse(fault, RC_PERMISSION_DENIED, "signature.invalid", "signatures",
                      "Una firma no es de esta orden, o su certificado no está vigente: firme de "
                      "nuevo.");
    }
    *signer = found;
    return RC_OK;
}

static enum rc check_signers(const struct order *order, const struct order_signers *signers,
                             struct fault *fault)
{
    for (size_t i = 0; i < signers->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(signers->signers[i]->uri, signers->signers[k]->uri) == 0) {
                return refuse(fault, RC_PERMISSION_DENIED, "signature.same_official", "signatures",
                              "Las dos firmas son de la misma persona: firma otra.");
            }
        }
    }
    if (signers->count < (order_is_officials(order->kind) ? 2 : 1)) {
        return refuse(
            fault, RC_PERMISSION_DENIED, "signature.missing", "signatures",
            "Faltan firmas: suprimir y depurar lo ordenan dos personas servidoras públicas.");
    }
    return RC_OK;
}

enum rc order_rules_check(const struct directory *directory, const struct cert_store *authorities,
                          const struct order_signed *order, const uint8_t digest[HASH_SIZE],
                          int64_t now_ms, struct order_signers *signers, struct fault *fault)
{
    TRY(check_target(&order->order, fault));
    TRY(check_words(directory, &order->order, now_ms, fault));
    signers->count = 0;
    for (size_t i = 0; i < order->signature_count; i++) {
        TRY(check_one(directory, authorities, &order->order, &order->signatures[i], digest, now_ms,
                      &signers->signers[i], fault));
        signers->count++;
    }
    return check_signers(&order->order, signers, fault);
}
