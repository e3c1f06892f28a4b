#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "sdk/progress.h"
#include "sedesa/sedesa.h"

static enum rc bad(struct fault *fault, const char *reason, const char *path, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, path, "%s", remedy);
}

/* ---- its name ---- */

enum rc sedesa_task_name(const struct mapping *mapping, const struct json_t *task,
                         struct sedesa_steps *steps, struct fault *fault)
{
    const char *key = fhir_identifier(task, mapping_setting(mapping, "task_system"));
    const char *slash = strchr(key, '/');
    const char *version = fhir_text(task, "meta.versionId");
    struct id id;

    memset(steps, 0, sizeof *steps);
    steps->reason = "";
    if (slash == NULL || slash - key != ID_TEXT_SIZE - 1 || strlen(key) >= sizeof steps->key) {
        return bad(fault, "task.identifier", "Task.identifier",
                   "El Task no lleva el identificador con que se pidió.");
    }
    snprintf(steps->key, sizeof steps->key, "%s", key);
    snprintf(steps->exchange, sizeof steps->exchange, "%.*s", (int)(slash - key), key);
    if (id_parse(steps->exchange, &id) != RC_OK ||
        progress_number(slash + 1, &steps->item, NULL) != RC_OK || steps->item == 0) {
        return bad(fault, "task.identifier", "Task.identifier",
                   "El Task no lleva el identificador con que se pidió.");
    }
    steps->version = version[0] != '\0' ? version : fhir_text(task, "meta.lastUpdated");
    if (steps->version[0] == '\0' || strlen(steps->version) > 64 ||
        strpbrk(steps->version, " \t\r\n") != NULL) {
        return bad(fault, "task.version", "Task.meta", "El Task no dice su versión.");
    }
    return RC_OK;
}

/* ---- its state ---- */

static enum state state_from_name(const char *name)
{
    for (enum state state = STATE_SENT; state < STATES; state++) {
        if (strcmp(state_name(state), name) == 0) {
            return state;
        }
    }
    return STATE_NONE;
}

/* What a plain Task.status means of those that the executor brings about. */
static enum state state_from_status(const char *status)
{
    static const enum state states[] = {STATE_IN_CUSTODY, STATE_ACCEPTED, STATE_IN_PROGRESS,
                                        STATE_ENDED,      STATE_DECLINED, STATE_FAILED,
                                        STATE_ON_HOLD};

    /* Nothing has happened yet. */
    if (strcmp(status, "requested") == 0 || strcmp(status, "ready") == 0) {
        return STATE_IN_CUSTODY;
    }
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(state_fhir_task(states[i]), status) == 0) {
            return states[i];
        }
    }
    return STATE_NONE;
}

static enum rc read_state(const struct mapping *mapping, const struct json_t *task,
                          enum state known, enum state *state, struct fault *fault)
{
    const char *status = fhir_text(task, "status");
    const char *business = fhir_text(task, "businessStatus.coding.0.code");
    const char *ours = business[0] != '\0' ? mapping_ours(mapping, "estado", business) : NULL;
    enum state named = ours != NULL ? state_from_name(ours) : STATE_NONE;

    if (business[0] == '\0' && strcmp(state_fhir_task(known), status) == 0) {
        *state = known;
        return RC_OK;
    }
    if (business[0] == '\0') {
        named = state_from_status(status);
    } else if (named == STATE_SENT) {
        named = state_from_status(status); /* as we sent it, and nobody touched it */
    } else if (named != STATE_NONE && strcmp(state_fhir_task(named), status) != 0) {
        return bad(fault, "task.status", "Task.businessStatus",
                   "businessStatus y status del Task se contradicen.");
    }
    *state = named;
    return named != STATE_NONE ? RC_OK
                               : bad(fault, "task.status", "Task.status",
                                     "Ese estado no está en la tabla de equivalencias.");
}

/* ---- the way there ---- */

/* The shortest way that the executor may go; -1: none. */
static int way(enum state from, enum state to, enum event events[SEDESA_STEPS_MAX])
{
    enum state before[STATES] = {STATE_NONE};
    enum event by[STATES] = {EVENT_NONE};
    enum state queue[STATES];
    size_t head = 0;
    size_t tail = 0;
    int count = 0;
    int left;

    queue[tail++] = from;
    before[from] = from;
    while (head < tail && before[to] == STATE_NONE) {
        enum state at = queue[head++];

        for (enum event event = EVENT_ACCEPT; event < EVENTS; event++) {
            const struct transition *step = lifecycle_step(at, event, SIDE_EXECUTOR);

            if (step != NULL && before[step->to] == STATE_NONE) {
                before[step->to] = at;
                by[step->to] = event;
                queue[tail++] = step->to;
            }
        }
    }
    if (before[to] == STATE_NONE) {
        return -1;
    }
    for (enum state at = to; at != from; at = before[at]) {
        count++;
    }
    if (count > SEDESA_STEPS_MAX) {
        return -1;
    }
    left = count;
    for (enum state at = to; at != from; at = before[at]) {
        events[--left] = by[at];
    }
    return count;
}

