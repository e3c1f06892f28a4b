/*
 * leases - which deliveries are out with an attached stream, by the index of their leaf.
 *
 * In memory only: after a restart everything unpaid is delivered again. Any thread (one short
 * lock). Bounded by the windows of the attached streams.
 */
#ifndef RELAY_LEASES_H
#define RELAY_LEASES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct leases;

struct leases *leases_new(void);
void leases_free(struct leases *leases);
OWN_PTR_DEFINE(leases)

enum lease { LEASE_TAKEN, LEASE_OTHERS, LEASE_FULL };

/* Taken; another stream has it; or there is no room for one more. */
enum lease leases_take(struct leases *leases, uint64_t index);
/* Not acknowledged: it may be given again, as redelivered. */
void leases_return(struct leases *leases, uint64_t index);
/* Acknowledged. */
void leases_end(struct leases *leases, uint64_t index);
/* Is it out now? */
bool leases_is_out(struct leases *leases, uint64_t index);
/* Was it given before its present lease? */
bool leases_was_given(struct leases *leases, uint64_t index);

#endif
