/* What clock.h promises: the texts of RFC 3339 that say an instant, and no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DAY_MS ((int64_t)86400000)

static void an_instant_is_read(void **state)
{
    static const struct {
        const char *text;
        int64_t instant_ms;
    } table[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1970-01-01T00:00:00+00:00", 0},
        {"1969-12-31T23:59:59.999Z", -1},
        {"1969-12-31T18:00:00-06:00", 0},
        {"1970-01-01T05:30:00+05:30", 0},
        {"1970-01-01T23:59:00+23:59", 0},
        {"1970-01-01T00:00:00-23:59", 86340000},
        {"2019-06-03T10:00:00-06:00", 1559577600000},
        {"2001-09-09T01:46:40Z", 1000000000000},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2024-02-29T23:59:59Z", 1709251199000},
        {"1900-01-01T00:00:00Z", -2208988800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t instant_ms = 42;

        if (clock_parse(bytes_text(table[i].text), &instant_ms) != RC_OK ||
            instant_ms != table[i].instant_ms) {
            fail_msg("%s read as %lld", table[i].text, (long long)instant_ms);
        }
    }
}

static void what_says_no_instant_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"", "nothing"},
        {"2019-06-03", "a date alone"},
        {"2019-06-03T10:00:00", "no zone"},
        {"2019-06-03T10:00:00.123", "no zone after a fraction"},
        {"2019-06-03T10:00:00-00:00", "offset unknown"},
        {"2019-06-03t10:00:00Z", "a lower-case t"},
        {"2019-06-03T10:00:00z", "a lower-case z"},
        {"2019-06-03 10:00:00Z", "a blank for the T"},
        {"2016-12-31T23:59:60Z", "a leap second"},
        {"2016-12-31T17:59:60-06:00", "a leap second elsewhere"},
        {"2019-06-03T24:00:00Z", "hour 24"},
        {"2019-06-03T10:60:00Z", "minute 60"},
        {"2019-06-03T10:00:61Z", "second 61"},
        {"2019-02-29T10:00:00Z", "not a leap year"},
        {"1900-02-29T10:00:00Z", "centuries are no leap years"},
        {"2100-02-29T10:00:00Z", "centuries are no leap years"},
        {"2024-02-30T10:00:00Z", "February 30"},
        {"2019-04-31T10:00:00Z", "April 31"},
        {"2019-01-32T10:00:00Z", "day 32"},
        {"2019-01-00T10:00:00Z", "day 0"},
        {"2019-00-03T10:00:00Z", "month 0"},
        {"2019-13-03T10:00:00Z", "month 13"},
        {"1899-12-31T23:59:59Z", "before 1900"},
        {"0000-01-01T00:00:00Z", "before 1900"},
        {"10000-01-01T00:00:00Z", "five digits of a year"},
        {"-019-06-03T10:00:00Z", "a sign"},
        {"19-06-03T10:00:00Z", "two digits of a year"},
        {"2019-6-03T10:00:00Z", "one digit of a month"},
        {"2019-06-3T10:00:00Z", "one digit of a day"},
        {"2019/06/03T10:00:00Z", "other separators"},
        {"20190603T100000Z", "no separators"},
        {"2019-06-03T10:00Z", "no seconds"},
        {"2019-06-03T1:00:00Z", "one digit of an hour"},
        {"2019-06-03T10:00:00.Z", "a point without a fraction"},
        {"2019-06-03T10:00:00.1Z", "tenths"},
        {"2019-06-03T10:00:00.12Z", "hundredths"},
        {"2019-06-03T10:00:00.1234Z", "four digits of a fraction"},
        {"2019-06-03T10:00:00.123456789Z", "nanoseconds"},
        {"2019-06-03T10:00:00,123Z", "a comma"},
        {"2019-06-03T10:00:00+24:00", "offset hour 24"},
        {"2019-06-03T10:00:00+06:60", "offset minute 60"},
        {"2019-06-03T10:00:00+0600", "an offset without its colon"},
        {"2019-06-03T10:00:00+06", "an offset of hours"},
        {"2019-06-03T10:00:00+6:00", "one digit of an offset"},
        {"2019-06-03T10:00:0006:00", "an offset without a sign"},
        {"2019-06-03T10:00:00+-6:00", "two signs"},
        {"2019-06-03T10:00:00ZZ", "more after the zone"},
        {"2019-06-03T10:00:00Z ", "a blank at the end"},
        {" 2019-06-03T10:00:00Z", "a blank at the start"},
        {"2019-06-03T10:00:00-06:00Z", "two zones"},
        {"2019-06-03T10:00:00 -06:00", "a blank before the zone"},
        {"2019-06-03T10:00:00-06:00[America/Mexico_City]", "a name of a zone"},
        {"2019-06-03T10:00:0\xd9\xa0Z", "digits of another script"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int64_t instant_ms = 42;

        if (clock_parse(bytes_text(table[i].text), &instant_ms) != RC_INVALID_ARGUMENT) {
            fail_msg("taken, though %s: \"%s\"", table[i].why, table[i].text);
        }
        assert_true(instant_ms == 42);
    }
}

/* A slice need not end with a zero: what stands behind it is not read. */
static void every_beginning_of_an_instant_is_refused(void **state)
{
    static const char text[] = "2019-06-03T10:00:00.123-06:00";
    int64_t instant_ms;

    (void)state;
    for (size_t size = 0; size < sizeof text - 1; size++) {
        assert_int_equal(clock_parse(BYTES(text, size), &instant_ms), RC_INVALID_ARGUMENT);
    }
    assert_int_equal(clock_parse(BYTES(text, sizeof text), &instant_ms), RC_INVALID_ARGUMENT);
    assert_int_equal(clock_parse(BYTES(text, sizeof text - 1), &instant_ms), RC_OK);
    assert_int_equal(clock_parse(BYTES("2019-06-03T10:00:00\0Z", 21), &instant_ms),
                     RC_INVALID_ARGUMENT);
}

