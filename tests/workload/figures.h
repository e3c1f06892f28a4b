/*
 * figures - the report of 2019, line by line: what it says, and where our own figure comes from.
 *
 * Our figures are named values: those that the auditor counts in the logs (workload/tally), and
 * those of the signed Aggregate, because the logs hold no sex, age or case. Pure; any thread.
 */
#ifndef WORKLOAD_FIGURES_H
#define WORKLOAD_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/message.h"
#include "workload/people.h"

enum figures_source {
    FIGURES_SECTION,   /* a heading; no figure */
    FIGURES_LOGS,      /* counted in the receivers' logs */
    FIGURES_AGGREGATE, /* from the signed Aggregate */
};

struct figures_row {
    enum figures_source source;
    const char *label; /* Mexican Spanish */
    const char *name;
    int64_t reported; /* by the report of 2019; W2019's own for the rows after the last section */
};

const struct figures_row *figures_rows(size_t *count);

/* At most MESSAGE_FIGURES_MAX; names are constant texts or borrowed. */
struct figures {
    struct figure items[MESSAGE_FIGURES_MAX];
    size_t count;
};

void figures_add(struct figures *figures, const char *name, int64_t value);
/* Adds to a figure, from 0 if it is not there yet. */
void figures_bump(struct figures *figures, const char *name, int64_t by);
/* False: there is no such figure; *value is then 0. */
bool figures_find(const struct figures *figures, const char *name, int64_t *value);

/*
 * What mpi-cdmx declares of the year: cases counted one by one from its own files (the people),
 * and what it captured outside the exchange (sessions, training, workshops, agreements).
 */
void figures_declare(const struct person people[PEOPLE_CASES], struct figures *figures);

/* "1,390", as Mexico writes it. */
void figures_format(int64_t value, char out[32]);

#endif
