/* What the arena promises: zeroed, aligned, bounded memory, and nothing of a call left for the
 * next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "unit/base/freed.h"

#define MIB ((size_t)1 << 20)

static bool is_zero(const uint8_t *memory, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (memory[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Allocates sizes of all kinds, checks each for zeros and soils it to its last byte. */
static bool is_clean_throughout(struct arena *arena, unsigned rounds)
{
    static const size_t sizes[] = {1, 0, 15, 16, 17, 100, 4000, 16 << 10, 16383, 3, 40000, 7};

    for (unsigned i = 0; i < rounds; i++) {
        size_t size = sizes[i % (sizeof sizes / sizeof sizes[0])];
        uint8_t *memory = arena_alloc(arena, size);

        if (memory == NULL || (uintptr_t)memory % alignof(max_align_t) != 0 ||
            !is_zero(memory, size)) {
            return false;
        }
        memset(memory, 0xa5, size);
    }
    return true;
}

static void memory_is_zeroed_and_aligned(void **state)
{
    OWN_PTR(arena) arena = arena_new(4 * MIB);

    (void)state;
    assert_true(is_clean_throughout(arena, 120));
}

static void pieces_do_not_overlap(void **state)
{
    OWN_PTR(arena) arena = arena_new(MIB);
    uint8_t *pieces[200];

    (void)state;
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(arena, 1 + i * 3);
        assert_non_null(pieces[i]);
        memset(pieces[i], (int)i, 1 + i * 3);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < 1 + i * 3; k++) {
            assert_int_equal(pieces[i][k], i);
        }
    }
}

static void memory_of_another_arena_comes_back_zeroed(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        OWN_PTR(arena) arena = arena_new(4 * MIB);

        assert_true(is_clean_throughout(arena, 60));
    }
}

static void memory_is_zeroed_after_a_reset(void **state)
{
    OWN_PTR(arena) arena = arena_new(4 * MIB);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_true(is_clean_throughout(arena, 60));
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
}

/* More blocks at a time than a thread keeps, and two arenas that take turns. */
static void memory_is_zeroed_when_many_blocks_come_and_go(void **state)
{
    OWN_PTR(arena) one = arena_new(8 * MIB);
    OWN_PTR(arena) two = arena_new(8 * MIB);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(is_clean_throughout(one, 400));
        assert_true(is_clean_throughout(two, 400));
        arena_reset(one);
        assert_true(is_clean_throughout(one, 400));
        arena_reset(two);
        arena_reset(one);
    }
}

static void a_reset_leaves_nothing_in_the_first_block(void **state)
{
    OWN_PTR(arena) arena = arena_new(MIB);
    uint8_t *first = arena_alloc(arena, 1000);
    uint8_t *second = arena_alloc(arena, 13);

    (void)state;
    memset(first, 0x5a, 1000);
    memset(second, 0x5a, 13);
    assert_non_null(arena_alloc(arena, 100000));
    arena_reset(arena);
    assert_true(is_zero(first, 1000));
    assert_true(is_zero(second, 13));
    assert_ptr_equal(arena_alloc(arena, 1), first); /* the block was kept */
}

/* A block of its own size is given back to the system at once: it must be wiped before. */
static void a_large_piece_is_wiped_before_it_is_freed(void **state)
{
    struct arena *arena = arena_new(MIB);
    uint8_t *large;

    (void)state;
    for (int is_end = 0; is_end < 2; is_end++) {
        large = arena_alloc(arena, 100000);
        memset(large, 0x5a, 100000);
        freed_watch(large, 100000);
        if (is_end) {
            arena_free(arena);
        } else {
            arena_reset(arena);
        }
        assert_true(freed.is_freed && freed.is_wiped);
    }
}

