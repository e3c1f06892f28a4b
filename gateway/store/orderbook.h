/*
 * orderbook - orders of officials and the end of retention periods: one row each, for ever, and
 * what an erasure under way has to remember.
 *
 *     order     u8 0 open, 1 done | id[16]      ->  the row
 *     ordered   id[16] | 't' | shard's name      ->  nothing
 *               id[16] | 'p' | u64 index of leaf ->  wrapped content keys
 *
 * 't': a shard whose key must go, because rows that the order covers were under it; it stays, so
 * that a key that an old backup brings back goes again. 'p': the keys of a message of which only a
 * part was erased, as they were, under the order's blocked shard.
 *
 * The due instant in a row is a durable timer: relay/eraser looks at the open rows. What an order
 * is about is wrapped (wrap.h) under the order's own blocked shard and goes with it, because a
 * person's ids stand in it; a hold's is in clear. Plain data; the relay decides.
 */
#ifndef STORE_ORDERBOOK_H
#define STORE_ORDERBOOK_H

#include <stdint.h>

#include "model/directory.h"
#include "model/order.h"
#include "store/vault.h"

struct txn;

#define ORDERBOOK_URI_SIZE 160

struct order_row {
    struct id id;
    enum order_kind kind;
    enum order_phase phase;
    bool is_retention; /* nobody's order: a class at its end; shard is the one that is over */
    char member[CODE_SIZE];
    char basis[CODE_SIZE];
    char reason[CODE_SIZE];
    char actor[ORDERBOOK_URI_SIZE];    /* who signed first */
    char official[ORDERBOOK_URI_SIZE]; /* and second */
    uint8_t digest[HASH_SIZE];         /* D */
    char shard[VAULT_NAME_SIZE];       /* what is blocked is under it */
    int64_t given_at_ms;
    int64_t due_at_ms; /* blocked: erased from then on */
    uint64_t until;    /* leaves below this index are covered; of a pruning: the minimum index */
    uint64_t cursor;   /* of the phase: where it goes on */
    uint32_t entries;
    uint32_t held;
    struct bytes target;     /* wrapped, or a hold's in clear; borrowed */
    struct bytes signatures; /* chunks: certificate, signature, ...; borrowed */
};

/* RC_NOT_FOUND, silently; RC_DATA_LOSS. Borrows from the transaction. */
MUST_CHECK enum rc orderbook_get(struct txn *txn, const struct id *id, struct order_row *row);
/* Makes or replaces; a row whose phase is an end moves to the done ones. */
MUST_CHECK enum rc orderbook_put(struct txn *txn, const struct order_row *row);
/* The first open row, or one that is over, past an id (zero to begin). RC_NOT_FOUND at the end. */
MUST_CHECK enum rc orderbook_next(struct txn *txn, bool is_over, const struct id *after,
                                  struct order_row *row);
bool order_is_over(enum order_phase phase);

MUST_CHECK enum rc orderbook_touch(struct txn *txn, const struct id *id, struct bytes shard);
/* The first touched shard past a name ("" to begin). RC_NOT_FOUND at the end. */
MUST_CHECK enum rc orderbook_touched(struct txn *txn, const struct id *id, const char *after,
                                     char shard[VAULT_NAME_SIZE]);

MUST_CHECK enum rc orderbook_keep(struct txn *txn, const struct id *id, uint64_t index,
                                  struct bytes keys);
/* The first kept keys at or past an index. RC_NOT_FOUND at the end. */
MUST_CHECK enum rc orderbook_kept(struct txn *txn, const struct id *id, uint64_t from,
                                  uint64_t *index, struct bytes *keys);
MUST_CHECK enum rc orderbook_drop(struct txn *txn, const struct id *id, uint64_t index);

/* What an order is about, as bytes: wrapped under a blocked shard, which `view` can use. */
MUST_CHECK enum rc order_target_wrap(struct vault *view, const struct shard *shard,
                                     const struct id *id, const struct order_target *target,
                                     struct buffer *out);
/* RC_NOT_FOUND: the shard is blocked for this handle, or destroyed. */
MUST_CHECK enum rc order_target_open(struct vault *view, const struct id *id, struct bytes wrapped,
                                     struct order_target *target);
/* A hold's. */
void order_target_write(const struct order_target *target, struct buffer *out);
MUST_CHECK enum rc order_target_read(struct bytes from, struct order_target *target);

#endif
