#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "rpc/codec_pb.h"
#include "unit/rpc/codec_agrees.h"
#include "unit/rpc/codec_samples.h"

#define ARENA_MAX ((size_t)8 << 20)

static const enum message_type types[] = {
    MESSAGE_REFERRAL,
    MESSAGE_MEASURE_REQUEST,
    MESSAGE_MEASURE_CHANGE,
    MESSAGE_SUPPORT_REQUEST,
    MESSAGE_CONSULTATION,
    MESSAGE_STATUS_REPORT,
    MESSAGE_ACT,
    MESSAGE_RECALL,
    MESSAGE_NOTICE,
    MESSAGE_AGGREGATE,
};

static void assert_bytes(struct bytes a, struct bytes b)
{
    assert_true(bytes_equal(a, b));
}

static void assert_parties(const struct header *a, const struct header *b)
{
    assert_int_equal(a->schema, b->schema);
    assert_true(id_equal(&a->message_id, &b->message_id));
    assert_true(id_equal(&a->exchange_id, &b->exchange_id));
    assert_true(id_equal(&a->parent_exchange_id, &b->parent_exchange_id));
    assert_true(id_equal(&a->case_id, &b->case_id));
    assert_string_equal(a->from, b->from);
    assert_string_equal(a->from_system, b->from_system);
    assert_string_equal(a->to, b->to);
    assert_string_equal(a->to_system, b->to_system);
    assert_string_equal(a->on_behalf_of, b->on_behalf_of);
    assert_int_equal(a->urgency, b->urgency);
    assert_string_equal(a->catalogue_code, b->catalogue_code);
    assert_int_equal(a->created_at_ms, b->created_at_ms);
    assert_string_equal(a->occurred_at, b->occurred_at);
    assert_int_equal(a->out_of_band, b->out_of_band);
    assert_string_equal(a->break_glass, b->break_glass);
}

static void assert_basis(const struct header *a, const struct header *b)
{
    assert_string_equal(a->purpose, b->purpose);
    assert_string_equal(a->legal_basis, b->legal_basis);
    assert_string_equal(a->aviso_id, b->aviso_id);
    assert_string_equal(a->aviso_version, b->aviso_version);
    assert_bytes(a->aviso_sha256, b->aviso_sha256);
    assert_int_equal(a->consent, b->consent);
    assert_string_equal(a->consent_reference, b->consent_reference);
    assert_int_equal(a->has_plan, b->has_plan);
    assert_string_equal(a->plan_issuer, b->plan_issuer);
    assert_string_equal(a->plan_id, b->plan_id);
    assert_int_equal(a->plan_version, b->plan_version);
    assert_int_equal(a->procedure, b->procedure);
    assert_int_equal(a->has_decision, b->has_decision);
    assert_string_equal(a->decision_organ, b->decision_organ);
    assert_string_equal(a->decision_session, b->decision_session);
    assert_string_equal(a->decision_date, b->decision_date);
    assert_bytes(a->decision_sha256, b->decision_sha256);
}

static void assert_lists(const struct header *a, const struct header *b)
{
    assert_int_equal(a->subject_count, b->subject_count);
    for (size_t i = 0; i < a->subject_count; i++) {
        assert_true(id_equal(&a->subjects[i].pseudonym, &b->subjects[i].pseudonym));
        assert_int_equal(a->subjects[i].role, b->subjects[i].role);
    }
    assert_int_equal(a->clock_count, b->clock_count);
    for (size_t i = 0; i < a->clock_count; i++) {
        assert_string_equal(a->clocks[i].id, b->clocks[i].id);
        assert_int_equal(a->clocks[i].anchored_at_ms, b->clocks[i].anchored_at_ms);
        assert_int_equal(a->clocks[i].due_at_ms, b->clocks[i].due_at_ms);
    }
    assert_int_equal(a->seal_count, b->seal_count);
    for (size_t i = 0; i < a->seal_count; i++) {
        assert_int_equal(a->seals[i].part, b->seals[i].part);
        assert_bytes(a->seals[i].sha256, b->seals[i].sha256);
    }
    assert_int_equal(a->item_count, b->item_count);
    for (size_t i = 0; i < a->item_count; i++) {
        assert_int_equal(a->items[i].number, b->items[i].number);
        assert_string_equal(a->items[i].code, b->items[i].code);
        assert_int_equal(a->items[i].cadence_count, b->items[i].cadence_count);
        assert_int_equal(a->items[i].period, b->items[i].period);
        assert_string_equal(a->items[i].ends_on, b->items[i].ends_on);
    }
}

