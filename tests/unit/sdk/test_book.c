#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/book.h"

static int make_folder(void **state)
{
    static char folder[32];

    snprintf(folder, sizeof folder, "/tmp/book-XXXXXX");
    *state = mkdtemp(folder);
    return *state != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    char path[200];

    snprintf(path, sizeof path, "%s/a.book", (const char *)*state);
    (void)unlink(path);
    return rmdir(*state);
}

static void append_raw(const char *folder, const char *text)
{
    char path[200];
    int file;

    snprintf(path, sizeof path, "%s/a.book", folder);
    file = open(path, O_WRONLY | O_APPEND);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static void what_was_put_is_there_after_a_restart_and_the_last_value_counts(void **state)
{
    OWN_PTR(book) book = NULL;
    char value[BOOK_VALUE_MAX + 1];

    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_find(book, "CI-FCH/UI-2 S/D/02839", value), RC_NOT_FOUND);
    assert_int_equal(book_put(book, "CI-FCH/UI-2 S/D/02839", "uno"), RC_OK);
    assert_int_equal(book_put(book, "CI-FCH/UI-2 S/D/02839", "dos ñ"), RC_OK);
    assert_int_equal(book_put(book, "otra", "tres"), RC_OK);
    book_free(MOVE(book));
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_count(book), 2);
    assert_int_equal(book_find(book, "CI-FCH/UI-2 S/D/02839", value), RC_OK);
    assert_string_equal(value, "dos ñ");
}

static void a_line_that_a_crash_cut_off_is_cut_away(void **state)
{
    OWN_PTR(book) book = NULL;
    char value[BOOK_VALUE_MAX + 1];

    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_put(book, "k", "v"), RC_OK);
    book_free(MOVE(book));
    append_raw(*state, "half\tof a li");
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_find(book, "half", value), RC_NOT_FOUND);
    assert_int_equal(book_put(book, "half", "whole"), RC_OK);
    book_free(MOVE(book));
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_find(book, "half", value), RC_OK);
    assert_string_equal(value, "whole");
}

static void a_damaged_line_is_not_passed_over(void **state)
{
    OWN_PTR(book) book = NULL;

    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_put(book, "k", "v"), RC_OK);
    book_free(MOVE(book));
    append_raw(*state, "no tab\n");
    assert_int_equal(book_open(*state, "a", &book), RC_DATA_LOSS);
}

static void what_a_line_cannot_hold_is_refused_and_changes_nothing(void **state)
{
    static char long_key[BOOK_KEY_MAX + 2];
    static char long_value[BOOK_VALUE_MAX + 2];
    static const struct {
        const char *key;
        const char *value;
    } refused[] = {{"", "v"},      {"k", ""},        {"a\tb", "v"},
                   {"a\nb", "v"},  {"k", "v\nk\tw"}, {"k", "a\tb"},
                   {"k\x7f", "v"}, {long_key, "v"},  {"k", long_value}};
    OWN_PTR(book) book = NULL;

    memset(long_key, 'k', BOOK_KEY_MAX + 1);
    memset(long_value, 'v', BOOK_VALUE_MAX + 1);
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(book_put(book, refused[i].key, refused[i].value), RC_INVALID_ARGUMENT);
    }
    assert_int_equal(book_count(book), 0);
}

static void a_book_that_is_mostly_stale_is_rewritten_when_it_is_opened(void **state)
{
    OWN_PTR(book) book = NULL;
    char path[200];
    char value[BOOK_VALUE_MAX + 1];
    struct stat before;
    struct stat after;

    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    book_free(MOVE(book));
    for (int i = 0; i < 3000; i++) {
        char line[32];

        snprintf(line, sizeof line, "k%d\tv%d\n", i % 10, i);
        append_raw(*state, line);
    }
    snprintf(path, sizeof path, "%s/a.book", (const char *)*state);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size < before.st_size / 100);
    assert_int_equal(book_put(book, "k10", "w"), RC_OK);
    book_free(MOVE(book));
    assert_int_equal(book_open(*state, "a", &book), RC_OK);
    assert_int_equal(book_count(book), 11);
    assert_int_equal(book_find(book, "k9", value), RC_OK);
    assert_string_equal(value, "v2999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_was_put_is_there_after_a_restart_and_the_last_value_counts, make_folder,
            remove_folder),
        cmocka_unit_test_setup_teardown(a_line_that_a_crash_cut_off_is_cut_away, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_damaged_line_is_not_passed_over, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_a_line_cannot_hold_is_refused_and_changes_nothing,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_book_that_is_mostly_stale_is_rewritten_when_it_is_opened,
                                        make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
