/*
 * The attacks that need only an export: each is found by the check named for it, and by nothing
 * else, so that without that check it would go unseen; those that nothing inside the log can show
 * are seen to pass until the named thing (a quorum, a remembered checkpoint) is there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <sys/stat.h>

#include "offline/consistency.h"
#include "offline/disk.h"
#include "offline/receipts_check.h"
#include "tlog/tlog_proof.h"
#include "unit/offline/fake_log.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define SIZE 300

struct fixture {
    struct fake_log *log;
    struct fake_reader *plain;   /* knows the log's key */
    struct fake_reader *quorate; /* and wants 4 of 5 foreign witnesses */
    char home[64];
    char path[80];   /* the export */
    char memory[80]; /* a checkpoint that somebody remembers */
    struct fault fault;
};

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

static void empty(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    OWN(buffer) note = {0};

    f->log = fake_new(ORIGIN, 7, SIZE);
    f->plain = fake_reader_new(f->log, 0);
    f->quorate = fake_reader_new(f->log, 4);
    snprintf(f->home, sizeof f->home, "/tmp/enlace-attack.XXXXXX");
    assert_non_null(mkdtemp(f->home));
    snprintf(f->path, sizeof f->path, "%s/log", f->home);
    snprintf(f->memory, sizeof f->memory, "%s/remembered", f->home);
    assert_int_equal(fake_export(f->log, f->path, SIZE, "1234", true, &f->fault), RC_OK);
    fake_note(f->log, 200, "1234", &note);
    assert_int_equal(disk_write(f->home, "remembered", buffer_bytes(&note), DISK_BY_UMASK), RC_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    empty(f->home);
    fake_free(f->log);
    free(f->plain);
    free(f->quorate);
    free(f);
    return 0;
}

static void read_file(const struct fixture *f, const char *name, struct buffer *into)
{
    assert_int_equal(disk_read(f->path, name, TILE_BUNDLE_MAX, into), RC_OK);
}

static void write_file(const struct fixture *f, const char *name, const struct buffer *bytes)
{
    assert_int_equal(disk_write(f->path, name, buffer_bytes(bytes), DISK_BY_UMASK), RC_OK);
}

/* Everything anew, as whoever holds the log's key can: no trace of what was. */
static void export_anew(struct fixture *f, size_t size, const char *by)
{
    empty(f->path);
    assert_int_equal(fake_export(f->log, f->path, size, by, true, &f->fault), RC_OK);
}

/* The checkpoint of before, over files that were made anew. */
static void export_under_old_checkpoint(struct fixture *f)
{
    OWN(buffer) note = {0};
    char history[96];

    read_file(f, "checkpoint", &note);
    export_anew(f, SIZE, "");
    snprintf(history, sizeof history, "%s/checkpoints", f->path);
    empty(history);
    write_file(f, "checkpoint", &note);
}

static void without_an_attack_everything_verifies(void **state)
{
    struct fixture *f = *state;

    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_reads(f->quorate, f->path, f->memory));
    assert_int_equal(f->quorate->report.warning_total, 0);
}

/* 1 */
static void a_flipped_bit_is_found_where_it_is(void **state)
{
    static const char *const names[] = {
        "checkpoint",     "tile/0/000",       "tile/0/001.p/44",
        "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
        "records/000",    "records/001.p/44", "checkpoints/300"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        OWN(buffer) bytes = {0};
        size_t size;
        size_t step;

        read_file(f, names[i], &bytes);
        size = bytes.size;
        if (strcmp(names[i], "checkpoints/300") == 0) {
            /* A line of nobody's is ignored, and an old checkpoint needs no quorum. */
            const uint8_t *line = memmem(bytes.data, size, "\xe2\x80\x94 gw.ssc/witness", 18);

            assert_non_null(line);
            size = (size_t)(line - bytes.data);
        }
        step = size / 24 + 1;
        for (size_t at = 0; at < size; at += step) {
            bool is_named = false;

            bytes.data[at] ^= (uint8_t)(1u << at % 8);
            write_file(f, names[i], &bytes);
            bytes.data[at] ^= (uint8_t)(1u << at % 8);
            if (fake_reads(f->quorate, f->path, NULL)) {
                fail_msg("%s: byte %zu flipped and not seen", names[i], at);
            }
            for (size_t k = 0; k < f->quorate->report.finding_count; k++) {
                /* A hash of level 0 shows at level 1, or as a root that does not fit. */
                is_named = is_named ||
                           strstr(f->quorate->report.findings[k].where, names[i]) != NULL ||
                           strncmp(names[i], "tile/0", 6) == 0;
            }
            assert_true(is_named);
        }
        write_file(f, names[i], &bytes);
    }
    assert_true(fake_reads(f->quorate, f->path, NULL));
}

