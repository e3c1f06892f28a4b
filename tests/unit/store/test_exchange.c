#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/dbkey.h"
#include "store/exchange.h"
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

/* Every bound reached. */
static void fill(struct exchange *exchange)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->id.bytes[0] = 7;
    exchange->parent_id.bytes[15] = 9;
    snprintf(exchange->from, CODE_SIZE, "cdmx/mpi-cdmx");
    snprintf(exchange->to, CODE_SIZE, "cdmx/ssc");
    memset(exchange->route, 'r', CODE_SIZE - 1);
    exchange->type = MESSAGE_MEASURE_REQUEST;
    exchange->urgency = URGENCY_URGENT;
    exchange->opening_index = UINT64_MAX >> 1;
    exchange->received_at_ms = 1763900000123;
    exchange->flags = 0xf0000001;
    exchange->alarm_ms = 1763900000999;
    exchange->expires_at_ms = 1763900009999;
    exchange->opened = (struct exchange_act){1763900000000, 1763900000123, BAND_PAPER};
    exchange->clock_count = EXCHANGE_CLOCKS_MAX;
    for (unsigned i = 0; i < EXCHANGE_CLOCKS_MAX; i++) {
        struct exchange_clock *clock = &exchange->clocks[i];

        snprintf(clock->rule.id, CLOCK_ID_SIZE, "F%u", i);
        clock->rule.limit = INT64_C(9) << i % 40;
        clock->rule.unit = (enum clock_unit)(i % CLOCK_UNITS);
        clock->rule.anchor = (enum clock_anchor)(i % CLOCK_ANCHORS);
        clock->rule.stop = (enum clock_stop)(i % CLOCK_STOPS);
        clock->rule.urgency = (enum urgency)(i % 3);
        clock->item = i % (MESSAGE_ITEMS_MAX + 1);
        clock->due_ms = 1000 * (int64_t)i;
        clock->cap_ms = 7 * (int64_t)i;
        clock->told = i;
        if (i % 2 == 0) {
            clock->anchored = (struct exchange_act){1000 + i, 2000 + i, BAND_TELEPHONE};
            clock->stopped = (struct exchange_act){3000 + i, 3000 + i, BAND_NONE};
        }
    }
    exchange->item_count = MESSAGE_ITEMS_MAX;
    for (unsigned i = 0; i < MESSAGE_ITEMS_MAX; i++) {
        struct exchange_item *item = &exchange->items[i];

        item->number = i + 1;
        memset(item->code, 'c', i + 1);
        item->state = (enum state)(i % STATES);
        item->occurrences = i * 1000;
        item->changed_at_ms = 5 + (int64_t)i;
        item->index = i * 3;
        item->cadence.ends_day = CADENCE_ENDLESS;
        if (i % 3 == 0) {
            item->cadence = (struct cadence){PERIOD_WEEK, 2, 20000, 20100, i};
            item->is_suspended = i % 2 == 0;
            item->told = i + 5;
        }
        memset(item->reason, 'r', i);
        memset(item->competent, 'm', 31 - i);
    }
}

static void it_comes_back_as_it_was_put(void **state)
{
    struct exchange put;
    struct exchange got;

    (void)state;
    fill(&put);
    assert_int_equal(exchange_put(txn, "cdmx/ssc", &put), RC_OK);
    memset(&got, 0xaa, sizeof got);
    assert_int_equal(exchange_get(txn, &put.id, "cdmx/ssc", &got), RC_OK);
    assert_memory_equal(&put, &got, sizeof got);
}

