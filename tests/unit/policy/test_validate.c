#include "unit/policy/policy_fixture.h"

#include "policy/validate.h"

static struct message *letter_report(struct letter *letter)
{
    struct message *message = letter_answer(letter, MESSAGE_STATUS_REPORT);

    message->header.item = 1;
    message->header.occurrence = 1;
    message->header.action_code = "PRO-COD-VIG";
    return message;
}

static struct message *letter_act(struct letter *letter)
{
    struct message *message = letter_answer(letter, MESSAGE_ACT);

    message->header.event = EVENT_ACCEPT;
    return message;
}

static struct message *letter_change(struct letter *letter)
{
    struct message *message = letter_answer(letter, MESSAGE_MEASURE_CHANGE);
    struct header *header = &message->header;

    header->item = 1;
    header->change = CHANGE_EXTEND;
    header->ends_on = "2026-12-12";
    header->has_decision = true;
    header->decision_organ = "consejo";
    header->decision_session = "2026-04";
    header->decision_date = "2026-05-02";
    header->decision_sha256 = BYTES_OF(fixture_ones);
    header->has_plan = true;
    header->plan_issuer = "cdmx/mpi-cdmx";
    header->plan_id = "PLAN-7";
    header->plan_version = 1;
    header->procedure = PROCEDURE_ORDINARY;
    return message;
}

static struct message *letter_notice(struct letter *letter)
{
    struct message *message = letter_answer(letter, MESSAGE_NOTICE);

    message->header.notice_clock = "F1";
    message->header.notice_percent = 75;
    message->header.notice_route = "medidas";
    message->header.notice_late = "cdmx/ssc";
    message->header.notice_anchored_ms = FIXTURE_NOW;
    message->header.notice_due_ms = FIXTURE_NOW + 1;
    return message;
}

static struct message *letter_recall(struct letter *letter)
{
    struct message *message = letter_answer(letter, MESSAGE_RECALL);

    message->header.reason = "enviado-por-error";
    return message;
}

static struct message *letter_consultation(struct letter *letter)
{
    struct message *message = letter_start(letter, MESSAGE_CONSULTATION);

    message->header.session = "MESA-3";
    message->header.expires_at_ms = FIXTURE_NOW + 1000;
    return message;
}

static struct message *letter_aggregate(struct letter *letter)
{
    struct message *message = letter_start(letter, MESSAGE_AGGREGATE);

    message->header.aggregate_id = "informe-2019";
    message->header.aggregate_from = "2019-01-01";
    message->header.aggregate_to = "2019-12-12";
    message->header.figure_count = 2;
    letter->figures[0] = (struct figure){"casos", 165};
    letter->figures[1] = (struct figure){"mujeres", 72};
    return message;
}

static struct message *letter_with_attachment(struct letter *letter)
{
    struct message *message = letter_request(letter);

    letter_compartment(message, COMPARTMENT_ATTACHMENTS, false);
    message->attachment_count = 1;
    letter->attachments[0] =
        (struct attachment){fixture_id(7), "application/pdf", 100, BYTES_OF(fixture_ones), "acta"};
    return message;
}

static void well_formed_messages_pass(void **state)
{
    struct message *(*const makers[])(struct letter *) = {
        letter_request,      letter_report,    letter_act,
        letter_change,       letter_notice,    letter_recall,
        letter_consultation, letter_aggregate, letter_with_attachment,
    };

    (void)state;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        struct letter letter;
        struct fault fault = {.rc = RC_OK};

        if (validate_message(makers[i](&letter), &fault) != RC_OK) {
            fail_msg("maker %zu: %s %s", i, fault.reason, fault.path);
        }
    }
}

/* What is wrong with it: one function per bent field. */
typedef void bend_fn(struct letter *l, struct header *h, struct message *m);
#define BEND(name, statement)                                                                      \
    static void name(struct letter *l, struct header *h, struct message *m)                        \
    {                                                                                              \
        (void)l;                                                                                   \
        (void)h;                                                                                   \
        (void)m;                                                                                   \
        statement;                                                                                 \
    }

