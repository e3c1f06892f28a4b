#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "base/own.h"
#include "model/condition.h"

static void every_metric_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum metric metric = 0; metric < METRICS; metric++) {
        const struct metric_row *row = metric_row(metric);

        assert_non_null(row->name);
        assert_int_equal(strncmp(row->name, "enlace_", 7), 0);
        for (const char *at = row->name; *at != '\0'; at++) {
            assert_true(islower((unsigned char)*at) || *at == '_');
        }
        assert_true(row->help[0] != '\0');
        assert_int_equal(metric_by_name(row->name), metric);
    }
    assert_int_equal(metric_by_name("enlace_nothing"), METRICS);
}

static void prometheus_reads_it(void **state)
{
    static const char expected[] =
        "# HELP enlace_start_time_seconds When this process started.\n"
        "# TYPE enlace_start_time_seconds gauge\n"
        "enlace_start_time_seconds 12\n"
        "# HELP enlace_messages_total Messages logged since the start, by way and urgency.\n"
        "# TYPE enlace_messages_total counter\n"
        "enlace_messages_total{way=\"sent\",urgency=\"urgent\"} 3\n"
        "enlace_messages_total{way=\"a?b?c?\",urgency=\"\"} -1\n";
    struct sample items[3];
    struct condition condition = {.items = items, .max = 3};
    OWN(buffer) out = {0};

    (void)state;
    condition_add(&condition, METRIC_STARTED, NULL, NULL, 12);
    condition_add(&condition, METRIC_MESSAGES, "sent", "urgent", 3);
    condition_add(&condition, METRIC_MESSAGES, "a\"b\\c\n", "", -1);
    assert_false(condition.is_cut);
    condition_add(&condition, METRIC_MEMORY, NULL, NULL, 1);
    assert_true(condition.is_cut);
    condition_print(&condition, &out);
    assert_true(bytes_equal(buffer_bytes(&out), bytes_text(expected)));
    assert_null(condition_find(&condition, METRIC_MEMORY, NULL));
    assert_int_equal(condition_find(&condition, METRIC_MESSAGES, "sent")->value, 3);
    assert_null(condition_find(&condition, METRIC_MESSAGES, "received"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_metric_has_a_name_of_its_own),
        cmocka_unit_test(prometheus_reads_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
