#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sedesa/fhir.h"

static void what_is_not_fhir_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } refused[] = {
        {"", "fhir.json"},
        {"[]", "fhir.json"},
        {"{\"resourceType\": \"Bundle\"", "fhir.json"},
        {"{\"resourceType\": \"Bundle\"} x", "fhir.json"},
        {"{\"resourceType\": \"Bundle\", \"type\": \"a\", \"type\": \"b\"}", "fhir.json"},
        {"{\"resourceType\": \"Bundle\", \"total\": 1e400}", "fhir.json"},
        {"{\"resourceType\": \"Bundle\", \"total\": NaN}", "fhir.json"},
        {"{\"resourceType\": \"Bundle\", \"id\": \"\\u0000\"}", "fhir.json"},
        {"{\"resourceType\": \"Bundle\", \"id\": \"\xff\"}", "fhir.json"},
        {"{}", "fhir.type"},
        {"{\"resourceType\": 7}", "fhir.type"},
        {"{\"resourceType\": \"Patient\"}", "fhir.type"},
        {"{\"resourceType\": \"Bundle\", \"entry\": {}}", "fhir.bundle"},
        {"{\"resourceType\": \"Bundle\", \"entry\": [7]}", "fhir.bundle"},
        {"{\"resourceType\": \"Bundle\", \"entry\": [{\"resource\": {}}]}", "fhir.bundle"},
        {"{\"resourceType\": [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}",
         "fhir.depth"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(json_t) read = NULL;
        struct fault fault = {0};

        assert_int_not_equal(fhir_read(bytes_text(refused[i].text), "Bundle", &read, &fault),
                             RC_OK);
        assert_string_equal(fault.reason, refused[i].reason);
        assert_null(read);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    char *text = malloc(FHIR_BYTES_MAX + 1);
    struct json_t *read = NULL;
    struct fault fault = {0};

    (void)state;
    assert_non_null(text);
    memset(text, ' ', FHIR_BYTES_MAX + 1);
    assert_int_not_equal(fhir_read(BYTES(text, FHIR_BYTES_MAX + 1), "Bundle", &read, &fault),
                         RC_OK);
    assert_string_equal(fault.reason, "fhir.too_long");
    free(text);
}

static void only_fhir_4_0_is_spoken(void **state)
{
    static const struct {
        const char *text;
        enum rc rc;
    } versions[] = {
        {"{\"fhirVersion\": \"4.0.1\"}", RC_OK},          {"{\"fhirVersion\": \"4.0.0\"}", RC_OK},
        {"{\"fhirVersion\": \"4.3.0\"}", RC_UNAVAILABLE}, {"{\"fhirVersion\": 4}", RC_UNAVAILABLE},
        {"{\"fhirVersion\": \"5.0.0\"}", RC_UNAVAILABLE}, {"{}", RC_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        OWN_PTR(json_t) capability = json_loads(versions[i].text, 0, NULL);

        assert_int_equal(fhir_check_version(capability, NULL), versions[i].rc);
    }
}

#define OUTCOME(severity, code)                                                                    \
    "{\"resourceType\": \"OperationOutcome\", \"issue\": [{\"severity\": \"information\", "        \
    "\"code\": \"informational\"}, {\"severity\": \"" severity "\", \"code\": \"" code             \
    "\", \"diagnostics\": \"Persona Sintética\", \"expression\": [\"Bundle.entry[1]\"]}]}"

static void an_outcome_is_for_good_or_for_later(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum rc rc;
        const char *reason;
    } answers[] = {
        {400, OUTCOME("error", "invalid"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {422, OUTCOME("fatal", "structure"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {422, OUTCOME("error", "business-rule"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {412, OUTCOME("error", "multiple-matches"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {404, OUTCOME("error", "not-supported"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {400, OUTCOME("error", "throttled"), RC_UNAVAILABLE, "fhir.busy"},
        {409, OUTCOME("error", "lock-error"), RC_UNAVAILABLE, "fhir.busy"},
        {400, OUTCOME("error", "forbidden"), RC_UNAVAILABLE, "fhir.not_allowed"},
        {500, OUTCOME("fatal", "invalid"), RC_UNAVAILABLE, "fhir.busy"},
        {200, OUTCOME("error", "invalid"), RC_FAILED_PRECONDITION, "fhir.refused"},
        {200, OUTCOME("warning", "invalid"), RC_UNAVAILABLE, "fhir.answer"},
        {401, "", RC_UNAVAILABLE, "fhir.not_allowed"},
        {403, "", RC_UNAVAILABLE, "fhir.not_allowed"},
        {404, "", RC_UNAVAILABLE, "fhir.busy"},
        {429, "", RC_UNAVAILABLE, "fhir.busy"},
        {503, "<html>", RC_UNAVAILABLE, "fhir.busy"},
        {422, "<html>", RC_FAILED_PRECONDITION, "fhir.refused"},
        {204, "", RC_UNAVAILABLE, "fhir.answer"},
        {302, "", RC_UNAVAILABLE, "fhir.answer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct fault fault = {0};

        assert_int_equal(fhir_refusal(answers[i].status, bytes_text(answers[i].body), &fault),
                         answers[i].rc);
        assert_string_equal(fault.reason, answers[i].reason);
        assert_null(strstr(fault.remedy, "Persona"));
    }
}

static void a_response_answers_each_entry(void **state)
{
    static const char request[] = "{\"entry\": [{\"resource\": {\"resourceType\": \"Patient\"}}, "
                                  "{\"resource\": {\"resourceType\": \"Task\"}}]}";
    static const struct {
        const char *type;
        const char *entries;
        enum rc rc;
    } responses[] = {
        {"transaction-response",
         "[{\"response\": {\"status\": \"201 Created\", \"location\": \"Patient/1/_history/1\"}}, "
         "{\"response\": {\"status\": \"200\", \"location\": \"https://h/fhir/Task/2\"}}]",
         RC_OK},
        {"searchset",
         "[{\"response\": {\"status\": \"201\", \"location\": \"Patient/1\"}}, "
         "{\"response\": {\"status\": \"200\", \"location\": \"Task/2\"}}]",
         RC_UNAVAILABLE},
        {"transaction-response",
         "[{\"response\": {\"status\": \"201\", \"location\": \"Patient/1\"}}]", RC_UNAVAILABLE},
        {"transaction-response",
         "[{\"response\": {\"status\": \"201\", \"location\": \"Task/1\"}}, "
         "{\"response\": {\"status\": \"200\", \"location\": \"Patient/2\"}}]",
         RC_UNAVAILABLE},
        {"transaction-response",
         "[{\"response\": {\"status\": \"201\", \"location\": \"Patient/1\"}}, "
         "{\"response\": {\"status\": \"412\", \"location\": \"Task/2\"}}]",
         RC_UNAVAILABLE},
        {"transaction-response",
         "[{\"response\": {\"status\": \"201\", \"location\": \"Patient/\"}}, "
         "{\"response\": {\"status\": \"200\", \"location\": \"XTask/2\"}}]",
         RC_UNAVAILABLE},
        {"transaction-response", "[7, 8]", RC_UNAVAILABLE},
    };
    OWN_PTR(json_t) asked = json_loads(request, 0, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        OWN_PTR(json_t) entries = json_loads(responses[i].entries, 0, NULL);
        OWN_PTR(json_t)
        response = json_pack("{s:s, s:O}", "type", responses[i].type, "entry", entries);

        assert_int_equal(fhir_check_response(asked, response, NULL), responses[i].rc);
    }
}

static void paths_make_what_they_name_and_nothing_empty(void **state)
{
    OWN_PTR(json_t) made = json_object();
    OWN(buffer) text = {0};

    (void)state;
    assert_true(fhir_put(made, "a.2.b.c", json_string("x")));
    assert_true(fhir_put(made, "a.0.b", json_integer(1)));
    assert_true(fhir_put(made, "d.e", json_null()));
    assert_false(fhir_put(made, "a.0.b.c", json_string("in the way")));
    assert_false(fhir_put(made, "a.65.b", json_string("too far")));
    assert_false(fhir_put(made, "", json_string("nowhere")));
    assert_false(fhir_put(made, "a..b", json_string("no name")));
    assert_string_equal(fhir_text(made, "a.2.b.c"), "x");
    fhir_tidy(made);
    assert_string_equal(fhir_text(made, "a.1.b.c"), "x");
    assert_string_equal(fhir_text(made, "a.1.b"), "");
    assert_string_equal(fhir_text(made, "a.9.b.c"), "");
    assert_null(fhir_at(made, "d"));
    fhir_write(made, &text);
    assert_false(text.is_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_fhir_is_refused),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(only_fhir_4_0_is_spoken),
        cmocka_unit_test(an_outcome_is_for_good_or_for_later),
        cmocka_unit_test(a_response_answers_each_entry),
        cmocka_unit_test(paths_make_what_they_name_and_nothing_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
