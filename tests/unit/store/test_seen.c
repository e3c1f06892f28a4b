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

static enum rc put(const char *origin, uint64_t size, uint8_t root)
{
    struct checkpoint checkpoint = checkpoint_of(origin, size, root);
    char note[32];

    snprintf(note, sizeof note, "note %llu", (unsigned long long)size);
    return seen_put(seen, &checkpoint, bytes_text(note));
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
    assert_int_equal(put("gw.a", 5, 1), RC_OK);
    assert_int_equal(put("gw.b", 3, 2), RC_OK);
    assert_int_equal(put("gw.a", 9, 3), RC_OK);
    expect("gw.a", 9, 3);
    expect("gw.b", 3, 2);
}

static void it_only_ever_grows(void **state)
{
    (void)state;
    assert_int_equal(put("gw.a", 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 5, 1), RC_OK);
    assert_int_equal(put("gw.a", 4, 1), RC_FAILED_PRECONDITION);
    assert_int_equal(put("gw.a", 5, 2), RC_DATA_LOSS);
    expect("gw.a", 5, 1);
    assert_int_equal(put("gw.a", 6, 2), RC_OK);
    expect("gw.a", 6, 2);
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
        if (open_seen() == RC_OK && put("gw.a", 5, 1) == RC_OK && put("gw.a", 8, 4) == RC_OK) {
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(open_seen(), RC_OK);
    expect("gw.a", 8, 4);
}

static void a_note_past_its_bound_is_refused(void **state)
{
    struct checkpoint checkpoint = checkpoint_of("gw.a", 1, 1);
    static char note[CHECKPOINT_SIZE_MAX + 1];

    (void)state;
    assert_int_equal(seen_put(seen, &checkpoint, BYTES_OF(note)), RC_INVALID_ARGUMENT);
    assert_int_equal(seen_put(seen, &checkpoint, BYTES(note, sizeof note - 1)), RC_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_checkpoint_of_each_log_is_kept),
        TEST(it_only_ever_grows),
        TEST(what_was_seen_survives_a_kill),
        TEST(a_note_past_its_bound_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
