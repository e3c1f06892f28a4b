/* The plan of 2019 has the report's marginals, and is the same plan for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "workload/plan.h"

#define SEED 2019
#define START_MS 1795000000000

static struct plan plan;
static struct plan again;

static int make_both(void **state)
{
    (void)state;
    plan_make(SEED, START_MS, &plan);
    plan_make(SEED, START_MS, &again);
    return 0;
}

static unsigned exchanges_of(enum plan_kind kind, const char *to)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        n += plan.exchanges[i].kind == kind && (!to || strcmp(plan.exchanges[i].to, to) == 0);
    }
    return n;
}

/* Occurrences planned along own requests whose item's code begins so, for one executor or all. */
static unsigned own_units(const char *to, const char *prefix)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        const struct plan_exchange *exchange = &plan.exchanges[i];

        for (unsigned k = 0; k < exchange->item_count; k++) {
            bool counts = exchange->kind == PLAN_KIND_OWN &&
                          (!to || strcmp(exchange->to, to) == 0) &&
                          strncmp(exchange->items[k].code, prefix, strlen(prefix)) == 0;

            n += counts ? exchange->items[k].occurrences : 0;
        }
    }
    return n;
}

static unsigned kind_units(enum plan_kind kind)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        n += plan.exchanges[i].kind == kind ? plan_units(&plan.exchanges[i]) : 0;
    }
    return n;
}

static void exchanges_are_334_and_measures_189(void **state)
{
    unsigned measures = 0;

    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        measures += plan.exchanges[i].kind == PLAN_KIND_OWN ? plan.exchanges[i].item_count : 0;
    }
    assert_int_equal(PLAN_EXCHANGES, 334);
    assert_int_equal(exchanges_of(PLAN_KIND_OWN, NULL), 129);
    assert_int_equal(exchanges_of(PLAN_KIND_REFERRAL, NULL), 50);
    assert_int_equal(exchanges_of(PLAN_KIND_SUPPORT, NULL), 93);
    assert_int_equal(exchanges_of(PLAN_KIND_CHILD, NULL), 62);
    assert_int_equal(measures, PLAN_MEASURES);
}

static void each_executor_has_its_requests_and_actions(void **state)
{
    static const struct {
        const char *to;
        unsigned requests;
        unsigned units;
    } rows[] = {
        {"cdmx/ssc", 23, 485},      {"cdmx/c5", 22, 22},    {"cdmx/pgj", 22, 88},
        {"cdmx/sedesa", 22, 264},   {"cdmx/ceavi", 10, 10}, {"cdmx/saf", 8, 186},
        {"cdmx/mpi-cdmx", 22, 304},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(exchanges_of(PLAN_KIND_OWN, rows[i].to), rows[i].requests);
        assert_int_equal(own_units(rows[i].to, ""), rows[i].units);
    }
}

static void units_are_1502_by_class(void **state)
{
    (void)state;
    assert_int_equal(own_units(NULL, "URG-"), 1);
    assert_int_equal(own_units(NULL, "PRV-"), 84);
    assert_int_equal(own_units(NULL, "SOC-"), 186);
    assert_int_equal(own_units(NULL, "PRO-"), 1088);
    assert_int_equal(kind_units(PLAN_KIND_OWN), 1359);
    assert_int_equal(kind_units(PLAN_KIND_REFERRAL), 50);
    assert_int_equal(kind_units(PLAN_KIND_SUPPORT), 93);
    assert_int_equal(kind_units(PLAN_KIND_CHILD), 0);
    assert_int_equal(1359 + 50 + 93, PLAN_UNITS);
}

static void referrals_go_to_eleven_members(void **state)
{
    static const struct {
        const char *to;
        unsigned count;
    } rows[] = {
        {"cdmx/sedesa", 12}, {"cdmx/styfe", 8},  {"cdmx/dif", 6},          {"cdmx/sibiso", 4},
        {"cdmx/cdhcm", 4},   {"cdmx/alc-mh", 4}, {"cdmx/casa-refugio", 3}, {"cdmx/ceavi", 3},
        {"cdmx/injuve", 2},  {"cdmx/pgj", 2},    {"cdmx/secgob", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(exchanges_of(PLAN_KIND_REFERRAL, rows[i].to), rows[i].count);
    }
}

static void each_child_has_a_parent_of_its_own(void **state)
{
    bool is_parent[PLAN_EXCHANGES] = {false};

    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        const struct plan_exchange *exchange = &plan.exchanges[i];

        if (exchange->kind != PLAN_KIND_CHILD) {
            assert_int_equal(exchange->parent, PLAN_NO_PARENT);
            continue;
        }
        assert_int_equal(plan.exchanges[exchange->parent].kind, PLAN_KIND_SUPPORT);
        assert_false(is_parent[exchange->parent]);
        is_parent[exchange->parent] = true;
        assert_string_equal(exchange->from, plan.exchanges[exchange->parent].to);
        assert_int_equal(exchange->person, plan.exchanges[exchange->parent].person);
    }
}

