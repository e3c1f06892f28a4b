#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/tagbook.h"
#include "store/tagtail.h"
#include "unit/store/logstore.h"

struct fixture {
    struct logstore store;
    struct tagbook *book;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    logstore_make(&f->store);
    logstore_open(&f->store);
    f->book = tagbook_new();
    assert_non_null(f->book);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    writer_stop(f->store.writer);
    tagbook_free(f->book);
    logstore_remove(&f->store);
    free(f);
    return 0;
}

/* As after a crash or a restart: nothing but the rows is left. */
static void forget(struct fixture *f)
{
    tagbook_free(f->book);
    f->book = tagbook_new();
    assert_non_null(f->book);
}

static struct bytes name_of(uint64_t number, uint8_t name[12])
{
    memcpy(name, "name", 4);
    put_u64(name + 4, number);
    return BYTES(name, 12);
}

static void put(struct fixture *f, struct txn *txn, uint64_t number, const char *wrapped)
{
    uint8_t name[12];

    assert_int_equal(tagbook_put(f->book, txn, name_of(number, name), bytes_text(wrapped)), RC_OK);
}

static void put_many(struct fixture *f, uint64_t from, uint64_t to, const char *wrapped)
{
    struct txn *txn;

    assert_int_equal(txn_write(f->store.db, &txn), RC_OK);
    for (uint64_t i = from; i < to; i++) {
        put(f, txn, i, wrapped);
    }
    assert_int_equal(txn_commit(txn), RC_OK);
}

static bool holds(struct fixture *f, uint64_t number, const char *wrapped)
{
    uint8_t name[12];
    struct bytes found;
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(f->store.db, &txn), RC_OK);
    return tagbook_find(f->book, txn, name_of(number, name), &found) == RC_OK &&
           bytes_are_text(found, wrapped);
}

static uint64_t rows_of(struct fixture *f, enum table table)
{
    uint64_t count;
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(f->store.db, &txn), RC_OK);
    assert_int_equal(table_count(txn, table, &count), RC_OK);
    return count;
}

static void tidy_to_the_end(struct fixture *f)
{
    assert_int_equal(tagbook_tidy(f->book, f->store.writer), RC_OK);
    for (int i = 0; i < 2000 && tagbook_tail(f->book) > 0; i++) {
        clock_sleep_ms(5);
    }
    assert_int_equal(tagbook_tail(f->book), 0);
}

static void what_was_put_is_found_and_replaced_in_its_place(void **state)
{
    struct fixture *f = *state;

    assert_false(holds(f, 1, "one"));
    put_many(f, 1, 2, "one");
    assert_true(holds(f, 1, "one"));
    assert_false(holds(f, 2, "one"));
    put_many(f, 1, 2, "another");
    assert_true(holds(f, 1, "another"));
    assert_int_equal(rows_of(f, TABLE_TAG), 1);
}

static void rows_that_are_not_listed_are_found_after_a_restart(void **state)
{
    struct fixture *f = *state;

    put_many(f, 0, 500, "old");
    forget(f);
    for (uint64_t i = 0; i < 500; i++) {
        assert_true(holds(f, i, "old"));
    }
    assert_int_equal(rows_of(f, TABLE_TAGINDEX), 0);
}

static void listing_empties_the_map_and_loses_no_row(void **state)
{
    struct fixture *f = *state;

    put_many(f, 0, 3000, "listed");
    tidy_to_the_end(f);
    assert_int_equal(rows_of(f, TABLE_TAGINDEX), 3000);
    put_many(f, 3000, 3100, "tail");
    forget(f);
    assert_true(holds(f, 0, "listed"));
    assert_int_equal(tagbook_tail(f->book), 100);
    for (uint64_t i = 0; i < 3100; i++) {
        assert_true(holds(f, i, i < 3000 ? "listed" : "tail"));
    }
    put_many(f, 7, 8, "changed");
    assert_true(holds(f, 7, "changed"));
    assert_int_equal(rows_of(f, TABLE_TAG), 3100);
}

/* A crash within a run: some rows are listed, the mark is not moved. */
static void a_listing_that_was_cut_off_is_done_again(void **state)
{
    struct fixture *f = *state;

    put_many(f, 0, 3000, "row");
    db_fail_put(f->store.db, 1500); /* in the second of its commits */
    assert_int_equal(tagbook_tidy(f->book, f->store.writer), RC_OK);
    clock_sleep_ms(200);
    db_fail_put(f->store.db, 0);
    assert_in_range(rows_of(f, TABLE_TAGINDEX), 1, 2999);
    assert_int_equal(tagbook_tail(f->book), 3000);
    forget(f);
    assert_true(holds(f, 2999, "row"));
    tidy_to_the_end(f);
    for (uint64_t i = 0; i < 3000; i++) {
        assert_true(holds(f, i, "row"));
    }
    assert_int_equal(rows_of(f, TABLE_TAGINDEX), 3000);
}

