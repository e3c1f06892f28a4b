#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/message.h"
#include "model/record.h"

static void a_part_is_a_subject_and_a_type(void **state)
{
    struct compartment compartment = {.part = 3 * 256 + COMPARTMENT_HEALTH};

    (void)state;
    assert_int_equal(compartment_type(&compartment), COMPARTMENT_HEALTH);
    assert_int_equal(compartment_subject(&compartment), 3);
    compartment.part = 3 * 256 + COMPARTMENT_TYPES;
    assert_int_equal(compartment_type(&compartment), COMPARTMENT_NONE);
    compartment.part = 255;
    assert_int_equal(compartment_type(&compartment), COMPARTMENT_NONE);
}

static void a_message_opens_the_exchange_of_its_own_id(void **state)
{
    struct message message = {.header = {.message_id = {{1}}, .exchange_id = {{1}}}};

    (void)state;
    assert_true(message_opens(&message));
    message.header.exchange_id.bytes[15] = 1;
    assert_false(message_opens(&message));
}

static void every_type_has_a_name_that_leads_back(void **state)
{
    (void)state;
    for (int type = MESSAGE_REFERRAL; type <= MESSAGE_AGGREGATE; type++) {
        const char *name = message_type_name((enum message_type)type);

        assert_non_null(name);
        assert_int_equal(message_type_from_name(name), type);
    }
    assert_string_equal(message_type_name(MESSAGE_ACT), "Act");
    assert_null(message_type_name(MESSAGE_NONE));
    assert_null(message_type_name((enum message_type)(MESSAGE_REFERRAL - 1)));
    assert_null(message_type_name((enum message_type)(MESSAGE_AGGREGATE + 1)));
    assert_int_equal(message_type_from_name("act"), MESSAGE_NONE);
    assert_int_equal(message_type_from_name(""), MESSAGE_NONE);
}

static void every_event_has_a_name_that_leads_back(void **state)
{
    (void)state;
    for (int event = EVENT_CUSTODY; event < EVENTS; event++) {
        assert_int_equal(event_from_name(event_name((enum event)event)), event);
    }
    assert_int_equal(event_from_name(""), EVENT_NONE);
    assert_int_equal(event_from_name("explode"), EVENT_NONE);
}

static void requests_want_custody_and_answers_do_not(void **state)
{
    (void)state;
    assert_true(message_wants_custody(MESSAGE_REFERRAL));
    assert_true(message_wants_custody(MESSAGE_MEASURE_REQUEST));
    assert_true(message_wants_custody(MESSAGE_MEASURE_CHANGE));
    assert_true(message_wants_custody(MESSAGE_SUPPORT_REQUEST));
    assert_true(message_wants_custody(MESSAGE_CONSULTATION));
    assert_false(message_wants_custody(MESSAGE_STATUS_REPORT));
    assert_false(message_wants_custody(MESSAGE_ACT));
    assert_false(message_wants_custody(MESSAGE_RECALL));
    assert_false(message_wants_custody(MESSAGE_NOTICE));
    assert_false(message_wants_custody(MESSAGE_AGGREGATE));
    assert_false(message_wants_custody(MESSAGE_NONE));
}

static void a_new_record_has_no_null_texts(void **state)
{
    struct record record;
    const char *const *texts[] = {
        &record.from,        &record.to,    &record.hosted_by,      &record.actor,
        &record.official,    &record.route, &record.catalogue_code, &record.occurred_on,
        &record.purpose,     &record.aviso, &record.legal_basis,    &record.reason,
        &record.reason_path,
    };

    (void)state;
    memset(&record, 0xff, sizeof record);
    record_init(&record, RECORD_ERASURE);
    assert_int_equal(record.kind, RECORD_ERASURE);
    assert_int_equal(record.type, MESSAGE_NONE);
    assert_true(field_set_is_empty(record.fields_sent));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(*texts[i], "");
    }
    for (int kind = RECORD_NONE; kind < RECORD_KINDS; kind++) {
        assert_non_null(record_kind_name((enum record_kind)kind));
    }
}

/* Of each class of record: may an official of the one, of the other, an operator read it? */
static void each_class_of_record_is_read_by_those_it_concerns(void **state)
{
    static const struct {
        bool sender, recipient, operator;
    } rows[RECORD_KINDS] = {
        [RECORD_NONE] = {false, false, true},
        [RECORD_SENT] = {true, false, false},
        [RECORD_RECEIVED] = {false, true, false},
        [RECORD_DELIVERED] = {false, true, false},
        [RECORD_REFUSED] = {true, true, false},
        [RECORD_REFUSALS_COUNTED] = {false, false, true},
        [RECORD_READING] = {false, false, true},
        [RECORD_ERASURE] = {false, false, true},
        [RECORD_BREACH] = {false, false, true},
        [RECORD_DIRECTORY] = {false, false, true},
        [RECORD_READING_ENDED] = {false, false, true},
        [RECORD_AUDIT_CLOSED] = {false, false, true},
        [RECORD_TAG_KEY_GIVEN] = {false, false, true},
        [RECORD_HEARTBEAT] = {false, false, true},
        [RECORD_EPOCH] = {false, false, true},
        [RECORD_ORDER] = {false, false, true},
        [RECORD_HOLD] = {false, false, true},
        [RECORD_RELEASE] = {false, false, true},
        [RECORD_RETENTION] = {false, false, true},
        [RECORD_CLOCK] = {true, true, false},
        [RECORD_OFFICIAL] = {true, false, false},
        [RECORD_DUTY] = {false, false, true},
    };

    (void)state;
    for (int kind = RECORD_NONE; kind < RECORD_KINDS; kind++) {
        struct record record;

        record_init(&record, (enum record_kind)kind);
        record.from = "cdmx/mpi-cdmx";
        record.to = "cdmx/ssc";
        if (record_is_of(&record, "cdmx/mpi-cdmx") != rows[kind].sender ||
            record_is_of(&record, "cdmx/ssc") != rows[kind].recipient ||
            record_is_of(&record, "cdmx/pgj") ||
            record_is_of_exchange(record.kind) == rows[kind].operator) {
            fail_msg("class %s", record_kind_name(record.kind));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_a_subject_and_a_type),
        cmocka_unit_test(each_class_of_record_is_read_by_those_it_concerns),
        cmocka_unit_test(a_message_opens_the_exchange_of_its_own_id),
        cmocka_unit_test(every_type_has_a_name_that_leads_back),
        cmocka_unit_test(every_event_has_a_name_that_leads_back),
        cmocka_unit_test(requests_want_custody_and_answers_do_not),
        cmocka_unit_test(a_new_record_has_no_null_texts),
    };

    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
