/*
 * cosigner - one witness of our log: what it is asked, and what it answered.
 *
 * A peer node is asked over its connection (AddCheckpoint), any other witness over plain HTTP on
 * this machine; the bytes are the same. One question is out at a time; its answer is checked before
 * a byte of it is kept. Belongs to the thread of relay/gather; the answer comes to its inbox.
 */
#ifndef RELAY_COSIGNER_H
#define RELAY_COSIGNER_H

#include "base/inbox.h"
#include "http/http_loop.h"
#include "rpc/channel.h"
#include "tlog/add_checkpoint.h"
#include "tlog/policy.h"

struct commit_point;
struct cq;
struct node;

#define COSIGNER_TIMEOUT_MS 3000

struct cosigner {
    struct inbox_item item; /* first: an answer on its way to the gatherer */
    struct channel_user channel_user;
    struct http_user http_user;
    const struct node *node;
    const struct policy_witness *witness;
    struct inbox *inbox;     /* the gatherer's */
    struct channel *channel; /* NULL: by url */
    char address[128];       /* of that channel, as the directory had it */
    struct cq *cq;
    struct http_loop *http;
    struct witness_url url;
    bool is_out;
    bool is_failing;
    uint64_t known; /* size of our last checkpoint that it has */
    uint64_t asked; /* size of the one that is out */
    unsigned tries; /* in this round */
    /* The answer, made by its thread before it goes to the inbox. */
    enum rc rc;
    enum witness_status status;
    uint64_t size;
    struct buffer answer;
    /* What came of it. */
    uint64_t cosigned; /* size; 0: nothing yet */
    uint64_t time_s;
    struct buffer line;
};

/*
 * By a channel of its own while the directory has a node with this witness key, else by the url
 * that the policy gives.
 */
void cosigner_init(struct cosigner *cosigner, const struct node *node,
                   const struct policy_witness *witness, struct http_loop *http,
                   struct inbox *inbox);
/* Nothing may be out. */
void cosigner_release(struct cosigner *cosigner);

/*
 * Sends it this checkpoint with the proof from what it knows. False when it cannot be asked now
 * (no way, too many); then no answer comes.
 */
bool cosigner_ask(struct cosigner *cosigner, struct commit_point *point);

enum cosigner_news {
    COSIGNER_SIGNED,  /* line, cosigned and time_s are set */
    COSIGNER_BEHIND,  /* it knows another size: ask again */
    COSIGNER_AGAINST, /* it says that our log was larger, or another: new since it last signed */
    COSIGNER_REFUSED, /* everything else; logged once until it changes */
};

/* Gatherer's thread, with the answer: `text` are the three lines that were asked about. */
enum cosigner_news cosigner_take(struct cosigner *cosigner, struct bytes text, uint64_t own_size);

#endif
