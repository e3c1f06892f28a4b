#include "tlog/control.h"

#include <string.h>

#include "tlog/commit.h"
#include "tlog/leaf.h"

/* Field number and wire type, as they stand on the wire. */
static const uint8_t kind_retention[] = {0x08, 18};
static const uint8_t commitment_tag[] = {0xc2, 0x01, DIGEST_SIZE};
static const uint8_t first_index_tag[] = {0xf0, 0x01};

void control_retention_write(const struct control_retention *retention, struct buffer *record)
{
    uint64_t rest = retention->minimum;

    buffer_put(record, kind_retention, sizeof kind_retention);
    if (retention->has_order) {
        buffer_put(record, commitment_tag, sizeof commitment_tag);
        buffer_put(record, retention->order, DIGEST_SIZE);
    }
    buffer_put(record, first_index_tag, sizeof first_index_tag);
    for (; rest >= 0x80; rest >>= 7) {
        buffer_put_u8(record, (uint8_t)(rest | 0x80));
    }
    buffer_put_u8(record, (uint8_t)rest);
}

static bool take(struct reader *reader, const uint8_t *bytes, size_t size)
{
    if (reader->rest.size < size || memcmp(reader->rest.data, bytes, size) != 0) {
        return false;
    }
    (void)reader_take(reader, size);
    return true;
}

/* All 64 bits: whether it is the shortest form is seen when it is written again. */
static uint64_t take_number(struct reader *reader)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(reader);

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
    reader->is_failed = true;
    return 0;
}

static enum rc parse(struct bytes record, struct control_retention *retention)
{
    struct reader reader = {.rest = record};
    OWN(buffer) again = {0};

    *retention = (struct control_retention){0};
    if (!take(&reader, kind_retention, sizeof kind_retention)) {
        return RC_NOT_FOUND;
    }
    if (take(&reader, commitment_tag, sizeof commitment_tag)) {
        retention->has_order = true;
        reader_copy(&reader, retention->order, DIGEST_SIZE);
    }
    if (!take(&reader, first_index_tag, sizeof first_index_tag)) {
        return RC_NOT_FOUND;
    }
    retention->minimum = take_number(&reader);
    control_retention_write(retention, &again);
    return !reader.is_failed && bytes_equal(buffer_bytes(&again), record) ? RC_OK : RC_NOT_FOUND;
}

enum rc control_retention_read(const struct leaf *leaf, struct bytes blind_and_record,
                               struct control_retention *retention)
{
    static const uint8_t blind[COMMIT_BLIND_SIZE];
    uint8_t hash[DIGEST_SIZE];
    struct bytes record;

    if (leaf->class != LEAF_CONTROL || blind_and_record.size <= COMMIT_BLIND_SIZE ||
        memcmp(blind_and_record.data, blind, sizeof blind) != 0) {
        return RC_NOT_FOUND;
    }
    record =
        BYTES(blind_and_record.data + COMMIT_BLIND_SIZE, blind_and_record.size - COMMIT_BLIND_SIZE);
    commit_record(blind, record, hash);
    if (!digest_equal(hash, leaf->record)) {
        return RC_NOT_FOUND;
    }
    TRY(parse(record, retention));
    return retention->minimum > 0 && retention->minimum % CONTROL_MINIMUM_STEP == 0 &&
                   retention->minimum <= leaf->index
               ? RC_OK
               : RC_NOT_FOUND;
}
