#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/seen.h"
#include "unit/store/logstore.h"

static char path[64];
static struct seen *seen;
static struct seen_point last; /* what the last put was told */

static enum rc open_seen(void)
{
    struct seen_options options = {
        .path = path, .origin = ORIGIN, .map_size = 16 << 20, .floor_bytes = 1 << 20};

    return seen_open(&options, &seen);
}

static int make(void **state)
{
    (void)state;
    temporary_path(path);
    return open_seen() == RC_OK ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    seen_free(seen);
    remove_path(path);
    return 0;
}

static struct checkpoint checkpoint_of(const char *origin, uint64_t size, uint8_t root)
{
    struct checkpoint checkpoint = {.size = size, .root = {root}};

    snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", origin);
    return checkpoint;
}

/* Proven against the point (from, from_root). */
static enum rc put(const char *origin, uint64_t from, uint8_t from_root, uint64_t size,
                   uint8_t root)
{
    struct checkpoint checkpoint = checkpoint_of(origin, size, root);
    struct seen_write write = {.checkpoint = &checkpoint,
                               .proven = {.size = from, .root = {from_root}}};
    char note[32];
    enum rc rc;

    snprintf(note, sizeof note, "note %llu", (unsigned long long)size);
    write.note = bytes_text(note);
    rc = seen_put(seen, &write);
    last = write.last;
    return rc;
}

static void expect(const char *origin, uint64_t size, uint8_t root)
{
    OWN(buffer) note = {0};
    struct checkpoint got;
    char text[32];

    assert_int_equal(seen_get(seen, origin, &got, &note), RC_OK);
    assert_string_equal(got.origin, origin);
    assert_int_equal(got.size, size);
    assert_int_equal(got.root[0], root);
    snprintf(text, sizeof text, "note %llu", (unsigned long long)size);
    assert_true(bytes_are_text(buffer_bytes(&note), text));
}

static void the_last_checkpoint_of_each_log_is_kept(void **state)
{
    struct checkpoint got;

    (void)state;
    assert_int_equal(seen_get(seen, "gw.a", &got, NULL), RC_NOT_FOUND);
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.b", 0, 0, 3, 2), RC_OK);
    assert_int_equal(put("gw.a", 5, 1, 9, 3), RC_OK);
    expect("gw.a", 9, 3);
    expect("gw.b", 3, 2);
}

static void it_only_ever_grows(void **state)
{
    (void)state;
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 5, 1, 4, 9), RC_OK); /* an earlier one of the same line */
    expect("gw.a", 5, 1);
    assert_int_equal(put("gw.a", 5, 1, 6, 2), RC_OK);
    expect("gw.a", 6, 2);
}

static void two_roots_for_one_size_are_a_fork(void **state)
{
    (void)state;
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 0, 0, 5, 2), RC_DATA_LOSS);
    assert_int_equal(put("gw.a", 5, 1, 8, 3), RC_OK);
    assert_int_equal(put("gw.a", 8, 3, 5, 2), RC_DATA_LOSS); /* not the newest, and known */
    expect("gw.a", 8, 3);
}

/* Two streams, each with a history of its own from the same start. */
static void what_is_not_proven_against_the_line_is_not_taken(void **state)
{
    (void)state;
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 0, 0, 3, 2), RC_ABORTED);
    assert_int_equal(last.size, 5);
    assert_int_equal(last.root[0], 1);
    assert_int_equal(put("gw.a", 3, 2, 9, 4), RC_ABORTED);
    assert_int_equal(put("gw.a", 5, 2, 9, 4), RC_ABORTED); /* another root at that size */
    expect("gw.a", 5, 1);
    assert_int_equal(put("gw.a", 5, 1, 3, 2), RC_OK);
    assert_int_equal(put("gw.a", 3, 2, 9, 4), RC_ABORTED); /* of the line, but not its newest */
    assert_int_equal(put("gw.a", 3, 2, 4, 4), RC_ABORTED);
    assert_int_equal(put("gw.a", 5, 1, 9, 4), RC_OK);
    assert_int_equal(put("gw.a", 9, 4, 7, 7), RC_OK);
    assert_int_equal(put("gw.a", 7, 7, 6, 6), RC_OK); /* smaller than a point of the line */
    expect("gw.a", 9, 4);
}

static void the_line_is_kept_in_bounded_memory(void **state)
{
    (void)state;
    assert_int_equal(put("gw.a", 0, 0, 1, 1), RC_OK);
    for (uint64_t i = 1; i < 600; i++) {
        assert_int_equal(put("gw.a", i, (uint8_t)i, i + 1, (uint8_t)(i + 1)), RC_OK);
    }
    assert_int_equal(put("gw.a", 0, 0, 590, (uint8_t)590), RC_OK);
    assert_int_equal(put("gw.a", 0, 0, 10, 10), RC_ABORTED); /* forgotten: to be proven again */
    assert_int_equal(put("gw.a", 600, (uint8_t)600, 10, 10), RC_OK);
    expect("gw.a", 600, (uint8_t)600);
}

