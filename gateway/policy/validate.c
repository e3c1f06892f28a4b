#include "policy/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/catalogue.h"
#include "policy/member.h"
#include "policy/validate_parts.h"

/* A deadline further away than this is a mistake; it also keeps due - anchored from overflowing. */
#define CLOCK_SPAN_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)
#define INSTANT_MAX_MS ((int64_t)253402300799 * 1000) /* the end of 9999 */

enum rc invalid(struct fault *fault, const char *reason, const char *remedy, const char *path, ...)
{
    char text[sizeof fault->path];
    va_list args;

    va_start(args, path);
    vsnprintf(text, sizeof text, path, args);
    va_end(args);
    return refuse(fault, RC_INVALID_ARGUMENT, reason, text, "%s", remedy);
}

/* ---- texts ---- */

bool is_code(const char *text)
{
    size_t size = 0;

    while (text[size] > ' ' && text[size] <= '~' && size <= MESSAGE_CODE_MAX) {
        size++;
    }
    return text[size] == '\0' && size > 0 && size <= MESSAGE_CODE_MAX;
}

bool is_slug(const char *text)
{
    size_t size = 0;

    while (((text[size] >= 'a' && text[size] <= 'z') || (text[size] >= '0' && text[size] <= '9') ||
            text[size] == '-') &&
           size < MESSAGE_CODE_MAX) {
        size++;
    }
    return text[size] == '\0' && size > 0 && size < MESSAGE_CODE_MAX;
}

bool is_date(const char *text)
{
    int32_t day;

    return clock_parse_date(bytes_text(text), &day) == RC_OK;
}

bool is_hash(struct bytes bytes)
{
    static const uint8_t zero[HASH_SIZE];

    return bytes.size == HASH_SIZE && memcmp(bytes.data, zero, HASH_SIZE) != 0;
}

static bool is_optional_label(const char *text)
{
    return text[0] == '\0' || member_label_is_valid(text);
}

/* ---- ids ---- */

static bool is_opening_type(enum message_type type)
{
    switch (type) {
    case MESSAGE_REFERRAL:
    case MESSAGE_MEASURE_REQUEST:
    case MESSAGE_SUPPORT_REQUEST:
    case MESSAGE_CONSULTATION:
    case MESSAGE_AGGREGATE:
        return true;
    default:
        return false;
    }
}

static enum rc check_ids(const struct header *header, struct fault *fault)
{
    bool is_own = id_equal(&header->message_id, &header->exchange_id);

    if (header->schema != MESSAGE_SCHEMA) {
        return invalid(fault, "schema.unknown", "Use el esquema 1.", "header.schema");
    }
    if (!id_is_v7(&header->message_id)) {
        return invalid(fault, "id.malformed", "El identificador debe ser un UUID versión 7.",
                       "header.message_id");
    }
    if (!id_is_v7(&header->exchange_id)) {
        return invalid(fault, "id.malformed", "El identificador debe ser un UUID versión 7.",
                       "header.exchange_id");
    }
    if (is_opening_type(header->type) != is_own) {
        return invalid(fault, "exchange.mismatch",
                       is_own ? "Este mensaje pertenece a un intercambio: cite el identificador "
                                "del mensaje que lo abrió."
                              : "Este mensaje abre un intercambio: el identificador del "
                                "intercambio es el suyo propio.",
                       "header.exchange_id");
    }
    if (!id_is_zero(&header->parent_exchange_id) &&
        (!id_is_v7(&header->parent_exchange_id) ||
         id_equal(&header->parent_exchange_id, &header->exchange_id))) {
        return invalid(fault, "exchange.parent",
                       "Cite el intercambio del que este se deriva, o ninguno.",
                       "header.parent_exchange_id");
    }
    return RC_OK;
}

/* ---- parties, purpose, basis ---- */

static enum rc check_parties(const struct header *header, struct fault *fault)
{
    static const char remedy[] = "Escriba red/institución en minúsculas, como cdmx/ssc.";
    static const char label[] = "Use minúsculas, cifras y guiones; 32 caracteres a lo más.";