/* Cut or lengthened anywhere: an answer, and the file's name. */
static void a_file_of_another_length_is_found(void **state)
{
    static const char *const names[] = {"checkpoint",       "tile/0/000",
                                        "tile/0/001.p/44",  "tile/1/000.p/1",
                                        "tile/entries/000", "tile/entries/001.p/44",
                                        "records/000",      "records/001.p/44"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        OWN(buffer) bytes = {0};
        size_t whole;

        read_file(f, names[i], &bytes);
        whole = bytes.size;
        for (size_t cut = 0; cut <= 16; cut++) {
            bytes.size = whole * cut / 17;
            write_file(f, names[i], &bytes);
            assert_false(fake_reads(f->plain, f->path, NULL));
            assert_true(strncmp(f->plain->report.findings[0].where, names[i], strlen(names[i])) ==
                        0);
        }
        bytes.size = whole;
        buffer_put_u8(&bytes, 0);
        write_file(f, names[i], &bytes);
        assert_false(fake_reads(f->plain, f->path, NULL));
        bytes.size = whole;
        write_file(f, names[i], &bytes);
    }
    assert_true(fake_reads(f->plain, f->path, NULL));
}

/* 2 */
static void a_rewritten_entry_under_the_old_checkpoint_is_found_by_the_root(void **state)
{
    struct fixture *f = *state;

    fake_encode(f->log, 17, FAKE_START + 17 * FAKE_STEP);
    export_under_old_checkpoint(f);
    assert_false(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_only(f->plain, "root"));
}

static void swap(struct fake_log *log, size_t a, size_t b)
{
    uint8_t leaf[LEAF_SIZE];

    memcpy(leaf, log->leaves[a], LEAF_SIZE);
    memcpy(log->leaves[a], log->leaves[b], LEAF_SIZE);
    memcpy(log->leaves[b], leaf, LEAF_SIZE);
}

/* 3: even re-signed, and read by one who asks for no witness. */
static void reordered_entries_are_found_by_their_own_index(void **state)
{
    struct fixture *f = *state;

    swap(f->log, 40, 41);
    export_anew(f, SIZE, "");
    assert_false(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_only(f->plain, "entry.index"));
    assert_int_equal(f->plain->report.bad_total, 2);
}

/* 4 */
static void a_cut_tail_is_found_by_what_is_missing(void **state)
{
    static const struct {
        const char *name;
        const char *check;
    } rows[] = {{"tile/0/001.p", "tile.missing"},
                {"tile/entries/001.p", "entry.missing"},
                {"tile/1/000.p", "tile.missing"},
                {"records/001.p", "record.missing"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[128];

        export_anew(f, SIZE, "");
        snprintf(path, sizeof path, "%s/%s", f->path, rows[i].name);
        empty(path);
        assert_false(fake_reads(f->plain, f->path, NULL));
        assert_true(fake_only(f->plain, rows[i].check));
    }
}

/* 5 */
static void a_valid_older_state_is_found_only_by_who_remembers(void **state)
{
    struct fixture *f = *state;

    export_anew(f, 150, "1234");
    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_reads(f->quorate, f->path, NULL));
    assert_false(fake_reads(f->plain, f->path, f->memory));
    assert_true(fake_only(f->plain, "checkpoint.rollback"));
}

/* 6 */
static void a_past_rewritten_with_the_logs_key_is_found_by_quorum_or_memory(void **state)
{
    struct fixture *f = *state;

    fake_encode(f->log, 17, FAKE_START + 17 * FAKE_STEP);
    export_anew(f, SIZE, "1"); /* one witness helps */
    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    f->quorate->trust.is_unwitnessed_fine = true;
    assert_true(fake_reads(f->quorate, f->path, NULL));
    assert_false(fake_reads(f->plain, f->path, f->memory));
    assert_true(fake_only(f->plain, "checkpoint.fork"));
}

static bool is_consistent(struct fixture *f, const char *old_path, const char *new_path)
{
    f->plain->report.finding_count = 0;
    f->plain->report.bad_total = 0;
    f->plain->report.fact_count = 0;
    consistency_check(old_path, new_path, &f->plain->trust, &f->plain->report);
    return f->plain->report.bad_total == 0;
}

