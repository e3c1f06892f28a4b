#include "client/draft_json.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "client/json_rows.h"
#include "crypto/cert.h"
#include "crypto/digest.h"

#define FIELDS_MAX 256 /* of one compartment, entries counted */

#define TEXT(key, member)                                                                          \
    {                                                                                              \
        key, JSON_ROW_TEXT, offsetof(struct header, member), NULL                                  \
    }
#define ID(key, member)                                                                            \
    {                                                                                              \
        key, JSON_ROW_ID, offsetof(struct header, member), NULL                                    \
    }
#define HASH(key, member)                                                                          \
    {                                                                                              \
        key, JSON_ROW_HASH, offsetof(struct header, member), NULL                                  \
    }
#define NUMBER(key, member)                                                                        \
    {                                                                                              \
        key, JSON_ROW_U32, offsetof(struct header, member), NULL                                   \
    }
#define INSTANT(key, member)                                                                       \
    {                                                                                              \
        key, JSON_ROW_INSTANT, offsetof(struct header, member), NULL                               \
    }
#define WORD(key, member, words)                                                                   \
    {                                                                                              \
        key, JSON_ROW_WORD, offsetof(struct header, member), words                                 \
    }
#define OTHER(key)                                                                                 \
    {                                                                                              \
        key, JSON_ROW_OTHER, 0, NULL                                                               \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, JSON_ROW_OTHER, 0, NULL                                                              \
    }

/* By value; [0] is never used. */
static const char *const urgencies[] = {"", "ordinary", "urgent", NULL};
static const char *const consents[] = {"", "given", "impeded", "not_needed", NULL};
static const char *const roles[] = {"", "person", "collective", "relative", NULL};
static const char *const procedures[] = {"", "ordinary", "extraordinary", NULL};
static const char *const bands[] = {"", "telephone", "paper", "in_person", NULL};
static const char *const periods[] = {"", "once", "day", "week", "month", NULL};
static const char *const changes[] = {"", "extend", "suspend", "lift", "renew", NULL};

static const struct json_row top_rows[] = {
    ID("message_id", message_id),
    ID("exchange_id", exchange_id),
    ID("parent_exchange_id", parent_exchange_id),
    ID("case_id", case_id),
    TEXT("from", from),
    TEXT("from_system", from_system),
    TEXT("to", to),
    TEXT("to_system", to_system),
    TEXT("on_behalf_of", on_behalf_of),
    WORD("urgency", urgency, urgencies),
    TEXT("catalogue_code", catalogue_code),
    TEXT("purpose", purpose),
    TEXT("legal_basis", legal_basis),
    INSTANT("created_at", created_at_ms),
    TEXT("occurred_at", occurred_at),
    WORD("out_of_band", out_of_band, bands),
    TEXT("break_glass", break_glass),
    /* Of the types' own messages. */
    NUMBER("item", item),
    WORD("kind", change, changes),
    TEXT("ends_on", ends_on),
    TEXT("session", session),
    INSTANT("expires_at", expires_at_ms),
    NUMBER("occurrence", occurrence),
    TEXT("action_code", action_code),
    HASH("evidence_sha256", evidence_sha256),
    ID("regards", regards),
    TEXT("reason", reason),
    TEXT("competent", competent),
    TEXT("clock", notice_clock),
    NUMBER("percent", notice_percent),
    TEXT("id", aggregate_id),
    TEXT("from_date", aggregate_from),
    TEXT("to_date", aggregate_to),
    /* Read below. */
    OTHER("type"),
    OTHER("event"),
    OTHER("aviso"),
    OTHER("consent"),
    OTHER("plan"),
    OTHER("decision"),
    OTHER("subjects"),
    OTHER("clocks"),
    OTHER("items"),
    OTHER("figures"),
    OTHER("compartments"),
    OTHER("seal_to"),
    END,
};

static const struct json_row aviso_rows[] = {TEXT("id", aviso_id), TEXT("version", aviso_version),
                                             HASH("sha256", aviso_sha256), END};
static const struct json_row consent_rows[] = {WORD("state", consent, consents),
                                               TEXT("reference", consent_reference), END};
static const struct json_row plan_rows[] = {TEXT("issuer", plan_issuer), TEXT("id", plan_id),
                                            NUMBER("version", plan_version),
                                            WORD("procedure", procedure, procedures), END};
static const struct json_row decision_rows[] = {
    TEXT("organ", decision_organ), TEXT("session", decision_session), TEXT("date", decision_date),
    HASH("sha256", decision_sha256), END};

struct subject_row {
    struct subject subject;
    struct id local;
};

