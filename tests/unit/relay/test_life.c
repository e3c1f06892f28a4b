/* life: what messages do to an exchange, and what they are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "model/directory.h"
#include "relay/life.h"
#include "relay/terms.h"

/* An act that was told at once. Good until the next call. */
static const struct moment *at(int64_t entered_ms)
{
    static struct moment moment;

    moment.act = (struct exchange_act){.occurred_ms = entered_ms, .entered_ms = entered_ms};
    return &moment;
}

static struct message opening(struct item items[2])
{
    struct message message = {0};
    struct header *header = &message.header;

    items[0] = (struct item){.number = 1, .code = "PRO-COD-VIG", .ends_on = ""};
    items[1] = (struct item){.number = 2, .code = "URG-INM-REF", .ends_on = ""};
    header->type = MESSAGE_MEASURE_REQUEST;
    header->from = "cdmx/mpi-cdmx";
    header->to = "cdmx/ssc";
    header->urgency = URGENCY_ORDINARY;
    header->created_at_ms = 1000;
    header->items = items;
    header->item_count = 2;
    return message;
}

static struct exchange running(enum state state)
{
    static const struct route route = {.id = "mpi-ssc-medidas"};
    struct item items[2];
    struct message message = opening(items);
    struct exchange exchange;

    life_open(&message, &route, state, at(1000), &exchange);
    return exchange;
}

static struct message act(const char *from, const char *to, enum event event, uint32_t item)
{
    struct message message = {0};

    message.header.reason = message.header.competent = message.header.ends_on = "";
    message.header.type = MESSAGE_ACT;
    message.header.from = from;
    message.header.to = to;
    message.header.event = event;
    message.header.item = item;
    return message;
}

static struct message report(uint32_t item, uint32_t occurrence)
{
    struct message message = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_NONE, item);

    message.header.type = MESSAGE_STATUS_REPORT;
    message.header.occurrence = occurrence;
    return message;
}

static void test_an_exchange_opens_with_a_state_for_each_item(void **unused)
{
    struct exchange exchange = running(STATE_SENT);

    (void)unused;
    assert_int_equal(exchange.item_count, 2);
    assert_string_equal(exchange.items[1].code, "URG-INM-REF");
    assert_int_equal(exchange.items[0].state, STATE_SENT);
    assert_int_equal(exchange.received_at_ms, 0);
    assert_true(life_received(&exchange, 5));
    assert_int_equal(exchange.items[1].state, STATE_RECEIVED);
    assert_false(life_received(&exchange, 6));
    assert_int_equal(exchange.received_at_ms, 5);
}

static void test_item_zero_means_all_that_can_take_the_step(void **unused)
{
    struct exchange exchange = running(STATE_RECEIVED);
    struct message custody = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0);
    struct message accept = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_ACCEPT, 2);
    struct fault fault = {0};

    (void)unused;
    assert_int_equal(life_step(&custody, at(7), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[0].state, STATE_IN_CUSTODY);
    assert_int_equal(exchange.items[1].state, STATE_IN_CUSTODY);
    assert_int_equal(life_step(&accept, at(8), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[0].state, STATE_IN_CUSTODY);
    assert_int_equal(exchange.items[1].state, STATE_ACCEPTED);
    assert_int_equal(exchange.items[1].changed_at_ms, 8);
}

struct refusal {
    const char *what;
    struct message message;
    const char *reason;
};

static void test_steps_out_of_turn_are_refused_and_change_nothing(void **unused)
{
    const struct refusal rows[] = {
        {"the requester cannot take custody", act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_CUSTODY, 0),
         "life.not_from_here"},
        {"nobody accepts before custody", act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_ACCEPT, 1),
         "life.not_from_here"},
        {"an item that was not asked for", act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_CUSTODY, 3),
         "life.item_unknown"},
        {"a third institution", act("cdmx/pgj", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0),
         "exchange.unknown"},
        {"the executor to somebody else", act("cdmx/ssc", "cdmx/pgj", EVENT_CUSTODY, 0),
         "exchange.unknown"},
        {"a report on what is not running", report(1, 1), "report.not_running"},
        {"a report on no item", report(0, 1), "life.item_unknown"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct exchange exchange = running(STATE_RECEIVED);
        struct exchange before = exchange;
        struct fault fault = {0};

        assert_int_not_equal(life_step(&rows[i].message, at(9), &exchange, &fault), RC_OK);
        assert_string_equal(fault.reason, rows[i].reason);
        assert_memory_equal(&before, &exchange, sizeof before);
    }
}