/* 7 */
static void a_fork_that_outgrew_the_old_size_is_found_by_consistency(void **state)
{
    struct fixture *f = *state;

    assert_true(is_consistent(f, f->memory, f->path));
    fake_encode(f->log, 17, FAKE_START + 17 * FAKE_STEP);
    fake_grow(f->log, 400);
    export_anew(f, SIZE + 400, "");
    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_false(is_consistent(f, f->memory, f->path));
    assert_true(fake_only(f->plain, "consistency.fork"));
    /* The other way round it is a view that went back. */
    assert_false(is_consistent(f, f->path, f->memory));
    assert_true(fake_only(f->plain, "consistency.rollback"));
}

/* 8: k = 3 of the four foreign witnesses that take part. */
static void two_views_of_one_size_need_more_liars_than_the_quorum_allows(void **state)
{
    struct fixture *f = *state;
    struct fake_reader *three = fake_reader_new(f->log, 3);
    char first[96];

    snprintf(first, sizeof first, "%s/first", f->home);
    /* Witness 5 does not take part. 1 lies; 2 and 3 saw the first view, 4 the second. */
    assert_int_equal(fake_export(f->log, first, SIZE, "123", true, &f->fault), RC_OK);
    fake_encode(f->log, 17, FAKE_START + 17 * FAKE_STEP);
    export_anew(f, SIZE, "14");
    assert_true(fake_reads(three, first, NULL));
    assert_false(fake_reads(three, f->path, NULL));
    assert_true(fake_only(three, "policy.quorum"));
    /* The limit: two liars carry both views. Side by side, the two notes prove it. */
    export_anew(f, SIZE, "134");
    assert_true(fake_reads(three, f->path, NULL));
    assert_true(report_has(&three->report, "policy.weak")); /* witness 5 exists: 4 of 5 is safe */
    assert_false(is_consistent(f, first, f->path));
    assert_true(fake_only(f->plain, "consistency.fork"));
    free(three);
}

/* 9 */
static void a_transplanted_cosignature_spoils_the_note(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) note = {0};
    OWN(buffer) other = {0};
    const uint8_t *line;

    fake_note(f->log, SIZE, "123", &note);
    fake_note(f->log, 200, "4", &other);
    line = memmem(other.data, other.size, "\xe2\x80\x94 gw.segob/witness", 20);
    assert_non_null(line);
    buffer_put(&note, line, (size_t)(other.data + other.size - line));
    write_file(f, "checkpoint", &note);
    assert_true(fake_reads(f->plain, f->path, NULL)); /* knows no witness */
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(report_has(&f->quorate->report, "witness.signature"));
}

static void a_note_without_the_logs_signature_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) note = {0};
    OWN(buffer) bare = {0};
    const uint8_t *text_end;
    const uint8_t *second;

    fake_note(f->log, SIZE, "12345", &note);
    text_end = memmem(note.data, note.size, "\n\n", 2);
    assert_non_null(text_end);
    second = memmem(text_end, (size_t)(note.data + note.size - text_end),
                    "\xe2\x80\x94 gw.ssc/witness", 18);
    assert_non_null(second);
    buffer_put(&bare, note.data, (size_t)(text_end + 2 - note.data));
    buffer_put(&bare, second, (size_t)(note.data + note.size - second));
    write_file(f, "checkpoint", &bare);
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "checkpoint.unknown_log"));
}

static void the_own_witness_does_not_fill_the_quorum(void **state)
{
    struct fixture *f = *state;

    export_anew(f, SIZE, "0123");
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    assert_true(report_has(&f->quorate->report, "witness.own"));
    export_anew(f, SIZE, "1123");
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    export_anew(f, SIZE, "4123");
    assert_true(fake_reads(f->quorate, f->path, NULL));
}

/* 10 */
static void a_stale_view_is_found_by_the_age_of_its_cosignatures(void **state)
{
    struct fixture *f = *state;

    f->quorate->trust.now_s = fake_time(SIZE) + 7200;
    assert_true(fake_reads(f->quorate, f->path, NULL));
    f->quorate->trust.fresh_s = 3600;
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    assert_true(report_has(&f->quorate->report, "witness.stale"));
}

/* Checkpoints of sizes 100, 200 and 300, each cosigned in its time. */
static void export_with_history(struct fixture *f)
{
    empty(f->path);
    for (size_t size = 100; size <= SIZE; size += 100) {
        assert_int_equal(fake_export(f->log, f->path, size, "1234", true, &f->fault), RC_OK);
    }
}

