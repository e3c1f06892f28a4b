#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sdk/progress.h"
#include "sedesa/sedesa.h"

#define PAGES_MAX 40
#define PAGE "50"
#define COMPARTMENTS_MAX 4
#define REFERENCE_MAX 96

/* Field paths may stand on the left, too (mapping_words.takes_fields). */
const char *const sedesa_in_words[] = {"reference?", "person?", "code?", NULL};

static struct sedesa *sedesa_of(struct poller_user *user)
{
    return (struct sedesa *)((char *)user - offsetof(struct sedesa, poll));
}

static bool is_ours(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED || rc == RC_INTERNAL;
}

/* What is learnt from a page; remembered once all that it led us to say is durable. */
struct learnt {
    struct book *book;
    char key[SEDESA_KEY_SIZE];
    char value[160];
};

struct page {
    struct adapter_call call; /* first */
    struct sedesa *sedesa;
    const struct json_t *bundle;
    struct learnt learnt[FHIR_ENTRIES_MAX];
    size_t count;
    char latest[64];   /* the latest meta.lastUpdated of it */
    bool is_too_early; /* something of it is to be asked for again */
};

static void learn(struct page *page, struct book *book, const char *key, const char *value)
{
    struct learnt *one = &page->learnt[page->count++];

    one->book = book;
    snprintf(one->key, sizeof one->key, "%s", key);
    snprintf(one->value, sizeof one->value, "%s", value);
}

static void refused_entry(struct adapter *adapter, const char *event, const json_t *resource,
                          const struct fault *fault)
{
    OWN(buffer) text = {0};

    log_error(event, "reason=%s path=%s", fault->reason, fault->path);
    fhir_write(resource, &text);
    if (!text.is_failed) {
        adapter_set_aside(adapter, buffer_bytes(&text), fault);
    }
}

/* The later of two instants of the server's clock; an odd one counts for nothing. */
static void note_latest(struct page *page, const struct json_t *resource)
{
    const char *at = fhir_text(resource, "meta.lastUpdated");
    int64_t at_ms;
    int64_t latest_ms = 0;

    if (strlen(at) >= sizeof page->latest || clock_parse(bytes_text(at), &at_ms) != RC_OK ||
        (page->latest[0] != '\0' && clock_parse(bytes_text(page->latest), &latest_ms) == RC_OK &&
         at_ms <= latest_ms)) {
        return;
    }
    snprintf(page->latest, sizeof page->latest, "%s", at);
}

/* ---- Tasks ---- */

static size_t arrange_fields(const struct sedesa_steps *steps, struct draft_compartment *out)
{
    size_t count = 0;

    for (size_t i = 0; i < steps->value_count; i++) {
        size_t fields;
        const char *path = field_catalogue(&fields)[steps->values[i].field].path;
        bool is_next =
            count > 0 && &out[count - 1].values[out[count - 1].value_count] == &steps->values[i];
        enum compartment_type type = COMPARTMENT_NONE;

        for (enum compartment_type t = COMPARTMENT_IDENTITY; t < COMPARTMENT_TYPES; t++) {
            size_t length = strlen(compartment_name(t));

            if (strncmp(path, compartment_name(t), length) == 0 && path[length] == '.') {
                type = t;
            }
        }
        if (is_next && out[count - 1].type == type) {
            out[count - 1].value_count++;
        } else if (count < COMPARTMENTS_MAX) {
            out[count++] = (struct draft_compartment){
                .type = type, .values = &steps->values[i], .value_count = 1};
        }
    }
    return count;
}

static enum rc say_step(struct adapter *adapter, const struct sedesa_steps *steps, size_t at,
                        struct fault *fault)
{
    const struct sedesa_step *step = &steps->steps[at];
    struct draft_compartment fields[COMPARTMENTS_MAX];
    struct progress progress;

    progress_init(&progress);
    progress.exchange = steps->exchange;
    progress.item = steps->item;
    progress.state = step->is_report ? "report" : event_name(step->event);
    progress.occurred_at = step->occurred_at;
    progress.occurrence = step->occurrence;
    progress.evidence_sha256 = BYTES_OF(steps->evidence);
    if (step->event == EVENT_DECLINE || step->event == EVENT_FAIL) {
        progress.reason = steps->reason;
    }
    /* What the hospital answers of the person goes with the end. */
    if (step->event == EVENT_END) {
        progress.compartments = fields;
        progress.compartment_count = arrange_fields(steps, fields);
    }
    return progress_say(adapter, &progress, fault);
}

