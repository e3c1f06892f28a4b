/*
 * postings - what a message that was just committed is found by, in memory until the indexer
 * takes it.
 *
 * Whoever prepares an entry has its record and its persons at hand; read back behind the commit
 * they cost a decoding and an unwrapping each. Nothing depends on it: a leaf that has none here,
 * because memory was full or it is of another kind, the indexer reads from the log, and so it does
 * with all of them when it makes the index anew. They are what the index itself holds openly:
 * seven bytes of a value each (store/index.h).
 *
 *     queue thread: posting_make --commit--> writer thread: postings_put --> indexer: postings_find
 */
#ifndef RELAY_POSTINGS_H
#define RELAY_POSTINGS_H

#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"
#include "store/index.h"

/* kind, step, two members, route, exchange, persons: a message of more is read from the log. */
#define POSTING_TERMS_MAX 9
/* Leaves that wait: two seconds of the busiest traffic; they take 2.8 MiB. */
#define POSTINGS_MAX 32768

struct content_persons;
struct record;

struct posting {
    uint64_t leaf;
    uint32_t count; /* 0: too many terms */
    uint8_t prefixes[POSTING_TERMS_MAX][INDEX_PREFIX_SIZE];
};

void posting_make(const struct record *record, const struct content_persons *persons,
                  struct posting *posting);

struct postings;

/* NULL when out of memory. */
struct postings *postings_new(void);
/* NULL does nothing. */
void postings_free(struct postings *postings);
OWN_PTR_DEFINE(postings)

/* Once its commit stands; leaves ascend. Drops it when memory is full. Writer thread. */
void postings_put(struct postings *postings, const struct posting *posting, uint64_t leaf);

/* Of this leaf, borrowed until the next call; NULL: not here. Forgets those before it. Indexer's
 * thread. */
const struct posting *postings_find(struct postings *postings, uint64_t leaf);

#endif