static const uint8_t zeros[32];

BEND(schema_2, h->schema = 2)
BEND(no_type, h->type = MESSAGE_NONE)
BEND(other_type, h->type = (enum message_type)42)
BEND(id_v4, h->message_id.bytes[6] = 0x4f)
BEND(exchange_v4, h->exchange_id.bytes[6] = 0x4f)
BEND(exchange_other, h->exchange_id = fixture_id(3))
BEND(exchange_own, h->exchange_id = h->message_id)
BEND(parent_own, h->parent_exchange_id = h->exchange_id)
BEND(parent_v4, h->parent_exchange_id.bytes[0] = 1)
BEND(from_upper, h->from = "cdmx/SSC")
BEND(to_bare, h->to = "ssc")
BEND(from_system, h->from_system = "a b")
BEND(to_system, h->to_system = "É")
BEND(official, h->on_behalf_of = "Juan")
BEND(glass_text, (h->break_glass = "Corre peligro", h->urgency = URGENCY_URGENT))
BEND(glass_ordinary, h->break_glass = "peligro-inminente")
BEND(glass_nobody, (h->break_glass = "peligro-inminente", h->urgency = URGENCY_URGENT))
BEND(no_urgency, h->urgency = URGENCY_NONE)
BEND(urgency_3, h->urgency = (enum urgency)3)
BEND(no_code, h->catalogue_code = "")
BEND(bad_code, h->catalogue_code = "PRO-COD-VIX")
BEND(no_purpose, h->purpose = "")
BEND(purpose_text, h->purpose = "Para proteger")
BEND(no_basis, h->legal_basis = "")
BEND(long_basis,
     h->legal_basis = "CONV-012345678901234567890123456789012345678901234567890123456789012345678")
