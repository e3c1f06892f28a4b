/*
 * handover - messages on their way into the agency's own system, which may be slow, away or down.
 *
 * on_message asks handover_take for each message that goes to the agency. The first time it is
 * queued and a thread of the handover calls `hand`, which may wait for the network; the answer is
 * durable (a book in the spool) before the message is dealt with again, on the adapter's thread:
 *
 *     RC_OK                    the agency's system confirmed it: custody (R2) may be said
 *     RC_FAILED_PRECONDITION   on its way, or waiting for an older one of its exchange
 *     RC_ABORTED               refused for good; answer->fault tells
 *
 * After a crash the same message is handed over again: make it harmless at the agency's side (its
 * message id or exchange id as their key). Urgent ones have a thread of their own; messages of one
 * exchange go in the order in which they came. What fails goes behind the others of its lane, and
 * the lane pauses for 1 s, 2 s ... 60 s (urgent: at most 5 s), jittered, until something succeeds.
 *
 * Threads: `hand` runs on the two lanes' threads, never twice at once on one of them; everything
 * else on the adapter's.
 */
#ifndef SDK_HANDOVER_H
#define SDK_HANDOVER_H

#include "sdk/adapter.h"

#define HANDOVER_REFERENCE_SIZE 256
/* Not confirmed yet, in both lanes together. */
#define HANDOVER_WAITING_MAX 1024

struct handover;

struct handover_answer {
    /* What the agency calls it; "" when it calls it nothing. No control characters. */
    char reference[HANDOVER_REFERENCE_SIZE];
    struct fault fault; /* of a refusal: reason is a key ("fhir.rejected") */
};

struct handover_user {
    /*
     * RC_OK: the agency's system has it. RC_UNAVAILABLE, RC_DEADLINE_EXCEEDED and
     * RC_RESOURCE_EXHAUSTED: tried again. Anything else: refused for good, with a fault.
     */
    enum rc (*hand)(struct handover_user *user, const struct message *message, struct arena *arena,
                    struct handover_answer *answer);
};

/* The adapter, the user and the folder's name are borrowed. Starts its threads. */
MUST_CHECK enum rc handover_new(struct adapter *adapter, struct handover_user *user,
                                struct handover **handover, struct fault *fault);
/* Waits for the call that runs, at most its own time-out. After adapter_run, before adapter_free.
 */
void handover_free(struct handover *handover);
OWN_PTR_DEFINE(handover)

MUST_CHECK enum rc handover_take(struct handover *handover, const struct message *message,
                                 struct handover_answer *answer);

struct handover_figures {
    size_t waiting;
    int64_t oldest_ms;  /* how long the oldest has waited; 0: none */
    uint64_t confirmed; /* by this process, as the others */
    uint64_t refused;
    uint64_t retried;
};
struct handover_figures handover_figures(struct handover *handover);

#endif
