/*
 * answer - JSON and faults as HTTP responses, with the headers that shut a page in: nothing from
 * anywhere else, nothing inline, in no frame, in no cache.
 */
#ifndef CONSOLE_ANSWER_H
#define CONSOLE_ANSWER_H

#include <jansson.h>

#include "http/http_loop.h"

/* Of every response. */
void answer_guard(struct http_response *response);
/* Frees the object. */
void answer_json(struct http_response *response, int status, json_t *object);
void answer_fault(struct http_response *response, const struct fault *fault);
/* The status that says the same as the code. */
int answer_status(enum rc rc);

#endif
