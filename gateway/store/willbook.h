/*
 * willbook - persons' wills at rest: one row each, found and read with the subject's tag key alone.
 *
 *     will   SHA-256(member)[8] | HMAC(K, "enlace/will/name/v1")[16]  ->  nonce[12] | GCM(K', row)
 *
 * K is the subject's tag key (tagkey.h), K' = HKDF-Expand(K, "enlace/will/row/v1"), the row's key
 * is its associated data. Who has not the subject's id at that member finds nothing; when the
 * subject's key is destroyed, the will is gone with it. All inside a transaction; those that put
 * are the writer's.
 */
#ifndef STORE_WILLBOOK_H
#define STORE_WILLBOOK_H

#include <stdbool.h>

#include "base/rc.h"
#include "model/will.h"
#include "store/tagkey.h"

struct txn;

/* RC_NOT_FOUND, silently. RC_DATA_LOSS: not what was put; whoever asks must not go on. */
MUST_CHECK enum rc willbook_get(struct txn *txn, const char *member, const uint8_t key[TAGKEY_SIZE],
                                struct will *will);
MUST_CHECK enum rc willbook_put(struct txn *txn, const char *member, const uint8_t key[TAGKEY_SIZE],
                                const struct will *will);
/* Does this member keep any will here? */
MUST_CHECK enum rc willbook_any(struct txn *txn, const char *member, bool *is_any);

#endif
