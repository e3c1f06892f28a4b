/*
 * brackets - a log's checkpoints side by side: one tree must have had all their roots, and the
 * witnesses' times on them bracket the times of its leaves.
 *
 * A leaf below a checkpoint's size existed when witnesses signed it; one at or above it was added
 * later, as far as the checkpoint was fresh: the tolerance covers witnesses' lag and clocks. The
 * median of the cosignatures is taken, so that one clock ahead or behind accuses nobody.
 */
#ifndef OFFLINE_BRACKETS_H
#define OFFLINE_BRACKETS_H

#include "tlog/checkpoint.h"
#include "tlog/tiles.h"

struct log_check;
struct report;

#define BRACKETS_MAX 65536

struct bracket {
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
    uint64_t time_s; /* 0: no witness */
    uint64_t latest_before_s;
    uint64_t earliest_after_s; /* UINT64_MAX: none */
    char where[96];
};

struct brackets {
    struct bracket *items; /* ascending by size */
    size_t count;
    size_t capacity;
    size_t compared; /* those whose size the walk has reached */
    size_t below;    /* those at or below the leaf asked last */
};

/* The head's own, those in checkpoints/ and the remembered ones. Findings for those that do not
 * open, are larger than the head, or differ at its size. */
void brackets_gather(struct brackets *brackets, const struct log_check *check,
                     const struct checkpoint *head, const struct note *note, struct report *report);
void brackets_release(struct brackets *brackets);

/* Compares what the walk has reached with the roots of that size; call for each size from 0 on. */
void brackets_compare(struct brackets *brackets, const struct tile_edge *edge,
                      struct report *report);

enum brackets_verdict { BRACKETS_FINE, BRACKETS_EARLY, BRACKETS_LATE };

/* Ascending indices. The bound that was broken goes to *bound_s. */
enum brackets_verdict brackets_check(struct brackets *brackets, uint64_t index, uint64_t time_s,
                                     uint64_t tolerance_s, uint64_t *bound_s);
bool brackets_have_time(const struct brackets *brackets);

#endif
