/*
 * index - which leaves of the log speak of a member, a kind, a route, an exchange or a person.
 *
 * An LMDB environment of its own beside the log, derived from it and disposable: whoever fills it
 * (relay/indexer) reads the log behind the commits, and `up_to` says how far. What is found here is
 * a hint: keys hold seven bytes of a value, so the caller reads each record and compares; and what
 * lies past `up_to` the caller looks at itself. So a stale index costs time and never an answer.
 *
 *     posting  u8 field | value[7] | u64 leaf index  ->  nothing
 *     format   "indexed"  ->  u64 up_to | u64 rows | u64 sum[2]
 *
 * value: of a kind and a step their numbers; of an exchange its first six bytes (its time, so that
 * new rows stand together) and its last; of the others SHA-256(text or id), cut. The sums add up a
 * mix of every key: index_check walks all rows and compares, which finds damage but no forger;
 * against that stand the comparison with an index made anew and the rescan by tags.
 *
 *     <data>/index/<generation>/   the environment; the highest number counts, others are removed
 *     <data>/index/state           "closed GENERATION SIZE" or "open BOOT DEATHS"
 *
 * It is not synced. So it is begun anew when it was open as the machine went down, when the file is
 * not as long as it was when it was closed, when the process died twice with it open (a damaged
 * page can kill), and when LMDB or index_check find it damaged.
 *
 * Any thread may look; one thread (the indexer's) fills, checks and renews.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

struct index;
struct index_batch;

enum index_field {
    INDEX_AUDIT = 'a',    /* commitment to the purpose of an audit: its sessions */
    INDEX_EXCHANGE = 'x', /* 16 bytes */
    INDEX_KIND = 'k',     /* 1 byte: model/record */
    INDEX_MEMBER = 'm',   /* its code: who sent or received */
    INDEX_PERSON = 'p',   /* 16 bytes: the id by which the holder knows her or him */
    INDEX_ROUTE = 'r',    /* its id */
    INDEX_STEP = 's',     /* 2 bytes: a message's type and an act's event */
};

struct index_term {
    enum index_field field;
    struct bytes value;
};

struct index_options {
    const char *path;   /* the folder; made when it is not there */
    const char *origin; /* of the log that it is of */
    uint32_t epoch;
    uint64_t map_size; /* 0: DB_MAP_SIZE */
};

/* What cannot be opened is begun anew, which is logged. RC_UNAVAILABLE: the disk says no. */
MUST_CHECK enum rc index_open(const struct index_options *options, struct index **index);
/* Closes it orderly; nobody may be looking. */
void index_free(struct index *index);
OWN_PTR_DEFINE(index)

/* ---- looking: any thread ---- */

/* Leaves below this one are in it. */
uint64_t index_up_to(struct index *index);

struct index_found {
    uint64_t *leaves; /* the caller's array of `max` */
    size_t count;     /* ascending */
    uint64_t up_to;   /* all of the term's leaves in [from, up_to) stand above, if count < max */
};
/* From one snapshot. RC_DATA_LOSS: it is damaged; the caller scans, the indexer begins anew. */
MUST_CHECK enum rc index_find(struct index *index, const struct index_term *term, uint64_t from,
                              size_t max, struct index_found *found);

/* ---- filling: one thread ---- */

/* How the rows of a term begin; the leaf's index follows. Any thread. */
#define INDEX_PREFIX_SIZE 8
void index_prefix(const struct index_term *term, uint8_t prefix[INDEX_PREFIX_SIZE]);

/* Rows of some leaves, gathered in memory. NULL when out of memory. */
struct index_batch *index_batch_new(void);
void index_batch_free(struct index_batch *batch);
OWN_PTR_DEFINE(index_batch)
void index_batch_clear(struct index_batch *batch);
size_t index_batch_rows(const struct index_batch *batch);
/* RC_RESOURCE_EXHAUSTED: out of memory. */
MUST_CHECK enum rc index_batch_add(struct index_batch *batch, uint64_t leaf,
                                   const struct index_term *term);
MUST_CHECK enum rc index_batch_add_prefix(struct index_batch *batch, uint64_t leaf,
                                          const uint8_t prefix[INDEX_PREFIX_SIZE]);

/* The rows of all leaves in [up_to so far, up_to), in one commit; to the one that is made anew
 * while there is one. */
MUST_CHECK enum rc index_put(struct index *index, struct index_batch *batch, uint64_t up_to);
/* How far index_put has come. */
uint64_t index_put_up_to(struct index *index);

/* Walks `rows` rows more of the whole; RC_OUT_OF_RANGE at the end, when all is well. RC_DATA_LOSS:
 * it is not what was put. Not between two calls of index_put. */
struct index_walk {
    uint8_t key[16];
    uint64_t rows;
    uint64_t sum[2];
};
MUST_CHECK enum rc index_check(struct index *index, struct index_walk *walk, size_t rows);

/* Drops all of it and begins with nothing: what is looked for is scanned meanwhile. */
MUST_CHECK enum rc index_renew(struct index *index);

/* A second one beside it, which index_put fills from leaf 0; what is there goes on to answer. */
MUST_CHECK enum rc index_rebuild_begin(struct index *index);
bool index_is_rebuilding(const struct index *index);
struct index_difference {
    uint64_t rows;       /* of the new one, as far as the old one reached */
    uint64_t missing;    /* in the old one */
    uint64_t extra;      /* only in the old one */
    uint64_t first_leaf; /* of the first row that differs; UINT64_MAX: none */
};
/* Compares, and puts the new one in the old one's place. The old one may be damaged beyond reading:
 * then all of it is missing. */
MUST_CHECK enum rc index_rebuild_end(struct index *index, struct index_difference *difference);

#endif
