/*
 * lawkeeper - brings the directory into force and keeps it so while the node runs.
 *
 * One thread. It watches the folder where texts are published (relay's settings: `directory`),
 * every 200 ms, and asks one peer after the other for what they hold that is newer, every 500 ms,
 * first those whose parcels name another directory. What law (policy/law.h) takes is kept in the
 * node's own archive, comes into force by one swap, becomes a leaf, and is done at once with those
 * who are out of it: their open streams are cut. What is refused changes nothing: the last good
 * one stays, and the operator's log says why ("directory.refused").
 *
 * It also says when this node's own certificate ends within 30, 7 and 1 days ("certificate.ends").
 *
 *     DATA/directory/<text>.v<version>.note   every text that was ever in force here
 *     DATA/directory/<digest>.texts           which texts made the directory of that digest
 *     DATA/directory/witness-policy           C2SP tlog-policy, made of the directory in force
 */
#ifndef RELAY_LAWKEEPER_H
#define RELAY_LAWKEEPER_H

#include "base/own.h"
#include "base/rc.h"
#include "model/directory.h"

struct buffer;
struct lawkeeper;
struct node;
struct server;

/* Appends the C2SP tlog-policy that a directory amounts to for this node (publish/quorum_text). */
typedef void policy_text_fn(const struct directory *directory, const struct node_entry *self,
                            struct buffer *text);

/*
 * Reads archive and folder, and sets node->inforce and node->self (which are the keeper's).
 * RC_NOT_FOUND: this node is not in the directory.
 */
MUST_CHECK enum rc lawkeeper_open(struct node *node, const char *code, const char *folder,
                                  const char *archive, policy_text_fn *policy_text,
                                  struct lawkeeper **out);
/* This node as the directory had it at the start; may be changed until lawkeeper_start. */
struct node_entry *lawkeeper_self(struct lawkeeper *keeper);
/* From here on changes come into force. */
MUST_CHECK enum rc lawkeeper_start(struct lawkeeper *keeper, struct server *server);
/* Ends the thread; nothing changes any more. NULL does nothing. */
void lawkeeper_stop(struct lawkeeper *keeper);
void lawkeeper_free(struct lawkeeper *keeper);
OWN_PTR_DEFINE(lawkeeper)

#endif
