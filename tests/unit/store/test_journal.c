#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/journal.h"
#include "unit/store/logstore.h"

static struct logstore store;
static struct txn *txn;

static int make(void **state)
{
    (void)state;
    logstore_make(&store);
    return logstore_open_db(&store) == RC_OK && txn_write(store.db, &txn) == RC_OK ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    txn_abort(txn);
    logstore_remove(&store);
    return 0;
}

static const struct id one = {{1}};
static const struct id two = {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
static const struct journal_entry entry = {
    .index = 77, .message = {9, 8, 7}, .exchange_id = {{5}}, .flags = 8};

static void what_was_added_is_found_as_it_was(void **state)
{
    struct journal_entry found;

    (void)state;
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/ssc", &entry), RC_OK);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "cdmx/ssc", &found), RC_OK);
    assert_int_equal(found.index, 77);
    assert_memory_equal(found.message, entry.message, sizeof entry.message);
    assert_true(id_equal(&found.exchange_id, &entry.exchange_id));
    assert_int_equal(found.flags, 8);
}

static void role_id_and_member_each_make_another_message(void **state)
{
    struct journal_entry found;

    (void)state;
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/ssc", &entry), RC_OK);
    assert_int_equal(journal_find(txn, JOURNAL_RECEIVED, &one, "cdmx/ssc", &found), RC_NOT_FOUND);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &two, "cdmx/ssc", &found), RC_NOT_FOUND);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "cdmx/ss", &found), RC_NOT_FOUND);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "cdmx/sscx", &found), RC_NOT_FOUND);
    assert_int_equal(journal_add(txn, JOURNAL_RECEIVED, &one, "cdmx/ssc", &entry), RC_OK);
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &two, "cdmx/ssc", &entry), RC_OK);
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/pgj", &entry), RC_OK);
}

static void the_first_of_an_id_stays(void **state)
{
    struct journal_entry other = {.index = 78};
    struct journal_entry found;
    size_t puts;

    (void)state;
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/ssc", &entry), RC_OK);
    puts = txn_puts(txn);
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/ssc", &other), RC_ALREADY_EXISTS);
    assert_int_equal(txn_puts(txn), puts);
    assert_int_equal(txn_state(txn), RC_OK);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "cdmx/ssc", &found), RC_OK);
    assert_int_equal(found.index, 77);
}

static void marks_add_up(void **state)
{
    struct journal_entry found;

    (void)state;
    assert_int_equal(journal_mark(txn, JOURNAL_SENT, &one, "cdmx/ssc", JOURNAL_ERASED),
                     RC_NOT_FOUND);
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, "cdmx/ssc", &entry), RC_OK);
    assert_int_equal(journal_mark(txn, JOURNAL_SENT, &one, "cdmx/ssc", JOURNAL_ERASED), RC_OK);
    assert_int_equal(journal_mark(txn, JOURNAL_SENT, &one, "cdmx/ssc", JOURNAL_ERASED), RC_OK);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "cdmx/ssc", &found), RC_OK);
    assert_int_equal(found.flags, 8 | JOURNAL_ERASED);
    assert_int_equal(found.index, 77);
}

static void a_member_without_code_or_with_a_long_one_is_refused(void **state)
{
    char code[JOURNAL_MEMBER_MAX + 2];
    struct journal_entry found;

    (void)state;
    memset(code, 'm', sizeof code - 1);
    code[sizeof code - 1] = '\0';
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, code, &entry), RC_INVALID_ARGUMENT);
    assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "", &found), RC_INVALID_ARGUMENT);
    code[JOURNAL_MEMBER_MAX] = '\0';
    assert_int_equal(journal_add(txn, JOURNAL_SENT, &one, code, &entry), RC_OK);
}

static void a_damaged_row_is_data_loss(void **state)
{
    const uint8_t key[] = {'s', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'm'};
    uint8_t row[61] = {0};
    struct journal_entry found;

    (void)state;
    for (size_t size = 0; size <= sizeof row; size++) {
        assert_int_equal(table_put(txn, TABLE_MESSAGE, BYTES_OF(key), BYTES(row, size)), RC_OK);
        assert_int_equal(journal_find(txn, JOURNAL_SENT, &one, "m", &found),
                         size == 60 ? RC_OK : RC_DATA_LOSS);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_added_is_found_as_it_was),
        TEST(role_id_and_member_each_make_another_message),
        TEST(the_first_of_an_id_stays),
        TEST(marks_add_up),
        TEST(a_member_without_code_or_with_a_long_one_is_refused),
        TEST(a_damaged_row_is_data_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
