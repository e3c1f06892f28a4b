#include <string.h>

#include "base/clock.h"
#include "model/reason.h"
#include "policy/catalogue.h"
#include "policy/member.h"
#include "policy/validate_parts.h"

#define CADENCE_MAX 1000
#define OCCURRENCE_MAX 1000000

/* ---- what asks for something ---- */

static enum rc check_item(const struct header *header, size_t i, struct fault *fault)
{
    const struct item *item = &header->items[i];
    const struct catalogue_entry *entry = catalogue_find(item->code);

    if (item->number != i + 1) {
        return invalid(fault, "item.number", "Numere las medidas 1, 2, 3... sin saltos.",
                       "header.items[%zu].number", i);
    }
    if (entry == NULL) {
        return invalid(fault, "code.unknown", "Use una clave del catálogo.",
                       "header.items[%zu].code", i);
    }
    if (!catalogue_class_fits(entry->class, header->type)) {
        return invalid(fault, "code.wrong_type",
                       "Esta clave corresponde a otro tipo de mensaje: canalización, medida o "
                       "apoyo.",
                       "header.items[%zu].code", i);
    }
    if ((unsigned)item->period > PERIOD_MONTH || item->cadence_count > CADENCE_MAX ||
        (item->cadence_count > 0) != (item->period != PERIOD_NONE)) {
        return invalid(fault, "item.cadence", "Señale cuántas veces y cada cuándo.",
                       "header.items[%zu].cadence", i);
    }
    if (item->ends_on[0] != '\0' && !is_date(item->ends_on)) {
        return invalid(fault, "date.malformed", "Escriba la fecha como 2019-12-12.",
                       "header.items[%zu].ends_on", i);
    }
    return RC_OK;
}

static enum rc check_request(const struct header *header, struct fault *fault)
{
    if (header->catalogue_code[0] == '\0') {
        return invalid(fault, "code.missing", "Señale la clave del catálogo.",
                       "header.catalogue_code");
    }
    if (header->item_count == 0 || header->item_count > MESSAGE_ITEMS_MAX) {
        return invalid(fault, "item.count", "Pida de 1 a 32 medidas.", "header.items");
    }
    if (header->subject_count == 0) {
        return invalid(fault, "subject.missing", "Señale de quién se trata, por seudónimo.",
                       "header.subjects");
    }
    for (size_t i = 0; i < header->item_count; i++) {
        TRY(check_item(header, i, fault));
    }
    return RC_OK;
}

static enum rc check_consultation(const struct header *header, struct fault *fault)
{
    if (!is_code(header->session)) {
        return invalid(fault, "session.missing", "Señale la sesión.", "header.session");
    }
    if (header->expires_at_ms <= header->created_at_ms) {
        return invalid(fault, "session.expiry", "La consulta vence después de enviarse.",
                       "header.expires_at_ms");
    }
    return RC_OK;
}

/* ---- what belongs to an exchange ---- */

static enum rc check_item_number(const struct header *header, uint32_t least, struct fault *fault)
{
    if (header->item < least || header->item > MESSAGE_ITEMS_MAX) {
        return invalid(fault, "item.number", "Señale la medida por su número.", "header.item");
    }
    return RC_OK;
}

static enum rc check_regards(const struct header *header, struct fault *fault)
{
    if (!id_is_v7(&header->regards)) {
        return invalid(fault, "regards.missing", "Cite el mensaje al que se refiere.",
                       "header.regards");
    }
    return RC_OK;
}

static enum rc check_evidence(const struct header *header, bool is_required, struct fault *fault)
{
    if ((is_required || header->evidence_sha256.size > 0) && !is_hash(header->evidence_sha256)) {
        return invalid(fault, "evidence.missing",
                       "Agregue el resumen SHA-256 de la evidencia, de 32 bytes.",
                       "header.evidence_sha256");
    }
    return RC_OK;
}

static enum rc check_change(const struct header *header, struct fault *fault)
{
    bool is_dated = header->change == CHANGE_EXTEND || header->change == CHANGE_RENEW;

    TRY(check_item_number(header, 0, fault));
    if (header->change < CHANGE_EXTEND || header->change > CHANGE_RENEW) {
        return invalid(fault, "change.kind", "Señale prorrogar, suspender, levantar o renovar.",
                       "header.change");
    }
    if ((is_dated || header->ends_on[0] != '\0') && !is_date(header->ends_on)) {
        return invalid(fault, "date.malformed", "Escriba la fecha como 2019-12-12.",
                       "header.ends_on");
    }
    if (!header->has_decision) {
        return invalid(fault, "decision.missing", "Cite la decisión que cambia la medida.",
                       "header.decision");
    }
    return RC_OK;
}

static enum rc check_report(const struct header *header, struct fault *fault)
{
    TRY(check_item_number(header, 1, fault));
    if (header->occurrence == 0 || header->occurrence > OCCURRENCE_MAX) {
        return invalid(fault, "occurrence.number", "Numere las acciones 1, 2, 3...",
                       "header.occurrence");
    }
    if (catalogue_find(header->action_code) == NULL) {
        return invalid(fault, "code.unknown", "Use una clave del catálogo.", "header.action_code");
    }
    return check_evidence(header, false, fault);
}

static bool event_needs_reason(enum event event)
{
    return event == EVENT_DECLINE || event == EVENT_DISPUTE || event == EVENT_HOLD ||
           event == EVENT_FAIL || event == EVENT_KEEP;
}

