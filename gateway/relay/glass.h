/*
 * glass - what an official did not wait for: loud, and reviewed by another one within a day.
 *
 * A message with Header.break_glass leaves without its second official, and without a consent's
 * ratification. In its own transaction stand a control leaf, which everybody may read and which
 * names nobody, and the call for duty of kind REVIEW that every waiver puts (relay/urgency), which
 * another official of the same member closes; the operator's log has an alarm at both ends, and
 * every hour for a review that is overdue. What is never waived is not asked here: parties,
 * suspensions, vetoes, seals.
 */
#ifndef RELAY_GLASS_H
#define RELAY_GLASS_H

#include "model/official.h"
#include "store/dutycall.h"

struct entry;
struct node;

/* What else waits in the same list: the ratification of what was decided for a person. */
#define GLASS_RATIFICATION "CONSENT"
/* A review that found that it was not needed closes with this reason. */
#define GLASS_MISUSE "uso-indebido"

/* Is it broken? Then the write has one leaf more. */
bool glass_is_broken(const struct message *message);
/* Writer: after entry_put of a sent message. Nothing when the glass is whole. */
MUST_CHECK enum rc glass_put(const struct node *node, struct txn *txn, const struct entry *entry);

/* The closing of a review, for relay/officials. Zeroed at first. */
struct review {
    bool is_known; /* closed already, by the same official */
    struct dutycall call;
};

/* Queue thread. "review.unknown" (not found, not yours: one answer), "review.same". */
MUST_CHECK enum rc review_prepare(struct review *review, const struct node *node,
                                  const struct identity *by, const struct official_act *act,
                                  struct fault *fault);
/* Writer: RC_NOT_FOUND when somebody closed it meanwhile. */
MUST_CHECK enum rc review_check(struct review *review, struct txn *txn, struct fault *fault);
MUST_CHECK enum rc review_put(const struct review *review, struct txn *txn);

/* Queue thread: open reviews of this member; appends to rows. */
MUST_CHECK enum rc review_list(const struct node *node, const char *member, struct awaiting *rows,
                               size_t max, size_t *count);
/* Scheduler, now and then: says in the operator's log which are overdue. */
void reviews_remind(const struct node *node, int64_t now_ms);

#endif