static void an_instant_is_written_and_read_back(void **state)
{
    static const struct {
        int64_t instant_ms;
        const char *text;
    } table[] = {
        {0, "1970-01-01T00:00:00Z"},
        {999, "1970-01-01T00:00:00Z"},
        {1000, "1970-01-01T00:00:01Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {-1000, "1969-12-31T23:59:59Z"},
        {-1001, "1969-12-31T23:59:58Z"},
        {1795462350000, "2026-11-23T19:32:30Z"},
        {951782400000, "2000-02-29T00:00:00Z"},
        {253402300799999, "9999-12-31T23:59:59Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t back;

        clock_format(table[i].instant_ms, text);
        assert_string_equal(text, table[i].text);
        assert_int_equal(clock_parse(bytes_text(text), &back), RC_OK);
        assert_in_range(table[i].instant_ms - back, 0, 999);
    }
}

static void no_instant_is_too_large_to_be_written(void **state)
{
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "292278994-08-17T07:12:55Z");
    clock_format(INT64_MIN, text);
    assert_true(strlen(text) < sizeof text);
    clock_format_date(INT32_MAX, text);
    assert_string_equal(text, "5881580-07-11");
    clock_format_date(INT32_MIN, text);
    assert_true(strlen(text) < sizeof text);
}

/* Day by day through every date that can be read: in order, none twice, none left out. */
static void dates_follow_each_other(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    int32_t first, last, day;

    (void)state;
    assert_int_equal(clock_parse_date(bytes_text("1900-01-01"), &first), RC_OK);
    assert_int_equal(clock_parse_date(bytes_text("2110-12-31"), &last), RC_OK);
    assert_int_equal(first, -25567);
    assert_int_equal(last - first + 1, 211 * 365 + 51); /* neither 1900 nor 2100 is a leap year */
    for (int32_t d = first; d <= last; d++) {
        clock_format_date(d, text);
        assert_int_equal(clock_parse_date(bytes_text(text), &day), RC_OK);
        assert_int_equal(day, d);
    }
    assert_int_equal(clock_parse_date(bytes_text("9999-12-31"), &day), RC_OK);
    assert_int_equal(day, 2932896);
}

static void what_is_no_date_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } table[] = {
        {"", "nothing"},
        {"2019-12", "no day"},
        {"2019-12-1", "one digit"},
        {"2019-12-123", "a digit too many"},
        {"2019-12-12T00:00:00Z", "an instant"},
        {"2019-12-12Z", "a zone"},
        {"12-12-2019", "day first"},
        {"2019-02-29", "not a leap year"},
        {"1900-02-29", "not a leap year"},
        {"2019-11-31", "November 31"},
        {"2019-00-10", "month 0"},
        {"2019-13-10", "month 13"},
        {"2019-10-00", "day 0"},
        {"1899-12-31", "before 1900"},
        {"+019-12-12", "a sign"},
        {"2019-12- 1", "a blank"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int32_t day = 42;

        if (clock_parse_date(bytes_text(table[i].text), &day) != RC_INVALID_ARGUMENT) {
            fail_msg("taken, though %s: \"%s\"", table[i].why, table[i].text);
        }
        assert_int_equal(day, 42);
    }
}

static void a_day_begins_at_midnight_also_before_1970(void **state)
{
    (void)state;
    assert_int_equal(clock_day(0), 0);
    assert_int_equal(clock_day(DAY_MS - 1), 0);
    assert_int_equal(clock_day(DAY_MS), 1);
    assert_int_equal(clock_day(-1), -1);
    assert_int_equal(clock_day(-DAY_MS), -1);
    assert_int_equal(clock_day(-DAY_MS - 1), -2);
}