static const struct json_row subject_rows[] = {
    {"pseudonym", JSON_ROW_ID, offsetof(struct subject_row, subject.pseudonym), NULL},
    {"role", JSON_ROW_WORD, offsetof(struct subject_row, subject.role), roles},
    {"local", JSON_ROW_ID, offsetof(struct subject_row, local), NULL},
    END,
};
static const struct json_row clock_rows[] = {
    {"id", JSON_ROW_TEXT, offsetof(struct message_clock, id), NULL},
    {"anchored_at", JSON_ROW_INSTANT, offsetof(struct message_clock, anchored_at_ms), NULL},
    {"due_at", JSON_ROW_INSTANT, offsetof(struct message_clock, due_at_ms), NULL},
    END,
};
static const struct json_row item_rows[] = {
    {"number", JSON_ROW_U32, offsetof(struct item, number), NULL},
    {"code", JSON_ROW_TEXT, offsetof(struct item, code), NULL},
    {"ends_on", JSON_ROW_TEXT, offsetof(struct item, ends_on), NULL},
    OTHER("cadence"),
    END,
};
static const struct json_row cadence_rows[] = {
    {"count", JSON_ROW_U32, offsetof(struct item, cadence_count), NULL},
    {"period", JSON_ROW_WORD, offsetof(struct item, period), periods},
    END,
};
static const struct json_row figure_rows[] = {
    {"name", JSON_ROW_TEXT, offsetof(struct figure, name), NULL},
    {"value", JSON_ROW_I64, offsetof(struct figure, value), NULL},
    END,
};

struct part_row {
    uint32_t subject;
    const char *type;
};

static const struct json_row part_rows[] = {
    {"subject", JSON_ROW_U32, offsetof(struct part_row, subject), NULL},
    {"type", JSON_ROW_TEXT, offsetof(struct part_row, type), NULL},
    OTHER("sealed"),
    OTHER("fields"),
    OTHER("entries"),
    END,
};

void draft_file_release(struct draft_file *file)
{
    for (size_t i = 0; i < file->recipient_count; i++) {
        cert_free(file->recipients[i]);
    }
    file->recipient_count = 0;
}

/* ---- the header ---- */

static enum rc read_part(struct json_place *place, json_t *root, const char *name,
                         const struct json_row *rows, void *into, bool *is_there)
{
    json_t *value = json_object_get(root, name);
    size_t length = json_place_enter(place, name, 0);

    *is_there = value != NULL;
    if (value != NULL) {
        TRY(json_rows_read(place, value, rows, into));
    }
    json_place_leave(place, length);
    return RC_OK;
}

static enum rc read_parts(struct json_place *place, json_t *root, struct header *header)
{
    bool is_there;

    TRY(read_part(place, root, "aviso", aviso_rows, header, &is_there));
    TRY(read_part(place, root, "consent", consent_rows, header, &is_there));
    TRY(read_part(place, root, "plan", plan_rows, header, &header->has_plan));
    return read_part(place, root, "decision", decision_rows, header, &header->has_decision);
}

static enum rc read_type(struct json_place *place, json_t *root, struct header *header)
{
    const char *type = json_string_value(json_object_get(root, "type"));
    json_t *event = json_object_get(root, "event");

    header->type = type != NULL ? message_type_from_name(type) : MESSAGE_NONE;
    if (header->type == MESSAGE_NONE) {
        (void)json_place_enter(place, "type", 0);
        return json_refuse(place, "Se esperaba Referral, MeasureRequest, MeasureChange, "
                                  "SupportRequest, Consultation, StatusReport, Act, Recall, Notice "
                                  "o Aggregate.");
    }
    if (event != NULL) {
        header->event = event_from_name(json_is_string(event) ? json_string_value(event) : "");
        if (header->event == EVENT_NONE) {
            (void)json_place_enter(place, "event", 0);
            return json_refuse(place, "Acto desconocido; use uno como accept, decline, in-force.");
        }
    }
    return RC_OK;
}

/* An array of at most `max`; NULL array: none, count 0. */
static enum rc read_array(struct json_place *place, json_t *root, const char *name, size_t max,
                          json_t **array, size_t *count)
{
    *array = json_object_get(root, name);
    *count = json_array_size(*array);
    if (*array != NULL && (!json_is_array(*array) || *count > max)) {
        (void)json_place_enter(place, name, 0);
        return json_refuse(place, "Se esperaba una lista […] de hasta %zu elementos.", max);
    }
    return RC_OK;
}

static enum rc read_element(struct json_place *place, json_t *array, const char *name, size_t i,
                            const struct json_row *rows, void *into)
{
    size_t length = json_place_enter(place, name, 0);

    (void)json_place_enter(place, NULL, i);
    TRY(json_rows_read(place, json_array_get(array, i), rows, into));
    json_place_leave(place, length);
    return RC_OK;
}

