/* A log is believed only when everything in it holds; each lie has its own name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "workload/logbook.h"
#include "workload/paper_log.h"

#define ORIGIN "gw.cdmx/audit/2026"

struct counter {
    struct logbook_reader reader; /* first */
    unsigned records;
};

static enum rc count(struct logbook_reader *reader, const struct record *record)
{
    struct counter *counter = (struct counter *)reader;

    counter->records++;
    assert_int_equal(record->occurrence, counter->records);
    return RC_OK;
}

/* One page, given to a book; the fault's reason is the answer, "" when it was taken. */
static const char *give(struct logbook *book, const struct paper_page *page)
{
    static struct fault fault;
    static struct counter counter;
    OWN_PTR(arena) arena = arena_new(1 << 20);

    fault = (struct fault){0};
    counter = (struct counter){{count}, (unsigned)logbook_next(book)};
    if (logbook_page(book, &page->page, arena, &counter.reader, &fault) == RC_OK) {
        assert_int_equal(counter.records, logbook_next(book));
        return "";
    }
    return fault.reason;
}

static void a_whole_log_is_read(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "");
    assert_true(logbook_is_done(book));
    assert_true(bytes_equal(logbook_note(book), buffer_bytes(&page.note)));
}

static void it_may_grow_while_it_is_read(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) first;
    OWN(paper_page) second;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_show(&log, 0, 3, 5, &first);
    paper_show(&log, 3, 5, 8, &second);
    assert_string_equal(give(book, &first), "");
    assert_false(logbook_is_done(book));
    assert_string_equal(give(book, &second), "");
    assert_true(logbook_is_done(book));
    assert_int_equal(logbook_next(book), 5); /* what came later is for the next reading */
}

/* Flips each byte of what a page shows of one entry, in turn. */
static void no_flipped_byte_goes_unseen(void **state)
{
    OWN(paper_log) log;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    for (unsigned part = 0; part < 5; part++) {
        OWN(paper_page) page;
        struct bytes target;

        paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
        target = part == 0   ? page.entries[5].leaf
                 : part == 1 ? page.entries[5].record
                 : part == 2 ? page.entries[5].record_blind
                 : part == 3 ? page.entries[5].path.hashes[1]
                             : page.page.checkpoint;
        for (size_t i = 0; i < target.size; i++) {
            uint8_t *byte = (uint8_t *)(uintptr_t)&target.data[i];
            OWN_PTR(logbook) book = logbook_new(&log.vkey);

            *byte ^= 1;
            if (give(book, &page)[0] == '\0') {
                fail_msg("part %u byte %zu", part, i);
            }
            *byte ^= 1;
        }
    }
}

static void a_leaf_left_out_is_missed(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_show(&log, 1, PAPER_LEAVES - 1, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "log.leaf");
}

static void time_that_runs_back_is_seen(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    paper_put(&log, 4, 1, PAPER_TIME_S);
    book = logbook_new(&log.vkey);
    paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "log.leaf");
}

static void a_record_held_back_is_missed(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    page.entries[2].record = (struct bytes){0};
    assert_string_equal(give(book, &page), "log.record");
}

static void another_logs_key_is_not_believed(void **state)
{
    OWN(paper_log) log;
    OWN(paper_log) other;
    OWN(paper_page) page;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    paper_log_make(&other, "gw.ssc/audit/2026", 1);
    book = logbook_new(&log.vkey);
    paper_show(&other, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "log.checkpoint");
}

/* Two histories of one size, each page whole in itself. */
static void two_histories_do_not_make_one(void **state)
{
    OWN(paper_log) log;
    OWN(paper_log) other;
    OWN(paper_page) first;
    OWN(paper_page) second;
    OWN_PTR(logbook) book = NULL;

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    paper_log_make(&other, ORIGIN, 2);
    book = logbook_new(&log.vkey);
    paper_show(&log, 0, 4, PAPER_LEAVES, &first);
    paper_show(&other, 4, 4, PAPER_LEAVES, &second);
    assert_string_equal(give(book, &first), "");
    assert_string_equal(give(book, &second), "log.root");
}

static void a_log_that_only_grew_is_the_same_log(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN(buffer) note = {0};
    OWN_PTR(logbook) book = NULL;
    struct fault fault = {0};

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_note(&log, 5, &note);
    assert_int_equal(logbook_remember(book, buffer_bytes(&note), &fault), RC_OK);
    paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "");
}

static void a_rewritten_past_is_seen(void **state)
{
    OWN(paper_log) log;
    OWN(paper_log) before;
    OWN(paper_page) page;
    OWN(buffer) note = {0};
    OWN_PTR(logbook) book = NULL;
    struct fault fault = {0};

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    paper_log_make(&before, ORIGIN, 2);
    book = logbook_new(&log.vkey);
    paper_note(&before, 5, &note);
    assert_int_equal(logbook_remember(book, buffer_bytes(&note), &fault), RC_OK);
    paper_show(&log, 0, PAPER_LEAVES, PAPER_LEAVES, &page);
    assert_string_equal(give(book, &page), "log.rewritten");
}

static void a_log_cut_short_is_seen(void **state)
{
    OWN(paper_log) log;
    OWN(paper_page) page;
    OWN(buffer) note = {0};
    OWN_PTR(logbook) book = NULL;
    struct fault fault = {0};

    (void)state;
    paper_log_make(&log, ORIGIN, 1);
    book = logbook_new(&log.vkey);
    paper_note(&log, PAPER_LEAVES, &note);
    assert_int_equal(logbook_remember(book, buffer_bytes(&note), &fault), RC_OK);
    paper_show(&log, 0, 4, 4, &page);
    assert_string_equal(give(book, &page), "log.rewritten");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_log_is_read),
        cmocka_unit_test(it_may_grow_while_it_is_read),
        cmocka_unit_test(no_flipped_byte_goes_unseen),
        cmocka_unit_test(a_leaf_left_out_is_missed),
        cmocka_unit_test(time_that_runs_back_is_seen),
        cmocka_unit_test(a_record_held_back_is_missed),
        cmocka_unit_test(another_logs_key_is_not_believed),
        cmocka_unit_test(two_histories_do_not_make_one),
        cmocka_unit_test(a_log_that_only_grew_is_the_same_log),
        cmocka_unit_test(a_rewritten_past_is_seen),
        cmocka_unit_test(a_log_cut_short_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
