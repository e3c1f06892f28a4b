#include "sedesa/fhir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENT_SIZE 64

static enum rc bad(struct fault *fault, const char *reason, const char *remedy)
{
    return refuse(fault, RC_INVALID_ARGUMENT, reason, "", "%s", remedy);
}

/* ---- reading ---- */

static bool is_too_deep(struct bytes text)
{
    size_t depth = 0;
    bool is_in_text = false;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];

        if (is_in_text) {
            i += c == '\\';
            is_in_text = c != '"';
        } else if (c == '"') {
            is_in_text = true;
        } else if (c == '{' || c == '[') {
            if (++depth > FHIR_DEPTH_MAX) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static enum rc check_entries(const json_t *bundle, struct fault *fault)
{
    const json_t *entries = json_object_get(bundle, "entry");

    if (entries == NULL) {
        return RC_OK;
    }
    if (!json_is_array(entries) || json_array_size(entries) > FHIR_ENTRIES_MAX) {
        return bad(fault, "fhir.bundle", "Un Bundle trae a lo más 500 recursos en entry.");
    }
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *resource = json_object_get(json_array_get(entries, i), "resource");

        if (!json_is_object(json_array_get(entries, i)) ||
            (resource != NULL && fhir_text(resource, "resourceType")[0] == '\0')) {
            return bad(fault, "fhir.bundle", "Cada entry de un Bundle es un recurso con su tipo.");
        }
    }
    return RC_OK;
}

enum rc fhir_read(struct bytes text, const char *type, struct json_t **resource,
                  struct fault *fault)
{
    OWN_PTR(json_t) read = NULL;
    json_error_t error;

    if (text.size > FHIR_BYTES_MAX) {
        return bad(fault, "fhir.too_long", "La respuesta pasa de 2 MiB.");
    }
    if (is_too_deep(text)) {
        return bad(fault, "fhir.depth", "La respuesta tiene más de 32 niveles.");
    }
    read = json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(read)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "fhir.json", "",
                      "No es JSON como lo pide FHIR (renglón %d, columna %d).", error.line,
                      error.column);
    }
    if (strcmp(fhir_text(read, "resourceType"), type) != 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "fhir.type", "resourceType",
                      "Se esperaba un recurso %s.", type);
    }
    if (strcmp(type, "Bundle") == 0) {
        TRY(check_entries(read, fault));
    }
    *resource = MOVE(read);
    return RC_OK;
}

