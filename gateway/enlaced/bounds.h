/*
 * bounds - everything of a node that has a maximum, in one table (enlaced --help-bounds).
 *
 * The numbers stand where they are enforced; this table reads them there, so it can not be wrong.
 * What an operator may change is a setting instead (enlaced --help-settings).
 */
#ifndef ENLACED_BOUNDS_H
#define ENLACED_BOUNDS_H

#include <stdint.h>
#include <stdio.h>

struct bound {
    const char *name;
    uint64_t most;
    const char *unit;
    const char *meaning; /* and what happens past it */
};

/* Ends with a row without a name. */
extern const struct bound bounds[];

void bounds_print(FILE *out);

#endif