static void one_request_is_urgent(void **state)
{
    unsigned urgent = 0;

    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        urgent += plan.exchanges[i].urgency == URGENCY_URGENT;
    }
    assert_int_equal(urgent, 1);
}

static void own_requests_cite_one_of_22_plans_and_10_sessions(void **state)
{
    bool plans[PEOPLE_INCORPORATED] = {false};
    bool sessions[PLAN_SESSIONS] = {false};
    unsigned plan_count = 0;
    unsigned session_count = 0;

    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        const struct plan_exchange *exchange = &plan.exchanges[i];

        if (exchange->kind == PLAN_KIND_OWN) {
            assert_in_range(exchange->person, 0, PEOPLE_INCORPORATED - 1);
            assert_in_range(exchange->session, 0, PLAN_SESSIONS - 1);
            plan_count += !plans[exchange->person];
            session_count += !sessions[exchange->session];
            plans[exchange->person] = true;
            sessions[exchange->session] = true;
        }
    }
    assert_int_equal(plan_count, 22);
    assert_int_equal(session_count, 10);
}

static void everything_is_asked_in_2019_in_time_to_be_reported(void **state)
{
    int32_t first;
    int32_t last;

    (void)state;
    assert_int_equal(clock_parse_date(bytes_text("2019-01-01"), &first), RC_OK);
    assert_int_equal(clock_parse_date(bytes_text(PLAN_LAST_DAY), &last), RC_OK);
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        int64_t instant_ms;
        char noon[32];

        assert_in_range(plan.exchanges[i].day, first, last - 1);
        plan_noon(plan.exchanges[i].day, noon);
        assert_int_equal(clock_parse(bytes_text(noon), &instant_ms), RC_OK);
    }
    {
        char noon[32];

        plan_noon(first, noon);
        assert_string_equal(noon, "2019-01-01T12:00:00-06:00");
        plan_noon(last - 180, noon);
        assert_string_equal(noon, "2019-06-15T12:00:00-05:00");
    }
}

static unsigned people_with(int group, const char *sex, const char *activity, const char *age)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PEOPLE_CASES; i++) {
        const struct person *person = &plan.people[i];

        n += (group < 0 || person->group == (enum people_group)group) &&
             (!sex || strcmp(person->sex, sex) == 0) &&
             (!activity || strcmp(person->activity, activity) == 0) &&
             (!age || strcmp(person->age_range, age) == 0);
    }
    return n;
}

static void people_have_the_reports_marginals(void **state)
{
    (void)state;
    assert_int_equal(PEOPLE_CASES, 165);
    assert_int_equal(people_with(-1, NULL, "defensora", NULL), 75);
    assert_int_equal(people_with(-1, NULL, "periodista", NULL), 87);
    assert_int_equal(people_with(-1, NULL, "colaboradora", NULL), 3);
    assert_int_equal(people_with(-1, "mujer", NULL, NULL), 72);
    assert_int_equal(people_with(-1, "hombre", NULL, NULL), 63);
    assert_int_equal(people_with(-1, "colectivo", NULL, NULL), 3);
    assert_int_equal(people_with(-1, "no_especificado", NULL, NULL), 27);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, "defensora", NULL), 16);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, "periodista", NULL), 6);
    assert_int_equal(people_with(GROUP_INCORPORATED, "mujer", NULL, NULL), 17);
    assert_int_equal(people_with(GROUP_INCORPORATED, "hombre", NULL, NULL), 5);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, NULL, "20-30"), 1);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, NULL, "31-40"), 9);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, NULL, "41-50"), 5);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, NULL, "51-60"), 4);
    assert_int_equal(people_with(GROUP_INCORPORATED, NULL, NULL, "no_especificado"), 3);
}

/* An independent sum over the alphabet with Ñ, as domain rules spell it. */
static int curp_digit(const char *curp)
{
    static const char *const alphabet = "0123456789ABCDEFGHIJKLMN?OPQRSTUVWXYZ";
    long sum = 0;

    for (int i = 0; i < 17; i++) {
        sum += (strchr(alphabet, curp[i]) - alphabet) * (18 - i);
    }
    return (int)((10 - sum % 10) % 10);
}

