/*
 * view - what one commit appended to the tree: its nodes to store, its leaves' proofs.
 *
 *     view_begin(view, &frontier);            the writer, from the tree of the last commit
 *     view_append(view, leaf_hash) ...        at most batch_max times
 *     view_end(view);
 *     view_nodes(view, level, &count)         the store writes what is complete now
 *     *frontier = *view_frontier(view);       when the transaction stands
 *     view_proof(view, index, &proof);        any thread, as often as it likes
 *
 * Between view_end and the next view_begin the view is read-only and any number of threads may ask
 * it. A proof is memory look-ups and no hash: a left sibling is a node of the old edge or of the
 * view, a right one a node of the view or the incomplete edge of the new tree, folded once.
 * About 70 bytes of memory per leaf of batch_max. Reuse and sharing are the caller's.
 */
#ifndef TLOG_VIEW_H
#define TLOG_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "tlog/frontier.h"
#include "tlog/proof.h"

struct view;

/* batch_max 1..65536. NULL when out of memory. */
struct view *view_new(size_t batch_max);
void view_free(struct view *view);
OWN_PTR_DEFINE(view)

/* Forgets what the view held. The frontier is copied. */
void view_begin(struct view *view, const struct frontier *old);
/* RC_RESOURCE_EXHAUSTED after batch_max leaves; nothing is changed then. */
MUST_CHECK enum rc view_append(struct view *view, const uint8_t leaf_hash[DIGEST_SIZE]);
void view_end(struct view *view);

/* Valid after view_end. A view without a leaf has the old size and the old root. */
uint64_t view_old_size(const struct view *view);
uint64_t view_size(const struct view *view);
const struct frontier *view_frontier(const struct view *view);
/* DIGEST_SIZE bytes, borrowed. */
const uint8_t *view_root(const struct view *view);

/*
 * The inclusion proof of leaf `index` in the tree of view_size. RC_OUT_OF_RANGE for a leaf that is
 * not of this view.
 */
MUST_CHECK enum rc view_proof(const struct view *view, uint64_t index, struct proof *proof);

/*
 * The nodes of a level that this view completed, side by side: *count times DIGEST_SIZE bytes, from
 * index view_old_size >> level on.
 */
const uint8_t *view_nodes(const struct view *view, unsigned level, size_t *count);

#endif
