#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "sedesa/sedesa.h"

#define CONFIDENTIALITY "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#define VERY_RESTRICTED "V"
#define TASK_CODE "http://hl7.org/fhir/CodeSystem/task-code"
#define TEXT_SIZE 256

const char *const sedesa_settings_words[] = {
    REFER_WORDS,    "person_system", "task_system",     "message_system",
    "state_system", "task_query",    "referral_query?", NULL};
const char *const sedesa_tables[] = {"estado", "cambio", "resultado", "motivo", NULL};

static enum rc no_memory(struct fault *fault)
{
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
}

static const char *fact(const struct reading *reading, const char *path)
{
    return reading_text(reading, path, (struct reading_place){0});
}

/* ---- rows of [salida] ---- */

static bool is_constant(const struct mapping_row *row)
{
    return row->value[0] == '"';
}

static bool is_of(const struct mapping_row *row, const char *type)
{
    size_t length = strlen(type);

    return strncmp(row->name, type, length) == 0 && row->name[length] == '.';
}

/* Up to its last dot. */
static size_t parent_length(const struct mapping_row *row)
{
    return (size_t)(strrchr(row->name, '.') - row->name);
}

static bool has_same_parent(const struct mapping_row *a, const struct mapping_row *b)
{
    size_t length = parent_length(a);

    return strchr(b->name, '.') != NULL && length == parent_length(b) &&
           strncmp(a->name, b->name, length) == 0;
}

struct filling {
    const struct mapping *mapping;
    const struct reading *reading;
    const char *type; /* of the resource */
    struct reading_place place;
};

static bool is_of_same_entry(const struct mapping_row *a, const struct mapping_row *b)
{
    const char *star = strchr(a->name, '*');

    return star != NULL && strncmp(a->name, b->name, (size_t)(star - a->name) + 1) == 0;
}

typedef bool is_companion(const struct mapping_row *a, const struct mapping_row *b);

/* Does something that is no fixed text stand beside it? *is_any: was anything to stand there? */
static bool has_company(const struct filling *filling, const struct mapping_row *row,
                        is_companion *is_beside, bool *is_any)
{
    size_t count;
    const struct mapping_row *rows = mapping_out(filling->mapping, &count);

    *is_any = false;
    for (size_t i = 0; i < count; i++) {
        if (is_constant(&rows[i]) || !is_beside(row, &rows[i])) {
            continue;
        }
        *is_any = true;
        if (mapping_text(filling->mapping, &rows[i], filling->reading, filling->place)[0] != '\0') {
            return true;
        }
    }
    return false;
}

/*
 * A fixed text explains what stands beside it ("phone", a system), or its entry: it goes where that
 * is, or where nothing else was to stand.
 */
static bool is_wanted(const struct filling *filling, const struct mapping_row *row)
{
    bool is_any;

    if (strchr(row->name, '.') == strrchr(row->name, '.') ||
        has_company(filling, row, has_same_parent, &is_any)) {
        return true;
    }
    return !is_any && (has_company(filling, row, is_of_same_entry, &is_any) || !is_any);
}

/* The path inside the resource: its type cut, "*" as the entry's index, ":n" cut. */
static bool row_path(const struct filling *filling, const struct mapping_row *row,
                     char out[FHIR_PATH_MAX], bool *is_number)
{
    const char *path = row->name + strlen(filling->type) + 1;
    size_t length = strcspn(path, ":");
    const char *star = memchr(path, '*', length);
    int n;

    *is_number = strcmp(path + length, ":n") == 0;
    n = star == NULL ? snprintf(out, FHIR_PATH_MAX, "%.*s", (int)length, path)
                     : snprintf(out, FHIR_PATH_MAX, "%.*s%u%.*s", (int)(star - path), path,
                                filling->place.entry, (int)(path + length - star - 1), star + 1);
    return n > 0 && n < FHIR_PATH_MAX && (*is_number || path[length] == '\0');
}

