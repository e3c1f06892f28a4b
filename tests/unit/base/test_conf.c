/* What conf.h promises: a file read into a struct, or one line that says where it is wrong and how.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"

struct settings {
    char before[8]; /* nothing is written beside a row's place */
    char name[CONF_TEXT_SIZE];
    char note[CONF_TEXT_SIZE];
    int64_t timeout_ms;
    int64_t offset_s;
    struct conf_list peers;
    char after[8];
};

static const struct conf_row rows[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), NULL, 1, 0, "how it is called"},
    {"note", CONF_TEXT, offsetof(struct settings, note), "none", 0, 0, "anything"},
    {"timeout_ms", CONF_INTEGER, offsetof(struct settings, timeout_ms), "1000", 1, 60000,
     "how long it waits"},
    {"offset_s", CONF_INTEGER, offsetof(struct settings, offset_s), "-5", -10, 10, "how much off"},
    {"peers", CONF_TEXTS, offsetof(struct settings, peers), NULL, 1, 0, "whom it knows"},
    {0},
};

struct file {
    char path[64];
    struct settings settings;
    char error[512];
};

static int make_file(void **state)
{
    static struct file file;
    int descriptor;

    memset(&file, 0, sizeof file);
    snprintf(file.path, sizeof file.path, "/tmp/enlace-conf-XXXXXX");
    descriptor = mkstemp(file.path);
    *state = &file;
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    return unlink(((struct file *)*state)->path);
}

static enum rc read_rows(struct file *file, const struct conf_row *table, const char *text,
                         size_t size)
{
    FILE *out = fopen(file->path, "we");

    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
    memset(&file->settings, 0, sizeof file->settings);
    memset(file->error, 'e', sizeof file->error);
    return conf_read(file->path, table, &file->settings, file->error);
}

static enum rc read_text(struct file *file, const char *text)
{
    return read_rows(file, rows, text, strlen(text));
}

static void what_is_given_is_read_and_the_rest_has_its_default(void **state)
{
    struct file *file = *state;

    assert_int_equal(read_text(file, "# a comment\n"
                                     "; another\n"
                                     "\n"
                                     "name = ssc gateway\n"
                                     "peers=cdmx/ssc ; the police\n"
                                     "  timeout_ms  =  60000  \n"
                                     "peers = a;b=c#d"),
                     RC_OK);
    assert_string_equal(file->error, "");
    assert_string_equal(file->settings.name, "ssc gateway");
    assert_string_equal(file->settings.note, "none");
    assert_int_equal(file->settings.timeout_ms, 60000);
    assert_int_equal(file->settings.offset_s, -5);
    assert_int_equal(file->settings.peers.count, 2);
    assert_string_equal(file->settings.peers.items[0], "cdmx/ssc");
    assert_string_equal(file->settings.peers.items[1], "a;b=c#d");
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(file->settings.before[i] | file->settings.after[i], 0);
    }
}

static void the_least_and_the_most_are_taken(void **state)
{
    struct file *file = *state;

    assert_int_equal(read_text(file, "name=x\ntimeout_ms=1\noffset_s=-10\nnote=\n"), RC_OK);
    assert_int_equal(file->settings.timeout_ms, 1);
    assert_int_equal(file->settings.offset_s, -10);
    assert_string_equal(file->settings.note, "");
    assert_int_equal(file->settings.peers.count, 0);
}

