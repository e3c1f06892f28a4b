#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/outbox.h"
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

static void owe(const char *destination, enum urgency urgency, uint64_t index)
{
    struct outbox_entry entry = {.index = index, .due_ms = 1000 + (int64_t)index};

    assert_int_equal(outbox_add(txn, destination, urgency, &entry), RC_OK);
}

static void debts_come_in_the_order_of_the_log(void **state)
{
    struct outbox_entry entries[4];
    size_t count;
    uint64_t expected = 0;
    uint64_t after = OUTBOX_START;

    (void)state;
    for (uint64_t i = 10; i-- > 0;) {
        owe("node:cdmx/ssc", URGENCY_ORDINARY, i * 300);
        owe("node:cdmx/ssc", URGENCY_URGENT, i * 300 + 1);
        owe("node:cdmx/ss", URGENCY_ORDINARY, i);
        owe("node:cdmx/sscx", URGENCY_ORDINARY, i);
    }
    do {
        assert_int_equal(
            outbox_scan(txn, "node:cdmx/ssc", URGENCY_ORDINARY, after, entries, 4, &count), RC_OK);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(entries[i].index, expected * 300);
            assert_int_equal(entries[i].due_ms, 1000 + (int64_t)entries[i].index);
            expected++;
        }
        after = count > 0 ? entries[count - 1].index : after;
    } while (count == 4);
    assert_int_equal(expected, 10);
    assert_int_equal(outbox_scan(txn, "node:cdmx/ssc", URGENCY_ORDINARY, 2700, entries, 4, &count),
                     RC_OK);
    assert_int_equal(count, 0);
    assert_int_equal(
        outbox_scan(txn, "node:cdmx/sscx", URGENCY_URGENT, OUTBOX_START, entries, 4, &count),
        RC_OK);
    assert_int_equal(count, 0);
}

static void a_debt_is_paid_once(void **state)
{
    struct outbox_entry entry;

    (void)state;
    owe("member:cdmx/ssc", URGENCY_URGENT, 5);
    assert_int_equal(outbox_find(txn, "member:cdmx/ssc", URGENCY_URGENT, 5, &entry), RC_OK);
    assert_int_equal(outbox_settle(txn, "member:cdmx/ssc", URGENCY_ORDINARY, 5), RC_NOT_FOUND);
    assert_int_equal(outbox_settle(txn, "member:cdmx/ssc", URGENCY_URGENT, 5), RC_OK);
    assert_int_equal(outbox_settle(txn, "member:cdmx/ssc", URGENCY_URGENT, 5), RC_NOT_FOUND);
    assert_int_equal(outbox_find(txn, "member:cdmx/ssc", URGENCY_URGENT, 5, &entry), RC_NOT_FOUND);
}

static void the_same_debt_twice_is_refused(void **state)
{
    struct outbox_entry entry = {.index = 5, .due_ms = 9};

    (void)state;
    owe("node:cdmx/ssc", URGENCY_URGENT, 5);
    assert_int_equal(outbox_add(txn, "node:cdmx/ssc", URGENCY_URGENT, &entry), RC_ALREADY_EXISTS);
    assert_int_equal(outbox_find(txn, "node:cdmx/ssc", URGENCY_URGENT, 5, &entry), RC_OK);
    assert_int_equal(entry.due_ms, 1005);
}

static void an_attempt_is_remembered(void **state)
{
    struct outbox_entry entry = {.index = 5, .due_ms = 99, .attempts = 3, .flags = 0x80000001};

    (void)state;
    assert_int_equal(outbox_update(txn, "node:cdmx/ssc", URGENCY_URGENT, &entry), RC_NOT_FOUND);
    owe("node:cdmx/ssc", URGENCY_URGENT, 5);
    assert_int_equal(outbox_update(txn, "node:cdmx/ssc", URGENCY_URGENT, &entry), RC_OK);
    memset(&entry, 0, sizeof entry);
    assert_int_equal(outbox_find(txn, "node:cdmx/ssc", URGENCY_URGENT, 5, &entry), RC_OK);
    assert_int_equal(entry.index, 5);
    assert_int_equal(entry.due_ms, 99);
    assert_int_equal(entry.attempts, 3);
    assert_int_equal(entry.flags, 0x80000001);
}

static void destinations_with_debts_are_listed_once_each(void **state)
{
    static const char *const names[] = {"member:cdmx/ssc", "node:cdmx/pgj", "node:cdmx/pgj-2",
                                        "node:cdmx/ssc", "system:cdmx/ssc/adapter"};
    char at[OUTBOX_DESTINATION_MAX + 1] = "";

    (void)state;
    assert_int_equal(outbox_next_destination(txn, at, at), RC_NOT_FOUND);
    for (size_t i = 0; i < 5; i++) {
        owe(names[i], URGENCY_ORDINARY, 1);
        owe(names[i], URGENCY_ORDINARY, UINT64_MAX >> 2);
        owe(names[i], URGENCY_URGENT, 2);
    }
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(outbox_next_destination(txn, at, at), RC_OK);
        assert_string_equal(at, names[i]);
    }
    assert_int_equal(outbox_next_destination(txn, at, at), RC_NOT_FOUND);
}

static void destinations_are_bounded(void **state)
{
    char name[OUTBOX_DESTINATION_MAX + 2];
    struct outbox_entry entry = {.index = 1};

    (void)state;
    memset(name, 'd', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(outbox_add(txn, name, URGENCY_URGENT, &entry), RC_INVALID_ARGUMENT);
    assert_int_equal(outbox_add(txn, "", URGENCY_URGENT, &entry), RC_INVALID_ARGUMENT);
    assert_int_equal(outbox_next_destination(txn, name, name), RC_INVALID_ARGUMENT);
    name[OUTBOX_DESTINATION_MAX] = '\0';
    assert_int_equal(outbox_add(txn, name, URGENCY_URGENT, &entry), RC_OK);
    assert_int_equal(outbox_next_destination(txn, "", name), RC_OK);
    assert_int_equal(strlen(name), OUTBOX_DESTINATION_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(debts_come_in_the_order_of_the_log),
        TEST(a_debt_is_paid_once),
        TEST(the_same_debt_twice_is_refused),
        TEST(an_attempt_is_remembered),
        TEST(destinations_with_debts_are_listed_once_each),
        TEST(destinations_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