static enum rc put_row(const struct filling *filling, const struct mapping_row *row,
                       json_t *resource, struct fault *fault)
{
    const char *text = mapping_text(filling->mapping, row, filling->reading, filling->place);
    char path[FHIR_PATH_MAX];
    bool is_number;

    if (text[0] == '\0' || (is_constant(row) && !is_wanted(filling, row))) {
        return RC_OK;
    }
    if (!row_path(filling, row, path, &is_number) ||
        !fhir_put(resource, path, is_number ? json_integer(atoll(text)) : json_string(text))) {
        return refuse(fault, RC_INVALID_ARGUMENT, "fhir.path", row->name,
                      "Ese renglón de [salida] no es una ruta dentro del recurso.");
    }
    return RC_OK;
}

/* All rows of the resource's type; those with a "*" once for each entry. */
static enum rc put_rows(struct filling filling, json_t *resource, struct fault *fault)
{
    size_t count;
    const struct mapping_row *rows = mapping_out(filling.mapping, &count);

    for (size_t i = 0; i < count; i++) {
        bool is_repeated = strchr(rows[i].name, '*') != NULL;

        if (!is_of(&rows[i], filling.type)) {
            continue;
        }
        for (unsigned entry = 0; entry < (is_repeated ? MESSAGE_ATTACHMENTS_MAX : 1); entry++) {
            filling.place.entry = entry;
            TRY(put_row(&filling, &rows[i], resource, fault));
        }
    }
    return RC_OK;
}

/* ---- nothing is lost in silence ---- */

static bool is_source(const struct mapping_row *row, const char *path)
{
    size_t length = strlen(path);

    return strncmp(row->value, path, length) == 0 && strchr(" |", row->value[length]) != NULL;
}

static bool has_place(const struct filling *filling, const struct field_value *value, bool opens)
{
    size_t fields;
    const char *path = field_catalogue(&fields)[value->field].path;
    size_t count;
    const struct mapping_row *rows = mapping_out(filling->mapping, &count);

    for (size_t i = 0; i < count; i++) {
        const struct mapping_row *row = &rows[i];
        bool is_placed = is_of(row, "Task")             ? filling->place.subject == 0
                         : is_of(row, "ServiceRequest") ? opens && filling->place.subject == 0
                                                        : opens && is_of(row, "Patient");

        if (is_source(row, path) && is_placed &&
            (value->entry == 0 || strchr(row->name, '*') != NULL) &&
            mapping_text(filling->mapping, row, filling->reading, filling->place)[0] != '\0') {
            return true;
        }
    }
    return false;
}

static enum rc check_places(const struct filling *from, bool opens, struct fault *fault)
{
    struct filling filling = *from;

    for (size_t i = 0; i < filling.reading->count; i++) {
        const struct reading_part *part = &filling.reading->parts[i];

        for (size_t j = 0; part->is_read && j < part->count; j++) {
            size_t fields;

            filling.place = (struct reading_place){
                .subject = compartment_subject(part->compartment), .entry = part->values[j].entry};
            if (part->values[j].text[0] != '\0' && !has_place(&filling, &part->values[j], opens)) {
                return refuse(fault, RC_FAILED_PRECONDITION, "fhir.field_without_place",
                              field_catalogue(&fields)[part->values[j].field].path,
                              "Ese dato no tiene lugar en las equivalencias, o su clave no está "
                              "en la tabla; nada se envía a medias.");
            }
        }
    }
    return RC_OK;
}

/* ---- resources ---- */

/* A name of this message's own for a resource inside its Bundle: the same each time it is made. */
static void local_url(const struct reading *reading, const char *type, unsigned number,
                      char out[TEXT_SIZE])
{
    char name[TEXT_SIZE];
    uint8_t digest[DIGEST_SIZE];
    struct bytes whole;
    struct id id;
    char text[ID_TEXT_SIZE];

    snprintf(name, sizeof name, "%s/%s/%u", fact(reading, "header.message_id"), type, number);
    whole = bytes_text(name);
    digest_of(&whole, 1, digest);
    digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x80); /* RFC 9562: version 8, our own making */
    digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
    memcpy(id.bytes, digest, sizeof id.bytes);
    id_format(&id, text);
    snprintf(out, TEXT_SIZE, "urn:uuid:%s", text);
}