    if (!member_code_is_valid(header->from)) {
        return invalid(fault, "member.malformed", remedy, "header.from");
    }
    if (!member_code_is_valid(header->to)) {
        return invalid(fault, "member.malformed", remedy, "header.to");
    }
    if (!is_optional_label(header->from_system)) {
        return invalid(fault, "name.malformed", label, "header.from_system");
    }
    if (!is_optional_label(header->to_system)) {
        return invalid(fault, "name.malformed", label, "header.to_system");
    }
    if (!is_optional_label(header->on_behalf_of)) {
        return invalid(fault, "name.malformed", label, "header.on_behalf_of");
    }
    return RC_OK;
}

static enum rc check_grounds(const struct header *header, struct fault *fault)
{
    if (!is_slug(header->purpose)) {
        return invalid(fault, "purpose.missing", "Señale la finalidad de la transferencia.",
                       "header.purpose");
    }
    if (!is_code(header->legal_basis)) {
        return invalid(fault, "basis.missing", "Señale el convenio o artículo que la fundamenta.",
                       "header.legal_basis");
    }
    if (!is_code(header->aviso_id)) {
        return invalid(fault, "aviso.missing", "Señale el aviso de privacidad.", "header.aviso.id");
    }
    if (!is_code(header->aviso_version)) {
        return invalid(fault, "aviso.missing", "Señale la versión del aviso de privacidad.",
                       "header.aviso.version");
    }
    if (!is_hash(header->aviso_sha256)) {
        return invalid(fault, "hash.malformed", "El resumen SHA-256 mide 32 bytes.",
                       "header.aviso.sha256");
    }
    return RC_OK;
}

static enum rc check_urgency_and_code(const struct header *header, struct fault *fault)
{
    bool has_code = header->catalogue_code[0] != '\0';

    if (header->urgency != URGENCY_ORDINARY && header->urgency != URGENCY_URGENT) {
        return invalid(fault, "urgency.missing", "Señale si es ordinario o urgente.",
                       "header.urgency");
    }
    if (has_code && catalogue_find(header->catalogue_code) == NULL) {
        return invalid(fault, "code.unknown", "Use una clave del catálogo.",
                       "header.catalogue_code");
    }
    return RC_OK;
}

/* ---- people ---- */

static enum rc check_subjects(const struct header *header, struct fault *fault)
{
    if (header->subject_count > MESSAGE_SUBJECTS_MAX) {
        return invalid(fault, "subject.too_many", "16 personas a lo más.", "header.subjects");
    }
    for (size_t i = 0; i < header->subject_count; i++) {
        const struct subject *subject = &header->subjects[i];

        if (id_is_zero(&subject->pseudonym)) {
            return invalid(fault, "subject.pseudonym",
                           "Cada persona lleva un seudónimo al azar de 16 bytes.",
                           "header.subjects[%zu].pseudonym", i);
        }
        if (subject->role < ROLE_PERSON || subject->role > ROLE_RELATIVE) {
            return invalid(fault, "subject.role", "Señale persona, colectivo o familiar.",
                           "header.subjects[%zu].role", i);
        }
        for (size_t j = 0; j < i; j++) {
            if (id_equal(&header->subjects[j].pseudonym, &subject->pseudonym)) {
                return invalid(fault, "subject.duplicate", "Cada persona se cita una sola vez.",
                               "header.subjects[%zu].pseudonym", i);
            }
        }
    }
    return RC_OK;
}

static enum rc check_consent(const struct message *message, struct fault *fault)
{
    const struct header *header = &message->header;
    bool is_needed = message->compartment_count > 0 || header->type == MESSAGE_REFERRAL ||
                     header->type == MESSAGE_MEASURE_REQUEST ||
                     header->type == MESSAGE_SUPPORT_REQUEST;

