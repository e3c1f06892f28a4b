#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "offline/disk.h"
#include "offline/log_check.h"
#include "offline/report.h"
#include "publish/publisher.h"
#include "publish/quorum_text.h"
#include "store/anchor.h"
#include "store/cosigned.h"
#include "tlog/policy.h"
#include "unit/store/logstore.h"

struct fixture {
    struct logstore store;
    struct anchor *anchor;
    struct export_source source;
    char home[64];
    char mirror[96];
    char auditors[96];
    atomic_bool is_stopping;
    struct report report;
};

static void open_all(struct fixture *f)
{
    char path[96];

    logstore_open(&f->store);
    snprintf(path, sizeof path, "%s/anchor", f->home);
    assert_int_equal(anchor_open(path, 1, ORIGIN, &f->anchor), RC_OK);
    assert_int_equal(anchor_check(f->anchor, f->store.writer), RC_OK);
    f->source = (struct export_source){.db = f->store.db,
                                       .anchor = f->anchor,
                                       .keyring = f->store.keyring,
                                       .vkey = f->store.vkey,
                                       .policy = bytes_text("quorum none\n"),
                                       .floor_bytes = 1};
}

static void close_all(struct fixture *f)
{
    anchor_free(f->anchor);
    f->anchor = NULL;
    logstore_close(&f->store);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    logstore_make(&f->store);
    temporary_path(f->home);
    snprintf(f->mirror, sizeof f->mirror, "%s/mirror", f->home);
    snprintf(f->auditors, sizeof f->auditors, "%s/auditors", f->home);
    open_all(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    anchor_free(f->anchor);
    logstore_remove(&f->store);
    remove_path(f->home);
    free(f);
    return 0;
}

struct anchoring {
    struct anchor_write write; /* first */
    atomic_bool is_done;
};

static void anchored(struct anchor_write *write)
{
    atomic_store(&((struct anchoring *)write)->is_done, true);
}

static void anchor_newest(struct fixture *f)
{
    struct commit_point *point = writer_latest(f->store.writer);
    struct anchoring anchoring = {.write = {.point = point, .done = anchored}};

    assert_int_equal(anchor_submit(f->anchor, &anchoring.write), RC_OK);
    while (!atomic_load(&anchoring.is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(point);
}

static void grow_to(struct fixture *f, uint64_t from, uint64_t size)
{
    for (; from < size; from += 64) {
        grow(&f->store, from, size - from < 64 ? (unsigned)(size - from) : 64);
    }
}

/* The checkpoint's size, of a folder that verifies as a whole. */
static uint64_t verified(struct fixture *f, const char *path)
{
    static struct trust trust;
    struct log_check check = {.path = path, .trust = &trust};
    struct checkpoint head = {0};

    trust = (struct trust){.now_s = (uint64_t)(clock_now_ms() / 1000)};
    trust.logs[trust.log_count++] = f->store.vkey;
    memset(&f->report, 0, sizeof f->report);
    f->report.what = "log";
    log_check_run(&check, &head, &f->report);
    if (f->report.bad_total > 0) {
        report_print(&f->report, false, stdout);
        fail();
    }
    return head.size;
}

static uint64_t run_once(struct fixture *f, struct exporting *exporting)
{
    struct fault fault = {0};
    struct export_run run;

    assert_int_equal(exporting_run(exporting, &f->is_stopping, &run, &fault), RC_OK);
    return run.added;
}

static bool exists(const char *folder, const char *name)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static void both_folders_follow_the_log_and_verify(void **state)
{
    static const uint64_t sizes[] = {1, 255, 256, 257, 700, 700, 1300};
    struct fixture *f = *state;
    OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);
    OWN_PTR(exporting) auditors = exporting_new(&f->source, f->auditors, EXPORT_AUDITORS);
    uint64_t before = 0;

    assert_int_equal(run_once(f, mirror), 0); /* an empty log shows nothing */
    assert_false(exists(f->mirror, "checkpoint"));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        grow_to(f, before, sizes[i]);
        anchor_newest(f);
        assert_int_equal(run_once(f, mirror), sizes[i] - before);
        assert_int_equal(run_once(f, auditors), sizes[i] - before);
        assert_int_equal(verified(f, f->mirror), sizes[i]);
        assert_int_equal(verified(f, f->auditors), sizes[i]);
        before = sizes[i];
    }
    assert_true(exists(f->mirror, "vkey") && exists(f->mirror, "policy"));
    assert_false(exists(f->mirror, "tile/entries") || exists(f->mirror, "records"));
    assert_true(exists(f->auditors, "tile/entries/000") && exists(f->auditors, "records/000"));
}

static void what_is_not_anchored_does_not_leave(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);

    grow_to(f, 0, 10);
    anchor_newest(f);
    grow_to(f, 10, 20);
    assert_int_equal(run_once(f, mirror), 10);
    assert_int_equal(verified(f, f->mirror), 10);
}

