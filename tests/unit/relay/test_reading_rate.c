#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "policy/audit_rules.h"
#include "relay/reading_rate.h"

#define HOUR ((int64_t)3600 * 1000)

static const struct audit_grant grant = {.records_per_hour = 100, .persons_per_day = 2};

static void past_the_ceiling_an_hour_is_over_first(void **state)
{
    OWN_PTR(reading_rate) rate = reading_rate_new();
    struct fault fault = {0};

    (void)state;
    assert_int_equal(reading_rate_records(rate, "a", &grant, 60, 24 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_records(rate, "a", &grant, 40, 24 * HOUR + 5, NULL), RC_OK);
    assert_int_equal(reading_rate_records(rate, "a", &grant, 1, 24 * HOUR + 6, &fault),
                     RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "audit.ceiling");
    assert_int_equal(reading_rate_records(rate, "b", &grant, 100, 24 * HOUR + 6, NULL), RC_OK);
    assert_int_equal(reading_rate_records(rate, "a", &grant, 100, 25 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_records(rate, "a", &grant, UINT64_MAX, 27 * HOUR, NULL),
                     RC_RESOURCE_EXHAUSTED);
}

static void persons_are_counted_by_the_day(void **state)
{
    OWN_PTR(reading_rate) rate = reading_rate_new();

    (void)state;
    assert_int_equal(reading_rate_person(rate, "a", &grant, 24 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_person(rate, "a", &grant, 30 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_person(rate, "a", &grant, 47 * HOUR, NULL),
                     RC_RESOURCE_EXHAUSTED);
    assert_int_equal(reading_rate_person(rate, "a", &grant, 48 * HOUR, NULL), RC_OK);
}

/* Who cannot be told apart shares one row: the many do not open the gate for one. */
static void more_identities_than_rows_share_one(void **state)
{
    OWN_PTR(reading_rate) rate = reading_rate_new();
    char name[32];

    (void)state;
    for (int i = 0; i < READING_RATE_MAX; i++) {
        snprintf(name, sizeof name, "reader %d", i);
        assert_int_equal(reading_rate_records(rate, name, &grant, 1, 24 * HOUR, NULL), RC_OK);
    }
    assert_int_equal(reading_rate_records(rate, "late", &grant, 100, 24 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_records(rate, "later", &grant, 1, 24 * HOUR, NULL),
                     RC_RESOURCE_EXHAUSTED);
    assert_int_equal(reading_rate_records(rate, "reader 7", &grant, 99, 24 * HOUR, NULL), RC_OK);
}

/* Track and Inbox: an official has a ceiling, a system takes what it is owed. */
static void an_official_reads_so_many_exchanges_an_hour(void **state)
{
    OWN_PTR(reading_rate) rate = reading_rate_new();
    const struct identity official = {.kind = IDENTITY_OFFICIAL, .uri = "official"};
    const struct identity system = {.kind = IDENTITY_SYSTEM, .uri = "system"};
    struct fault fault = {0};

    (void)state;
    for (uint64_t i = 0; i < OFFICIAL_EXCHANGES_PER_HOUR; i++) {
        assert_int_equal(reading_rate_exchange(rate, &official, 24 * HOUR, NULL), RC_OK);
        assert_int_equal(reading_rate_exchange(rate, &system, 24 * HOUR, NULL), RC_OK);
    }
    assert_int_equal(reading_rate_exchange(rate, &official, 24 * HOUR, &fault),
                     RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "audit.ceiling");
    assert_int_equal(reading_rate_exchange(rate, &system, 24 * HOUR, NULL), RC_OK);
    assert_int_equal(reading_rate_exchange(rate, &official, 25 * HOUR, NULL), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_ceiling_an_hour_is_over_first),
        cmocka_unit_test(persons_are_counted_by_the_day),
        cmocka_unit_test(more_identities_than_rows_share_one),
        cmocka_unit_test(an_official_reads_so_many_exchanges_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
