#include "store/body.h"

#include "store/dbkey.h"

enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body)
{
    struct dbkey key;

    dbkey_u64(&key, index);
    TRY(table_append(txn, TABLE_KEY, dbkey_bytes(&key), keys));
    return table_append(txn, TABLE_BODY, dbkey_bytes(&key), body);
}

enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys, struct bytes *body)
{
    struct dbkey key;
    struct bytes found;

    dbkey_u64(&key, index);
    TRY(table_get(txn, TABLE_KEY, dbkey_bytes(&key), &found));
    TRY(table_get(txn, TABLE_BODY, dbkey_bytes(&key), body));
    *keys = found;
    return RC_OK;
}

enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys)
{
    struct dbkey key;
    struct bytes old;

    dbkey_u64(&key, index);
    TRY(table_get(txn, TABLE_KEY, dbkey_bytes(&key), &old));
    return table_put(txn, TABLE_KEY, dbkey_bytes(&key), keys);
}

enum rc body_delete(struct txn *txn, uint64_t index)
{
    struct dbkey key;

    dbkey_u64(&key, index);
    TRY(table_delete(txn, TABLE_KEY, dbkey_bytes(&key)));
    return table_delete(txn, TABLE_BODY, dbkey_bytes(&key));
}
