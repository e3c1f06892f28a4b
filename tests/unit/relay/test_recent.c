#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/recent.h"

static uint8_t bytes[1000];

static struct message message_of(size_t size)
{
    struct message message = {.bytes = BYTES(bytes, size)};

    message.header.from = "cdmx/mpi-cdmx";
    message.header.to = "cdmx/ssc";
    return message;
}

static struct recent *keep(atomic_size_t *room, size_t size)
{
    const uint8_t commitment[HASH_SIZE] = {7};
    struct message message = message_of(size);

    return recent_new(room, &message, commitment);
}

static void put(struct recents *recents, atomic_size_t *room, uint64_t index)
{
    const struct leaf leaf = {.class = LEAF_RECORD, .index = index};
    struct recent *recent = keep(room, 100 + (size_t)index);

    assert_non_null(recent);
    recent_put(recents, recent, &leaf);
}

static void what_was_put_is_found_in_the_logs_order(void **state)
{
    atomic_size_t room = RECENT_BYTES_MAX;
    struct recents recents = {0};

    (void)state;
    put(&recents, &room, 3);
    put(&recents, &room, 5);
    assert_non_null(recent_find(&recents, 3));
    put(&recents, &room, 8);
    for (uint64_t index = 3; index <= 8; index++) {
        struct recent *recent = recent_find(&recents, index);

        if (index != 3 && index != 5 && index != 8) {
            assert_null(recent); /* read back from the store */
            continue;
        }
        assert_int_equal(recent->index, index);
        assert_int_equal(recent->size, 100 + index);
        assert_memory_equal(recent->message, bytes, recent->size);
        assert_string_equal(recent->owed.from, "cdmx/mpi-cdmx");
        assert_int_equal(recent->owed.commitment[0], 7);
        recent_take(&recents);
        recent_free(recent);
    }
    assert_int_equal(atomic_load(&room), RECENT_BYTES_MAX);
}

/* A stream that begins anew asks for what is older than all that is kept. */
static void asking_for_what_is_gone_loses_nothing(void **state)
{
    atomic_size_t room = RECENT_BYTES_MAX;
    struct recents recents = {0};

    (void)state;
    put(&recents, &room, 10);
    assert_null(recent_find(&recents, 2));
    assert_non_null(recent_find(&recents, 10));
    assert_null(recent_find(&recents, 11)); /* and what was passed is let go */
    assert_int_equal(atomic_load(&room), RECENT_BYTES_MAX);
}

static void memory_is_bounded_and_comes_back(void **state)
{
    atomic_size_t room = 3 * (sizeof(struct recent) + sizeof bytes);
    struct recents recents = {0};
    size_t before = atomic_load(&room);
    const struct leaf leaf = {.class = LEAF_RECORD};
    struct recent *one = keep(&room, sizeof bytes);
    struct recent *two = keep(&room, sizeof bytes);
    struct recent *three = keep(&room, sizeof bytes);

    (void)state;
    assert_true(one != NULL && two != NULL && three != NULL);
    assert_null(keep(&room, 1));
    recent_free(two);
    two = keep(&room, sizeof bytes);
    assert_non_null(two);
    recent_put(&recents, one, &leaf);
    recent_put(&recents, two, &leaf);
    recent_free(three);
    recent_clear(&recents);
    assert_int_equal(atomic_load(&room), before);
    assert_null(keep(&room, 0)); /* composed here: there are no bytes to keep */
    recent_free(NULL);
}

/* The store may have erased it meanwhile. */
static void what_is_too_old_is_not_used(void **state)
{
    atomic_size_t room = RECENT_BYTES_MAX;
    struct recents recents = {0};

    (void)state;
    put(&recents, &room, 1);
    assert_non_null(recent_find(&recents, 1));
    recents.first->kept_ms -= RECENT_AGE_MS + 1000;
    assert_null(recent_find(&recents, 1));
    assert_int_equal(atomic_load(&room), RECENT_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_in_the_logs_order),
        cmocka_unit_test(asking_for_what_is_gone_loses_nothing),
        cmocka_unit_test(memory_is_bounded_and_comes_back),
        cmocka_unit_test(what_is_too_old_is_not_used),
    };

    memset(bytes, 0x5a, sizeof bytes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
