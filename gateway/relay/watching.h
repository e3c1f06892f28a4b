/*
 * watching - a question of service Watch on its way: asked on a queue's thread, looked up in the
 * reading room, answered on the queue's thread again.
 */
#ifndef RELAY_WATCHING_H
#define RELAY_WATCHING_H

#include "base/bytes.h"
#include "base/worker.h"
#include "model/directory.h"
#include "rpc/codec_watch.h"

struct arena;
struct call;
struct node;

/* In the call's arena. */
struct watching {
    struct chore chore; /* first: the reading room's */
    struct node *node;
    struct call *call;
    struct arena *arena;   /* the call's */
    struct arena *scratch; /* of the look-up */
    struct identity caller;
    char member[CODE_SIZE]; /* whose exchanges */
    struct watch_request request;
    struct redeliver again;
    struct buffer response;
    struct fault fault;
    /* Reading room: fills the response, or the fault. */
    enum rc (*look)(struct watching *watching);
};

/* Who asks, and whether this node hosts the member. NULL: it was answered already. */
struct watching *watching_begin(struct node *node, struct call *call);
/* Hands over to the reading room; the call is answered from there on. */
void watching_ask(struct watching *watching, enum rc (*look)(struct watching *watching));
/* Answers with the fault. */
void watching_refuse(struct watching *watching, enum rc rc);
/* Another member than the caller's own: for coordinators, of those hosted here. */
MUST_CHECK enum rc watching_of(struct watching *watching, const char *member);
/* What is about to be shown. */
MUST_CHECK enum rc watching_count(struct watching *watching, size_t rows);

#endif
