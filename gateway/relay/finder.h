/*
 * finder - the leaves that a question is about, complete and in the order of the log.
 *
 * Where the question names something the index knows by, candidates come from the index as far as
 * it reaches, and every leaf after that is looked at; without it, every leaf is. Each candidate's
 * record is read and compared with the whole question, so no row of an index makes an answer true.
 * Time is found by halving: leaves never go back in time.
 *
 * One call looks at no more than FINDER_LOOK_MAX leaves or about FINDER_LOOK_MS, and says where the
 * next has to begin: answers may be empty and not the last.
 */
#ifndef RELAY_FINDER_H
#define RELAY_FINDER_H

#include "relay/facts.h"

struct arena;
struct node;

#define FINDER_LOOK_MAX 65536
#define FINDER_LOOK_MS 150

/* "", zero and empty: any. */
struct finder_question {
    uint64_t from_s; /* of leaves' times; 0: from the beginning */
    uint64_t to_s;   /* exclusive; 0: no end */
    const char *member;
    enum record_kind kind;
    enum message_type type;
    enum event event;
    const char *route;
    struct id exchange_id;
    struct id person;
    struct bytes audit; /* commitment to a purpose */
    /* What the reader may see at all. */
    const char *only_of; /* records kept for this member; "": of all */
    bool is_only_own;    /* records of the node's own doings, of no member */
};

struct finder_place {
    uint64_t next;       /* first leaf that was not looked at; the size: the end */
    uint64_t indexed_to; /* as far as the index reached */
    uint64_t looked_at;
};

/*
 * Appends the hits in [place->next, size) to `leaves`, at most `max`, and moves the place. Reads
 * the log in short transactions. Any thread; the arena is the caller's and is reset meanwhile.
 */
MUST_CHECK enum rc finder_find(const struct node *node, const struct finder_question *question,
                               uint64_t size, size_t max, struct arena *scratch, uint64_t *leaves,
                               size_t *count, struct finder_place *place);

/* The first leaf below `size` whose time is not before; `size`: none. */
MUST_CHECK enum rc finder_time(const struct node *node, uint64_t time_s, uint64_t size,
                               uint64_t *leaf);

#endif
