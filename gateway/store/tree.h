/*
 * tree - the log's tree as the commits' rows hold it: right edge, nodes, a root and a note for each
 * commit.
 *
 *     commit      logrow.h
 *     checkpoint  u64 size  ->  signed note of the commit, where no later commit holds it
 *
 * A commit's note is signed when its row is on disk, and stored in the row of the next commit; the
 * last one of an orderly stop is stored apart. Complete nodes never change, so a memo of them
 * outlives transactions.
 */
#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/logrow.h"
#include "tlog/frontier.h"
#include "tlog/proof.h"

struct tree_edge {
    struct frontier frontier;
    uint64_t last_time_s;
};

/* Borrowed from the transaction; note.size is 0 while it is unsigned. */
struct tree_commit {
    uint64_t size;
    const uint8_t *root;
    struct bytes note;
};

/* The commit of exactly this size, the one that brought a leaf, the newest. RC_NOT_FOUND. */
MUST_CHECK enum rc tree_commit_get(struct txn *txn, uint64_t size, struct tree_commit *commit);
MUST_CHECK enum rc tree_commit_past(struct txn *txn, uint64_t index, struct tree_commit *commit);
MUST_CHECK enum rc tree_commit_last(struct txn *txn, struct tree_commit *commit);
/* Stores the note of the newest commit apart. */
MUST_CHECK enum rc tree_commit_sign(struct txn *txn, uint64_t size, struct bytes note);

#define TREE_MEMO_NODES 2048

struct tree_memo {
    struct tree_node {
        bool is_used;
        uint8_t level;
        uint8_t hash[DIGEST_SIZE];
        uint64_t index;
    } nodes[TREE_MEMO_NODES];
};

/* Complete nodes from the rows of one transaction. */
struct tree_source {
    struct node_source source; /* first */
    struct txn *txn;
    struct tree_memo *memo;
    struct logrow row; /* the last one that was read; size 0: none */
};

struct tree_source tree_source(struct txn *txn, struct tree_memo *memo);
/* The right edge and the root of the tree as it was at this size. RC_DATA_LOSS: a row is missing.
 */
MUST_CHECK enum rc tree_edge(struct tree_source *source, uint64_t size, struct frontier *edge);
MUST_CHECK enum rc tree_root(struct tree_source *source, uint64_t size, uint8_t root[DIGEST_SIZE]);

#endif
