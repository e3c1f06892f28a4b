/*
 * json_facts - what is empty is left out: members of a JSON object that say nothing are not there.
 */
#ifndef CLIENT_JSON_FACTS_H
#define CLIENT_JSON_FACTS_H

#include <jansson.h>

#include "model/id.h"

/* NULL and "" are left out. */
void json_add_text(json_t *object, const char *name, const char *text);
/* As a UUID; zeros are left out. */
void json_add_id(json_t *object, const char *name, const struct id *id);

#endif