static enum rc check_reason(const struct header *header, bool is_required, struct fault *fault)
{
    if (is_required && header->reason[0] == '\0') {
        return invalid(fault, "reason.missing", "Señale el motivo por su clave.", "header.reason");
    }
    if (header->reason[0] != '\0' && !is_slug(header->reason)) {
        return invalid(fault, "reason.not_coded",
                       "El motivo es una clave, como no-competente, no un texto.", "header.reason");
    }
    return RC_OK;
}

static enum rc check_act(const struct header *header, struct fault *fault)
{
    bool is_not_competent =
        header->event == EVENT_DECLINE && strcmp(header->reason, REASON_NOT_COMPETENT) == 0;

    TRY(check_regards(header, fault));
    TRY(check_item_number(header, 0, fault));
    if (header->event <= EVENT_NONE || header->event >= EVENTS) {
        return invalid(fault, "event.unknown", "Señale qué ocurre con la medida.", "header.event");
    }
    TRY(check_reason(header, event_needs_reason(header->event), fault));
    if (header->event == EVENT_DECLINE && reason_of_decline(header->reason) == NULL) {
        return invalid(fault, "reason.unknown",
                       "Use un motivo de la tabla: no-competente, sin-capacidad, "
                       "datos-insuficientes …; «enlace act» los enumera.",
                       "header.reason");
    }
    if ((is_not_competent || header->competent[0] != '\0') &&
        !member_code_is_valid(header->competent)) {
        return invalid(fault, "competent.missing",
                       "Señale la institución competente, como cdmx/ssc.", "header.competent");
    }
    if (strcmp(header->competent, header->from) == 0) {
        return invalid(fault, "competent.self", "La institución competente es otra que la suya.",
                       "header.competent");
    }
    return check_evidence(header, header->event == EVENT_IN_FORCE || header->event == EVENT_PURGE,
                          fault);
}

static enum rc check_notice(const struct header *header, struct fault *fault)
{
    TRY(check_regards(header, fault));
    TRY(check_item_number(header, 0, fault));
    if (!is_code(header->notice_clock)) {
        return invalid(fault, "clock.malformed", "Señale el plazo, como F1.",
                       "header.notice_clock");
    }
    if (header->notice_percent != 50 && header->notice_percent != 75 &&
        header->notice_percent != 100) {
        return invalid(fault, "notice.percent", "Se avisa al 50, 75 o 100 por ciento.",
                       "header.notice_percent");
    }
    if (!is_code(header->notice_route)) {
        return invalid(fault, "notice.route", "Cite la ruta del intercambio.",
                       "header.notice.route");
    }
    if (!member_code_is_valid(header->notice_late)) {
        return invalid(fault, "notice.late", "Señale la institución que debe actuar.",
                       "header.notice.late");
    }
    if (header->notice_anchored_ms <= 0 || header->notice_due_ms <= 0) {
        return invalid(fault, "clock.malformed", "Señale desde cuándo corre y cuándo vence.",
                       "header.notice.due_at_ms");
    }
    return RC_OK;
}

/* ---- figures without persons ---- */

static enum rc check_figures(const struct header *header, struct fault *fault)
{
    if (header->figure_count == 0 || header->figure_count > MESSAGE_FIGURES_MAX) {
        return invalid(fault, "figure.count", "Informe de 1 a 256 cifras.", "header.figures");
    }
    for (size_t i = 0; i < header->figure_count; i++) {
        if (!is_code(header->figures[i].name)) {
            return invalid(fault, "figure.name", "Cada cifra lleva un nombre sin espacios.",
                           "header.figures[%zu].name", i);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(header->figures[j].name, header->figures[i].name) == 0) {
                return invalid(fault, "figure.duplicate", "Cada cifra se informa una sola vez.",
                               "header.figures[%zu].name", i);
            }
        }
    }
    return RC_OK;
}

static enum rc check_aggregate(const struct header *header, struct fault *fault)
{
    int32_t from_day;
    int32_t to_day;

    if (!is_code(header->aggregate_id)) {
        return invalid(fault, "aggregate.id", "Identifique el informe.", "header.aggregate_id");
    }
    if (clock_parse_date(bytes_text(header->aggregate_from), &from_day) != RC_OK ||
        clock_parse_date(bytes_text(header->aggregate_to), &to_day) != RC_OK || to_day < from_day) {
        return invalid(fault, "date.malformed", "Escriba las fechas en orden, como 2019-01-01.",
                       "header.aggregate_from");
    }
    if (header->subject_count > 0) {
        return invalid(fault, "aggregate.person", "Un informe de cifras no lleva personas.",
                       "header.subjects");
    }
    return check_figures(header, fault);
}

enum rc validate_content(const struct header *header, struct fault *fault)
{
    switch (header->type) {
    case MESSAGE_REFERRAL:
    case MESSAGE_MEASURE_REQUEST:
    case MESSAGE_SUPPORT_REQUEST:
        return check_request(header, fault);
    case MESSAGE_MEASURE_CHANGE:
        return check_change(header, fault);
    case MESSAGE_CONSULTATION:
        return check_consultation(header, fault);
    case MESSAGE_STATUS_REPORT:
        return check_report(header, fault);
    case MESSAGE_ACT:
        return check_act(header, fault);
    case MESSAGE_RECALL:
        TRY(check_regards(header, fault));
        return check_reason(header, true, fault);
    case MESSAGE_NOTICE:
        return check_notice(header, fault);
    case MESSAGE_AGGREGATE:
        return check_aggregate(header, fault);
    default:
        return invalid(fault, "type.missing", "Señale el tipo de mensaje.", "header.content");
    }
}
