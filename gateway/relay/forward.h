/*
 * forward - from the outbox to the peer nodes: parcels out, answers in, urgent on streams of its
 * own.
 *
 * A link is one stream to one peer for one urgency, over a connection of its own, owned by one
 * queue thread. While the peer is
 * away the outbox holds and the link tries again, jittered, every 0.2 to 10 s (urgent: 2 s), and
 * sooner as the clock of what is owed runs (links_hurry). What
 * it sent without an answer is sent again after a reconnect; the peer knows it by id.
 */
#ifndef RELAY_FORWARD_H
#define RELAY_FORWARD_H

#include "base/own.h"
#include "model/message.h"

struct leaf;
struct links;
struct node;
struct recent;

/* One pair of links for each other node of the directory. */
struct links *links_new(struct node *node);
/*
 * Another directory is in force: links to its new nodes, and to the new addresses of known ones;
 * poked, a stream to a peer that is not in force any more ends. One thread at a time; not after
 * links_stop.
 */
MUST_CHECK enum rc links_refresh(struct links *links);
/* Opens what has debts; then pokes keep it going. */
void links_start(struct links *links);
/*
 * Cancels the streams and waits until they are gone. Once more after the last thread that pokes
 * has ended: a poke may be under way until then.
 */
void links_stop(struct links *links);
void links_free(struct links *links);
OWN_PTR_DEFINE(links)

/*
 * A copy of what is about to be committed for this node, so that it need not be read back to be
 * forwarded. NULL: no room, or no stream to the node; then it is read back. Any thread.
 */
struct recent *links_keep(struct links *links, const char *node_code, const struct message *message,
                          const uint8_t commitment[HASH_SIZE]);
/*
 * The commit stands: something new is owed to this node. Takes the copy, NULL for none. Writer
 * thread.
 */
void links_owe(struct links *links, const char *node_code, enum urgency urgency,
               struct recent *recent, const struct leaf *leaf);
/*
 * Each link of a peer in force: is its stream up, and how many attempts have failed since it was? A
 * link that owes nothing has none and tries nothing. Any thread.
 */
void links_look(struct links *links,
                void (*say)(void *to, const char *peer, enum urgency urgency, bool is_up,
                            unsigned failures),
                void *to);
/* The same for a debt whose leaf is older than others that went already. */
void links_owe_late(struct links *links, const char *node_code, enum urgency urgency);
/* So much of the clock of what is owed there is gone, in percent: tries follow sooner. Any thread.
 */
void links_hurry(struct links *links, const char *node_code, enum urgency urgency,
                 unsigned percent);
/* Since when this node could not be reached, though something is owed to it; 0: it can be. Any
 * thread. */
int64_t links_unreached_ms(struct links *links, const char *node_code, enum urgency urgency);
/* Time passed. Any thread. */
void links_poke_all(struct links *links);

#define FORWARD_DESTINATION_SIZE 80
/* "node:cdmx/ssc" */
void forward_destination(const char *node_code, char out[FORWARD_DESTINATION_SIZE]);

#endif
