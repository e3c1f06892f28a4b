/*
 * dbkey - keys of rows, built in place: integers big-endian, texts ended by what follows them.
 *
 * A key belongs to whoever declared it. Appending past TABLE_KEY_MAX is a bug (assert): callers
 * bound their texts first.
 */
#ifndef STORE_DBKEY_H
#define STORE_DBKEY_H

#include <stdint.h>

#include "base/bytes.h"
#include "store/table.h"

struct dbkey {
    size_t size;
    uint8_t data[TABLE_KEY_MAX];
};

void dbkey_put(struct dbkey *key, struct bytes bytes);
void dbkey_put_u8(struct dbkey *key, uint8_t value);
void dbkey_put_u64(struct dbkey *key, uint64_t value);
/* Borrowed from the key. */
struct bytes dbkey_bytes(const struct dbkey *key);

/*
 * Starts over with this number alone. Callers declare keys that they fill at once without {0}:
 * 511 bytes are not cleared for nothing.
 */
void dbkey_u64(struct dbkey *key, uint64_t value);
/* Starts over. */
void dbkey_clear(struct dbkey *key);
/* True when `key` begins with `prefix`. */
bool dbkey_has_prefix(struct bytes key, struct bytes prefix);

#endif
