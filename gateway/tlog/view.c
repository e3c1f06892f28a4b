#include "tlog/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/merkle.h"

#define BATCH_MAX ((size_t)65536)

struct view {
    size_t batch_max;
    uint64_t old_size;
    struct frontier old;
    struct frontier now;
    uint8_t root[DIGEST_SIZE];
    /* tail[l]: root of the leaves past the last complete node of level l; has_tail where any. */
    uint8_t tail[FRONTIER_LEVELS][DIGEST_SIZE];
    bool has_tail[FRONTIER_LEVELS];
    /*
     * The complete nodes that this view created: of level l those with indices from old >> l up to
     * now >> l, at nodes[start[l]].
     */
    size_t start[FRONTIER_LEVELS];
    uint8_t (*nodes)[DIGEST_SIZE];
};

struct view *view_new(size_t batch_max)
{
    struct view *view;
    size_t total = 0;

    assert(batch_max >= 1 && batch_max <= BATCH_MAX);
    view = calloc(1, sizeof *view);
    if (view == NULL) {
        return NULL;
    }
    view->batch_max = batch_max;
    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        view->start[level] = total;
        total += (batch_max >> (level < 17 ? level : 17)) + 1;
    }
    view->nodes = calloc(total, sizeof *view->nodes);
    if (view->nodes == NULL) {
        view_free(view);
        return NULL;
    }
    return view;
}

void view_free(struct view *view)
{
    if (view != NULL) {
        free(view->nodes);
        free(view);
    }
}

void view_begin(struct view *view, const struct frontier *old)
{
    view->old = *old;
    view->now = *old;
    view->old_size = old->size;
}

/* The place of node (level, index), which this view creates or created. */
static uint8_t *node_at(const struct view *view, unsigned level, uint64_t index)
{
    return view->nodes[view->start[level] + (size_t)(index - (view->old_size >> level))];
}

enum rc view_append(struct view *view, const uint8_t leaf_hash[DIGEST_SIZE])
{
    uint64_t index = view->now.size;
    const uint8_t *hash;
    unsigned level = 0;

    if (index - view->old_size >= view->batch_max) {
        return RC_RESOURCE_EXHAUSTED;
    }
    assert(index < FRONTIER_SIZE_MAX);
    hash = memcpy(node_at(view, 0, index), leaf_hash, DIGEST_SIZE);
    for (; (index >> level & 1) != 0; level++) {
        uint8_t *parent = node_at(view, level + 1, index >> (level + 1));

        merkle_node(view->now.edge[level], hash, parent);
        hash = parent;
    }
    memcpy(view->now.edge[level], hash, DIGEST_SIZE);
    view->now.size++;
    return RC_OK;
}

void view_end(struct view *view)
{
    const struct frontier *now = &view->now;
    const uint8_t *tail = NULL;

    for (unsigned level = 0; level < FRONTIER_LEVELS; level++) {
        view->has_tail[level] = tail != NULL;
        if (tail != NULL) {
            memcpy(view->tail[level], tail, DIGEST_SIZE);
            tail = view->tail[level];
        }
        if ((now->size >> level & 1) != 0) {
            if (tail == NULL) {
                memcpy(view->root, now->edge[level], DIGEST_SIZE);
            } else {
                merkle_node(now->edge[level], tail, view->root);
            }
            tail = view->root;
        }
    }
    if (tail == NULL) {
        merkle_empty(view->root);
    }
}

uint64_t view_old_size(const struct view *view)
{
    return view->old_size;
}

uint64_t view_size(const struct view *view)
{
    return view->now.size;
}

const struct frontier *view_frontier(const struct view *view)
{
    return &view->now;
}

const uint8_t *view_root(const struct view *view)
{
    return view->root;
}

/* The sibling of node (level, at), NULL where the node goes up alone. */
static const uint8_t *sibling(const struct view *view, unsigned level, uint64_t at)
{
    uint64_t complete = view->now.size >> level;

    if ((at & 1) != 0) {
        /* What lies left of the view's own nodes and has no partner yet is the old edge. */
        return at - 1 >= view->old_size >> level ? node_at(view, level, at - 1)
                                                 : view->old.edge[level];
    }
    if (at + 1 < complete) {
        return node_at(view, level, at + 1);
    }
    return at + 1 == complete && view->has_tail[level] ? view->tail[level] : NULL;
}

enum rc view_proof(const struct view *view, uint64_t index, struct proof *proof)
{
    uint64_t size = view->now.size;

    if (index < view->old_size || index >= size) {
        return RC_OUT_OF_RANGE;
    }
    proof->count = 0;
    for (unsigned level = 0; (size - 1) >> level != 0; level++) {
        const uint8_t *hash = sibling(view, level, index >> level);

        if (hash != NULL) {
            memcpy(proof->hashes[proof->count++], hash, DIGEST_SIZE);
        }
    }
    return RC_OK;
}

const uint8_t *view_nodes(const struct view *view, unsigned level, size_t *count)
{
    assert(level < FRONTIER_LEVELS);
    *count = (size_t)((view->now.size >> level) - (view->old_size >> level));
    return view->nodes[view->start[level]];
}