BEND(no_aviso, h->aviso_id = "")
BEND(no_version, h->aviso_version = "")
BEND(short_aviso, h->aviso_sha256.size = 31)
BEND(zero_aviso, h->aviso_sha256 = BYTES_OF(zeros))
BEND(no_subject, h->subject_count = 0)
BEND(no_pseudonym, memset(&h->subjects[0].pseudonym, 0, sizeof(struct id)))
BEND(no_role, h->subjects[0].role = ROLE_NONE)
BEND(twin_subject, (h->subject_count = 2, h->subjects[1] = h->subjects[0]))
BEND(many_subjects, h->subject_count = 17)
BEND(no_consent, h->consent = CONSENT_NONE)
BEND(consent_moot, h->consent = CONSENT_NOT_NEEDED)
BEND(impeded, h->consent = CONSENT_IMPEDED)
BEND(consent_ref, h->consent_reference = "in the drawer")
BEND(plan_issuer, h->plan_issuer = "")
BEND(plan_version, h->plan_version = 0)
BEND(plan_procedure, h->procedure = PROCEDURE_NONE)
BEND(decision_organ, h->decision_organ = "")
BEND(decision_date, h->decision_date = "2026-02-30")
BEND(decision_hash, h->decision_sha256.size = 0)
BEND(no_decision, h->has_decision = false)
BEND(no_created, h->created_at_ms = 0)
BEND(band_4, h->out_of_band = (enum out_of_band)4)
BEND(no_zone, h->occurred_at = "2019-06-03T10:00:00")
BEND(no_time, h->occurred_at = "2019-06-03")
BEND(feb_30, h->occurred_at = "2019-02-30T10:00:00-06:00")
BEND(clock_id, h->clocks[0].id = "")
BEND(clock_back, h->clocks[0].due_at_ms = h->clocks[0].anchored_at_ms)
BEND(clock_far, h->clocks[0].due_at_ms = INT64_MAX)
BEND(clock_anchor, h->clocks[0].anchored_at_ms = -1)
BEND(clock_huge, h->clocks[0].anchored_at_ms = INT64_MAX)
BEND(clock_twice, (h->clock_count = 2, h->clocks[1] = h->clocks[0]))
BEND(clocks_9, h->clock_count = 9)
BEND(no_items, h->item_count = 0)
BEND(items_33, h->item_count = 33)
BEND(item_gap, l->items[1].number = 3)
BEND(item_code, l->items[1].code = "X")
BEND(item_referral, l->items[1].code = "ATN-GEN")
BEND(item_period, l->items[0].period = PERIOD_NONE)
BEND(item_often, l->items[0].cadence_count = 1001)
BEND(item_date, l->items[0].ends_on = "12/12/2026")
BEND(header_large, m->header_bytes.size = MESSAGE_HEADER_MAX + 1)
BEND(header_none, m->header_bytes.size = 0)
BEND(message_large, m->compartments[0].content.size = MESSAGE_BYTES_MAX)
BEND(compartments_17, m->compartment_count = 17)
BEND(signatures_5, m->signature_count = 5)
BEND(signature_void, m->signature_count = 1)
BEND(header_blind, m->header_blind = BYTES_OF(zeros))
BEND(blind_zero, m->compartments[1].blind = BYTES_OF(zeros))
BEND(blind_short, m->compartments[1].blind.size = 16)
BEND(part_type, m->compartments[0].part = 11)
BEND(part_none, m->compartments[0].part = 0)
BEND(part_subject, m->compartments[0].part = 256 + COMPARTMENT_IDENTITY)
BEND(part_order, m->compartments[1].part = COMPARTMENT_IDENTITY)
BEND(part_empty, m->compartments[0].content.size = 0)
BEND(bare_location, m->compartments[1].is_sealed = false)
BEND(bare_schedule, (m->compartments[1].is_sealed = false, m->compartments[1].part = 4))
BEND(bare_relatives, (m->compartments[1].is_sealed = false, m->compartments[1].part = 5))
BEND(plain_sealed, m->compartments[1].content = BYTES("09015", 5))
BEND(sealed_shorter, m->compartments[1].content.size--)
BEND(no_seal, h->seal_count = 0)
BEND(seal_other, h->seals[0].part = COMPARTMENT_HEALTH)
BEND(seal_short, h->seals[0].sha256.size = 20)
BEND(seal_more, (h->seal_count = 2, h->seals[1] = h->seals[0]))
BEND(seals_17, h->seal_count = 17)
BEND(curp_digit, m->compartments[0].curp = "SABC560626MDFLRN02")
BEND(curp_form, m->compartments[0].curp = "SABC")
BEND(birth, m->compartments[0].birth_date = "1985-13-01")
BEND(alcaldia, m->compartments[0].alcaldia = "09001")
BEND(attachments_17, m->attachment_count = 17)
BEND(attachment_id, l->attachments[0].id.bytes[6] = 0)
BEND(attachment_kind, l->attachments[0].media_type = "")
BEND(attachment_big, l->attachments[0].size = VALIDATE_ATTACHMENT_MAX + 1)
BEND(attachment_void, l->attachments[0].size = 0)
BEND(attachment_hash, l->attachments[0].sha256.size = 0)
BEND(attachment_twin, (m->attachment_count = 2, l->attachments[1] = l->attachments[0]))
BEND(report_item, h->item = 0)
BEND(report_item_33, h->item = 33)
BEND(occurrence_0, h->occurrence = 0)
BEND(action, h->action_code = "")
BEND(evidence, h->evidence_sha256 = BYTES("x", 1))
BEND(no_regards, memset(&h->regards, 0, sizeof(struct id)))
BEND(no_event, h->event = EVENT_NONE)
BEND(event_16, h->event = EVENTS)
BEND(decline_bare, h->event = EVENT_DECLINE)
BEND(decline_text, (h->event = EVENT_DECLINE, h->reason = "No nos toca"))
BEND(decline_other, (h->event = EVENT_DECLINE, h->reason = "porque-no"))
BEND(decline_self, (h->event = EVENT_DECLINE, h->reason = "no-competente", h->competent = h->from))
BEND(told_when, (h->out_of_band = BAND_TELEPHONE, h->occurred_at = ""))
BEND(told_by_whom, (h->out_of_band = BAND_PAPER, h->on_behalf_of = "",
                    h->occurred_at = "2026-05-15T10:00:00-06:00"))
