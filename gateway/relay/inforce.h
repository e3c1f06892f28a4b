/*
 * inforce - the directory in force: an immutable edition, swapped as a whole while others read.
 *
 * Whoever judges takes the edition at hand, and leaves it when nothing of it is used any more: a
 * call or a message of a stream when its job ends, a parcel when it is answered. Taking costs two
 * atomic operations and never waits; an old edition is freed once its last reader has left.
 * Pointers into a directory (identities, nodes, routes) live as long as the edition is held;
 * objects that live longer copy what they need.
 *
 * inforce_take and inforce_leave: any thread. inforce_swap: one thread at a time.
 */
#ifndef RELAY_INFORCE_H
#define RELAY_INFORCE_H

#include <stdatomic.h>

#include "base/own.h"
#include "base/rc.h"
#include "model/directory.h"

/* Editions that may be read at one time: a reader of the first of so many keeps out the next. */
#define INFORCE_EDITIONS 32

struct inforce;
struct node;
struct shelf;

struct edition {
    const struct directory *directory;
    const struct shelf *shelf; /* the signed texts it was made from, for peers */
    atomic_uint readers;
};

/* Takes both over. NULL when out of memory: they are the caller's still. */
struct inforce *inforce_new(struct directory *directory, struct shelf *shelf);
/* Nobody reads any more. */
void inforce_free(struct inforce *inforce);
OWN_PTR_DEFINE(inforce)

struct edition *inforce_take(struct inforce *inforce);
/* NULL does nothing. */
void inforce_leave(struct edition *edition);
/* OWN_EDITION(edition) = inforce_take(...): left at the end of the block. */
static inline void edition_own_leave(struct edition **edition)
{
    inforce_leave(*edition);
}
#define OWN_EDITION(name) __attribute__((cleanup(edition_own_leave))) struct edition *name

/*
 * The new one is in force when it returns; takes both over. RC_RESOURCE_EXHAUSTED: too
 * many old ones are still read; both are then the caller's again.
 */
MUST_CHECK enum rc inforce_swap(struct inforce *inforce, struct directory *directory,
                                struct shelf *shelf);
/* Frees old editions that nobody reads; how many are still read. The swapping thread. */
unsigned inforce_sweep(struct inforce *inforce);

/* The digest of the directory in force, for records that judge nothing. */
void inforce_digest(struct inforce *inforce, uint8_t sha256[HASH_SIZE]);

#endif
