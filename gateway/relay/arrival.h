/*
 * arrival - a message that reaches this node for a member hosted here: from a peer node's parcel,
 * or from another member of the same node. The same checks and the same puts for both.
 */
#ifndef RELAY_ARRIVAL_H
#define RELAY_ARRIVAL_H

#include "relay/entry.h"
#include "store/exchange.h"

struct directory;
struct node;
struct purge;
struct txn;

struct arrival {
    struct message *message;
    const struct directory *directory; /* that judges it; held by whoever made the arrival */
    const struct route *route;
    struct entry entry;
    struct fault fault;
    int64_t as_of_ms; /* the time by which it is judged: the sender's leaf's, or now */
    bool is_known;    /* held before with these bytes: no policy is asked again */
    bool is_duplicate;
    struct purge *purge; /* by which this act erases what the recipient holds, or NULL */
    uint64_t index;      /* of the received leaf, whether new or the first one's */
};

/*
 * Queue thread. The caller has set message, as_of_ms and the entry's commitment (M), which it
 * needed itself: what it holds already with these bytes is taken as it is. Else validates, finds
 * the route by this node's own directory, checks fields and signatures, prepares the entry. `actor`
 * is who handed it over. The fault is kept in the arrival.
 */
MUST_CHECK enum rc arrival_prepare(struct arrival *arrival, const struct node *node,
                                   const char *actor);
/*
 * The same where the sender is hosted here, too. Within one member its view of the exchange is the
 * sent side's: the route is known, and `local` are the ids of the message's persons.
 */
MUST_CHECK enum rc arrival_prepare_hosted(struct arrival *arrival, const struct node *node,
                                          const char *actor, const struct route *sent,
                                          const struct id *local, size_t local_count);
/*
 * Writer: RC_OK with is_duplicate, RC_OK for a new one, or the refusal. Puts nothing; *exchange is
 * then how the holder sees the exchange with this message, for arrival_put.
 */
MUST_CHECK enum rc arrival_check(struct arrival *arrival, const struct node *node, struct txn *txn,
                                 struct exchange *exchange);
/* Writer: leaf, body, exchange, and the debt to the member's systems. */
MUST_CHECK enum rc arrival_put(struct arrival *arrival, const struct node *node, struct txn *txn,
                               struct exchange *exchange);
/* Writer thread, after the commit: wakes the systems that wait for it. */
void arrival_announce(struct arrival *arrival, const struct node *node);
/* That transaction came to nothing: forgets what arrival_check and arrival_put found. */
void arrival_again(struct arrival *arrival);
void arrival_release(struct arrival *arrival, const struct node *node);

/* An opening message must not take the place of an exchange that this holder knows. */
MUST_CHECK enum rc arrival_check_new(struct txn *txn, const struct header *header,
                                     const char *holder, struct exchange *scratch,
                                     struct fault *fault);
/* The recipient that a message names exists: "system.unknown" for a system not in force. */
MUST_CHECK enum rc arrival_check_system(const struct directory *directory,
                                        const struct header *header, struct fault *fault);

/*
 * The checks of a message that are the same where it is sent and where it arrives: well-formed,
 * route in force, fields within it, signatures of the officials. `exchange` is the holder's view of
 * a running exchange; NULL for an opening message. Dates are those of `as_of_ms`: a message that
 * waited for a peer is judged by the day on which its sender's log took it.
 */
MUST_CHECK enum rc arrival_admit(const struct node *node, const struct directory *directory,
                                 const struct message *message, const struct exchange *exchange,
                                 const uint8_t commitment[HASH_SIZE], int64_t as_of_ms,
                                 const struct route **route, struct fault *fault);

#endif
