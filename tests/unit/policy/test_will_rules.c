#include "unit/policy/demo_directory.h"

#include "policy/will_rules.h"

struct row {
    const char *excluded;
    const char *to_system;
    const char *on_behalf_of;
    bool is_excluded;
};

/* The request goes from cdmx/mpi-cdmx (plataforma) to cdmx/ssc (adapter acts for enlace-01). */
static const struct row rows[] = {
    {"cdmx/ssc", "", "", true},
    {"cdmx/ssc", "adapter", "", true},
    {"cdmx/pgj", "", "", false},
    {"cdmx/ss", "", "", false},
    {"cdmx/ssc/system/adapter", "adapter", "", true},
    {"cdmx/ssc/system/adapter", "otro", "", false},
    {"cdmx/ssc/system/otro", "adapter", "", false},
    {"cdmx/ssc/system/otro", "", "", true}, /* it could reach that one */
    {"cdmx/ssc/official/enlace-01", "adapter", "", true},
    {"cdmx/ssc/official/enlace-01", "", "", true},
    {"cdmx/ssc/official/enlace-99", "", "", false},
    {"cdmx/pgj/official/enlace-01", "adapter", "", false},
    {"cdmx/mpi-cdmx/official/enlace-02", "", "enlace-02", true},
    {"cdmx/mpi-cdmx/official/enlace-02", "", "enlace-01", false},
    {"cdmx/mpi-cdmx/system/plataforma", "", "", true},
    {"nonsense", "", "", true}, /* what nobody understands lets nothing through */
};

static void whom_the_person_excluded_gets_nothing(void **state)
{
    const struct demo *demo = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct will will = {.excluded_count = 1};
        struct letter letter;
        struct message *message = letter_request(&letter);

        snprintf(will.excluded[0], WILL_NAME_SIZE, "%s", rows[i].excluded);
        message->header.to_system = rows[i].to_system;
        message->header.on_behalf_of = rows[i].on_behalf_of;
        if (will_excludes(&will, demo->directory, &message->header, 0) != rows[i].is_excluded) {
            fail_msg("row %zu: %s", i, rows[i].excluded);
        }
    }
}

static void only_what_says_something_new_is_asked(void **state)
{
    struct letter letter;
    struct message *message = letter_request(&letter);

    (void)state;
    assert_true(will_is_asked(message));
    message->header.subject_count = 0;
    assert_false(will_is_asked(message));
    message = letter_start(&letter, MESSAGE_RECALL); /* it takes back */
    message->header.exchange_id = fixture_id(2);
    message->header.subject_count = 1;
    assert_false(will_is_asked(message));
    message->header.type = MESSAGE_MEASURE_CHANGE;
    assert_true(will_is_asked(message));
}

static void consent_is_asked_after_the_veto(void **state)
{
    const struct demo *demo = *state;
    int64_t now_ms = clock_now_ms();
    struct will will = {.consent = WILL_GIVEN};
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {0};

    message->header.purpose = "proteccion";
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_OK);
    will.consent = WILL_IMPEDED;
    will.ratify_by_ms = now_ms + 1000;
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_OK);
    will.ratify_by_ms = now_ms - 1000;
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_NOT_FOUND);
    assert_string_equal(fault.reason, "consent.not_ratified");
    message->header.break_glass = "peligro-inminente";
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_OK);
    will.consent = WILL_WITHDRAWN; /* that is never waived */
    fault = (struct fault){0};
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_NOT_FOUND);
    assert_string_equal(fault.reason, "consent.withdrawn");
    will.excluded_count = 1;
    snprintf(will.excluded[0], WILL_NAME_SIZE, "cdmx/ssc");
    fault = (struct fault){0};
    assert_int_equal(will_check(&will, demo->directory, message, now_ms, &fault), RC_NOT_FOUND);
    assert_string_equal(fault.reason, "veto.excluded");
    assert_non_null(strstr(fault.remedy, "cdmx/c5"));
    assert_null(strstr(fault.remedy, "cdmx/ssc"));
}

static void names_are_those_of_the_directory(void **state)
{
    const struct directory *d = ((const struct demo *)*state)->directory;

    assert_true(will_name_is_known(d, "cdmx/ssc"));
    assert_true(will_name_is_known(d, "cdmx/ssc/system/adapter"));
    assert_true(will_name_is_known(d, "cdmx/ssc/official/enlace-01"));
    assert_false(will_name_is_known(d, "cdmx/nadie"));
    assert_false(will_name_is_known(d, "cdmx/ssc/system/otro"));
    assert_false(will_name_is_known(d, "cdmx/ssc/official/nadie"));
    assert_false(will_name_is_known(d, "cdmx/ssc/auditor/auditor-01"));
    assert_false(will_name_is_known(d, "cdmx/ssc/"));
    assert_false(will_name_is_known(d, "ssc"));
    assert_false(will_name_is_known(d, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_the_person_excluded_gets_nothing),
        cmocka_unit_test(only_what_says_something_new_is_asked),
        cmocka_unit_test(consent_is_asked_after_the_veto),
        cmocka_unit_test(names_are_those_of_the_directory),
    };

    return cmocka_run_group_tests(tests, demo_make, demo_remove);
}
