/*
 * follower - asks a node for what changed, page by page, and has the copy take it.
 *
 * One thread. A page that is larger than a response is gathered first, FOLLOWER_PAGE_MAX at most;
 * nothing else grows. When the node is away, or the disk, it waits, longer each time, and goes on
 * where the copy is; what the node's side or the copy says about a contradiction is said each time.
 */
#ifndef ENLACE_FOLLOW_FOLLOWER_H
#define ENLACE_FOLLOW_FOLLOWER_H

#include <signal.h>
#include <stdint.h>

#include "base/bytes.h"

struct channel;
struct copy;

#define FOLLOWER_PAGE_MAX ((size_t)48 << 20)

struct follower {
    struct copy *copy;
    struct channel *channel;
    int64_t interval_ms; /* between two questions when there is nothing new */
    unsigned failures;
    char reason[48]; /* of the last failure that was said */
    struct buffer rows;
};

/* Until a signal of the set is pending; the set must be blocked. */
void follower_run(struct follower *follower, const sigset_t *until);

#endif
