/*
 * copy - a follower's copy of a node's log on another disk, fed page by page (feed.h).
 *
 *     FOLDER/log/       the same tables with the same rows, as LMDB; each page is one commit
 *     FOLDER/manifest   while the copy is whole: then the folder is a backup of the log (archive.h)
 *     format "copy"     u8 1 | feed[16] | u64 next | u8 is_whole | u64 absent | chunk walk
 *
 * Ciphertext and wrapped keys alone: what opens them is in the node's vault, which no follower has.
 * What the node erases disappears here, too, and what it wraps again is wrapped again here.
 *
 * It believes nothing: each commit must follow the one before, its nodes and root must be those of
 * its leaves, its records those that the leaves commit to, its notes signed by the log's key, and a
 * commit that is held already never changes nor disappears, but for records that the log's own
 * retention leaf gave up (pruning.h): all that is absent must lie below it by the time the copy is
 * up to date. What does not pass leaves no trace, and
 * the copy stays as it was. Blocking; one owner at a time.
 */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "store/feed.h"

struct copy;
struct vkey;

struct copy_options {
    const char *folder;      /* made when it is not there, its parent must be */
    const struct vkey *vkey; /* of the log; its name is the origin */
    uint32_t epoch;          /* as the node counts it */
    uint64_t map_size;       /* as db_options */
    uint64_t floor_bytes;
};

/* As db_open. RC_DATA_LOSS: what the copy holds contradicts itself. Logged. */
MUST_CHECK enum rc copy_open(const struct copy_options *options, struct copy **copy);
void copy_free(struct copy *copy);
OWN_PTR_DEFINE(copy)

/* Borrowed until the next call. */
const struct feed_position *copy_position(const struct copy *copy);
/* Leaves that it holds. */
uint64_t copy_size(const struct copy *copy);
/* It was up to date at least once since it began: what it holds is one moment of the node. */
bool copy_is_whole(const struct copy *copy);

/* As it came from the node. */
struct copy_page {
    uint8_t feed[FEED_ID_SIZE];
    uint64_t next;
    struct bytes walk;
    struct bytes rows;
    bool is_complete;
    struct bytes checkpoint; /* the node's newest: signed, of no fewer leaves than the copy has */
};

/*
 * Durable when RC_OK. RC_ABORTED: the node's log is older than the copy, or is another one: the
 * copy is now worth more than the node. RC_INVALID_ARGUMENT: no page, or one that does not verify.
 * RC_UNAVAILABLE: the disk. Each logged; whatever is not RC_OK changed nothing.
 */
MUST_CHECK enum rc copy_take(struct copy *copy, const struct copy_page *page);
/* The node does not know this place of its feed any more: the next page begins a walk. */
void copy_begin_again(struct copy *copy);

#endif
