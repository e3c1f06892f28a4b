#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/body.h"
#include "store/change.h"
#include "store/copy.h"
#include "store/dbkey.h"
#include "store/feed.h"
#include "unit/store/logstore.h"

#define COMMITS 40

struct both {
    struct logstore store; /* first: the node's */
    char folder[64];       /* the copy's */
    struct copy *copy;
};

static void open_node(struct both *both, bool is_followed)
{
    struct db_options options = logstore_options(&both->store);

    options.is_followed = is_followed;
    assert_int_equal(db_open(&options, &both->store.db), RC_OK);
    assert_int_equal(logstore_open_writer(&both->store), RC_OK);
}

static void open_copy(struct both *both)
{
    struct copy_options options = {.folder = both->folder,
                                   .vkey = &both->store.vkey,
                                   .epoch = 1,
                                   .map_size = TEST_MAP,
                                   .floor_bytes = 1 << 20};

    assert_int_equal(copy_open(&options, &both->copy), RC_OK);
}

static int make(void **state)
{
    static struct both both;

    memset(&both, 0, sizeof both);
    logstore_make(&both.store);
    temporary_path(both.folder);
    open_node(&both, true);
    open_copy(&both);
    *state = &both;
    return 0;
}

static int clean(void **state)
{
    struct both *both = *state;

    copy_free(both->copy);
    logstore_remove(&both->store);
    remove_path(both->folder);
    return 0;
}

/* ---- what the node does ---- */

static enum rc append_with_body(struct deed *deed, struct txn *txn)
{
    static uint8_t content[700];
    struct leaf leaf = {.class = LEAF_RECORD};
    uint8_t blind[COMMIT_BLIND_SIZE] = {1};
    struct bytes record = bytes_text("record");
    struct dbkey key;

    commit_record(blind, record, leaf.record);
    TRY(auditlog_append(txn, &leaf, record, blind, &deed->index));
    TRY(body_put(txn, deed->index, bytes_text("keys"), BYTES_OF(content)));
    dbkey_u64(&key, deed->index);
    return table_put(txn, TABLE_EVIDENCE, dbkey_bytes(&key), bytes_text("row"));
}

static enum rc rewrap_and_delete(struct deed *deed, struct txn *txn)
{
    TRY(body_rewrap(txn, deed->number, bytes_text("other keys")));
    return body_delete(txn, deed->number + 1);
}

static void do_deed(struct both *both, enum rc (*what)(struct deed *, struct txn *),
                    unsigned leaves, uint64_t number)
{
    struct deed deed;

    deed_init(&deed, what, leaves);
    deed.number = number;
    assert_int_equal(deed_run(&both->store, &deed), RC_OK);
}

static void bring(struct both *both, unsigned commits)
{
    for (unsigned i = 0; i < commits; i++) {
        do_deed(both, append_with_body, 1, i);
    }
}

/* ---- what the follower does ---- */

static enum rc read_page(struct both *both, struct feed_page *page)
{
    memset(page, 0, sizeof *page);
    return feed_read(both->store.db, copy_position(both->copy), page);
}

static enum rc give(struct both *both, const struct feed_page *page, struct bytes rows)
{
    struct commit_point *point = writer_latest(both->store.writer);
    struct copy_page out = {.next = page->next,
                            .walk = buffer_bytes(&page->walk),
                            .rows = rows,
                            .is_complete = page->is_complete,
                            .checkpoint = commit_point_note(point)};
    enum rc rc;

    memcpy(out.feed, page->feed, FEED_ID_SIZE);
    rc = copy_take(both->copy, &out);
    commit_point_release(point);
    return rc;
}

/* One page; whether it was the last one. */
static enum rc step(struct both *both, bool *is_complete)
{
    struct feed_page page;
    enum rc rc = read_page(both, &page);

    if (rc == RC_NOT_FOUND) {
        copy_begin_again(both->copy);
        feed_page_release(&page);
        return RC_OK;
    }
    rc = rc == RC_OK ? give(both, &page, buffer_bytes(&page.rows)) : rc;
    *is_complete = rc == RC_OK && page.is_complete;
    feed_page_release(&page);
    return rc;
}

static enum rc follow(struct both *both)
{
    bool is_complete = false;

    for (int i = 0; i < 1000 && !is_complete; i++) {
        TRY(step(both, &is_complete));
    }
    assert_true(is_complete);
    return RC_OK;
}

