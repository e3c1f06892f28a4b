/* deadline: when a clock of the law is due, on dates that were counted by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "model/deadline.h"

static int64_t instant(const char *text)
{
    int64_t instant_ms = 0;

    assert_int_equal(clock_parse(bytes_text(text), &instant_ms), RC_OK);
    return instant_ms;
}

static int32_t date(const char *text)
{
    int32_t day = 0;

    assert_int_equal(clock_parse_date(bytes_text(text), &day), RC_OK);
    return day;
}

struct due_row {
    enum clock_unit unit;
    int64_t limit;
    const char *anchored;
    const char *due;
    const char *why;
};

#define HOURS(n) CLOCK_INSTANTS, (n)*INT64_C(3600000)

static void a_clock_is_due_when_the_law_says(void **state)
{
    static const struct due_row rows[] = {
        {HOURS(3), "2026-11-24T02:10:00Z", "2026-11-24T05:10:00Z", "hours are instants"},
        {HOURS(3), "2019-10-27T00:30:00-05:00", "2019-10-27T02:30:00-06:00",
         "also in the night that has an hour twice"},
        {HOURS(72), "2026-11-24T02:10:00Z", "2026-11-27T02:10:00Z", "three days in hours"},
        {CLOCK_CALENDAR_DAYS, 10, "2026-11-24T10:00:00-06:00", "2026-12-05T00:00:00-06:00",
         "the tenth day ends"},
        {CLOCK_CALENDAR_DAYS, 10, "2026-11-24T23:59:59-06:00", "2026-12-05T00:00:00-06:00",
         "the day before counts from the next, however late"},
        {CLOCK_CALENDAR_DAYS, 10, "2026-11-25T05:59:59Z", "2026-12-05T00:00:00-06:00",
         "the local date decides"},
        {CLOCK_CALENDAR_DAYS, 30, "2019-10-01T12:00:00-05:00", "2019-11-01T00:00:00-06:00",
         "across the end of a summer"},
        {CLOCK_CALENDAR_DAYS, 30, "2019-03-20T12:00:00-06:00", "2019-04-20T00:00:00-05:00",
         "and its beginning"},
        {CLOCK_WORKING_DAYS, 1, "2026-11-20T10:00:00-06:00", "2026-11-24T00:00:00-06:00",
         "a Friday's next working day is Monday"},
        {CLOCK_WORKING_DAYS, 1, "2026-11-13T10:00:00-06:00", "2026-11-18T00:00:00-06:00",
         "but for the holiday of that Monday"},
        {CLOCK_WORKING_DAYS, 1, "2026-11-21T10:00:00-06:00", "2026-11-24T00:00:00-06:00",
         "a Saturday's too"},
        {CLOCK_WORKING_DAYS, 20, "2026-11-24T10:00:00-06:00", "2026-12-23T00:00:00-06:00",
         "twenty"},
        {CLOCK_WORKING_DAYS, 24, "2026-11-24T10:00:00-06:00", "2026-12-30T00:00:00-06:00",
         "with Christmas between"},
    };
    static const int32_t none[1];
    int32_t days[] = {date("2026-11-16"), date("2026-12-25"), date("2027-01-01")};
    struct holidays holidays = {days, 3};
    struct holidays without = {none, 0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct clock_rule rule = {.id = "C1", .limit = rows[i].limit, .unit = rows[i].unit};

        if (deadline_due_ms(&rule, instant(rows[i].anchored), &holidays) != instant(rows[i].due)) {
            char text[CLOCK_TEXT_SIZE];

            clock_format_local(deadline_due_ms(&rule, instant(rows[i].anchored), &holidays), text);
            fail_msg("%s: %s", rows[i].why, text);
        }
    }
    assert_true(deadline_due_ms(&(struct clock_rule){.limit = 1, .unit = CLOCK_WORKING_DAYS},
                                instant("2026-11-13T10:00:00-06:00"),
                                &without) == instant("2026-11-17T00:00:00-06:00"));
}

static void shares_of_it_are_instants(void **state)
{
    (void)state;
    assert_int_equal(deadline_share_ms(1000, 2000, 50), 1500);
    assert_int_equal(deadline_share_ms(1000, 2000, 75), 1750);
    assert_int_equal(deadline_share_ms(1000, 2000, 100), 2000);
    assert_int_equal(deadline_percent_left(1000, 2000, 0), 100);
    assert_int_equal(deadline_percent_left(1000, 2000, 1501), 49);
    assert_int_equal(deadline_percent_left(1000, 2000, 2000), 0);
    assert_int_equal(deadline_percent_left(1000, 2000, 9000), 0);
    assert_int_equal(deadline_percent_left(2000, 1000, 3000), 0); /* decided long ago */
}