/* 11: an hour off, within the order of times. */
static void a_log_clock_that_is_off_is_found_by_the_witnesses_times(void **state)
{
    struct fixture *f = *state;

    export_with_history(f);
    assert_true(fake_reads(f->quorate, f->path, NULL));
    for (size_t i = 150; i < 200; i++) {
        fake_encode(f->log, i, fake_time(200) + 3600);
    }
    for (size_t i = 200; i < SIZE; i++) {
        fake_encode(f->log, i, fake_time(i) + 3600 + 3000);
    }
    export_with_history(f);
    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "entry.bracket"));
}

static void a_time_that_goes_back_or_lies_ahead_is_found_in_the_leaf(void **state)
{
    struct fixture *f = *state;

    fake_encode(f->log, 40, fake_time(40) - 2 * FAKE_STEP);
    export_anew(f, SIZE, "");
    assert_false(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_only(f->plain, "entry.time"));
    fake_encode(f->log, 40, fake_time(40));
    fake_encode(f->log, SIZE - 1, f->plain->trust.now_s + TRUST_TOLERANCE_S + 1);
    export_anew(f, SIZE, "");
    assert_false(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_only(f->plain, "entry.future"));
}

static void a_witness_whose_clock_is_ahead_does_not_count(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) note = {0};

    f->quorate->trust.now_s = fake_time(SIZE);
    fake_note(f->log, SIZE, "123", &note);
    fake_cosign(f->log, "4", fake_time(SIZE) + TRUST_TOLERANCE_S + 1, &note);
    write_file(f, "checkpoint", &note);
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    assert_true(report_has(&f->quorate->report, "witness.ahead"));
    f->quorate->trust.now_s += 2;
    assert_true(fake_reads(f->quorate, f->path, NULL));
}

/* 12: with the log's key, after size 200 was cosigned, dated before it. */
static void a_back_dated_entry_is_found_by_the_witnesses_times(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 180; i < 200; i++) {
        fake_encode(f->log, i, fake_time(180));
    }
    fake_encode(f->log, 200, fake_time(180));
    export_with_history(f);
    f->quorate->trust.tolerance_s = 120;
    assert_true(fake_reads(f->plain, f->path, NULL));
    assert_false(fake_reads(f->quorate, f->path, NULL));
    assert_true(fake_only(f->quorate, "entry.bracket"));
    assert_int_equal(f->quorate->report.bad_total, 1);
    assert_non_null(strstr(f->quorate->report.findings[0].where, "hoja 200"));
}

/* 22: as the folder's checkpoint, and as the proof in a receipt. */
static void malformed_checkpoints_are_refused(void **state)
{
    static const char root[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    static const struct {
        const char *why;
        const char *text; /* %s: the root */
    } rows[] = {
        {"leading zero", ORIGIN "\n0300\n%s\n"},
        {"2^63", ORIGIN "\n9223372036854775808\n%s\n"},
        {"CRLF", ORIGIN "\r\n300\r\n%s\r\n"},
        {"extension line", ORIGIN "\n300\n%s\nmore\n"},
        {"hidden bits", ORIGIN "\n300\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n"},
        {"no size", ORIGIN "\n\n%s\n"},
        {"another origin", "gw.ssc/audit/2026\n300\n%s\n"},
        {"a NUL", ORIGIN "\n300\n%s\n\x01\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        OWN(buffer) note = {0};

        snprintf(text, sizeof text, rows[i].text, root);
        buffer_put_bytes(&note, bytes_text(text));
        buffer_put_u8(&note, '\n');
        assert_int_equal(note_sign_line(bytes_text(text), ORIGIN, f->log->key, &note), RC_OK);
        write_file(f, "checkpoint", &note);
        if (fake_reads(f->plain, f->path, NULL)) {
            fail_msg("accepted: %s", rows[i].why);
        }
        assert_true(fake_only(f->plain, "checkpoint.malformed") ||
                    fake_only(f->plain, "checkpoint.unknown_log"));
    }
}

static void a_note_of_a_megabyte_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) note = {0};

    fake_note(f->log, SIZE, "", &note);
    while (note.size < (size_t)1 << 20) {
        buffer_put_bytes(&note, bytes_text("\xe2\x80\x94 gw.x/witness AAAAAAAAAAAAAAAAAAAA\n"));
    }
    write_file(f, "checkpoint", &note);
    assert_false(fake_reads(f->plain, f->path, NULL));
    assert_true(fake_only(f->plain, "checkpoint.missing"));
}

