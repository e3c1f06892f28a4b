/*
 * meter - one line that moves, on a terminal only; elsewhere nothing. One thread.
 */
#ifndef WORKLOAD_METER_H
#define WORKLOAD_METER_H

#include <stddef.h>

struct progress_line {
    size_t closed;
    size_t exchanges;
    size_t units;
    size_t units_planned;
};

void progress_show(const struct progress_line *line);
/* Leaves an empty line for what is printed next. */
void progress_end(void);

#endif
