/*
 * urgencybook - how each member uses urgency: one row for each day (UTC), for its budget and for
 * whoever looks at its misuse.
 *
 *     duty   u8 2 | member | 0 | u64 day  ->  u32 messages | u64 bytes | u32 refused | u32 waived
 *                                             | u32 misused
 *     duty   u8 3 | u64 number of a call  ->  chunk answer | chunk certificate | chunk signature
 *
 * The answers of officials stand beside: for ever, so that each can be shown as it was signed.
 * Inside a transaction; what puts is the writer's.
 */
#ifndef STORE_URGENCYBOOK_H
#define STORE_URGENCYBOOK_H

#include "model/duty.h"

struct txn;

/* A day that has no row is zeros. */
MUST_CHECK enum rc urgencybook_get(struct txn *txn, const char *member, int32_t day,
                                   struct urgency_day *row);
MUST_CHECK enum rc urgencybook_put(struct txn *txn, const char *member,
                                   const struct urgency_day *row);
/* The first day with a row at or past this one. RC_NOT_FOUND at the end. */
MUST_CHECK enum rc urgencybook_from(struct txn *txn, const char *member, int32_t day,
                                    struct urgency_day *row);

MUST_CHECK enum rc urgencybook_keep_answer(struct txn *txn,
                                           const struct duty_answer_signed *answer);
/* Borrowed from the transaction; only bytes and signature are set. RC_NOT_FOUND. */
MUST_CHECK enum rc urgencybook_answer(struct txn *txn, uint64_t number,
                                      struct duty_answer_signed *answer);

#endif
