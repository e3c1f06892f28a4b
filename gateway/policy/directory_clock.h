/*
 * directory_clock - a route's clocks and ladder, and the holidays that working days are counted
 * without. Used by the directory_* files only; directory_file.h says how they are written.
 */
#ifndef POLICY_DIRECTORY_CLOCK_H
#define POLICY_DIRECTORY_CLOCK_H

#include "base/rc.h"

struct reading;

/* "F1=3h" */
MUST_CHECK enum rc directory_clock_add(struct reading *reading, const char *value);
/* "holidays 2026", and one of its days */
MUST_CHECK enum rc directory_clock_open_year(struct reading *reading, const char *value);
MUST_CHECK enum rc directory_clock_add_day(struct reading *reading, const char *value);
/* What a route's clocks and ladder must be to one another and to the route. */
MUST_CHECK enum rc directory_clock_close(struct reading *reading);
/* Once all texts are read: each year once, those that a clock needs, one list for each text. */
MUST_CHECK enum rc directory_clock_check(struct reading *reading);

#endif
