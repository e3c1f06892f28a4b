#include "relay/alarm.h"

#include <string.h>

#include "base/own.h"
#include "relay/terms.h"
#include "store/timer.h"

static enum rc set_timer(struct txn *txn, const char *member, const struct exchange *exchange)
{
    OWN(buffer) value = {0};
    struct bytes code = bytes_text(member);

    buffer_put_u8(&value, ALARM_KIND);
    buffer_put(&value, exchange->id.bytes, ID_SIZE);
    buffer_put_u8(&value, (uint8_t)code.size);
    buffer_put_bytes(&value, code);
    if (value.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    return timer_set(txn, exchange->alarm_ms, TIMER_OWN | exchange->opening_index,
                     buffer_bytes(&value));
}

enum rc alarm_keep(struct txn *txn, const char *member, struct exchange *exchange)
{
    int64_t next_ms = terms_alarm_ms(exchange);

    if (next_ms != exchange->alarm_ms) {
        if (exchange->alarm_ms != 0) {
            TRY(timer_remove(txn, exchange->alarm_ms, TIMER_OWN | exchange->opening_index));
        }
        exchange->alarm_ms = next_ms;
        if (next_ms != 0) {
            TRY(set_timer(txn, member, exchange));
        }
    }
    return exchange_put(txn, member, exchange);
}

enum rc alarm_read(const struct timer *timer, struct alarm *alarm)
{
    struct reader reader = {.rest = BYTES(timer->value, timer->size)};
    struct bytes member;

    if (timer->size == 0 || reader_u8(&reader) != ALARM_KIND) {
        return RC_NOT_FOUND;
    }
    alarm->due_ms = timer->due_ms;
    reader_copy(&reader, alarm->exchange_id.bytes, ID_SIZE);
    member = reader_take(&reader, reader_u8(&reader));
    if (!reader_is_done(&reader) || member.size == 0 || member.size >= CODE_SIZE) {
        return RC_DATA_LOSS;
    }
    memset(alarm->member, 0, CODE_SIZE);
    memcpy(alarm->member, member.data, member.size);
    return RC_OK;
}
