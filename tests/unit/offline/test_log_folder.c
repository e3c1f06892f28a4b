#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "offline/consistency.h"
#include "offline/disk.h"
#include "unit/offline/fake_log.h"

#define ORIGIN "gw.cdmx/audit/2026"

struct fixture {
    struct fake_log *log;
    char path[64];
    struct fault fault;
};

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->log = fake_new(ORIGIN, 7, 0);
    snprintf(f->path, sizeof f->path, "/tmp/enlace-folder.XXXXXX");
    assert_non_null(mkdtemp(f->path));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    fake_free(f->log);
    free(f);
    return 0;
}

static bool exists(const struct fixture *f, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", f->path, name);
    return access(path, F_OK) == 0;
}

static void sizes_around_a_tile_export_and_verify(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 255, 256, 257, 511, 512, 700};
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);
    struct stat facts;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fake_grow(f->log, sizes[i] - f->log->size);
        assert_int_equal(fake_export(f->log, f->path, sizes[i], "", true, &f->fault), RC_OK);
        if (!fake_reads(reader, f->path, NULL)) {
            report_print(&reader->report, false, stdout);
            fail_msg("size %zu does not verify", sizes[i]);
        }
        assert_int_equal(reader->head.size, sizes[i]);
    }
    /* What only earlier sizes needed is gone once the full tile stands. */
    assert_true(exists(f, "tile/0/001"));
    assert_false(exists(f, "tile/0/000.p"));
    assert_false(exists(f, "tile/entries/000.p"));
    assert_false(exists(f, "records/001.p"));
    assert_true(exists(f, "tile/0/002.p/188"));
    assert_true(exists(f, "checkpoints/255"));
    assert_int_equal(stat(f->path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0700);
    free(reader);
}

/* Those of sizes 10 and 20 still stand when the log has 30. */
static void partial_tiles_of_earlier_checkpoints_are_verified(void **state)
{
    static const struct {
        const char *name;
        const char *check;
    } rows[] = {{"tile/0/000.p/10", "tile.partial"},
                {"tile/0/000.p/20", "tile.partial"},
                {"tile/entries/000.p/10", "entry.partial"},
                {"records/000.p/20", "record.partial"}};
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);

    fake_grow(f->log, 30);
    for (size_t size = 10; size <= 30; size += 10) {
        assert_int_equal(fake_export(f->log, f->path, size, "", true, &f->fault), RC_OK);
    }
    assert_true(fake_reads(reader, f->path, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN(buffer) bytes = {0};

        assert_int_equal(disk_read(f->path, rows[i].name, TILE_BUNDLE_MAX, &bytes), RC_OK);
        bytes.data[bytes.size / 2] ^= 1;
        assert_int_equal(disk_write(f->path, rows[i].name, buffer_bytes(&bytes), DISK_BY_UMASK),
                         RC_OK);
        assert_false(fake_reads(reader, f->path, NULL));
        assert_true(fake_only(reader, rows[i].check));
        assert_string_equal(reader->report.findings[0].where, rows[i].name);
        bytes.data[bytes.size / 2] ^= 1;
        assert_int_equal(disk_write(f->path, rows[i].name, buffer_bytes(&bytes), DISK_BY_UMASK),
                         RC_OK);
    }
    free(reader);
}

/* Bit for bit what one export of everything writes. */
static void growing_in_steps_gives_the_same_tiles(void **state)
{
    static const char *const names[] = {"tile/0/000",
                                        "tile/0/001",
                                        "tile/0/002.p/88",
                                        "tile/1/000.p/2",
                                        "tile/entries/002.p/88",
                                        "records/002.p/88",
                                        "checkpoint"};
    struct fixture *f = *state;
    char other[80];

    fake_grow(f->log, 600);
    snprintf(other, sizeof other, "%s/whole", f->path);
    assert_int_equal(fake_export(f->log, other, 600, "12", true, &f->fault), RC_OK);
    snprintf(other, sizeof other, "%s/steps", f->path);
    for (size_t size = 50; size <= 600; size += 110) {
        assert_int_equal(fake_export(f->log, other, size, "12", true, &f->fault), RC_OK);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        OWN(buffer) whole = {0};
        OWN(buffer) steps = {0};
        char name[64];

        snprintf(name, sizeof name, "whole/%s", names[i]);
        assert_int_equal(disk_read(f->path, name, TILE_BUNDLE_MAX, &whole), RC_OK);
        snprintf(name, sizeof name, "steps/%s", names[i]);
        assert_int_equal(disk_read(f->path, name, TILE_BUNDLE_MAX, &steps), RC_OK);
        assert_true(bytes_equal(buffer_bytes(&whole), buffer_bytes(&steps)));
    }
}

