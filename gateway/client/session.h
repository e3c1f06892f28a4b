/*
 * session - a profile's connection to its node. Connects when first used; any thread.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "base/own.h"
#include "base/rc.h"

struct channel;
struct profile;

struct session {
    const struct profile *profile; /* borrowed, must outlive the session */
    struct channel *channel;
    int timeout_ms; /* of one call */
};

/*
 * A connection of its own, for a stream that has to come back: gRPC's C core moves a connection on
 * only while a call of that channel is waited for, so a channel whose calls fail at once may never
 * connect again. A new channel connects under its first call.
 */
MUST_CHECK enum rc session_channel(const struct profile *profile, struct channel **channel,
                                   struct fault *fault);

/* Refuses unreadable certificate files; says nothing about whether the node is there. */
MUST_CHECK enum rc session_open(const struct profile *profile, struct session **session,
                                struct fault *fault);
void session_free(struct session *session);
OWN_PTR_DEFINE(session)

#endif
