#include "store/dbkey.h"

#include <assert.h>
#include <string.h>

void dbkey_put(struct dbkey *key, struct bytes bytes)
{
    assert(bytes.size <= sizeof key->data - key->size);
    if (bytes.size > 0) {
        memcpy(key->data + key->size, bytes.data, bytes.size);
        key->size += bytes.size;
    }
}

void dbkey_put_u8(struct dbkey *key, uint8_t value)
{
    dbkey_put(key, BYTES(&value, sizeof value));
}

void dbkey_put_u64(struct dbkey *key, uint64_t value)
{
    uint8_t data[8];

    put_u64(data, value);
    dbkey_put(key, BYTES_OF(data));
}

struct bytes dbkey_bytes(const struct dbkey *key)
{
    return BYTES(key->data, key->size);
}

void dbkey_clear(struct dbkey *key)
{
    key->size = 0;
}

void dbkey_u64(struct dbkey *key, uint64_t value)
{
    dbkey_clear(key);
    dbkey_put_u64(key, value);
}

bool dbkey_has_prefix(struct bytes key, struct bytes prefix)
{
    return key.size >= prefix.size && bytes_equal(BYTES(key.data, prefix.size), prefix);
}