static void past_the_maximum_there_is_nothing(void **state)
{
    OWN_PTR(arena) arena = arena_new(4096);
    size_t got = 0;

    (void)state;
    assert_null(arena_alloc(arena, 4097));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 7));
    assert_int_equal(arena_used(arena), 0);
    while (arena_alloc(arena, 64) != NULL) {
        got += 64;
    }
    assert_int_equal(got, 4096);
    assert_int_equal(arena_used(arena), 4096);
    assert_null(arena_alloc(arena, 1));
    assert_null(arena_alloc(arena, 0));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 4096));
    assert_null(arena_alloc(arena, 1));
}

static void the_maximum_holds_for_small_pieces_and_no_pieces(void **state)
{
    OWN_PTR(arena) arena = arena_new(1000);
    OWN_PTR(arena) none = arena_new(0);
    size_t pieces = 0;

    (void)state;
    while (arena_alloc(arena, 1) != NULL) {
        pieces++;
        assert_true(pieces <= 1000);
    }
    assert_true(arena_used(arena) <= 1000);
    assert_null(arena_alloc(none, 0));
    assert_null(arena_alloc(none, 1));
}

static void a_text_ends_with_a_zero(void **state)
{
    OWN_PTR(arena) arena = arena_new(128);
    char *text = arena_text(arena, BYTES("abcdef", 3));

    (void)state;
    assert_string_equal(text, "abc");
    assert_string_equal(arena_text(arena, BYTES(NULL, 0)), "");
    assert_null(arena_text(arena, BYTES(text, 128)));
}

static void a_copy_is_apart_from_what_was_copied(void **state)
{
    OWN_PTR(arena) arena = arena_new(64);
    uint8_t data[] = {1, 2, 3};
    struct bytes copy = arena_copy(arena, BYTES_OF(data));

    (void)state;
    data[0] = 9;
    assert_int_equal(copy.size, 3);
    assert_int_equal(copy.data[0], 1);
    copy = arena_copy(arena, BYTES(NULL, 0));
    assert_non_null(copy.data);
    assert_int_equal(copy.size, 0);
    copy = arena_copy(arena, BYTES(data, 64));
    assert_null(copy.data);
    assert_int_equal(copy.size, 0);
}

/* Returns its argument when all memory was clean. */
static void *use_arenas(void *argument)
{
    OWN_PTR(arena) kept = arena_new(4 * MIB);
    bool is_clean = is_clean_throughout(kept, 60);

    for (int i = 0; i < 5; i++) {
        OWN_PTR(arena) arena = arena_new(4 * MIB);

        is_clean = is_clean_throughout(arena, 60) && is_clean;
    }
    arena_reset(kept);
    return is_clean_throughout(kept, 60) && is_clean ? argument : NULL;
}

static void *free_an_arena(void *arena)
{
    arena_free(arena);
    return NULL;
}

/* An owner hands its arena to another thread, which ends it. */
static void threads_come_and_go(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct arena *given = arena_new(4 * MIB);
        pthread_t thread;
        void *same = NULL;

        assert_true(is_clean_throughout(given, 60));
        assert_int_equal(pthread_create(&thread, NULL, free_an_arena, given), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(pthread_create(&thread, NULL, use_arenas, &same), 0);
        assert_int_equal(pthread_join(thread, &same), 0);
        assert_ptr_equal(same, &same);
    }
}

static void freeing_nothing_does_nothing(void **state)
{
    (void)state;
    arena_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(pieces_do_not_overlap),
        cmocka_unit_test(memory_of_another_arena_comes_back_zeroed),
        cmocka_unit_test(memory_is_zeroed_after_a_reset),
        cmocka_unit_test(memory_is_zeroed_when_many_blocks_come_and_go),
        cmocka_unit_test(a_reset_leaves_nothing_in_the_first_block),
        cmocka_unit_test(a_large_piece_is_wiped_before_it_is_freed),
        cmocka_unit_test(past_the_maximum_there_is_nothing),
        cmocka_unit_test(the_maximum_holds_for_small_pieces_and_no_pieces),
        cmocka_unit_test(a_text_ends_with_a_zero),
        cmocka_unit_test(a_copy_is_apart_from_what_was_copied),
        cmocka_unit_test(threads_come_and_go),
        cmocka_unit_test(freeing_nothing_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