BEND(decline_whose, (h->event = EVENT_DECLINE, h->reason = "no-competente"))
BEND(in_force_bare, h->event = EVENT_IN_FORCE)
BEND(purge_bare, h->event = EVENT_PURGE)
BEND(change_none, h->change = CHANGE_NONE)
BEND(change_undated, h->ends_on = "")
BEND(percent_60, h->notice_percent = 60)
BEND(notice_clock, h->notice_clock = "")
BEND(notice_route, h->notice_route = "")
BEND(notice_late, h->notice_late = "SSC")
BEND(notice_due, h->notice_due_ms = 0)
BEND(recall_bare, h->reason = "")
BEND(session, h->session = "")
BEND(expiry, h->expires_at_ms = h->created_at_ms)
BEND(aggregate_id, h->aggregate_id = "")
BEND(aggregate_dates, h->aggregate_to = "2018-12-12")
BEND(aggregate_subject, (h->subject_count = 1, h->subjects[0].pseudonym = fixture_id(4),
                         h->subjects[0].role = ROLE_PERSON))
BEND(no_figures, h->figure_count = 0)
BEND(figure_name, l->figures[1].name = "dos palabras")
BEND(figure_twin, l->figures[1].name = "casos")

struct refused {
    struct message *(*make)(struct letter *letter);
    bend_fn *bend;
    const char *reason;
    const char *path;
};

