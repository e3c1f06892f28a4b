/*
 * hang - where an exchange hangs, and who must act: one answer from what its node knows.
 *
 * The values are the wire's (enlace.v1.HangKind, HopState). Pure; any thread.
 */
#ifndef MODEL_HANG_H
#define MODEL_HANG_H

#include <stdbool.h>
#include <stdint.h>

#include "model/lifecycle.h"

enum hang_kind {
    HANG_NONE,
    HANG_NOTHING,
    HANG_PEER_UNREACHABLE,
    HANG_PEER_WAITS,
    HANG_PEER_REFUSED,
    HANG_NO_SYSTEM,
    HANG_NO_CUSTODY,
    HANG_NO_DECISION,
    HANG_NOT_IN_FORCE,
    HANG_ON_HOLD,
    HANG_NO_REPORT,
    HANG_RUNNING,
    HANG_RECALL_UNANSWERED,
    HANG_REQUESTER,
    HANG_KINDS
};

enum hop_state {
    HOP_NONE,
    HOP_SETTLED,
    HOP_PEER_UNREACHABLE,
    HOP_PEER_WAITS,
    HOP_PEER_REFUSED,
    HOP_NO_SYSTEM,
    HOP_SYSTEM_WAITS,
    HOP_WITH_SYSTEM,
    HOP_STATES
};

struct hang {
    enum hang_kind kind;
    const char *who; /* a member, or for HANG_PEER_* a node */
    int64_t since_ms;
};

/* What the node knows beside the item's state. */
struct hang_facts {
    const char *requester;
    const char *executor;
    const char *peer;         /* the node that the waiting message is for; NULL: none waits */
    int64_t waiting_since_ms; /* its leaf's time */
    int64_t unreached_ms;     /* since when the peer is not reachable; 0: it is */
    bool is_refused;          /* the peer refused the opening for good */
    bool has_system;          /* the executor is hosted here and has a system attached, */
    bool is_hosted;           /* or is hosted here at all */
    bool is_missing;          /* an occurrence is */
};

/* Whatever waits in the outbox comes first: nothing else moves before it arrived. */
struct hang hang_of(enum state state, int64_t changed_at_ms, const struct hang_facts *facts);

/* Somebody still has something to do. */
bool state_is_open(enum state state);

const char *hang_name(enum hang_kind kind); /* "peer-unreachable" */
const char *hop_state_name(enum hop_state state);

#endif
