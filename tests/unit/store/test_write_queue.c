#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "store/write_queue.h"
#include "store/writer.h"

#define WRITES 64

struct fixture {
    struct write_queue *queue;
    struct write writes[WRITES];
    size_t put;
};

static const struct write_bounds most = {.count = 1000, .bytes = 1 << 20};
static const struct write_bounds batch = {.count = 512, .leaves = 1024, .bytes = 1 << 20};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.queue = write_queue_new(&most)};
    *state = &fixture;
    return fixture.queue != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    write_queue_free(f->queue);
    return 0;
}

static void put(struct fixture *f, size_t count, bool is_urgent)
{
    while (count-- > 0) {
        struct write *write = &f->writes[f->put++ % WRITES];

        *write = (struct write){.leaves = 1, .bytes = 1, .is_urgent = is_urgent};
        assert_int_equal(write_queue_put(f->queue, write), RC_OK);
    }
}

/* How many, and how long that took. */
static size_t take(struct fixture *f, int64_t *took_us)
{
    int64_t began_us = clock_monotonic_us();
    bool is_closed;
    size_t count = 0;
    struct inbox_item *item = write_queue_take(f->queue, &batch, 1000, &is_closed);

    *took_us = clock_monotonic_us() - began_us;
    for (; item != NULL; item = item->next) {
        count++;
    }
    return count;
}

/* The shortest of many: a busy machine makes any single one long. */
static int64_t shortest(struct fixture *f, size_t before, size_t count, bool is_urgent)
{
    int64_t least_us = INT64_MAX;

    for (int i = 0; i < 30; i++) {
        int64_t took_us;

        put(f, before, false);
        assert_int_equal(take(f, &took_us), before);
        put(f, count, is_urgent);
        assert_int_equal(take(f, &took_us), count);
        least_us = took_us < least_us ? took_us : least_us;
    }
    return least_us;
}

static void few_do_not_wait_for_more(void **state)
{
    assert_in_range(shortest(*state, GATHER_LEAST - 1, 1, false), 0, GATHER_SLICE_US / 2);
}

static void after_many_a_batch_gathers_until_no_more_come(void **state)
{
    assert_in_range(shortest(*state, GATHER_LEAST, 1, false), GATHER_SLICE_US, GATHER_MOST_US);
}

static void an_urgent_one_ends_the_gathering(void **state)
{
    assert_in_range(shortest(*state, GATHER_LEAST, 1, true), 0, GATHER_SLICE_US / 2);
}

static void a_full_batch_does_not_gather(void **state)
{
    struct fixture *f = *state;
    const struct write_bounds small = {.count = GATHER_LEAST, .leaves = 1024, .bytes = 1 << 20};
    int64_t least_us = INT64_MAX;
    bool is_closed;

    for (int i = 0; i < 30; i++) {
        int64_t began_us;

        put(f, 2 * GATHER_LEAST, false);
        assert_non_null(write_queue_take(f->queue, &small, 1000, &is_closed));
        began_us = clock_monotonic_us();
        assert_non_null(write_queue_take(f->queue, &small, 1000, &is_closed));
        began_us = clock_monotonic_us() - began_us;
        least_us = began_us < least_us ? began_us : least_us;
    }
    assert_in_range(least_us, 0, GATHER_SLICE_US / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(few_do_not_wait_for_more),
        TEST(after_many_a_batch_gathers_until_no_more_come),
        TEST(an_urgent_one_ends_the_gathering),
        TEST(a_full_batch_does_not_gather),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
