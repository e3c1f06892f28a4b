#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/anchor.h"
#include "unit/store/logstore.h"

static struct logstore store;
static char folder[64];
static char path[96];

static int make(void **state)
{
    (void)state;
    temporary_path(folder);
    snprintf(path, sizeof path, "%s/anchor", folder);
    logstore_make(&store);
    logstore_open(&store);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    logstore_remove(&store);
    remove_path(folder);
    return 0;
}

struct waiting {
    struct anchor_write write; /* first */
    atomic_bool is_done;
};

static void on_done(struct anchor_write *write)
{
    atomic_store(&((struct waiting *)write)->is_done, true);
}

static void anchor_now(struct anchor *anchor)
{
    struct commit_point *point = writer_latest(store.writer);
    struct waiting waiting = {.write = {.point = point, .done = on_done}};

    assert_int_equal(anchor_submit(anchor, &waiting.write), RC_OK);
    while (!atomic_load(&waiting.is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(point);
}

static uint64_t anchored(struct anchor *anchor)
{
    struct commit_point *point = anchor_latest(anchor);
    uint64_t size = commit_point_size(point);

    commit_point_release(point);
    return size;
}

/* That of the second epoch, which stands beside it. */
static void remove_next(void)
{
    char next[sizeof path + 2];

    snprintf(next, sizeof next, "%s.2", path);
    unlink(next);
}

/* Opens it over the store as it is now. */
static enum rc check(void)
{
    OWN_PTR(anchor) anchor = NULL;

    TRY(anchor_open(path, 1, ORIGIN, &anchor));
    return anchor_check(anchor, store.writer);
}

static void it_remembers_what_was_anchored(void **state)
{
    struct anchor *anchor;

    (void)state;
    assert_int_equal(anchor_open(path, 1, ORIGIN, &anchor), RC_OK);
    assert_int_equal(anchor_check(anchor, store.writer), RC_OK);
    for (uint64_t size = 0; size < 40; size += 8) {
        assert_int_equal(anchored(anchor), size);
        grow(&store, size, 8);
        anchor_now(anchor);
        assert_int_equal(anchored(anchor), size + 8);
    }
    anchor_free(anchor);
    assert_int_equal(check(), RC_OK);
    grow(&store, 40, 3); /* the log may be ahead: the anchor follows */
    assert_int_equal(check(), RC_OK);
}

/* The log of another history, of `size` leaves, in place of the anchored one. */
static void replace_log(unsigned size)
{
    logstore_remove(&store);
    logstore_make(&store);
    logstore_open(&store);
    if (size > 0) {
        grow(&store, 1000, size);
    }
}

static void an_older_log_is_refused(void **state)
{
    (void)state;
    grow(&store, 0, 20);
    assert_int_equal(check(), RC_OK);
    replace_log(0);
    assert_int_equal(check(), RC_FAILED_PRECONDITION);
}

static void another_log_is_refused_whatever_its_size(void **state)
{
    (void)state;
    grow(&store, 0, 20);
    assert_int_equal(check(), RC_OK);
    replace_log(20);
    assert_int_equal(check(), RC_FAILED_PRECONDITION);
    grow(&store, 1020, 20);
    assert_int_equal(check(), RC_FAILED_PRECONDITION);
}

static void spoil(off_t at)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void a_write_that_was_cut_leaves_the_one_before(void **state)
{
    (void)state;
    grow(&store, 0, 20);
    assert_int_equal(check(), RC_OK); /* sequence 1, the second slot */
    grow(&store, 20, 5);
    assert_int_equal(check(), RC_OK); /* sequence 2, the first slot */
    for (off_t at = 0; at < 120; at++) {
        struct anchor *anchor;

        spoil(at);
        assert_int_equal(anchor_open(path, 1, ORIGIN, &anchor), RC_OK);
        anchor_free(anchor);
        spoil(at);
    }
    spoil(0);
    replace_log(0);
    assert_int_equal(check(), RC_FAILED_PRECONDITION); /* the other slot says 20 */
}

static void two_damaged_slots_are_no_anchor(void **state)
{
    (void)state;
    grow(&store, 0, 20);
    assert_int_equal(check(), RC_OK);
    spoil(4096 + 30);
    assert_int_equal(check(), RC_DATA_LOSS);
}

static void it_belongs_to_one_log(void **state)
{
    OWN_PTR(anchor) anchor = NULL;

    (void)state;
    grow(&store, 0, 1);
    assert_int_equal(check(), RC_OK);
    assert_int_equal(anchor_open(path, 1, "gw.other/audit/2026", &anchor), RC_FAILED_PRECONDITION);
}

static void a_second_writer_finds_it_taken(void **state)
{
    OWN_PTR(anchor) first = NULL;
    OWN_PTR(anchor) second = NULL;

    (void)state;
    assert_int_equal(anchor_open(path, 1, ORIGIN, &first), RC_OK);
    assert_int_equal(anchor_open(path, 1, ORIGIN, &second), RC_FAILED_PRECONDITION);
    anchor_free(MOVE(first));
    assert_int_equal(anchor_open(path, 1, ORIGIN, &second), RC_OK);
}

#define FILE_SIZE (4096 + 120)

static void copy_file(uint8_t bytes[FILE_SIZE], bool is_written)
{
    int fd = open(path, O_RDWR);

    assert_true(fd >= 0);
    assert_int_equal(is_written ? pwrite(fd, bytes, FILE_SIZE, 0) : pread(fd, bytes, FILE_SIZE, 0),
                     FILE_SIZE);
    close(fd);
}

/* Exit status of a child that opens the anchor, and writes it after somebody put `other` there. */
static int overtaken(uint8_t other[FILE_SIZE])
{
    struct anchor *anchor;
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (anchor_open(path, 1, ORIGIN, &anchor) != RC_OK) {
            _exit(2);
        }
        copy_file(other, true);
        _exit(anchor_check(anchor, store.writer) == RC_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void a_writer_that_the_lock_did_not_reach_is_found_before_the_next_write(void **state)
{
    uint8_t before[FILE_SIZE];
    uint8_t now[FILE_SIZE];

    (void)state;
    grow(&store, 0, 5);
    assert_int_equal(check(), RC_OK);
    copy_file(before, false);
    grow(&store, 5, 5);
    assert_int_equal(check(), RC_OK);
    copy_file(now, false);
    grow(&store, 10, 5);
    assert_int_equal(overtaken(before), DB_EXIT_STATUS);
    copy_file(now, true);
    assert_int_equal(overtaken(now), 0); /* nobody was there */
}

static void an_epoch_that_another_one_followed_is_over(void **state)
{
    OWN_PTR(anchor) next = NULL;
    OWN_PTR(anchor) first = NULL;

    (void)state;
    grow(&store, 0, 20);
    assert_int_equal(check(), RC_OK);
    assert_int_equal(anchor_open(path, 2, "gw.cdmx/audit/2026-2", &next), RC_OK);
    assert_true(anchor_size_before(next) == 20);
    assert_int_equal(anchor_open(path, 1, ORIGIN, &first), RC_FAILED_PRECONDITION);
    anchor_free(MOVE(next));
    assert_int_equal(anchor_open(path, 1, ORIGIN, &first), RC_FAILED_PRECONDITION);
    remove_next();
}

/* Exit status of a child that is shown a checkpoint of ours. */
static int shown(uint64_t size, const uint8_t *root, uint64_t ours)
{
    struct checkpoint checkpoint = {.size = size};
    int status;
    pid_t child = fork();

    if (child == 0) {
        memcpy(checkpoint.root, root, DIGEST_SIZE);
        _exit(anchor_hold_to(store.db, ours, &checkpoint, "cdmx/ssc") == RC_OK ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void a_checkpoint_of_ours_that_the_log_lost_ends_the_process(void **state)
{
    struct commit_point *point;
    uint8_t root[DIGEST_SIZE];

    (void)state;
    grow(&store, 0, 20);
    point = writer_latest(store.writer);
    memcpy(root, commit_point_root(point), DIGEST_SIZE);
    commit_point_release(point);
    assert_int_equal(shown(20, root, 20), 0);
    assert_int_equal(shown(21, root, 20), DB_EXIT_STATUS);
    root[31] ^= 1;
    assert_int_equal(shown(20, root, 20), DB_EXIT_STATUS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_remembers_what_was_anchored),
        TEST(an_older_log_is_refused),
        TEST(another_log_is_refused_whatever_its_size),
        TEST(a_write_that_was_cut_leaves_the_one_before),
        TEST(two_damaged_slots_are_no_anchor),
        TEST(it_belongs_to_one_log),
        TEST(a_second_writer_finds_it_taken),
        TEST(a_writer_that_the_lock_did_not_reach_is_found_before_the_next_write),
        TEST(an_epoch_that_another_one_followed_is_over),
        TEST(a_checkpoint_of_ours_that_the_log_lost_ends_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
