#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/draft_json.h"

#define ARENA_MAX ((size_t)4 << 20)
#define HASH "8c5f2b74cf92e85a45efdd97792e722708acd5408104c5e33eb174e6c8991063"

static enum rc read_text(const char *text, struct arena *arena, struct draft_file *file,
                         struct fault *fault)
{
    return draft_json_read(bytes_text(text), arena, file, fault);
}

static void a_request_becomes_a_draft(void **state)
{
    static const char text[] =
        "{\"type\":\"MeasureRequest\",\"to\":\"cdmx/ssc\",\"urgency\":\"urgent\","
        "\"catalogue_code\":\"PRO-COD-VIG\",\"purpose\":\"proteccion\",\"legal_basis\":\"L-29\","
        "\"aviso\":{\"id\":\"A\",\"version\":\"1\",\"sha256\":\"" HASH "\"},"
        "\"consent\":{\"state\":\"given\",\"reference\":\"exp\"},"
        "\"plan\":{\"issuer\":\"cdmx/mpi-cdmx\",\"id\":\"P-1\",\"version\":2,"
        "\"procedure\":\"extraordinary\"},"
        "\"created_at\":\"2026-11-23T10:00:00-06:00\","
        "\"subjects\":[{\"role\":\"collective\"}],"
        "\"clocks\":[{\"id\":\"F1\",\"anchored_at\":\"2026-11-23T16:00:00Z\","
        "\"due_at\":\"2026-11-23T19:00:00Z\"}],"
        "\"items\":[{\"code\":\"PRO-COD-VIG\",\"cadence\":{\"count\":22,\"period\":\"month\"}},"
        "{\"code\":\"URG-INM-REF\",\"ends_on\":\"2026-12-12\"}],"
        "\"compartments\":[{\"type\":\"identity\",\"fields\":{\"alias\":\"M\"}},"
        "{\"subject\":0,\"type\":\"schedule\",\"sealed\":true,"
        "\"entries\":[{\"days\":\"lunes\"},{\"days\":\"martes\",\"place\":\"x\"}]}]}";
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(draft_file) file = {0};
    struct fault fault = {0};
    const struct header *header = &file.draft.header;

    (void)state;
    if (read_text(text, arena, &file, &fault) != RC_OK) {
        print_error("%s %s: %s\n", fault.reason, fault.path, fault.remedy);
        fail();
    }
    assert_int_equal(header->type, MESSAGE_MEASURE_REQUEST);
    assert_int_equal(header->urgency, URGENCY_URGENT);
    assert_int_equal(header->consent, CONSENT_GIVEN);
    assert_true(header->has_plan);
    assert_false(header->has_decision);
    assert_int_equal(header->procedure, PROCEDURE_EXTRAORDINARY);
    assert_int_equal(header->created_at_ms, (int64_t)1795449600000);
    assert_int_equal(header->subjects[0].role, ROLE_COLLECTIVE);
    assert_false(id_is_zero(&header->subjects[0].pseudonym)); /* drawn */
    assert_int_equal(header->clocks[0].due_at_ms - header->clocks[0].anchored_at_ms, 3 * 3600000);
    assert_int_equal(header->item_count, 2);
    assert_int_equal(header->items[0].cadence_count, 22);
    assert_int_equal(header->items[0].period, PERIOD_MONTH);
    assert_int_equal(header->items[1].number, 2);
    assert_string_equal(header->items[1].ends_on, "2026-12-12");
    assert_int_equal(file.draft.compartment_count, 2);
    assert_int_equal(file.draft.compartments[1].value_count, 3);
    assert_int_equal(file.draft.compartments[1].values[2].entry, 1);
    assert_true(file.draft.compartments[1].is_sealed);
}

static void what_is_wrong_is_refused_by_path(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
        const char *path;
    } rows[] = {
        {"", "draft.json", ""},
        {"[]", "draft.json", ""},
        {"{\"type\":\"Act\",\"type\":\"Act\"}", "draft.json", ""},
        {"{\"type\":\"Act\"} x", "draft.json", ""},
        {"{\"type\":\"Act\",\"to\":\"\xff\"}", "draft.json", ""},
        {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}}", "draft.json",
         ""},
        {"{}", "draft.value", "type"},
        {"{\"type\":\"Acto\"}", "draft.value", "type"},
        {"{\"type\":\"Act\",\"urgencia\":\"urgent\"}", "draft.key", "urgencia"},
        {"{\"type\":\"Act\",\"urgency\":\"urgente\"}", "draft.value", "urgency"},
        {"{\"type\":\"Act\",\"urgency\":2}", "draft.value", "urgency"},
        {"{\"type\":\"Act\",\"event\":\"acepta\"}", "draft.value", "event"},
        {"{\"type\":\"Act\",\"to\":7}", "draft.value", "to"},
        {"{\"type\":\"Act\",\"item\":-1}", "draft.value", "item"},
        {"{\"type\":\"Act\",\"item\":1.5}", "draft.value", "item"},
        {"{\"type\":\"Act\",\"item\":4294967296}", "draft.value", "item"},
        {"{\"type\":\"Act\",\"created_at\":\"2026-11-23T10:00:00\"}", "draft.value", "created_at"},
        {"{\"type\":\"Act\",\"regards\":\"0193\"}", "draft.value", "regards"},
        {"{\"type\":\"Act\",\"aviso\":{\"sha256\":\"00\"}}", "draft.value", "aviso.sha256"},
        {"{\"type\":\"Act\",\"aviso\":{\"hash\":\"00\"}}", "draft.key", "aviso.hash"},
        {"{\"type\":\"Act\",\"items\":{}}", "draft.value", "items"},
        {"{\"type\":\"Act\",\"items\":[7]}", "draft.value", "items[0]"},
        {"{\"type\":\"Act\",\"items\":[{},{\"cadence\":{\"count\":\"x\"}}]}", "draft.value",
         "items[1].cadence.count"},
        {"{\"type\":\"Act\",\"compartments\":[{\"type\":\"identidad\"}]}", "draft.value",
         "compartments[0]"},
        {"{\"type\":\"Act\",\"compartments\":[{\"type\":\"identity\",\"fields\":{\"nombre\":\"x\"}}"
         "]}",
         "draft.key", "compartments[0].fields.nombre"},
        {"{\"type\":\"Act\",\"compartments\":[{\"type\":\"identity\",\"sealed\":1}]}",
         "draft.value", "compartments[0]"},
        {"{\"type\":\"Act\",\"seal_to\":[\"/nonexistent\"]}", "draft.value", "seal_to[0]"},
        {"{\"type\":\"Act\",\"subjects\":[{\"local\":\"0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\"},{}]"
         "}",
         "draft.value", "subjects"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN_PTR(arena) arena = arena_new(ARENA_MAX);
        OWN(draft_file) file = {0};
        struct fault fault = {0};

        if (read_text(rows[i].text, arena, &file, &fault) != RC_INVALID_ARGUMENT ||
            strcmp(fault.reason, rows[i].reason) != 0 || strcmp(fault.path, rows[i].path) != 0 ||
            fault.remedy[0] == '\0') {
            print_error("%s -> %s at %s\n", rows[i].text, fault.reason, fault.path);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_a_draft),
        cmocka_unit_test(what_is_wrong_is_refused_by_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
