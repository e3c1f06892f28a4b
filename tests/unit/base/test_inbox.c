/* What the inbox promises: first in first out, a bound, an end, and nothing lost between threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/inbox.h"

#define PUTTERS 4
#define EACH 5000

struct parcel {
    struct inbox_item item; /* first */
    int putter;
    int number;
};

static void put(struct inbox *inbox, struct parcel *parcel, int number)
{
    parcel->number = number;
    assert_int_equal(inbox_put(inbox, &parcel->item), RC_OK);
}

static int number_of(const struct inbox_item *item)
{
    return ((const struct parcel *)item)->number;
}

static void a_batch_is_in_order_and_no_larger_than_asked(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(10);
    struct parcel parcels[5];
    struct inbox_item *item;
    bool is_closed = true;

    (void)state;
    for (int i = 0; i < 5; i++) {
        put(inbox, &parcels[i], i);
    }
    assert_int_equal(inbox_waiting(inbox), 5);
    item = inbox_take(inbox, 2, -1, &is_closed);
    assert_false(is_closed);
    assert_int_equal(number_of(item), 0);
    assert_int_equal(number_of(item->next), 1);
    assert_null(item->next->next);
    assert_int_equal(inbox_waiting(inbox), 3);
    item = inbox_take(inbox, 100, -1, &is_closed);
    assert_int_equal(number_of(item), 2);
    assert_int_equal(number_of(item->next->next), 4);
    assert_null(item->next->next->next);
    assert_int_equal(inbox_waiting(inbox), 0);
    put(inbox, &parcels[0], 7); /* an item can be put again once it was taken */
    item = inbox_take(inbox, 1, -1, &is_closed);
    assert_int_equal(number_of(item), 7);
    assert_null(item->next);
}

static void a_full_inbox_refuses_until_something_is_taken(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(2);
    struct parcel parcels[3];
    bool is_closed;

    (void)state;
    put(inbox, &parcels[0], 0);
    put(inbox, &parcels[1], 1);
    assert_int_equal(inbox_put(inbox, &parcels[2].item), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(inbox_waiting(inbox), 2);
    assert_ptr_equal(inbox_take(inbox, 1, 0, &is_closed), &parcels[0].item);
    put(inbox, &parcels[2], 2);
    assert_ptr_equal(inbox_take(inbox, 1, 0, &is_closed), &parcels[1].item);
    assert_ptr_equal(inbox_take(inbox, 1, 0, &is_closed), &parcels[2].item);
}

static void a_closed_inbox_gives_what_waits_and_takes_nothing(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(2);
    struct parcel parcels[2];
    bool is_closed = true;

    (void)state;
    put(inbox, &parcels[0], 0);
    inbox_close(inbox);
    assert_int_equal(inbox_put(inbox, &parcels[1].item), RC_UNAVAILABLE);
    assert_ptr_equal(inbox_take(inbox, 9, -1, &is_closed), &parcels[0].item);
    assert_false(is_closed);
    assert_null(inbox_take(inbox, 9, -1, &is_closed));
    assert_true(is_closed);
    inbox_close(inbox);
    assert_null(inbox_take(inbox, 9, 0, &is_closed));
    assert_true(is_closed);
}

static void closed_is_said_before_full(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(1);
    struct parcel parcels[2];

    (void)state;
    put(inbox, &parcels[0], 0);
    inbox_close(inbox);
    assert_int_equal(inbox_put(inbox, &parcels[1].item), RC_UNAVAILABLE);
}

static void waiting_ends_in_time(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(2);
    int64_t begin = clock_monotonic_ms();
    bool is_closed = true;

    (void)state;
    assert_null(inbox_take(inbox, 9, 0, &is_closed));
    assert_false(is_closed);
    assert_null(inbox_take(inbox, 9, 30, &is_closed));
    assert_false(is_closed);
    assert_in_range(clock_monotonic_ms() - begin, 29, 5000);
}

static void *close_later(void *inbox)
{
    clock_sleep_ms(20);
    inbox_close(inbox);
    return NULL;
}

static struct parcel late;

static void *put_later(void *inbox)
{
    clock_sleep_ms(20);
    return inbox_put(inbox, &late.item) == RC_OK ? inbox : NULL;
}

static void a_sleeper_is_woken_by_an_item_and_by_the_end(void **state)
{
    OWN_PTR(inbox) inbox = inbox_new(2);
    pthread_t thread;
    bool is_closed = true;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, put_later, inbox), 0);
    assert_ptr_equal(inbox_take(inbox, 9, -1, &is_closed), &late.item);
    assert_false(is_closed);
    pthread_join(thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, close_later, inbox), 0);
    assert_null(inbox_take(inbox, 9, -1, &is_closed));
    assert_true(is_closed);
    pthread_join(thread, NULL);
}

struct putter {
    struct inbox *inbox;
    struct parcel parcels[EACH];
    int number;
    int refused;
    pthread_t thread;
};

static void *put_all(void *argument)
{
    struct putter *putter = argument;

    for (int i = 0; i < EACH; i++) {
        enum rc rc;

        putter->parcels[i].putter = putter->number;
        putter->parcels[i].number = i;
        rc = inbox_put(putter->inbox, &putter->parcels[i].item);
        while (rc == RC_RESOURCE_EXHAUSTED) {
            putter->refused++;
            sched_yield();
            rc = inbox_put(putter->inbox, &putter->parcels[i].item);
        }
        if (rc != RC_OK) {
            return putter;
        }
    }
    return NULL;
}

/* A batch never holds more than the inbox may, and each putter's parcels come in its order. */
static int take_batch(struct inbox *inbox, int next[PUTTERS])
{
    bool is_closed;
    const struct inbox_item *item = inbox_take(inbox, 50, 10000, &is_closed);
    int taken = 0;

    assert_non_null(item);
    for (; item != NULL; item = item->next) {
        const struct parcel *parcel = (const struct parcel *)item;

        assert_int_equal(parcel->number, next[parcel->putter]);
        next[parcel->putter]++;
        taken++;
    }
    assert_in_range(taken, 1, 50);
    return taken;
}

static void putters_keep_their_order_and_nothing_is_lost(void **state)
{
    static struct putter putters[PUTTERS];
    OWN_PTR(inbox) inbox = inbox_new(64);
    int next[PUTTERS] = {0};
    int taken = 0;
    bool is_closed;

    (void)state;
    for (int i = 0; i < PUTTERS; i++) {
        putters[i].inbox = inbox;
        putters[i].number = i;
        assert_int_equal(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]), 0);
    }
    while (taken < PUTTERS * EACH) {
        assert_true(inbox_waiting(inbox) <= 64);
        taken += take_batch(inbox, next);
    }
    for (int i = 0; i < PUTTERS; i++) {
        void *wrong;

        pthread_join(putters[i].thread, &wrong);
        assert_null(wrong);
        assert_int_equal(next[i], EACH);
    }
    assert_null(inbox_take(inbox, 1, 0, &is_closed));
}

static void freeing_nothing_does_nothing(void **state)
{
    (void)state;
    inbox_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_in_order_and_no_larger_than_asked),
        cmocka_unit_test(a_full_inbox_refuses_until_something_is_taken),
        cmocka_unit_test(a_closed_inbox_gives_what_waits_and_takes_nothing),
        cmocka_unit_test(closed_is_said_before_full),
        cmocka_unit_test(waiting_ends_in_time),
        cmocka_unit_test(a_sleeper_is_woken_by_an_item_and_by_the_end),
        cmocka_unit_test(putters_keep_their_order_and_nothing_is_lost),
        cmocka_unit_test(freeing_nothing_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
