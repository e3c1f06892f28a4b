/*
 * lag - how far the witnesses are behind our log, and what follows from it. Pure.
 *
 * The log is behind since its oldest leaf that is under no quorum; and a log where nothing happens,
 * since its last quorum should have been renewed.
 */
#ifndef RELAY_LAG_H
#define RELAY_LAG_H

#include <stdbool.h>
#include <stdint.h>

struct lag_facts {
    int64_t now_s;
    uint64_t size;           /* of the log */
    uint64_t witnessed_size; /* of the newest checkpoint with a quorum; 0: none */
    int64_t quorum_s;        /* when that was */
    int64_t open_leaf_s;     /* time of the first leaf past it, when there is one */
    int64_t refresh_s;       /* how often a quorum is renewed when nothing happens */
};

struct lag_limits {
    int64_t loud_s;
    int64_t stop_s; /* 0: never */
};

enum lag_state {
    LAG_FINE,
    LAG_LOUD,
    LAG_STOPPED, /* ordinary traffic waits; urgent never does */
};

/* 0: nothing waits for a witness. Clocks that go backward make no lag. */
int64_t lag_of(const struct lag_facts *facts);
enum lag_state lag_judge(int64_t lag_s, const struct lag_limits *limits);

#endif