static void read_rows(struct txn *txn, enum table table, struct buffer *out)
{
    OWN_PTR(cursor) cursor = NULL;
    struct row row;

    assert_int_equal(cursor_open(txn, table, (struct bytes){0}, &cursor), RC_OK);
    while (cursor_next(cursor, &row) == RC_OK) {
        if (table != TABLE_FORMAT || feed_is_shared_fact(row.key)) {
            buffer_put_chunk(out, row.key);
            buffer_put_chunk(out, row.value);
        }
    }
}

/* Every table, row for row. */
static void assert_same(struct both *both)
{
    char path[80];
    struct db_options options = logstore_options(&both->store);
    OWN_PTR(db) db = NULL;
    OWN_READ(mine) = NULL;
    OWN_READ(node) = NULL;

    copy_free(both->copy);
    both->copy = NULL;
    snprintf(path, sizeof path, "%s/log", both->folder);
    options.path = path;
    assert_int_equal(db_open(&options, &db), RC_OK);
    assert_int_equal(txn_read(db, &mine), RC_OK);
    assert_int_equal(txn_read(both->store.db, &node), RC_OK);
    for (int table = 0; table < TABLES; table++) {
        OWN(buffer) held = {0};
        OWN(buffer) wanted = {0};

        if (db_table_name(db, (enum table)table) != NULL && table != TABLE_CHANGE) {
            read_rows(mine, (enum table)table, &held);
            read_rows(node, (enum table)table, &wanted);
            assert_true(bytes_equal(buffer_bytes(&held), buffer_bytes(&wanted)));
        }
    }
    txn_end(mine);
    mine = NULL;
    txn_end(node);
    node = NULL;
    db_free(db);
    db = NULL;
    open_copy(both);
}

static bool has_manifest(const struct both *both)
{
    char path[80];

    snprintf(path, sizeof path, "%s/manifest", both->folder);
    return access(path, F_OK) == 0;
}

/* ---- tests ---- */

static void a_copy_has_every_row(void **state)
{
    struct both *both = *state;

    bring(both, COMMITS);
    assert_false(copy_is_whole(both->copy));
    assert_false(has_manifest(both));
    assert_int_equal(follow(both), RC_OK);
    assert_true(copy_is_whole(both->copy) && has_manifest(both));
    assert_int_equal(copy_size(both->copy), COMMITS);
    assert_same(both);
    assert_true(copy_is_whole(both->copy));
    bring(both, COMMITS);
    assert_int_equal(follow(both), RC_OK);
    assert_int_equal(copy_size(both->copy), 2 * COMMITS);
    assert_same(both);
}

/* Pages of the walk lie in transactions of their own: what changes between them comes again. */
static void a_walk_goes_on_while_the_log_grows(void **state)
{
    struct both *both = *state;
    bool is_complete = false;

    for (int i = 0; i < 1800; i += 60) {
        do_deed(both, append_leaves, 60, (uint64_t)i);
    }
    for (int i = 0; i < 1000 && !is_complete; i++) {
        bring(both, 2);
        do_deed(both, rewrap_and_delete, 0, 1800 + (uint64_t)i * 2);
        assert_int_equal(step(both, &is_complete), RC_OK);
        if (i % 2 == 1) {
            copy_free(both->copy);
            open_copy(both);
        }
    }
    assert_same(both);
}

static void what_is_wrapped_again_or_erased_is_so_in_the_copy(void **state)
{
    struct both *both = *state;

    bring(both, 4);
    assert_int_equal(follow(both), RC_OK);
    do_deed(both, rewrap_and_delete, 0, 1);
    assert_int_equal(follow(both), RC_OK);
    assert_same(both);
}

/* The row of the first commit is found in the page, and each of its bytes flipped. */
static void a_flipped_byte_of_the_log_is_refused(void **state)
{
    struct both *both = *state;
    struct feed_page page;
    struct bytes rest;
    struct change change;
    size_t tried = 0;

    bring(both, 3);
    assert_int_equal(read_page(both, &page), RC_OK);
    rest = buffer_bytes(&page.rows);
    while (change_next(&rest, &change) == RC_OK) {
        size_t at = (size_t)(change.value.data - page.rows.data);

        if (!bytes_are_text(change.table, "commit") || change.key.data[8] != 0) {
            continue;
        }
        for (size_t i = 0; i < change.value.size; i++, tried++) {
            page.rows.data[at + i] ^= 1;
            assert_int_equal(give(both, &page, buffer_bytes(&page.rows)), RC_INVALID_ARGUMENT);
            page.rows.data[at + i] ^= 1;
        }
    }
    assert_true(tried > 3 * 200);
    assert_int_equal(copy_size(both->copy), 0);
    assert_int_equal(give(both, &page, buffer_bytes(&page.rows)), RC_OK); /* the control */
    assert_int_equal(copy_size(both->copy), 3);
    feed_page_release(&page);
}

