#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "sedesa/sedesa.h"

#define ACCEPT "Accept: " FHIR_CONTENT_TYPE "; fhirVersion=4.0"

static struct sedesa *sedesa_of(struct handover_user *user)
{
    return (struct sedesa *)((char *)user - offsetof(struct sedesa, handover));
}

/* What was read wrong may be read right the next time: nothing of ours is at fault. */
static enum rc later(enum rc rc, struct fault *fault)
{
    if (rc == RC_INVALID_ARGUMENT) {
        fault->rc = RC_UNAVAILABLE;
        return RC_UNAVAILABLE;
    }
    return rc;
}

static bool is_json(const struct https_answer *answer)
{
    return strcmp(answer->content_type, FHIR_CONTENT_TYPE) == 0 ||
           strcmp(answer->content_type, "application/json") == 0;
}

static enum rc read_answer(const struct https_answer *answer, const char *type,
                           struct json_t **resource, struct fault *fault)
{
    if (answer->status != 200 && answer->status != 201) {
        return fhir_refusal(answer->status, buffer_bytes(&answer->body), fault);
    }
    if (!is_json(answer)) {
        return refuse(fault, RC_UNAVAILABLE, "fhir.content_type", "",
                      "La respuesta no es application/fhir+json.");
    }
    if (fhir_read(buffer_bytes(&answer->body), "OperationOutcome", resource, NULL) == RC_OK) {
        json_t_free(*resource);
        *resource = NULL;
        return fhir_refusal(answer->status, buffer_bytes(&answer->body), fault);
    }
    return later(fhir_read(buffer_bytes(&answer->body), type, resource, fault), fault);
}

static enum rc call(struct https *https, const char *method, const char *path, struct bytes body,
                    const char *type, struct json_t **resource, struct fault *fault)
{
    OWN(https_answer) answer = {0};
    const struct https_request request = {.method = method,
                                          .path = path,
                                          .content_type = body.size > 0 ? FHIR_CONTENT_TYPE : NULL,
                                          .body = body,
                                          .headers = {ACCEPT}};

    TRY(https_call(https, &request, &answer, fault));
    return read_answer(&answer, type, resource, fault);
}

enum rc sedesa_know(struct sedesa *sedesa, enum sedesa_line line, struct fault *fault)
{
    OWN_PTR(json_t) capability = NULL;

    if (sedesa->is_known[line]) {
        return RC_OK;
    }
    TRY(call(sedesa->lines[line], "GET", "/metadata", BYTES(NULL, 0), "CapabilityStatement",
             &capability, fault));
    TRY(fhir_check_version(capability, fault));
    sedesa->is_known[line] = true;
    return RC_OK;
}

enum rc sedesa_get(struct sedesa *sedesa, enum sedesa_line line, const char *path, const char *type,
                   struct json_t **resource, struct fault *fault)
{
    return call(sedesa->lines[line], "GET", path, BYTES(NULL, 0), type, resource, fault);
}

/* ---- a message ---- */

static enum rc post(struct sedesa *sedesa, enum sedesa_line line, const struct json_t *bundle,
                    struct handover_answer *answer)
{
    OWN(buffer) body = {0};
    OWN_PTR(json_t) response = NULL;
    size_t last = json_array_size(fhir_at(bundle, "entry"));
    char path[FHIR_PATH_MAX];

    fhir_write(bundle, &body);
    if (body.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(call(sedesa->lines[line], "POST", "", buffer_bytes(&body), "Bundle", &response,
             &answer->fault));
    TRY(fhir_check_response(bundle, response, &answer->fault));
    snprintf(path, sizeof path, "entry.%zu.response.location", last > 0 ? last - 1 : 0);
    snprintf(answer->reference, sizeof answer->reference, "%.200s", fhir_text(response, path));
    for (char *c = answer->reference; *c != '\0'; c++) {
        *c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
    }
    return RC_OK;
}

/* What makes no Bundle never will: a person looks at the mapping, the sender hears of it. */
static enum rc to_bundle(const struct sedesa *sedesa, const struct message *message,
                         struct arena *arena, struct json_t **bundle, struct fault *fault)
{
    char referred[BOOK_VALUE_MAX + 1] = "";
    char exchange[ID_TEXT_SIZE];
    struct reading reading;
    enum rc rc;

    id_format(&message->header.exchange_id, exchange);
    rc = book_find(sedesa->referred, exchange, referred);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return RC_UNAVAILABLE;
    }
    TRY(reading_open(message, &sedesa->context->keys, arena, &reading));
    return sedesa_bundle(sedesa->context->mapping, &reading, rc == RC_OK ? referred : "", bundle,
                         fault);
}

enum rc sedesa_hand(struct handover_user *user, const struct message *message, struct arena *arena,
                    struct handover_answer *answer)
{
    struct sedesa *sedesa = sedesa_of(user);
    enum sedesa_line line =
        message->header.urgency == URGENCY_URGENT ? SEDESA_URGENT : SEDESA_ORDINARY;
    OWN_PTR(json_t) bundle = NULL;
    enum rc rc;

    TRY(to_bundle(sedesa, message, arena, &bundle, &answer->fault));
    TRY(sedesa_know(sedesa, line, &answer->fault));
    rc = post(sedesa, line, bundle, answer);
    sedesa->is_known[line] = rc == RC_OK || rc == RC_FAILED_PRECONDITION;
    return rc;
}
