#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/digest.h"
#include "store/db.h"
#include "store/orderbook.h"
#include "store/table.h"
#include "unit/store/vault_fixture.h"

struct fixture {
    struct places places;
    struct vault *vault;
    struct db *db;
    struct txn *txn;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct db_options options = {.kind = DB_LOG,
                                 .origin = "gw.test/audit",
                                 .epoch = 1,
                                 .map_size = (uint64_t)64 << 20,
                                 .floor_bytes = 1};

    assert_non_null(f);
    f->places = places_make();
    options.path = f->places.log;
    assert_int_equal(db_open(&options, &f->db), RC_OK);
    f->vault = vault_at(&f->places);
    assert_int_equal(txn_write(f->db, &f->txn), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    txn_abort(f->txn);
    db_free(f->db);
    vault_free(f->vault);
    tree_remove(f->places.folder);
    free(f);
    return 0;
}

static struct order_row sample(uint8_t number)
{
    struct order_row row = {.kind = ORDER_ERASE,
                            .phase = ORDER_BLOCKING,
                            .member = "cdmx/ssc",
                            .basis = "LGPDPPSO-18",
                            .reason = "prueba",
                            .actor = "spiffe://enlace.cdmx/member/ssc/official/enlace-01",
                            .shard = "cdmx.ssc/B/202611.1",
                            .given_at_ms = 1000,
                            .due_at_ms = 2000,
                            .until = 77,
                            .cursor = 5,
                            .entries = 3,
                            .held = 1,
                            .target = bytes_text("target"),
                            .signatures = bytes_text("signatures")};

