/*
 * duty - a reason to wake somebody, and what an official answers: plain structs and their words.
 *
 * Kept by store/dutycall, told by relay/waker, shown and answered through service Duty
 * (proto/enlace/v1/duty.proto).
 */
#ifndef MODEL_DUTY_H
#define MODEL_DUTY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "model/directory.h"
#include "model/id.h"
#include "model/message.h"

/* The wire's values (enlace.v1.DutyKind, DutyState, DutyOutcome). */
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

bool dutycall_is_over(enum dutycall_state state);
/* "clock", "told": for logs, records and JSON. Never NULL. */
const char *dutycall_kind_name(enum dutycall_kind kind);
const char *dutycall_state_name(enum dutycall_state state);

/* What an official says of a call. */
enum duty_outcome {
    DUTY_ATTENDED = 1, /* I take it */
    DUTY_JUSTIFIED,    /* a review: it was urgent */
    DUTY_MISUSE,       /* a review: it was not */
    DUTY_OUTCOMES
};

/* Serialised once by who makes it, and signed as an act over its digest (tlog/commit). */
struct duty_answer {
    const char *member;
    uint64_t number;
    struct id reference; /* of the call as it was listed: a number alone may be mistaken */
    enum duty_outcome outcome;
    int64_t created_at_ms;
};

struct duty_answer_signed {
    struct bytes bytes; /* as it was signed */
    struct duty_answer answer;
    struct signature signature;
};

/* How a member used urgency on one day (UTC). */
struct urgency_day {
    int32_t day;
    uint32_t messages; /* urgent ones accepted from it */
    uint64_t bytes;
    uint32_t refused; /* beyond its budget */
    uint32_t waived;  /* let through without something that ordinary ones need */
    uint32_t misused; /* a named official found that it was not urgent */
};

#endif