static void put_text_row(struct buffer *rows, const char *table, const char *key,
                         enum change_kind kind)
{
    struct change change = {.table = bytes_text(table),
                            .kind = kind,
                            .key = bytes_text(key),
                            .value = bytes_text("value")};

    buffer_clear(rows);
    change_put(rows, &change);
}

static void what_no_feed_has_is_refused(void **state)
{
    static const struct {
        const char *table;
        const char *key;
        enum change_kind kind;
    } rows[] = {
        {"posting", "k", CHANGE_VALUE},         {"seen", "k", CHANGE_VALUE},
        {"change", "12345678", CHANGE_VALUE},   {"format", "format", CHANGE_VALUE},
        {"format", "feed", CHANGE_VALUE},       {"format", "copy", CHANGE_VALUE},
        {"format", "copy", CHANGE_GONE},        {"commit", "short", CHANGE_VALUE},
        {"commit", "123456789", CHANGE_STANDS}, {"message", "k", CHANGE_STANDS},
        {"message", "k", CHANGE_GONE}, /* while it walks */
    };
    struct both *both = *state;
    OWN(buffer) bad = {0};
    struct feed_page page;

    bring(both, 1);
    assert_int_equal(read_page(both, &page), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_text_row(&bad, rows[i].table, rows[i].key, rows[i].kind);
        assert_int_equal(give(both, &page, buffer_bytes(&bad)), RC_INVALID_ARGUMENT);
    }
    for (size_t size = 1; size < page.rows.size; size++) {
        enum rc rc = give(both, &page, BYTES(page.rows.data, size));

        if (rc == RC_OK) { /* cut between two rows: the walk would go on */
            break;
        }
        assert_int_equal(rc, RC_INVALID_ARGUMENT);
    }
    feed_page_release(&page);
}

