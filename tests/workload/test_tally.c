/* Counting records as receivers log them gives the report of 2019; anything odd among them shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/digest.h"
#include "workload/plan.h"
#include "workload/tally.h"

static struct plan plan;

static int make_plan(void **state)
{
    (void)state;
    plan_make(2019, 1795000000000, &plan);
    return 0;
}

static const char *node_of(const char *member)
{
    static const char *const own[] = {"cdmx/ssc", "cdmx/pgj", "cdmx/sedesa", "mx/segob"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(own[i], member) == 0) {
            return own[i];
        }
    }
    return "cdmx/cdmx";
}

static void commitment_of(unsigned exchange, unsigned item, unsigned occurrence,
                          uint8_t out[HASH_SIZE])
{
    uint32_t numbers[3] = {exchange, item, occurrence};

    digest_of(&BYTES_OF(numbers), 1, out);
}

/* Both nodes' records of one message. */
static void add_pair(struct tally *tally, struct record *record,
                     const uint8_t commitment[HASH_SIZE])
{
    record->message_commitment = BYTES(commitment, HASH_SIZE);
    record->kind = RECORD_SENT;
    assert_int_equal(tally_add(tally, node_of(record->from), record), RC_OK);
    record->kind = RECORD_RECEIVED;
    assert_int_equal(tally_add(tally, node_of(record->to), record), RC_OK);
}

static void add_opening(struct tally *tally, unsigned n)
{
    const struct plan_exchange *exchange = &plan.exchanges[n];
    struct record record;
    uint8_t commitment[HASH_SIZE];

    record_init(&record, RECORD_SENT);
    commitment_of(n, 0, 0, commitment);
    record.exchange_id = exchange->id;
    record.type = exchange->type;
    record.from = exchange->from;
    record.to = exchange->to;
    record.catalogue_code = exchange->catalogue_code;
    record.occurred_on = "2019-05-01";
    if (exchange->parent != PLAN_NO_PARENT) {
        record.parent_exchange_id = plan.exchanges[exchange->parent].id;
    }
    add_pair(tally, &record, commitment);
}

static void report_record(unsigned n, unsigned item, unsigned occurrence, struct record *record)
{
    const struct plan_exchange *exchange = &plan.exchanges[n];

    record_init(record, RECORD_SENT);
    record->exchange_id = exchange->id;
    record->type = MESSAGE_STATUS_REPORT;
    record->from = exchange->to;
    record->to = exchange->from;
    record->catalogue_code = exchange->items[item].code;
    record->item = item + 1;
    record->occurrence = occurrence;
    record->occurred_on = "2019-12-12";
}

static void add_report(struct tally *tally, unsigned n, unsigned item, unsigned occurrence)
{
    struct record record;
    uint8_t commitment[HASH_SIZE];

    report_record(n, item, occurrence, &record);
    commitment_of(n, item + 1, occurrence, commitment);
    add_pair(tally, &record, commitment);
}

/* The whole year, without the last `missing` occurrences of the first exchange. */
static struct tally *tally_of_year(unsigned missing)
{
    struct tally *tally = tally_new(PLAN_LAST_DAY);

    assert_non_null(tally);
    for (unsigned n = 0; n < PLAN_EXCHANGES; n++) {
        add_opening(tally, n);
        for (unsigned item = 0; item < plan.exchanges[n].item_count; item++) {
            unsigned count = plan.exchanges[n].items[item].occurrences - (n == 0 ? missing : 0);

            for (unsigned k = 1; k <= count; k++) {
                add_report(tally, n, item, k);
            }
        }
    }
    return tally;
}

static int64_t figure(const struct tally *tally, const char *name)
{
    struct figures figures = {.count = 0};
    int64_t value;

    tally_figures(tally, &figures);
    (void)figures_find(&figures, name, &value);
    return value;
}

static void the_planned_year_gives_every_line_of_the_report(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    struct figures logs = {.count = 0};
    struct figures declared = {.count = 0};
    const struct figures_row *rows;
    size_t count;

    (void)state;
    tally_end(tally);
    tally_figures(tally, &logs);
    figures_declare(plan.people, &declared);
    rows = figures_rows(&count);
    for (size_t i = 0; i < count; i++) {
        const struct figures *ours = rows[i].source == FIGURES_LOGS ? &logs : &declared;
        int64_t value;

        if (rows[i].source == FIGURES_SECTION) {
            continue;
        }
        if (!figures_find(ours, rows[i].name, &value) || value != rows[i].reported) {
            fail_msg("%s: %lld, not %lld", rows[i].name, (long long)value,
                     (long long)rows[i].reported);
        }
    }
}

