/*
 * node - the long-lived parts of one running node, passed down, never global.
 *
 * Made by enlaced before the first thread takes work and constant afterwards; each part says in
 * its own header which threads may use it.
 */
#ifndef RELAY_NODE_H
#define RELAY_NODE_H

#include "model/directory.h"
#include "relay/urgency.h"
#include "rpc/server.h"
#include "store/leaf_clock.h"
#include "tlog/vkey.h"

struct anchor;
struct authorities;
struct annexes;
struct backlog;
struct budget;
struct cert_store;
struct couriers;
struct cq_pool;
struct db;
struct desk;
struct epochs;
struct eraser;
struct files;
struct gather;
struct inforce;
struct index;
struct indexer;
struct keyring;
struct lawfetch;
struct links;
struct meters;
struct parcels;
struct policy;
struct postings;
struct reading_rate;
struct refusals;
struct replay;
struct room;
struct seen;
struct succession;
struct tagkeys;
struct vault;
struct waker;
struct worker;
struct writer;

struct node {
    struct rpc_service service;    /* first: handlers get the node back */
    struct inforce *inforce;       /* the directory: an edition is taken for each judgement */
    struct lawfetch *fetch;        /* newer texts of peers; the law keeper's */
    const struct node_entry *self; /* as the directory had it at the start */
    const struct cert_store *ca;
    struct cq_pool *pool;      /* calls and streams that come in */
    struct cq_pool *link_pool; /* to peers: a parcel of 256 keeps no caller waiting */
    struct db *db;
    struct seen *seen;
    struct writer *writer;
    struct anchor *anchor; /* no checkpoint goes to a peer before it holds it */
    struct vault *vault;
    struct tagkeys *tagkeys;
    struct files *files;
    struct index *index;         /* what the log is looked up by; disposable */
    struct indexer *indexer;     /* its thread */
    struct postings *postings;   /* what it need not read back */
    struct worker *reading_room; /* pages of service Audit: the disk keeps no queue waiting */
    struct reading_rate *reading_rate;
    struct keyring *log_key;
    struct vkey log_vkey;
    struct keyring *witness_key;         /* NULL: this node cosigns nothing */
    struct vkey witness_vkey;            /* whose name it signs with */
    const struct policy *witnessed_logs; /* logs beyond the directory's that it cosigns; or NULL */
    struct gather *gather;               /* cosignatures of our own log; NULL: no policy is set */
    const struct authorities *authorities; /* the operator's list; none: the directory's */
    const struct succession *succession;   /* by which our log began; NULL: it is the first */
    struct bytes succession_note;          /* as it was signed; empty likewise */
    struct epochs *epochs;                 /* which log speaks for each peer */
    struct replay *replay;                 /* brings back what the peers hold for us */
    struct backlog *backlog;   /* what waits for each destination; the writer thread's */
    struct desk *desk;         /* deliveries to attached systems */
    struct links *links;       /* streams to peer nodes */
    struct refusals *refusals; /* how many of them become leaves */
    struct budget *budget;     /* streams, calls and bytes under way, per identity */
    struct annexes *annexes;   /* attachments: their disk's thread and their places */
    struct couriers *couriers; /* attachments owed to peer nodes */
    struct eraser *eraser;     /* carries out erasures */
    struct meters *meters;     /* what is counted for those who look after it */
    struct parcels *parcels;   /* what goes and comes as files */
    struct waker *waker;       /* wakes somebody; NULL before it is started */
    struct room *room;         /* of the disk, for urgent messages */
    struct urgency_limits urgency;
    /* On the scheduler's thread, when what is said of our clock has changed. May be NULL. */
    void (*on_clock)(struct node *node, enum leaf_clock_state state);
    int64_t blocking_ms;  /* how long what is to be erased stays blocked */
    int64_t prune_ms;     /* audit records older than this go by themselves; 0: none do */
    const char *follower; /* the identity that may copy the log; NULL: nobody */
    /* For connections to peers. */
    const char *certificate_file;
    const char *key_file;
    const char *ca_file;
};

#endif
