#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/cosigned.h"
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

static enum rc put(uint64_t size, uint64_t time_s, const char *note)
{
    struct cosigned cosigned = {.size = size, .time_s = time_s, .note = bytes_text(note)};

    return cosigned_put(txn, &cosigned);
}

static void a_leaf_is_under_the_first_that_holds_it(void **state)
{
    struct cosigned found;

    (void)state;
    assert_int_equal(cosigned_last(txn, &found), RC_NOT_FOUND);
    assert_int_equal(cosigned_over(txn, 0, &found), RC_NOT_FOUND);
    assert_int_equal(put(5, 1000, "five"), RC_OK);
    assert_int_equal(put(9, 2000, "nine"), RC_OK);
    assert_int_equal(cosigned_over(txn, 0, &found), RC_OK);
    assert_int_equal(found.size, 5);
    assert_int_equal(found.time_s, 1000);
    assert_true(bytes_are_text(found.note, "five"));
    assert_int_equal(cosigned_over(txn, 4, &found), RC_OK);
    assert_int_equal(found.size, 5);
    assert_int_equal(cosigned_over(txn, 5, &found), RC_OK);
    assert_int_equal(found.size, 9);
    assert_int_equal(cosigned_over(txn, 9, &found), RC_NOT_FOUND);
    assert_int_equal(cosigned_over(txn, UINT64_MAX, &found), RC_NOT_FOUND);
}

static void the_same_size_is_replaced_and_a_smaller_one_refused(void **state)
{
    struct cosigned found;

    (void)state;
    assert_int_equal(put(5, 1000, "four lines"), RC_OK);
    assert_int_equal(put(5, 1001, "five lines"), RC_OK);
    assert_int_equal(cosigned_last(txn, &found), RC_OK);
    assert_true(bytes_are_text(found.note, "five lines"));
    assert_int_equal(put(4, 1002, "old"), RC_FAILED_PRECONDITION);
    assert_int_equal(cosigned_last(txn, &found), RC_OK);
    assert_int_equal(found.size, 5);
}

static void about_one_a_minute_is_kept(void **state)
{
    struct cosigned found;
    uint64_t count;

    (void)state;
    for (uint64_t i = 1; i <= 600; i++) {
        assert_int_equal(put(i, 1000 + i, "n"), RC_OK);
        assert_int_equal(cosigned_last(txn, &found), RC_OK);
        assert_int_equal(found.size, i);
    }
    assert_int_equal(table_count(txn, TABLE_COSIGNED, &count), RC_OK);
    assert_in_range(count, 10, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_leaf_is_under_the_first_that_holds_it, make, clean),
        cmocka_unit_test_setup_teardown(the_same_size_is_replaced_and_a_smaller_one_refused, make,
                                        clean),
        cmocka_unit_test_setup_teardown(about_one_a_minute_is_kept, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