static void a_mirror_has_neither_entries_nor_records(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);

    fake_grow(f->log, 300);
    assert_int_equal(fake_export(f->log, f->path, 300, "", false, &f->fault), RC_OK);
    assert_true(exists(f, "tile/0/000"));
    assert_false(exists(f, "tile/entries"));
    assert_false(exists(f, "records"));
    assert_true(fake_reads(reader, f->path, NULL));
    /* The other kind cannot be continued as this one. */
    assert_int_equal(fake_export(f->log, f->path, 300, "", true, &f->fault),
                     RC_FAILED_PRECONDITION);
    assert_string_equal(f->fault.reason, "folder.other");
    free(reader);
}

static void one_writer_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct vkey vkey;
    struct log_folder_options options = {.path = f->path, .logs = &vkey, .log_count = 1};
    OWN_PTR(log_folder) first = NULL;
    struct log_folder *second = NULL;

    fake_vkey(f->log, &vkey);
    assert_int_equal(log_folder_open(&options, &first, &f->fault), RC_OK);
    assert_int_equal(log_folder_open(&options, &second, &f->fault), RC_UNAVAILABLE);
    assert_string_equal(f->fault.reason, "folder.busy");
}

static void another_logs_folder_is_refused(void **state)
{
    struct fixture *f = *state;
    struct fake_log *other = fake_new("gw.ssc/audit/2026", 8, 10);

    fake_grow(f->log, 10);
    assert_int_equal(fake_export(f->log, f->path, 10, "", true, &f->fault), RC_OK);
    assert_int_equal(fake_export(other, f->path, 10, "", true, &f->fault), RC_FAILED_PRECONDITION);
    assert_string_equal(f->fault.reason, "folder.other");
    fake_free(other);
}

/* What the log rewrote below the folder's size shows at the next export; the folder stays. */
static void a_rewritten_past_is_refused_and_the_folder_stays(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);

    fake_grow(f->log, 300);
    assert_int_equal(fake_export(f->log, f->path, 290, "", true, &f->fault), RC_OK);
    fake_encode(f->log, 5, FAKE_START + 5 * FAKE_STEP);
    assert_int_equal(fake_export(f->log, f->path, 300, "", true, &f->fault), RC_DATA_LOSS);
    assert_string_equal(f->fault.reason, "folder.fork");
    f->fault = (struct fault){0};
    assert_int_equal(fake_export(f->log, f->path, 280, "", true, &f->fault), RC_DATA_LOSS);
    assert_string_equal(f->fault.reason, "folder.rollback");
    assert_true(fake_reads(reader, f->path, NULL));
    assert_int_equal(reader->head.size, 290);
    free(reader);
}

static void a_damaged_edge_is_refused_when_taken_up(void **state)
{
    static const char *const names[] = {"tile/0/001.p/44", "tile/1/000.p/1",
                                        "tile/entries/001.p/44", "records/001.p/44", "checkpoint"};
    struct fixture *f = *state;

    fake_grow(f->log, 310);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[80];
        OWN(buffer) bytes = {0};

        snprintf(path, sizeof path, "%s/%zu", f->path, i);
        assert_int_equal(fake_export(f->log, path, 300, "", true, &f->fault), RC_OK);
        assert_int_equal(disk_read(path, names[i], TILE_BUNDLE_MAX, &bytes), RC_OK);
        /* Within the signature, the last hash, a length. */
        bytes.data[strcmp(names[i], "records/001.p/44") == 0 ? 3 : bytes.size - 3] ^= 1;
        assert_int_equal(disk_write(path, names[i], buffer_bytes(&bytes), DISK_BY_UMASK), RC_OK);
        f->fault = (struct fault){0};
        assert_int_equal(fake_export(f->log, path, 310, "", true, &f->fault), RC_DATA_LOSS);
        assert_string_equal(f->fault.reason, "folder.damaged");
    }
}