static void assert_aggregate(const struct header *a, const struct header *b)
{
    assert_string_equal(a->aggregate_id, b->aggregate_id);
    assert_string_equal(a->aggregate_from, b->aggregate_from);
    assert_string_equal(a->aggregate_to, b->aggregate_to);
    assert_int_equal(a->figure_count, b->figure_count);
    for (size_t i = 0; i < a->figure_count; i++) {
        assert_string_equal(a->figures[i].name, b->figures[i].name);
        assert_int_equal(a->figures[i].value, b->figures[i].value);
    }
}

/* What the type has; what it has not is empty. */
static void assert_content(const struct header *a, const struct header *b)
{
    assert_int_equal(a->type, b->type);
    switch (a->type) {
    case MESSAGE_MEASURE_CHANGE:
        assert_int_equal(a->item, b->item);
        assert_int_equal(a->change, b->change);
        assert_string_equal(a->ends_on, b->ends_on);
        break;
    case MESSAGE_CONSULTATION:
        assert_string_equal(a->session, b->session);
        assert_int_equal(a->expires_at_ms, b->expires_at_ms);
        break;
    case MESSAGE_STATUS_REPORT:
        assert_int_equal(a->item, b->item);
        assert_int_equal(a->occurrence, b->occurrence);
        assert_string_equal(a->action_code, b->action_code);
        assert_bytes(a->evidence_sha256, b->evidence_sha256);
        break;
    case MESSAGE_ACT:
        assert_true(id_equal(&a->regards, &b->regards));
        assert_int_equal(a->item, b->item);
        assert_int_equal(a->event, b->event);
        assert_string_equal(a->reason, b->reason);
        assert_string_equal(a->competent, b->competent);
        assert_bytes(a->evidence_sha256, b->evidence_sha256);
        break;
    case MESSAGE_RECALL:
        assert_true(id_equal(&a->regards, &b->regards));
        assert_string_equal(a->reason, b->reason);
        assert_string_equal(a->competent, "");
        break;
    case MESSAGE_NOTICE:
        assert_true(id_equal(&a->regards, &b->regards));
        assert_int_equal(a->item, b->item);
        assert_string_equal(a->notice_clock, b->notice_clock);
        assert_string_equal(a->notice_route, b->notice_route);
        assert_string_equal(a->notice_late, b->notice_late);
        assert_int_equal(a->notice_anchored_ms, b->notice_anchored_ms);
        assert_int_equal(a->notice_due_ms, b->notice_due_ms);
        assert_int_equal(a->notice_percent, b->notice_percent);
        break;
    case MESSAGE_AGGREGATE:
        assert_aggregate(a, b);
        break;
    default:
        assert_string_equal(a->reason, "");
        assert_true(id_is_zero(&a->regards));
    }
}

static void assert_header(const struct header *a, const struct header *b)
{
    assert_parties(a, b);
    assert_basis(a, b);
    assert_lists(a, b);
    assert_content(a, b);
}

