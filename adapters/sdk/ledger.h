/*
 * ledger - which messages were dealt with: one line each in <spool>/handled.log, synced per batch.
 *
 *     0193e2a1-... Act in-force
 *
 * So a message that is delivered again is known, and figures survive a restart. A last line that a
 * crash cut off is cut away when the file is opened. One thread.
 */
#ifndef SDK_LEDGER_H
#define SDK_LEDGER_H

#include <stdbool.h>

#include "base/own.h"
#include "model/message.h"

struct ledger;

#define LEDGER_TYPES 10 /* message types, from MESSAGE_REFERRAL */

struct ledger_counts {
    uint64_t messages;
    uint64_t types[LEDGER_TYPES];
    uint64_t acts[EVENTS];
};

MUST_CHECK enum rc ledger_open(const char *folder, struct ledger **ledger);
void ledger_free(struct ledger *ledger);
OWN_PTR_DEFINE(ledger)

bool ledger_has(const struct ledger *ledger, const struct id *id);
/* Known from here on; durable with the next ledger_sync. */
MUST_CHECK enum rc ledger_add(struct ledger *ledger, const struct header *header);
MUST_CHECK enum rc ledger_sync(struct ledger *ledger);
const struct ledger_counts *ledger_counts(const struct ledger *ledger);

#endif
