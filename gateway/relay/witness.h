/*
 * witness - this node cosigns the checkpoints of other logs, and never those of its own house.
 *
 * C2SP tlog-witness: the log's signature and the proof from the last checkpoint are checked, then
 * `seen` compares and persists in one step, and only what is durable is signed:
 *
 *     any thread: witness_begin --> seen thread: compare, one fsync --done--> any thread:
 * witness_sign
 *
 * What streams of the same log have shown counts: there is one line of each log. Known logs are
 * those of the directory's nodes in force and those of the operator's own list.
 */
#ifndef RELAY_WITNESS_H
#define RELAY_WITNESS_H

#include "store/seen.h"
#include "tlog/add_checkpoint.h"

struct line;
struct node;

/* In whatever waits for the answer. */
struct witness_ask {
    struct seen_write seen; /* first */
    struct checkpoint offered;
    struct buffer note; /* as the log signed it, without other lines */
    enum witness_status status;
    uint64_t last_size; /* with WITNESS_CONFLICT */
    /* On the seen thread; only hands over. */
    void (*done)(struct witness_ask *ask);
};

void witness_ask_release(struct witness_ask *ask);

/*
 * Everything before `seen`. WITNESS_COSIGNED: so far; else that is the answer. `later` is the proof
 * between the offered checkpoint and a larger one of this log's line, for the node's own transport;
 * NULL: none, and the standard to the letter. The body is not needed afterwards.
 */
enum witness_status witness_prepare(const struct node *node, struct bytes body,
                                    const struct line *later, struct witness_ask *ask);
/* After WITNESS_COSIGNED: done will come, or the answer is here (the queue is full). */
enum witness_status witness_begin(const struct node *node, struct witness_ask *ask);
/* The same, and waits for the disk: not on a completion-queue thread. */
enum witness_status witness_put(const struct node *node, struct witness_ask *ask);

/* Appends our line for a checkpoint that `seen` holds, with the time of now. */
MUST_CHECK enum rc witness_sign(const struct node *node, const struct checkpoint *checkpoint,
                                struct buffer *line);
/*
 * Appends the last checkpoint of a log, with our line when this node cosigns; of our own log the
 * newest with a quorum. RC_NOT_FOUND. Any thread; reads the disk.
 */
MUST_CHECK enum rc witness_last(const struct node *node, const uint8_t origin_sha256[DIGEST_SIZE],
                                struct buffer *note);

#endif
