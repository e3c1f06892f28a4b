/*
 * numbered - small values by a number that counts up: those of one commit are one row.
 *
 *     u64 first number  ->  a pack (pack.h) of the values from it on, each under its own number
 *
 * Inside the writer they are gathered and put at the end of the batch; elsewhere (tests) each is a
 * row at once. For tags' keys (tagbook.h) and proofs (evidence.h). The writing calls belong to
 * whoever writes.
 */
#ifndef STORE_NUMBERED_H
#define STORE_NUMBERED_H

#include "store/pack.h"
#include "store/table.h"

/* Of one table and one batch. Zeroed is empty. */
struct numbered {
    struct pack pack;
    uint64_t first; /* the number of pack.items[0] */
};

/*
 * Both parts are borrowed until the batch is done. Sets the number. `table` is one of
 * TABLE_TAG and TABLE_PROOF.
 */
MUST_CHECK enum rc numbered_add(struct txn *txn, enum table table, struct bytes first,
                                struct bytes second, uint64_t *number);
/* Borrowed; also what the batch at hand gathered. RC_NOT_FOUND; RC_DATA_LOSS, logged. */
MUST_CHECK enum rc numbered_get(struct txn *txn, enum table table, uint64_t number,
                                struct pack_item *item);
/* Another second part, borrowed likewise. RC_NOT_FOUND. */
MUST_CHECK enum rc numbered_replace(struct txn *txn, enum table table, uint64_t number,
                                    struct bytes second);
/* The number that comes next. */
MUST_CHECK enum rc numbered_next(struct txn *txn, enum table table, uint64_t *number);
/* The writer, at the end of a batch. */
MUST_CHECK enum rc numbered_put(struct txn *txn, enum table table, const struct numbered *numbered);

#endif
