/*
 * prune - audit records of old leaves go: by the order of two officials, or by the node's setting.
 *
 *     BLOCKING   nothing is done while a hold covers any of them, or a bound does not allow it
 *     BLOCKED    the retention leaf is in the log; nothing goes before a quorum has witnessed it
 *     ERASING    rows are swept (store/pruning), as many as a write takes
 *     ERASED
 *
 * What a minimum index may not pass, in this order of the refusals:
 *
 *     prune.size      the log's own size
 *     prune.quorum    what a quorum has witnessed
 *     prune.witness   what each single witness is known to have: one that lags, or was not heard of
 *                     since the start, could not be shown the way from its state with records
 *     prune.content   a message that some key still opens: its class is not over, nor was it erased
 *     prune.debt      what is still owed to somebody
 *
 * Rows of orders as relay/eraser has them; its thread carries this out.
 */
#ifndef RELAY_PRUNE_H
#define RELAY_PRUNE_H

#include "model/order.h"
#include "store/orderbook.h"

struct fault;
struct node;

/* Of an order: the minimum index that it means, and whether it may be. Any thread; reads. */
MUST_CHECK enum rc prune_judge(const struct node *node, const struct order *order,
                               uint64_t *minimum, struct fault *fault);
/*
 * By the setting: a new row when there is something that may go. RC_NOT_FOUND: nothing. The caller
 * stores it.
 */
MUST_CHECK enum rc prune_begin(const struct node *node, struct order_row *row);
/* One bounded step. *is_any: something was done, so it may go on at once. */
MUST_CHECK enum rc prune_carry_on(const struct node *node, const struct order_row *row,
                                  bool *is_any);

#endif
