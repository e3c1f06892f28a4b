/*
 * clock_doubt - what follows when this machine's clock is in doubt (store/leaf_clock).
 *
 * Ordinary messages wait, urgent ones go on and say so in their record ("waived:clock.doubt"). Both
 * are judged by the time that it should be, not by the clock's. Any thread.
 */
#ifndef RELAY_CLOCK_DOUBT_H
#define RELAY_CLOCK_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rc.h"
#include "store/leaf_clock.h"

struct fault;
struct node;

/* May an ordinary message be taken now? RC_UNAVAILABLE "clock.doubt". */
MUST_CHECK enum rc clock_doubt_admit(const struct node *node, struct fault *fault);
bool clock_doubt_is(const struct node *node);
/* The wall clock while it is believed; else the last one believed, and what has passed since. */
int64_t clock_doubt_now_ms(const struct node *node);
/* A peer, by the name of its log or witness, signed this time just now, or its proven leaf bears
 * it.
 */
void clock_doubt_hear(const struct node *node, const char *name, uint64_t heard_s);
enum leaf_clock_state clock_doubt_state(const struct node *node);

#endif