static json_t *resource_new(const char *type, const char *system, const char *value)
{
    return json_pack("{s:s, s:{s:[{s:s, s:s}]}, s:[{s:s, s:s}]}", "resourceType", type, "meta",
                     "security", "system", CONFIDENTIALITY, "code", VERY_RESTRICTED, "identifier",
                     "system", system, "value", value);
}

static bool put_text(json_t *resource, const char *path, const char *text)
{
    return text[0] == '\0' || fhir_put(resource, path, json_string(text));
}

/* Created only if nobody has its identifier; or put at it. Takes the resource over. */
static bool add_entry(json_t *bundle, const char *url, json_t *resource, bool is_put)
{
    char query[TEXT_SIZE];
    const char *type = fhir_text(resource, "resourceType");
    json_t *request;

    snprintf(query, sizeof query, "%s%sidentifier=%s|%s", is_put ? type : "", is_put ? "?" : "",
             fhir_text(resource, "identifier.0.system"), fhir_text(resource, "identifier.0.value"));
    request =
        is_put ? json_pack("{s:s, s:s}", "method", "PUT", "url", query)
               : json_pack("{s:s, s:s, s:s}", "method", "POST", "url", type, "ifNoneExist", query);
    fhir_tidy(resource);
    return json_array_append_new(json_object_get(bundle, "entry"),
                                 json_pack("{s:s, s:o, s:o}", "fullUrl", url, "resource", resource,
                                           "request", request)) == 0;
}

static json_t *bundle_new(void)
{
    return json_pack("{s:s, s:s, s:[]}", "resourceType", "Bundle", "type", "transaction", "entry");
}

/* A person in this exchange and no other: nothing links two exchanges but what their fields say. */
static enum rc add_patient(struct filling filling, unsigned subject, json_t *bundle,
                           struct fault *fault)
{
    char url[TEXT_SIZE];
    char value[TEXT_SIZE];
    OWN_PTR(json_t) patient = NULL;

    snprintf(value, sizeof value, "%s/P%u", fact(filling.reading, "header.exchange_id"),
             subject + 1);
    patient = resource_new("Patient", mapping_setting(filling.mapping, "person_system"), value);
    filling.type = "Patient";
    filling.place = (struct reading_place){.subject = subject};
    TRY(put_rows(filling, patient, fault));
    local_url(filling.reading, "Patient", subject, url);
    return add_entry(bundle, url, MOVE(patient), false) ? RC_OK : no_memory(fault);
}

static const char *period_unit(enum period period)
{
    static const char *const units[] = {"", "", "d", "wk", "mo"};

    return units[period];
}

/* http://hl7.org/fhir/R4/datatypes.html#Timing */
static bool put_timing(const struct item *item, json_t *request)
{
    const char *unit = period_unit(item->period);
    bool is_good = put_text(request, "occurrenceTiming.repeat.boundsPeriod.end", item->ends_on);

    if (item->cadence_count == 0) {
        return is_good;
    }
    if (unit[0] == '\0') {
        return is_good && fhir_put(request, "occurrenceTiming.repeat.count",
                                   json_integer(item->cadence_count));
    }
    return is_good &&
           fhir_put(request, "occurrenceTiming.repeat.frequency",
                    json_integer(item->cadence_count)) &&
           fhir_put(request, "occurrenceTiming.repeat.period", json_integer(1)) &&
           put_text(request, "occurrenceTiming.repeat.periodUnit", unit);
}

static void item_key(const struct reading *reading, uint32_t number, char out[TEXT_SIZE])
{
    snprintf(out, TEXT_SIZE, "%s/%u", fact(reading, "header.exchange_id"), number);
}

static enum rc add_request(struct filling filling, unsigned index, json_t *bundle,
                           struct fault *fault)
{
    const struct header *header = &filling.reading->message->header;
    char url[TEXT_SIZE];
    char value[TEXT_SIZE];
    OWN_PTR(json_t) request = NULL;

