/*
 * copy_commit - one commit's row, as it came from the node, against all that its leaves say.
 *
 * Inside the transaction that put the row. One owner at a time.
 */
#ifndef STORE_COPY_COMMIT_H
#define STORE_COPY_COMMIT_H

#include <stdint.h>

#include "base/own.h"
#include "tlog/frontier.h"

struct copy_commit;
struct logrow;
struct txn;
struct vkey;

/* The key is borrowed. NULL when out of memory. */
struct copy_commit *copy_commit_new(const struct vkey *vkey);
void copy_commit_free(struct copy_commit *commit);
OWN_PTR_DEFINE(copy_commit)

/*
 * The row of this size follows the tree of the frontier, which then moves to it. RC_DATA_LOSS,
 * logged with the place. *absent becomes the index past the last record leaf without a record, when
 * that is larger: a retention leaf must say so (pruning.h).
 */
MUST_CHECK enum rc copy_commit_check(struct copy_commit *commit, struct txn *txn, uint64_t size,
                                     struct frontier *frontier, uint64_t *absent);

/* *absent as above, of a row whose leaves are known. */
void copy_commit_absent(const struct logrow *row, uint64_t *absent);

#endif