/* `at` is what follows the file's path. */
struct refused {
    const char *text;
    const char *at;
};

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct refused table[] = {
        /* an unknown name, with and without a near one */
        {"name=x\ntimeout=5\n", ":2: timeout: unknown setting, did you mean timeout_ms?"},
        {"nmae=x\n", ":1: nmae: unknown setting, did you mean name?"},
        {"\n\nname=x\nNAME=y\n", ":4: NAME: unknown setting"},
        {"name=x\nzzzzzzzzzzz=1\n", ":2: zzzzzzzzzzz: unknown setting"},
        /* missing */
        {"", ": name: missing; it is how it is called"},
        {"note=x\n", ": name: missing; it is how it is called"},
        {"#name=x\n", ": name: missing; it is how it is called"},
        /* twice */
        {"name=x\nnote=1\nname=x\n", ":3: name: expected once, stands twice"},
        {"name=x\ntimeout_ms=5\ntimeout_ms=5\n", ":3: timeout_ms: expected once, stands twice"},
        /* out of range */
        {"name=x\ntimeout_ms=0\n", ":2: timeout_ms: expected a number from 1 to 60000"},
        {"name=x\ntimeout_ms=60001\n", ":2: timeout_ms: expected a number from 1 to 60000"},
        {"name=x\ntimeout_ms=-1\n", ":2: timeout_ms: expected a number from 1 to 60000"},
        {"name=x\noffset_s=-11\n", ":2: offset_s: expected a number from -10 to 10"},
        {"timeout_ms=99999999999999999999\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"offset_s=-99999999999999999999\n", ":1: offset_s: expected a number from -10 to 10"},
        /* no number */
        {"timeout_ms=\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"timeout_ms=5s\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"timeout_ms=1e3\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"timeout_ms=0x10\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"timeout_ms=1 000\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        {"timeout_ms=\"5\"\n", ":1: timeout_ms: expected a number from 1 to 60000"},
        /* an empty text where one is needed */
        {"name=\n", ":1: name: expected a text of 1 to 255 characters"},
        {"name=x\npeers=\n", ":2: peers: expected a text of 1 to 255 characters"},
        /* not a line of ours */
        {"name=x\nfoo\n", ":2: expected a line \"name = value\""},
        {"name\n", ":1: expected a line \"name = value\""},
        {"[part]\nname=x\n", ":1: expected a line \"name = value\" of at most 198 bytes"},
        {"name=x\n\n  [part]\n", ":3: expected a line \"name = value\" of at most 198 bytes"},
        /* an indented line is a line of its own, not more of the one above */
        {"name=x\npeers=a\n  timeout_ms=0\n", ":3: timeout_ms: expected a number from 1 to 60000"},
        {"name=x\npeers=a\n  b\n", ":3: expected a line \"name = value\""},
        /* the first of two errors */
        {"name=x\noffset_s=11\ntimeout_ms=0\n", ":2: offset_s: expected a number from -10 to 10"},
        {"name=x\noffset_s=11\n[part]\n", ":2: offset_s: expected a number from -10 to 10"},
    };
    struct file *file = *state;

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char wanted[256];

        snprintf(wanted, sizeof wanted, "%s%s", file->path, table[i].at);
        assert_int_equal(read_text(file, table[i].text), RC_INVALID_ARGUMENT);
        assert_string_equal(file->error, wanted);
    }
}

static void a_list_has_an_end(void **state)
{
    struct file *file = *state;
    char text[400] = "";
    size_t used = 0;

    for (int i = 0; i < 32; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "peers=%d\n", i);
    }
    used += (size_t)snprintf(text + used, sizeof text - used, "name=x\n");
    assert_int_equal(read_text(file, text), RC_OK);
    assert_int_equal(file->settings.peers.count, 32);
    assert_string_equal(file->settings.peers.items[31], "31");
    snprintf(text + used, sizeof text - used, "peers=x\n");
    assert_int_equal(read_text(file, text), RC_INVALID_ARGUMENT);
    assert_non_null(strstr(file->error, ":34: peers: expected at most 32 lines of this name"));
}

/* A line that is cut would be another setting than the one that was written. */
static void a_line_is_read_whole_or_refused(void **state)
{
    struct file *file = *state;
    char text[1024];

    for (size_t length = 150; length < 500; length++) {
        size_t used = (size_t)snprintf(text, sizeof text, "\t name=");

        memset(text + used, 'x', length);
        snprintf(text + used + length, sizeof text - used - length, "\n\noffset_s=3\n");
        if (5 + length <= CONF_LINE_MAX) {
            assert_int_equal(read_text(file, text), RC_OK);
            assert_int_equal(strlen(file->settings.name), length);
            assert_int_equal(file->settings.offset_s, 3);
        } else {
            assert_int_equal(read_text(file, text), RC_INVALID_ARGUMENT);
            assert_non_null(
                strstr(file->error, ":1: expected a line \"name = value\" of at most 198 bytes"));
        }
    }
}

