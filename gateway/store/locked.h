/*
 * locked - memory for keys: not swapped out where the system allows it, in no core dump, wiped
 * before it is given back. Whole pages, zeroed; for a few long-lived blocks.
 */
#ifndef STORE_LOCKED_H
#define STORE_LOCKED_H

#include <stddef.h>
#include <stdint.h>

/* NULL when out of memory. What cannot be locked is logged once per call, and used. */
uint8_t *locked_new(size_t size);
void locked_free(uint8_t *memory, size_t size);

#endif