static void the_planned_year_has_no_faults(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    struct tally_faults faults;
    struct tally_unit unit;

    (void)state;
    tally_end(tally);
    tally_find_faults(tally, &faults);
    assert_int_equal(faults.unpaired, 0);
    assert_int_equal(faults.repeated, 0);
    assert_int_equal(faults.of_children, 0);
    assert_int_equal(faults.received, PLAN_EXCHANGES + PLAN_UNITS);
    assert_int_equal(faults.messages, 2 * (PLAN_EXCHANGES + PLAN_UNITS));
    assert_false(tally_unit(tally, PLAN_UNITS, &unit));
    assert_true(tally_unit(tally, PLAN_UNITS - 1, &unit));
}

static void a_missing_report_is_missed(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(1);

    (void)state;
    tally_end(tally);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS - 1);
    assert_int_equal(figure(tally, "acciones.proteccion"), 1087);
    assert_int_equal(figure(tally, "ejecutor.cdmx/ssc"), 484);
    assert_int_equal(figure(tally, "medidas.total"), PLAN_MEASURES);
}

static void what_happened_after_the_reports_day_does_not_count(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    uint8_t commitment[HASH_SIZE] = {1};
    struct record record;

    (void)state;
    report_record(0, 0, 23, &record);
    record.occurred_on = "2019-12-13";
    add_pair(tally, &record, commitment);
    tally_end(tally);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS);
}

static void what_does_not_say_when_it_happened_does_not_count(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    uint8_t commitment[HASH_SIZE] = {1};
    struct record record;

    (void)state;
    report_record(0, 0, 23, &record);
    record.occurred_on = "";
    add_pair(tally, &record, commitment);
    tally_end(tally);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS);
}

static void only_what_the_receiver_logged_counts(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(1);
    uint8_t commitment[HASH_SIZE] = {1};
    struct record record;

    (void)state;
    report_record(0, 0, 22, &record);
    record.message_commitment = BYTES_OF(commitment);
    assert_int_equal(tally_add(tally, "cdmx/ssc", &record), RC_OK);
    tally_end(tally);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS - 1);
}

static void an_occurrence_that_stands_twice_counts_once_and_shows(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    uint8_t commitment[HASH_SIZE] = {1};
    struct tally_faults faults;
    struct record record;

    (void)state;
    report_record(0, 0, 22, &record);
    add_pair(tally, &record, commitment);
    tally_end(tally);
    tally_find_faults(tally, &faults);
    assert_int_equal(faults.repeated, 1);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS);
}

static void a_childs_report_is_told_apart(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    struct tally_faults faults;

    (void)state;
    add_report(tally, PLAN_EXCHANGES - 1, 0, 1);
    tally_end(tally);
    tally_find_faults(tally, &faults);
    assert_int_equal(faults.of_children, 1);
    assert_int_equal(figure(tally, "acciones.total"), PLAN_UNITS);
}

/* Omission: one side has it, the other has not. */
static void a_record_without_its_pair_shows(void **state)
{
    OWN_PTR(tally) tally = tally_of_year(0);
    uint8_t commitment[HASH_SIZE] = {1};
    struct tally_faults faults;
    struct record record;

    (void)state;
    report_record(0, 0, 1, &record);
    record.kind = RECORD_RECEIVED;
    record.type = MESSAGE_ACT;
    record.message_commitment = BYTES_OF(commitment);
    assert_int_equal(tally_add(tally, "cdmx/cdmx", &record), RC_OK);
    tally_end(tally);
    tally_find_faults(tally, &faults);
    assert_int_equal(faults.unpaired, 1);
    assert_true(tally_has_received(tally, "cdmx/cdmx", commitment));
    assert_false(tally_has_received(tally, "cdmx/ssc", commitment));
}

static void a_record_without_commitment_is_refused(void **state)
{
    OWN_PTR(tally) tally = tally_new(PLAN_LAST_DAY);
    struct record record;

    (void)state;
    record_init(&record, RECORD_RECEIVED);
    assert_int_equal(tally_add(tally, "cdmx/ssc", &record), RC_INVALID_ARGUMENT);
}

static void numbers_are_written_as_in_mexico(void **state)
{
    char text[32];

    (void)state;
    figures_format(0, text);
    assert_string_equal(text, "0");
    figures_format(999, text);
    assert_string_equal(text, "999");
    figures_format(1390, text);
    assert_string_equal(text, "1,390");
    figures_format(1002003, text);
    assert_string_equal(text, "1,002,003");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_planned_year_gives_every_line_of_the_report),
        cmocka_unit_test(the_planned_year_has_no_faults),
        cmocka_unit_test(a_missing_report_is_missed),
        cmocka_unit_test(what_happened_after_the_reports_day_does_not_count),
        cmocka_unit_test(what_does_not_say_when_it_happened_does_not_count),
        cmocka_unit_test(only_what_the_receiver_logged_counts),
        cmocka_unit_test(an_occurrence_that_stands_twice_counts_once_and_shows),
        cmocka_unit_test(a_childs_report_is_told_apart),
        cmocka_unit_test(a_record_without_its_pair_shows),
        cmocka_unit_test(a_record_without_commitment_is_refused),
        cmocka_unit_test(numbers_are_written_as_in_mexico),
    };

    return cmocka_run_group_tests(tests, make_plan, NULL);
}