void fhir_write(const struct json_t *resource, struct buffer *out)
{
    char *text = json_dumps(resource, JSON_INDENT(1));

    out->is_failed = out->is_failed || text == NULL;
    if (text != NULL) {
        buffer_put_bytes(out, bytes_text(text));
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

/* ---- by path ---- */

/* The next segment of a path, and what follows it; false at its end or when it is no path. */
static bool next_segment(const char **path, char out[SEGMENT_SIZE])
{
    size_t length = strcspn(*path, ".");

    if (length == 0 || length >= SEGMENT_SIZE) {
        return false;
    }
    memcpy(out, *path, length);
    out[length] = '\0';
    *path += length;
    *path += **path == '.';
    return true;
}

static bool is_index(const char *segment, size_t *index)
{
    char *end;
    unsigned long value = strtoul(segment, &end, 10);

    *index = value;
    return segment[0] >= '0' && segment[0] <= '9' && *end == '\0' && value <= FHIR_INDEX_MAX;
}

struct json_t *fhir_at(const struct json_t *from, const char *path)
{
    char segment[SEGMENT_SIZE];
    const json_t *at = from;
    size_t index;

    while (at != NULL && *path != '\0') {
        if (!next_segment(&path, segment)) {
            return NULL;
        }
        at = is_index(segment, &index) ? json_array_get(at, index) : json_object_get(at, segment);
    }
    return (json_t *)at;
}

const char *fhir_text(const struct json_t *from, const char *path)
{
    const char *text = json_string_value(fhir_at(from, path));

    return text != NULL ? text : "";
}

struct json_t *fhir_entry(const struct json_t *bundle, size_t index, const char *type)
{
    json_t *resource =
        json_object_get(json_array_get(json_object_get(bundle, "entry"), index), "resource");

    return strcmp(fhir_text(resource, "resourceType"), type) == 0 ? resource : NULL;
}

const char *fhir_identifier(const struct json_t *resource, const char *system)
{
    const json_t *identifiers = json_object_get(resource, "identifier");

    for (size_t i = 0; i < json_array_size(identifiers); i++) {
        const json_t *one = json_array_get(identifiers, i);

        if (strcmp(fhir_text(one, "system"), system) == 0) {
            return fhir_text(one, "value");
        }
    }
    return "";
}

/* What stands at a segment of `at`, or a new container for what comes after it. */
static json_t *enter(json_t *at, const char *segment, const char *rest)
{
    size_t index;
    size_t next;
    char after[SEGMENT_SIZE];
    const char *copy = rest;
    bool is_array = next_segment(&copy, after) && is_index(after, &next);
    json_t *child;

    if (is_index(segment, &index)) {
        while (json_is_array(at) && json_array_size(at) <= index) {
            json_array_append_new(at, json_null());
        }
        child = json_array_get(at, index);
        if (child != NULL && json_is_null(child)) {
            json_array_set_new(at, index, is_array ? json_array() : json_object());
        }
        return json_array_get(at, index);
    }
    child = json_object_get(at, segment);
    if (child == NULL && json_is_object(at)) {
        json_object_set_new(at, segment, is_array ? json_array() : json_object());
    }
    return json_object_get(at, segment);
}

static bool put_last(json_t *at, const char *segment, json_t *value)
{
    size_t index;

    if (!is_index(segment, &index)) {
        return json_object_set_new(at, segment, value) == 0;
    }
    while (json_is_array(at) && json_array_size(at) <= index) {
        json_array_append_new(at, json_null());
    }
    return json_array_set_new(at, index, value) == 0;
}

bool fhir_put(struct json_t *into, const char *path, struct json_t *value)
{
    char segment[SEGMENT_SIZE];
    json_t *at = into;

    while (at != NULL && next_segment(&path, segment)) {
        if (*path == '\0') {
            return put_last(at, segment, value);
        }
        at = enter(at, segment, path);
    }
    json_decref(value);
    return false;
}

static bool is_empty(const json_t *json)
{
    return json_is_null(json) || (json_is_object(json) && json_object_size(json) == 0) ||
           (json_is_array(json) && json_array_size(json) == 0);
}

/* As deep as what fhir_put made: a path's length bounds it. */
void fhir_tidy(struct json_t *resource)
{
    const char *key;
    json_t *value;
    void *next;

    json_object_foreach_safe(resource, next, key, value)
    {
        fhir_tidy(value);
        if (is_empty(value)) {
            json_object_del(resource, key);
        }
    }
    for (size_t i = json_array_size(resource); i-- > 0;) {
        fhir_tidy(json_array_get(resource, i));
        if (is_empty(json_array_get(resource, i))) {
            json_array_remove(resource, i);
        }
    }
}

/* ---- what a server says of itself and of our request ---- */

enum rc fhir_check_version(const struct json_t *capability, struct fault *fault)
{
    return strncmp(fhir_text(capability, "fhirVersion"), "4.0.", 4) == 0
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "fhir.version", "CapabilityStatement.fhirVersion",
                        "El sistema de la institución habla otra versión de FHIR; se necesita R4 "
                        "(4.0).");
}

/* http://hl7.org/fhir/R4/valueset-issue-type.html: what time, or the agency's staff, may cure. */
static enum rc rc_of_issue(const char *code)
{
    static const char *const transient[] = {"transient", "lock-error", "no-store",
                                            "exception", "timeout",    "incomplete",
                                            "throttled", "conflict",   "too-costly"};
    static const char *const staff[] = {"security", "login",     "unknown",
                                        "expired",  "forbidden", "suppressed"};

    for (size_t i = 0; i < sizeof transient / sizeof transient[0]; i++) {
        if (strcmp(code, transient[i]) == 0) {
            return RC_UNAVAILABLE;
        }
    }
    for (size_t i = 0; i < sizeof staff / sizeof staff[0]; i++) {
        if (strcmp(code, staff[i]) == 0) {
            return RC_PERMISSION_DENIED;
        }
    }
    return RC_FAILED_PRECONDITION;
}

static bool is_plain(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789.[]-";

    return strspn(text, allowed) == strlen(text) && strlen(text) < 80;
}

/* The first issue that is fatal or an error; NULL: none. */
static const json_t *worst_issue(const json_t *outcome)
{
    const json_t *issues = json_object_get(outcome, "issue");

    for (size_t i = 0; i < json_array_size(issues); i++) {
        const json_t *issue = json_array_get(issues, i);
        const char *severity = fhir_text(issue, "severity");

        if (strcmp(severity, "fatal") == 0 || strcmp(severity, "error") == 0) {
            return issue;
        }
    }
    return NULL;
}

static enum rc tell_issue(const json_t *issue, struct fault *fault)
{
    const char *code = fhir_text(issue, "code");
    const char *place = fhir_text(issue, "expression.0");
    enum rc rc = rc_of_issue(code);

    if (rc == RC_UNAVAILABLE) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.busy", "",
                      "El sistema de la institución no pudo ahora; se intentará de nuevo.");
    }
    if (rc == RC_PERMISSION_DENIED) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.not_allowed", "",
                      "El sistema de la institución no reconoce al adaptador.");
    }
    return refuse(fault, RC_FAILED_PRECONDITION, "fhir.refused", is_plain(place) ? place : "",
                  "El sistema de la institución lo rechazó (OperationOutcome %s).",
                  is_plain(code) ? code : "sin clave");
}

