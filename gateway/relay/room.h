/*
 * room - the disk's room that is kept for urgent messages: below the floor and this reserve,
 * ordinary ones wait.
 *
 * The floor itself, below which nothing is written at all, is the store's (store/db.h).
 * room_look: one thread; the rest any.
 */
#ifndef RELAY_ROOM_H
#define RELAY_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

struct room;

/* The folder of the store, copied. NULL when out of memory. */
struct room *room_new(const char *path, uint64_t floor_bytes, uint64_t reserve_bytes);
void room_free(struct room *room);
OWN_PTR_DEFINE(room)

/* Looks at the disk; says so once when it gets low, and once when it has room again. */
void room_look(struct room *room);
/* NULL is never low. */
bool room_is_low(const struct room *room);
/* May an ordinary message be taken now? RC_UNAVAILABLE "disk.reserved". */
MUST_CHECK enum rc room_admit(const struct room *room, struct fault *fault);

#endif
