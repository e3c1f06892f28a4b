#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/subprocess.h"
#include "relay/duty_alert.h"

static int64_t at(const char *text)
{
    int64_t instant_ms;

    assert_int_equal(clock_parse(bytes_text(text), &instant_ms), RC_OK);
    return instant_ms;
}

static void add(struct duty_words *words, enum dutycall_kind kind, enum urgency urgency,
                int64_t due_ms)
{
    struct dutycall call = {.key = {.kind = kind, .member = "cdmx/ssc", .clock = "F1"},
                            .route = "mpi-ssc-medidas",
                            .urgency = urgency,
                            .due_ms = due_ms};

    duty_words_add(words, &call);
}

static void an_alert_says_how_many_and_until_when_and_nothing_else(void **state)
{
    int64_t now_ms = at("2026-11-24T04:00:00-06:00");
    struct duty_words words = {0};
    char text[ALERT_TEXT_MAX];

    (void)state;
    add(&words, DUTYCALL_CLOCK, URGENCY_URGENT, at("2026-11-24T05:10:59-06:00"));
    duty_words_write(&words, now_ms, text);
    assert_string_equal(text, "1 urgente, vence 05:10");
    add(&words, DUTYCALL_UNDELIVERED, URGENCY_URGENT, at("2026-11-24T06:00:00-06:00"));
    add(&words, DUTYCALL_CLOCK, URGENCY_ORDINARY, 0);
    add(&words, DUTYCALL_REVIEW, URGENCY_ORDINARY, at("2026-11-25T04:00:00-06:00"));
    duty_words_write(&words, now_ms, text);
    assert_string_equal(text, "2 urgentes y 1 ordinario y 1 revisión, vence 05:10");
    duty_words_write(&words, at("2026-11-24T05:11:00-06:00"), text);
    assert_string_equal(text, "2 urgentes y 1 ordinario y 1 revisión, venció 05:10");
    words = (struct duty_words){0};
    add(&words, DUTYCALL_CLOCK, URGENCY_ORDINARY, at("2026-12-03T23:59:00-06:00"));
    add(&words, DUTYCALL_CLOCK, URGENCY_ORDINARY, at("2026-12-04T23:59:00-06:00"));
    duty_words_write(&words, now_ms, text);
    assert_string_equal(text, "2 ordinarios, vence 03/12 23:59");
    words = (struct duty_words){0};
    add(&words, DUTYCALL_DISK, URGENCY_URGENT, 0);
    duty_words_write(&words, now_ms, text);
    assert_string_equal(text, "1 urgente");
}

static void a_program_is_given_its_text_and_ended_in_time(void **state)
{
    char path[] = "/tmp/enlace-program.XXXXXX";
    int fd = mkstemp(path);
    int64_t begun_ms;

    (void)state;
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\nread word\n[ $# = 0 ] && [ \"$word\" = aviso ] || exit 1\n"
                            "[ -z \"$HOME\" ]\n") > 0);
    close(fd);
    chmod(path, 0700);
    assert_int_equal(subprocess_run(path, bytes_text("aviso\n"), 20000), RC_OK);
    assert_int_equal(subprocess_run(path, bytes_text("otro\n"), 20000), RC_ABORTED);
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(dprintf(fd, "#!/bin/sh\nsleep 60 &\nwait\n") > 0);
    close(fd);
    begun_ms = clock_monotonic_ms();
    assert_int_equal(subprocess_run(path, bytes_text("aviso\n"), 200), RC_DEADLINE_EXCEEDED);
    assert_true(clock_monotonic_ms() - begun_ms < 20000);
    unlink(path);
    assert_int_equal(subprocess_run(path, bytes_text("aviso\n"), 200), RC_NOT_FOUND);
}

static void programs_are_named_once_and_stand_at_absolute_paths(void **state)
{
    static const struct {
        const char *lines[3];
        enum rc rc;
    } rows[] = {
        {{NULL}, RC_OK},
        {{"sms=/bin/true"}, RC_OK},
        {{"sms=/bin/true", "voz=/bin/false"}, RC_OK},
        {{"sms=/bin/true", "sms=/bin/false"}, RC_INVALID_ARGUMENT},
        {{"sms=true"}, RC_INVALID_ARGUMENT},
        {{"sms=/nowhere/at/all"}, RC_INVALID_ARGUMENT},
        {{"/bin/true"}, RC_INVALID_ARGUMENT},
        {{"=/bin/true"}, RC_INVALID_ARGUMENT},
        {{"s m s=/bin/true"}, RC_INVALID_ARGUMENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf_list list = {0};
        struct fault fault = {0};

        for (size_t k = 0; rows[i].lines[k] != NULL; k++) {
            snprintf(list.items[list.count++], CONF_TEXT_SIZE, "%s", rows[i].lines[k]);
        }
        assert_int_equal(duty_commands_check(&list, &fault), rows[i].rc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_says_how_many_and_until_when_and_nothing_else),
        cmocka_unit_test(a_program_is_given_its_text_and_ended_in_time),
        cmocka_unit_test(programs_are_named_once_and_stand_at_absolute_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
