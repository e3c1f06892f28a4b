/*
 * pending - messages that wait for a second official of their sender, where the route asks for one.
 *
 * The node takes such a message as any other (leaf, body, exchange: R0), and owes it to nobody. A
 * second official reads it, and signs over its M: then it is judged again by the law of that hour,
 * and leaves with that signature, which the receiver checks. Nobody decides after PENDING_MAX_MS
 * but to reject it. The clocks run all the while.
 */
#ifndef RELAY_PENDING_H
#define RELAY_PENDING_H

#include "model/official.h"
#include "relay/arrival.h"
#include "store/approval.h"

struct directory;
struct entry;

#define PENDING_MAX_MS ((int64_t)72 * 3600 * 1000)

/* Queue thread: does it wait? "approval.no_official" when nobody is named as the first. */
MUST_CHECK enum rc pending_judge(const struct route *route, const struct message *message,
                                 bool *awaits, struct fault *fault);
/* Writer: after entry_put, instead of the debt to the recipient. */
MUST_CHECK enum rc pending_put(const struct entry *entry, struct txn *txn);

/* A decision on its way: made by relay/officials, whose act it is. Zeroed at first. */
struct decision {
    bool is_approval;
    bool is_known; /* decided so before, by the same official: nothing is done */
    bool is_local; /* the recipient is hosted here too */
    struct approval row;
    struct message *message; /* with the new signature */
    const struct route *route;
    char recipient_node[CODE_SIZE];
    struct arrival arrival;
    struct exchange sent; /* as the sender's member sees it, then with the decision */
    struct exchange received;
};

/*
 * Queue thread. Refusals: "message.unknown" (not found and not yours, one answer), "approval.same",
 * "approval.decided", "approval.expired", and those of a submission by the law of this hour. What
 * it makes lives in the arena; decision_release afterwards.
 */
MUST_CHECK enum rc decision_prepare(struct decision *decision, const struct node *node,
                                    const struct directory *directory, const struct identity *by,
                                    const struct official_signed *act, struct arena *arena,
                                    struct fault *fault);
/* Writer: checks again, then puts; the caller puts the act's leaf between the two. */
MUST_CHECK enum rc decision_check(struct decision *decision, const struct node *node,
                                  struct txn *txn, struct fault *fault);
MUST_CHECK enum rc decision_put(struct decision *decision, const struct node *node,
                                struct txn *txn);
void decision_again(struct decision *decision);
/* Writer thread, after the commit. */
void decision_announce(struct decision *decision, const struct node *node);
void decision_release(struct decision *decision, const struct node *node);

/* Queue thread: what waits for an official of this member, the oldest first. */
MUST_CHECK enum rc pending_list(const struct node *node, const char *member, struct awaiting *rows,
                                size_t max, size_t *count);
/* One of them, to be read. RC_NOT_FOUND. */
MUST_CHECK enum rc pending_read(const struct node *node, const char *member, const struct id *id,
                                struct arena *arena, struct message *message);

#endif
