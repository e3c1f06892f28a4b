/*
 * replay - after a new epoch: brings back what the peers hold for this node.
 *
 * A thread asks each peer for its log from the first leaf on, page by page (FederationService/
 * Replay): every message that both held, sent by either, with the peer's leaf under a checkpoint on
 * its line, and our own leaf of the old log under a checkpoint that the statement of succession
 * lets stand. Each is checked like an arrival, by the day of its leaf, and logged again in the
 * order of the peer's log, which is an order in which both sides' states are legal; journal,
 * exchange, evidence and what its systems are owed stand in the same transaction as the mark of how
 * far we got, so it goes on after a crash. What is delivered again is marked as redelivered.
 *
 * A peer that is away is asked again until it answered to the end. Meanwhile the node serves:
 * new exchanges at once; what belongs to an exchange that is not back yet is refused for now
 * ("node.recovering").
 */
#ifndef RELAY_REPLAY_H
#define RELAY_REPLAY_H

#include <stdbool.h>

#include "base/own.h"
#include "base/rc.h"

struct call;
struct node;
struct replay;
struct rpc_service;

/* *replay stays NULL in a log's first epoch. */
MUST_CHECK enum rc replay_start(struct node *node, struct replay **replay);
/* Ends the thread; waits for a page that is on its way, five seconds at most. NULL does nothing. */
void replay_free(struct replay *replay);
OWN_PTR_DEFINE(replay)

/* Any thread; false for NULL. */
bool replay_is_under_way(const struct replay *replay);

/* The other side: the rpc methods Replay and GetSeen. */
void replay_on_call(struct rpc_service *service, struct call *call);
void get_seen_on_call(struct rpc_service *service, struct call *call);

#endif
