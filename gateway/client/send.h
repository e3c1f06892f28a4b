/*
 * send - one message to the node, and its receipt back, checked at once.
 *
 * The node answers after its durable commit. The same bytes again give the first receipt again, so
 * whoever is in doubt (no answer, a crash) just sends again. Many at a time: client/attach.
 * Blocking; any thread.
 */
#ifndef CLIENT_SEND_H
#define CLIENT_SEND_H

#include "base/own.h"
#include "client/receipt_check.h"
#include "client/receipt_file.h"

struct session;
struct spool;

struct sent {
    struct receipt_file file; /* R0 with M; points into text */
    struct buffer text;       /* the receipt file */
    struct receipt_facts facts;
    bool is_erased; /* the node held it, and its content was erased: the receipt is the old one */
};
void sent_release(struct sent *sent);

/*
 * `request` is a serialised SubmitRequest. Refusals of the node come as they are (fault); besides,
 * RC_DATA_LOSS with receipt_check's reasons: the node took it but proves nothing.
 */
MUST_CHECK enum rc send_request(struct session *session, struct bytes request, struct sent *sent,
                                struct fault *fault);

/*
 * Stores the request in the outbox, sends it, stores the receipt, moves it to answered
 * (client/answered says for how long). Left in the outbox when the node cannot be reached; parked
 * when it refuses for good.
 */
MUST_CHECK enum rc send_spooled(struct session *session, struct spool *spool, const struct id *id,
                                struct bytes request, struct sent *sent, struct fault *fault);

/* A refusal that trying again later may cure: the node is away, busy, full. */
bool send_may_retry(enum rc rc);

#endif
