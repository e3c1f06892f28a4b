#include "store/replay_mark.h"

#include <string.h>

#include "store/dbkey.h"

/* format    "replay/" code -> u64 next | u64 taken | u64 refused | u8 complete */
#define MARK_SIZE 25
#define CODE_MAX 63

static enum rc key_of(const char *peer, struct dbkey *key)
{
    struct bytes code = bytes_text(peer);

    if (code.size == 0 || code.size > CODE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    dbkey_clear(key);
    dbkey_put(key, bytes_text("replay/"));
    dbkey_put(key, code);
    return RC_OK;
}

enum rc replay_mark_get(struct txn *txn, const char *peer, struct replay_mark *mark)
{
    struct reader reader = {0};
    struct dbkey key;
    uint8_t complete;

    TRY(key_of(peer, &key));
    TRY(table_get(txn, TABLE_FORMAT, dbkey_bytes(&key), &reader.rest));
    mark->next_index = reader_u64(&reader);
    mark->taken = reader_u64(&reader);
    mark->refused = reader_u64(&reader);
    complete = reader_u8(&reader);
    mark->is_complete = complete == 1;
    return reader_is_done(&reader) && complete <= 1
               ? RC_OK
               : failed(RC_DATA_LOSS, "replay.mark", "peer=%s cause=damaged", peer);
}

enum rc replay_mark_put(struct txn *txn, const char *peer, const struct replay_mark *mark)
{
    uint8_t row[MARK_SIZE];
    struct dbkey key;

    TRY(key_of(peer, &key));
    put_u64(row, mark->next_index);
    put_u64(row + 8, mark->taken);
    put_u64(row + 16, mark->refused);
    row[24] = mark->is_complete ? 1 : 0;
    return table_put(txn, TABLE_FORMAT, dbkey_bytes(&key), BYTES_OF(row));
}
