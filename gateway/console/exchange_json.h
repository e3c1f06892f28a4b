/*
 * exchange_json - an exchange as the console's pages show it: what its opening says, how far each
 * of its measures is, the clocks that run, what its reader may do next.
 *
 * Times in seconds since 1970. Pure.
 */
#ifndef CONSOLE_EXCHANGE_JSON_H
#define CONSOLE_EXCHANGE_JSON_H

#include <jansson.h>

#include "rpc/codec_service.h"

struct reading_part;
struct sent;

/* What a header says, without the compartments. NULL when out of memory, as below. */
json_t *exchange_header_json(const struct header *header);
/* Adds "items", "clocks", "received_at" and, for this member's side, "steps" to what is there. */
void exchange_add_track(json_t *object, const struct track *track, const char *member);
/* A compartment as it was read: its fields, or why it could not be. */
json_t *exchange_part_json(const struct reading_part *part);
/* The receipt of what was just sent: id, log, leaf, time. */
json_t *exchange_sent_json(const struct sent *sent);
/* The catalogue's phrase: "códigos de vigilancia"; the code itself when it has none. */
const char *exchange_phrase(const char *code);

#endif