static const struct refused refused[] = {
    {letter_request, schema_2, "schema.unknown", "header.schema"},
    {letter_request, no_type, "type.missing", "header.content"},
    {letter_request, other_type, "type.missing", "header.content"},
    {letter_request, id_v4, "id.malformed", "header.message_id"},
    {letter_request, exchange_v4, "id.malformed", "header.exchange_id"},
    {letter_request, exchange_other, "exchange.mismatch", "header.exchange_id"},
    {letter_report, exchange_own, "exchange.mismatch", "header.exchange_id"},
    {letter_request, parent_own, "exchange.parent", "header.parent_exchange_id"},
    {letter_request, parent_v4, "exchange.parent", "header.parent_exchange_id"},
    {letter_request, from_upper, "member.malformed", "header.from"},
    {letter_request, to_bare, "member.malformed", "header.to"},
    {letter_request, from_system, "name.malformed", "header.from_system"},
    {letter_request, to_system, "name.malformed", "header.to_system"},
    {letter_request, official, "name.malformed", "header.on_behalf_of"},
    {letter_request, glass_text, "glass.reason", "header.break_glass"},
    {letter_request, glass_ordinary, "glass.not_urgent", "header.urgency"},
    {letter_request, glass_nobody, "glass.no_official", "header.on_behalf_of"},
    {letter_request, no_urgency, "urgency.missing", "header.urgency"},
    {letter_request, urgency_3, "urgency.missing", "header.urgency"},
    {letter_request, no_code, "code.missing", "header.catalogue_code"},
    {letter_request, bad_code, "code.unknown", "header.catalogue_code"},
    {letter_request, no_purpose, "purpose.missing", "header.purpose"},
    {letter_request, purpose_text, "purpose.missing", "header.purpose"},
    {letter_request, no_basis, "basis.missing", "header.legal_basis"},
    {letter_request, long_basis, "basis.missing", "header.legal_basis"},
    {letter_request, no_aviso, "aviso.missing", "header.aviso.id"},
    {letter_request, no_version, "aviso.missing", "header.aviso.version"},
    {letter_request, short_aviso, "hash.malformed", "header.aviso.sha256"},
    {letter_request, zero_aviso, "hash.malformed", "header.aviso.sha256"},
    {letter_request, no_subject, "subject.missing", "header.subjects"},
    {letter_request, no_pseudonym, "subject.pseudonym", "header.subjects[0].pseudonym"},
    {letter_request, no_role, "subject.role", "header.subjects[0].role"},
    {letter_request, twin_subject, "subject.duplicate", "header.subjects[1].pseudonym"},
    {letter_request, many_subjects, "subject.too_many", "header.subjects"},
    {letter_request, no_consent, "consent.missing", "header.consent.state"},
    {letter_request, consent_moot, "consent.missing", "header.consent.state"},
    {letter_request, impeded, "consent.no_official", "header.on_behalf_of"},
    {letter_request, consent_ref, "consent.reference", "header.consent.reference"},
    {letter_change, plan_issuer, "plan.malformed", "header.plan.id"},
    {letter_change, plan_version, "plan.malformed", "header.plan.version"},
    {letter_change, plan_procedure, "plan.malformed", "header.plan.procedure"},
    {letter_change, decision_organ, "decision.malformed", "header.decision.session"},
    {letter_change, decision_date, "date.malformed", "header.decision.date"},
    {letter_change, decision_hash, "hash.malformed", "header.decision.sha256"},
    {letter_change, no_decision, "decision.missing", "header.decision"},
    {letter_request, no_created, "time.missing", "header.created_at_ms"},
    {letter_request, band_4, "band.unknown", "header.out_of_band"},
    {letter_request, no_zone, "time.no_zone", "header.occurred_at"},
    {letter_request, no_time, "time.malformed", "header.occurred_at"},
    {letter_request, feb_30, "time.malformed", "header.occurred_at"},
    {letter_request, clock_id, "clock.malformed", "header.clocks[0].id"},
    {letter_request, clock_back, "clock.malformed", "header.clocks[0].due_at_ms"},
    {letter_request, clock_far, "clock.malformed", "header.clocks[0].due_at_ms"},
    {letter_request, clock_anchor, "clock.malformed", "header.clocks[0].anchored_at_ms"},
    {letter_request, clock_huge, "clock.malformed", "header.clocks[0].anchored_at_ms"},
    {letter_request, clock_twice, "clock.duplicate", "header.clocks[1].id"},
    {letter_request, clocks_9, "clock.too_many", "header.clocks"},
    {letter_request, no_items, "item.count", "header.items"},
    {letter_request, items_33, "item.count", "header.items"},
    {letter_request, item_gap, "item.number", "header.items[1].number"},
    {letter_request, item_code, "code.unknown", "header.items[1].code"},
    {letter_request, item_referral, "code.wrong_type", "header.items[1].code"},
    {letter_request, item_period, "item.cadence", "header.items[0].cadence"},
    {letter_request, item_often, "item.cadence", "header.items[0].cadence"},
    {letter_request, item_date, "date.malformed", "header.items[0].ends_on"},
    {letter_request, header_large, "size.header", "header"},
    {letter_request, header_none, "size.header", "header"},
    {letter_request, message_large, "size.message", "compartments"},
    {letter_request, compartments_17, "compartment.too_many", "compartments"},
    {letter_request, signatures_5, "signature.too_many", "signatures"},
    {letter_request, signature_void, "signature.malformed", "signatures[0]"},
    {letter_request, header_blind, "blind.malformed", "header_blind"},
    {letter_request, blind_zero, "blind.malformed", "compartments[1].blind"},
    {letter_request, blind_short, "blind.malformed", "compartments[1].blind"},
    {letter_request, part_type, "compartment.type", "compartments[0].part"},
    {letter_request, part_none, "compartment.type", "compartments[0].part"},
    {letter_request, part_subject, "compartment.subject", "compartments[0].part"},
    {letter_request, part_order, "compartment.order", "compartments[1].part"},
    {letter_request, part_empty, "compartment.empty", "compartments[0]"},
    {letter_request, bare_location, "compartment.must_be_sealed", "compartments[1].location"},
    {letter_request, bare_schedule, "compartment.must_be_sealed", "compartments[1].schedule"},
    {letter_request, bare_relatives, "compartment.must_be_sealed", "compartments[1].relatives"},
    {letter_request, plain_sealed, "compartment.not_cms", "compartments[1].sealed"},
    {letter_request, sealed_shorter, "compartment.not_cms", "compartments[1].sealed"},
    {letter_request, no_seal, "seal.missing", "header.seals[0]"},
    {letter_request, seal_other, "seal.missing", "header.seals[0]"},
    {letter_request, seal_short, "hash.malformed", "header.seals[0].sha256"},
    {letter_request, seal_more, "seal.excess", "header.seals[1]"},
    {letter_request, seals_17, "seal.excess", "header.seals"},
    {letter_request, curp_digit, "curp.check_digit", "compartments[0].identity.curp"},
    {letter_request, curp_form, "curp.malformed", "compartments[0].identity.curp"},
    {letter_request, birth, "date.malformed", "compartments[0].identity.birth_date"},
    {letter_request, alcaldia, "alcaldia.unknown", "compartments[0].location.alcaldia"},
    {letter_with_attachment, attachments_17, "attachment.too_many", "attachments"},
    {letter_with_attachment, attachment_id, "id.malformed", "attachments[0].attachment_id"},
    {letter_with_attachment, attachment_kind, "attachment.media_type", "attachments[0].media_type"},
    {letter_with_attachment, attachment_big, "attachment.size", "attachments[0].size"},
    {letter_with_attachment, attachment_void, "attachment.size", "attachments[0].size"},
    {letter_with_attachment, attachment_hash, "hash.malformed", "attachments[0].sha256"},
    {letter_with_attachment, attachment_twin, "attachment.duplicate",
     "attachments[1].attachment_id"},
    {letter_report, report_item, "item.number", "header.item"},
    {letter_report, report_item_33, "item.number", "header.item"},
    {letter_report, occurrence_0, "occurrence.number", "header.occurrence"},
    {letter_report, action, "code.unknown", "header.action_code"},
    {letter_report, evidence, "evidence.missing", "header.evidence_sha256"},
    {letter_act, no_regards, "regards.missing", "header.regards"},
    {letter_act, no_event, "event.unknown", "header.event"},
    {letter_act, event_16, "event.unknown", "header.event"},
    {letter_act, decline_bare, "reason.missing", "header.reason"},
    {letter_act, decline_text, "reason.not_coded", "header.reason"},
    {letter_act, decline_other, "reason.unknown", "header.reason"},
    {letter_act, decline_self, "competent.self", "header.competent"},
    {letter_request, told_when, "band.no_time", "header.occurred_at"},
    {letter_request, told_by_whom, "band.no_official", "header.on_behalf_of"},
    {letter_act, decline_whose, "competent.missing", "header.competent"},
    {letter_act, purge_bare, "evidence.missing", "header.evidence_sha256"},
    {letter_act, in_force_bare, "evidence.missing", "header.evidence_sha256"},
    {letter_act, report_item_33, "item.number", "header.item"},
    {letter_change, change_none, "change.kind", "header.change"},
    {letter_change, change_undated, "date.malformed", "header.ends_on"},
    {letter_notice, no_regards, "regards.missing", "header.regards"},
    {letter_notice, percent_60, "notice.percent", "header.notice_percent"},
    {letter_notice, notice_clock, "clock.malformed", "header.notice_clock"},
    {letter_notice, notice_route, "notice.route", "header.notice.route"},
    {letter_notice, notice_late, "notice.late", "header.notice.late"},
    {letter_notice, notice_due, "clock.malformed", "header.notice.due_at_ms"},
    {letter_recall, no_regards, "regards.missing", "header.regards"},
    {letter_recall, recall_bare, "reason.missing", "header.reason"},
    {letter_consultation, session, "session.missing", "header.session"},
    {letter_consultation, expiry, "session.expiry", "header.expires_at_ms"},
    {letter_aggregate, aggregate_id, "aggregate.id", "header.aggregate_id"},
    {letter_aggregate, aggregate_dates, "date.malformed", "header.aggregate_from"},
    {letter_aggregate, aggregate_subject, "aggregate.person", "header.subjects"},
    {letter_aggregate, no_figures, "figure.count", "header.figures"},
    {letter_aggregate, figure_name, "figure.name", "header.figures[1].name"},
    {letter_aggregate, figure_twin, "figure.duplicate", "header.figures[1].name"},
};

