/*
 * fhir - resources of HL7 FHIR R4 as JSON (jansson): read strictly, reached by path, put together.
 *
 * Reading: at most FHIR_BYTES_MAX bytes and FHIR_DEPTH_MAX levels, no key twice, no number that a
 * double cannot hold, and the resource types that were asked for. Refusals name what is wrong and
 * never a value: "fhir.too_long", "fhir.depth", "fhir.json", "fhir.type", "fhir.version",
 * "fhir.bundle", "fhir.refused", "fhir.busy", "fhir.not_allowed".
 *
 * A path is names and indices with dots: "name.0.text". Any thread; a resource has one owner.
 */
#ifndef SEDESA_FHIR_H
#define SEDESA_FHIR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "base/own.h"

#define FHIR_CONTENT_TYPE "application/fhir+json"
#define FHIR_BYTES_MAX ((size_t)2 << 20)
#define FHIR_DEPTH_MAX 32
#define FHIR_ENTRIES_MAX 500
#define FHIR_INDEX_MAX 64
#define FHIR_PATH_MAX 160

static inline void json_t_free(struct json_t *json)
{
    json_decref(json);
}
OWN_PTR_DEFINE(json_t)

/* `type` is its resourceType: "Bundle", "OperationOutcome". */
MUST_CHECK enum rc fhir_read(struct bytes text, const char *type, struct json_t **resource,
                             struct fault *fault);
void fhir_write(const struct json_t *resource, struct buffer *out);

/* NULL: nothing there. */
struct json_t *fhir_at(const struct json_t *from, const char *path);
/* "" when there is no text; of a number or a truth, its text is not asked for. */
const char *fhir_text(const struct json_t *from, const char *path);
/* A resource of a Bundle's entry; NULL: none of that type. */
struct json_t *fhir_entry(const struct json_t *bundle, size_t index, const char *type);
/* The value of the identifier that has this system; "" when it has none. */
const char *fhir_identifier(const struct json_t *resource, const char *system);

/*
 * Sets what stands at a path, making objects and arrays on the way; takes the value over. False:
 * no path, an index past FHIR_INDEX_MAX, or something else stands in the way.
 */
MUST_CHECK bool fhir_put(struct json_t *into, const char *path, struct json_t *value);
/* Drops gaps of arrays, and objects and arrays that are empty: FHIR knows none of them. */
void fhir_tidy(struct json_t *resource);

/* A CapabilityStatement must be of FHIR 4.0. */
MUST_CHECK enum rc fhir_check_version(const struct json_t *capability, struct fault *fault);

/*
 * An answer that is no success: RC_UNAVAILABLE when time may cure it, RC_FAILED_PRECONDITION when
 * not; "fhir.refused" names the code and, in fault->path, where it points. What the server
 * wrote for people is passed on to nobody: it may quote the person's data.
 */
MUST_CHECK enum rc fhir_refusal(int status, struct bytes body, struct fault *fault);

/* The transaction-response to `request`: one success for each entry, of its type, in order. */
MUST_CHECK enum rc fhir_check_response(const struct json_t *request, const struct json_t *response,
                                       struct fault *fault);

#endif
