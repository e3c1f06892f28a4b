/*
 * leaf_clock - which time a leaf gets, and whether the wall clock is to be believed.
 *
 * Leaf times never go backward: below the log's last one the last one stands (design §11). A clock
 * that jumps forward by more than LEAF_CLOCK_JUMP_S against the monotonic clock is not adopted,
 * because it could never be taken back: leaves go on by the monotonic clock until two peers' fresh
 * times, of two institutions within LEAF_CLOCK_TWO_S, or the operator agree with the new one: no
 * peer alone can carry a node's log into the future. A process that starts has no monotonic clock
 * to hold against: it begins from the last leaf and the last quorum of witnesses, and a log that
 * was witnessed before waits for its witnesses to agree when more than that has passed meanwhile. A
 * log that never was takes the wall clock as it finds it.
 *
 * What it is measured by moves only when somebody agrees or once a day (LEAF_CLOCK_RENEW_S): small
 * steps do not add up to a jump. While in doubt ordinary traffic waits (relay/clock_doubt).
 */
#ifndef STORE_LEAF_CLOCK_H
#define STORE_LEAF_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Behind the last leaf by no more than this is an alarm and nothing else. */
#define LEAF_CLOCK_BEHIND_S 5
#define LEAF_CLOCK_JUMP_S 600
/* A peer's time agrees with ours within this. */
#define LEAF_CLOCK_AGREE_S 120
#define LEAF_CLOCK_RENEW_S 86400
/* Two that agree are counted together within this. */
#define LEAF_CLOCK_TWO_S 600
#define LEAF_CLOCK_NAME_SIZE 256

enum leaf_clock_state {
    LEAF_CLOCK_FINE,
    LEAF_CLOCK_CLAMPED, /* behind the last leaf by LEAF_CLOCK_BEHIND_S at most: all goes on */
    LEAF_CLOCK_BEHIND,  /* by more: ordinary traffic waits until the clock has caught up */
    LEAF_CLOCK_JUMPED,  /* ordinary traffic waits until somebody agrees */
};

struct leaf_clock_facts {
    int64_t wall_s;
    int64_t monotonic_s;
    int64_t last_leaf_s; /* 0: an empty log */
    /* The pair adopted last: then the wall clock was believed. */
    int64_t adopted_wall_s;
    int64_t adopted_monotonic_s;
    int64_t heard_s;   /* what two peers' clocks have just said; 0: nobody, or one alone */
    bool is_confirmed; /* by the operator, just now */
};

struct leaf_clock_verdict {
    enum leaf_clock_state state;
    int64_t leaf_s;  /* the time of a leaf made now */
    int64_t now_s;   /* by which messages are judged: the wall clock's, or what should be */
    int64_t apart_s; /* behind the last leaf, or ahead of what should be; 0: fine */
    bool is_adopted; /* the pair at hand is the one to measure by from here on */
};

/* Pure. */
void leaf_clock_judge(const struct leaf_clock_facts *facts, struct leaf_clock_verdict *verdict);

/*
 * The same with its memory, over the real clocks. A change is one line in the log: clock.behind,
 * clock.jumped, clock.fine. Any thread after leaf_clock_begin.
 */
struct leaf_clock {
    pthread_mutex_t lock;
    int64_t last_leaf_s;
    int64_t adopted_wall_s;
    int64_t adopted_monotonic_s;
    enum leaf_clock_state said;
    /* Who agreed last, and what both clocks were then. */
    char agreed_by[LEAF_CLOCK_NAME_SIZE];
    int64_t agreed_wall_s;
    int64_t agreed_monotonic_s;
};

/* last_leaf_s: 0 for an empty log. witnessed_s: the last quorum's time; 0: never witnessed. */
void leaf_clock_begin(struct leaf_clock *clock, int64_t last_leaf_s, int64_t witnessed_s);
void leaf_clock_end(struct leaf_clock *clock);

void leaf_clock_look(struct leaf_clock *clock, struct leaf_clock_verdict *verdict);
/* Leaves with this time are durable. */
void leaf_clock_used(struct leaf_clock *clock, int64_t leaf_s);
/* A peer signed this time just now, or its proven leaf bears it: what its log and its witness are
 * called tells the institution ("gw.ssc/witness"). */
void leaf_clock_hear(struct leaf_clock *clock, const char *name, int64_t heard_s);
/* The operator says that the wall clock is right. One that is behind has to catch up all the same.
 */
void leaf_clock_confirm(struct leaf_clock *clock);

/* Does ordinary traffic wait? */
static inline bool leaf_clock_is_doubted(enum leaf_clock_state state)
{
    return state == LEAF_CLOCK_BEHIND || state == LEAF_CLOCK_JUMPED;
}

#endif
