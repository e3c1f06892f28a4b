/*
 * held - a message that this node holds, loaded again from its encrypted body.
 */
#ifndef RELAY_HELD_H
#define RELAY_HELD_H

#include "model/message.h"
#include "tlog/leaf.h"

struct arena;
struct node;
struct txn;

struct held {
    uint64_t index;
    uint8_t leaf_bytes[LEAF_SIZE];
    struct leaf leaf;
    struct message message; /* decoded */
    struct bytes bytes;     /* the serialised Message, as it travels */
};

/* In the arena. RC_NOT_FOUND: erased. */
MUST_CHECK enum rc held_load(const struct node *node, struct txn *txn, uint64_t index,
                             struct arena *arena, struct held *held);

#endif