    memset(row.id.bytes, number, sizeof row.id.bytes);
    memset(row.digest, 9, sizeof row.digest);
    return row;
}

static void a_row_is_found_as_it_was_put_open_or_over(void **state)
{
    struct fixture *f = *state;
    struct order_row row = sample(1);
    struct order_row found;
    struct id before = {{0}};

    assert_int_equal(orderbook_get(f->txn, &row.id, &found), RC_NOT_FOUND);
    assert_int_equal(orderbook_put(f->txn, &row), RC_OK);
    assert_int_equal(orderbook_get(f->txn, &row.id, &found), RC_OK);
    assert_string_equal(found.member, row.member);
    assert_string_equal(found.shard, row.shard);
    assert_string_equal(found.official, "");
    assert_int_equal(found.until, 77);
    assert_int_equal(found.held, 1);
    assert_true(bytes_are_text(found.target, "target"));
    assert_true(bytes_are_text(found.signatures, "signatures"));
    assert_int_equal(orderbook_next(f->txn, false, &before, &found), RC_OK);
    assert_int_equal(orderbook_next(f->txn, true, &before, &found), RC_NOT_FOUND);

    /* What it borrows may lie in the database itself. */
    assert_int_equal(orderbook_get(f->txn, &row.id, &found), RC_OK);
    found.phase = ORDER_ERASED;
    assert_int_equal(orderbook_put(f->txn, &found), RC_OK);
    assert_int_equal(orderbook_next(f->txn, false, &before, &found), RC_NOT_FOUND);
    assert_int_equal(orderbook_next(f->txn, true, &before, &found), RC_OK);
    assert_int_equal(found.phase, ORDER_ERASED);
    assert_true(bytes_are_text(found.target, "target"));
    assert_int_equal(orderbook_next(f->txn, true, &row.id, &found), RC_NOT_FOUND);
}

static void what_an_order_remembers_is_its_own(void **state)
{
    struct fixture *f = *state;
    struct order_row one = sample(1);
    struct order_row two = sample(2);
    char shard[VAULT_NAME_SIZE];
    uint64_t index = 0;
    struct bytes keys;

    assert_int_equal(orderbook_touch(f->txn, &one.id, bytes_text("cdmx.ssc/R2/202811.1")), RC_OK);
    assert_int_equal(orderbook_touch(f->txn, &one.id, bytes_text("cdmx.ssc/R5/203111.1")), RC_OK);
    assert_int_equal(orderbook_touch(f->txn, &one.id, bytes_text("cdmx.ssc/R2/202811.1")), RC_OK);
    assert_int_equal(orderbook_touched(f->txn, &one.id, "", shard), RC_OK);
    assert_string_equal(shard, "cdmx.ssc/R2/202811.1");
    assert_int_equal(orderbook_touched(f->txn, &one.id, shard, shard), RC_OK);
    assert_string_equal(shard, "cdmx.ssc/R5/203111.1");
    assert_int_equal(orderbook_touched(f->txn, &one.id, shard, shard), RC_NOT_FOUND);
    assert_int_equal(orderbook_touched(f->txn, &two.id, "", shard), RC_NOT_FOUND);

    assert_int_equal(orderbook_keep(f->txn, &one.id, 300, bytes_text("keys")), RC_OK);
    assert_int_equal(orderbook_kept(f->txn, &two.id, 0, &index, &keys), RC_NOT_FOUND);
    assert_int_equal(orderbook_kept(f->txn, &one.id, 0, &index, &keys), RC_OK);
    assert_int_equal(index, 300);
    assert_true(bytes_are_text(keys, "keys"));
    assert_int_equal(orderbook_kept(f->txn, &one.id, 301, &index, &keys), RC_NOT_FOUND);
    assert_int_equal(orderbook_drop(f->txn, &one.id, 300), RC_OK);
    assert_int_equal(orderbook_kept(f->txn, &one.id, 0, &index, &keys), RC_NOT_FOUND);
}

static void a_target_opens_with_its_shard_for_its_order_and_for_nobody_else(void **state)
{
    struct fixture *f = *state;
    struct order_target target = {.part = 257, .subject_count = 2, .attachment_count = 1};
    struct order_target found;
    struct order_row row = sample(1);
    struct order_row other = sample(2);
    const struct shard *blocked = NULL;
    const struct shard *made = NULL;
    struct vault *view = NULL;
    OWN(buffer) wrapped = {0};

    memset(&target.subjects[0], 7, ID_SIZE);
    memset(&target.subjects[1], 6, ID_SIZE);
    memset(&target.attachments[0], 8, ID_SIZE);
    assert_int_equal(vault_escrow(f->vault, "cdmx/ssc", 202611, &made), RC_OK);
    assert_int_equal(vault_with_blocked(f->vault, bytes_text(shard_name(made)), &view, &blocked),
                     RC_OK);
    assert_int_equal(order_target_wrap(view, blocked, &row.id, &target, &wrapped), RC_OK);
    assert_int_equal(order_target_open(view, &row.id, buffer_bytes(&wrapped), &found), RC_OK);
    assert_memory_equal(&found, &target, sizeof found);
    assert_null(memmem(wrapped.data, wrapped.size, target.subjects, ID_SIZE));

    assert_int_equal(order_target_open(view, &other.id, buffer_bytes(&wrapped), &found),
                     RC_DATA_LOSS);
    assert_int_equal(order_target_open(f->vault, &row.id, buffer_bytes(&wrapped), &found),
                     RC_NOT_FOUND);
    for (size_t i = 0; i < wrapped.size; i++) {
        wrapped.data[i] ^= 1;
        assert_int_not_equal(order_target_open(view, &row.id, buffer_bytes(&wrapped), &found),
                             RC_OK);
        wrapped.data[i] ^= 1;
    }
    vault_free(view);
}

static void a_damaged_row_is_said_to_be(void **state)
{
    struct fixture *f = *state;
    struct order_row row = sample(1);
    uint8_t key[1 + ID_SIZE] = {0};
    struct bytes stored;
    struct order_row found;
    OWN(buffer) copy = {0};

    memcpy(key + 1, row.id.bytes, ID_SIZE);
    assert_int_equal(orderbook_put(f->txn, &row), RC_OK);
    assert_int_equal(table_get(f->txn, TABLE_ORDER, BYTES_OF(key), &stored), RC_OK);
    buffer_put_bytes(&copy, stored);
    for (size_t size = 0; size < copy.size; size++) {
        assert_int_equal(table_put(f->txn, TABLE_ORDER, BYTES_OF(key), BYTES(copy.data, size)),
                         RC_OK);
        assert_int_equal(orderbook_get(f->txn, &row.id, &found), RC_DATA_LOSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_found_as_it_was_put_open_or_over, setup, teardown),
        cmocka_unit_test_setup_teardown(what_an_order_remembers_is_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_target_opens_with_its_shard_for_its_order_and_for_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_row_is_said_to_be, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
