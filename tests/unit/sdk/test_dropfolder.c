#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sdk/dropfolder.h"

static char path[64];

static int make_folder(void **state)
{
    struct fault fault = {0};
    struct dropfolder *folder = NULL;

    snprintf(path, sizeof path, "/tmp/folder-XXXXXX");
    if (mkdtemp(path) == NULL || dropfolder_open(path, 0, &folder, &fault) != RC_OK) {
        return -1;
    }
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    char command[96];

    dropfolder_free(*state);
    snprintf(command, sizeof command, "rm -rf %s", path);
    return system(command);
}

static bool is_there(const char *name)
{
    char whole[128];

    snprintf(whole, sizeof whole, "%s/%s", path, name);
    return access(whole, F_OK) == 0;
}

static void a_file_is_whole_or_not_there(void **state)
{
    struct dropfolder_names names;

    assert_int_equal(dropfolder_write(*state, "b.csv", BYTES_OF("uno")), RC_OK);
    assert_int_equal(dropfolder_write(*state, "a.csv", BYTES_OF("dos")), RC_OK);
    assert_false(is_there("a.csv.part"));
    assert_int_equal(dropfolder_list(*state, &names), RC_OK);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.items[0], "a.csv");
    assert_string_equal(names.items[1], "b.csv");
    dropfolder_names_release(&names);
}

static void what_is_not_a_finished_file_is_not_listed(void **state)
{
    static const char *const others[] = {"x.csv.part", ".hidden", "with space.csv", "y.why",
                                         "ñ.csv"};
    struct dropfolder_names names;
    char whole[128];

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        FILE *file;

        snprintf(whole, sizeof whole, "%s/%s", path, others[i]);
        file = fopen(whole, "w");
        assert_non_null(file);
        fclose(file);
    }
    snprintf(whole, sizeof whole, "%s/link.csv", path);
    assert_int_equal(symlink("/etc/passwd", whole), 0);
    snprintf(whole, sizeof whole, "%s/fifo.csv", path);
    assert_int_equal(mkfifo(whole, 0600), 0);
    assert_int_equal(dropfolder_list(*state, &names), RC_OK);
    assert_int_equal(names.count, 0);
    dropfolder_names_release(&names);
}

static void a_link_is_not_read_and_a_name_cannot_leave_the_folder(void **state)
{
    OWN(buffer) into = {0};
    char whole[128];

    snprintf(whole, sizeof whole, "%s/link.csv", path);
    assert_int_equal(symlink("/etc/passwd", whole), 0);
    assert_int_equal(dropfolder_read(*state, "link.csv", 1000, &into), RC_NOT_FOUND);
    assert_int_equal(dropfolder_read(*state, "../etc/passwd", 1000, &into), RC_NOT_FOUND);
    assert_int_equal(dropfolder_write(*state, "../x", BYTES_OF("x")), RC_INVALID_ARGUMENT);
    assert_int_equal(dropfolder_write(*state, "x.part", BYTES_OF("x")), RC_INVALID_ARGUMENT);
    assert_int_equal(dropfolder_take(*state, "a/b"), RC_INVALID_ARGUMENT);
}

static void a_file_that_is_too_long_is_not_read_whole(void **state)
{
    OWN(buffer) into = {0};

    assert_int_equal(dropfolder_write(*state, "a.csv", BYTES_OF("0123456789")), RC_OK);
    assert_int_equal(dropfolder_read(*state, "a.csv", 5, &into), RC_RESOURCE_EXHAUSTED);
}

static void a_refused_file_stands_beside_its_reason_and_none_is_lost(void **state)
{
    struct fault why = {.rc = RC_INVALID_ARGUMENT, .reason = "csv.count", .remedy = "Cuente."};

    for (int i = 0; i < 2; i++) {
        assert_int_equal(dropfolder_write(*state, "a.csv", BYTES_OF("x")), RC_OK);
        assert_int_equal(dropfolder_refuse(*state, "a.csv", &why), RC_OK);
    }
    assert_int_equal(dropfolder_write(*state, "a.csv", BYTES_OF("x")), RC_OK);
    assert_int_equal(dropfolder_take(*state, "a.csv"), RC_OK);
    assert_true(is_there("refused/a.csv"));
    assert_true(is_there("refused/a.csv-1"));
    assert_true(is_there("refused/a.csv.why"));
    assert_true(is_there("taken/a.csv"));
    assert_false(is_there("a.csv"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_whole_or_not_there, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_not_a_finished_file_is_not_listed, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_link_is_not_read_and_a_name_cannot_leave_the_folder,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_long_is_not_read_whole, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_refused_file_stands_beside_its_reason_and_none_is_lost,
                                        make_folder, remove_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