/* ---- receipts ---- */

/* R0 of leaf `index` in the tree of SIZE. */
static void make_receipt(const struct fixture *f, size_t index, const struct proof *path,
                         const uint8_t *leaf, const char *by, struct buffer *text)
{
    OWN(buffer) note = {0};
    OWN(buffer) proof = {0};
    uint8_t message[DIGEST_SIZE];

    fake_note(f->log, SIZE, by, &note);
    tlog_proof_write(index, path, (struct bytes){0}, buffer_bytes(&note), &proof);
    fake_message(index, message);
    buffer_clear(text);
    buffer_print(text, "enlace-receipt v1\nmessage 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\n"
                       "commitment ");
    buffer_put_base64(text, BYTES_OF(message));
    buffer_print(text, "\nreceipt R0 %zu\nleaf ", proof.size);
    buffer_put_base64(text, BYTES(leaf, LEAF_SIZE));
    buffer_put_u8(text, '\n');
    buffer_put_bytes(text, buffer_bytes(&proof));
}

/* PATH by the definition: out of all leaf hashes. */
static enum rc node_of(struct node_source *source, unsigned level, uint64_t index,
                       uint8_t out[DIGEST_SIZE]);

struct all_leaves {
    struct node_source source; /* first */
    uint8_t hashes[SIZE][DIGEST_SIZE];
};

static enum rc node_of(struct node_source *source, unsigned level, uint64_t index,
                       uint8_t out[DIGEST_SIZE])
{
    const struct all_leaves *all = (const struct all_leaves *)source;

    merkle_root((const uint8_t(*)[DIGEST_SIZE])all->hashes + (index << level), (size_t)1 << level,
                out);
    return RC_OK;
}

static void make_path(const struct fixture *f, size_t index, struct proof *path)
{
    static struct all_leaves all;

    all.source.node = node_of;
    for (size_t i = 0; i < SIZE; i++) {
        merkle_leaf(BYTES_OF(f->log->leaves[i]), all.hashes[i]);
    }
    assert_int_equal(proof_inclusion(&all.source, index, SIZE, path), RC_OK);
}

static bool receipt_verifies(struct fake_reader *reader, const struct buffer *text)
{
    struct receipt_bundle bundle;

    reader->report.fact_count = 0;
    reader->report.finding_count = 0;
    reader->report.bad_total = 0;
    if (receipt_bundle_parse(buffer_bytes(text), &bundle) != RC_OK) {
        return false;
    }
    (void)receipts_check(&bundle, &reader->trust, &reader->report);
    return reader->report.bad_total == 0;
}

static void a_receipt_has_a_grade_and_needs_the_quorum_that_is_asked(void **state)
{
    struct fixture *f = *state;
    struct proof path;
    OWN(buffer) text = {0};

    make_path(f, 123, &path);
    make_receipt(f, 123, &path, f->log->leaves[123], "1234", &text);
    assert_true(receipt_verifies(f->plain, &text));
    assert_true(receipt_verifies(f->quorate, &text));
    make_receipt(f, 123, &path, f->log->leaves[123], "", &text);
    assert_true(receipt_verifies(f->plain, &text));
    assert_false(receipt_verifies(f->quorate, &text));
    assert_true(fake_only(f->quorate, "policy.quorum"));
    f->quorate->trust.is_unwitnessed_fine = true;
    assert_true(receipt_verifies(f->quorate, &text));
}

