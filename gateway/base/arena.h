/*
 * arena - memory with one lifetime: everything a call decodes or builds is freed with the call.
 *
 * Not thread-safe: an arena belongs to whoever owns its call. Bounded: past its maximum,
 * arena_alloc returns NULL and the call is refused.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/own.h"

struct arena;

/* NULL when out of memory. max in bytes. */
struct arena *arena_new(size_t max);
/* Wipes what it held (plaintext lives here), then frees. */
void arena_free(struct arena *arena);
OWN_PTR_DEFINE(arena)

/* Aligned for any type, zeroed; NULL past the maximum. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, struct bytes text);
/* On failure the copy has data NULL and size 0. */
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
size_t arena_used(const struct arena *arena);
/* Wipes and forgets all but the first block: for the next call of the same stream. */
void arena_reset(struct arena *arena);

#endif
