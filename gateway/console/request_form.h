/*
 * request_form - what a route lets somebody ask for, as a form; and a filled form as a draft.
 *
 * The form names a route and a code; parties, purpose, legal basis and aviso are the route's, so a
 * page can not say otherwise. Fields are those that the route allows; the parts that it lists as
 * sealed travel sealed, to the systems whose seal certificates stand in a folder of PEM files and
 * whose digests the directory lists.
 */
#ifndef CONSOLE_REQUEST_FORM_H
#define CONSOLE_REQUEST_FORM_H

#include <jansson.h>

#include "model/directory.h"

/* An array: each route of the member that can open an exchange today. */
json_t *request_forms(const struct directory *directory, const char *member, int32_t today,
                      const char *seals);

/*
 * What client/draft_json reads. RC_INVALID_ARGUMENT "form.route", "form.field" (with the path), or
 * RC_FAILED_PRECONDITION "form.seal": a part has to be sealed and nobody's certificate is there.
 */
MUST_CHECK enum rc request_draft(const struct directory *directory, const char *member,
                                 int32_t today, const char *seals, const json_t *form,
                                 json_t **draft, struct fault *fault);

#endif