    item_key(filling.reading, header->items[index].number, value);
    request =
        resource_new("ServiceRequest", mapping_setting(filling.mapping, "task_system"), value);
    filling.type = "ServiceRequest";
    filling.place = (struct reading_place){.item = index};
    local_url(filling.reading, "Patient", 0, url);
    if (!put_text(request, "status", "active") || !put_text(request, "intent", "order") ||
        !put_text(request, "subject.reference", url) ||
        !put_text(request, "authoredOn", fact(filling.reading, "header.created_at")) ||
        !put_timing(&header->items[index], request)) {
        return no_memory(fault);
    }
    for (unsigned i = 1; i < header->subject_count; i++) {
        char path[TEXT_SIZE];

        local_url(filling.reading, "Patient", i, url);
        snprintf(path, sizeof path, "supportingInfo.%u.reference", i - 1);
        if (!put_text(request, path, url)) {
            return no_memory(fault);
        }
    }
    TRY(put_rows(filling, request, fault));
    local_url(filling.reading, "ServiceRequest", index, url);
    return add_entry(bundle, url, MOVE(request), false) ? RC_OK : no_memory(fault);
}

/* ---- Tasks ---- */

static bool put_state(const struct filling *filling, json_t *task, enum state state)
{
    const char *theirs = mapping_theirs(filling->mapping, "estado", state_name(state));

    return put_text(task, "status", state_fhir_task(state)) &&
           (theirs == NULL || (put_text(task, "businessStatus.coding.0.system",
                                        mapping_setting(filling->mapping, "state_system")) &&
                               put_text(task, "businessStatus.coding.0.code", theirs)));
}

/* What every Task of ours says; `code` is one of FHIR's own. */
static enum rc put_task(struct filling filling, const char *code, json_t *task, struct fault *fault)
{
    const struct reading *reading = filling.reading;

    filling.type = "Task";
    if (!put_text(task, "intent", "order") || !put_text(task, "code.coding.0.system", TASK_CODE) ||
        !put_text(task, "code.coding.0.code", code) ||
        !put_text(task, "authoredOn", fact(reading, "header.created_at")) ||
        !put_text(task, "groupIdentifier.system",
                  mapping_setting(filling.mapping, "task_system")) ||
        !put_text(task, "groupIdentifier.value", fact(reading, "header.exchange_id"))) {
        return no_memory(fault);
    }
    return put_rows(filling, task, fault);
}

static enum rc add_task(struct filling filling, unsigned index, json_t *bundle, struct fault *fault)
{
    const struct header *header = &filling.reading->message->header;
    char url[TEXT_SIZE];
    char value[TEXT_SIZE];
    OWN_PTR(json_t) task = NULL;

    item_key(filling.reading, header->items[index].number, value);
    task = resource_new("Task", mapping_setting(filling.mapping, "task_system"), value);
    filling.place = (struct reading_place){.item = index};
    local_url(filling.reading, "Patient", 0, url);
    if (!put_state(&filling, task, STATE_SENT) || !put_text(task, "for.reference", url)) {
        return no_memory(fault);
    }
    local_url(filling.reading, "ServiceRequest", index, url);
    if (!put_text(task, "focus.reference", url) ||
        !put_text(task, "restriction.period.end", fact(filling.reading, "header.due_at"))) {
        return no_memory(fault);
    }
    TRY(put_task(filling, "fulfill", task, fault));
    local_url(filling.reading, "Task", index, url);
    return add_entry(bundle, url, MOVE(task), false) ? RC_OK : no_memory(fault);
}

static enum rc add_opening(struct filling filling, json_t *bundle, struct fault *fault)
{
    const struct header *header = &filling.reading->message->header;

    for (unsigned i = 0; i < (header->subject_count > 0 ? header->subject_count : 1); i++) {
        TRY(add_patient(filling, i, bundle, fault));
    }
    for (unsigned i = 0; i < header->item_count; i++) {
        TRY(add_request(filling, i, bundle, fault));
        TRY(add_task(filling, i, bundle, fault));
    }
    return RC_OK;
}

/* ---- what follows an opening ---- */

/* One word for it, which [claves cambio] turns into a code of FHIR's task-code. */
static const char *change_word(const struct header *header)
{
    static const char *const changes[] = {"change", "extend", "suspend", "lift", "renew"};

    switch (header->type) {
    case MESSAGE_ACT:
        return event_name(header->event);
    case MESSAGE_MEASURE_CHANGE:
        return changes[header->change];
    case MESSAGE_RECALL:
        return "recall";
    case MESSAGE_STATUS_REPORT:
        return "report";
    default:
        return "notice";
    }
}