    if ((unsigned)header->consent > CONSENT_NOT_NEEDED ||
        (is_needed && header->consent != CONSENT_GIVEN && header->consent != CONSENT_IMPEDED)) {
        return invalid(fault, "consent.missing",
                       "Señale si la persona consintió o si está gravemente impedida.",
                       "header.consent.state");
    }
    if (header->consent == CONSENT_IMPEDED && header->on_behalf_of[0] == '\0') {
        return invalid(fault, "consent.no_official",
                       "Si la persona está impedida, nombre a quien decide en su lugar.",
                       "header.on_behalf_of");
    }
    if (header->consent_reference[0] != '\0' && !is_code(header->consent_reference)) {
        return invalid(fault, "consent.reference", "Referencia de 64 caracteres a lo más.",
                       "header.consent.reference");
    }
    return RC_OK;
}

/* An official breaks the glass: by name, for a reason, and only where a life cannot wait. */
static enum rc check_glass(const struct header *header, struct fault *fault)
{
    if (header->break_glass[0] == '\0') {
        return RC_OK;
    }
    if (!is_slug(header->break_glass)) {
        return invalid(fault, "glass.reason",
                       "Dé el motivo en una clave de minúsculas, dígitos y guiones.",
                       "header.break_glass");
    }
    if (header->urgency != URGENCY_URGENT) {
        return invalid(fault, "glass.not_urgent",
                       "Solo un mensaje urgente puede ir sin esperar lo que falta.",
                       "header.urgency");
    }
    if (header->on_behalf_of[0] == '\0') {
        return invalid(fault, "glass.no_official",
                       "Nombre a la persona servidora pública que responde por enviarlo así.",
                       "header.on_behalf_of");
    }
    return RC_OK;
}

/* ---- plan and decision ---- */

static enum rc check_plan(const struct header *header, struct fault *fault)
{
    if (!header->has_plan) {
        return RC_OK;
    }
    if (!is_code(header->plan_issuer) || !is_code(header->plan_id)) {
        return invalid(fault, "plan.malformed", "Señale quién emite el plan y su identificador.",
                       "header.plan.id");
    }
    if (header->plan_version == 0) {
        return invalid(fault, "plan.malformed", "Las versiones del plan se cuentan desde 1.",
                       "header.plan.version");
    }
    if (header->procedure < PROCEDURE_ORDINARY || header->procedure > PROCEDURE_EXTRAORDINARY) {
        return invalid(fault, "plan.malformed", "Señale procedimiento ordinario o extraordinario.",
                       "header.plan.procedure");
    }
    return RC_OK;
}

static enum rc check_decision(const struct header *header, struct fault *fault)
{
    if (!header->has_decision) {
        return RC_OK;
    }
    if (!is_code(header->decision_organ) || !is_code(header->decision_session)) {
        return invalid(fault, "decision.malformed", "Señale el órgano y la sesión que decidió.",
                       "header.decision.session");
    }
    if (!is_date(header->decision_date)) {
        return invalid(fault, "date.malformed", "Escriba la fecha como 2019-06-03.",
                       "header.decision.date");
    }
    if (!is_hash(header->decision_sha256)) {
        return invalid(fault, "hash.malformed", "El resumen SHA-256 mide 32 bytes.",
                       "header.decision.sha256");
    }
    return RC_OK;
}

/* ---- time ---- */

/* Would it be a time if only it had a zone? */
static bool lacks_zone(const char *text)
{
    char zoned[64];
    int64_t instant;
    int size = snprintf(zoned, sizeof zoned, "%sZ", text);

    return size > 0 && (size_t)size < sizeof zoned &&
           clock_parse(bytes_text(zoned), &instant) == RC_OK;
}

static enum rc check_occurred(const struct header *header, struct fault *fault)
{
    int64_t instant;

