/*
 * directory_route - the keys of a route stanza. Used by directory_stanza only.
 *
 * set_ takes the key's value, add_ one element of a list.
 */
#ifndef POLICY_DIRECTORY_ROUTE_H
#define POLICY_DIRECTORY_ROUTE_H

#include "base/rc.h"

struct reading;

MUST_CHECK enum rc directory_route_set_from(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_to(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_type(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_code(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_purpose(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_basis(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_aviso(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_field(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_reply_field(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_sealed(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_retention(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_urgent(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_add_ladder(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_second_official(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_route_set_onward(struct reading *reading, const char *value);

/* What its keys must be to one another. */
MUST_CHECK enum rc directory_route_close(struct reading *reading);

#endif
