#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/spool.h"

struct folder {
    char path[64];
};

static void folder_release(struct folder *folder)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", folder->path);
    assert_int_equal(system(command), 0);
}

static struct folder folder_make(void)
{
    struct folder folder;

    snprintf(folder.path, sizeof folder.path, "/tmp/enlace-spool-XXXXXX");
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static struct id id_at(int64_t ms, uint8_t last)
{
    uint8_t random[10] = {[9] = last};

    return id_v7(ms, random);
}

static void what_is_stored_is_there_after_reopening(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN(buffer) bytes = {0};
    OWN(spool_ids) ids = {0};
    struct id later = id_at(2000, 1);
    struct id earlier = id_at(1000, 2);
    struct spool_entry entries[] = {
        {SPOOL_OUTBOX, later, bytes_text("second")},
        {SPOOL_OUTBOX, earlier, bytes_text("first")},
        {SPOOL_RECEIPTS, earlier, bytes_text("proof")},
    };

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_store(spool, entries, 3), RC_OK);
    spool_free(MOVE(spool));
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_list(spool, SPOOL_OUTBOX, &ids), RC_OK);
    assert_int_equal(ids.count, 2);
    assert_true(id_equal(&ids.items[0], &earlier)); /* by time */
    assert_int_equal(spool_read(spool, SPOOL_OUTBOX, &earlier, &bytes), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&bytes), "first"));
    assert_true(spool_has(spool, SPOOL_RECEIPTS, &earlier));
    spool_remove(spool, SPOOL_OUTBOX, &earlier);
    assert_int_equal(spool_read(spool, SPOOL_OUTBOX, &earlier, &bytes), RC_NOT_FOUND);
}

static void what_was_answered_moves_and_moves_back(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN(buffer) bytes = {0};
    struct id id = id_at(1000, 1);
    struct spool_entry entry = {SPOOL_OUTBOX, id, bytes_text("request")};

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_store(spool, &entry, 1), RC_OK);
    spool_move(spool, SPOOL_OUTBOX, SPOOL_ANSWERED, &id);
    assert_false(spool_has(spool, SPOOL_OUTBOX, &id));
    assert_int_equal(spool_read(spool, SPOOL_ANSWERED, &id, &bytes), RC_OK);
    spool_move(spool, SPOOL_ANSWERED, SPOOL_OUTBOX, &id);
    spool_move(spool, SPOOL_ANSWERED, SPOOL_OUTBOX, &id); /* not there: fine */
    assert_int_equal(spool_read(spool, SPOOL_OUTBOX, &id, &bytes), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&bytes), "request"));
}

static void one_program_at_a_time(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN_PTR(spool) second = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_open(folder.path, &second, &fault), RC_UNAVAILABLE);
    assert_string_equal(fault.reason, "spool.busy");
}

static void seeds_are_the_spools_own_and_stay(void **state)
{
    OWN(folder) folder = folder_make();
    OWN(folder) elsewhere = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN_PTR(spool) other = NULL;
    struct bytes parts[] = {bytes_text("what"), bytes_text("it answers")};
    uint8_t first[SPOOL_SEED_SIZE];
    uint8_t again[SPOOL_SEED_SIZE];
    uint8_t foreign[SPOOL_SEED_SIZE];

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    spool_seed(spool, parts, 2, first);
    spool_free(MOVE(spool));
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    spool_seed(spool, parts, 2, again);
    assert_int_equal(spool_open(elsewhere.path, &other, NULL), RC_OK);
    spool_seed(other, parts, 2, foreign);
    assert_memory_equal(first, again, SPOOL_SEED_SIZE);
    assert_memory_not_equal(first, foreign, SPOOL_SEED_SIZE);
}

static void what_is_refused_for_good_waits_for_a_person(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN(spool_ids) ids = {0};
    struct id id = id_at(1000, 1);
    struct spool_entry entry = {SPOOL_OUTBOX, id, bytes_text("act")};
    struct fault why = {0};

    (void)state;
    assert_int_equal(refuse(&why, RC_PERMISSION_DENIED, "route.none", "", "No."),
                     RC_PERMISSION_DENIED);
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_store(spool, &entry, 1), RC_OK);
    spool_park(spool, &id, &why);
    assert_false(spool_has(spool, SPOOL_OUTBOX, &id));
    assert_int_equal(spool_list(spool, SPOOL_PARKED, &ids), RC_OK);
    assert_int_equal(ids.count, 1); /* the .why is no message */
}

static void nobody_else_may_read_it(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    struct id id = id_at(1000, 1);
    struct spool_entry entry = {SPOOL_INBOX, id, bytes_text("x")};
    char path[160];
    char name[ID_TEXT_SIZE];
    struct stat status;

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(spool_store(spool, &entry, 1), RC_OK);
    id_format(&id, name);
    snprintf(path, sizeof path, "%s/inbox/%s", folder.path, name);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/inbox", folder.path);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void what_a_crash_left_half_written_is_removed(void **state)
{
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    char path[160];
    FILE *file;

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    spool_free(MOVE(spool));
    snprintf(path, sizeof path, "%s/outbox/.01a20a3e-d1d9-748d-9e2d-10b584d4a5b0.part",
             folder.path);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_full_batch_is_stored_whole(void **state)
{
    enum { COUNT = 300 };
    OWN(folder) folder = folder_make();
    OWN_PTR(spool) spool = NULL;
    OWN(spool_ids) ids = {0};
    static struct spool_entry entries[COUNT];

    (void)state;
    assert_int_equal(spool_open(folder.path, &spool, NULL), RC_OK);
    for (int i = 0; i < COUNT; i++) {
        entries[i] = (struct spool_entry){SPOOL_OUTBOX, id_at(1000 + i, 1), bytes_text("act")};
    }
    assert_int_equal(spool_store(spool, entries, COUNT), RC_OK);
    assert_int_equal(spool_list(spool, SPOOL_OUTBOX, &ids), RC_OK);
    assert_int_equal(ids.count, COUNT);
}

static void a_disk_that_refuses_is_said(void **state)
{
    OWN_PTR(spool) spool = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(spool_open("/proc/enlace", &spool, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "spool.unusable");
    assert_string_equal(fault.path, "/proc/enlace");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_stored_is_there_after_reopening),
        cmocka_unit_test(what_was_answered_moves_and_moves_back),
        cmocka_unit_test(one_program_at_a_time),
        cmocka_unit_test(seeds_are_the_spools_own_and_stay),
        cmocka_unit_test(what_is_refused_for_good_waits_for_a_person),
        cmocka_unit_test(nobody_else_may_read_it),
        cmocka_unit_test(what_a_crash_left_half_written_is_removed),
        cmocka_unit_test(a_full_batch_is_stored_whole),
        cmocka_unit_test(a_disk_that_refuses_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