/* The map keeps the number that a failed batch gave; the next row of that number is another's. */
static void a_name_of_a_failed_batch_never_gets_anothers_row(void **state)
{
    struct fixture *f = *state;
    struct txn *txn;

    put_many(f, 1, 2, "first");
    assert_int_equal(txn_write(f->store.db, &txn), RC_OK);
    put(f, txn, 50, "came to nothing");
    txn_abort(txn);
    assert_false(holds(f, 50, "came to nothing"));
    put_many(f, 60, 61, "took the number");
    assert_false(holds(f, 50, "took the number"));
    assert_true(holds(f, 60, "took the number"));
    put_many(f, 50, 51, "now");
    assert_true(holds(f, 50, "now"));
    assert_true(holds(f, 60, "took the number"));
}

struct put_deed {
    struct deed deed; /* first */
    struct fixture *fixture;
};

static void check(struct fixture *f, struct txn *txn, uint64_t number, const char *wrapped)
{
    uint8_t name[12];
    struct bytes found;

    assert_int_equal(tagbook_find(f->book, txn, name_of(number, name), &found), RC_OK);
    assert_true(bytes_are_text(found, wrapped));
}

/* Names and rows of the caller's that do not outlive the call. */
static enum rc put_three(struct deed *deed, struct txn *txn)
{
    struct fixture *f = ((struct put_deed *)deed)->fixture;
    char wrapped[8];

    for (uint64_t i = 100; i < 103; i++) {
        snprintf(wrapped, sizeof wrapped, "new %llu", (unsigned long long)i);
        put(f, txn, i, wrapped);
        check(f, txn, i, wrapped);
    }
    snprintf(wrapped, sizeof wrapped, "changed");
    put(f, txn, 101, wrapped);
    put(f, txn, 5, wrapped); /* which an earlier batch made */
    memset(wrapped, 'x', sizeof wrapped);
    check(f, txn, 101, "changed");
    check(f, txn, 5, "changed");
    return RC_OK;
}

static void what_a_batch_adds_is_one_row_and_seen_at_once(void **state)
{
    struct fixture *f = *state;
    struct put_deed deed = {.fixture = f};

    put_many(f, 0, 10, "old");
    deed_init(&deed.deed, put_three, 0);
    assert_int_equal(deed_run(&f->store, &deed.deed), RC_OK);
    assert_int_equal(rows_of(f, TABLE_TAG), 11);
    for (int round = 0; round < 2; round++) {
        assert_true(holds(f, 4, "old"));
        assert_true(holds(f, 5, "changed"));
        assert_true(holds(f, 100, "new 100"));
        assert_true(holds(f, 101, "changed"));
        assert_true(holds(f, 102, "new 102"));
        forget(f);
    }
    put_many(f, 102, 203, "later");
    assert_int_equal(rows_of(f, TABLE_TAG), 111);
    assert_true(holds(f, 101, "changed"));
    assert_true(holds(f, 102, "later"));
    tidy_to_the_end(f);
    assert_true(holds(f, 202, "later"));
    assert_true(holds(f, 101, "changed"));
}

static void a_damaged_row_is_data_loss(void **state)
{
    struct fixture *f = *state;
    uint8_t key[8] = {0};
    uint8_t name[12];
    struct bytes found;
    struct txn *txn;

    put_many(f, 1, 2, "row");
    assert_int_equal(txn_write(f->store.db, &txn), RC_OK);
    assert_int_equal(table_put(txn, TABLE_TAG, BYTES_OF(key), bytes_text("\xff\xffshort")), RC_OK);
    assert_int_equal(tagbook_find(f->book, txn, name_of(1, name), &found), RC_DATA_LOSS);
    txn_abort(txn);
}

static void the_map_grows_lists_in_order_and_drops(void **state)
{
    OWN_PTR(tagtail) tail = tagtail_new();
    struct tagtail_row *rows = NULL;
    uint8_t identity[TAG_IDENTITY_SIZE] = {0};
    uint64_t number = 0;
    size_t count = 0;

    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        put_u64(identity, i * 2654435761u);
        assert_int_equal(tagtail_set(tail, identity, i), RC_OK);
    }
    assert_int_equal(tagtail_count(tail), 5000);
    assert_int_equal(tagtail_list(tail, 3000, &rows, &count), RC_OK);
    assert_int_equal(count, 3000);
    for (size_t i = 1; i < count; i++) {
        assert_true(memcmp(rows[i - 1].identity, rows[i].identity, TAG_IDENTITY_SIZE) < 0);
    }
    free(rows);
    tagtail_drop(tail, 3000);
    assert_int_equal(tagtail_count(tail), 2000);
    for (uint64_t i = 0; i < 5000; i++) {
        put_u64(identity, i * 2654435761u);
        assert_int_equal(tagtail_find(tail, identity, &number), i >= 3000);
        assert_true(i < 3000 || number == i);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found_and_replaced_in_its_place),
        TEST(rows_that_are_not_listed_are_found_after_a_restart),
        TEST(listing_empties_the_map_and_loses_no_row),
        TEST(a_listing_that_was_cut_off_is_done_again),
        TEST(a_name_of_a_failed_batch_never_gets_anothers_row),
        TEST(what_a_batch_adds_is_one_row_and_seen_at_once),
        TEST(a_damaged_row_is_data_loss),
        cmocka_unit_test(the_map_grows_lists_in_order_and_drops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
