/* What log.h promises: one line of at most 1,024 bytes per call, in one write, and no forged ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "unit/base/stderr_pipe.h"

#define LINE_MAX_BYTES 1024
#define WRITERS 4
#define LINES_EACH 400

/* "2026-11-23T19:32:30.123Z", then a blank: 25 bytes. */
#define STAMP 25

static void open_log(enum log_level least)
{
    log_open("test-log", least);
}

static bool is_one_line(const char *text, size_t size)
{
    return size > 0 && strlen(text) == size && strchr(text, '\n') == text + size - 1;
}

/* What one call of log_line wrote, the time left out. */
static void said(const struct stderr_pipe *captured, char text[4097])
{
    char *at = text;
    size_t size = stderr_pipe_read(captured, text);

    assert_true(is_one_line(text, size));
    assert_true(size > STAMP && size <= LINE_MAX_BYTES);
    memmove(at, text + STAMP, size - STAMP + 1);
}

static void a_line_has_time_level_program_event_and_facts(void **state)
{
    struct stderr_pipe captured = stderr_pipe_begin();
    int64_t begin = clock_now_ms();
    int64_t instant_ms = 0;
    char text[4097];

    (void)state;
    open_log(LOG_LEVEL_INFO);
    log_info("message.accepted", "msg=%s leaf=%d", "ab12", 7);
    stderr_pipe_end(&captured);
    assert_true(is_one_line(text, stderr_pipe_read(&captured, text)));
    assert_string_equal(text + STAMP, "info test-log message.accepted msg=ab12 leaf=7\n");
    assert_int_equal(clock_parse(BYTES(text, STAMP - 1), &instant_ms), RC_OK);
    assert_in_range(instant_ms - begin, 0, 10000);
    assert_int_equal(stderr_pipe_read(&captured, text), 0);
    stderr_pipe_close(&captured);
}

static void only_the_levels_asked_for_are_printed(void **state)
{
    static const char *const wanted[] = {"warn test-log c x=1\n", "error test-log d x=1\n",
                                         "fatal test-log e x=1\n"};
    struct stderr_pipe captured = stderr_pipe_begin();
    char text[4097];

    (void)state;
    open_log(LOG_LEVEL_WARN);
    log_debug("a", "x=%d", 1);
    log_info("b", "x=%d", 1);
    log_warn("c", "x=%d", 1);
    log_error("d", "x=%d", 1);
    log_fatal("e", "x=%d", 1);
    stderr_pipe_end(&captured);
    for (size_t i = 0; i < 3; i++) {
        said(&captured, text);
        assert_string_equal(text, wanted[i]);
    }
    assert_int_equal(stderr_pipe_read(&captured, text), 0);
    stderr_pipe_close(&captured);
    for (enum log_level level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_FATAL; level++) {
        assert_int_equal(log_wants(level) != 0, level >= LOG_LEVEL_WARN);
    }
}

static void a_value_cannot_forge_a_second_line(void **state)
{
    struct stderr_pipe captured = stderr_pipe_begin();
    char every[33] = "";
    char text[4097];

    (void)state;
    for (int c = 1; c < 32; c++) {
        every[c - 1] = (char)c;
    }
    every[31] = 0x7f;
    open_log(LOG_LEVEL_INFO);
    log_info("a", "why=%s", "x\n2026-11-23T19:32:30.123Z info enlaced message.accepted");
    log_info("b", "[%s]", every);
    log_info("c\nd", "x=%d", 1);
    log_info("e", "name=%s", "Peña ñandú €"); /* what is not ASCII stays */
    stderr_pipe_end(&captured);
    said(&captured, text);
    assert_string_equal(
        text, "info test-log a why=x 2026-11-23T19:32:30.123Z info enlaced message.accepted\n");
    said(&captured, text);
    assert_string_equal(text, "info test-log b [                                ]\n");
    said(&captured, text);
    assert_string_equal(text, "info test-log c d x=1\n");
    said(&captured, text);
    assert_string_equal(text, "info test-log e name=Peña ñandú €\n");
    stderr_pipe_close(&captured);
}

/* Around the limit byte by byte: whole as long as it fits, then cut, always with its end. */
static void a_long_line_is_cut(void **state)
{
    static const char head[] = "info test-log long v=";
    char value[3000];
    char text[4097];
    size_t fits = 0;

    (void)state;
    open_log(LOG_LEVEL_INFO);
    for (size_t length = 900; length < sizeof value; length += length < 1100 ? 1 : 300) {
        struct stderr_pipe captured = stderr_pipe_begin();

        memset(value, 'x', length);
        value[length] = '\0';
        log_info("long", "v=%s", value);
        stderr_pipe_end(&captured);
        said(&captured, text);
        assert_memory_equal(text, head, sizeof head - 1);
        assert_int_equal(strspn(text + sizeof head - 1, "x"), strlen(text) - sizeof head);
        if (strlen(text) == sizeof head + length) {
            fits = length;
        }
        assert_int_equal(stderr_pipe_read(&captured, text), 0);
        stderr_pipe_close(&captured);
    }
    assert_in_range(STAMP + sizeof head + fits, LINE_MAX_BYTES - 1, LINE_MAX_BYTES);
}

static void a_long_event_and_a_long_program_are_cut(void **state)
{
    static char name[3000];
    char text[4097];

    (void)state;
    memset(name, 'n', sizeof name - 1);
    for (int i = 0; i < 2; i++) {
        struct stderr_pipe captured = stderr_pipe_begin();

        log_open(i == 0 ? "test-log" : name, LOG_LEVEL_INFO);
        log_info(i == 0 ? name : "event", "x=%d", 1);
        open_log(LOG_LEVEL_INFO);
        stderr_pipe_end(&captured);
        said(&captured, text);
        assert_memory_equal(text, i == 0 ? "info test-log nnn" : "info nnn", i == 0 ? 17 : 8);
        stderr_pipe_close(&captured);
    }
}

static void *write_lines(void *argument)
{
    const int *writer = argument;

    for (int i = 0; i < LINES_EACH; i++) {
        log_info("line", "writer=%d number=%d %s", *writer, i, "filler filler filler");
    }
    return NULL;
}

static void lines_of_several_threads_stay_whole(void **state)
{
    struct stderr_pipe captured = stderr_pipe_begin();
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    int next[WRITERS] = {0};
    char text[4097];

    (void)state;
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < WRITERS * LINES_EACH; i++) {
        int writer = -1;
        int number = -1;
        int end = 0;

        said(&captured, text);
        sscanf(text, "info test-log line writer=%d number=%d filler filler filler%n", &writer,
               &number, &end);
        assert_in_range(writer, 0, WRITERS - 1);
        assert_int_equal(number, next[writer]++);
        assert_string_equal(text + end, "\n");
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    stderr_pipe_end(&captured);
    stderr_pipe_close(&captured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_program_event_and_facts),
        cmocka_unit_test(only_the_levels_asked_for_are_printed),
        cmocka_unit_test(a_value_cannot_forge_a_second_line),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(a_long_event_and_a_long_program_are_cut),
        cmocka_unit_test(lines_of_several_threads_stay_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