static enum rc read_subjects(struct json_place *place, json_t *root, struct draft *draft)
{
    struct header *header = &draft->header;
    size_t locals = 0;
    json_t *array;

    TRY(read_array(place, root, "subjects", MESSAGE_SUBJECTS_MAX, &array, &header->subject_count));
    for (size_t i = 0; i < header->subject_count; i++) {
        struct subject_row row = {.subject = {.role = ROLE_PERSON}};

        TRY(read_element(place, array, "subjects", i, subject_rows, &row));
        if (id_is_zero(&row.subject.pseudonym)) {
            random_fill(row.subject.pseudonym.bytes, ID_SIZE);
        }
        header->subjects[i] = row.subject;
        draft->local_subjects[i] = row.local;
        locals += id_is_zero(&row.local) ? 0 : 1;
    }
    if (locals != 0 && locals != header->subject_count) {
        (void)json_place_enter(place, "subjects", 0);
        return json_refuse(place, "«local» va en todas las personas o en ninguna.");
    }
    draft->local_subject_count = locals;
    return RC_OK;
}

static enum rc read_clocks(struct json_place *place, json_t *root, struct header *header)
{
    json_t *array;

    TRY(read_array(place, root, "clocks", MESSAGE_CLOCKS_MAX, &array, &header->clock_count));
    for (size_t i = 0; i < header->clock_count; i++) {
        header->clocks[i].id = "";
        TRY(read_element(place, array, "clocks", i, clock_rows, &header->clocks[i]));
    }
    return RC_OK;
}

static enum rc read_item(struct json_place *place, json_t *array, size_t i, struct item *item)
{
    json_t *cadence = json_object_get(json_array_get(array, i), "cadence");

    *item = (struct item){.number = (uint32_t)i + 1, .code = "", .ends_on = ""};
    TRY(read_element(place, array, "items", i, item_rows, item));
    if (cadence != NULL) {
        size_t length = json_place_enter(place, "items", 0);

        (void)json_place_enter(place, NULL, i);
        (void)json_place_enter(place, "cadence", 0);
        TRY(json_rows_read(place, cadence, cadence_rows, item));
        json_place_leave(place, length);
    }
    return RC_OK;
}

static enum rc read_items(struct json_place *place, json_t *root, struct header *header)
{
    json_t *array;

    TRY(read_array(place, root, "items", MESSAGE_ITEMS_MAX, &array, &header->item_count));
    header->items = arena_alloc(place->arena, MESSAGE_ITEMS_MAX * sizeof *header->items);
    if (header->items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < header->item_count; i++) {
        TRY(read_item(place, array, i, &header->items[i]));
    }
    return RC_OK;
}

static enum rc read_figures(struct json_place *place, json_t *root, struct header *header)
{
    json_t *array;

    TRY(read_array(place, root, "figures", MESSAGE_FIGURES_MAX, &array, &header->figure_count));
    header->figures = arena_alloc(place->arena, MESSAGE_FIGURES_MAX * sizeof *header->figures);
    if (header->figures == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < header->figure_count; i++) {
        header->figures[i].name = "";
        TRY(read_element(place, array, "figures", i, figure_rows, &header->figures[i]));
    }
    return RC_OK;
}

/* ---- compartments ---- */

struct values {
    struct field_value *items;
    size_t count;
};

static enum rc read_field(struct json_place *place, const char *prefix, unsigned entry,
                          const char *key, const json_t *value, struct values *values)
{
    struct field_value *field = &values->items[values->count];
    size_t length = json_place_enter(place, key, 0);
    char path[96];
    int number;

    snprintf(path, sizeof path, "%s.%s", prefix, key);
    number = field_number(path);
    if (number < 0) {
        return refuse(place->fault, RC_INVALID_ARGUMENT, "draft.key", place->path,
                      "Este compartimento no tiene ese campo; vea los nombres en message.proto.");
    }
    if (!json_is_string(value) || json_string_length(value) > MESSAGE_TEXT_MAX ||
        values->count == FIELDS_MAX) {
        return json_refuse(place, "Se esperaba un texto de hasta %d bytes.", MESSAGE_TEXT_MAX);
    }
    field->field = (unsigned)number;
    field->entry = entry;
    field->text =
        arena_text(place->arena, BYTES(json_string_value(value), json_string_length(value)));
    values->count++;
    json_place_leave(place, length);
    return field->text != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

static enum rc read_fields(struct json_place *place, const char *prefix, unsigned entry,
                           json_t *object, struct values *values)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        return json_refuse(place, "Se esperaba un objeto {…} de campos y textos.");
    }
    json_object_foreach(object, key, value)
    {
        TRY(read_field(place, prefix, entry, key, value, values));
    }
    return RC_OK;
}