static void every_type_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        OWN_PTR(arena) arena = arena_new(ARENA_MAX);
        OWN(buffer) bytes = {0};
        OWN(buffer) again = {0};
        struct submission read;
        struct fault fault = {0};
        struct sample sample;

        assert_true(sample_make(&sample, types[i]));
        codec_submit_write(&sample.submission, &bytes);
        assert_false(bytes.is_failed);
        assert_int_equal(codec_submit_read(buffer_bytes(&bytes), arena, &read, &fault), RC_OK);
        assert_header(&read.message.header, &sample.submission.message.header);
        codec_header_write(&read.message.header, &again);
        assert_bytes(buffer_bytes(&again), read.message.header_bytes);
        buffer_clear(&again);
        codec_submit_write(&read, &again);
        assert_bytes(buffer_bytes(&again), buffer_bytes(&bytes));
        sample_release(&sample);
    }
}

static void a_message_is_read_with_its_parts(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct message read;
    struct sample sample;
    const struct message *written = &sample.submission.message;
    char fields[256];

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_MEASURE_REQUEST));
    codec_message_write(written, &bytes);
    assert_int_equal(codec_message_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_bytes(read.header_bytes, written->header_bytes);
    assert_bytes(read.header_blind, written->header_blind);
    assert_int_equal(read.compartment_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read.compartments[i].part, written->compartments[i].part);
        assert_bytes(read.compartments[i].blind, written->compartments[i].blind);
        assert_bytes(read.compartments[i].content, written->compartments[i].content);
        assert_int_equal(read.compartments[i].is_sealed, i == 2);
    }
    assert_string_equal(read.compartments[0].curp, "PEXM850423MDFXXR04");
    assert_string_equal(read.compartments[0].birth_date, "1985-04-23");
    assert_string_equal(read.compartments[1].curp, "");
    assert_string_equal(read.compartments[2].alcaldia, "");
    assert_int_equal(read.signature_count, 1);
    assert_bytes(read.signatures[0].certificate, written->signatures[0].certificate);
    assert_int_equal(read.sealed_types, 1u << COMPARTMENT_LOCATION);
    assert_int_equal(read.clear_types, 1u << COMPARTMENT_IDENTITY | 1u << COMPARTMENT_CONTACT |
                                           1u << COMPARTMENT_NARRATIVE);
    field_set_describe(read.fields, fields, sizeof fields);
    assert_string_equal(fields, "identity.full_name, identity.curp, identity.birth_date, "
                                "identity.activity, contact.phone, contact.safe_hours, "
                                "narrative.summary");
    sample_release(&sample);
}