static void the_end_of_a_long_comment_sets_nothing(void **state)
{
    struct file *file = *state;
    char text[1024];

    for (int blanks = 150; blanks < 450; blanks++) {
        snprintf(text, sizeof text, "#%*stimeout_ms = 7\nname = x\nnote\n", blanks, "");
        assert_int_equal(read_text(file, text), RC_INVALID_ARGUMENT);
        assert_int_equal(file->settings.timeout_ms, 0);
        assert_non_null(strstr(file->error, ":3: expected"));
    }
}

static void a_zero_in_the_file_is_refused(void **state)
{
    static const char text[] = "name=x\nnote=a\0b\noffset_s=3\n";
    struct file *file = *state;

    assert_int_equal(read_rows(file, rows, text, sizeof text - 1), RC_INVALID_ARGUMENT);
    assert_non_null(strstr(file->error, ":2: expected"));
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct settings settings;
    char error[512];

    (void)state;
    assert_int_equal(conf_read("/nonexistent/enlace.conf", rows, &settings, error),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(error,
                        "/nonexistent/enlace.conf: cannot be read: No such file or directory");
}

static void a_wrong_default_is_our_own_fault(void **state)
{
    static const struct conf_row wrong[] = {
        {"timeout_ms", CONF_INTEGER, offsetof(struct settings, timeout_ms), "0", 1, 9, "wrong"},
        {0},
    };
    struct file *file = *state;

    assert_int_equal(read_rows(file, wrong, "", 0), RC_INTERNAL);
    assert_string_equal(file->error, "timeout_ms: default: expected a number from 1 to 9");
    assert_int_equal(read_rows(file, wrong, "timeout_ms=3\n", 13), RC_OK);
}

static void the_longest_message_fits(void **state)
{
    struct file *file = *state;
    char text[CONF_LINE_MAX + 2];

    memset(text, 'n', CONF_LINE_MAX);
    memcpy(text + CONF_LINE_MAX - 2, "=1", 3);
    assert_int_equal(read_text(file, text), RC_INVALID_ARGUMENT);
    assert_non_null(memchr(file->error, '\0', sizeof file->error));
    assert_non_null(strstr(file->error, ":1: nnnn"));
}

/* The example file is the table: once its gaps are filled it can be read. */
static void what_is_printed_can_be_read(void **state)
{
    struct file *file = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    conf_print(rows, out);
    fputs("name = x\n", out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "# how it is called\nname = \n\n"));
    assert_non_null(strstr(text, "# how long it waits (1 to 60000)\n# timeout_ms = 1000\n\n"));
    assert_int_equal(read_text(file, text), RC_INVALID_ARGUMENT); /* the gap */
    assert_non_null(strstr(file->error, ":2: name: expected a text"));
    free(text);
}

static void the_nearest_name_is_near(void **state)
{
    static const char *const names[] = {"submit", "status", "verify", NULL};
    static const char *const none[] = {NULL};
    char endless[300];

    (void)state;
    assert_string_equal(conf_nearest("submit", names), "submit");
    assert_string_equal(conf_nearest("sumbit", names), "submit");
    assert_string_equal(conf_nearest("verfy", names), "verify");
    assert_string_equal(conf_nearest("statuss", names), "status");
    assert_null(conf_nearest("erase", names));
    assert_null(conf_nearest("", names));
    assert_null(conf_nearest("submit", none));
    memset(endless, 'v', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(conf_nearest(endless, names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_file(test) cmocka_unit_test_setup_teardown(test, make_file, remove_file)
        with_file(what_is_given_is_read_and_the_rest_has_its_default),
        with_file(the_least_and_the_most_are_taken),
        with_file(what_is_wrong_is_named_with_its_line),
        with_file(a_list_has_an_end),
        with_file(a_line_is_read_whole_or_refused),
        with_file(the_end_of_a_long_comment_sets_nothing),
        with_file(a_zero_in_the_file_is_refused),
        with_file(a_wrong_default_is_our_own_fault),
        with_file(the_longest_message_fits),
        with_file(what_is_printed_can_be_read),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(the_nearest_name_is_near),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