static void bent_messages_are_refused_with_reason_path_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct refused *row = &refused[i];
        struct letter letter;
        struct message *message = row->make(&letter);
        struct fault fault = {.rc = RC_OK};

        row->bend(&letter, &message->header, message);
        if (validate_message(message, &fault) != RC_INVALID_ARGUMENT ||
            strcmp(fault.reason, row->reason) != 0 || strcmp(fault.path, row->path) != 0) {
            fail_msg("row %zu: expected %s %s, got %s %s", i, row->reason, row->path, fault.reason,
                     fault.path);
        }
        assert_true(strlen(fault.remedy) > 10 && strlen(fault.remedy) + 1 < sizeof fault.remedy);
    }
}

static void refusals_never_hold_a_value(void **state)
{
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    message->compartments[0].curp = "SABC560626MDFLRN02";
    assert_int_equal(validate_message(message, &fault), RC_INVALID_ARGUMENT);
    assert_null(strstr(fault.remedy, "SABC"));
    assert_null(strstr(fault.path, "SABC"));
    assert_int_equal(validate_message(message, NULL), RC_INVALID_ARGUMENT); /* no fault wanted */
}

static void known_good_variants_pass(void **state)
{
    struct letter letter;
    struct message *message = letter_request(&letter);

    (void)state;
    message->compartments[0].curp = "SABC560626MDFLRN01";
    message->compartments[0].birth_date = "1956-06-26";
    message->header.parent_exchange_id = fixture_id(5);
    message->header.consent = CONSENT_IMPEDED;
    message->header.on_behalf_of = "enlace-01";
    message->header.occurred_at = "2019-06-03T16:00:00Z";
    assert_int_equal(validate_message(message, NULL), RC_OK);
    message = letter_act(&letter);
    message->header.event = EVENT_DECLINE;
    message->header.reason = "no-competente";
    message->header.competent = "cdmx/pgj";
    assert_int_equal(validate_message(message, NULL), RC_OK);
    message->header.event = EVENT_IN_FORCE;
    message->header.evidence_sha256 = BYTES_OF(fixture_ones);
    assert_int_equal(validate_message(message, NULL), RC_OK);
}

