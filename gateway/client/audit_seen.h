/*
 * audit_seen - the newest checkpoint of a log that a reader saw: a log only grows.
 *
 * Each page of an answer comes under a checkpoint; it has to extend the one before, with a proof.
 * So a node that shows a shorter log, or another history under its own signature, is found out by
 * whoever reads twice, and both signed notes are the evidence. With a path the newest is kept there
 * as a signed note, from one reading to the next.
 *
 * One owner at a time.
 */
#ifndef CLIENT_AUDIT_SEEN_H
#define CLIENT_AUDIT_SEEN_H

#include "base/own.h"
#include "rpc/codec_service.h"
#include "tlog/checkpoint.h"

#define AUDIT_SEEN_PATH_MAX 512

struct vkey;

struct audit_seen {
    char path[AUDIT_SEEN_PATH_MAX]; /* "": kept in memory only */
    struct checkpoint last;         /* size 0: nothing was seen yet */
};

/*
 * What the file holds, when a log of these signed it; a log that is not among them is another
 * epoch's: nothing was seen yet. path NULL: memory only. RC_DATA_LOSS "seen.unreadable": the file
 * is not what was written.
 */
MUST_CHECK enum rc audit_seen_load(const char *path, const struct vkey *logs, size_t log_count,
                                   struct audit_seen *seen, struct fault *fault);
/* For requests; 0: none. seen NULL: 0. */
uint64_t audit_seen_size(const struct audit_seen *seen);

/*
 * The head, whose signature was verified, extends what was seen, and becomes it. RC_DATA_LOSS:
 * "audit.shorter" (fewer leaves than before), "audit.other_checkpoint" (another root at the same
 * size, or no proof that the larger tree begins with the smaller). seen NULL: nothing is compared.
 */
MUST_CHECK enum rc audit_seen_extend(struct audit_seen *seen, const struct checkpoint *head,
                                     struct bytes note, const struct path *consistency,
                                     struct fault *fault);

#endif
