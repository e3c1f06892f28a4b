#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/dbkey.h"
#include "store/willbook.h"
#include "unit/store/logstore.h"

static struct logstore store;
static struct txn *txn;
static const uint8_t ana[TAGKEY_SIZE] = {1};
static const uint8_t eva[TAGKEY_SIZE] = {2};

#define MEMBER "cdmx/mpi-cdmx"

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

static struct will sample(void)
{
    return (struct will){.consent = WILL_IMPEDED,
                         .reference = "ACTA-7",
                         .official = "enlace-01",
                         .since_ms = 1763900000000,
                         .ratify_by_ms = 1763990000000,
                         .impeded_by = {{9}},
                         .excluded = {"cdmx/ssc", "cdmx/pgj/official/enlace-01"},
                         .excluded_count = 2,
                         .standing = {"enlace-01"},
                         .standing_count = 1};
}

static void a_will_is_found_by_the_subjects_key_and_by_nothing_else(void **state)
{
    struct will put = sample();
    struct will got;
    bool is_any = true;

    (void)state;
    assert_int_equal(willbook_any(txn, MEMBER, &is_any), RC_OK);
    assert_false(is_any);
    assert_int_equal(willbook_put(txn, MEMBER, ana, &put), RC_OK);
    assert_int_equal(willbook_get(txn, MEMBER, ana, &got), RC_OK);
    assert_int_equal(got.consent, WILL_IMPEDED);
    assert_string_equal(got.reference, "ACTA-7");
    assert_int_equal(got.ratify_by_ms, put.ratify_by_ms);
    assert_int_equal(got.excluded_count, 2);
    assert_string_equal(got.excluded[1], "cdmx/pgj/official/enlace-01");
    assert_string_equal(got.standing[0], "enlace-01");
    assert_int_equal(willbook_get(txn, MEMBER, eva, &got), RC_NOT_FOUND);
    assert_int_equal(willbook_get(txn, "cdmx/ssc", ana, &got), RC_NOT_FOUND);
    assert_int_equal(willbook_any(txn, MEMBER, &is_any), RC_OK);
    assert_true(is_any);
    assert_int_equal(willbook_any(txn, "cdmx/ssc", &is_any), RC_OK);
    assert_false(is_any);
}

static void stored_row(struct dbkey *key, uint8_t copy[512], size_t *size)
{
    struct row row;

    dbkey_u64(key, 0);
    assert_int_equal(table_from(txn, TABLE_WILL, dbkey_bytes(key), &row), RC_OK);
    dbkey_clear(key);
    dbkey_put(key, row.key);
    *size = row.value.size;
    assert_true(*size <= 512);
    memcpy(copy, row.value.data, *size);
}

static void nothing_of_it_stands_on_disk_in_clear(void **state)
{
    struct will put = sample();
    struct dbkey key;
    uint8_t copy[512];
    size_t size;

    (void)state;
    assert_int_equal(willbook_put(txn, MEMBER, ana, &put), RC_OK);
    stored_row(&key, copy, &size);
    assert_null(memmem(copy, size, "cdmx", 4));
    assert_null(memmem(copy, size, "enlace", 6));
    assert_null(memmem(key.data, key.size, ana, 8));
}

/* Who asks gets no answer, and goes no further. */
static void each_flipped_byte_is_no_will_at_all(void **state)
{
    struct will put = sample();
    struct will got;
    struct dbkey key;
    uint8_t copy[512];
    size_t size;

    (void)state;
    assert_int_equal(willbook_put(txn, MEMBER, ana, &put), RC_OK);
    stored_row(&key, copy, &size);
    for (size_t i = 0; i < size; i++) {
        copy[i] ^= 1;
        assert_int_equal(table_put(txn, TABLE_WILL, dbkey_bytes(&key), BYTES(copy, size)), RC_OK);
        assert_int_equal(willbook_get(txn, MEMBER, ana, &got), RC_DATA_LOSS);
        copy[i] ^= 1;
    }
    for (size_t cut = 0; cut < size; cut += 7) {
        assert_int_equal(table_put(txn, TABLE_WILL, dbkey_bytes(&key), BYTES(copy, cut)), RC_OK);
        assert_int_equal(willbook_get(txn, MEMBER, ana, &got), RC_DATA_LOSS);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_will_is_found_by_the_subjects_key_and_by_nothing_else),
        TEST(nothing_of_it_stands_on_disk_in_clear),
        TEST(each_flipped_byte_is_no_will_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