static void more_cosignatures_replace_the_note_and_fewer_do_not(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) note = {0};
    size_t full;

    fake_grow(f->log, 20);
    assert_int_equal(fake_export(f->log, f->path, 20, "1", true, &f->fault), RC_OK);
    assert_int_equal(fake_export(f->log, f->path, 20, "1234", true, &f->fault), RC_OK);
    assert_int_equal(disk_read(f->path, "checkpoint", 65536, &note), RC_OK);
    full = note.size;
    assert_int_equal(fake_export(f->log, f->path, 20, "", true, &f->fault), RC_OK);
    assert_int_equal(disk_read(f->path, "checkpoint", 65536, &note), RC_OK);
    assert_int_equal(note.size, full);
}

/* The disk ends anywhere: an export that is cut leaves a folder that verifies and can go on. */
static void a_cut_export_leaves_the_old_log(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);
    struct vkey vkey;
    struct log_folder_options options = {
        .path = f->path, .logs = &vkey, .log_count = 1, .has_entries = true, .has_records = true};

    fake_vkey(f->log, &vkey);
    fake_grow(f->log, 900);
    assert_int_equal(fake_export(f->log, f->path, 300, "", true, &f->fault), RC_OK);
    for (size_t cut = 301; cut <= 900; cut += 123) {
        OWN_PTR(log_folder) folder = NULL;

        assert_int_equal(log_folder_open(&options, &folder, &f->fault), RC_OK);
        assert_int_equal(log_folder_size(folder), 300);
        for (size_t i = 300; i < cut; i++) {
            char text[96];

            assert_int_equal(log_folder_add(folder, BYTES_OF(f->log->leaves[i]),
                                            fake_record(f->log, i, text), &f->fault),
                             RC_OK);
        }
    }
    assert_true(fake_reads(reader, f->path, NULL));
    assert_int_equal(reader->head.size, 300);
    assert_int_equal(fake_export(f->log, f->path, 900, "", true, &f->fault), RC_OK);
    assert_true(fake_reads(reader, f->path, NULL));
    free(reader);
}

/* Opens the folder and adds leaves up to `size`; then the process is gone, as far as it knows. */
static void add_and_die(struct fixture *f, struct log_folder_options *options, size_t size)
{
    OWN_PTR(log_folder) folder = NULL;

    assert_int_equal(log_folder_open(options, &folder, &f->fault), RC_OK);
    for (size_t i = log_folder_size(folder); i < size; i++) {
        char text[96];

        assert_int_equal(log_folder_add(folder, BYTES_OF(f->log->leaves[i]),
                                        fake_record(f->log, i, text), &f->fault),
                         RC_OK);
    }
}

/* Takes up what lies beyond the checkpoint, adds the rest; where it went on. */
static size_t go_on(struct fixture *f, struct log_folder_options *options, size_t size, enum rc rc)
{
    OWN_PTR(log_folder) folder = NULL;
    OWN(buffer) note = {0};
    size_t from;

    assert_int_equal(log_folder_open(options, &folder, &f->fault), RC_OK);
    assert_int_equal(log_folder_resume(folder, size, &f->fault), RC_OK);
    from = log_folder_size(folder);
    for (size_t i = from; i < size; i++) {
        char text[96];

        assert_int_equal(log_folder_add(folder, BYTES_OF(f->log->leaves[i]),
                                        fake_record(f->log, i, text), &f->fault),
                         RC_OK);
    }
    fake_note(f->log, size, "", &note);
    assert_int_equal(log_folder_finish(folder, buffer_bytes(&note), &f->fault), rc);
    return from;
}

