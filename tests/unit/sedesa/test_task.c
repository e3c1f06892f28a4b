#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sedesa/sedesa.h"

#define MAPPING "adapters/sedesa/mappings/comun.map"
#define KEY "01a20aa3-5d07-729e-8954-c0eb93321bef/2"

static struct mapping *load(void)
{
    struct mapping *mapping = NULL;
    char error[MAPPING_ERROR_SIZE] = "";

    assert_int_equal(mapping_read(MAPPING, &mapping, error), RC_OK);
    return mapping;
}

/* A Task as the hospital keeps it; business "" none; so many sessions, all of them zoned. */
static struct json_t *task_new(const char *status, const char *business, int sessions)
{
    json_t *outputs = json_array();
    json_t *task =
        json_pack("{s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:s}], s:s, s:{s:s}, s:o}", "resourceType",
                  "Task", "status", status, "meta", "versionId", "7", "lastUpdated",
                  "2026-11-23T12:00:00-06:00", "identifier", "system", "urn:enlace:encargo",
                  "value", KEY, "lastModified", "2026-11-23T12:00:00-06:00", "executionPeriod",
                  "start", "2026-11-23T10:00:00-06:00", "output", outputs);

    for (int i = 0; i < sessions; i++) {
        json_array_append_new(outputs,
                              json_pack("{s:{s:[{s:s}]}, s:s}", "type", "coding", "code", "sesion",
                                        "valueDateTime", "2026-11-23T11:00:00-06:00"));
    }
    if (business[0] != '\0') {
        json_object_set_new(task, "businessStatus",
                            json_pack("{s:[{s:s, s:s}]}", "coding", "system", "urn:enlace:estado",
                                      "code", business));
    }
    return task;
}

static enum rc read_task(const struct json_t *task, enum state known, struct sedesa_steps *steps,
                         struct fault *fault)
{
    OWN_PTR(mapping) mapping = load();

    TRY(sedesa_task_name(mapping, task, steps, fault));
    return sedesa_task_steps(mapping, task, known, steps, fault);
}

/* "accept in-force 1 2 end" */
static void tell(const struct sedesa_steps *steps, char out[160])
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < steps->count; i++) {
        const struct sedesa_step *step = &steps->steps[i];

        used += (size_t)(step->is_report
                             ? snprintf(out + used, 160 - used, "%u ", step->occurrence)
                             : snprintf(out + used, 160 - used, "%s ", event_name(step->event)));
    }
}

