/*
 * waiting - what of a member's messages is still on its way: owed to another node, or to a system
 * of its own.
 *
 * Read from the outbox in one short transaction, whenever somebody asks: no commit pays for it. The
 * oldest WAITING_MAX of each destination and urgency are looked at.
 */
#ifndef RELAY_WAITING_H
#define RELAY_WAITING_H

#include "model/directory.h"
#include "model/hang.h"

struct arena;
struct node;
struct txn;

#define WAITING_MAX 512
#define WAITING_ALL_MAX 4096

struct waiting_item {
    struct id exchange_id;
    uint64_t index; /* of our leaf */
    int64_t time_ms;
    bool is_forward;      /* owed to a node; else to a system of the member */
    char peer[CODE_SIZE]; /* the node */
    int64_t unreached_ms; /* since when it is not reachable; 0: it is */
};

struct waiting {
    struct waiting_item *items; /* in the arena */
    size_t count;
    bool has_system; /* a system of the member is attached */
};

/* `scratch` is reset meanwhile. */
MUST_CHECK enum rc waiting_read(const struct node *node, struct txn *txn, const char *member,
                                struct arena *arena, struct arena *scratch,
                                struct waiting *waiting);
/* The oldest of all; NULL: nothing waits. */
const struct waiting_item *waiting_oldest(const struct waiting *waiting);
/* What this exchange's member waits to see taken by another node; NULL: nothing. */
const struct waiting_item *waiting_forward(const struct waiting *waiting,
                                           const struct id *exchange);
/* By the leaf; NULL: nothing is owed of it. */
const struct waiting_item *waiting_at(const struct waiting *waiting, uint64_t index);

#endif
