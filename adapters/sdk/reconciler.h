/*
 * reconciler - holds the adapter's spool against its node's log, at the start and now and then, and
 * heals what can be healed (client/reconcile).
 *
 *     a receipt lacks or is damaged    fetched again, verified, and kept
 *     a delivery lacks                 asked for once more; it comes as any other
 *     the log lacks what we said       said again by itself, while it stands in answered/
 *
 * What is left is logged for a person ("reconcile.left"), and told by the health file. On a thread
 * of its own; what it heals is done on the adapter's.
 */
#ifndef SDK_RECONCILER_H
#define SDK_RECONCILER_H

#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

struct adapter;
struct reconciler;

/* At once, then every so often. */
MUST_CHECK enum rc reconciler_new(struct adapter *adapter, int64_t every_ms,
                                  struct reconciler **reconciler);
/* Waits for the reconciliation that runs. After adapter_run, before adapter_free. */
void reconciler_free(struct reconciler *reconciler);
OWN_PTR_DEFINE(reconciler)

#endif
