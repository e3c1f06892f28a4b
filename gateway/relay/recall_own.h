/*
 * recall_own - before a node signs anything, and when a witness contradicts it: what do the peers
 * remember of our log?
 *
 * Each is asked for the last checkpoint of ours that it saw (GetCheckpoint), side by side, for a
 * bounded time. One with our signature that our log does not hold ends the process
 * (store/anchor.h): the data is an older copy, or another. Peers that do not answer leave the
 * anchor to decide, with an alarm in the log when nobody answered; the first exchange or round with
 * them looks again.
 */
#ifndef RELAY_RECALL_OWN_H
#define RELAY_RECALL_OWN_H

#include <stdint.h>

#include "base/rc.h"

struct node;

/* Blocks so long. timeout_ms 0: nobody is asked. Not on a queue's thread. */
MUST_CHECK enum rc recall_own(struct node *node, int64_t timeout_ms);

#endif