/* What was said of it before: its version and the state in which it left the item. */
static enum state known_state(struct book *tasks, const struct sedesa_steps *steps, bool *is_seen)
{
    char value[BOOK_VALUE_MAX + 1];
    size_t length = strlen(steps->version);
    const char *number;

    *is_seen = false;
    if (book_find(tasks, steps->key, value) != RC_OK || (number = strchr(value, ' ')) == NULL) {
        return STATE_IN_CUSTODY;
    }
    *is_seen = (size_t)(number - value) == length && strncmp(value, steps->version, length) == 0;
    length = strtoul(number, NULL, 10);
    return length < STATES ? (enum state)length : STATE_IN_CUSTODY;
}

static enum rc say_task(struct page *page, struct adapter *adapter, const struct json_t *task,
                        struct sedesa_steps *steps, struct fault *fault)
{
    const struct mapping *mapping = page->sedesa->context->mapping;
    char value[96];
    enum state known;
    bool is_seen;
    enum rc rc;

    TRY(sedesa_task_name(mapping, task, steps, fault));
    known = known_state(page->sedesa->tasks, steps, &is_seen);
    if (is_seen) {
        return RC_OK;
    }
    rc = sedesa_task_steps(mapping, task, known, steps, fault);
    for (size_t i = 0; rc == RC_OK && i < steps->count; i++) {
        rc = say_step(adapter, steps, i, fault);
    }
    if (!is_ours(rc)) {
        snprintf(value, sizeof value, "%s %d", steps->version,
                 (int)(rc == RC_OK ? steps->state : known));
        learn(page, page->sedesa->tasks, steps->key, value);
    }
    return rc;
}

static enum rc say_tasks(struct adapter_call *call, struct adapter *adapter)
{
    struct page *page = (struct page *)call;
    size_t count = json_array_size(fhir_at(page->bundle, "entry"));
    struct sedesa_steps *steps = calloc(1, sizeof *steps);
    enum rc rc = steps != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;

    page->count = 0;
    page->is_too_early = false;
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        const json_t *task = fhir_entry(page->bundle, i, "Task");
        struct fault fault = {0};

        if (task == NULL) {
            continue;
        }
        note_latest(page, task);
        rc = say_task(page, adapter, task, steps, &fault);
        /* Our own hand-over of it has no answer yet; the others do not wait for that. */
        if (strcmp(fault.reason, "state.too_early") == 0) {
            page->is_too_early = true;
            rc = RC_OK;
        }
        if (rc != RC_OK && !is_ours(rc)) {
            refused_entry(adapter, "task.refused", task, &fault);
            rc = RC_OK;
        }
    }
    free(steps);
    return rc;
}

/* ---- referrals ---- */

/* "Patient/7" or an entry's fullUrl; NULL: the page has not got it. */
static const struct json_t *find_patient(const struct json_t *bundle, const char *reference)
{
    const json_t *entries = fhir_at(bundle, "entry");

    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *patient = fhir_entry(bundle, i, "Patient");
        char relative[FHIR_PATH_MAX];

        snprintf(relative, sizeof relative, "Patient/%.64s", fhir_text(patient, "id"));
        if (patient != NULL &&
            (strcmp(relative, reference) == 0 ||
             strcmp(fhir_text(json_array_get(entries, i), "fullUrl"), reference) == 0)) {
            return patient;
        }
    }
    return NULL;
}

/* A path of [entrada]: "Patient.name.0.text", "ServiceRequest.…". */
static const char *entry_text(const char *path, const struct json_t *request,
                              const struct json_t *patient)
{
    static const char of_patient[] = "Patient.";
    static const char of_request[] = "ServiceRequest.";

    if (path == NULL) {
        return "";
    }
    if (strncmp(path, of_patient, sizeof of_patient - 1) == 0) {
        return fhir_text(patient, path + sizeof of_patient - 1);
    }
    return strncmp(path, of_request, sizeof of_request - 1) == 0
               ? fhir_text(request, path + sizeof of_request - 1)
               : "";
}

