/*
 * follow - gives what changed in the log to the follower that the settings name: rpc method Follow.
 *
 * One identity, in force by the directory and equal to the setting `follower`; everybody else, and
 * everybody where it is empty, is refused ("identity.not_allowed"). What a page says of the copy's
 * place is also the confirmation by which old changes are let go (store/feed.h).
 */
#ifndef RELAY_FOLLOW_H
#define RELAY_FOLLOW_H

struct call;
struct rpc_service;

/* Refusals: "follow.begin_again" when that place of the feed is not kept. */
void follow_on_call(struct rpc_service *service, struct call *call);

#endif