static void absent_parts_are_not_empty_parts(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct header header;
    struct header read;

    (void)state;
    sample_header(&header, MESSAGE_RECALL);
    header.has_plan = header.has_decision = false;
    header.aviso_id = header.aviso_version = NULL;
    header.aviso_sha256 = (struct bytes){0};
    header.parent_exchange_id = (struct id){{0}};
    codec_header_write(&header, &bytes);
    assert_int_equal(codec_header_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_false(read.has_plan);
    assert_false(read.has_decision);
    assert_string_equal(read.plan_id, "");
    assert_string_equal(read.decision_date, "");
    assert_string_equal(read.aviso_id, "");
    assert_true(id_is_zero(&read.parent_exchange_id));

    header.has_plan = true;
    header.plan_issuer = header.plan_id = "";
    header.plan_version = 0;
    header.procedure = PROCEDURE_NONE;
    buffer_clear(&bytes);
    codec_header_write(&header, &bytes);
    assert_int_equal(codec_header_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_true(read.has_plan);
    assert_string_equal(read.plan_id, "");
}

static void attachments_are_read(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct message read;
    struct sample sample;
    struct id id = sample_id(0x99);
    char text[ID_TEXT_SIZE];
    const char *hash = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    (void)state;
    id_format(&id, text);
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    const struct field_value values[] = {
        sample_value("attachments.entries.attachment_id", 0, text),
        sample_value("attachments.entries.media_type", 0, "application/pdf"),
        sample_value("attachments.entries.size", 0, "209715200"),
        sample_value("attachments.entries.sha256", 0, hash),
        sample_value("attachments.entries.title", 0, "Oficio"),
    };
    assert_true(sample_clear(&sample, 1, COMPARTMENT_ATTACHMENTS, values, 5));
    codec_message_write(&sample.submission.message, &bytes);
    assert_int_equal(codec_message_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.attachment_count, 1);
    assert_true(id_equal(&read.attachments[0].id, &id));
    assert_string_equal(read.attachments[0].media_type, "application/pdf");
    assert_int_equal(read.attachments[0].size, 200 << 20);
    assert_bytes(read.attachments[0].sha256, sample_hash(0));
    assert_string_equal(read.attachments[0].title, "Oficio");
    sample_release(&sample);
}

static void results_come_back_in_order(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct submit_result results[3] = {
        {.message_id = sample_id(1),
         .receipt = {RECEIPT_HELD, sample_leaf(), bytes_text("c2sp.org/tlog-proof@v1\n")}},
        {.message_id = sample_id(2)},
        {.fault = {RC_INVALID_ARGUMENT, "decode.malformed", "", "Vuelva a serializarlo."}},
    };
    struct submit_result *read = NULL;
    bool is_erased = false;
    struct receipt receipt;
    size_t count = 0;

    (void)state;
    refuse(&results[1].fault, RC_PERMISSION_DENIED, "route.none", "header.to", "No hay ruta.");
    codec_results_write(results, 3, &bytes);
    assert_int_equal(codec_results_read(buffer_bytes(&bytes), arena, &read, &count, NULL), RC_OK);
    assert_int_equal(count, 3);
    assert_int_equal(read[0].fault.rc, RC_OK);
    assert_true(id_equal(&read[0].message_id, &results[0].message_id));
    assert_int_equal(read[0].receipt.level, RECEIPT_HELD);
    assert_bytes(read[0].receipt.leaf, sample_leaf());
    assert_int_equal(read[1].fault.rc, RC_PERMISSION_DENIED);
    assert_string_equal(read[1].fault.reason, "route.none");
    assert_string_equal(read[1].fault.path, "header.to");
    assert_string_equal(read[1].fault.remedy, "No hay ruta.");
    assert_true(id_is_zero(&read[2].message_id));

    buffer_clear(&bytes);
    codec_submit_response_write(&results[0].receipt, true, &bytes);
    assert_int_equal(
        codec_submit_response_read(buffer_bytes(&bytes), arena, &receipt, &is_erased, NULL), RC_OK);
    assert_bytes(receipt.tlog_proof, results[0].receipt.tlog_proof);
    assert_true(is_erased);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    static const uint8_t replayed_leaf[200] = {'E', 'N', 'L', '1'};
    const struct record record = {
        .kind = RECORD_SENT,
        .message_id = sample_id(1),
        .exchange_id = sample_id(2),
        .parent_exchange_id = sample_id(3),
        .from = "cdmx/mpi",
        .to = "cdmx/ssc",
        .hosted_by = "cdmx/cdmx",
        .actor = "spiffe://enlace.cdmx/member/ssc/system/adapter",
        .official = "enlace-01",
        .type = MESSAGE_ACT,
        .catalogue_code = "PRO-COD-VIG",
        .item = 4,
        .occurrence = 5,
        .event = EVENT_IN_FORCE,
        .occurred_on = "2019-06-03",
        .urgency = URGENCY_URGENT,
        .purpose = "proteccion",
        .legal_basis = "LPPDDHP-26",
        .aviso = "AP-MPI",
        .consent = CONSENT_IMPEDED,
        .route = "mpi-ssc-1",
        .fields_sent = {.bits = UINT64_C(1) << 42 | 1},
        .fields_withheld = {.bits = 6},
        .sealed_types = 1u << COMPARTMENT_LOCATION,
        .message_commitment = sample_hash(6),
        .directory_sha256 = sample_hash(7),
        .reason = "route.none",
        .reason_path = "header.to",
        .count = 8,
        .transfer = TRANSFER_REMISION,
        .first_index = UINT64_C(1) << 40,
        .succession = bytes_text("statement"),
        .replayed_leaf = BYTES_OF(replayed_leaf),
        .purpose_commitment = sample_hash(8),
        .purpose_blind = sample_hash(9),
        .query_sha256 = sample_hash(10),
        .approver = "spiffe://enlace.cdmx/member/ssc/official/enlace-02",
    };
    struct record read;

    (void)state;
    codec_record_write(&record, &bytes);
    assert_true(holds_every_field(SHAPE_AUDIT_RECORD, buffer_bytes(&bytes)));
    assert_int_equal(codec_record_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    codec_record_write(&read, &again);
    assert_bytes(buffer_bytes(&again), buffer_bytes(&bytes));
    assert_int_equal(read.kind, record.kind);
    assert_string_equal(read.actor, record.actor);
    assert_string_equal(read.official, record.official);
    assert_string_equal(read.reason, record.reason);
    assert_string_equal(read.reason_path, record.reason_path);
    assert_int_equal(read.item, record.item);
    assert_int_equal(read.occurrence, record.occurrence);
    assert_int_equal(read.count, record.count);
    assert_true(read.fields_sent.bits == record.fields_sent.bits);
    assert_true(read.fields_withheld.bits == record.fields_withheld.bits);
    assert_true(read.first_index == record.first_index);
    assert_bytes(read.directory_sha256, record.directory_sha256);
}

static void a_record_of_nothing_has_no_null_texts(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct record record;
    struct record read;

    (void)state;
    record_init(&record, RECORD_BREACH);
    codec_record_write(&record, &bytes);
    assert_int_equal(codec_record_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_string_equal(read.reason, "");
    assert_string_equal(read.route, "");
    assert_true(field_set_is_empty(read.fields_sent));
}

static void too_much_to_write_marks_the_buffer(void **state)
{
    OWN(buffer) bytes = {0};
    struct sample sample;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    sample.submission.message.header.subject_count = MESSAGE_SUBJECTS_MAX + 1;
    codec_header_write(&sample.submission.message.header, &bytes);
    assert_true(bytes.is_failed);
    buffer_clear(&bytes);
    sample.submission.message.signature_count = MESSAGE_SIGNATURES_MAX + 1;
    codec_message_write(&sample.submission.message, &bytes);
    assert_true(bytes.is_failed);
    buffer_clear(&bytes);
    codec_submit_write(&sample.submission, &bytes);
    assert_true(bytes.is_failed);
    assert_int_equal(bytes.size, 0);
    sample_release(&sample);
}

static void a_full_arena_is_a_refusal(void **state)
{
    OWN(buffer) bytes = {0};
    struct sample sample;
    size_t max = 0;
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    (void)state;
    assert_true(sample_make(&sample, MESSAGE_REFERRAL));
    codec_submit_write(&sample.submission, &bytes);
    while (rc != RC_OK) {
        OWN_PTR(arena) arena = arena_new(max);
        struct submission read;
        struct fault fault = {0};

        rc = codec_submit_read(buffer_bytes(&bytes), arena, &read, &fault);
        assert_true(rc == RC_OK || strcmp(fault.reason, "decode.memory") == 0);
        max += 16;
        assert_true(max < ARENA_MAX);
    }
    sample_release(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read_as_it_was_written),
        cmocka_unit_test(a_message_is_read_with_its_parts),
        cmocka_unit_test(absent_parts_are_not_empty_parts),
        cmocka_unit_test(attachments_are_read),
        cmocka_unit_test(results_come_back_in_order),
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(a_record_of_nothing_has_no_null_texts),
        cmocka_unit_test(too_much_to_write_marks_the_buffer),
        cmocka_unit_test(a_full_arena_is_a_refusal),
    };

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
