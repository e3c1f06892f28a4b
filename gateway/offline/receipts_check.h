/*
 * receipts_check - verifies the receipts of a message (tlog/receipt_bundle.h) without a node.
 *
 * Each leaf must commit to the message under its log's origin, stand at the index that its proof
 * says, under a checkpoint signed by a log that the reader knows; then the checkpoint's grade.
 * Findings: receipt.malformed .leaf .unknown_log .signature .other_message .index .not_included,
 * and those of trust.h. Any thread.
 */
#ifndef OFFLINE_RECEIPTS_CHECK_H
#define OFFLINE_RECEIPTS_CHECK_H

#include "offline/trust.h"
#include "tlog/receipt_bundle.h"

struct report;

/* Returns the levels that verify, as bits: 1 for R0, 2 for R1. */
unsigned receipts_check(const struct receipt_bundle *bundle, const struct trust *trust,
                        struct report *report);

/*
 * One exchange of a message as two sides hold it. Says, as fact "pairing": paired (both logs hold
 * the same message), one_sided, or differing; the last two are findings exchange.one_sided and
 * exchange.differing.
 */
void receipts_compare(const struct receipt_bundle *a, const struct receipt_bundle *b,
                      const struct trust *trust, struct report *report);

#endif
