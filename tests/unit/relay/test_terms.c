/* terms: what anchors a clock, what stops it, and what it tells when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "model/directory.h"
#include "relay/life.h"
#include "relay/notice.h"
#include "relay/terms.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define MPI "cdmx/mpi-cdmx"
#define SSC "cdmx/ssc"
/* 2026-11-24T12:00:00Z */
#define NOON INT64_C(1795521600000)

static const struct route route = {
    .id = "mpi-ssc-medidas",
    .from = MPI,
    .to = SSC,
    .clocks =
        {
            {"F1", 3 * HOUR_MS, CLOCK_INSTANTS, ANCHOR_OPENING, STOP_DECIDED, URGENCY_URGENT},
            {"F2", 9 * HOUR_MS, CLOCK_INSTANTS, ANCHOR_ACCEPT, STOP_IN_FORCE, URGENCY_URGENT},
            {"F5", 72 * HOUR_MS, CLOCK_INSTANTS, ANCHOR_DECISION, STOP_RECEIVED, URGENCY_NONE},
            {"F6", 30, CLOCK_CALENDAR_DAYS, ANCHOR_OPENING, STOP_IN_FORCE, URGENCY_ORDINARY},
        },
    .clock_count = 4,
    .ladder = {MPI, "cdmx/secgob", "cdmx/cdhcm"},
    .ladder_count = 3,
};

static const struct moment *at(int64_t entered_ms)
{
    static struct moment moment;

    moment.act = (struct exchange_act){.occurred_ms = entered_ms, .entered_ms = entered_ms};
    return &moment;
}

/* A request of two measures, received; the second one weekly. */
static struct message request(struct item items[2], enum urgency urgency)
{
    struct message message = {0};

    header_init(&message.header);
    items[0] = (struct item){.number = 1, .code = "PRO-COD-VIG", .ends_on = ""};
    items[1] = (struct item){.number = 2,
                             .code = "PRO-COD-VIG",
                             .ends_on = "2026-12-31",
                             .period = PERIOD_WEEK,
                             .cadence_count = 1};
    message.header.type = MESSAGE_MEASURE_REQUEST;
    message.header.from = MPI;
    message.header.to = SSC;
    message.header.urgency = urgency;
    message.header.items = items;
    message.header.item_count = 2;
    return message;
}

static struct exchange *opened(enum urgency urgency)
{
    static struct exchange exchange;
    struct item items[2];
    struct message message = request(items, urgency);

    life_open(&message, &route, STATE_RECEIVED, at(NOON), &exchange);
    (void)life_received(&exchange, NOON);
    return &exchange;
}

static void act(struct exchange *exchange, enum event event, uint32_t item, int64_t at_ms)
{
    bool is_requester = event == EVENT_DISPUTE || event == EVENT_CONFIRM;
    struct message message = {0};
    struct fault fault = {0};

    header_init(&message.header);
    message.header.type = MESSAGE_ACT;
    message.header.from = is_requester ? MPI : SSC;
    message.header.to = is_requester ? SSC : MPI;
    message.header.event = event;
    message.header.item = item;
    message.header.regards = exchange->id;
    assert_int_equal(life_step(&message, at(at_ms), exchange, &fault), RC_OK);
}

static struct exchange_clock *find(struct exchange *exchange, const char *id, uint32_t item)
{
    for (size_t i = 0; i < exchange->clock_count; i++) {
        if (strcmp(exchange->clocks[i].rule.id, id) == 0 && exchange->clocks[i].item == item) {
            return &exchange->clocks[i];
        }
    }
    return NULL;
}

static void only_clocks_of_the_messages_urgency_run(void **state)
{
    struct exchange *exchange = opened(URGENCY_URGENT);

    (void)state;
    assert_int_equal(exchange->clock_count, 2); /* nothing was decided: no F5 */
    assert_true(find(exchange, "F1", 0)->due_ms == NOON + 3 * HOUR_MS);
    assert_int_equal(find(exchange, "F2", 0)->anchored.occurred_ms, 0);
    exchange = opened(URGENCY_ORDINARY);
    assert_int_equal(exchange->clock_count, 1);
    assert_true(find(exchange, "F6", 0)->due_ms ==
                clock_local_midnight_ms(clock_local_day(NOON) + 31));
}

