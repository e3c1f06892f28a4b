/*
 * lineage - all streams of a peer must show one log: each checkpoint is proven to be on the line
 * that `seen` keeps of it before anything that came under it is used.
 *
 * Within a stream each checkpoint extends the one before (relay/chain). Streams of one peer cross,
 * so that is not enough: where `seen` cannot tell, the peer is asked, on the same stream, for the
 * proof between its checkpoint and the newest of the line. Honest peers answer; for two histories
 * there is no such proof, and both roots are logged.
 *
 *     queue thread: lineage_enter --> seen thread --> on_passed, in the order of entering
 *                                         | not proven: on_doubt --> queue thread: lineage_ask
 *     queue thread: lineage_answer (the peer's proof) --> seen thread again
 *
 * After a failure nothing of the stream passes any more. A lineage lives in its stream's user; each
 * step holds the stream until on_passed.
 */
#ifndef RELAY_LINEAGE_H
#define RELAY_LINEAGE_H

#include <pthread.h>
#include <stdbool.h>

#include "store/seen.h"

struct lineage;
struct line;
struct node;
struct stream;

enum lineage_state {
    LINEAGE_LOOKING, /* with the seen thread */
    LINEAGE_DOUBTED, /* on the way to the queue thread */
    LINEAGE_ASKED,
    LINEAGE_OVER,
};

/* In whatever came under the checkpoint. */
struct lineage_step {
    struct seen_write seen; /* first */
    struct lineage_step *next;
    struct lineage *lineage;
    struct checkpoint checkpoint;
    enum lineage_state state;
    unsigned asked;
    enum rc rc;
    /* Once, on any thread: hands over. RC_OK, or why nothing of it may be used. */
    void (*on_passed)(struct lineage_step *step);
    /* On the seen thread: brings the step to its queue thread, which calls lineage_ask. */
    void (*on_doubt)(struct lineage_step *step);
};

struct lineage {
    struct seen *seen;
    pthread_mutex_t lock;
    struct lineage_step *first; /* not passed yet, oldest first */
    struct lineage_step *last;
    enum rc rc; /* the stream's first failure */
    bool is_closed;
};

void lineage_init(struct lineage *lineage, struct seen *seen);
/* When the stream is gone. */
void lineage_release(struct lineage *lineage);

/* Queue thread. `proven` is the checkpoint that the step's extends: where the chain stood before.
 */
void lineage_enter(struct lineage *lineage, struct lineage_step *step,
                   const struct checkpoint *proven, struct bytes note);
/* Queue thread: the step came by on_doubt, not by on_passed. */
bool lineage_is_doubted(const struct lineage_step *step);
/* Queue thread: puts the question to the peer; when it cannot be put (there is no stream: NULL),
 * on_passed tells. */
void lineage_ask(struct lineage_step *step, struct stream *stream, bool is_request);
/*
 * Queue thread: the peer's answer. RC_INVALID_ARGUMENT: nobody asked this. A wrong proof fails its
 * step, which then tells.
 */
MUST_CHECK enum rc lineage_answer(struct lineage *lineage, const struct line *proof);
/* Queue thread: is there a question out? Then the stream must be read on. */
bool lineage_is_asking(struct lineage *lineage);
/* Queue thread, when the stream closed: no answer will come. */
void lineage_close(struct lineage *lineage);

/* The other side: sends the proof of our own log that a peer asks for. RC_OUT_OF_RANGE: no such
 * sizes. */
MUST_CHECK enum rc lineage_prove(const struct node *node, const struct line *question,
                                 struct stream *stream, bool is_request);

#endif
