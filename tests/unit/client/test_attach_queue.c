#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "client/attach_queue.h"

static const uint8_t none[HASH_SIZE] = {0};

static struct id id_of(uint8_t number)
{
    return (struct id){{[15] = number}};
}

static void put(struct attach_queue *queue, uint8_t number)
{
    struct id id = id_of(number);

    assert_int_equal(attach_queue_submit(queue, &id, none, BYTES(&number, 1)), RC_OK);
}

static uint8_t next(struct attach_queue *queue)
{
    OWN(buffer) bytes = {0};

    assert_true(attach_queue_next(queue, &bytes));
    return bytes.data[0];
}

static bool answer(struct attach_queue *queue, uint8_t number)
{
    struct id id = id_of(number);
    uint8_t commitment[HASH_SIZE];

    return attach_queue_answered(queue, &id, commitment);
}

static void unanswered_messages_go_out_again_in_order(void **state)
{
    OWN_PTR(attach_queue) queue = attach_queue_new(16, 16);

    (void)state;
    for (uint8_t i = 1; i <= 4; i++) {
        put(queue, i);
    }
    attach_queue_open(queue);
    assert_int_equal(next(queue), 1);
    assert_int_equal(next(queue), 2);
    assert_int_equal(next(queue), 3);
    assert_true(answer(queue, 2));
    assert_false(answer(queue, 2)); /* once */
    assert_false(answer(queue, 4)); /* not sent yet */
    attach_queue_break(queue);
    attach_queue_open(queue);
    assert_int_equal(next(queue), 1);
    assert_int_equal(next(queue), 3);
    assert_int_equal(next(queue), 4);
    assert_true(answer(queue, 1) && answer(queue, 3) && answer(queue, 4));
    assert_true(attach_queue_is_idle(queue));
}

static void both_windows_hold(void **state)
{
    OWN_PTR(attach_queue) queue = attach_queue_new(3, 2);
    struct id id = id_of(4);

    (void)state;
    attach_queue_open(queue);
    for (uint8_t i = 1; i <= 3; i++) {
        put(queue, i);
    }
    assert_int_equal(attach_queue_submit(queue, &id, none, BYTES_OF(none)), RC_RESOURCE_EXHAUSTED);
    assert_int_equal(next(queue), 1);
    assert_int_equal(next(queue), 2);
    assert_true(answer(queue, 2)); /* out of order is fine; it makes room for the third */
    assert_int_equal(next(queue), 3);
    assert_int_equal(attach_queue_unanswered(queue), 2);
}

static void acknowledgements_go_first_and_end_with_the_stream(void **state)
{
    OWN_PTR(attach_queue) queue = attach_queue_new(16, 16);
    struct id id = id_of(9);
    uint8_t number = 9;

    (void)state;
    /* No stream: forgotten, because it is delivered again. */
    assert_int_equal(attach_queue_acknowledge(queue, &id, BYTES(&number, 1)), RC_OK);
    attach_queue_open(queue);
    put(queue, 1);
    assert_int_equal(attach_queue_acknowledge(queue, &id, BYTES(&number, 1)), RC_OK);
    assert_int_equal(next(queue), 9);
    assert_int_equal(next(queue), 1);
    assert_true(answer(queue, 1));
    assert_false(attach_queue_is_idle(queue)); /* not settled */
    attach_queue_settled(queue);
    assert_true(attach_queue_is_idle(queue));
    assert_int_equal(attach_queue_acknowledge(queue, &id, BYTES(&number, 1)), RC_OK);
    attach_queue_break(queue);
    attach_queue_open(queue);
    put(queue, 2);
    assert_int_equal(next(queue), 2); /* the acknowledgement was forgotten */
}

enum { MANY = 2000 };

static void *send_all(void *argument)
{
    struct attach_queue *queue = argument;
    OWN(buffer) bytes = {0};
    uintptr_t sent = 0;

    while (attach_queue_next(queue, &bytes)) {
        sent++;
    }
    return (void *)sent;
}

static void breaking_off_wakes_the_sender(void **state)
{
    OWN_PTR(attach_queue) queue = attach_queue_new(MANY, MANY);
    pthread_t sender;
    void *sent = NULL;

    (void)state;
    attach_queue_open(queue);
    assert_int_equal(pthread_create(&sender, NULL, send_all, queue), 0);
    for (int i = 0; i < MANY; i++) {
        struct id id = {{0}};

        put_u32(id.bytes + 12, (uint32_t)i + 1);
        assert_int_equal(attach_queue_submit(queue, &id, none, BYTES_OF(none)), RC_OK);
    }
    attach_queue_break(queue);
    pthread_join(sender, &sent);
    assert_true((uintptr_t)sent <= MANY);
    assert_int_equal(attach_queue_unanswered(queue), MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unanswered_messages_go_out_again_in_order),
        cmocka_unit_test(both_windows_hold),
        cmocka_unit_test(acknowledgements_go_first_and_end_with_the_stream),
        cmocka_unit_test(breaking_off_wakes_the_sender),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
