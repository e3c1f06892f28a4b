/*
 * receive_parts - one parcel on its way in, for the two ways that it may come: over a peer's stream
 * (receive.c), or as a file (parcel_in.c). For these two files only.
 */
#ifndef RELAY_RECEIVE_PARTS_H
#define RELAY_RECEIVE_PARTS_H

#include "relay/arrival.h"
#include "relay/budget.h"
#include "relay/chain.h"
#include "relay/lineage.h"
#include "rpc/stream.h"
#include "store/anchor.h"
#include "store/writer.h"

struct gate {
    struct stream_user user; /* first */
    struct node *node;
    struct node_entry peer; /* once it is greeted */
    bool is_greeted;
    enum urgency urgency;
    struct chain chain;
    struct lineage lineage;
    struct budget_hold hold;
    uint64_t told_size; /* of our log, that the peer has seen on this stream */
    unsigned under_way;
    bool wants_read;
};

/* One entry of a parcel, with the proof under which it came. */
struct intake_entry {
    struct arrival arrival;
    bool is_refused; /* before the writer saw it */
    struct bytes leaf;
    struct proof proof;
};

/* One parcel on its way to the commit and its answer. */
struct intake {
    struct write write; /* first: the writer's */
    struct stream_item item;
    struct lineage_step step; /* the parcel's checkpoint, on the line before anything is taken */
    struct anchor_write anchoring; /* our own, before the answer shows it */
    struct node *node;
    struct arena *arena;
    struct gate *gate;
    struct stream *stream;
    const struct node_entry *peer; /* the gate's */
    struct edition *edition;       /* by which it is judged */
    struct parcel *parcel;
    struct intake_entry *entries;
    struct bytes note;
    size_t weight; /* in the budget */
    /* Of one that came as a file (no stream): where it comes back, and whose it is. Any thread. */
    void (*on_back)(struct intake *intake);
    void *owner;
};

/*
 * Extends the gate's chain and hands the parcel to lineage and writer; takes the arena over on
 * RC_OK. It comes back to the stream, or by on_back: with a doubt (lineage_is_doubted) or done.
 */
MUST_CHECK enum rc receive_parcel(struct gate *gate, struct arena **arena, struct parcel *parcel,
                                  size_t size, void (*on_back)(struct intake *intake), void *owner,
                                  struct fault *fault);
/* After the commit: an ExchangeResponse. */
MUST_CHECK enum rc receive_answer(struct intake *intake, struct buffer *bytes);
/* With its arena. */
void receive_free(struct intake *intake);

#endif
