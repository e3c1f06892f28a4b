/*
 * tree - the rows that hold the log's tree: hashes, right edge, a root for each commit.
 *
 *     hash        u8 level (0, 4, 8, ...) | u64 chunk  ->  1..16 hashes of 32 bytes
 *     edge        u8 0  ->  compact range (tlog/frontier.h) | u64 last time | u64 minimum index
 *     checkpoint  u64 size  ->  root[32] | signed note, or nothing while it is unsigned
 *
 * Complete nodes never change, so a memo of them outlives transactions.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "tlog/frontier.h"
#include "tlog/proof.h"

struct txn;
struct view;

struct tree_edge {
    struct frontier frontier;
    uint64_t last_time_s;
    uint64_t minimum_index; /* leaves below were removed after their term */
};

/* The empty tree when there is no row yet. RC_DATA_LOSS. */
MUST_CHECK enum rc tree_edge_get(struct txn *txn, struct tree_edge *edge);

/* Adds what the view appended: hash rows, edge, and the commit's row with its root, unsigned. */
MUST_CHECK enum rc tree_put(struct txn *txn, const struct view *view, uint64_t last_time_s,
                            uint64_t minimum_index);

/* Borrowed from the transaction; note.size is 0 while it is unsigned. */
struct tree_commit {
    uint64_t size;
    const uint8_t *root;
    struct bytes note;
};

/* The commit of exactly this size, the first past an index, the newest. RC_NOT_FOUND. */
MUST_CHECK enum rc tree_commit_get(struct txn *txn, uint64_t size, struct tree_commit *commit);
MUST_CHECK enum rc tree_commit_past(struct txn *txn, uint64_t index, struct tree_commit *commit);
MUST_CHECK enum rc tree_commit_last(struct txn *txn, struct tree_commit *commit);
/* Writes the note into a commit's row. */
MUST_CHECK enum rc tree_commit_sign(struct txn *txn, uint64_t size, const uint8_t root[DIGEST_SIZE],
                                    struct bytes note);

/* Level b of a row, and the three levels that fold out of it. */
#define TREE_ROW_NODES 30
#define TREE_MEMO_ROWS 128

struct tree_row {
    bool is_used;
    unsigned level;
    uint64_t chunk;
    size_t count; /* hashes of the row itself */
    uint8_t nodes[TREE_ROW_NODES][DIGEST_SIZE];
};

struct tree_memo {
    struct tree_row rows[TREE_MEMO_ROWS];
};

/* Complete nodes from the rows of one transaction. */
struct tree_source {
    struct node_source source; /* first */
    struct txn *txn;
    struct tree_memo *memo;
};

struct tree_source tree_source(struct txn *txn, struct tree_memo *memo);
MUST_CHECK enum rc tree_root(struct tree_source *source, uint64_t size, uint8_t root[DIGEST_SIZE]);

#endif
