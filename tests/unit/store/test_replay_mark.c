#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/replay_mark.h"
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

static void each_peer_has_its_own_mark(void **state)
{
    struct replay_mark mark = {.next_index = 4096, .taken = 7, .refused = 1};
    struct replay_mark found;

    (void)state;
    assert_int_equal(replay_mark_get(txn, "cdmx/ssc", &found), RC_NOT_FOUND);
    assert_int_equal(replay_mark_put(txn, "cdmx/ssc", &mark), RC_OK);
    assert_int_equal(replay_mark_get(txn, "cdmx/ss", &found), RC_NOT_FOUND);
    assert_int_equal(replay_mark_get(txn, "cdmx/ssc", &found), RC_OK);
    assert_true(found.next_index == 4096 && found.taken == 7 && found.refused == 1);
    assert_false(found.is_complete);
    mark.is_complete = true;
    assert_int_equal(replay_mark_put(txn, "cdmx/ssc", &mark), RC_OK);
    assert_int_equal(replay_mark_get(txn, "cdmx/ssc", &found), RC_OK);
    assert_true(found.is_complete);
}

static void a_damaged_mark_is_no_mark(void **state)
{
    static const uint8_t rows[2][26] = {{0}, {[24] = 2}};
    struct replay_mark found;

    (void)state;
    for (size_t size = 0; size < 27; size++) {
        if (size != 25 && size > 0) {
            assert_int_equal(
                table_put(txn, TABLE_FORMAT, bytes_text("replay/cdmx/ssc"), BYTES(rows[0], size)),
                RC_OK);
            assert_int_equal(replay_mark_get(txn, "cdmx/ssc", &found), RC_DATA_LOSS);
        }
    }
    assert_int_equal(
        table_put(txn, TABLE_FORMAT, bytes_text("replay/cdmx/ssc"), BYTES(rows[1], 25)), RC_OK);
    assert_int_equal(replay_mark_get(txn, "cdmx/ssc", &found), RC_DATA_LOSS);
}

static void a_peer_without_a_name_or_with_a_long_one_is_refused(void **state)
{
    const struct replay_mark mark = {0};
    char name[70];

    (void)state;
    memset(name, 'a', sizeof name);
    name[64] = '\0';
    assert_int_equal(replay_mark_put(txn, name, &mark), RC_INVALID_ARGUMENT);
    assert_int_equal(replay_mark_put(txn, "", &mark), RC_INVALID_ARGUMENT);
    name[63] = '\0';
    assert_int_equal(replay_mark_put(txn, name, &mark), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_peer_has_its_own_mark),
        TEST(a_damaged_mark_is_no_mark),
        TEST(a_peer_without_a_name_or_with_a_long_one_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
