/*
 * settle - a parcel on its way: what was sent, and what the peer's answer does here.
 *
 *     forward: settle_new, send --peer's answer--> settle_verify --settle_begin--> lineage, writer:
 *     evidence, R1, debts paid --on_settled--> forward
 */
#ifndef RELAY_SETTLE_H
#define RELAY_SETTLE_H

#include "relay/chain.h"
#include "relay/lineage.h"
#include "relay/recent.h"
#include "rpc/stream.h"
#include "store/writer.h"

struct settle_item {
    uint64_t index; /* of our leaf */
    struct owed owed;
    struct recent *recent; /* where the parcel's bytes lie until it is written; NULL: elsewhere */
    struct fault refusal;  /* rc RC_OK: the peer holds it */
    bool is_settled;       /* this answer paid the debt */
    struct bytes leaf;     /* the peer's */
    struct proof proof;
};

struct settle_job {
    struct write write;       /* first: the writer's */
    struct stream_item item;  /* for the link */
    struct lineage_step step; /* the answer's checkpoint, on the line before anything is taken */
    struct node *node;
    struct arena *arena;
    const struct node_entry *peer;
    enum urgency urgency;
    struct parcel parcel;
    struct settle_item items[PARCEL_ENTRIES_MAX];
    size_t bytes;
    struct checkpoint proven; /* where the chain stood before the answer */
    struct bytes note;
    bool is_held_back;     /* the peer refused something for now: it is sent again later */
    struct stream *stream; /* NULL: the answer came as a file */
    void *owner;           /* on_settled's */
    /* Once, on any thread: hands over. The item may come to the stream before, when the lineage
     * doubts (lineage_is_doubted); without a stream it comes this way. */
    void (*on_settled)(struct settle_job *job);
};

/* NULL when out of memory. */
struct settle_job *settle_new(struct node *node, const struct node_entry *peer,
                              enum urgency urgency, size_t arena_max);
/* The parcel was written: what it was filled from is let go, its entries too. */
void settle_sent(struct settle_job *job);
/* Queue thread: the answer's proofs against the chain. Copies what the writer needs. */
MUST_CHECK enum rc settle_verify(struct settle_job *job, const struct parcel_answer *answer,
                                 struct chain *chain);
/* Whatever becomes of it, on_settled tells. */
void settle_begin(struct settle_job *job, struct lineage *lineage);
/* A word of a peer for log and records: as it is when it could not name a person, else
 * "peer.unreadable". Free text of others is never kept where it cannot be erased. */
const char *settle_word(const char *word);
struct settle_job *settle_of(struct stream_item *item);
/* NULL does nothing. */
void settle_free(struct settle_job *job);

#endif
