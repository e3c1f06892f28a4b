#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/checkup.h"

#define NOW INT64_C(1790000000)
#define DAY 86400
#define MIB ((int64_t)1 << 20)

static struct sample items[32];

static struct condition healthy(void)
{
    struct condition condition = {.items = items, .max = 32};

    condition_add(&condition, METRIC_LOG_LEAVES, NULL, NULL, 500);
    condition_add(&condition, METRIC_INDEX_LEAVES, NULL, NULL, 500);
    condition_add(&condition, METRIC_QUEUE, "node:cdmx/ssc", "ordinary", 4);
    condition_add(&condition, METRIC_QUEUE_OLDEST, "node:cdmx/ssc", "ordinary", 2);
    condition_add(&condition, METRIC_WITNESS_STATE, NULL, NULL, 0);
    condition_add(&condition, METRIC_CLOCK_STATE, NULL, NULL, 0);
    condition_add(&condition, METRIC_CERTIFICATE_ENDS, "tls", NULL, NOW + 60 * DAY);
    condition_add(&condition, METRIC_DIRECTORY_ENDS, "cdmx", NULL, NOW + 60 * DAY);
    condition_add(&condition, METRIC_DISK_FREE, "data", NULL, 2000 * MIB);
    condition_add(&condition, METRIC_DISK_FLOOR, NULL, NULL, 256 * MIB);
    return condition;
}

static void a_healthy_node_needs_nothing(void **state)
{
    struct condition condition = healthy();
    struct checkup checkup;

    (void)state;
    checkup_make(&condition, NOW, &checkup);
    assert_int_equal(checkup.count, 0);
}

struct ill {
    const char *why;
    enum metric metric;
    const char *label;
    const char *second;
    int64_t value;
    enum ailment_grade grade; /* 0: none */
    const char *word;         /* stands in what is said */
};

static const struct ill rows[] = {
    {"nobody takes an urgent message", METRIC_QUEUE_OLDEST, "member:cdmx/pgj", "urgent", 10,
     AILMENT_NOW, "Ningún sistema de cdmx/pgj"},
    {"one system's own queue", METRIC_QUEUE_OLDEST, "system:cdmx/pgj/adapter", "urgent", 10,
     AILMENT_NOW, "Ningún sistema de cdmx/pgj"},
    {"an urgent one has ten seconds", METRIC_QUEUE_OLDEST, "member:cdmx/pgj", "urgent", 9, 0, NULL},
    {"an ordinary one half an hour", METRIC_QUEUE_OLDEST, "node:cdmx/pgj", "ordinary", 1799, 0,
     NULL},
    {"then it is told", METRIC_QUEUE_OLDEST, "node:cdmx/pgj", "ordinary", 1800, AILMENT_NOW,
     "Lo ordinario para el nodo cdmx/pgj"},
    {"a certificate in a month", METRIC_CERTIFICATE_ENDS, "tls", NULL, NOW + 30 * DAY, AILMENT_SOON,
     "30 días"},
    {"in a week", METRIC_CERTIFICATE_ENDS, "tls", NULL, NOW + 7 * DAY, AILMENT_NOW, "7 días"},
    {"over", METRIC_CERTIFICATE_ENDS, "tls", NULL, NOW, AILMENT_NOW, "venció"},
    {"the directory in a month", METRIC_DIRECTORY_ENDS, "cdmx", NULL, NOW + 30 * DAY, AILMENT_SOON,
     "cdmx"},
    {"over", METRIC_DIRECTORY_ENDS, "cdmx", NULL, NOW, AILMENT_NOW, "ya no está en vigor"},
    {"the disk fills", METRIC_DISK_FREE, "vault", NULL, 1000 * MIB, AILMENT_SOON, "1000 MiB"},
    {"it is full", METRIC_DISK_FREE, "vault", NULL, 255 * MIB, AILMENT_NOW, "reserva"},
};

static void each_ailment_is_told_with_a_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct condition condition = healthy();
        struct checkup checkup;

        condition_add(&condition, rows[i].metric, rows[i].label, rows[i].second, rows[i].value);
        checkup_make(&condition, NOW, &checkup);
        if (checkup.count != (rows[i].grade != 0 ? 1 : 0)) {
            fail_msg("%s: %zu", rows[i].why, checkup.count);
        }
        if (rows[i].grade != 0 &&
            (checkup.items[0].grade != rows[i].grade || checkup.items[0].remedy[0] == '\0' ||
             strstr(checkup.items[0].what, rows[i].word) == NULL)) {
            fail_msg("%s: %s", rows[i].why, checkup.items[0].what);
        }
    }
}

static void a_peer_out_of_reach_is_not_one_that_refuses(void **state)
{
    struct condition condition = healthy();
    struct checkup checkup;

    (void)state;
    condition_add(&condition, METRIC_QUEUE_OLDEST, "node:cdmx/pgj", "urgent", 3600);
    condition_add(&condition, METRIC_LINK_FAILURES, "cdmx/pgj", "urgent", 2);
    checkup_make(&condition, NOW, &checkup);
    assert_int_equal(checkup.count, 1);
    assert_non_null(strstr(checkup.items[0].what, "No se alcanza al nodo de cdmx/pgj"));
    assert_non_null(strstr(checkup.items[0].what, "60 min"));
}

static void an_attached_system_that_takes_nothing_is_told_apart(void **state)
{
    struct condition condition = healthy();
    struct checkup checkup;

    (void)state;
    condition_add(&condition, METRIC_QUEUE_OLDEST, "member:cdmx/c5", "urgent", 3600);
    condition_add(&condition, METRIC_ATTACHED, "cdmx/c5", "urgent", 1);
    checkup_make(&condition, NOW, &checkup);
    assert_int_equal(checkup.count, 1);
    assert_non_null(strstr(checkup.items[0].what, "El sistema de cdmx/c5 no toma"));
}

static void what_cannot_wait_comes_first(void **state)
{
    struct condition condition = healthy();
    struct checkup checkup;

    (void)state;
    condition_add(&condition, METRIC_DIRECTORY_ENDS, "mx", NULL, NOW + 3 * DAY);
    condition_add(&condition, METRIC_DISK_FREE, "vault", NULL, 0);
    checkup_make(&condition, NOW, &checkup);
    assert_int_equal(checkup.count, 2);
    assert_int_equal(checkup.items[0].grade, AILMENT_NOW);
    assert_int_equal(checkup.items[1].grade, AILMENT_SOON);
}

static void spans_read_as_people_say_them(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } spans[] = {{0, "0 s"},    {119, "119 s"},   {120, "2 min"},    {7199, "119 min"},
                 {7200, "2 h"}, {172799, "47 h"}, {172800, "2 días"}};
    char text[SPAN_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        span_text(spans[i].seconds, text);
        assert_string_equal(text, spans[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_node_needs_nothing),
        cmocka_unit_test(each_ailment_is_told_with_a_remedy),
        cmocka_unit_test(a_peer_out_of_reach_is_not_one_that_refuses),
        cmocka_unit_test(an_attached_system_that_takes_nothing_is_told_apart),
        cmocka_unit_test(what_cannot_wait_comes_first),
        cmocka_unit_test(spans_read_as_people_say_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
