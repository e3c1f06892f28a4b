/*
 * fuzz_sedesa - what a FHIR server answers, from arbitrary bytes. What is read is written and read
 * again as the same; the steps of a Task are those that the executor may go.
 */
#include "fuzz/fuzz.h"

#include "sedesa/sedesa.h"

FUZZ_QUIET()

static void check_steps(const struct sedesa_steps *steps, enum state known)
{
    enum state at = known;

    for (size_t i = 0; i < steps->count; i++) {
        const struct transition *step;

        if (steps->steps[i].is_report) {
            assert(state_takes_reports(at));
            continue;
        }
        step = lifecycle_step(at, steps->steps[i].event, SIDE_EXECUTOR);
        assert(step != NULL);
        at = step->to;
    }
    assert(at == steps->state);
}

static void try_task(const struct mapping *mapping, const struct json_t *task)
{
    static struct sedesa_steps steps;

    for (enum state known = STATE_IN_CUSTODY; task != NULL && known < STATES; known++) {
        struct fault fault = {0};

        if (sedesa_task_name(mapping, task, &steps, &fault) != RC_OK ||
            sedesa_task_steps(mapping, task, known, &steps, &fault) != RC_OK) {
            assert(fault.reason[0] != '\0');
            continue;
        }
        check_steps(&steps, known);
    }
}

static void check_same(const struct json_t *resource, const char *type)
{
    OWN(buffer) text = {0};
    OWN_PTR(json_t) again = NULL;

    fhir_write(resource, &text);
    if (text.size <= FHIR_BYTES_MAX) {
        assert(fhir_read(buffer_bytes(&text), type, &again, NULL) == RC_OK);
        assert(json_equal(resource, again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"Bundle", "CapabilityStatement", "OperationOutcome",
                                        "Task"};
    static struct mapping *mapping;
    char error[MAPPING_ERROR_SIZE];
    struct fault refusal = {0};

    if (mapping == NULL) {
        assert(mapping_read("adapters/sedesa/mappings/comun.map", &mapping, error) == RC_OK);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        OWN_PTR(json_t) resource = NULL;
        struct fault fault = {0};

        if (fhir_read(BYTES(data, size), types[i], &resource, &fault) != RC_OK) {
            assert(fault.reason[0] != '\0');
            continue;
        }
        check_same(resource, types[i]);
        try_task(mapping, resource);
        for (size_t j = 0; j < json_array_size(fhir_at(resource, "entry")); j++) {
            try_task(mapping, fhir_entry(resource, j, "Task"));
        }
        assert(fhir_check_version(resource, NULL) != RC_OK ||
               fhir_text(resource, "fhirVersion")[0] == '4');
        (void)!fhir_check_response(resource, resource, NULL);
    }
    assert(fhir_refusal(422, BYTES(data, size), &refusal) != RC_OK && refusal.reason[0] != '\0');
    return 0;
}
