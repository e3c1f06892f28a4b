/* Red: how the node is doing, what needs somebody, and a test of the connection, step by step. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/checkup.h"
#include "client/doctor.h"
#include "client/session.h"
#include "console/routes.h"
#include "model/condition.h"

static json_t *figures_json(const struct condition *condition)
{
    json_t *figures = json_array();

    for (size_t i = 0; i < condition->count; i++) {
        const struct sample *sample = &condition->items[i];
        const struct metric_row *row = metric_row(sample->metric);
        json_t *labels = json_array();

        for (size_t j = 0; j < SAMPLE_LABELS_MAX && row->labels[j] != NULL; j++) {
            json_array_append_new(labels, json_string(sample->labels[j]));
        }
        json_array_append_new(figures, json_pack("{s:s,s:o,s:I}", "name", row->name, "labels",
                                                 labels, "value", (json_int_t)sample->value));
    }
    return figures;
}

static json_t *attention_json(const struct checkup *checkup)
{
    json_t *list = json_array();

    for (size_t i = 0; i < checkup->count; i++) {
        const struct ailment *item = &checkup->items[i];

        json_array_append_new(list, json_pack("{s:b,s:s,s:s}", "now", item->grade == AILMENT_NOW,
                                              "what", item->what, "remedy", item->remedy));
    }
    return list;
}

/* As the reader: whoever may not see it is told so, and still has the test. */
enum rc page_network(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct checkup *checkup = arena_alloc(asked->arena, sizeof *checkup);
    struct condition condition;
    struct session *session;

    if (checkup == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(desk_reader(asked->console, &session, fault));
    TRY(ask_condition(session, asked->arena, &condition, fault));
    checkup_make(&condition, clock_now_ms() / 1000, checkup);
    *answer = json_pack("{s:I,s:o,s:o}", "now_s", (json_int_t)(clock_now_ms() / 1000), "attention",
                        attention_json(checkup), "figures", figures_json(&condition));
    return RC_OK;
}

enum rc page_network_test(const struct asked *asked, json_t **answer, struct fault *fault)
{
    struct doctor *doctor = arena_alloc(asked->arena, sizeof *doctor);
    json_t *steps = json_array();
    bool is_well;

    if (doctor == NULL) {
        json_decref(steps);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    *doctor = (struct doctor){.profile = asked->console->profile, .arena = asked->arena};
    is_well = doctor_visit(doctor);
    for (size_t i = 0; i < doctor->count; i++) {
        const struct doctor_step *step = &doctor->steps[i];

        json_array_append_new(steps,
                              json_pack("{s:s,s:b,s:s,s:s}", "check", step->name, "ok",
                                        step->is_well, "what", step->what, "remedy", step->remedy));
    }
    *answer = json_pack("{s:b,s:o}", "ok", is_well, "steps", steps);
    return RC_OK;
}