static void a_cut_export_goes_on_where_it_was_cut(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);
    struct vkey vkey;
    struct log_folder_options options = {
        .path = f->path, .logs = &vkey, .log_count = 1, .has_entries = true, .has_records = true};

    fake_vkey(f->log, &vkey);
    fake_grow(f->log, 1100);
    assert_int_equal(fake_export(f->log, f->path, 100, "", true, &f->fault), RC_OK);
    add_and_die(f, &options, 900);
    /* Never past the head that is to be written, nor past a bundle that is missing or torn. */
    assert_int_equal(go_on(f, &options, 600, RC_OK), 512);
    assert_true(fake_reads(reader, f->path, NULL));
    assert_int_equal(go_on(f, &options, 900, RC_OK), 768);
    assert_true(fake_reads(reader, f->path, NULL));
    add_and_die(f, &options, 1100);
    {
        char path[128];

        snprintf(path, sizeof path, "%s/tile/entries/003", f->path);
        assert_int_equal(truncate(path, 1000), 0);
    }
    assert_int_equal(go_on(f, &options, 1100, RC_OK), 900);
    assert_true(fake_reads(reader, f->path, NULL));
    assert_int_equal(reader->head.size, 1100);
    free(reader);
}

/* In a mirror nothing stands beside a tile: only the signed root can tell that it is another's. */
static void a_foreign_tile_beyond_the_checkpoint_is_found_by_the_root(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *reader = fake_reader_new(f->log, 0);
    struct vkey vkey;
    struct log_folder_options options = {.path = f->path, .logs = &vkey, .log_count = 1};
    OWN(buffer) tile = {0};

    fake_vkey(f->log, &vkey);
    fake_grow(f->log, 600);
    add_and_die(f, &options, 600);
    assert_int_equal(disk_read(f->path, "tile/0/001", TILE_BYTES, &tile), RC_OK);
    tile.data[77] ^= 1;
    assert_int_equal(disk_write(f->path, "tile/0/001", buffer_bytes(&tile), DISK_BY_UMASK), RC_OK);
    assert_int_equal(go_on(f, &options, 600, RC_ABORTED), 512);
    assert_string_equal(f->fault.reason, "folder.resume");
    assert_int_equal(fake_export(f->log, f->path, 600, "", false, &f->fault), RC_OK);
    assert_true(fake_reads(reader, f->path, NULL));
    free(reader);
}

static void a_mirror_for_all_is_readable_whatever_the_umask(void **state)
{
    struct fixture *f = *state;
    struct vkey vkey;
    struct log_folder_options options = {
        .path = f->path, .logs = &vkey, .log_count = 1, .is_for_all = true};
    mode_t before = umask(077);
    struct stat facts;
    char path[128];

    fake_vkey(f->log, &vkey);
    fake_grow(f->log, 300);
    assert_int_equal(go_on(f, &options, 300, RC_OK), 0);
    umask(before);
    snprintf(path, sizeof path, "%s/tile/0", f->path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0755);
    snprintf(path, sizeof path, "%s/tile/0/000", f->path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0644);
}

/* Any pieces of 16 bytes that the hash tiles of two folders share. */
static size_t shared_pieces(const struct fixture *f, const char *a, const char *b, size_t piece)
{
    OWN(buffer) left = {0};
    OWN(buffer) right = {0};
    size_t shared = 0;

    assert_int_equal(disk_read(f->path, a, TILE_BUNDLE_MAX, &left), RC_OK);
    assert_int_equal(disk_read(f->path, b, TILE_BUNDLE_MAX, &right), RC_OK);
    for (size_t i = 0; i + piece <= left.size; i++) {
        shared += memmem(right.data, right.size, left.data + i, piece) != NULL;
    }
    return shared;
}

/*
 * Both logs hold the same messages in the same order. Their mirrors share nothing, nor do even the
 * entries an auditor sees. The control: a log that names the message by M itself pairs at once.
 */
