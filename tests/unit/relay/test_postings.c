#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/record.h"
#include "relay/facts.h"
#include "relay/postings.h"

static struct posting posting_of(uint8_t mark)
{
    struct posting posting = {.count = 1};

    memset(posting.prefixes[0], mark, INDEX_PREFIX_SIZE);
    return posting;
}

static void put(struct postings *postings, uint64_t leaf)
{
    struct posting posting = posting_of((uint8_t)leaf);

    postings_put(postings, &posting, leaf);
}

static void expect(struct postings *postings, uint64_t leaf)
{
    const struct posting *found = postings_find(postings, leaf);

    assert_non_null(found);
    assert_int_equal(found->leaf, leaf);
    assert_int_equal(found->prefixes[0][0], (uint8_t)leaf);
}

static void what_was_put_is_found_in_the_logs_order_and_nothing_else(void **state)
{
    OWN_PTR(postings) postings = postings_new();

    (void)state;
    assert_null(postings_find(postings, 0));
    put(postings, 3);
    put(postings, 5);
    assert_null(postings_find(postings, 2)); /* read from the log */
    expect(postings, 3);
    put(postings, 8);
    assert_null(postings_find(postings, 4));
    expect(postings, 5);
    assert_null(postings_find(postings, 6));
    assert_null(postings_find(postings, 7));
    expect(postings, 8);
    assert_null(postings_find(postings, 9));
    put(postings, 9);
    expect(postings, 9);
}

static void the_indexer_may_skip_ahead(void **state)
{
    OWN_PTR(postings) postings = postings_new();

    (void)state;
    for (uint64_t leaf = 0; leaf < 100; leaf++) {
        put(postings, leaf);
    }
    expect(postings, 90);
    assert_null(postings_find(postings, 10)); /* forgotten */
    expect(postings, 91);
}

static void memory_is_bounded_and_what_is_dropped_is_read_from_the_log(void **state)
{
    OWN_PTR(postings) postings = postings_new();

    (void)state;
    for (uint64_t leaf = 0; leaf < POSTINGS_MAX + 10; leaf++) {
        put(postings, leaf);
    }
    expect(postings, POSTINGS_MAX - 1);
    assert_null(postings_find(postings, POSTINGS_MAX));
    put(postings, POSTINGS_MAX + 10);
    assert_null(postings_find(postings, POSTINGS_MAX + 9));
    expect(postings, POSTINGS_MAX + 10);
}

static struct record record_of(void)
{
    struct record record;

    record_init(&record, RECORD_SENT);
    record.from = "cdmx/mpi-cdmx";
    record.to = "cdmx/ssc";
    record.type = MESSAGE_ACT;
    record.event = EVENT_ACCEPT;
    record.route = "r1";
    record.exchange_id.bytes[0] = 1;
    return record;
}

/* A leaf that is read from the log gives the same rows: an index made anew is compared with this.
 */
static void rows_are_those_of_the_facts_in_the_log(void **state)
{
    struct facts facts = {.has_record = true, .record = record_of()};
    struct index_term terms[FACTS_TERMS_MAX];
    struct posting posting;
    uint8_t prefix[INDEX_PREFIX_SIZE];
    size_t count;

    (void)state;
    facts.persons.count = 2;
    facts.persons.ids[0].bytes[0] = 2;
    facts.persons.ids[1].bytes[0] = 3;
    posting_make(&facts.record, &facts.persons, &posting);
    count = facts_terms(&facts, terms);
    assert_int_equal(count, 8);
    assert_int_equal(posting.count, count);
    for (size_t i = 0; i < count; i++) {
        index_prefix(&terms[i], prefix);
        assert_memory_equal(posting.prefixes[i], prefix, INDEX_PREFIX_SIZE);
    }
}

static void a_message_of_many_persons_is_read_from_the_log(void **state)
{
    OWN_PTR(postings) postings = postings_new();
    const struct record record = record_of();
    struct content_persons persons = {.count = 4};
    struct posting posting;

    (void)state;
    posting_make(&record, &persons, &posting);
    assert_int_equal(posting.count, 0);
    postings_put(postings, &posting, 1);
    assert_null(postings_find(postings, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_in_the_logs_order_and_nothing_else),
        cmocka_unit_test(the_indexer_may_skip_ahead),
        cmocka_unit_test(memory_is_bounded_and_what_is_dropped_is_read_from_the_log),
        cmocka_unit_test(rows_are_those_of_the_facts_in_the_log),
        cmocka_unit_test(a_message_of_many_persons_is_read_from_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