static void mexico_city_had_summers_until_2022(void **state)
{
    static const struct {
        const char *instant;
        const char *local;
    } table[] = {
        {"1995-07-01T05:30:00Z", "1995-06-30T23:30:00-06:00"},
        {"2019-04-07T07:59:59Z", "2019-04-07T01:59:59-06:00"},
        {"2019-04-07T08:00:00Z", "2019-04-07T03:00:00-05:00"},
        {"2019-10-27T06:59:59Z", "2019-10-27T01:59:59-05:00"},
        {"2019-10-27T07:00:00Z", "2019-10-27T01:00:00-06:00"},
        {"2001-05-06T07:59:59Z", "2001-05-06T01:59:59-06:00"},
        {"2001-05-06T08:00:00Z", "2001-05-06T03:00:00-05:00"},
        {"2001-09-30T07:00:00Z", "2001-09-30T01:00:00-06:00"},
        {"2022-10-30T06:59:59Z", "2022-10-30T01:59:59-05:00"},
        {"2022-10-30T07:00:00Z", "2022-10-30T01:00:00-06:00"},
        {"2023-07-01T12:00:00Z", "2023-07-01T06:00:00-06:00"},
    };

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1); /* nobody asks the process */
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t instant_ms;
        int64_t again_ms;

        assert_int_equal(clock_parse(bytes_text(table[i].instant), &instant_ms), RC_OK);
        clock_format_local(instant_ms, text);
        assert_string_equal(text, table[i].local);
        assert_int_equal(clock_parse(bytes_text(text), &again_ms), RC_OK);
        assert_true(again_ms == instant_ms);
    }
}

static void a_local_day_begins_where_the_one_before_ends(void **state)
{
    int32_t first, last;

    (void)state;
    assert_int_equal(clock_parse_date(bytes_text("1994-01-01"), &first), RC_OK);
    assert_int_equal(clock_parse_date(bytes_text("2030-12-31"), &last), RC_OK);
    for (int32_t day = first; day <= last; day++) {
        int64_t midnight_ms = clock_local_midnight_ms(day);

        assert_int_equal(clock_local_day(midnight_ms), day);
        assert_int_equal(clock_local_day(midnight_ms - 1), day - 1);
    }
    assert_int_equal(clock_weekday(first), 6);
    assert_int_equal(clock_weekday(-4), 0); /* 1969-12-28, a Sunday */
}

static void a_month_later_is_a_date_of_that_month(void **state)
{
    static const struct {
        const char *from;
        unsigned months;
        const char *to;
    } table[] = {
        {"2026-01-15", 1, "2026-02-15"},  {"2026-01-31", 1, "2026-02-28"},
        {"2024-01-31", 1, "2024-02-29"},  {"2026-12-31", 2, "2027-02-28"},
        {"2026-11-24", 12, "2027-11-24"}, {"2026-11-24", 0, "2026-11-24"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        int32_t day;

        assert_int_equal(clock_parse_date(bytes_text(table[i].from), &day), RC_OK);
        clock_format_date(clock_add_months(day, table[i].months), text);
        assert_string_equal(text, table[i].to);
    }
}

static void mexico_city_is_six_hours_behind(void **state)
{
    static const struct {
        const char *instant;
        const char *local;
    } table[] = {
        {"2026-11-23T05:59:59.999Z", "2026-11-22"}, {"2026-11-23T06:00:00Z", "2026-11-23"},
        {"2026-07-01T05:30:00Z", "2026-06-30"}, /* no daylight saving in summer */
        {"2026-07-01T06:00:00Z", "2026-07-01"},     {"1970-01-01T00:00:00Z", "1969-12-31"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t instant_ms;

        assert_int_equal(clock_parse(bytes_text(table[i].instant), &instant_ms), RC_OK);
        clock_format_date(clock_local_day(instant_ms), text);
        assert_string_equal(text, table[i].local);
    }
}

static void time_goes_on(void **state)
{
    int64_t us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();

    (void)state;
    assert_true(ms >= us / 1000);
    clock_sleep_ms(5);
    assert_true(clock_monotonic_us() - us >= 5000);
    clock_sleep_ms(0);
    clock_sleep_ms(-5);
    assert_true(clock_now_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_instant_is_read),
        cmocka_unit_test(what_says_no_instant_is_refused),
        cmocka_unit_test(every_beginning_of_an_instant_is_refused),
        cmocka_unit_test(an_instant_is_written_and_read_back),
        cmocka_unit_test(no_instant_is_too_large_to_be_written),
        cmocka_unit_test(dates_follow_each_other),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(a_day_begins_at_midnight_also_before_1970),
        cmocka_unit_test(mexico_city_is_six_hours_behind),
        cmocka_unit_test(mexico_city_had_summers_until_2022),
        cmocka_unit_test(a_local_day_begins_where_the_one_before_ends),
        cmocka_unit_test(a_month_later_is_a_date_of_that_month),
        cmocka_unit_test(time_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