static void a_decision_anchors_until_the_message_is_told(void **state)
{
    static struct exchange exchange;
    struct item items[2];
    struct message message = request(items, URGENCY_ORDINARY);
    int32_t day = 0;

    (void)state;
    message.header.has_decision = true;
    message.header.decision_date = "2026-11-23";
    assert_int_equal(clock_parse_date(bytes_text("2026-11-23"), &day), RC_OK);
    life_open(&message, &route, STATE_SENT, at(NOON), &exchange);
    assert_true(find(&exchange, "F5", 0)->anchored.occurred_ms == clock_local_midnight_ms(day));
    assert_true(terms_is_running(find(&exchange, "F5", 0)));
    assert_int_equal(terms_late(find(&exchange, "F5", 0)), SIDE_REQUESTER);
    assert_true(life_received(&exchange, NOON + 7));
    assert_true(find(&exchange, "F5", 0)->stopped.occurred_ms == NOON + 7);
    message.header.decision_date = "2019-06-03"; /* out for long: shown, and nobody is woken */
    life_open(&message, &route, STATE_SENT, at(NOON), &exchange);
    assert_true(terms_is_overdue(find(&exchange, "F5", 0), NOON));
    assert_int_equal(find(&exchange, "F5", 0)->told, 100);
}

static void a_messages_own_earlier_deadline_holds_and_a_later_one_does_not(void **state)
{
    static struct exchange exchange;
    struct item items[2];
    struct message message = request(items, URGENCY_URGENT);

    (void)state;
    message.header.clocks[0] = (struct message_clock){"F1", NOON, NOON + HOUR_MS};
    message.header.clocks[1] = (struct message_clock){"F2", NOON, NOON + 4 * HOUR_MS};
    message.header.clock_count = 2;
    life_open(&message, &route, STATE_RECEIVED, at(NOON), &exchange);
    assert_true(find(&exchange, "F1", 0)->due_ms == NOON + HOUR_MS);
    act(&exchange, EVENT_CUSTODY, 0, NOON);
    act(&exchange, EVENT_ACCEPT, 0, NOON + 1);
    assert_true(find(&exchange, "F2", 0)->due_ms == NOON + 4 * HOUR_MS);
    message.header.clocks[0].due_at_ms = NOON + 4 * HOUR_MS;
    life_open(&message, &route, STATE_RECEIVED, at(NOON), &exchange);
    assert_true(find(&exchange, "F1", 0)->due_ms == NOON + 3 * HOUR_MS);
}

static void r3_stops_the_first_clock_and_starts_the_second_item_by_item(void **state)
{
    struct exchange *exchange = opened(URGENCY_URGENT);

    (void)state;
    act(exchange, EVENT_CUSTODY, 0, NOON + 1);
    act(exchange, EVENT_ACCEPT, 1, NOON + HOUR_MS);
    assert_true(terms_is_running(find(exchange, "F1", 0))); /* the second item still waits */
    assert_true(find(exchange, "F2", 1)->due_ms == NOON + 10 * HOUR_MS);
    assert_null(find(exchange, "F2", 2));
    act(exchange, EVENT_DECLINE, 2, NOON + 2 * HOUR_MS);
    assert_true(find(exchange, "F1", 0)->stopped.occurred_ms == NOON + 2 * HOUR_MS);
    assert_null(find(exchange, "F2", 2));
    act(exchange, EVENT_HOLD, 1, NOON + 3 * HOUR_MS); /* stops no clock of the law */
    assert_true(terms_is_running(find(exchange, "F2", 1)));
    act(exchange, EVENT_RESUME, 1, NOON + 4 * HOUR_MS);
    act(exchange, EVENT_IN_FORCE, 1, NOON + 11 * HOUR_MS);
    assert_false(terms_is_running(find(exchange, "F2", 1)));
    assert_true(terms_is_overdue(find(exchange, "F2", 1), NOON + 11 * HOUR_MS));
}

static void a_dispute_begins_the_second_clock_anew(void **state)
{
    struct exchange *exchange = opened(URGENCY_ORDINARY);

    (void)state;
    act(exchange, EVENT_CUSTODY, 0, NOON);
    act(exchange, EVENT_ACCEPT, 0, NOON);
    act(exchange, EVENT_IN_FORCE, 0, NOON + 40 * DAY_MS);
    assert_true(terms_is_overdue(find(exchange, "F6", 0), NOON + 41 * DAY_MS));
    act(exchange, EVENT_DISPUTE, 2, NOON + 42 * DAY_MS);
    assert_false(terms_is_running(find(exchange, "F6", 0)));
    assert_true(terms_is_running(find(exchange, "F6", 2)));
    assert_true(find(exchange, "F6", 2)->due_ms ==
                clock_local_midnight_ms(clock_local_day(NOON + 42 * DAY_MS) + 31));
    act(exchange, EVENT_IN_FORCE, 2, NOON + 43 * DAY_MS);
    act(exchange, EVENT_DISPUTE, 0, NOON + 44 * DAY_MS); /* each has its own from here on */
    assert_true(terms_is_running(find(exchange, "F6", 1)));
    assert_true(terms_is_running(find(exchange, "F6", 2)));
    assert_int_equal(exchange->clock_count, 3);
}