    if (header->created_at_ms <= 0 || header->created_at_ms > INSTANT_MAX_MS) {
        return invalid(fault, "time.missing", "Señale cuándo se hizo el mensaje.",
                       "header.created_at_ms");
    }
    if ((unsigned)header->out_of_band > BAND_IN_PERSON) {
        return invalid(fault, "band.unknown", "Señale teléfono, papel o en persona, o nada.",
                       "header.out_of_band");
    }
    if (header->out_of_band != BAND_NONE && header->occurred_at[0] == '\0') {
        return invalid(fault, "band.no_time",
                       "Señale cuándo ocurrió lo que se dijo por teléfono, en papel o en persona.",
                       "header.occurred_at");
    }
    if (header->out_of_band != BAND_NONE && header->on_behalf_of[0] == '\0') {
        return invalid(fault, "band.no_official",
                       "Nombre a la persona servidora pública que lo dijo o lo recibió.",
                       "header.on_behalf_of");
    }
    if (header->occurred_at[0] == '\0' ||
        clock_parse(bytes_text(header->occurred_at), &instant) == RC_OK) {
        return RC_OK;
    }
    if (lacks_zone(header->occurred_at)) {
        return invalid(fault, "time.no_zone", "Agregue el huso horario, como -06:00.",
                       "header.occurred_at");
    }
    return invalid(fault, "time.malformed", "Escriba la hora como 2019-06-03T10:00:00-06:00.",
                   "header.occurred_at");
}

static enum rc check_clocks(const struct header *header, struct fault *fault)
{
    if (header->clock_count > MESSAGE_CLOCKS_MAX) {
        return invalid(fault, "clock.too_many", "8 plazos a lo más.", "header.clocks");
    }
    for (size_t i = 0; i < header->clock_count; i++) {
        const struct message_clock *clock = &header->clocks[i];

        if (!is_code(clock->id)) {
            return invalid(fault, "clock.malformed", "Señale el plazo, como F1.",
                           "header.clocks[%zu].id", i);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(header->clocks[j].id, clock->id) == 0) {
                return invalid(fault, "clock.duplicate", "Cada plazo se cita una sola vez.",
                               "header.clocks[%zu].id", i);
            }
        }
        if (clock->anchored_at_ms <= 0 || clock->anchored_at_ms > INSTANT_MAX_MS) {
            return invalid(fault, "clock.malformed", "Señale desde cuándo corre el plazo.",
                           "header.clocks[%zu].anchored_at_ms", i);
        }
        if (clock->due_at_ms <= clock->anchored_at_ms ||
            clock->due_at_ms > clock->anchored_at_ms + CLOCK_SPAN_MAX_MS) {
            return invalid(fault, "clock.malformed", "El plazo vence después de que empieza.",
                           "header.clocks[%zu].due_at_ms", i);
        }
    }
    return RC_OK;
}

/* ---- sizes and signatures ---- */

static enum rc check_sizes(const struct message *message, struct fault *fault)
{
    size_t total = message->header_bytes.size;

    if (message->header_bytes.size == 0 || message->header_bytes.size > MESSAGE_HEADER_MAX) {
        return invalid(fault, "size.header", "El encabezado mide 64 KiB a lo más.", "header");
    }
    if (message->compartment_count > MESSAGE_COMPARTMENTS_MAX) {
        return invalid(fault, "compartment.too_many", "16 compartimentos a lo más.",
                       "compartments");
    }
    if (message->signature_count > MESSAGE_SIGNATURES_MAX) {
        return invalid(fault, "signature.too_many", "4 firmas a lo más.", "signatures");
    }
    for (size_t i = 0; i < message->compartment_count; i++) {
        total += message->compartments[i].content.size;
    }
    for (size_t i = 0; i < message->signature_count; i++) {
        const struct signature *signature = &message->signatures[i];

        if (signature->certificate.size == 0 ||
            signature->certificate.size > VALIDATE_CERTIFICATE_MAX ||
            signature->signature.size == 0 || signature->signature.size > 72) {
            return invalid(fault, "signature.malformed",
                           "Cada firma lleva su certificado DER y su firma ECDSA P-256.",
                           "signatures[%zu]", i);
        }
    }
    if (total > MESSAGE_BYTES_MAX) {
        return invalid(fault, "size.message", "El mensaje mide 1 MiB a lo más; use anexos.",
                       "compartments");
    }
    return RC_OK;
}

enum rc validate_message(const struct message *message, struct fault *fault)
{
    const struct header *header = &message->header;

