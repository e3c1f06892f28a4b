/* What rc.h promises: gRPC's numbers and names, the first refusal stays, a failure is one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "unit/base/stderr_pipe.h"

/* https://grpc.github.io/grpc/core/md_doc_statuscodes.html, number by number. */
static void codes_are_those_of_grpc(void **state)
{
    static const struct {
        enum rc rc;
        int number;
        const char *name;
    } table[] = {
        {RC_OK, 0, "OK"},
        {RC_CANCELLED, 1, "CANCELLED"},
        {RC_UNKNOWN, 2, "UNKNOWN"},
        {RC_INVALID_ARGUMENT, 3, "INVALID_ARGUMENT"},
        {RC_DEADLINE_EXCEEDED, 4, "DEADLINE_EXCEEDED"},
        {RC_NOT_FOUND, 5, "NOT_FOUND"},
        {RC_ALREADY_EXISTS, 6, "ALREADY_EXISTS"},
        {RC_PERMISSION_DENIED, 7, "PERMISSION_DENIED"},
        {RC_RESOURCE_EXHAUSTED, 8, "RESOURCE_EXHAUSTED"},
        {RC_FAILED_PRECONDITION, 9, "FAILED_PRECONDITION"},
        {RC_ABORTED, 10, "ABORTED"},
        {RC_OUT_OF_RANGE, 11, "OUT_OF_RANGE"},
        {RC_UNIMPLEMENTED, 12, "UNIMPLEMENTED"},
        {RC_INTERNAL, 13, "INTERNAL"},
        {RC_UNAVAILABLE, 14, "UNAVAILABLE"},
        {RC_DATA_LOSS, 15, "DATA_LOSS"},
        {RC_UNAUTHENTICATED, 16, "UNAUTHENTICATED"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(table[i].rc, table[i].number);
        assert_string_equal(rc_name(table[i].rc), table[i].name);
    }
}

static void a_number_that_is_no_code_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(rc_name((enum rc)17), "UNKNOWN");
    assert_string_equal(rc_name((enum rc) - 1), "UNKNOWN");
    assert_string_equal(rc_name((enum rc)0x7fffffff), "UNKNOWN");
}

static void the_first_refusal_stays(void **state)
{
    struct fault fault = {0};

    (void)state;
    assert_int_equal(refuse(&fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                            "Falta la ruta a %s.", "cdmx/ssc"),
                     RC_PERMISSION_DENIED);
    assert_int_equal(refuse(&fault, RC_NOT_FOUND, "other", "else", "%s", "Otra cosa."),
                     RC_NOT_FOUND);
    assert_int_equal(fault.rc, RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "route.none");
    assert_string_equal(fault.path, "header.to");
    assert_string_equal(fault.remedy, "Falta la ruta a cdmx/ssc.");
}

static void nobody_need_listen_to_a_refusal(void **state)
{
    (void)state;
    assert_int_equal(refuse(NULL, RC_ABORTED, "reason", "", "%s", "remedy"), RC_ABORTED);
}

static void texts_too_long_for_a_fault_are_cut(void **state)
{
    struct fault fault = {0};
    char text[500];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(refuse(&fault, RC_ABORTED, text, text, "%s", text), RC_ABORTED);
    assert_int_equal(strlen(fault.reason), sizeof fault.reason - 1);
    assert_int_equal(strlen(fault.path), sizeof fault.path - 1);
    assert_int_equal(strlen(fault.remedy), sizeof fault.remedy - 1);
}

static enum rc stop_at(enum rc rc, int *went_on)
{
    TRY(RC_OK);
    TRY(rc);
    (*went_on)++;
    return RC_OK;
}

static void try_goes_on_with_ok_only(void **state)
{
    int went_on = 0;

    (void)state;
    for (int rc = RC_CANCELLED; rc <= RC_UNAUTHENTICATED; rc++) {
        assert_int_equal(stop_at((enum rc)rc, &went_on), rc);
    }
    assert_int_equal(went_on, 0);
    assert_int_equal(stop_at(RC_OK, &went_on), RC_OK);
    assert_int_equal(went_on, 1);
}

static void a_failure_is_logged_as_an_error_with_its_code(void **state)
{
    struct stderr_pipe captured = stderr_pipe_begin();
    char text[4097];
    char facts[2000];
    enum rc rc, long_rc;

    (void)state;
    memset(facts, 'x', sizeof facts - 1);
    facts[sizeof facts - 1] = '\0';
    log_open("test-rc", LOG_LEVEL_ERROR);
    rc = failed(RC_UNAVAILABLE, "txn.commit", "cause=%s", "EIO\n%n %s");
    long_rc = failed(RC_DATA_LOSS, "long", "%s", facts);
    stderr_pipe_end(&captured);
    assert_int_equal(rc, RC_UNAVAILABLE);
    assert_int_equal(long_rc, RC_DATA_LOSS);
    stderr_pipe_read(&captured, text);
    assert_non_null(strstr(text, " error test-rc txn.commit cause=EIO %n %s rc=UNAVAILABLE\n"));
    stderr_pipe_read(&captured, text); /* however long the facts, the code is not cut off */
    assert_non_null(strstr(text, "xxx rc=DATA_LOSS\n"));
    assert_int_equal(stderr_pipe_read(&captured, text), 0);
    stderr_pipe_close(&captured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_those_of_grpc),
        cmocka_unit_test(a_number_that_is_no_code_has_a_name),
        cmocka_unit_test(the_first_refusal_stays),
        cmocka_unit_test(nobody_need_listen_to_a_refusal),
        cmocka_unit_test(texts_too_long_for_a_fault_are_cut),
        cmocka_unit_test(try_goes_on_with_ok_only),
        cmocka_unit_test(a_failure_is_logged_as_an_error_with_its_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