static void curps_hold_are_different_and_say_that_they_are_synthetic(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned i = 0; i < PEOPLE_CASES; i++) {
        const struct person *person = &plan.people[i];

        assert_non_null(strstr(person->full_name, "Sintétic"));
        if (person->curp[0] == '\0') {
            continue;
        }
        count++;
        assert_int_equal(strlen(person->curp), 18);
        assert_memory_equal(person->curp, "XXXX", 4);
        assert_int_equal(person->curp[17] - '0', curp_digit(person->curp));
        assert_int_equal(person->curp[10], strcmp(person->sex, "mujer") == 0 ? 'M' : 'H');
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(person->curp, plan.people[k].curp);
        }
    }
    assert_int_equal(count, 19); /* those whose sex and age the report gives */
}

/* The check itself, on CURPs published as examples and on one with a wrong digit. */
static void the_check_digit_is_the_official_one(void **state)
{
    (void)state;
    assert_int_equal(curp_digit("SABC560626MDFLRN01"), 1);
    assert_int_equal(curp_digit("BOXW310820HNERXN09"), 9);
    assert_int_not_equal(curp_digit("MOTR930411HJCRMG73"), 3);
}

static void unsaid_ages_have_no_birth_date(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PEOPLE_CASES; i++) {
        bool is_unsaid = strcmp(plan.people[i].age_range, "no_especificado") == 0;

        assert_int_equal(plan.people[i].birth_date[0] == '\0', is_unsaid);
    }
}

static void birth_dates_fall_into_the_age_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PEOPLE_CASES; i++) {
        unsigned year;
        unsigned from;
        unsigned to;

        if (sscanf(plan.people[i].birth_date, "%u-", &year) == 1) {
            assert_int_equal(sscanf(plan.people[i].age_range, "%u-%u", &from, &to), 2);
            assert_in_range(2019 - year, from, to);
        }
    }
}

static void the_same_seed_gives_the_same_plan(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        assert_true(id_equal(&plan.exchanges[i].id, &again.exchanges[i].id));
        assert_true(id_equal(&plan.exchanges[i].pseudonym, &again.exchanges[i].pseudonym));
        assert_int_equal(plan.exchanges[i].day, again.exchanges[i].day);
    }
    plan_make(SEED + 1, START_MS, &again);
    assert_false(id_equal(&plan.exchanges[0].id, &again.exchanges[0].id));
}

static void ids_are_uuid7_of_the_time_of_sending_and_all_different(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        assert_true(id_is_v7(&plan.exchanges[i].id));
        assert_int_equal(id_instant_ms(&plan.exchanges[i].id), START_MS + i);
    }
}

/* One person has one pseudonym per receiving member, and no two members could compare them. */
static void pseudonyms_are_per_person_and_member(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLAN_EXCHANGES; i++) {
        for (unsigned k = 0; k < i; k++) {
            const struct plan_exchange *a = &plan.exchanges[i];
            const struct plan_exchange *b = &plan.exchanges[k];
            bool is_same_link = a->person == b->person && strcmp(a->from, b->from) == 0 &&
                                strcmp(a->to, b->to) == 0;

            assert_int_equal(id_equal(&a->pseudonym, &b->pseudonym), is_same_link);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_are_334_and_measures_189),
        cmocka_unit_test(each_executor_has_its_requests_and_actions),
        cmocka_unit_test(units_are_1502_by_class),
        cmocka_unit_test(referrals_go_to_eleven_members),
        cmocka_unit_test(each_child_has_a_parent_of_its_own),
        cmocka_unit_test(one_request_is_urgent),
        cmocka_unit_test(own_requests_cite_one_of_22_plans_and_10_sessions),
        cmocka_unit_test(everything_is_asked_in_2019_in_time_to_be_reported),
        cmocka_unit_test(people_have_the_reports_marginals),
        cmocka_unit_test(curps_hold_are_different_and_say_that_they_are_synthetic),
        cmocka_unit_test(the_check_digit_is_the_official_one),
        cmocka_unit_test(unsaid_ages_have_no_birth_date),
        cmocka_unit_test(birth_dates_fall_into_the_age_range),
        cmocka_unit_test(the_same_seed_gives_the_same_plan),
        cmocka_unit_test(ids_are_uuid7_of_the_time_of_sending_and_all_different),
        cmocka_unit_test(pseudonyms_are_per_person_and_member),
    };

    return cmocka_run_group_tests(tests, make_both, NULL);
}
