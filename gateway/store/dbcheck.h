/*
 * dbcheck - reads all of a store whose node is down, and says where it is damaged.
 *
 * LMDB trusts its pages: a damaged one may end the process that reads it. So whoever calls this is
 * a child that its parent watches (enlaced/store_check), and the progress, in memory that both see,
 * names the place whatever happens. Blocking; one caller.
 */
#ifndef STORE_DBCHECK_H
#define STORE_DBCHECK_H

#include <stdint.h>

#include "base/rc.h"

struct db;
struct vault;
struct vkey;

#define DBCHECK_KEY_MAX 16

/* Where it is now. Written by the one that reads, read by the parent when that one is gone. */
struct dbcheck_progress {
    char step[48];                /* "table commit", "commit" */
    uint64_t rows;                /* read, in all steps */
    uint8_t key[DBCHECK_KEY_MAX]; /* of the last row that was read: its first bytes */
    size_t key_size;
    uint64_t leaves;  /* proven */
    uint64_t bodies;  /* opened */
    uint64_t minimum; /* records below it were pruned; 0: none */
};

/*
 * Every row of every table: keys ascend, there are as many as the table says, and each byte can be
 * read. RC_DATA_LOSS, logged with table and row.
 */
MUST_CHECK enum rc dbcheck_rows(struct db *db, struct dbcheck_progress *progress);

/*
 * The log's content: the commits follow each other; each leaf has its form, its place, its time and
 * its hash in the tree; each node is that of its children and each root that of its leaves; each
 * record is the one its leaf commits to; each note is signed, of its size and root; each body opens
 * with the keys beside it (what was erased does not count). Records below the minimum index of a
 * pruned log may be missing (pruning.h). RC_DATA_LOSS, logged with size or
 * index.
 */
MUST_CHECK enum rc dbcheck_log(struct db *db, const struct vkey *vkey, struct vault *vault,
                               struct dbcheck_progress *progress);

/*
 * What was witnessed: each note of a log whose key is among these is signed by it, of the row's
 * size and root. RC_DATA_LOSS, logged.
 */
MUST_CHECK enum rc dbcheck_seen(struct db *db, const struct vkey *vkeys, size_t count,
                                struct dbcheck_progress *progress);

#endif
