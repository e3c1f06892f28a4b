/*
 * commit_pool - the views behind commit points: taken by the writer, given back by the last holder.
 *
 * For writer.c and commit_point.c. A pool counts what is out, so that freeing it too early is
 * found.
 */
#ifndef STORE_COMMIT_POOL_H
#define STORE_COMMIT_POOL_H

#include "store/commit_point.h"
#include "tlog/checkpoint.h"

struct view;

struct commit_pool;
/* leaf_max: of one view. NULL when out of memory. */
struct commit_pool *commit_pool_new(size_t leaf_max);
/* Every point and view must be back (assert). */
void commit_pool_free(struct commit_pool *pool);

/* NULL when out of memory. */
struct view *commit_pool_take(struct commit_pool *pool);
/* NULL does nothing. */
void commit_pool_give(struct commit_pool *pool, struct view *view);

/*
 * A point with one hold, for the caller. Takes over the view (NULL: it proves no leaf) and the
 * note. NULL when out of memory; then both are still the caller's.
 */
struct commit_point *commit_point_new(struct commit_pool *pool, struct view *view,
                                      const struct checkpoint *checkpoint, struct buffer *note);

#endif