static void new_ids_are_of_the_last_thirty_days(void **state)
{
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    assert_int_equal(validate_age(message, FIXTURE_NOW, NULL), RC_OK);
    assert_int_equal(validate_age(message, FIXTURE_NOW + VALIDATE_ID_PAST_MS, NULL), RC_OK);
    assert_int_equal(validate_age(message, FIXTURE_NOW - VALIDATE_ID_FUTURE_MS, NULL), RC_OK);
    assert_int_equal(validate_age(message, FIXTURE_NOW + VALIDATE_ID_PAST_MS + 1, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "id.too_old");
    fault = (struct fault){.rc = RC_OK};
    assert_int_equal(validate_age(message, FIXTURE_NOW - VALIDATE_ID_FUTURE_MS - 1, &fault),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "id.in_future");
    fault = (struct fault){.rc = RC_OK};
    message->header.occurred_at = "2027-01-01T00:00:00-06:00";
    assert_int_equal(validate_age(message, FIXTURE_NOW, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "time.in_future");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_messages_pass),
        cmocka_unit_test(bent_messages_are_refused_with_reason_path_and_remedy),
        cmocka_unit_test(refusals_never_hold_a_value),
        cmocka_unit_test(known_good_variants_pass),
        cmocka_unit_test(new_ids_are_of_the_last_thirty_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
