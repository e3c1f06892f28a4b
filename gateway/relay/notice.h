/*
 * notice - a clock's notice as a message: made by this node for a member that it hosts, held like
 * any other, delivered to that member's systems or sent to an institution of the ladder.
 *
 *     scheduler thread: notice_make   the message, its commitment, tags, encryption
 *     writer thread:    notice_put    leaves, bodies, the debt of its delivery
 *
 * It binds nobody's office, so no official signs it: the node's log does, as all that it holds, and
 * its recipient gets that receipt along. It holds ids, a clock and two instants; no subject, no
 * compartment.
 *
 * Who is told: at 50 % the late member's own systems, at 75 % the requester's too, at 100 % also
 * the other institutions of the ladder, the last of which is never the late one (policy checks it).
 * Each node tells the member that it hosts and, at 100 %, the ladder: whichever of both is up.
 */
#ifndef RELAY_NOTICE_H
#define RELAY_NOTICE_H

#include "relay/arrival.h"
#include "relay/terms.h"

struct notice {
    struct message *message;
    struct entry sent;
    struct arrival arrival; /* when it is delivered from here */
    char node[CODE_SIZE];   /* else the node that it is sent to */
    bool is_local;
};

/* Leaves that a notice appends at most. */
#define NOTICE_LEAVES 2
/* The holder itself, and the ladder. */
#define NOTICE_RECIPIENTS_MAX (1 + ROUTE_LADDER_MAX)

/* Is the holder told of this one? */
bool notice_is_for(const struct exchange *exchange, const char *holder, const struct term_due *due);
/* Whom this holder's node tells; how many. Texts are borrowed from the arguments. */
size_t notice_recipients(const struct exchange *exchange, const struct route *route,
                         const char *holder, const struct term_due *due,
                         const char *recipients[NOTICE_RECIPIENTS_MAX]);

/*
 * Everything is the arena's but what notice_release lets go. RC_NOT_FOUND: the directory has no
 * such recipient, or no aviso, any more.
 */
MUST_CHECK enum rc notice_make(struct node *node, const struct directory *directory,
                               const struct route *route, const struct exchange *exchange,
                               const char *holder, const char *to, const struct term_due *due,
                               int64_t now_ms, struct arena *arena, struct notice *notice);
MUST_CHECK enum rc notice_put(struct notice *notice, const struct node *node, struct txn *txn);
/* Writer thread, after the commit: wakes who waits for it. */
void notice_announce(struct notice *notice, const struct node *node);
/* That transaction came to nothing. */
void notice_again(struct notice *notice);
void notice_release(struct notice *notice, const struct node *node);

#endif
