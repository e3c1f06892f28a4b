/*
 * answered - what a node has answered and nobody else holds yet: kept until somebody does.
 *
 * A node that lost its disk gets back from its peers what they hold. What it had acknowledged and
 * not yet forwarded, and what went from one of its members to another, only the sender's own system
 * still has: requests stay in the spool's folder answered/ until the receipt of another log (R1)
 * shows that a second institution holds the message, or ANSWERED_DAYS are over, when a node takes
 * such an old id no more. A node that does not know one of them any more gets the same bytes again.
 */
#ifndef CLIENT_ANSWERED_H
#define CLIENT_ANSWERED_H

#include "client/spool.h"

struct session;

#define ANSWERED_DAYS 30

struct answered_look {
    size_t most;    /* questions to the node: 0 for all */
    struct id from; /* in: the first id to look at; out: where to go on, zeros at the end */
    size_t settled;
    struct spool_ids lost; /* in the outbox again: to be sent; the caller's */
};

/*
 * Asks the node about each, oldest first. RC_OK; else the node cannot be asked now, and what was
 * found so far stands.
 */
MUST_CHECK enum rc answered_check(struct session *session, struct spool *spool,
                                  struct answered_look *look, struct fault *fault);

#endif
