#include "relay/alarm.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "relay/terms.h"
#include "store/dutycall.h"
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

/* Who was woken for it need not answer any more. */
static enum rc end_call(struct txn *txn, const char *member, const struct exchange *exchange,
                        const char *clock, uint32_t item, unsigned percent, int64_t at_ms)
{
    struct dutycall_key key;
    enum rc rc;

    memset(&key, 0, sizeof key);
    key.kind = DUTYCALL_CLOCK;
    key.exchange = exchange->id;
    key.item = item;
    key.percent = (uint8_t)percent;
    snprintf(key.member, sizeof key.member, "%s", member);
    snprintf(key.clock, sizeof key.clock, "%s", clock);
    rc = dutycall_end(txn, &key, at_ms);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* What was told and has been answered since. */
static enum rc end_calls(struct txn *txn, const char *member, const struct exchange *exchange)
{
    static const unsigned shares[] = {50, 75, 100};

    for (size_t i = 0; i < exchange->clock_count; i++) {
        const struct exchange_clock *clock = &exchange->clocks[i];

        for (size_t j = 0; clock->stopped.occurred_ms != 0 && j < 3 && shares[j] <= clock->told;
             j++) {
            TRY(end_call(txn, member, exchange, clock->rule.id, clock->item, shares[j],
                         clock->stopped.entered_ms));
        }
    }
    for (size_t i = 0; i < exchange->item_count; i++) {
        const struct exchange_item *item = &exchange->items[i];

        if (item->told > item->cadence.base &&
            (item->occurrences >= item->told || item->state != STATE_IN_FORCE)) {
            TRY(end_call(txn, member, exchange, CADENCE_CLOCK, item->number, 100,
                         item->changed_at_ms));
        }
    }
    return RC_OK;
}

enum rc alarm_keep(struct txn *txn, const char *member, struct exchange *exchange)
{
    int64_t next_ms = terms_alarm_ms(exchange);

    TRY(end_calls(txn, member, exchange));
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
    alarm->sequence = timer->sequence;
    reader_copy(&reader, alarm->exchange_id.bytes, ID_SIZE);
    member = reader_take(&reader, reader_u8(&reader));
    if (!reader_is_done(&reader) || member.size == 0 || member.size >= CODE_SIZE) {
        return RC_DATA_LOSS;
    }
    memset(alarm->member, 0, CODE_SIZE);
    memcpy(alarm->member, member.data, member.size);
    return RC_OK;
}