static void mirrors_of_two_logs_show_nothing_that_pairs_them(void **state)
{
    struct fixture *f = *state;
    struct fake_log *other = fake_new("gw.ssc/audit/2026", 8, 256);
    struct leaf leaf;
    char path[80];

    fake_grow(f->log, 256);
    snprintf(path, sizeof path, "%s/a", f->path);
    assert_int_equal(fake_export(f->log, path, 256, "", true, &f->fault), RC_OK);
    snprintf(path, sizeof path, "%s/b", f->path);
    assert_int_equal(fake_export(other, path, 256, "", true, &f->fault), RC_OK);
    assert_int_equal(shared_pieces(f, "a/tile/0/000", "b/tile/0/000", 16), 0);
    assert_int_equal(shared_pieces(f, "a/tile/1/000.p/1", "b/tile/1/000.p/1", 16), 0);
    for (size_t i = 0; i < 256; i++) {
        /* A run of zeros (the counterpart's checkpoint) is in every leaf, and pairs nothing. */
        for (size_t at = 24; at + 16 <= 152; at += 16) {
            for (size_t k = 0; k < 256; k += 17) {
                assert_null(memmem(other->leaves[k] + 24, 128, f->log->leaves[i] + at, 16));
            }
        }
    }
    for (struct fake_log *log = f->log; log != NULL; log = log == f->log ? other : NULL) {
        assert_int_equal(leaf_decode(BYTES_OF(log->leaves[9]), &leaf), RC_OK);
        fake_message(9, leaf.message);
        leaf_encode(&leaf, log->leaves[9]);
    }
    snprintf(path, sizeof path, "%s/c", f->path);
    assert_int_equal(fake_export(f->log, path, 256, "", true, &f->fault), RC_OK);
    snprintf(path, sizeof path, "%s/d", f->path);
    assert_int_equal(fake_export(other, path, 256, "", true, &f->fault), RC_OK);
    assert_true(shared_pieces(f, "c/tile/entries/000", "d/tile/entries/000", 32) > 0);
    fake_free(other);
}

static void a_text_is_written_when_it_differs(void **state)
{
    struct fixture *f = *state;
    struct vkey vkey;
    struct log_folder_options options = {.path = f->path, .logs = &vkey, .log_count = 1};
    OWN_PTR(log_folder) folder = NULL;
    OWN(buffer) text = {0};

    fake_vkey(f->log, &vkey);
    assert_int_equal(log_folder_open(&options, &folder, &f->fault), RC_OK);
    assert_int_equal(log_folder_put_text(folder, "vkey", bytes_text("uno\n"), &f->fault), RC_OK);
    assert_int_equal(log_folder_put_text(folder, "vkey", bytes_text("dos\n"), &f->fault), RC_OK);
    assert_int_equal(log_folder_put_text(folder, "vkey", bytes_text("dos\n"), &f->fault), RC_OK);
    assert_int_equal(disk_read(f->path, "vkey", 100, &text), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&text), "dos\n"));
    assert_int_equal(disk_read(f->path, "vkey", 3, &text), RC_OUT_OF_RANGE);
    assert_int_equal(disk_read(f->path, "nada", 3, &text), RC_NOT_FOUND);
    assert_int_equal(disk_read(f->path, "", 3, &text), RC_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sizes_around_a_tile_export_and_verify),
        TEST(partial_tiles_of_earlier_checkpoints_are_verified),
        TEST(growing_in_steps_gives_the_same_tiles),
        TEST(a_mirror_has_neither_entries_nor_records),
        TEST(one_writer_at_a_time),
        TEST(another_logs_folder_is_refused),
        TEST(a_rewritten_past_is_refused_and_the_folder_stays),
        TEST(a_damaged_edge_is_refused_when_taken_up),
        TEST(more_cosignatures_replace_the_note_and_fewer_do_not),
        TEST(a_cut_export_leaves_the_old_log),
        TEST(a_cut_export_goes_on_where_it_was_cut),
        TEST(a_foreign_tile_beyond_the_checkpoint_is_found_by_the_root),
        TEST(a_mirror_for_all_is_readable_whatever_the_umask),
        TEST(mirrors_of_two_logs_show_nothing_that_pairs_them),
        TEST(a_text_is_written_when_it_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