static void an_act_told_by_telephone_counts_from_when_it_happened(void **state)
{
    struct exchange *exchange = opened(URGENCY_URGENT);
    static const struct directory_text text;
    struct holiday_list list = {0};
    struct directory directory = {
        .texts = (struct directory_text *)&text, .text_count = 1, .working_terms = &list};
    struct message message = {0};
    struct fault fault = {0};
    struct moment moment;

    (void)state;
    act(exchange, EVENT_CUSTODY, 0, NOON);
    header_init(&message.header);
    message.header.type = MESSAGE_ACT;
    message.header.from = SSC;
    message.header.to = MPI;
    message.header.event = EVENT_ACCEPT;
    message.header.out_of_band = BAND_TELEPHONE;
    message.header.occurred_at = "2026-11-24T06:30:00-06:00";
    terms_moment(&message.header, &directory, &route, NOON + 5 * HOUR_MS, &moment);
    assert_int_equal(life_step(&message, &moment, exchange, &fault), RC_OK);
    assert_true(find(exchange, "F2", 0)->anchored.occurred_ms == NOON + HOUR_MS / 2);
    assert_true(find(exchange, "F2", 0)->anchored.entered_ms == NOON + 5 * HOUR_MS);
    assert_false(terms_is_overdue(find(exchange, "F1", 0), NOON + 6 * HOUR_MS));
    message.header.event = EVENT_IN_FORCE;
    message.header.occurred_at = "2026-11-24T05:59:59-06:00";
    terms_moment(&message.header, &directory, &route, NOON + 5 * HOUR_MS, &moment);
    assert_int_equal(life_step(&message, &moment, exchange, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "time.before_opening");
    message.header.out_of_band = BAND_NONE; /* only said so: it counts from when it was entered */
    terms_moment(&message.header, &directory, &route, NOON + 5 * HOUR_MS, &moment);
    assert_true(moment.act.occurred_ms == NOON + 5 * HOUR_MS);
}

static void each_share_is_told_once_and_only_the_last_that_passed(void **state)
{
    struct exchange *exchange = opened(URGENCY_URGENT);
    struct term_due dues[TERMS_DUE_MAX];

    (void)state;
    assert_true(terms_alarm_ms(exchange) == NOON + 3 * HOUR_MS / 2);
    assert_int_equal(terms_fire(exchange, NOON + 3 * HOUR_MS / 2 - 1, dues), 0);
    assert_int_equal(terms_fire(exchange, NOON + 3 * HOUR_MS / 2, dues), 1);
    assert_int_equal(dues[0].percent, 50);
    assert_string_equal(dues[0].clock, "F1");
    assert_int_equal(terms_fire(exchange, NOON + 3 * HOUR_MS / 2, dues), 0);
    assert_true(terms_alarm_ms(exchange) == NOON + 9 * HOUR_MS / 4);
    assert_int_equal(terms_fire(exchange, NOON + 90 * HOUR_MS, dues), 1); /* after a long stop */
    assert_int_equal(dues[0].percent, 100);
    assert_int_equal(terms_alarm_ms(exchange), 0);
}

static void what_was_answered_is_not_told(void **state)
{
    struct exchange *exchange = opened(URGENCY_ORDINARY);
    struct term_due dues[TERMS_DUE_MAX];

    (void)state;
    act(exchange, EVENT_CUSTODY, 0, NOON);
    act(exchange, EVENT_DECLINE, 0, NOON);
    assert_int_equal(terms_alarm_ms(exchange), 0);
    assert_int_equal(terms_fire(exchange, NOON + 400 * DAY_MS, dues), 0);
}

static void missing_occurrences_are_told_period_by_period(void **state)
{
    struct exchange *exchange = opened(URGENCY_ORDINARY);
    struct term_due dues[TERMS_DUE_MAX];
    int64_t begin_ms = clock_local_midnight_ms(clock_local_day(NOON));

    (void)state;
    act(exchange, EVENT_CUSTODY, 0, NOON);
    act(exchange, EVENT_ACCEPT, 0, NOON);
    assert_int_equal(terms_occurrence_due_ms(&exchange->items[1]), INT64_MAX);
    act(exchange, EVENT_IN_FORCE, 0, NOON);
    assert_true(terms_alarm_ms(exchange) == begin_ms + 7 * DAY_MS);
    assert_int_equal(terms_fire(exchange, begin_ms + 7 * DAY_MS, dues), 1);
    assert_string_equal(dues[0].clock, CADENCE_CLOCK);
    assert_int_equal(dues[0].item, 2);
    assert_int_equal(dues[0].percent, 100);
    assert_true(terms_alarm_ms(exchange) == begin_ms + 14 * DAY_MS);
    assert_int_equal(terms_missing(&exchange->items[1], begin_ms + 14 * DAY_MS), 2);
    assert_int_equal(terms_fire(exchange, begin_ms + 21 * DAY_MS, dues), 1); /* three of them */
    exchange->items[1].occurrences = 4;
    assert_int_equal(terms_missing(&exchange->items[1], begin_ms + 21 * DAY_MS), 0);
    assert_true(terms_alarm_ms(exchange) == begin_ms + 35 * DAY_MS);
    exchange->items[1].occurrences = 5; /* the sixth would end after the measure does */
    assert_int_equal(terms_alarm_ms(exchange), 0);
}

static void no_more_is_told_at_once_than_fits(void **state)
{
    static struct exchange exchange;
    struct term_due dues[TERMS_DUE_MAX];
    struct item items[MESSAGE_ITEMS_MAX];
    struct message message = request(items, URGENCY_ORDINARY);
    size_t told = 0;

    (void)state;
    for (uint32_t i = 0; i < MESSAGE_ITEMS_MAX; i++) {
        items[i] = (struct item){.number = i + 1, .code = "PRO-COD-VIG", .ends_on = ""};
        items[i].period = PERIOD_DAY;
        items[i].cadence_count = 1;
    }
    message.header.item_count = MESSAGE_ITEMS_MAX;
    life_open(&message, &route, STATE_IN_FORCE, at(NOON), &exchange);
    for (size_t i = 0; i < exchange.item_count; i++) {
        exchange.items[i].cadence.from_day = clock_local_day(NOON);
    }
    while (told < 2 * MESSAGE_ITEMS_MAX) {
        size_t count = terms_fire(&exchange, NOON + 2 * DAY_MS, dues);

        assert_true(count <= TERMS_DUE_MAX);
        if (count == 0) {
            break;
        }
        told += count;
        assert_true(told == MESSAGE_ITEMS_MAX || terms_alarm_ms(&exchange) <= NOON + 2 * DAY_MS);
    }
    assert_int_equal(told, MESSAGE_ITEMS_MAX);
}

static size_t told(const char *holder, enum side late, unsigned percent, bool is_received,
                   const char *recipients[NOTICE_RECIPIENTS_MAX])
{
    struct exchange *exchange = opened(URGENCY_URGENT);
    struct term_due due = {.percent = percent, .late = late};

    exchange->received_at_ms = is_received ? NOON : 0;
    return notice_recipients(exchange, &route, holder, &due, recipients);
}

static void a_notice_climbs_the_ladder(void **state)
{
    const char *who[NOTICE_RECIPIENTS_MAX];

    (void)state;
    assert_int_equal(told(SSC, SIDE_EXECUTOR, 50, true, who), 1);
    assert_string_equal(who[0], SSC);
    assert_int_equal(told(MPI, SIDE_EXECUTOR, 50, true, who), 0);
    assert_int_equal(told(MPI, SIDE_EXECUTOR, 50, false, who), 1); /* the late one cannot know */
    assert_int_equal(told(MPI, SIDE_EXECUTOR, 75, true, who), 1);
    assert_int_equal(told(SSC, SIDE_EXECUTOR, 75, true, who), 1);
    assert_int_equal(told(MPI, SIDE_REQUESTER, 50, true, who), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told(i == 0 ? SSC : MPI, SIDE_EXECUTOR, 100, true, who), 3);
        assert_string_equal(who[1], "cdmx/secgob");
        assert_string_equal(who[2], "cdmx/cdhcm");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_clocks_of_the_messages_urgency_run),
        cmocka_unit_test(a_decision_anchors_until_the_message_is_told),
        cmocka_unit_test(a_messages_own_earlier_deadline_holds_and_a_later_one_does_not),
        cmocka_unit_test(r3_stops_the_first_clock_and_starts_the_second_item_by_item),
        cmocka_unit_test(a_dispute_begins_the_second_clock_anew),
        cmocka_unit_test(an_act_told_by_telephone_counts_from_when_it_happened),
        cmocka_unit_test(each_share_is_told_once_and_only_the_last_that_passed),
        cmocka_unit_test(what_was_answered_is_not_told),
        cmocka_unit_test(missing_occurrences_are_told_period_by_period),
        cmocka_unit_test(no_more_is_told_at_once_than_fits),
        cmocka_unit_test(a_notice_climbs_the_ladder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
