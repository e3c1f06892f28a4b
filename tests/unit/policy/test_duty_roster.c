#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/duty_roster.h"

#define HEAD "enlace-duty v1\nmember cdmx/ssc\nversion 3\nin-force 2026-11-01..2027-10-31\n"
#define DAY "\nshift dia\n  days mon..fri\n  hours 07:00-19:30\n  official enlace-01 smtp a@b.mx\n"
#define NIGHT                                                                                      \
    "# Las noches, y los fines de semana enteros.\nshift noche\n  days mon..fri\n"                 \
    "  hours 19:30-07:00\n  official enlace-02 webhook https://avisos.mx/x\n"                      \
    "  official enlace-01 smtp a@b.mx\nshift fin\n  days sat sun\n  hours 00:00-00:00\n"           \
    "  official enlace-03 command sms\n"
/* The night of Sunday ends with Monday's day. */
#define MONDAY "shift lunes\n  days mon\n  hours 00:00-07:00\n  official enlace-03 command sms\n"
#define WHOLE HEAD DAY NIGHT MONDAY
#define ALL "\nshift todo\n  days mon..sun\n  hours 00:00-00:00\n"
#define ONE "  official enlace-01 command sms\n"

static enum rc read_text(const char *text, struct duty_roster *roster, struct fault *fault)
{
    *fault = (struct fault){0};
    return duty_roster_parse(bytes_text(text), roster, fault);
}

/* Names on duty at a local time, in order: "enlace-02 enlace-01". */
static void assert_on_duty(const struct duty_roster *roster, const char *when, const char *names)
{
    const struct duty_official *officials[DUTY_OFFICIALS_MAX];
    char found[512] = "";
    int64_t now_ms;
    size_t count;

    assert_int_equal(clock_parse(bytes_text(when), &now_ms), RC_OK);
    count = duty_roster_at(roster, now_ms, officials, DUTY_OFFICIALS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(found);

        snprintf(found + size, sizeof found - size, "%s%s", i > 0 ? " " : "", officials[i]->name);
    }
    assert_string_equal(found, names);
}

static void whoever_is_on_duty_is_found_by_local_time_in_the_order_of_the_text(void **state)
{
    static struct duty_roster roster;
    struct fault fault;

    (void)state;
    assert_int_equal(read_text(WHOLE, &roster, &fault), RC_OK);
    assert_string_equal(roster.member, "cdmx/ssc");
    assert_int_equal(roster.version, 3);
    assert_on_duty(&roster, "2026-11-24T07:00:00-06:00", "enlace-01"); /* a Tuesday */
    assert_on_duty(&roster, "2026-11-24T19:29:59-06:00", "enlace-01");
    assert_on_duty(&roster, "2026-11-24T19:30:00-06:00", "enlace-02 enlace-01");
    assert_on_duty(&roster, "2026-11-25T06:59:59-06:00", "enlace-02 enlace-01");
    assert_on_duty(&roster, "2026-11-25T12:59:59+00:00", "enlace-02 enlace-01");
    /* Friday's night reaches into Saturday, before Saturday's own. */
    assert_on_duty(&roster, "2026-11-28T03:00:00-06:00", "enlace-02 enlace-01 enlace-03");
    assert_on_duty(&roster, "2026-11-29T23:59:59-06:00", "enlace-03");
    assert_on_duty(&roster, "2026-11-30T00:00:00-06:00", "enlace-03");
}