/* A deed: a commit's note with one witness's line, as if the quorum was reached then. */
struct quorum {
    struct deed deed; /* first */
    struct fixture *fixture;
    uint64_t size;
    uint64_t time_s;
};

static enum rc reach_quorum(struct deed *deed, struct txn *txn)
{
    struct quorum *quorum = (struct quorum *)deed;
    struct keyring *witness = test_key(30);
    struct cosigned cosigned = {.size = quorum->size, .time_s = quorum->time_s};
    OWN(buffer) note = {0};
    OWN(buffer) text = {0};
    struct note parsed;
    enum rc rc;

    assert_int_equal(auditlog_checkpoint(txn, quorum->fixture->store.keyring, quorum->size, &note),
                     RC_OK);
    assert_int_equal(note_parse(buffer_bytes(&note), &parsed), RC_OK);
    buffer_put_bytes(&text, parsed.text);
    assert_int_equal(
        checkpoint_cosign(buffer_bytes(&text), "gw.other/witness", witness, quorum->time_s, &note),
        RC_OK);
    cosigned.note = buffer_bytes(&note);
    rc = cosigned_put(txn, &cosigned);
    keyring_free(witness);
    return rc;
}

static void put_quorum(struct fixture *f, uint64_t size, int64_t ago_s)
{
    struct quorum quorum = {
        .fixture = f, .size = size, .time_s = (uint64_t)(clock_now_ms() / 1000 - ago_s)};

    deed_init(&quorum.deed, reach_quorum, 0);
    assert_int_equal(deed_run(&f->store, &quorum.deed), RC_OK);
}

static bool is_cosigned(const struct fixture *f)
{
    OWN(buffer) note = {0};
    static const char name[] = "gw.other/witness";

    assert_int_equal(disk_read(f->mirror, "checkpoint", CHECKPOINT_SIZE_MAX, &note), RC_OK);
    return memmem(note.data, note.size, name, sizeof name - 1) != NULL;
}

static void a_quorum_is_waited_for_but_not_for_ever(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);

    grow_to(f, 0, 128);
    put_quorum(f, 128, 1);
    grow_to(f, 128, 300);
    anchor_newest(f);
    assert_int_equal(run_once(f, mirror), 128); /* the newest with a quorum */
    assert_true(is_cosigned(f));
    assert_int_equal(verified(f, f->mirror), 128);
    put_quorum(f, 128, 1000000);
    assert_int_equal(run_once(f, mirror), 172); /* the witnesses are behind */
    assert_false(is_cosigned(f));
    put_quorum(f, 192, 1);
    assert_int_equal(run_once(f, mirror), 0); /* never back */
    assert_int_equal(verified(f, f->mirror), 300);
    put_quorum(f, 300, 1);
    assert_int_equal(run_once(f, mirror), 0);
    assert_true(is_cosigned(f));
}

static void a_stopped_run_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    struct fault fault = {0};
    struct export_run run;

    grow_to(f, 0, 1000);
    anchor_newest(f);
    {
        OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);

        assert_int_equal(run_once(f, mirror), 1000);
    }
    /* As if the run had been cut before its checkpoint: all but that stands. */
    {
        char path[128];

        snprintf(path, sizeof path, "%s/checkpoint", f->mirror);
        assert_int_equal(unlink(path), 0);
    }
    close_all(f);
    open_all(f);
    {
        OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);

        assert_int_equal(run_once(f, mirror), 1000 - 768);
        assert_int_equal(verified(f, f->mirror), 1000);
        grow_to(f, 1000, 1600);
        anchor_newest(f);
        atomic_store(&f->is_stopping, true);
        assert_int_equal(exporting_run(mirror, &f->is_stopping, &run, &fault), RC_CANCELLED);
        assert_int_equal(verified(f, f->mirror), 1000);
        atomic_store(&f->is_stopping, false);
        assert_int_equal(run_once(f, mirror), 600);
    }
    assert_int_equal(verified(f, f->mirror), 1600);
}

