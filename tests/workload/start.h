/*
 * start - seed and first instant of a workload, kept in a file from its first run on.
 *
 *     enlace-w2019 v1
 *     seed 2019
 *     start_ms 1795000000000
 *
 * So every later run in the same place makes the same messages with the same ids.
 */
#ifndef WORKLOAD_START_H
#define WORKLOAD_START_H

#include <stdint.h>

#include "base/rc.h"

struct start {
    uint64_t seed;
    int64_t start_ms;
};

/* Reads it, or, when there is no such file, writes `seed` and now, durably. RC_DATA_LOSS when it
 * cannot be read, RC_UNAVAILABLE when it cannot be written. */
MUST_CHECK enum rc start_remember(const char *path, uint64_t seed, struct start *start);

#endif
