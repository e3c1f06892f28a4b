/* codec: what service Watch asks and answers is read as it was written, and within its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/arena.h"
#include "rpc/codec_watch.h"
#include "unit/rpc/codec_agrees.h"
#include "unit/rpc/codec_samples.h"

#define ARENA_MAX ((size_t)8 << 20)

/* The writer left out no field, and the reader lost none: written again it is the same. */
static void assert_whole(enum shape_name shape, struct bytes written, const struct buffer *again)
{
    assert_true(holds_every_field(shape, written));
    assert_true(bytes_equal(buffer_bytes(again), written));
}

static struct exchange_summary sample_summary(void)
{
    return (struct exchange_summary){
        .exchange_id = sample_id(1),
        .parent_id = sample_id(2),
        .from = "cdmx/mpi-cdmx",
        .to = "cdmx/ssc",
        .urgency = URGENCY_URGENT,
        .type = MESSAGE_MEASURE_REQUEST,
        .items = 2,
        .item = 1,
        .code = "PRO-COD-VIG",
        .state = STATE_IN_CUSTODY,
        .changed_at_ms = 5,
        .responsible = "cdmx/mpi-cdmx",
        .clock = "F1",
        .anchored_at_ms = 3,
        .due_at_ms = 9,
        .is_overdue = true,
        .hang = {.kind = HANG_NO_DECISION, .who = "cdmx/ssc", .since_ms = 5},
    };
}

static void pages_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct exchange_summary rows[2] = {sample_summary(), sample_summary()};
    struct id place = sample_id(3);
    struct watch_page page = {.exchanges = rows,
                              .count = 2,
                              .next = BYTES_OF(place.bytes),
                              .undelivered = 7,
                              .oldest_ms = 8,
                              .oldest_exchange_id = sample_id(4),
                              .now_ms = 10};
    struct watch_request request = {.scope = WATCH_RELATED,
                                    .exchange_id = sample_id(1),
                                    .after = BYTES_OF(place.bytes),
                                    .member = "cdmx/ssc"};
    struct watch_request request_read;
    struct watch_page read;

    (void)state;
    rows[1].hang = (struct hang){.who = ""};
    codec_watch_request_write(&request, &bytes);
    assert_int_equal(codec_watch_request_read(buffer_bytes(&bytes), arena, &request_read, NULL),
                     RC_OK);
    assert_int_equal(request_read.scope, WATCH_RELATED);
    assert_string_equal(request_read.member, "cdmx/ssc");
    buffer_clear(&bytes);
    codec_watch_page_write(&page, arena, &bytes);
    assert_int_equal(codec_watch_page_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.count, 2);
    assert_int_equal(read.exchanges[0].hang.kind, HANG_NO_DECISION);
    assert_int_equal(read.exchanges[1].hang.kind, HANG_NONE);
    assert_true(read.exchanges[0].is_overdue);
    codec_watch_page_write(&read, arena, &again);
    assert_whole(SHAPE_LIST_EXCHANGES_RESPONSE, buffer_bytes(&bytes), &again);
    request.member = "cdmx/a-member-whose-code-is-longer-than-any-that-a-directory-may-list";
    buffer_clear(&bytes);
    codec_watch_request_write(&request, &bytes);
    assert_int_equal(codec_watch_request_read(buffer_bytes(&bytes), arena, &request_read, NULL),
                     RC_INVALID_ARGUMENT);
}

static void ways_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    OWN(buffer) again = {0};
    struct hop hops[2] = {{.message_id = sample_id(1),
                           .type = MESSAGE_ACT,
                           .event = EVENT_ACCEPT,
                           .item = 1,
                           .from = "cdmx/ssc",
                           .to = "cdmx/mpi-cdmx",
                           .official = "enlace-01",
                           .sent = {"cdmx/ssc", 12, 34},
                           .received = {"cdmx/cdmx", 56, 78},
                           .occurrence = 9,
                           .state = HOP_SETTLED,
                           .since_ms = 1},
                          {.message_id = sample_id(2),
                           .type = MESSAGE_STATUS_REPORT,
                           .occurrence = 3,
                           .from = "cdmx/ssc",
                           .to = "cdmx/mpi-cdmx",
                           .official = "",
                           .sent = {"cdmx/ssc", 13, 35},
                           .state = HOP_PEER_UNREACHABLE,
                           .since_ms = 99}};
    struct trace trace = {
        .summary = sample_summary(), .hops = hops, .count = 2, .omitted = 4, .now_ms = 11};
    struct trace read;

    (void)state;
    codec_trace_write(&trace, arena, &bytes);
    assert_int_equal(codec_trace_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_int_equal(read.count, 2);
    assert_int_equal(read.hops[0].received.leaf, 56);
    assert_null(read.hops[1].received.node);
    assert_int_equal(read.hops[1].state, HOP_PEER_UNREACHABLE);
    codec_trace_write(&read, arena, &again);
    assert_whole(SHAPE_TRACE_EXCHANGE_RESPONSE, buffer_bytes(&bytes), &again);
    trace.count = WATCH_HOPS_MAX + 1;
    buffer_clear(&bytes);
    codec_trace_write(&trace, arena, &bytes);
    assert_true(bytes.is_failed);
}

static void orders_to_redeliver_are_read_as_written(void **state)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct redeliver order = {.from = 7, .from_ms = 9};
    struct redeliver read;

    (void)state;
    codec_redeliver_request_write(&order, &bytes);
    assert_int_equal(codec_redeliver_request_read(buffer_bytes(&bytes), arena, &read, NULL), RC_OK);
    assert_true(read.from == 7 && read.from_ms == 9);
    buffer_clear(&bytes);
    order.from_ms = -1;
    codec_redeliver_request_write(&order, &bytes);
    assert_int_equal(codec_redeliver_request_read(buffer_bytes(&bytes), arena, &read, NULL),
                     RC_INVALID_ARGUMENT);
    buffer_clear(&bytes);
    codec_redeliver_response_write(3, 11, &bytes);
    assert_int_equal(codec_redeliver_response_read(buffer_bytes(&bytes), arena, &read, NULL),
                     RC_OK);
    assert_true(read.count == 3 && read.next == 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_read_as_written),
        cmocka_unit_test(ways_are_read_as_written),
        cmocka_unit_test(orders_to_redeliver_are_read_as_written),
    };

    return cmocka_run_group_tests_name("codec_watch", tests, NULL, NULL);
}