static void what_is_not_a_duty_roster_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
        const char *path;
    } rows[] = {
        {"", "duty.malformed", "línea 0"},
        {"enlace-duty v1", "duty.malformed", "línea 0"},
        {"enlace-duty v2\n", "duty.malformed", "línea 1"},
        {"enlace-roster v1\n", "duty.malformed", "línea 1"},
        {"enlace-duty v1\nmember SSC\n", "duty.malformed", "línea 2"},
        {"enlace-duty v1\nmember cdmx/ssc\nversion 0\n", "duty.malformed", "línea 3"},
        {"enlace-duty v1\nmember cdmx/ssc\nversion 1\nin-force 2027-01-01..2026-01-01\n",
         "duty.malformed", "línea 4"},
        {HEAD, "duty.uncovered", ""},
        {HEAD DAY, "duty.uncovered", ""},
        {HEAD DAY NIGHT, "duty.uncovered", ""}, /* Monday's small hours */
        {HEAD "  days mon\n", "duty.malformed", "línea 5"},
        {HEAD ALL, "duty.malformed", "línea 8"},
        {HEAD "\nshift todo\n  hours 00:00-00:00\n" ONE, "duty.malformed", "línea 8"},
        {HEAD "\nshift todo\n  days mon..sun\n" ONE, "duty.malformed", "línea 8"},
        {HEAD "\nshift todo\n  days mon..xyz\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift todo\n  days monday\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift todo\n  days mon\n  days tue\n", "duty.malformed", "línea 8"},
        {HEAD "\nshift todo\n  hours 24:00-08:00\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift todo\n  hours 8:00-20:00\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift todo\n  hours 08:00-20:60\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift todo\n  hours 08:00..20:00\n", "duty.malformed", "línea 7"},
        {HEAD "\nshift a/b\n", "duty.malformed", "línea 6"},
        {HEAD ALL ONE ONE, "duty.malformed", "línea 10"},
        {HEAD ALL ONE ALL, "duty.malformed", "línea 11"},
        {HEAD ALL "  official enlace-01 sms 5512345678\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 smtp\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 smtp ab.mx\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 smtp a@b.mx,c@d.mx\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 smtp <a@b.mx>\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 smtp a@b@c\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 webhook http://a/b\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 webhook https://u@a/b\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 webhook https://\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 command /bin/sh\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 command sms --to x\n", "duty.malformed", "línea 9"},
        {HEAD ALL "   official enlace-01 command sms\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  oficial enlace-01 command sms\n", "duty.malformed", "línea 9"},
        {HEAD ALL "  official enlace-01 command sms\r\n", "duty.malformed", "línea 0"},
        {HEAD ALL "  official enlace-01 command sms\ttab\n", "duty.malformed", "línea 0"},
    };
    static struct duty_roster roster;
    struct fault fault;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (read_text(rows[i].text, &roster, &fault) != RC_INVALID_ARGUMENT ||
            strcmp(fault.reason, rows[i].reason) != 0 || strcmp(fault.path, rows[i].path) != 0) {
            fail_msg("row %zu: %s at \"%s\"", i, fault.reason, fault.path);
        }
    }
}

static void the_first_minute_that_nobody_covers_is_named(void **state)
{
    static struct duty_roster roster;
    struct fault fault;

    (void)state;
    assert_int_equal(
        read_text(HEAD "\nshift a\n  days mon..sun\n  hours 00:00-23:59\n" ONE, &roster, &fault),
        RC_INVALID_ARGUMENT);
    assert_non_null(strstr(fault.remedy, "mon a las 23:59"));
}

static void bounds_hold(void **state)
{
    static struct duty_roster roster;
    static char text[DUTY_ROSTER_TEXT_MAX];
    struct fault fault;
    size_t size = (size_t)snprintf(text, sizeof text, "%s%s", HEAD, ALL);

    (void)state;
    for (int i = 0; i < DUTY_OFFICIALS_MAX; i++) {
        size +=
            (size_t)snprintf(text + size, sizeof text - size, "  official e-%d command sms\n", i);
    }
    assert_int_equal(read_text(text, &roster, &fault), RC_OK);
    snprintf(text + size, sizeof text - size, "  official e-x command sms\n");
    assert_int_equal(read_text(text, &roster, &fault), RC_INVALID_ARGUMENT);
    size = (size_t)snprintf(text, sizeof text, "%s%s%s", HEAD, ALL, ONE);
    for (int i = 1; i < DUTY_SHIFTS_MAX; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "shift s-%d\n  days mon\n  hours 00:00-00:00\n%s", i, ONE);
    }
    assert_int_equal(read_text(text, &roster, &fault), RC_OK);
    snprintf(text + size, sizeof text - size, "shift s-x\n");
    assert_int_equal(read_text(text, &roster, &fault), RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_is_on_duty_is_found_by_local_time_in_the_order_of_the_text),
        cmocka_unit_test(what_is_not_a_duty_roster_is_refused_with_its_line),
        cmocka_unit_test(the_first_minute_that_nobody_covers_is_named),
        cmocka_unit_test(bounds_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
