/*
 * summary - an exchange in one line, as its holder sees it: the item with the least time left,
 * where it hangs, who must act.
 */
#ifndef RELAY_SUMMARY_H
#define RELAY_SUMMARY_H

#include "rpc/codec_watch.h"
#include "store/exchange.h"

struct node;
struct waiting;

/* Somebody still has something to do. */
bool summary_is_open(const struct exchange *exchange);
/* Borrows from the exchange, the waiting and the node. */
void summary_fill(const struct node *node, const struct exchange *exchange,
                  const struct waiting *waiting, int64_t now_ms, struct exchange_summary *summary);

#endif
