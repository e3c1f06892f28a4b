/*
 * ticker - looks for exchanges whose clock has something to tell, and tells it.
 *
 *     scheduler thread: ticker_tick   timers that are due, their exchanges, notices made
 *     writer thread:    one write     the clock's record, the notices, the row, the next timer
 *
 * By the time that is believed (relay/clock_doubt): a clock that jumps forward fires nothing before
 * somebody agrees with it, and one that is set back misses nothing, because the instants stand in
 * the store. After a restart what came due meanwhile is told at once, by its latest share only. The
 * notices of a transaction that fails, or whose exchange moved meanwhile, are made again.
 */
#ifndef RELAY_TICKER_H
#define RELAY_TICKER_H

#include "base/own.h"
#include "base/rc.h"

struct node;
struct ticker;

/* NULL: out of memory. */
struct ticker *ticker_new(struct node *node);
/* Waits for its write, which the writer must still do, or have done. NULL does nothing. */
void ticker_free(struct ticker *ticker);
OWN_PTR_DEFINE(ticker)

/* Scheduler thread, each second. */
void ticker_tick(struct ticker *ticker);

#endif