static void the_logs_disk_comes_first(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);
    struct fault fault = {0};
    struct export_run run;

    grow_to(f, 0, 10);
    anchor_newest(f);
    f->source.floor_bytes = UINT64_MAX;
    assert_int_equal(exporting_run(mirror, &f->is_stopping, &run, &fault), RC_UNAVAILABLE);
    assert_string_equal(fault.reason, "export.disk_floor");
    f->source.floor_bytes = 1;
    assert_int_equal(run_once(f, mirror), 10);
    assert_int_equal(verified(f, f->mirror), 10);
}

static void another_logs_folder_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(exporting) mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);
    struct fault fault = {0};
    struct export_run run;
    struct keyring *other = test_key(9);

    grow_to(f, 0, 10);
    anchor_newest(f);
    assert_int_equal(run_once(f, mirror), 10);
    exporting_free(MOVE(mirror));
    mirror = exporting_new(&f->source, f->mirror, EXPORT_MIRROR);
    assert_int_equal(vkey_of(ORIGIN, VKEY_ED25519, other, &f->source.vkey), RC_OK);
    assert_int_equal(exporting_run(mirror, &f->is_stopping, &run, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "folder.other");
    keyring_free(other);
}

static void the_thread_works_at_its_interval_and_ends_at_once(void **state)
{
    struct fixture *f = *state;
    struct publisher_options options = {
        .source = f->source, .mirror = f->mirror, .auditors = "", .interval_s = 1};
    OWN_PTR(publisher) publisher = NULL;
    int64_t began_ms;

    grow_to(f, 0, 10);
    anchor_newest(f);
    assert_int_equal(publisher_start(&options, &publisher), RC_OK);
    for (int i = 0; i < 300 && !exists(f->mirror, "checkpoint"); i++) {
        clock_sleep_ms(10);
    }
    grow_to(f, 10, 300);
    anchor_newest(f);
    for (int i = 0; i < 300 && !exists(f->mirror, "checkpoints/300"); i++) {
        clock_sleep_ms(10);
    }
    began_ms = clock_monotonic_ms();
    publisher_free(MOVE(publisher));
    assert_true(clock_monotonic_ms() - began_ms < 900);
    assert_int_equal(verified(f, f->mirror), 300);
    options.auditors = f->mirror;
    assert_int_equal(publisher_start(&options, &publisher), RC_INVALID_ARGUMENT);
    options.mirror = "";
    options.auditors = "";
    assert_int_equal(publisher_start(&options, &publisher), RC_OK);
    assert_null(publisher);
}

/* Witnesses by their house; the own one's is not among them. */
static void the_policy_wants_a_quorum_of_foreign_witnesses(void **state)
{
    struct fixture *f = *state;
    static struct policy policy;
    struct node_entry nodes[6] = {0};
    struct directory directory = {.nodes = nodes};
    char line[VKEY_TEXT_SIZE];
    struct policy_flaw flaw;

    vkey_format(&f->store.vkey, line);
    memcpy(nodes[0].log_vkey, line, strlen(line) + 1);
    for (uint8_t i = 0; i < 6; i++) {
        struct keyring *key = test_key((uint8_t)(20 + i));
        struct vkey vkey;
        char name[64];

        snprintf(name, sizeof name, "gw.%s/witness", i == 0 ? "test" : (char[]){'a' + (char)i, 0});
        assert_int_equal(vkey_of(name, VKEY_COSIGNATURE, key, &vkey), RC_OK);
        vkey_format(&vkey, line);
        memcpy(nodes[i].witness_vkey, line, strlen(line) + 1);
        snprintf(nodes[i].origin, sizeof nodes[i].origin, "gw.%s/audit/2026",
                 i == 0 ? "test" : (char[]){'a' + (char)i, 0});
        keyring_free(key);
    }
    for (size_t count = 1; count <= 6; count += 5) {
        OWN(buffer) text = {0};

        directory.node_count = count;
        quorum_text(&directory, &nodes[0], &text);
        assert_int_equal(policy_parse(buffer_bytes(&text), &policy, &flaw), RC_OK);
        assert_int_equal(policy.witness_count, count - 1);
        assert_true(policy_is_safe(&policy, ORIGIN));
        assert_int_equal(policy.log_count, 1);
    }
    assert_int_equal(policy.groups[policy.quorum_group].least, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(both_folders_follow_the_log_and_verify),
        TEST(what_is_not_anchored_does_not_leave),
        TEST(a_quorum_is_waited_for_but_not_for_ever),
        TEST(a_stopped_run_goes_on_after_a_restart),
        TEST(the_logs_disk_comes_first),
        TEST(another_logs_folder_is_refused),
        TEST(the_thread_works_at_its_interval_and_ends_at_once),
        TEST(the_policy_wants_a_quorum_of_foreign_witnesses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