/* Only an answer stops a clock: nothing that the one who is late can do alone. */
static void what_stops_a_clock(void **state)
{
    (void)state;
    for (int s = STATE_NONE + 1; s < STATES; s++) {
        bool is_before = s <= STATE_IN_CUSTODY || s == STATE_AWAITING_APPROVAL;
        bool is_between = s == STATE_ACCEPTED || s == STATE_IN_PROGRESS || s == STATE_ON_HOLD;

        assert_int_equal(deadline_is_owed(STOP_DECIDED, (enum state)s), is_before);
        assert_int_equal(deadline_is_owed(STOP_IN_FORCE, (enum state)s), is_before || is_between);
        assert_int_equal(deadline_is_owed(STOP_ANSWERED, (enum state)s), s == STATE_RECALLED);
    }
}

static void the_law_knows_its_clocks(void **state)
{
    struct clock_rule rule = {.limit = 9};

    (void)state;
    assert_true(deadline_of_law("F2", &rule));
    assert_int_equal(rule.anchor, ANCHOR_ACCEPT);
    assert_int_equal(rule.stop, STOP_IN_FORCE);
    assert_int_equal(rule.urgency, URGENCY_URGENT);
    assert_int_equal(rule.limit, 9);
    assert_false(deadline_of_law("F3", &rule));
    assert_false(deadline_of_law("", &rule));
}

struct occurrence_row {
    struct cadence cadence;
    uint32_t occurrence;
    const char *due; /* NULL: never */
};

static void occurrences_fall_due_with_their_period(void **state)
{
    int32_t from = date("2026-11-24");
    const struct occurrence_row rows[] = {
        {{PERIOD_WEEK, 1, from, CADENCE_ENDLESS, 0}, 1, "2026-12-01T00:00:00-06:00"},
        {{PERIOD_WEEK, 1, from, CADENCE_ENDLESS, 0}, 2, "2026-12-08T00:00:00-06:00"},
        {{PERIOD_WEEK, 2, from, CADENCE_ENDLESS, 0}, 2, "2026-12-01T00:00:00-06:00"},
        {{PERIOD_WEEK, 2, from, CADENCE_ENDLESS, 0}, 3, "2026-12-08T00:00:00-06:00"},
        {{PERIOD_DAY, 3, from, CADENCE_ENDLESS, 0}, 4, "2026-11-26T00:00:00-06:00"},
        {{PERIOD_MONTH, 1, from, CADENCE_ENDLESS, 0}, 1, "2026-12-24T00:00:00-06:00"},
        {{PERIOD_MONTH, 1, from, CADENCE_ENDLESS, 5}, 6, "2026-12-24T00:00:00-06:00"},
        {{PERIOD_MONTH, 1, from, CADENCE_ENDLESS, 5}, 5, NULL},
        {{PERIOD_WEEK, 1, from, from + 6, 0}, 1, "2026-12-01T00:00:00-06:00"},
        {{PERIOD_WEEK, 1, from, from + 6, 0}, 2, NULL},
        {{PERIOD_WEEK, 1, from, from + 5, 0}, 1, NULL},
        {{PERIOD_ONCE, 1, from, from, 0}, 1, "2026-11-25T00:00:00-06:00"},
        {{PERIOD_ONCE, 1, from, from, 0}, 2, NULL},
        {{PERIOD_ONCE, 1, from, CADENCE_ENDLESS, 0}, 1, NULL},
        {{PERIOD_NONE, 0, from, CADENCE_ENDLESS, 0}, 1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t due_ms = cadence_due_ms(&rows[i].cadence, rows[i].occurrence);

        if (due_ms != (rows[i].due != NULL ? instant(rows[i].due) : INT64_MAX)) {
            fail_msg("row %zu", i);
        }
    }
}

static void what_should_have_been_reported_is_counted(void **state)
{
    struct cadence weekly = {PERIOD_WEEK, 2, date("2026-11-24"), date("2026-12-21"), 4};
    int64_t begin_ms = clock_local_midnight_ms(weekly.from_day);
    const int64_t week_ms = INT64_C(7) * 86400000;

    (void)state;
    assert_int_equal(cadence_expected(&weekly, begin_ms), 4);
    assert_int_equal(cadence_expected(&weekly, begin_ms + week_ms - 1), 4);
    assert_int_equal(cadence_expected(&weekly, begin_ms + week_ms), 6);
    assert_int_equal(cadence_expected(&weekly, begin_ms + 3 * week_ms), 10);
    assert_int_equal(cadence_expected(&weekly, begin_ms + 4 * week_ms), 12);
    assert_int_equal(cadence_expected(&weekly, begin_ms + 400 * week_ms), 12); /* it ended */
    weekly.period = PERIOD_NONE;
    assert_int_equal(cadence_expected(&weekly, INT64_MAX - 1), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_is_due_when_the_law_says),
        cmocka_unit_test(shares_of_it_are_instants),
        cmocka_unit_test(what_stops_a_clock),
        cmocka_unit_test(the_law_knows_its_clocks),
        cmocka_unit_test(occurrences_fall_due_with_their_period),
        cmocka_unit_test(what_should_have_been_reported_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
