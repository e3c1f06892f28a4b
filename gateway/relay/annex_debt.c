#include "relay/annex_debt.h"

#include <string.h>

#include "base/own.h"
#include "store/timer.h"

static void put_code(struct buffer *out, const char *code)
{
    buffer_put_u8(out, (uint8_t)strlen(code));
    buffer_put_bytes(out, bytes_text(code));
}

static void take_code(struct reader *reader, char code[CODE_SIZE])
{
    uint8_t size = reader_u8(reader);
    struct bytes text;

    if (size >= CODE_SIZE) {
        reader->is_failed = true;
        return;
    }
    text = reader_take(reader, size);
    memset(code, 0, CODE_SIZE);
    if (!reader->is_failed && size > 0) {
        memcpy(code, text.data, size);
    }
}

enum rc annex_debt_read(const struct timer *timer, struct annex_debt *debt)
{
    struct reader reader = {.rest = BYTES(timer->value, timer->size)};

    if (timer->size == 0 || reader_u8(&reader) != ANNEX_DEBT_KIND) {
        return RC_NOT_FOUND;
    }
    debt->due_ms = timer->due_ms;
    debt->sequence = timer->sequence;
    debt->attempts = reader_u8(&reader);
    reader_copy(&reader, debt->id.bytes, ID_SIZE);
    take_code(&reader, debt->holder);
    take_code(&reader, debt->to);
    return reader_is_done(&reader) ? RC_OK : RC_DATA_LOSS;
}

enum rc annex_debt_add(struct txn *txn, const struct annex_debt *debt)
{
    OWN(buffer) value = {0};
    uint64_t sequence;

    buffer_put_u8(&value, ANNEX_DEBT_KIND);
    buffer_put_u8(&value, debt->attempts);
    buffer_put(&value, debt->id.bytes, ID_SIZE);
    put_code(&value, debt->holder);
    put_code(&value, debt->to);
    if (value.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return timer_add(txn, debt->due_ms, buffer_bytes(&value), &sequence);
}
