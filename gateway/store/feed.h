/*
 * feed - what changed in `log/`, commit by commit, for a follower on another disk (copy.h).
 *
 *     change  u64 sequence -> the commit's changes (change.h), in the order of tables and keys
 *     format  "feed"       -> id[16], drawn when following begins
 *
 * Written in the commit itself, so the changes of a commit are there exactly when the commit is;
 * only where db_options.is_followed. A node that ran without it has another id from then on, and
 * its follower begins again. Kept until the follower has confirmed them, FEED_COMMITS_MAX commits
 * at most; the last one always, for its number.
 *
 * A follower that begins walks through the tables, the log first, page by page in transactions of
 * their own, and then reads the changes since the walk began: a row that changed meanwhile comes
 * again, so in the end it has all, and from then on each page ends at a commit.
 */
#ifndef STORE_FEED_H
#define STORE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct db;
struct txn;

#define FEED_ID_SIZE 16
#define FEED_COMMITS_MAX 131072
/* What a page stops growing at; one commit is never cut. */
#define FEED_PAGE_SOFT ((size_t)1 << 20)
/* u8 n ‖ name ‖ key */
#define FEED_WALK_MAX 544

/* How far a follower is. */
struct feed_position {
    bool has_feed; /* false: it begins */
    uint8_t feed[FEED_ID_SIZE];
    uint64_t next;     /* commit to read next, once the walk is over */
    struct bytes walk; /* the last row that it walked over; empty: the walk is over */
};

struct feed_page {
    uint8_t feed[FEED_ID_SIZE];
    uint64_t next;
    struct buffer walk;
    struct buffer rows;
    bool is_complete; /* nothing was left to read */
};
void feed_page_release(struct feed_page *page);

/*
 * RC_NOT_FOUND: there is no such feed, or not so far back: begin again. RC_FAILED_PRECONDITION:
 * nothing is kept for followers. RC_INVALID_ARGUMENT: no such place. RC_DATA_LOSS.
 */
MUST_CHECK enum rc feed_read(struct db *db, const struct feed_position *from,
                             struct feed_page *page);

/* For txn.c: into the transaction what it changed; frees old ones. */
MUST_CHECK enum rc feed_record(struct txn *txn, struct bytes touched);
/* For table.c: one more row, appended to what feed_record is given. */
void feed_touch(struct buffer *touched, unsigned table, struct bytes key);
/* Whether rows of this name of table `format` are the node's, and not of this machine alone. */
bool feed_is_shared_fact(struct bytes name);

#endif