static enum state state_after(enum event event)
{
    for (enum state from = STATE_SENT; from < STATES; from++) {
        const struct transition *step = lifecycle_step(from, event, SIDE_EXECUTOR);

        if (step != NULL) {
            return step->to;
        }
    }
    return STATE_NONE;
}

/* How their own request goes: one Task at it, put anew with each step. */
static enum rc add_progress(struct filling filling, const char *referred, json_t *bundle,
                            struct fault *fault)
{
    const struct header *header = &filling.reading->message->header;
    enum state state = state_after(header->event);
    char url[TEXT_SIZE];
    char value[TEXT_SIZE];
    OWN_PTR(json_t) task = NULL;

    item_key(filling.reading, header->item != 0 ? header->item : 1, value);
    task = resource_new("Task", mapping_setting(filling.mapping, "task_system"), value);
    if (!put_state(&filling, task, state) || !put_text(task, "focus.reference", referred) ||
        !put_text(task, "lastModified", fact(filling.reading, "header.created_at")) ||
        !put_text(task, "statusReason.text", header->reason)) {
        return no_memory(fault);
    }
    TRY(put_task(filling, "fulfill", task, fault));
    local_url(filling.reading, "Task", 0, url);
    return add_entry(bundle, url, MOVE(task), true) ? RC_OK : no_memory(fault);
}

/* Something asked or told of what goes on already: a Task about the Task. */
static enum rc add_change(struct filling filling, const char *referred, json_t *bundle,
                          struct fault *fault)
{
    const struct header *header = &filling.reading->message->header;
    const char *word = change_word(header);
    const char *code = mapping_theirs(filling.mapping, "cambio", word);
    char url[TEXT_SIZE];
    char value[TEXT_SIZE];
    OWN_PTR(json_t)
    task = resource_new("Task", mapping_setting(filling.mapping, "message_system"),
                        fact(filling.reading, "header.message_id"));

    if (code == NULL) {
        return refuse(fault, RC_FAILED_PRECONDITION, "fhir.change", "[claves cambio]",
                      "Las equivalencias no dicen cómo se pide ese cambio.");
    }
    item_key(filling.reading, header->item, value);
    if (!put_text(task, "status", "requested") || !put_text(task, "focus.reference", referred) ||
        !put_text(task, "description", word) ||
        !put_text(task, "reasonCode.text", header->reason) ||
        !put_text(task, "executionPeriod.start", header->occurred_at) ||
        !put_text(task, "restriction.period.end", header->ends_on)) {
        return no_memory(fault);
    }
    if (referred[0] == '\0' && header->item != 0 &&
        (!put_text(task, "focus.type", "Task") ||
         !put_text(task, "focus.identifier.system",
                   mapping_setting(filling.mapping, "task_system")) ||
         !put_text(task, "focus.identifier.value", value))) {
        return no_memory(fault);
    }
    TRY(put_task(filling, code, task, fault));
    local_url(filling.reading, "Task", 0, url);
    return add_entry(bundle, url, MOVE(task), false) ? RC_OK : no_memory(fault);
}

enum rc sedesa_bundle(const struct mapping *mapping, const struct reading *reading,
                      const char *referred, struct json_t **bundle, struct fault *fault)
{
    const struct header *header = &reading->message->header;
    struct filling filling = {.mapping = mapping, .reading = reading};
    bool opens = header->item_count > 0;
    OWN_PTR(json_t) made = bundle_new();

    if (made == NULL) {
        return no_memory(fault);
    }
    TRY(check_places(&filling, opens, fault));
    if (opens) {
        TRY(add_opening(filling, made, fault));
    } else if (header->type == MESSAGE_ACT && referred[0] != '\0' &&
               state_after(header->event) != STATE_NONE) {
        TRY(add_progress(filling, referred, made, fault));
    } else {
        TRY(add_change(filling, referred, made, fault));
    }
    *bundle = MOVE(made);
    return RC_OK;
}