static enum rc read_contents(struct json_place *place, const char *type, json_t *object,
                             struct values *values)
{
    json_t *fields = json_object_get(object, "fields");
    char prefix[64];
    json_t *array;
    size_t count;

    if (fields != NULL) {
        size_t length = json_place_enter(place, "fields", 0);

        TRY(read_fields(place, type, 0, fields, values));
        json_place_leave(place, length);
    }
    TRY(read_array(place, object, "entries", 64, &array, &count));
    snprintf(prefix, sizeof prefix, "%s.entries", type);
    for (size_t i = 0; i < count; i++) {
        size_t length = json_place_enter(place, "entries", 0);

        (void)json_place_enter(place, NULL, i);
        TRY(read_fields(place, prefix, (unsigned)i, json_array_get(array, i), values));
        json_place_leave(place, length);
    }
    return RC_OK;
}

static enum compartment_type type_by_name(const char *name)
{
    for (unsigned i = 1; i < COMPARTMENT_TYPES; i++) {
        if (strcmp(compartment_name((enum compartment_type)i), name) == 0) {
            return (enum compartment_type)i;
        }
    }
    return COMPARTMENT_NONE;
}

static enum rc read_compartment(struct json_place *place, json_t *object,
                                struct draft_compartment *compartment)
{
    struct values values = {arena_alloc(place->arena, FIELDS_MAX * sizeof *values.items), 0};
    struct part_row row = {.type = ""};
    json_t *sealed = json_object_get(object, "sealed");

    if (values.items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(json_rows_read(place, object, part_rows, &row));
    compartment->subject = row.subject;
    compartment->type = type_by_name(row.type);
    if (compartment->type == COMPARTMENT_NONE || (sealed != NULL && !json_is_boolean(sealed))) {
        return json_refuse(place, "Se esperaba «type» con un compartimento conocido (identity, "
                                  "contact, location …) y «sealed» true o false.");
    }
    compartment->is_sealed = json_is_true(sealed);
    TRY(read_contents(place, row.type, object, &values));
    compartment->values = values.items;
    compartment->value_count = values.count;
    return RC_OK;
}

static enum rc read_compartments(struct json_place *place, json_t *root, struct draft *draft)
{
    json_t *array;

    TRY(read_array(place, root, "compartments", MESSAGE_COMPARTMENTS_MAX, &array,
                   &draft->compartment_count));
    for (size_t i = 0; i < draft->compartment_count; i++) {
        size_t length = json_place_enter(place, "compartments", 0);

        (void)json_place_enter(place, NULL, i);
        TRY(read_compartment(place, json_array_get(array, i), &draft->compartments[i]));
        json_place_leave(place, length);
    }
    return RC_OK;
}

static enum rc read_recipients(struct json_place *place, json_t *root, struct draft_file *file)
{
    json_t *array;
    size_t count;

    TRY(read_array(place, root, "seal_to", CMS_RECIPIENTS_MAX, &array, &count));
    for (size_t i = 0; i < count; i++) {
        const char *path = json_string_value(json_array_get(array, i));

        if (path == NULL ||
            cert_load(path, &file->recipients[file->recipient_count], NULL) != RC_OK) {
            (void)json_place_enter(place, "seal_to", 0);
            (void)json_place_enter(place, NULL, i);
            return json_refuse(place, "No se puede leer ese certificado de sello (PEM).");
        }
        file->recipient_count++;
    }
    file->draft.recipients = (const struct cert *const *)file->recipients;
    file->draft.recipient_count = file->recipient_count;
    return RC_OK;
}

static enum rc read_all(struct json_place *place, json_t *root, struct draft_file *file)
{
    struct draft *draft = &file->draft;

    TRY(json_rows_read(place, root, top_rows, &draft->header));
    TRY(read_type(place, root, &draft->header));
    TRY(read_parts(place, root, &draft->header));
    TRY(read_subjects(place, root, draft));
    TRY(read_clocks(place, root, &draft->header));
    TRY(read_items(place, root, &draft->header));
    TRY(read_figures(place, root, &draft->header));
    TRY(read_compartments(place, root, draft));
    return read_recipients(place, root, file);
}

enum rc draft_json_read(struct bytes text, struct arena *arena, struct draft_file *file,
                        struct fault *fault)
{
    struct json_place place = {.arena = arena, .fault = fault};
    json_t *root = NULL;
    enum rc rc;

    memset(file, 0, sizeof *file);
    draft_init(&file->draft);
    if (text.size > DRAFT_JSON_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "draft.json", "", "El JSON pasa de 4 MiB.");
    }
    TRY(json_parse(text, &root, fault));
    rc = read_all(&place, root, file);
    json_decref(root);
    return rc == RC_OK ? RC_OK
                       : refuse(fault, rc, "draft.memory", "", "El mensaje no cabe en memoria.");
}