static bool is_retried(int status)
{
    static const int retried[] = {404, 405, 408, 409, 425, 429};

    for (size_t i = 0; i < sizeof retried / sizeof retried[0]; i++) {
        if (status == retried[i]) {
            return true;
        }
    }
    return status >= 500;
}

enum rc fhir_refusal(int status, struct bytes body, struct fault *fault)
{
    OWN_PTR(json_t) outcome = NULL;
    const json_t *issue = NULL;

    if (fhir_read(body, "OperationOutcome", &outcome, NULL) == RC_OK) {
        issue = worst_issue(outcome);
    }
    if (status == 401 || status == 403) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.not_allowed", "",
                      "El sistema de la institución no reconoce al adaptador (%d).", status);
    }
    /* An address that is not there yet is no verdict on what was sent, unless it says so. */
    if (status >= 500 || (issue == NULL && is_retried(status))) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.busy", "",
                      "El sistema de la institución contestó %d; se intentará de nuevo.", status);
    }
    if (issue != NULL) {
        return tell_issue(issue, fault);
    }
    return status >= 400 ? refuse(fault, RC_FAILED_PRECONDITION, "fhir.refused", "",
                                  "El sistema de la institución lo rechazó (%d).", status)
                         : refuse(fault, RC_UNAVAILABLE, "fhir.answer", "",
                                  "La respuesta no es la de FHIR; se intentará de nuevo.");
}

/* "Task/77/_history/1", or the same after the server's address. */
static bool is_location_of(const char *location, const char *type)
{
    size_t length = strlen(type);

    for (const char *at = strstr(location, type); at != NULL; at = strstr(at + 1, type)) {
        if ((at == location || at[-1] == '/') && at[length] == '/' && at[length + 1] != '\0') {
            return true;
        }
    }
    return false;
}

enum rc fhir_check_response(const struct json_t *request, const struct json_t *response,
                            struct fault *fault)
{
    const json_t *asked = json_object_get(request, "entry");
    const json_t *answered = json_object_get(response, "entry");
    bool is_good = strcmp(fhir_text(response, "type"), "transaction-response") == 0 &&
                   json_array_size(asked) == json_array_size(answered);

    for (size_t i = 0; is_good && i < json_array_size(asked); i++) {
        const json_t *one = json_object_get(json_array_get(answered, i), "response");

        is_good = strncmp(fhir_text(one, "status"), "20", 2) == 0 &&
                  is_location_of(fhir_text(one, "location"),
                                 fhir_text(json_array_get(asked, i), "resource.resourceType"));
    }
    /* It may have it all the same: asked again, it creates nothing twice. */
    return is_good ? RC_OK
                   : refuse(fault, RC_UNAVAILABLE, "fhir.answer", "",
                            "La respuesta no es la de este envío; se intentará de nuevo.");
}
