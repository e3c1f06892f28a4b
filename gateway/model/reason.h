/*
 * reason - why a request is declined, by code: one table, so that every node refuses what is no
 * reason and every program says it in the same words. Codes are our own choice.
 *
 * "no-competente" also names the member that is competent: the origin may turn to it.
 */
#ifndef MODEL_REASON_H
#define MODEL_REASON_H

#include <stdbool.h>
#include <stddef.h>

#define REASON_NOT_COMPETENT "no-competente"

struct reason {
    const char *code;
    const char *text; /* for people in agencies */
};

/* Those of a decline, in the order in which they are offered. */
const struct reason *reason_declines(size_t *count);
/* NULL: none of a decline's. */
const struct reason *reason_of_decline(const char *code);

#endif