    if (message_type_name(header->type) == NULL) {
        return invalid(fault, "type.missing", "Señale el tipo de mensaje.", "header.content");
    }
    TRY(check_ids(header, fault));
    TRY(check_parties(header, fault));
    TRY(check_urgency_and_code(header, fault));
    TRY(check_grounds(header, fault));
    TRY(check_subjects(header, fault));
    TRY(check_consent(message, fault));
    TRY(check_glass(header, fault));
    TRY(check_plan(header, fault));
    TRY(check_decision(header, fault));
    TRY(check_occurred(header, fault));
    TRY(check_clocks(header, fault));
    TRY(validate_content(header, fault));
    TRY(check_sizes(message, fault));
    return validate_compartments(message, fault);
}

/* The earliest instant that one of this message's clocks may run from. */
static int64_t earliest_anchor_ms(const struct header *header)
{
    int64_t earliest_ms = header->created_at_ms;
    int64_t occurred_ms;
    int32_t day;

    if (header->out_of_band != BAND_NONE &&
        clock_parse(bytes_text(header->occurred_at), &occurred_ms) == RC_OK &&
        occurred_ms < earliest_ms) {
        earliest_ms = occurred_ms;
    }
    if (header->has_decision &&
        clock_parse_date(bytes_text(header->decision_date), &day) == RC_OK &&
        clock_local_midnight_ms(day) < earliest_ms) {
        earliest_ms = clock_local_midnight_ms(day);
    }
    return earliest_ms - VALIDATE_ID_FUTURE_MS;
}

static enum rc check_anchors(const struct header *header, int64_t now_ms, struct fault *fault)
{
    for (size_t i = 0; i < header->clock_count; i++) {
        int64_t anchored_ms = header->clocks[i].anchored_at_ms;

        if (anchored_ms > now_ms + VALIDATE_ID_FUTURE_MS) {
            return invalid(fault, "clock.anchor",
                           "El plazo no puede correr desde un momento que aún no llega.",
                           "header.clocks[%zu].anchored_at_ms", i);
        }
        if (anchored_ms < earliest_anchor_ms(header)) {
            return invalid(fault, "clock.anchor",
                           "Nada de este mensaje ocurrió entonces: el plazo corre desde la "
                           "solicitud, la decisión que cita o el acto dicho por otra vía.",
                           "header.clocks[%zu].anchored_at_ms", i);
        }
    }
    return RC_OK;
}

/* A decision is cited on the day on which it was taken, or later. */
static enum rc check_decided(const struct header *header, int64_t now_ms, struct fault *fault)
{
    int32_t day;

    if (header->has_decision &&
        clock_parse_date(bytes_text(header->decision_date), &day) == RC_OK &&
        day > clock_local_day(now_ms + VALIDATE_ID_FUTURE_MS)) {
        return invalid(fault, "time.in_future", "La decisión que se cita aún no se toma.",
                       "header.decision.date");
    }
    return RC_OK;
}

enum rc validate_age(const struct message *message, int64_t now_ms, struct fault *fault)
{
    const struct header *header = &message->header;
    int64_t made_ms = id_instant_ms(&header->message_id);
    int64_t instant_ms;

    if (made_ms < now_ms - VALIDATE_ID_PAST_MS) {
        return invalid(fault, "id.too_old", "El identificador tiene más de 30 días: haga otro.",
                       "header.message_id");
    }
    if (made_ms > now_ms + VALIDATE_ID_FUTURE_MS) {
        return invalid(fault, "id.in_future",
                       "El identificador está en el futuro: ajuste el reloj de su sistema.",
                       "header.message_id");
    }
    if (header->occurred_at[0] != '\0' &&
        clock_parse(bytes_text(header->occurred_at), &instant_ms) == RC_OK &&
        instant_ms > now_ms + VALIDATE_ID_FUTURE_MS) {
        return invalid(fault, "time.in_future", "Lo que se informa aún no ocurre.",
                       "header.occurred_at");
    }
    TRY(check_decided(header, now_ms, fault));
    return check_anchors(header, now_ms, fault);
}
