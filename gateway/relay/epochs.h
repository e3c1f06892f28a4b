/*
 * epochs - which log speaks for each peer node now, and how it came after the one before.
 *
 * A peer's log is the one that the directory lists, until a statement of succession
 * (tlog/succession.h), signed by a quorum of the authorities, names the next; from then on nothing
 * new of the old one is taken, on any stream. Without a statement no other log is taken for a node
 * whose log was seen already, whatever the directory says. Statements come in the hellos, are
 * checked against the last checkpoint that `seen` has of the old log, and are kept there.
 *
 * Any thread.
 */
#ifndef RELAY_EPOCHS_H
#define RELAY_EPOCHS_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tlog/vkey.h"

struct epoch;
struct epochs;
struct node;
struct node_entry;
struct peer_hello;
struct succession;

/* Immutable; lives as long as the epochs. */
struct epoch {
    struct epoch *before;
    char origin[VKEY_NAME_MAX + 1];
    bool is_known; /* else: the directory changed its log, and no statement came */
    struct vkey key;
    struct succession *statement; /* NULL: the directory's */
};

/* Borrows the node, whose directory, seen and authorities are set. */
MUST_CHECK enum rc epochs_new(struct node *node, struct epochs **epochs);
void epochs_free(struct epochs *epochs);
OWN_PTR_DEFINE(epochs)

/* NULL: out of memory, or what is kept of the peer cannot be read (logged). */
const struct epoch *epochs_of(struct epochs *epochs, const struct node_entry *peer);
/*
 * RC_OK: the log of this origin speaks for the peer now; when a statement was needed for it, that
 * is durable (one fsync, once in an epoch). Refused with RC_FAILED_PRECONDITION: "log.succeeded"
 * (an epoch that is over), "log.no_succession", "succession.authorities" (fewer than the quorum),
 * "succession.other_log" (of another node, or not after the log that we know),
 * "succession.malformed"; RC_DATA_LOSS "succession.fork": it names another root than we saw.
 */
MUST_CHECK enum rc epochs_admit(struct epochs *epochs, const struct node_entry *peer,
                                const char *origin, struct bytes statement, struct fault *fault);

#endif