static void every_flipped_bit_of_a_receipt_is_refused(void **state)
{
    struct fixture *f = *state;
    struct proof path;
    OWN(buffer) text = {0};
    size_t id;

    make_path(f, 123, &path);
    make_receipt(f, 123, &path, f->log->leaves[123], "1234", &text);
    /* The message's id is not what a leaf commits to: M is, and M holds the header. */
    id = strlen("enlace-receipt v1\nmessage ");
    for (size_t i = 0; i < text.size; i++) {
        if (i >= id && i < id + 36) {
            continue;
        }
        text.data[i] ^= (uint8_t)(1u << i % 8);
        if (receipt_verifies(f->quorate, &text) &&
            memmem(text.data, text.size, "receipt R1", 10) == NULL) {
            fail_msg("byte %zu flipped and not seen", i);
        }
        text.data[i] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(receipt_verifies(f->quorate, &text));
}

/* 23 */
static void paths_that_are_longer_shorter_or_turned_are_refused(void **state)
{
    struct fixture *f = *state;
    struct proof path;
    struct proof wrong;
    OWN(buffer) text = {0};

    make_path(f, 123, &path);
    for (size_t cut = 0; cut < path.count; cut++) {
        wrong = path;
        wrong.count = cut;
        make_receipt(f, 123, &wrong, f->log->leaves[123], "", &text);
        assert_false(receipt_verifies(f->plain, &text));
        assert_true(fake_only(f->plain, "receipt.not_included"));
        wrong = path;
        memcpy(wrong.hashes[cut], path.hashes[(cut + 1) % path.count], DIGEST_SIZE);
        make_receipt(f, 123, &wrong, f->log->leaves[123], "", &text);
        assert_false(receipt_verifies(f->plain, &text));
    }
    wrong = path;
    while (wrong.count < 63) {
        memset(wrong.hashes[wrong.count++], 0, DIGEST_SIZE);
        make_receipt(f, 123, &wrong, f->log->leaves[123], "", &text);
        assert_false(receipt_verifies(f->plain, &text));
    }
    memset(wrong.hashes[wrong.count++], 0, DIGEST_SIZE); /* 64 hashes */
    make_receipt(f, 123, &wrong, f->log->leaves[123], "", &text);
    assert_false(receipt_verifies(f->plain, &text));
    assert_true(fake_only(f->plain, "receipt.malformed"));
}

/* A node's two children, shown as a leaf: the prefixes of RFC 6962 tell them apart. */
static void a_node_shown_as_an_entry_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t children[2 * DIGEST_SIZE];
    uint8_t parent[DIGEST_SIZE];
    uint8_t as_leaf[DIGEST_SIZE];
    struct proof path;
    struct proof upper;
    uint8_t root[DIGEST_SIZE];

    make_path(f, 0, &path);
    fake_root(f->log, SIZE, root);
    merkle_leaf(BYTES_OF(f->log->leaves[0]), children);
    memcpy(children + DIGEST_SIZE, path.hashes[0], DIGEST_SIZE);
    upper.count = path.count - 1;
    memcpy(upper.hashes, path.hashes + 1, upper.count * sizeof upper.hashes[0]);
    merkle_node(children, children + DIGEST_SIZE, parent);
    merkle_leaf(BYTES_OF(children), as_leaf);
    /* In a tree of half the size that path would be long enough: the control. */
    assert_int_equal(proof_check_inclusion(parent, 0, SIZE / 2, &upper, root), RC_OK);
    assert_int_equal(proof_check_inclusion(as_leaf, 0, SIZE / 2, &upper, root), RC_DATA_LOSS);
    assert_int_equal(proof_check_inclusion(parent, 0, SIZE, &upper, root), RC_DATA_LOSS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_an_attack_everything_verifies),
        TEST(a_flipped_bit_is_found_where_it_is),
        TEST(a_file_of_another_length_is_found),
        TEST(a_rewritten_entry_under_the_old_checkpoint_is_found_by_the_root),
        TEST(reordered_entries_are_found_by_their_own_index),
        TEST(a_cut_tail_is_found_by_what_is_missing),
        TEST(a_valid_older_state_is_found_only_by_who_remembers),
        TEST(a_past_rewritten_with_the_logs_key_is_found_by_quorum_or_memory),
        TEST(a_fork_that_outgrew_the_old_size_is_found_by_consistency),
        TEST(two_views_of_one_size_need_more_liars_than_the_quorum_allows),
        TEST(a_transplanted_cosignature_spoils_the_note),
        TEST(a_note_without_the_logs_signature_is_refused),
        TEST(the_own_witness_does_not_fill_the_quorum),
        TEST(a_stale_view_is_found_by_the_age_of_its_cosignatures),
        TEST(a_log_clock_that_is_off_is_found_by_the_witnesses_times),
        TEST(a_time_that_goes_back_or_lies_ahead_is_found_in_the_leaf),
        TEST(a_witness_whose_clock_is_ahead_does_not_count),
        TEST(a_back_dated_entry_is_found_by_the_witnesses_times),
        TEST(malformed_checkpoints_are_refused),
        TEST(a_note_of_a_megabyte_is_refused),
        TEST(a_receipt_has_a_grade_and_needs_the_quorum_that_is_asked),
        TEST(every_flipped_bit_of_a_receipt_is_refused),
        TEST(paths_that_are_longer_shorter_or_turned_are_refused),
        TEST(a_node_shown_as_an_entry_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
