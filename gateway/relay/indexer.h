/*
 * indexer - the thread that keeps `index/` behind the log: never in a commit's way.
 *
 * What was just committed it is given in memory (postings.h), the rest it reads from the log in
 * short transactions. It puts the rows of some thousand leaves at a time: at once when the log
 * stands still, else half a second later. First it walks what it found at start and begins anew
 * when that is not what was put. Queries look at the leaves that it has not come to themselves
 * (finder.h), so its lag costs them time; beyond INDEXER_LAG_MAX it is an alarm, once, and once
 * when it is over.
 */
#ifndef RELAY_INDEXER_H
#define RELAY_INDEXER_H

#include <stdbool.h>

#include "store/index.h"

struct indexer;
struct node;

/* Leaves. About a minute of the busiest traffic. */
#define INDEXER_LAG_MAX ((uint64_t)1 << 20)

enum indexer_state {
    INDEXER_CHECKING, /* walks what it found at start */
    INDEXER_FOLLOWING,
    INDEXER_REBUILDING, /* somebody asked for it */
};

struct indexer_status {
    enum indexer_state state;
    uint64_t up_to;
    uint64_t size; /* of the log */
    uint64_t rebuilt_to;
    uint64_t rebuilds; /* ended since the start */
    bool has_difference;
    struct index_difference difference; /* of the last rebuild */
};

/* Starts the thread. Index and node are borrowed and outlive it. */
MUST_CHECK enum rc indexer_start(const struct node *node, struct index *index,
                                 struct indexer **out);
/* Ends the thread; at most one batch later. NULL does nothing. */
void indexer_free(struct indexer *indexer);
OWN_PTR_DEFINE(indexer)

/* Any thread. */
void indexer_status(struct indexer *indexer, struct indexer_status *status);
/* Makes the index anew beside the old one and compares. One that is under way goes on. Any thread.
 */
void indexer_rebuild(struct indexer *indexer);
/* The same after an erasure or a pruning: that the old one knew more is no alarm this time. */
void indexer_forget(struct indexer *indexer);
/* A reader found it damaged: it is begun anew. Any thread. */
void indexer_distrust(struct indexer *indexer);

#endif
