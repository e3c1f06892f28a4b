/*
 * delivery - what a recipient's system gets: the sender's bytes, and the evidence of both logs.
 */
#ifndef RELAY_DELIVERY_H
#define RELAY_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct auditlog_reader;
struct held;
struct node;
struct outbox_entry;
struct txn;

/*
 * Loads the received message of this debt's leaf into `held` (in the arena) and appends an
 * AttachResponse with it: this node's receipt, and the sender's node's. RC_NOT_FOUND: erased;
 * RC_DATA_LOSS: its body or keys are not what was stored.
 */
MUST_CHECK enum rc delivery_write(const struct node *node, struct auditlog_reader *reader,
                                  struct txn *txn, const struct outbox_entry *debt,
                                  bool is_redelivered, struct arena *arena, struct held *held,
                                  struct buffer *bytes);

#endif