static void a_status_is_told_as_the_steps_that_lead_there(void **state)
{
    static const struct {
        enum state known;
        const char *status;
        const char *business;
        int sessions;
        const char *steps;
        enum state after;
    } told[] = {
        {STATE_IN_CUSTODY, "requested", "enviada", 0, "", STATE_IN_CUSTODY},
        {STATE_IN_CUSTODY, "requested", "", 0, "", STATE_IN_CUSTODY},
        {STATE_IN_CUSTODY, "received", "", 0, "", STATE_IN_CUSTODY},
        {STATE_IN_CUSTODY, "accepted", "enviada", 0, "accept ", STATE_ACCEPTED},
        {STATE_IN_CUSTODY, "accepted", "aceptada", 1, "accept 1 ", STATE_ACCEPTED},
        {STATE_ACCEPTED, "in-progress", "en-vigor", 2, "in-force 1 2 ", STATE_IN_FORCE},
        {STATE_IN_FORCE, "in-progress", "", 2, "1 2 ", STATE_IN_FORCE},
        {STATE_IN_CUSTODY, "in-progress", "en-tramite", 0, "accept start ", STATE_IN_PROGRESS},
        {STATE_IN_CUSTODY, "completed", "terminada", 2, "accept in-force 1 2 end ", STATE_ENDED},
        {STATE_IN_CUSTODY, "completed", "", 0, "accept in-force end ", STATE_ENDED},
        {STATE_IN_FORCE, "completed", "terminada", 1, "1 end ", STATE_ENDED},
        {STATE_ENDED, "completed", "terminada", 1, "", STATE_ENDED},
        {STATE_IN_CUSTODY, "rejected", "declinada", 0, "decline ", STATE_DECLINED},
        {STATE_IN_CUSTODY, "failed", "", 0, "fail ", STATE_FAILED},
        {STATE_ACCEPTED, "on-hold", "en-pausa", 1, "1 hold ", STATE_ON_HOLD},
        {STATE_ON_HOLD, "in-progress", "", 1, "resume 1 ", STATE_IN_PROGRESS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        OWN_PTR(json_t) task = task_new(told[i].status, told[i].business, told[i].sessions);
        struct sedesa_steps steps;
        struct fault fault = {0};
        char text[160];

        assert_int_equal(read_task(task, told[i].known, &steps, &fault), RC_OK);
        tell(&steps, text);
        assert_string_equal(text, told[i].steps);
        assert_int_equal(steps.state, told[i].after);
        assert_int_equal(steps.item, 2);
        assert_string_equal(steps.version, "7");
    }
}

static void a_status_that_says_nothing_clear_is_refused(void **state)
{
    static const struct {
        enum state known;
        const char *status;
        const char *business;
        const char *reason;
    } refused[] = {
        {STATE_IN_CUSTODY, "pedida", "", "task.status"},
        {STATE_IN_CUSTODY, "", "", "task.status"},
        {STATE_IN_CUSTODY, "cancelled", "", "task.status"},
        {STATE_IN_CUSTODY, "accepted", "terminada", "task.status"},
        {STATE_IN_CUSTODY, "accepted", "desconocida", "task.status"},
        {STATE_DECLINED, "completed", "terminada", "task.order"},
        {STATE_ENDED, "in-progress", "en-vigor", "task.order"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(json_t) task = task_new(refused[i].status, refused[i].business, 0);
        struct sedesa_steps steps;
        struct fault fault = {0};

        assert_int_not_equal(read_task(task, refused[i].known, &steps, &fault), RC_OK);
        assert_string_equal(fault.reason, refused[i].reason);
    }
}

static void a_task_of_another_shape_is_refused(void **state)
{
    static const struct {
        const char *path;
        const char *value;
        const char *reason;
    } refused[] = {
        {"identifier.0.value", "01a20aa3-5d07-729e-8954-c0eb93321bef", "task.identifier"},
        {"identifier.0.value", "01a20aa3-5d07-729e-8954-c0eb93321bef/", "task.identifier"},
        {"identifier.0.value", "01a20aa3-5d07-729e-8954-c0eb93321bef/0", "task.identifier"},
        {"identifier.0.value", "01a20aa3-5d07-729e-8954-c0eb93321bef/-1", "task.identifier"},
        {"identifier.0.value", "01a20aa3-5d07-729e-8954-c0eb93321bef/1234567", "task.identifier"},
        {"identifier.0.value", "zza20aa3-5d07-729e-8954-c0eb93321bef/1", "task.identifier"},
        {"identifier.0.system", "urn:otro", "task.identifier"},
        {"meta.versionId", "1 2", "task.version"},
        {"lastModified", "2026-11-23T12:00:00", "task.time"},
        {"lastModified", "11/04/1993", "task.time"},
        {"executionPeriod.start", "2026-11-23T12:00:00-00:00", "task.time"},
        {"output.0.valueDateTime", "2026-11-23", "task.time"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        OWN_PTR(json_t) task = task_new("accepted", "aceptada", 1);
        struct sedesa_steps steps;
        struct fault fault = {0};

        assert_true(fhir_put(task, refused[i].path, json_string(refused[i].value)));
        assert_int_not_equal(read_task(task, STATE_IN_CUSTODY, &steps, &fault), RC_OK);
        assert_string_equal(fault.reason, refused[i].reason);
    }
}

static void more_sessions_than_anyone_has_are_refused(void **state)
{
    OWN_PTR(json_t) most = task_new("completed", "terminada", SEDESA_REPORTS_MAX);
    OWN_PTR(json_t) more = task_new("completed", "terminada", SEDESA_REPORTS_MAX + 1);
    static struct sedesa_steps steps;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(read_task(most, STATE_IN_CUSTODY, &steps, &fault), RC_OK);
    assert_int_equal(steps.count, SEDESA_REPORTS_MAX + 3);
    assert_int_not_equal(read_task(more, STATE_IN_CUSTODY, &steps, &fault), RC_OK);
    assert_string_equal(fault.reason, "task.outputs");
}

static void an_answer_of_the_person_and_a_reason_come_along(void **state)
{
    OWN_PTR(mapping) mapping = load(); /* the reason is borrowed from it */
    OWN_PTR(json_t) task = task_new("rejected", "declinada", 0);
    struct sedesa_steps steps;
    struct fault fault = {0};

    (void)state;
    assert_true(fhir_put(task, "statusReason.coding.0.code", json_string("sin-capacidad")));
    assert_true(fhir_put(task, "output.0.type.coding.0.code", json_string("necesidades")));
    assert_true(fhir_put(task, "output.0.valueString", json_string("sintético")));
    assert_int_equal(sedesa_task_name(mapping, task, &steps, &fault), RC_OK);
    assert_int_equal(sedesa_task_steps(mapping, task, STATE_IN_CUSTODY, &steps, &fault), RC_OK);
    assert_string_equal(steps.reason, "sin-capacidad");
    assert_int_equal(steps.value_count, 1);
    assert_int_equal(steps.values[0].field, field_number("health.needs"));
    assert_string_equal(steps.values[0].text, "sintético");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_told_as_the_steps_that_lead_there),
        cmocka_unit_test(a_status_that_says_nothing_clear_is_refused),
        cmocka_unit_test(a_task_of_another_shape_is_refused),
        cmocka_unit_test(more_sessions_than_anyone_has_are_refused),
        cmocka_unit_test(an_answer_of_the_person_and_a_reason_come_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
