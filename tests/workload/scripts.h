/*
 * scripts - what the reference adapter of each executor does with the plan's exchanges
 * (adapters/reference/script.h): as planned, between the day of the request and December, or, for a
 * support that the city passes on, when its child is in force. Pure but for
 * the files and today's date, which is for what people try by hand.
 */
#ifndef WORKLOAD_SCRIPTS_H
#define WORKLOAD_SCRIPTS_H

#include "base/bytes.h"
#include "workload/plan.h"

/* One file for each executor, named by its code without the network, in a folder that is made. */
MUST_CHECK enum rc scripts_write(const struct plan *plan, const char *folder);
void scripts_print(const struct plan *plan, const char *executor, struct buffer *out);

#endif
