/*
 * startup - what a node logs when it starts: the directory by which it judges from here on, when it
 * is another than the one that the log names last.
 */
#ifndef RELAY_STARTUP_H
#define RELAY_STARTUP_H

#include "base/rc.h"

struct node;

/* Before the first message: waits for its commit. */
MUST_CHECK enum rc startup_log_directory(struct node *node);

#endif
