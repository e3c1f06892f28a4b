/*
 * startup - what a node logs when it starts: how its log's epoch began, and the directory by which
 * it judges from here on, when it is another than the one that the log names last.
 */
#ifndef RELAY_STARTUP_H
#define RELAY_STARTUP_H

#include "base/rc.h"

struct node;

/*
 * The first leaf of a later epoch: a control leaf whose record is the statement of succession,
 * legible to everybody (its blind, nonce and tags are zeros). RC_FAILED_PRECONDITION: the log began
 * by another statement, or by none.
 */
MUST_CHECK enum rc startup_log_epoch(struct node *node);
/* Before the first message: waits for its commit. */
MUST_CHECK enum rc startup_log_directory(struct node *node);

#endif
