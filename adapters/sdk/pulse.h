/*
 * pulse - how an adapter fares, for whoever looks after it: no id, no name, no content.
 *
 *     {"program": "enlace-sedesa", "at": "2026-11-23T13:32:30-06:00", "owed": 0, "undealt": 2,
 *      "handing_over": 2, "oldest_ms": 61000, "retried": 7, "rejected": 0, "parked": 0, "aside": 0,
 * ...}
 *
 * Healthy: written within the last 10 s, nothing waits for the agency longer than PULSE_LATE_MS,
 * and nothing was parked, rejected or set aside by this process.
 */
#ifndef SDK_PULSE_H
#define SDK_PULSE_H

#include <stdio.h>

#include "sdk/adapter.h"
#include "sdk/handover.h"

#define PULSE_LATE_MS (5 * 60 * 1000)

struct profile;

/* health.json in the adapter's folder, and the status line of the service manager. A failure is
 * logged. `handover` may be NULL. The adapter's thread. */
void pulse_write(const char *program, const struct adapter *adapter, struct handover *handover);
/* The counts at the end of a run, one line. */
void pulse_print(const struct adapter *adapter, struct handover *handover, FILE *out);
/* What the running adapter of this profile wrote, in Spanish; 0 healthy, 1 not. */
int pulse_tell(const struct profile *profile, FILE *out);

#endif
