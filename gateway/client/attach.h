/*
 * attach - a stream to the node that stays up: deliveries in, acknowledgements and messages out.
 *
 * Attaches for one urgency (nothing ordinary delays an urgent message), and again with growing,
 * jittered pauses (up to 5 s, urgent 1 s) when the stream breaks. Messages go out in the order of
 * attach_submit, a window of them without waiting for answers; what has no answer when the stream
 * breaks is sent again, in the same order and with the same bytes. Every receipt is verified:
 * both of a delivery (the own node's and the sender's), and the answer to each submission. What
 * does not verify is logged ("delivery.unproven") and not given to the user; it stays unsettled.
 *
 * With URGENCY_NONE there are no deliveries: it is a SubmitStream, for sending many.
 *
 * Threads: attach_run holds one thread (which receives and calls back) and starts one that sends.
 * attach_submit, attach_acknowledge and attach_stop may be called from any thread, callbacks
 * included; they never wait for the network.
 */
#ifndef CLIENT_ATTACH_H
#define CLIENT_ATTACH_H

#include "base/own.h"
#include "model/message.h"
#include "rpc/codec_service.h"

struct attach;
struct session;

/* Place first in the object that listens. Callbacks come from the thread inside attach_run. */
struct attach_user {
    /* Borrowed until it returns. False: the stream is broken off, so that it is delivered again. */
    bool (*on_delivery)(struct attach_user *user, const struct delivery *delivery,
                        const uint8_t commitment[HASH_SIZE]);
    /* The answer to one submission: a verified receipt, or a fault. Borrowed. May be NULL. */
    void (*on_result)(struct attach_user *user, const struct submit_result *result,
                      const uint8_t commitment[HASH_SIZE]);
};

struct attach_config {
    struct session *session; /* borrowed; the stream has its own connection */
    struct attach_user *user;
    enum urgency urgency;
    uint32_t window; /* deliveries in flight, 1 to 256 */
    /* Submissions accepted without an answer; 1 to 65,536. */
    size_t submissions_max;
};

/* NULL when out of memory. */
struct attach *attach_new(const struct attach_config *config);
/* attach_run has returned. */
void attach_free(struct attach *attach);
OWN_PTR_DEFINE(attach)

/*
 * Until attach_stop (RC_OK), or until the node refuses for good (not in force, no such method: the
 * fault tells). quiet_ms >= 0: also returns, RC_OK, when everything submitted has its answer, all
 * acknowledgements are settled and nothing came for that long; RC_DEADLINE_EXCEEDED when the node
 * could not be reached at all within that time and a try.
 */
MUST_CHECK enum rc attach_run(struct attach *attach, int quiet_ms, struct fault *fault);
void attach_stop(struct attach *attach);

/*
 * `request` is a serialised SubmitRequest; copied. RC_RESOURCE_EXHAUSTED at submissions_max,
 * RC_INVALID_ARGUMENT when it cannot be read.
 */
MUST_CHECK enum rc attach_submit(struct attach *attach, struct bytes request);
/*
 * RC_OK also when the stream is broken: then it is forgotten, and the delivery comes again.
 * RC_RESOURCE_EXHAUSTED only for more than any window of deliveries.
 */
MUST_CHECK enum rc attach_acknowledge(struct attach *attach, const struct id *message_id);

struct attach_figures {
    uint64_t attached;
    uint64_t deliveries;
    uint64_t redelivered;
    uint64_t unproven; /* deliveries and answers whose receipts did not verify */
    uint64_t settled;
    uint64_t receipts;
    uint64_t refusals;
    size_t unanswered;
};
struct attach_figures attach_figures(struct attach *attach);

#endif