static enum rc check_instant(const char *text, struct fault *fault)
{
    int64_t instant_ms;

    return text[0] == '\0' ||
                   (strlen(text) < 40 && clock_parse(bytes_text(text), &instant_ms) == RC_OK)
               ? RC_OK
               : bad(fault, "task.time", "Task", "Una fecha y hora lleva siempre su zona.");
}

static void add_step(struct sedesa_steps *steps, const struct sedesa_step *step)
{
    steps->steps[steps->count++] = *step;
}

/* ---- its outputs ---- */

static const char *output_instant(const struct json_t *output)
{
    const char *text = fhir_text(output, "valueDateTime");

    return text[0] != '\0' ? text : fhir_text(output, "valuePeriod.start");
}

/* Each output that the mapping calls a report is an occurrence, in the order of the Task. */
static enum rc add_reports(const struct mapping *mapping, const struct json_t *task,
                           struct sedesa_steps *steps, struct fault *fault)
{
    const json_t *outputs = json_object_get(task, "output");
    uint32_t occurrence = 0;

    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *output = json_array_get(outputs, i);
        const char *ours =
            mapping_ours(mapping, "resultado", fhir_text(output, "type.coding.0.code"));

        if (ours == NULL || strcmp(ours, "report") != 0) {
            continue;
        }
        if (++occurrence > SEDESA_REPORTS_MAX) {
            return bad(fault, "task.outputs", "Task.output", "Son a lo más 400 ocurrencias.");
        }
        TRY(check_instant(output_instant(output), fault));
        add_step(steps, &(struct sedesa_step){.is_report = true,
                                              .occurrence = occurrence,
                                              .occurred_at = output_instant(output)});
    }
    return RC_OK;
}

static enum rc read_fields(const struct mapping *mapping, const struct json_t *task,
                           struct sedesa_steps *steps, struct fault *fault)
{
    const json_t *outputs = json_object_get(task, "output");

    for (size_t i = 0; i < json_array_size(outputs); i++) {
        const json_t *output = json_array_get(outputs, i);
        const char *ours =
            mapping_ours(mapping, "resultado", fhir_text(output, "type.coding.0.code"));
        int field = ours != NULL ? field_number(ours) : -1;
        const char *text = fhir_text(output, "valueString");

        if (field < 0 || text[0] == '\0') {
            continue;
        }
        if (steps->value_count == sizeof steps->values / sizeof steps->values[0] ||
            strlen(text) > MESSAGE_TEXT_MAX) {
            return bad(fault, "task.outputs", "Task.output",
                       "Son a lo más 8 datos de respuesta, de 4096 bytes.");
        }
        steps->values[steps->value_count++] =
            (struct field_value){.field = (unsigned)field, .text = text};
    }
    return RC_OK;
}

static void evidence_of(const struct json_t *task, uint8_t digest[HASH_SIZE])
{
    char *text = json_dumps(task, JSON_COMPACT | JSON_SORT_KEYS);
    struct bytes whole = bytes_text(text != NULL ? text : "");

    digest_of(&whole, 1, digest);
    free(text);
}

/* Reports count while an item takes them: they are said before a step that ends that. */
static enum rc arrange(const struct mapping *mapping, const struct json_t *task, enum state known,
                       const enum event *events, int count, struct sedesa_steps *steps,
                       struct fault *fault)
{
    const char *modified = fhir_text(task, "lastModified");
    const char *started = fhir_text(task, "executionPeriod.start");
    const char *at = modified[0] != '\0' ? modified : fhir_text(task, "meta.lastUpdated");
    enum state state = known;
    bool is_told = false;

    TRY(check_instant(at, fault));
    TRY(check_instant(started, fault));
    for (int i = 0; i < count; i++) {
        const struct transition *step = lifecycle_step(state, events[i], SIDE_EXECUTOR);
        bool is_last = i == count - 1;

        if (is_last && state_takes_reports(state) && !state_takes_reports(step->to)) {
            TRY(add_reports(mapping, task, steps, fault));
            is_told = true;
        }
        add_step(steps, &(struct sedesa_step){.event = events[i],
                                              .occurred_at =
                                                  !is_last && started[0] != '\0' ? started : at});
        state = step->to;
    }
    return !is_told && state_takes_reports(state) ? add_reports(mapping, task, steps, fault)
                                                  : RC_OK;
}

enum rc sedesa_task_steps(const struct mapping *mapping, const struct json_t *task,
                          enum state known, struct sedesa_steps *steps, struct fault *fault)
{
    enum event events[SEDESA_STEPS_MAX];
    const char *reason;
    int count;

    TRY(read_state(mapping, task, known, &steps->state, fault));
    count = way(known, steps->state, events);
    if (count < 0) {
        return bad(fault, "task.order", "Task.status",
                   "De como se sabía que iba no se llega a ese estado.");
    }
    reason = mapping_ours(mapping, "motivo", fhir_text(task, "statusReason.coding.0.code"));
    steps->reason = reason != NULL ? reason : "";
    evidence_of(task, steps->evidence);
    TRY(read_fields(mapping, task, steps, fault));
    return arrange(mapping, task, known, events, count, steps, fault);
}
