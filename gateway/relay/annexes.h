/*
 * annexes - what all attachment streams of a node share: the disk's thread, the places, the rules.
 *
 * A member's system puts a file at its node (annex_in), the node owes it to the recipient's node
 * and sends it there (courier), the recipient's systems get it (annex_out). Each stream has at most
 * one chunk under way, so the node's memory is bounded by the number of places, whatever the size
 * of the files.
 */
#ifndef RELAY_ANNEXES_H
#define RELAY_ANNEXES_H

#include <stdint.h>

#include "model/directory.h"
#include "base/own.h"
#include "base/rc.h"

struct annexes;
struct chore;
struct identity;
struct node;
struct node_entry;
struct rpc_peer;

/* Open streams of the whole node, and of one member or peer. About 1 MiB each. */
#define ANNEX_STREAMS_MAX 64
#define ANNEX_STREAMS_PER_OWNER 16
/* A chunk with its frame; anything longer is refused before it is read. */
#define ANNEX_MESSAGE_MAX ((size_t)(256 << 10) + 256)
#define ANNEX_ARENA_MAX ((size_t)1 << 20)

/* Chores that wait for the disk: each stream has one at most, and calls. */
#define ANNEX_CHORES_MAX 1024

/* Unfinished files that nobody touched for so long are dropped; looked at so often. */
#define ANNEX_UNFINISHED_MS ((int64_t)7 * 24 * 3600 * 1000)
#define ANNEX_TIDY_EVERY_MS ((int64_t)60 * 1000)

/* The node's files must be open and outlive it. */
struct annexes *annexes_new(struct node *node);
/* After the server's last stream is gone: what waits is done first. */
void annexes_free(struct annexes *annexes);
OWN_PTR_DEFINE(annexes)

/*
 * Drops what was left unfinished and what an erased shard has made unreadable, on the disk's
 * thread, when it is time. The scheduler's call.
 */
void annexes_tidy(struct annexes *annexes);

/* Any thread. RC_RESOURCE_EXHAUSTED: the disk is far behind. */
MUST_CHECK enum rc annexes_do(struct annexes *annexes, struct chore *chore);

/*
 * A place for one more stream of this owner, a text of the directory, which is kept by pointer.
 * RC_RESOURCE_EXHAUSTED "attachment.streams". Any thread; leave once for each place taken.
 */
MUST_CHECK enum rc annexes_enter(struct annexes *annexes, const char *owner, struct fault *fault);
void annexes_leave(struct annexes *annexes, const char *owner);

/* A system or an official in force; auditors read the log, not files. */
MUST_CHECK enum rc annex_caller(const struct node *node, const struct rpc_peer *peer,
                                struct identity *identity, struct fault *fault);

/*
 * The first route in force that lets attachments travel from one member to another: it lists
 * attachments.entries.attachment_id, or the compartment sealed; in the other direction of an
 * exchange, its reply fields list it. What is wanted of it is how long they are kept.
 * RC_PERMISSION_DENIED "route.none": the one answer also when there is no such member.
 */
MUST_CHECK enum rc annex_route(const struct node *node, const char *from, const char *to,
                               char retention[RETENTION_SIZE], struct fault *fault);
/* The same from any member that the peer hosts. */
MUST_CHECK enum rc annex_peer_route(const struct node *node, const struct node_entry *peer,
                                    const char *to, char retention[RETENTION_SIZE],
                                    struct fault *fault);

/* There is no such file, or it is not yours: one answer. */
enum rc annex_unknown(struct fault *fault);

#endif
