/*
 * gather - the witnesses' cosignatures for our own checkpoints.
 *
 * One thread. In rounds it offers the newest anchored checkpoint to every witness of the policy,
 * side by side: while the log grows, once each interval; while nothing happens, as often as a
 * quorum must be renewed. A checkpoint that meets the policy is stored (store/cosigned). A witness
 * of our own house is never asked. A log where nothing happens gets a leaf that says so now and
 * then (heartbeat).
 *
 * Nothing of the data path waits for a round; but when the witnesses are behind for too long
 * ordinary messages wait by the operator's choice (relay/lag), urgent ones never.
 */
#ifndef RELAY_GATHER_H
#define RELAY_GATHER_H

#include "base/own.h"
#include "base/rc.h"
#include "relay/lag.h"

struct fault;
struct gather;
struct http_loop;
struct node;
struct policy;

struct gather_options {
    struct node *node;
    const struct policy *policy;
    struct http_loop *http; /* NULL: peers only */
    int64_t interval_ms;
    int64_t refresh_s;
    int64_t heartbeat_s;
    struct lag_limits limits;
    /* On the gatherer's thread, when the lag's state has changed. May be NULL. */
    void (*on_lag)(struct node *node, enum lag_state state);
};

struct gather_state {
    uint64_t witnessed_size;
    unsigned counted; /* witnesses of the newest quorum */
    unsigned foreign; /* that could count */
    int64_t lag_s;
    enum lag_state lag;
};

MUST_CHECK enum rc gather_new(const struct gather_options *options, struct gather **gather);
MUST_CHECK enum rc gather_start(struct gather *gather);
/* Waits for what is out (COSIGNER_TIMEOUT_MS at most), then ends the thread. */
void gather_stop(struct gather *gather);
void gather_free(struct gather *gather);
OWN_PTR_DEFINE(gather)

/* Any thread. */
void gather_look(struct gather *gather, struct gather_state *state);
/*
 * The least of our log that a witness of another house is known to have, and which one; 0: one that
 * was not heard since the start. UINT64_MAX: nobody is asked. The name lives as long as the policy.
 * Any thread.
 */
uint64_t gather_least(struct gather *gather, const char **witness);
/*
 * May an ordinary message be taken now? RC_UNAVAILABLE "witness.lag". NULL: there is no policy, so
 * there is no lag. Any thread.
 */
MUST_CHECK enum rc gather_admit(const struct gather *gather, struct fault *fault);

#endif
