/* What the worker promises: order, a bound, and that nothing it took is left undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/worker.h"

#define CHORES 64

struct note {
    struct chore chore; /* first */
    atomic_int *clock;
    int ran_at;
    pthread_t thread;
};

static void write_down(struct chore *chore)
{
    struct note *note = (struct note *)chore;

    note->thread = pthread_self();
    note->ran_at = atomic_fetch_add(note->clock, 1) + 1;
}

struct gate {
    struct chore chore; /* first */
    atomic_bool is_inside;
    atomic_bool is_open;
};

static void wait_at_gate(struct chore *chore)
{
    struct gate *gate = (struct gate *)chore;

    atomic_store(&gate->is_inside, true);
    while (!atomic_load(&gate->is_open)) {
        clock_sleep_ms(1);
    }
}

static void close_gate(struct worker *worker, struct gate *gate)
{
    gate->chore.run = wait_at_gate;
    assert_int_equal(worker_put(worker, &gate->chore), RC_OK);
    while (!atomic_load(&gate->is_inside)) {
        clock_sleep_ms(1);
    }
}

static void note_init(struct note *note, atomic_int *clock)
{
    *note = (struct note){.chore.run = write_down, .clock = clock};
}

static void what_was_put_is_done_in_order_before_the_worker_is_gone(void **state)
{
    struct worker *worker = worker_new("chores", CHORES);
    struct note notes[CHORES];
    atomic_int clock = 0;

    (void)state;
    assert_non_null(worker);
    for (int i = 0; i < CHORES; i++) {
        note_init(&notes[i], &clock);
        assert_int_equal(worker_put(worker, &notes[i].chore), RC_OK);
    }
    worker_free(worker);
    for (int i = 0; i < CHORES; i++) {
        assert_int_equal(notes[i].ran_at, i + 1);
        assert_false(pthread_equal(notes[i].thread, pthread_self()));
    }
}

static void too_many_chores_are_refused_and_stay_the_callers(void **state)
{
    struct worker *worker = worker_new("chores", 2);
    struct note notes[3];
    atomic_int clock = 0;
    struct gate gate = {0};

    (void)state;
    close_gate(worker, &gate);
    for (int i = 0; i < 3; i++) {
        note_init(&notes[i], &clock);
    }
    assert_int_equal(worker_put(worker, &notes[0].chore), RC_OK);
    assert_int_equal(worker_put(worker, &notes[1].chore), RC_OK);
    assert_int_equal(worker_put(worker, &notes[2].chore), RC_RESOURCE_EXHAUSTED);
    atomic_store(&gate.is_open, true);
    worker_free(worker);
    assert_int_equal(notes[0].ran_at, 1);
    assert_int_equal(notes[1].ran_at, 2);
    assert_int_equal(notes[2].ran_at, 0);
}

struct again {
    struct chore chore; /* first */
    struct worker *worker;
    atomic_int runs;
    enum rc rc;
};

static void run_again(struct chore *chore)
{
    struct again *again = (struct again *)chore;

    if (atomic_fetch_add(&again->runs, 1) < 9) {
        again->rc = worker_put(again->worker, chore);
    }
}

static void a_chore_may_put_itself_again(void **state)
{
    struct worker *worker = worker_new("chores", 1);
    struct again again = {.chore.run = run_again, .worker = worker};

    (void)state;
    assert_int_equal(worker_put(worker, &again.chore), RC_OK);
    while (atomic_load(&again.runs) < 10) {
        clock_sleep_ms(1);
    }
    worker_free(worker);
    assert_int_equal(again.rc, RC_OK);
    assert_int_equal(atomic_load(&again.runs), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_done_in_order_before_the_worker_is_gone),
        cmocka_unit_test(too_many_chores_are_refused_and_stay_the_callers),
        cmocka_unit_test(a_chore_may_put_itself_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
