/* backlog: what waits is counted for each destination, bounded, and found again at the next start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/backlog.h"
#include "store/outbox.h"
#include "unit/store/logstore.h"

#define SSC "node:cdmx/ssc"

static struct logstore store;

static int make(void **state)
{
    (void)state;
    logstore_make(&store);
    logstore_open(&store);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    logstore_remove(&store);
    return 0;
}

static struct backlog *backlog_of(uint64_t max)
{
    struct backlog *backlog = NULL;

    assert_int_equal(backlog_new(store.db, max, &backlog), RC_OK);
    assert_non_null(backlog);
    return backlog;
}

static enum rc ask(struct backlog *backlog, const char *destination, enum urgency urgency)
{
    return backlog_check(backlog, destination, urgency, NULL);
}

/* How many more of one urgency would be let in; at most `most`. Leaves the count as it was. */
static unsigned room(struct backlog *backlog, const char *destination, enum urgency urgency,
                     unsigned most)
{
    unsigned n = 0;

    while (n < most && ask(backlog, destination, urgency) == RC_OK) {
        backlog_count(backlog, destination, 1);
        n++;
    }
    for (unsigned i = 0; i < n; i++) {
        backlog_count(backlog, destination, -1);
    }
    return n;
}

static void a_destination_is_refused_at_the_maximum(void **state)
{
    OWN_PTR(backlog) backlog = backlog_of(20);
    struct fault fault = {0};

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(backlog_check(backlog, SSC, URGENCY_ORDINARY, &fault), RC_OK);
        backlog_count(backlog, SSC, 1);
    }
    assert_int_equal(fault.rc, RC_OK);
    assert_int_equal(backlog_check(backlog, SSC, URGENCY_ORDINARY, &fault), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(fault.rc, RC_RESOURCE_EXHAUSTED);
    assert_string_equal(fault.reason, "outbox.full");
    assert_string_equal(fault.path, "header.to");
    assert_int_not_equal(fault.remedy[0], '\0');
    backlog_count(backlog, SSC, -1);
    assert_int_equal(ask(backlog, SSC, URGENCY_ORDINARY), RC_OK);
}

static void urgent_messages_have_a_reserve_of_a_tenth(void **state)
{
    OWN_PTR(backlog) backlog = backlog_of(20);
    OWN_PTR(backlog) small = backlog_of(1);

    (void)state;
    for (int i = 0; i < 20; i++) {
        backlog_count(backlog, SSC, 1);
    }
    assert_int_equal(room(backlog, SSC, URGENCY_ORDINARY, 100), 0);
    assert_int_equal(room(backlog, SSC, URGENCY_URGENT, 100), 3); /* never none: a tenth and one */
    assert_int_equal(room(small, SSC, URGENCY_ORDINARY, 100), 1);
    assert_int_equal(room(small, SSC, URGENCY_URGENT, 100), 2);
}

static void one_full_destination_hinders_no_other(void **state)
{
    OWN_PTR(backlog) backlog = backlog_of(2);

    (void)state;
    backlog_count(backlog, SSC, 1);
    backlog_count(backlog, SSC, 1);
    assert_int_equal(ask(backlog, SSC, URGENCY_ORDINARY), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(ask(backlog, "node:cdmx/ss", URGENCY_ORDINARY), RC_OK);
    assert_int_equal(ask(backlog, "node:cdmx/sscx", URGENCY_ORDINARY), RC_OK);
    assert_int_equal(ask(backlog, "system:cdmx/ssc/uno", URGENCY_ORDINARY), RC_OK);
}

/* A debt that is paid twice, or was never counted, must not open room for millions. */
static void a_count_does_not_fall_below_zero(void **state)
{
    OWN_PTR(backlog) backlog = backlog_of(2);

    (void)state;
    backlog_count(backlog, SSC, -1);
    assert_int_equal(room(backlog, SSC, URGENCY_ORDINARY, 100), 2);
    backlog_count(backlog, SSC, 1);
    backlog_count(backlog, SSC, -1);
    backlog_count(backlog, SSC, -1);
    assert_int_equal(room(backlog, SSC, URGENCY_ORDINARY, 100), 2);
    backlog_count(backlog, SSC, 1);
    assert_int_equal(room(backlog, SSC, URGENCY_ORDINARY, 100), 1);
}

static enum rc owe(struct deed *deed, struct txn *txn)
{
    struct outbox_entry entry = {0};

    (void)deed;
    for (uint64_t i = 0; i < 600; i++) {
        entry.index = i;
        if (i < 300) {
            TRY(outbox_add(txn, "node:a", i % 3 == 0 ? URGENCY_URGENT : URGENCY_ORDINARY, &entry));
        }
        if (i < 256) { /* as many as are read at a time, and one more */
            TRY(outbox_add(txn, "node:b", URGENCY_ORDINARY, &entry));
        }
        if (i < 257) {
            TRY(outbox_add(txn, "node:c", URGENCY_URGENT, &entry));
        }
        TRY(outbox_add(txn, "node:d", URGENCY_ORDINARY, &entry));
    }
    return outbox_settle(txn, "node:d", URGENCY_ORDINARY, 77);
}

static void at_the_start_it_counts_what_the_outbox_holds(void **state)
{
    static const struct {
        const char *destination;
        unsigned waiting;
    } table[] = {
        {"node:a", 300}, {"node:b", 256}, {"node:c", 257}, {"node:d", 599}, {"node:e", 0},
    };

    (void)state;
    assert_int_equal(run(&store, owe, 0), RC_OK);
    for (int is_reopened = 0; is_reopened < 2; is_reopened++) {
        OWN_PTR(backlog) backlog = backlog_of(1000);

        for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
            assert_int_equal(room(backlog, table[i].destination, URGENCY_ORDINARY, 2000),
                             1000 - table[i].waiting);
        }
        logstore_close(&store);
        logstore_open(&store);
    }
}

static void a_full_outbox_is_full_after_a_restart_too(void **state)
{
    (void)state;
    assert_int_equal(run(&store, owe, 0), RC_OK);
    {
        OWN_PTR(backlog) backlog = backlog_of(257);

        assert_int_equal(ask(backlog, "node:b", URGENCY_ORDINARY), RC_OK);
        assert_int_equal(ask(backlog, "node:c", URGENCY_ORDINARY), RC_RESOURCE_EXHAUSTED);
        assert_int_equal(ask(backlog, "node:c", URGENCY_URGENT), RC_OK);
        /* The maximum was lowered since: what waits goes out, nothing more comes in. */
        assert_int_equal(ask(backlog, "node:d", URGENCY_URGENT), RC_RESOURCE_EXHAUSTED);
    }
}

static void freeing_nothing_does_nothing(void **state)
{
    (void)state;
    backlog_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define with_store(test) cmocka_unit_test_setup_teardown(test, make, clean)
        with_store(a_destination_is_refused_at_the_maximum),
        with_store(urgent_messages_have_a_reserve_of_a_tenth),
        with_store(one_full_destination_hinders_no_other),
        with_store(a_count_does_not_fall_below_zero),
        with_store(at_the_start_it_counts_what_the_outbox_holds),
        with_store(a_full_outbox_is_full_after_a_restart_too),
        cmocka_unit_test(freeing_nothing_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