static size_t read_fields(const struct mapping *mapping, const struct json_t *request,
                          const struct json_t *patient, struct sedesa_steps *found)
{
    const struct mapping_row *row;
    size_t at = 0;

    while ((row = mapping_in_row(mapping, &at)) != NULL) {
        int field = field_number(row->name);
        const char *text = entry_text(row->value, request, patient);

        if (field >= 0 && text[0] != '\0' &&
            found->value_count < sizeof found->values / sizeof found->values[0]) {
            found->values[found->value_count++] =
                (struct field_value){.field = (unsigned)field, .text = text};
        }
    }
    return found->value_count;
}

static enum rc say_request(struct page *page, struct adapter *adapter, const struct json_t *request,
                           struct sedesa_steps *scratch, struct fault *fault)
{
    const struct mapping *mapping = page->sedesa->context->mapping;
    const struct json_t *patient =
        find_patient(page->bundle, fhir_text(request, "subject.reference"));
    struct draft_compartment compartments[COMPARTMENTS_MAX];
    struct referral referral = {.compartments = compartments};
    const char *code = entry_text(mapping_in(mapping, "code"), request, patient);
    char theirs[FHIR_PATH_MAX];
    char exchange[ID_TEXT_SIZE];
    struct id id;

    memset(scratch, 0, sizeof *scratch);
    referral.reference = entry_text(mapping_in(mapping, "reference"), request, patient);
    referral.person = entry_text(mapping_in(mapping, "person"), request, patient);
    code = code[0] != '\0' ? mapping_ours(mapping, "servicio", code) : "";
    referral.code = code != NULL ? code : "";
    if (patient == NULL || referral.reference[0] == '\0' || referral.person[0] == '\0' ||
        strlen(referral.reference) > REFERENCE_MAX || strlen(fhir_text(request, "id")) > 64) {
        return refuse(fault, RC_INVALID_ARGUMENT, "referral.incomplete", "ServiceRequest",
                      "Falta la persona, o el identificador de la solicitud o de la persona.");
    }
    read_fields(mapping, request, patient, scratch);
    referral.compartment_count = arrange_fields(scratch, compartments);
    TRY(refer(adapter, mapping, &referral, &id, fault));
    id_format(&id, exchange);
    snprintf(theirs, sizeof theirs, "ServiceRequest/%s", fhir_text(request, "id"));
    /* At once: what the Mechanism answers may be there before this page is remembered. */
    return book_put(page->sedesa->referred, exchange, theirs);
}

/* Theirs, open, and not one that we brought. */
static bool is_referral(const struct mapping *mapping, const struct json_t *request)
{
    return request != NULL && strcmp(fhir_text(request, "status"), "active") == 0 &&
           fhir_identifier(request, mapping_setting(mapping, "task_system"))[0] == '\0';
}

static enum rc say_requests(struct adapter_call *call, struct adapter *adapter)
{
    struct page *page = (struct page *)call;
    size_t count = json_array_size(fhir_at(page->bundle, "entry"));
    struct sedesa_steps *scratch = calloc(1, sizeof *scratch);
    enum rc rc = scratch != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;

    page->count = 0;
    page->is_too_early = false;
    for (size_t i = 0; rc == RC_OK && i < count; i++) {
        const json_t *request = fhir_entry(page->bundle, i, "ServiceRequest");
        struct fault fault = {0};

        note_latest(page, request);
        if (!is_referral(page->sedesa->context->mapping, request)) {
            continue;
        }
        rc = say_request(page, adapter, request, scratch, &fault);
        if (rc != RC_OK && !is_ours(rc)) {
            refused_entry(adapter, "referral.refused", request, &fault);
            rc = RC_OK;
        }
    }
    free(scratch);
    return rc;
}

/* ---- pages ---- */

/*
 * The path of the next page, under our server's own address and nowhere else; "" when there is
 * none. A page that leads elsewhere ends the search: what follows comes at the next poll.
 */
