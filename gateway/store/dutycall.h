/*
 * dutycall - "somebody must be woken": a durable row for each reason, put in the transaction of its
 * cause, until a named official answers for it.
 *
 *     duty   u8 0 open, 1 over | u8 kind | member | 0 | exchange[16] | u32 item | clock | 0
 *            | u8 percent                                                  ->  the row
 *
 * What is put twice is one call: whoever derives the same reason again (after a restart, or from
 * the other side) gets RC_ALREADY_EXISTS, also when the first is over; only a clock that runs out
 * at another instant than the one that is over (it was reopened) is a new call. relay/duty looks at
 * the open rows and tells the officials on duty one after the other, and then the next institution
 * of the route's ladder; rows that are open are found after any restart.
 *
 * All calls inside a transaction: those that put are the writer's. Instants are UTC milliseconds.
 */
#ifndef STORE_DUTYCALL_H
#define STORE_DUTYCALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/message.h"

struct txn;

enum dutycall_kind {
    DUTYCALL_CLOCK = 1,   /* a clock of the law is at `percent` */
    DUTYCALL_UNDELIVERED, /* an urgent message that nobody takes */
    DUTYCALL_BUDGET,      /* a member's urgent budget is at `percent` */
    DUTYCALL_DISK,        /* too little room: ordinary traffic is stopped */
    DUTYCALL_REVIEW,      /* something was waived for an urgent message: looked at within a day */
    DUTYCALL_RELAYED,     /* another institution's, whose officials stayed silent */
    DUTYCALL_KINDS
};

enum dutycall_state {
    DUTYCALL_WAITING = 1, /* nobody was told yet */
    DUTYCALL_TOLD,        /* the told-th official was, at told_at_ms */
    DUTYCALL_MOVED,       /* to the institution moved_to; open until somebody answers for it */
    DUTYCALL_ANSWERED,    /* over: `actor` acknowledged it at over_at_ms */
    DUTYCALL_ENDED,       /* over: its cause went away before */
    DUTYCALL_STATES
};

#define DUTYCALL_CLOCK_SIZE 16
#define DUTYCALL_URI_SIZE 160

/* Zeroed before it is filled; what a kind does not need stays zero. */
struct dutycall_key {
    enum dutycall_kind kind;
    char member[CODE_SIZE]; /* whose officials are woken; hosted here */
    struct id exchange;     /* of the caller's choice where there is none: an hour, a token */
    uint32_t item;          /* 0: the exchange as a whole */
    char clock[DUTYCALL_CLOCK_SIZE]; /* "F1" */
    uint8_t percent;
};

struct dutycall {
    struct dutycall_key key;
    uint64_t number;         /* by which officials name it; never used twice in this store */
    char route[CODE_SIZE];   /* whose ladder it climbs; "": none */
    char because[CODE_SIZE]; /* the institution that is late, which it does not climb to; or "" */
    enum urgency urgency;
    int64_t due_ms;     /* when what is owed runs out; 0: no such instant */
    int64_t made_at_ms; /* as the caller had it */
    int64_t wake_at_ms; /* nobody is told before */
    enum dutycall_state state;
    uint32_t told;                 /* officials told so far */
    uint32_t attempts;             /* of the alert under way that came to nothing */
    int64_t told_at_ms;            /* the last one */
    char actor[DUTYCALL_URI_SIZE]; /* told last, or who answered for it */
    char moved_to[CODE_SIZE];
    int64_t over_at_ms;
    bool is_misuse; /* a review found: this was not urgent */
};

/*
 * A new call, WAITING: fills number and state, the rest of `call` is the caller's.
 * RC_ALREADY_EXISTS: there was one with this key; nothing changes. Asserts the bounds.
 */
MUST_CHECK enum rc dutycall_put(struct txn *txn, struct dutycall *call);
/* The cause went away: ends it, when it is open. RC_NOT_FOUND: no open call of this key. */
MUST_CHECK enum rc dutycall_end(struct txn *txn, const struct dutycall_key *key, int64_t now_ms);
/* A step of a call that is there; one whose state is an end moves to those that are over. */
MUST_CHECK enum rc dutycall_update(struct txn *txn, const struct dutycall *call);

/* Open or over. RC_NOT_FOUND; RC_DATA_LOSS, logged. */
MUST_CHECK enum rc dutycall_get(struct txn *txn, const struct dutycall_key *key,
                                struct dutycall *call);
/* By its number, open or over: looks at all rows. RC_NOT_FOUND. */
MUST_CHECK enum rc dutycall_find(struct txn *txn, uint64_t number, struct dutycall *call);
/* The first call past a key (NULL to begin), open or over. RC_NOT_FOUND at the end. */
MUST_CHECK enum rc dutycall_next(struct txn *txn, bool is_over, const struct dutycall_key *after,
                                 struct dutycall *call);
bool dutycall_is_over(enum dutycall_state state);

#endif
