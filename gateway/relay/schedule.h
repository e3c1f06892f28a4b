/*
 * schedule - the one thread that looks at the clock: reconnects peers, writes counting leaves of
 * refusals, anchors what no peer asked for, lets the law's clocks tell (relay/ticker), reports the
 * state to the service manager.
 */
#ifndef RELAY_SCHEDULE_H
#define RELAY_SCHEDULE_H

#include "base/own.h"
#include "base/rc.h"

struct node;
struct schedule;

MUST_CHECK enum rc schedule_start(struct node *node, struct schedule **out);
/* Ends the thread. NULL does nothing. */
void schedule_free(struct schedule *schedule);
OWN_PTR_DEFINE(schedule)

#endif