static enum rc next_page(const struct sedesa *sedesa, const struct json_t *bundle,
                         char path[HTTPS_URL_MAX], struct fault *fault)
{
    const char *base = sedesa->settings.common.url;
    const json_t *links = json_object_get(bundle, "link");
    const char *url = "";

    for (size_t i = 0; i < json_array_size(links); i++) {
        if (strcmp(fhir_text(json_array_get(links, i), "relation"), "next") == 0) {
            url = fhir_text(json_array_get(links, i), "url");
        }
    }
    path[0] = '\0';
    if (url[0] == '\0') {
        return RC_OK;
    }
    if (strncmp(url, base, strlen(base)) != 0 || strchr("/?", url[strlen(base)]) == NULL ||
        strlen(url) >= HTTPS_URL_MAX / 2 || strpbrk(url, " \t\r\n#@") != NULL ||
        strstr(url, "..") != NULL) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.next", "Bundle.link",
                      "La página siguiente no está en el sistema de la institución.");
    }
    snprintf(path, HTTPS_URL_MAX, "%s", url + strlen(base));
    return RC_OK;
}

static enum rc remember(const struct page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        TRY(book_put(page->learnt[i].book, page->learnt[i].key, page->learnt[i].value));
    }
    return RC_OK;
}

/* An instant inside a query: its "+" would be a blank. */
static void put_instant(char *out, size_t size, const char *query, const char *since)
{
    int n = snprintf(out, size, "%s&_sort=_lastUpdated&_count=" PAGE "%s", query,
                     since[0] != '\0' ? "&_lastUpdated=ge" : "");

    for (size_t used = n > 0 ? (size_t)n : size; *since != '\0' && used + 4 < size; since++) {
        used += (size_t)snprintf(out + used, size - used, *since == '+' ? "%%2B" : "%c", *since);
    }
}

typedef enum rc say_page(struct adapter_call *call, struct adapter *adapter);

/* One search to its end; its position is kept page by page, when all of it is durable. */
static enum rc search(struct sedesa *sedesa, struct page *page, const char *name, const char *query,
                      say_page *say, struct fault *fault)
{
    char since[BOOK_VALUE_MAX + 1] = "";
    char path[HTTPS_URL_MAX];
    bool has_gap = false;
    enum rc rc = book_find(sedesa->position, name, since);

    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    put_instant(path, sizeof path, query, rc == RC_OK ? since : "");
    for (unsigned i = 0; i < PAGES_MAX && path[0] != '\0'; i++) {
        OWN_PTR(json_t) bundle = NULL;

        TRY(sedesa_get(sedesa, SEDESA_POLL, path, "Bundle", &bundle, fault));
        if (strcmp(fhir_text(bundle, "type"), "searchset") != 0) {
            return refuse(fault, RC_UNAVAILABLE, "fhir.bundle", "Bundle.type",
                          "La respuesta a una búsqueda es un Bundle de tipo searchset.");
        }
        page->bundle = bundle;
        page->call.run = say;
        TRY(adapter_call(sedesa->context->adapter, &page->call));
        TRY(remember(page));
        has_gap = has_gap || page->is_too_early;
        if (page->latest[0] != '\0' && !has_gap) {
            TRY(book_put(sedesa->position, name, page->latest));
        }
        TRY(next_page(sedesa, bundle, path, fault));
    }
    return RC_OK;
}

static enum rc poll_once(struct sedesa *sedesa, struct page *page, struct fault *fault)
{
    const struct mapping *mapping = sedesa->context->mapping;
    const char *query = mapping_setting(mapping, "referral_query");

    page->sedesa = sedesa;
    TRY(sedesa_know(sedesa, SEDESA_POLL, fault));
    TRY(search(sedesa, page, "tasks", mapping_setting(mapping, "task_query"), say_tasks, fault));
    if (query[0] == '\0') {
        return RC_OK;
    }
    page->latest[0] = '\0';
    return search(sedesa, page, "referrals", query, say_requests, fault);
}

enum rc sedesa_poll(struct poller_user *user)
{
    struct sedesa *sedesa = sedesa_of(user);
    struct page *page = calloc(1, sizeof *page);
    struct fault fault = {0};
    enum rc rc = page != NULL ? poll_once(sedesa, page, &fault) : RC_RESOURCE_EXHAUSTED;

    if (rc != RC_OK && fault.reason[0] != '\0') {
        log_warn("poll.failed", "reason=%s path=%s", fault.reason, fault.path);
    }
    sedesa->is_known[SEDESA_POLL] = rc == RC_OK;
    free(page);
    return rc;
}