static void it_is_rewritten(void **state)
{
    struct exchange exchange;

    (void)state;
    fill(&exchange);
    assert_int_equal(exchange_put(txn, "cdmx/ssc", &exchange), RC_OK);
    exchange.item_count = 1;
    exchange.items[0].state = STATE_IN_FORCE;
    assert_int_equal(exchange_put(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(exchange_get(txn, &exchange.id, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(exchange.item_count, 1);
    assert_int_equal(exchange.items[0].state, STATE_IN_FORCE);
}

static void each_holder_has_its_own(void **state)
{
    struct exchange exchange;

    (void)state;
    fill(&exchange);
    assert_int_equal(exchange_put(txn, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(exchange_get(txn, &exchange.id, "cdmx/mpi-cdmx", &exchange), RC_NOT_FOUND);
    assert_int_equal(exchange_get(txn, &exchange.id, "", &exchange), RC_INVALID_ARGUMENT);
    exchange.flags = 1;
    assert_int_equal(exchange_put(txn, "cdmx/mpi-cdmx", &exchange), RC_OK);
    assert_int_equal(exchange_get(txn, &exchange.id, "cdmx/ssc", &exchange), RC_OK);
    assert_int_equal(exchange.flags, 0xf0000001);
}

static void those_of_a_member_are_listed_in_order(void **state)
{
    struct exchange exchange;
    struct id at = {{0}};
    unsigned count = 0;

    (void)state;
    for (unsigned i = 1; i <= 9; i++) {
        fill(&exchange);
        exchange.id.bytes[0] = (uint8_t)(10 - i);
        assert_int_equal(exchange_put(txn, i % 3 == 0 ? "cdmx/pgj" : "cdmx/ssc", &exchange), RC_OK);
    }
    exchange.id.bytes[0] = 3;
    assert_int_equal(exchange_put(txn, "cdmx/ssc-2", &exchange), RC_OK);
    while (exchange_next(txn, "cdmx/ssc", &at, &exchange) == RC_OK) {
        assert_true(memcmp(exchange.id.bytes, at.bytes, ID_SIZE) > 0);
        at = exchange.id;
        count++;
    }
    assert_int_equal(count, 6);
}

static void overwrite(const struct id *id, struct bytes row)
{
    struct dbkey key;

    dbkey_clear(&key);
    dbkey_put(&key, BYTES_OF(id->bytes));
    dbkey_put(&key, bytes_text("cdmx/ssc"));
    assert_int_equal(table_put(txn, TABLE_EXCHANGE, dbkey_bytes(&key), row), RC_OK);
}

/* Where the number of clocks stands: behind texts, type, urgency, four instants, flags and an act.
 */
#define CLOCKS_AT (17 + 1 + 13 + 1 + 8 + 1 + 63 + 2 + 32 + 4 + 17)

static void damaged_rows_are_data_loss(void **state)
{
    OWN(buffer) row = {0};
    struct exchange exchange;
    struct dbkey key;
    struct bytes value;
    struct id id;
    const struct {
        size_t place;
        uint8_t value;
        const char *reason;
    } cases[] = {
        {0, 2, "unknown layout"},
        {17, 64, "a text past its array"},
        {17, 255, "a text past the row"},
        {20, 0, "a NUL inside a text"},
        {17 + 1 + 13 + 1 + 8 + 1 + 63 + 1, 3, "no such urgency"},
        {CLOCKS_AT - 17, 4, "no such way to tell"},
        {CLOCKS_AT, 81, "too many clocks"},
        {CLOCKS_AT, 7, "fewer clocks than there are"},
        {CLOCKS_AT + 1, 16, "a clock's id past its array"},
        {CLOCKS_AT + 4, 3, "no such unit"},
        {CLOCKS_AT + 5, 4, "no such anchor"},
        {CLOCKS_AT + 6, 4, "no such stop"},
        {CLOCKS_AT + 16, 33, "no such item"},
        {CLOCKS_AT + 17, 101, "more than all of it told"},
    };

    (void)state;
    fill(&exchange);
    id = exchange.id;
    assert_int_equal(exchange_put(txn, "cdmx/ssc", &exchange), RC_OK);
    dbkey_clear(&key);
    dbkey_put(&key, BYTES_OF(id.bytes));
    dbkey_put(&key, bytes_text("cdmx/ssc"));
    assert_int_equal(table_get(txn, TABLE_EXCHANGE, dbkey_bytes(&key), &value), RC_OK);
    buffer_put_bytes(&row, value);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t before = row.data[cases[i].place];

        row.data[cases[i].place] = cases[i].value;
        overwrite(&id, buffer_bytes(&row));
        if (exchange_get(txn, &id, "cdmx/ssc", &exchange) != RC_DATA_LOSS) {
            fail_msg("%s", cases[i].reason);
        }
        row.data[cases[i].place] = before;
    }
    for (size_t size = 0; size < row.size; size++) {
        overwrite(&id, BYTES(row.data, size));
        assert_int_equal(exchange_get(txn, &id, "cdmx/ssc", &exchange), RC_DATA_LOSS);
    }
    buffer_put_u8(&row, 0);
    overwrite(&id, buffer_bytes(&row));
    assert_int_equal(exchange_get(txn, &id, "cdmx/ssc", &exchange), RC_DATA_LOSS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_comes_back_as_it_was_put), TEST(it_is_rewritten),
        TEST(each_holder_has_its_own),     TEST(those_of_a_member_are_listed_in_order),
        TEST(damaged_rows_are_data_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