static void changes_of_another_form_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } rows[] = {
        {"", 1},                             /* no name */
        {"\1t", 2},                          /* no kind */
        {"\1t\3\0\1k", 6},                   /* another kind */
        {"\1t\0\0\0", 5},                    /* no key */
        {"\1t\0\0\2k", 6},                   /* a key that is cut */
        {"\1t\1\0\1k\0\0\0", 9},             /* a length that is cut */
        {"\1t\1\0\1k\0\0\0\2v", 11},         /* a value that is cut */
        {"\1t\1\0\1k\377\377\377\377v", 11}, /* a value beyond all */
        {"\1t\0\2\0"
         "0123456789012345",
         21}, /* a key of 512 bytes */
        {"\41"
         "abcdefghijklmnopqrstuvwxyzabcdefg\0\0\1k",
         38}, /* a name of 33 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes rest = BYTES(rows[i].bytes, rows[i].size);
        struct change change;

        assert_int_equal(change_next(&rest, &change), RC_DATA_LOSS);
        assert_int_equal(rest.size, rows[i].size);
    }
}

static void another_place_than_asked_for_is_refused(void **state)
{
    struct both *both = *state;
    struct feed_page page;

    bring(both, 2);
    assert_int_equal(follow(both), RC_OK);
    bring(both, 2);
    assert_int_equal(read_page(both, &page), RC_OK);
    page.feed[0] ^= 1;
    assert_int_equal(give(both, &page, buffer_bytes(&page.rows)), RC_INVALID_ARGUMENT);
    page.feed[0] ^= 1;
    page.next = 1;
    assert_int_equal(give(both, &page, buffer_bytes(&page.rows)), RC_INVALID_ARGUMENT);
    feed_page_release(&page);
    assert_int_equal(follow(both), RC_OK);
}

/* A node that ran without a feed has another one: the follower walks again and loses nothing. */
static void after_a_gap_it_begins_again(void **state)
{
    struct both *both = *state;

    bring(both, COMMITS);
    assert_int_equal(follow(both), RC_OK);
    logstore_close(&both->store);
    open_node(both, false);
    bring(both, 5);
    do_deed(both, rewrap_and_delete, 0, 2);
    logstore_close(&both->store);
    open_node(both, true);
    bring(both, 5);
    assert_int_equal(follow(both), RC_OK);
    assert_int_equal(copy_size(both->copy), COMMITS + 10);
    assert_true(copy_is_whole(both->copy));
    assert_same(both);
}

/* An empty node under the same key: older than the copy; then with as many leaves, another log. */
static void another_log_never_replaces_the_copy(void **state)
{
    struct both *both = *state;
    bool is_complete;

    bring(both, 5);
    assert_int_equal(follow(both), RC_OK);
    logstore_close(&both->store);
    remove_path(both->store.path);
    assert_int_equal(mkdir(both->store.path, 0700), 0);
    open_node(both, true);
    bring(both, 3);
    assert_int_equal(step(both, &is_complete), RC_OK); /* begin again */
    assert_int_equal(step(both, &is_complete), RC_ABORTED);
    do_deed(both, append_leaves, 3, 0);
    bring(both, 4);
    assert_int_equal(step(both, &is_complete), RC_ABORTED);
    assert_int_equal(copy_size(both->copy), 5);
    assert_true(copy_is_whole(both->copy) && has_manifest(both));
}

/* A backup goes on by itself: its feed is another one, though its changes have the same numbers. */
static void a_restored_backup_has_another_feed(void **state)
{
    struct both *both = *state;
    char archive[80];
    char live[80];
    char log[90];
    struct archive_options options = {
        .kind = ARCHIVE_LOG, .archive = archive, .live = both->store.path, .log = both->store.db};
    struct db_options db = logstore_options(&both->store);
    bool is_complete;

    snprintf(archive, sizeof archive, "%s/archive", both->folder);
    snprintf(live, sizeof live, "%s/live", both->folder);
    snprintf(log, sizeof log, "%s/log", live);
    bring(both, 3);
    assert_int_equal(archive_make(&options), RC_OK);
    bring(both, 1);
    assert_int_equal(follow(both), RC_OK);
    options.live = live;
    options.log = NULL;
    assert_int_equal(archive_restore(&options), RC_OK);
    logstore_close(&both->store);
    db.path = log;
    db.is_followed = true;
    assert_int_equal(db_open(&db, &both->store.db), RC_OK);
    assert_int_equal(logstore_open_writer(&both->store), RC_OK);
    bring(both, 5); /* as many changes as the copy has seen, and more */
    assert_int_equal(step(both, &is_complete), RC_OK);
    assert_false(copy_position(both->copy)->has_feed); /* told to begin again */
}

static void what_was_confirmed_is_let_go(void **state)
{
    struct both *both = *state;
    OWN_READ(txn) = NULL;
    uint64_t count;

    bring(both, COMMITS);
    assert_int_equal(follow(both), RC_OK);
    db_confirm(both->store.db, copy_position(both->copy)->next);
    bring(both, 3);
    assert_int_equal(txn_read(both->store.db, &txn), RC_OK);
    assert_int_equal(table_count(txn, TABLE_CHANGE, &count), RC_OK);
    assert_true(count <= 3);
    txn_end(txn);
    txn = NULL;
    assert_int_equal(follow(both), RC_OK);
    assert_same(both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_has_every_row, make, clean),
        cmocka_unit_test_setup_teardown(a_walk_goes_on_while_the_log_grows, make, clean),
        cmocka_unit_test_setup_teardown(what_is_wrapped_again_or_erased_is_so_in_the_copy, make,
                                        clean),
        cmocka_unit_test_setup_teardown(a_flipped_byte_of_the_log_is_refused, make, clean),
        cmocka_unit_test_setup_teardown(what_no_feed_has_is_refused, make, clean),
        cmocka_unit_test(changes_of_another_form_are_refused),
        cmocka_unit_test_setup_teardown(another_place_than_asked_for_is_refused, make, clean),
        cmocka_unit_test_setup_teardown(after_a_gap_it_begins_again, make, clean),
        cmocka_unit_test_setup_teardown(another_log_never_replaces_the_copy, make, clean),
        cmocka_unit_test_setup_teardown(a_restored_backup_has_another_feed, make, clean),
        cmocka_unit_test_setup_teardown(what_was_confirmed_is_let_go, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