static void leaves_may_name_the_newest_note(void **state)
{
    struct bytes note = bytes_text("note 8");
    uint8_t expected[DIGEST_SIZE];
    uint8_t zeros[DIGEST_SIZE] = {0};
    uint8_t got[DIGEST_SIZE];

    (void)state;
    assert_false(seen_digest(seen, "gw.a", got));
    assert_memory_equal(got, zeros, DIGEST_SIZE);
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 5, 1, 8, 2), RC_OK);
    assert_int_equal(put("gw.a", 8, 2, 6, 2), RC_OK);
    digest_of(&note, 1, expected);
    assert_true(seen_digest(seen, "gw.a", got));
    assert_memory_equal(got, expected, DIGEST_SIZE);
    assert_false(seen_digest(seen, "gw.b", got));
    seen_free(seen);
    seen = NULL;
    assert_int_equal(open_seen(), RC_OK);
    assert_true(seen_digest(seen, "gw.a", got));
    assert_memory_equal(got, expected, DIGEST_SIZE);
    assert_int_equal(put("gw.a", 0, 0, 8, 3), RC_DATA_LOSS);
}

static void what_was_seen_survives_a_kill(void **state)
{
    int status;
    pid_t child;

    (void)state;
    seen_free(seen);
    seen = NULL;
    child = fork();
    if (child == 0) {
        if (open_seen() == RC_OK && put("gw.a", 0, 0, 5, 1) == RC_OK &&
            put("gw.a", 5, 1, 8, 4) == RC_OK) {
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(open_seen(), RC_OK);
    expect("gw.a", 8, 4);
}

static void what_is_kept_beside_the_lines_outlives_the_process(void **state)
{
    OWN(buffer) text = {0};

    (void)state;
    assert_int_equal(seen_kept(seen, "succession/cdmx/ssc", &text), RC_NOT_FOUND);
    assert_int_equal(seen_keep(seen, "succession/cdmx/ssc", bytes_text("first")), RC_OK);
    assert_int_equal(seen_keep(seen, "succession/cdmx/ssc", bytes_text("second")), RC_OK);
    assert_int_equal(seen_keep(seen, "format", bytes_text("x")), RC_INVALID_ARGUMENT);
    seen_free(seen);
    seen = NULL;
    assert_int_equal(open_seen(), RC_OK);
    assert_int_equal(seen_kept(seen, "succession/cdmx/ssc", &text), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&text), "second"));
}

/* As a note is: its first line says whose it is. */
static void put_note(const char *origin)
{
    struct checkpoint checkpoint = checkpoint_of(origin, 5, 1);
    char note[64];
    struct seen_write write = {.checkpoint = &checkpoint};

    snprintf(note, sizeof note, "%s\n5\n", origin);
    write.note = bytes_text(note);
    assert_int_equal(seen_put(seen, &write), RC_OK);
}

static void another_log_of_the_same_institution_is_found(void **state)
{
    char origin[VKEY_NAME_MAX + 1];

    (void)state;
    put_note("gw.ssc/audit/2026");
    put_note("gw.pgj/audit/2026");
    assert_int_equal(seen_other_origin(seen, "gw.ssc/audit/", "gw.ssc/audit/2026", origin),
                     RC_NOT_FOUND);
    assert_int_equal(seen_other_origin(seen, "gw.ssc/audit/", "gw.ssc/audit/2026-2", origin),
                     RC_OK);
    assert_string_equal(origin, "gw.ssc/audit/2026");
}

/* One that was overtaken in this very run is cosigned, one that was overtaken long ago is not. */
static void what_was_overtaken_long_ago_is_not_cosigned(void **state)
{
    struct checkpoint checkpoint = checkpoint_of("gw.a", 6, 3);
    struct seen_write write = {.checkpoint = &checkpoint,
                               .note = bytes_text("note 6"),
                               .proven = {.size = 8, .root = {4}},
                               .is_to_cosign = true};
    struct seen_point point;

    (void)state;
    assert_int_equal(put("gw.a", 0, 0, 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 5, 1, 8, 4), RC_OK);
    assert_true(seen_point(seen, "gw.a", 5, &point));
    assert_int_equal(point.root[0], 1);
    assert_false(seen_point(seen, "gw.a", 6, &point));
    assert_false(seen_point(seen, "gw.b", 5, &point));
    assert_int_equal(seen_put(seen, &write), RC_OK);
    seen_free(seen);
    seen = NULL;
    assert_int_equal(open_seen(), RC_OK);
    assert_int_equal(seen_put(seen, &write), RC_ABORTED);
    assert_int_equal(write.last.size, 8);
    write.is_to_cosign = false;
    assert_int_equal(seen_put(seen, &write), RC_OK); /* streams may still use it */
    write.is_to_cosign = true;
    assert_int_equal(seen_put(seen, &write), RC_ABORTED); /* known by now, and still overtaken */
    checkpoint = checkpoint_of("gw.a", 8, 4);
    assert_int_equal(seen_put(seen, &write), RC_OK);
}

static void a_note_past_its_bound_is_refused(void **state)
{
    struct checkpoint checkpoint = checkpoint_of("gw.a", 1, 1);
    static char note[CHECKPOINT_SIZE_MAX + 1];
    struct seen_write write = {.checkpoint = &checkpoint, .note = BYTES_OF(note)};

    (void)state;
    assert_int_equal(seen_put(seen, &write), RC_INVALID_ARGUMENT);
    write.note.size--;
    assert_int_equal(seen_put(seen, &write), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_checkpoint_of_each_log_is_kept),
        TEST(it_only_ever_grows),
        TEST(two_roots_for_one_size_are_a_fork),
        TEST(what_is_not_proven_against_the_line_is_not_taken),
        TEST(the_line_is_kept_in_bounded_memory),
        TEST(leaves_may_name_the_newest_note),
        TEST(what_was_seen_survives_a_kill),
        TEST(what_was_overtaken_long_ago_is_not_cosigned),
        TEST(what_is_kept_beside_the_lines_outlives_the_process),
        TEST(another_log_of_the_same_institution_is_found),
        TEST(a_note_past_its_bound_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
