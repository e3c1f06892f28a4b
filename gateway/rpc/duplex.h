/*
 * duplex - a bidirectional stream for blocking programs: the command line and adapters.
 *
 * One thread may receive while another sends; neither function is for two threads at once. No
 * completion-queue threads are needed.
 */
#ifndef RPC_DUPLEX_H
#define RPC_DUPLEX_H

#include "base/bytes.h"
#include "base/own.h"

struct channel;
struct duplex;

/* timeout_ms for the whole stream; -1: none. Whether the peer is there shows at the first send or
 * receive. */
MUST_CHECK enum rc duplex_open(struct channel *channel, const char *method, int timeout_ms,
                               struct duplex **out);
/*
 * Returns when the message is on its way (flow control permits it). RC_UNAVAILABLE "stream.over"
 * when the stream has ended: duplex_receive tells why.
 */
MUST_CHECK enum rc duplex_send(struct duplex *duplex, struct bytes message, struct fault *fault);
/*
 * The next message replaces what the buffer held. RC_DEADLINE_EXCEEDED with fault->reason
 * "stream.quiet": none within timeout_ms, try again (-1: for ever). RC_OUT_OF_RANGE "stream.end":
 * the server ended the stream well. Anything else is how the stream ended.
 */
MUST_CHECK enum rc duplex_receive(struct duplex *duplex, int timeout_ms, struct buffer *message,
                                  struct fault *fault);
/* We send no more; receiving goes on. From the sending thread. */
MUST_CHECK enum rc duplex_end(struct duplex *duplex, struct fault *fault);
/* Any thread, to wake both: the stream ends with RC_CANCELLED. */
void duplex_cancel(struct duplex *duplex);
/* Cancels if it is still open. No thread may be inside. */
void duplex_free(struct duplex *duplex);
OWN_PTR_DEFINE(duplex)

#endif