static void test_reports_go_in_order_without_gaps(void **unused)
{
    struct exchange exchange = running(STATE_RECEIVED);
    struct message first = report(1, 1);
    struct message third = report(1, 3);
    struct fault fault = {0};

    (void)unused;
    exchange.items[0].state = STATE_IN_FORCE;
    assert_int_equal(life_step(&first, at(9), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[0].occurrences, 1);
    assert_int_equal(life_step(&first, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "report.out_of_order");
    fault = (struct fault){0};
    assert_int_equal(life_step(&third, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_int_equal(exchange.items[0].occurrences, 1);
}

static void test_a_member_may_be_both_sides(void **unused)
{
    struct exchange exchange = running(STATE_RECEIVED);
    struct message custody = act("cdmx/mpi-cdmx", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0);
    struct fault fault = {0};

    (void)unused;
    memcpy(exchange.to, "cdmx/mpi-cdmx", sizeof "cdmx/mpi-cdmx");
    assert_int_equal(life_step(&custody, at(7), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[0].state, STATE_IN_CUSTODY);
}

static void test_custody_of_a_change_moves_no_item(void **unused)
{
    struct exchange exchange = running(STATE_IN_FORCE);
    struct message custody = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0);
    struct fault fault = {0};

    (void)unused;
    custody.header.regards.bytes[0] = 1;
    assert_int_equal(life_step(&custody, at(7), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[0].state, STATE_IN_FORCE);
}

static void test_what_cannot_be_delivered_has_failed(void **unused)
{
    struct exchange exchange = running(STATE_SENT);

    (void)unused;
    life_undeliverable(&exchange, 9);
    assert_int_equal(exchange.items[0].state, STATE_FAILED);
    {
        struct message close = act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_CLOSE, 0);
        struct fault fault = {0};

        assert_int_equal(life_step(&close, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
        assert_string_equal(fault.reason, "exchange.undeliverable");
    }
}

static void test_what_is_over_is_not_changed(void **unused)
{
    struct exchange exchange = running(STATE_CLOSED);
    struct message change = act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_NONE, 1);
    struct fault fault = {0};

    (void)unused;
    change.header.type = MESSAGE_MEASURE_CHANGE;
    change.header.change = CHANGE_LIFT;
    assert_int_equal(life_step(&change, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "change.not_running");
}

static void test_nothing_follows_what_waits_for_a_second_official(void **unused)
{
    struct exchange exchange = running(STATE_SENT);
    struct message close = act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_ENTERED_IN_ERROR, 1);
    struct fault fault = {0};

    (void)unused;
    life_await(&exchange);
    assert_int_equal(exchange.items[0].state, STATE_AWAITING_APPROVAL);
    assert_int_equal(life_step(&close, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "approval.awaited");
    life_decide(&exchange, true, 10);
    assert_int_equal(exchange.items[1].state, STATE_SENT);
    fault = (struct fault){0};
    assert_int_equal(life_step(&close, at(11), &exchange, &fault), RC_OK);
    exchange = running(STATE_SENT);
    life_await(&exchange);
    life_decide(&exchange, false, 10);
    life_decide(&exchange, true, 11); /* once is once */
    assert_int_equal(exchange.items[0].state, STATE_FAILED);
    assert_int_equal(life_step(&close, at(12), &exchange, &fault), RC_FAILED_PRECONDITION);
}

static struct message recall(void)
{
    struct message message = act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_NONE, 0);

    message.header.type = MESSAGE_RECALL;
    return message;
}

static void test_a_recall_reaches_whatever_became_of_the_items(void **unused)
{
    struct message message = recall();

    (void)unused;
    for (int from = STATE_SENT; from < STATES; from++) {
        bool is_recallable = from != STATE_RECALLED && from != STATE_PURGED &&
                             from != STATE_ENTERED_IN_ERROR && from != STATE_AWAITING_APPROVAL;
        struct exchange exchange = running((enum state)from);
        struct fault fault = {0};

        assert_int_equal(life_step(&message, at(9), &exchange, &fault),
                         is_recallable ? RC_OK : RC_FAILED_PRECONDITION);
        assert_int_equal(exchange.items[0].state, is_recallable ? STATE_RECALLED : from);
    }
}

static void test_one_message_of_an_exchange_is_not_recalled(void **unused)
{
    struct exchange exchange = running(STATE_IN_FORCE);
    struct message message = recall();
    struct fault fault = {0};

    (void)unused;
    message.header.regards.bytes[0] = 1;
    assert_int_equal(life_step(&message, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "recall.regards");
}

/* An answer is owed within a time of its own; a reason to keep stops it as well as a purge. */
static void test_a_recall_is_to_be_answered_in_time(void **unused)
{
    struct exchange exchange = running(STATE_IN_FORCE);
    struct message keep = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_KEEP, 0);
    struct message message = recall();
    struct fault fault = {0};

    (void)unused;
    assert_int_equal(life_step(&message, at(1000), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.clock_count, 1);
    assert_true(terms_is_running(&exchange.clocks[0]));
    assert_int_equal(exchange.clocks[0].due_ms, 1000 + 72 * 3600 * 1000);
    assert_int_equal(terms_late(&exchange.clocks[0]), SIDE_EXECUTOR);
    assert_int_equal(terms_alarm_ms(&exchange), 1000 + 36 * 3600 * 1000);
    assert_int_equal(life_step(&keep, at(2000), &exchange, &fault), RC_OK);
    assert_false(terms_is_running(&exchange.clocks[0]));
    assert_int_equal(life_step(&message, at(3000), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.clock_count, 1);
    assert_true(terms_is_running(&exchange.clocks[0]));
    assert_int_equal(exchange.clocks[0].anchored.occurred_ms, 3000);
}

/* Said before the recall was heard of: it arrives, is logged, and moves nothing. */
static void test_what_the_executor_said_before_it_heard_moves_nothing(void **unused)
{
    struct message said[] = {act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0),
                             act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_ACCEPT, 1), report(1, 1)};
    struct message purge = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_PURGE, 0);
    struct message accept = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_ACCEPT, 1);
    struct exchange exchange = running(STATE_RECALLED);
    struct fault fault = {0};

    (void)unused;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(life_arrive(&said[i], at(9), &exchange, &fault), RC_OK);
        assert_int_equal(exchange.items[0].state, STATE_RECALLED);
        assert_int_equal(exchange.items[0].occurrences, 0);
    }
    assert_int_equal(life_step(&accept, at(9), &exchange, &fault), RC_FAILED_PRECONDITION);
    assert_false(life_is_purged(&exchange));
    assert_int_equal(life_arrive(&purge, at(9), &exchange, &fault), RC_OK);
    assert_int_equal(exchange.items[1].state, STATE_PURGED);
    assert_true(life_is_purged(&exchange));
    exchange.items[1].state = STATE_KEPT;
    assert_false(life_is_purged(&exchange));
}

/* Custody and "it was an error" cross: both sides end as recalled, so that the data is purged. */
static void test_an_error_told_after_custody_is_a_recall_on_both_sides(void **unused)
{
    struct message error = act("cdmx/mpi-cdmx", "cdmx/ssc", EVENT_ENTERED_IN_ERROR, 0);
    struct message custody = act("cdmx/ssc", "cdmx/mpi-cdmx", EVENT_CUSTODY, 0);
    struct exchange sender = running(STATE_RECEIVED);
    struct exchange executor = running(STATE_RECEIVED);
    struct exchange in_custody;
    struct fault fault = {0};

    (void)unused;
    assert_int_equal(life_step(&error, at(9), &sender, &fault), RC_OK);
    assert_int_equal(sender.items[0].state, STATE_ENTERED_IN_ERROR);
    assert_int_equal(life_step(&custody, at(9), &executor, &fault), RC_OK);
    in_custody = executor;
    assert_int_equal(life_arrive(&error, at(9), &executor, &fault), RC_OK);
    assert_int_equal(life_arrive(&custody, at(9), &sender, &fault), RC_OK);
    assert_int_equal(sender.items[0].state, STATE_RECALLED);
    assert_string_equal(sender.clocks[0].rule.id, RECALL_CLOCK);
    assert_string_equal(executor.clocks[0].rule.id, RECALL_CLOCK);
    assert_int_equal(executor.items[0].state, STATE_RECALLED);
    assert_int_equal(life_step(&error, at(9), &in_custody, &fault), RC_FAILED_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_exchange_opens_with_a_state_for_each_item),
        cmocka_unit_test(test_item_zero_means_all_that_can_take_the_step),
        cmocka_unit_test(test_steps_out_of_turn_are_refused_and_change_nothing),
        cmocka_unit_test(test_reports_go_in_order_without_gaps),
        cmocka_unit_test(test_a_member_may_be_both_sides),
        cmocka_unit_test(test_custody_of_a_change_moves_no_item),
        cmocka_unit_test(test_a_recall_reaches_whatever_became_of_the_items),
        cmocka_unit_test(test_a_recall_is_to_be_answered_in_time),
        cmocka_unit_test(test_one_message_of_an_exchange_is_not_recalled),
        cmocka_unit_test(test_what_the_executor_said_before_it_heard_moves_nothing),
        cmocka_unit_test(test_an_error_told_after_custody_is_a_recall_on_both_sides),
        cmocka_unit_test(test_what_cannot_be_delivered_has_failed),
        cmocka_unit_test(test_what_is_over_is_not_changed),
        cmocka_unit_test(test_nothing_follows_what_waits_for_a_second_official),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
