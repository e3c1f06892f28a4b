/*
 * comeback - messages that a peer holds for us, on their way into the new log: checked, then put in
 * one transaction with the mark of how far we got. Belongs to the thread of relay/replay.
 */
#ifndef RELAY_COMEBACK_H
#define RELAY_COMEBACK_H

#include "relay/chain.h"
#include "store/replay_mark.h"

struct node;

/* A page that was verified up to its checkpoint. */
struct comeback_page {
    struct node *node;
    const struct directory *directory; /* that judges; held by the caller */
    const struct node_entry *peer;
    struct chain *chain; /* stands at the page's checkpoint, which is on the peer's line */
    const struct replay_page *page;
    struct arena *arena;
};

/*
 * Takes the entries in order, as few transactions as their exchanges allow, and the mark with the
 * last; the mark is the next page's on return. An entry that does not pass (its evidence, the
 * checks of an arrival, the table of an exchange's life) is counted in mark->refused and logged
 * with its reason, the rest goes on. RC_UNAVAILABLE, RC_RESOURCE_EXHAUSTED: ask for the page again;
 * what stands is known by its id. Blocks.
 */
MUST_CHECK enum rc comeback_take(const struct comeback_page *page, struct replay_mark *mark);

#endif
