#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/store/logstore.h"

static int make(void **state)
{
    static struct logstore store;

    logstore_make(&store);
    *state = &store;
    return logstore_open_db(&store) == RC_OK ? 0 : -1;
}

static int clean(void **state)
{
    logstore_remove(*state);
    return 0;
}

static enum rc put_one(struct logstore *store, const char *key, const char *value)
{
    struct txn *txn;

    TRY(txn_write(store->db, &txn));
    if (table_put(txn, TABLE_DEBT, bytes_text(key), bytes_text(value)) != RC_OK) {
        enum rc rc = txn_state(txn);

        txn_abort(txn);
        return rc;
    }
    return txn_commit(txn);
}

static enum rc get_one(struct logstore *store, const char *key)
{
    OWN_READ(txn) = NULL;
    struct bytes value;

    TRY(txn_read(store->db, &txn));
    return table_get(txn, TABLE_DEBT, bytes_text(key), &value);
}

static void its_folder_and_files_are_its_owners_alone(void **state)
{
    struct logstore *store = *state;
    char inner[80];
    char file[128];
    struct stat info;
    struct db_options options = logstore_options(store);
    struct db *made;

    snprintf(inner, sizeof inner, "%s/inner", store->path);
    options.path = inner;
    assert_int_equal(db_open(&options, &made), RC_OK);
    assert_int_equal(stat(inner, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    snprintf(file, sizeof file, "%s/data.mdb", inner);
    assert_int_equal(stat(file, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    db_free(made);
}

static void a_second_open_is_refused(void **state)
{
    struct logstore *store = *state;
    struct db_options options = logstore_options(store);
    struct db *second;
    int status;
    pid_t child;

    assert_int_equal(db_open(&options, &second), RC_FAILED_PRECONDITION);
    child = fork();
    if (child == 0) {
        _exit(db_open(&options, &second) == RC_FAILED_PRECONDITION ? 0 : 1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    db_free(store->db);
    store->db = NULL;
    assert_int_equal(logstore_open_db(store), RC_OK);
}

static void a_store_of_something_else_is_refused(void **state)
{
    struct logstore *store = *state;
    const struct {
        enum db_kind kind;
        const char *origin;
        uint32_t epoch;
        enum rc rc;
    } cases[] = {
        {DB_LOG, ORIGIN, 1, RC_OK},
        {DB_SEEN, ORIGIN, 1, RC_FAILED_PRECONDITION},
        {DB_LOG, "gw.other/audit/2026", 1, RC_FAILED_PRECONDITION},
        {DB_LOG, ORIGIN "x", 1, RC_FAILED_PRECONDITION},
        {DB_LOG, ORIGIN, 2, RC_FAILED_PRECONDITION},
    };

    db_free(store->db);
    store->db = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct db_options options = logstore_options(store);
        struct db *opened = NULL;

        options.kind = cases[i].kind;
        options.origin = cases[i].origin;
        options.epoch = cases[i].epoch;
        assert_int_equal(db_open(&options, &opened), cases[i].rc);
        db_free(opened);
    }
}

static void write_format(struct logstore *store, struct bytes row)
{
    struct txn *txn;

    assert_int_equal(logstore_open_db(store), RC_OK);
    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(table_put(txn, TABLE_FORMAT, bytes_text("format"), row), RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
    db_free(store->db);
    store->db = NULL;
}

static void another_format_is_refused(void **state)
{
    struct logstore *store = *state;
    const uint8_t newer[] = {0, DB_FORMAT + 1, 9, 9};

    db_free(store->db);
    write_format(store, BYTES_OF(newer));
    assert_int_equal(logstore_open_db(store), RC_FAILED_PRECONDITION);
}

static void a_damaged_format_is_refused(void **state)
{
    struct logstore *store = *state;
    const uint8_t cut[] = {0, DB_FORMAT, DB_LOG, 0, 0, 0, 1, 0, 0};

    db_free(store->db);
    write_format(store, BYTES_OF(cut));
    assert_int_equal(logstore_open_db(store), RC_DATA_LOSS);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    struct logstore *store = *state;
    char file[128];
    char junk[8192];
    int fd;

    db_free(store->db);
    store->db = NULL;
    snprintf(file, sizeof file, "%s/data.mdb", store->path);
    memset(junk, 'x', sizeof junk);
    fd = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    close(fd);
    assert_int_equal(logstore_open_db(store), RC_DATA_LOSS);
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
    struct logstore *store = *state;

    db_free(store->db);
    store->db = NULL;
    assert_int_equal(chmod(store->path, 0770), 0);
    assert_int_equal(logstore_open_db(store), RC_FAILED_PRECONDITION);
    assert_int_equal(chmod(store->path, 0700), 0);
}

static void below_the_floor_nothing_is_written_and_all_is_read(void **state)
{
    struct logstore *store = *state;
    struct db_options options = logstore_options(store);

    assert_int_equal(put_one(store, "before", "x"), RC_OK);
    db_free(store->db);
    options.floor_bytes = UINT64_MAX;
    assert_int_equal(db_open(&options, &store->db), RC_OK);
    assert_int_equal(put_one(store, "after", "x"), RC_UNAVAILABLE);
    assert_int_equal(get_one(store, "before"), RC_OK);
    assert_int_equal(get_one(store, "after"), RC_NOT_FOUND);
}

static void a_full_map_refuses_and_keeps_what_stood(void **state)
{
    struct logstore *store = *state;
    struct db_options options = logstore_options(store);
    char path[80];
    char key[16];
    static char value[3000];
    unsigned count = 0;
    enum rc rc = RC_OK;

    snprintf(path, sizeof path, "%s/small", store->path);
    options.path = path;
    options.map_size = 512 << 10;
    db_free(store->db);
    assert_int_equal(db_open(&options, &store->db), RC_OK);
    memset(value, 'v', sizeof value - 1);
    while (rc == RC_OK) {
        snprintf(key, sizeof key, "%08u", ++count);
        rc = put_one(store, key, value);
    }
    assert_int_equal(rc, RC_UNAVAILABLE);
    assert_true(count > 10);
    db_free(store->db);
    assert_int_equal(db_open(&options, &store->db), RC_OK);
    for (unsigned i = 1; i <= count; i++) {
        snprintf(key, sizeof key, "%08u", i);
        assert_int_equal(get_one(store, key), i < count ? RC_OK : RC_NOT_FOUND);
    }
}

/* The commit's own writes fail: nobody knows what is on disk, so the process must not go on. */
static void a_commit_that_fails_ends_the_process(void **state)
{
    struct logstore *store = *state;
    static char value[100000];
    int status;
    pid_t child;

    memset(value, 'v', sizeof value - 1);
    assert_int_equal(put_one(store, "before", "x"), RC_OK);
    db_free(store->db);
    store->db = NULL;
    child = fork();
    if (child == 0) {
        struct rlimit limit = {.rlim_cur = 64 << 10, .rlim_max = 64 << 10};

        signal(SIGXFSZ, SIG_IGN);
        if (logstore_open_db(store) != RC_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            _exit(1);
        }
        (void)!put_one(store, "after", value);
        _exit(2);
    }
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), DB_EXIT_STATUS);
    assert_int_equal(logstore_open_db(store), RC_OK);
    assert_int_equal(get_one(store, "before"), RC_OK);
    assert_int_equal(get_one(store, "after"), RC_NOT_FOUND);
}

static void a_put_that_fails_spoils_its_transaction(void **state)
{
    struct logstore *store = *state;
    struct txn *txn;

    assert_int_equal(txn_write(store->db, &txn), RC_OK);
    assert_int_equal(table_put(txn, TABLE_DEBT, bytes_text("a"), bytes_text("1")), RC_OK);
    db_fail_put(store->db, 1);
    assert_int_equal(table_put(txn, TABLE_DEBT, bytes_text("b"), bytes_text("2")), RC_UNAVAILABLE);
    assert_int_equal(table_put(txn, TABLE_DEBT, bytes_text("c"), bytes_text("3")), RC_UNAVAILABLE);
    assert_int_equal(txn_puts(txn), 1);
    assert_int_equal(txn_commit(txn), RC_UNAVAILABLE);
    assert_int_equal(get_one(store, "a"), RC_NOT_FOUND);
    assert_int_equal(put_one(store, "d", "4"), RC_OK);
}

static void a_read_sees_one_moment(void **state)
{
    struct logstore *store = *state;
    struct txn *before;
    struct bytes value;

    assert_int_equal(txn_read(store->db, &before), RC_OK);
    assert_int_equal(put_one(store, "k", "v"), RC_OK);
    assert_int_equal(table_get(before, TABLE_DEBT, bytes_text("k"), &value), RC_NOT_FOUND);
    assert_int_equal(get_one(store, "k"), RC_OK);
    txn_end(before);
    assert_int_equal(txn_read(store->db, &before), RC_OK);
    assert_int_equal(table_get(before, TABLE_DEBT, bytes_text("k"), &value), RC_OK);
    assert_true(bytes_are_text(value, "v"));
    txn_end(before);
}

static void readers_are_bounded_and_come_back(void **state)
{
    struct logstore *store = *state;
    struct txn *held[DB_READERS_MAX];
    struct txn *more;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < DB_READERS_MAX; i++) {
            assert_int_equal(txn_read(store->db, &held[i]), RC_OK);
        }
        assert_int_equal(txn_read(store->db, &more), RC_RESOURCE_EXHAUSTED);
        for (int i = 0; i < DB_READERS_MAX; i++) {
            txn_end(held[i]);
        }
    }
}

static void rows_stand_in_the_order_of_their_keys(void **state)
{
    struct logstore *store = *state;
    OWN_PTR(cursor) cursor = NULL;
    OWN_READ(txn) = NULL;
    struct row row;
    uint64_t count;

    assert_int_equal(put_one(store, "b", "2"), RC_OK);
    assert_int_equal(put_one(store, "d", "4"), RC_OK);
    assert_int_equal(put_one(store, "a", "1"), RC_OK);
    assert_int_equal(txn_read(store->db, &txn), RC_OK);
    assert_int_equal(table_count(txn, TABLE_DEBT, &count), RC_OK);
    assert_int_equal(count, 3);
    assert_int_equal(table_from(txn, TABLE_DEBT, bytes_text("c"), &row), RC_OK);
    assert_true(bytes_are_text(row.key, "d"));
    assert_int_equal(table_from(txn, TABLE_DEBT, bytes_text("e"), &row), RC_NOT_FOUND);
    assert_int_equal(table_before(txn, TABLE_DEBT, bytes_text("d"), &row), RC_OK);
    assert_true(bytes_are_text(row.key, "b"));
    assert_int_equal(table_before(txn, TABLE_DEBT, bytes_text("z"), &row), RC_OK);
    assert_true(bytes_are_text(row.key, "d"));
    assert_int_equal(table_before(txn, TABLE_DEBT, bytes_text("a"), &row), RC_NOT_FOUND);
    assert_int_equal(table_last(txn, TABLE_TIMER, &row), RC_NOT_FOUND);
    assert_int_equal(cursor_open(txn, TABLE_DEBT, bytes_text("b"), &cursor), RC_OK);
    assert_int_equal(cursor_next(cursor, &row), RC_OK);
    assert_true(bytes_are_text(row.value, "2"));
    assert_int_equal(cursor_next(cursor, &row), RC_OK);
    assert_true(bytes_are_text(row.value, "4"));
    assert_int_equal(cursor_next(cursor, &row), RC_NOT_FOUND);
    assert_int_equal(cursor_next(cursor, &row), RC_NOT_FOUND);
}

static void appending_out_of_order_is_a_bug(void **state)
{
    struct logstore *store = *state;
    int status;
    pid_t child;

    db_free(store->db);
    store->db = NULL;
    child = fork();
    if (child == 0) {
        struct txn *txn;

        if (logstore_open_db(store) == RC_OK && txn_write(store->db, &txn) == RC_OK &&
            table_append(txn, TABLE_COMMIT, bytes_text("b"), bytes_text("x")) == RC_OK) {
            close(STDERR_FILENO);
            (void)!table_append(txn, TABLE_COMMIT, bytes_text("a"), bytes_text("x"));
        }
        _exit(0);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_folder_and_files_are_its_owners_alone),
        TEST(a_second_open_is_refused),
        TEST(a_store_of_something_else_is_refused),
        TEST(another_format_is_refused),
        TEST(a_damaged_format_is_refused),
        TEST(a_file_that_is_no_store_is_refused),
        TEST(a_folder_that_others_may_write_is_refused),
        TEST(below_the_floor_nothing_is_written_and_all_is_read),
        TEST(a_full_map_refuses_and_keeps_what_stood),
        TEST(a_commit_that_fails_ends_the_process),
        TEST(a_put_that_fails_spoils_its_transaction),
        TEST(a_read_sees_one_moment),
        TEST(readers_are_bounded_and_come_back),
        TEST(rows_stand_in_the_order_of_their_keys),
        TEST(appending_out_of_order_is_a_bug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
