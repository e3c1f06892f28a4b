/*
 * disputes - which acts of an agency answer a dispute, and which only repeat what was disputed.
 *
 * A requester may dispute that something is in force, or was brought to its end: the item goes back
 * and can be put in force again. What is said after the dispute is another act, although exchange,
 * item and event are the same; what happened before it, told once more by an agency's system that
 * repeats itself, is the old act. So an act belongs to a round: the last dispute of its item that
 * is not later than what the act tells of (to the minute: agencies write no seconds).
 *
 * A book in the spool, "disputes": exchange -> "<message id>/<item> ..."; the last
 * DISPUTES_KEPT of an exchange are kept. One thread.
 */
#ifndef SDK_DISPUTES_H
#define SDK_DISPUTES_H

#include "base/own.h"
#include "model/message.h"

#define DISPUTES_KEPT 20

struct disputes;

/* As book_open. */
MUST_CHECK enum rc disputes_open(const char *folder, struct disputes **disputes);
void disputes_free(struct disputes *disputes);
OWN_PTR_DEFINE(disputes)

/* Durable on return; anything but a dispute, and one that is known, costs nothing. */
MUST_CHECK enum rc disputes_note(struct disputes *disputes, const struct header *act);

/*
 * The round of what is said of `item` (0: all of them) and happened at this instant: the message id
 * of a dispute, or zero when there is none before it.
 */
struct id disputes_round(struct disputes *disputes, const struct id *exchange_id, uint32_t item,
                         int64_t occurred_ms);

#endif
