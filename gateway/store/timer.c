#include "store/timer.h"

#include <assert.h>
#include <string.h>

#include "store/dbkey.h"

#define TIMER_KEY_SIZE 16

static const char counter_name[] = "timer";

static void key_of(int64_t due_ms, uint64_t sequence, struct dbkey *key)
{
    assert(due_ms >= 0);
    dbkey_u64(key, (uint64_t)due_ms);
    dbkey_put_u64(key, sequence);
}

/* A number that no timer had before: who holds one of a timer long gone removes nothing. */
static enum rc next_sequence(struct txn *txn, uint64_t *sequence)
{
    struct bytes name = bytes_text(counter_name);
    uint8_t next[8] = {0};
    struct bytes row;
    enum rc rc = table_get(txn, TABLE_FORMAT, name, &row);

    if (rc == RC_OK && row.size == sizeof next) {
        memcpy(next, row.data, sizeof next);
    } else if (rc != RC_NOT_FOUND) {
        return rc != RC_OK ? rc : failed(RC_DATA_LOSS, "timer.counter", "cause=damaged");
    }
    *sequence = get_u64(next);
    put_u64(next, *sequence + 1);
    return table_put(txn, TABLE_FORMAT, name, BYTES_OF(next));
}

enum rc timer_add(struct txn *txn, int64_t due_ms, struct bytes value, uint64_t *sequence)
{
    struct dbkey key;
    uint64_t taken = 0;

    assert(value.size <= TIMER_VALUE_MAX);
    TRY(next_sequence(txn, &taken));
    key_of(due_ms, taken, &key);
    TRY(table_add(txn, TABLE_TIMER, dbkey_bytes(&key), value));
    *sequence = taken;
    return RC_OK;
}

enum rc timer_set(struct txn *txn, int64_t due_ms, uint64_t sequence, struct bytes value)
{
    struct dbkey key;

    assert(value.size <= TIMER_VALUE_MAX && (sequence & TIMER_OWN) != 0);
    key_of(due_ms, sequence, &key);
    return table_add(txn, TABLE_TIMER, dbkey_bytes(&key), value);
}

enum rc timer_remove(struct txn *txn, int64_t due_ms, uint64_t sequence)
{
    struct dbkey key;

    key_of(due_ms, sequence, &key);
    return table_delete(txn, TABLE_TIMER, dbkey_bytes(&key));
}

static enum rc timer_of(const struct row *row, struct timer *timer)
{
    if (row->key.size != TIMER_KEY_SIZE || row->value.size > TIMER_VALUE_MAX) {
        return failed(RC_DATA_LOSS, "timer.row", "cause=damaged");
    }
    timer->due_ms = (int64_t)get_u64(row->key.data);
    timer->sequence = get_u64(row->key.data + 8);
    timer->size = row->value.size;
    if (timer->size > 0) {
        memcpy(timer->value, row->value.data, timer->size);
    }
    return RC_OK;
}

enum rc timer_due(struct txn *txn, uint8_t kind, int64_t now_ms, struct timer *timers, size_t max,
                  size_t *count)
{
    OWN_PTR(cursor) cursor = NULL;
    size_t found = 0;
    enum rc rc = RC_OK;

    TRY(cursor_open(txn, TABLE_TIMER, (struct bytes){0}, &cursor));
    while (found < max) {
        struct row row;

        rc = cursor_next(cursor, &row);
        if (rc != RC_OK) {
            break;
        }
        TRY(timer_of(&row, &timers[found]));
        if (timers[found].due_ms > now_ms) {
            break;
        }
        found += timers[found].size > 0 && timers[found].value[0] == kind;
    }
    *count = found;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc timer_next(struct txn *txn, int64_t *due_ms)
{
    struct dbkey first;
    struct row row;

    dbkey_u64(&first, 0);
    TRY(table_from(txn, TABLE_TIMER, dbkey_bytes(&first), &row));
    if (row.key.size != TIMER_KEY_SIZE) {
        return failed(RC_DATA_LOSS, "timer.row", "cause=damaged");
    }
    *due_ms = (int64_t)get_u64(row.key.data);
    return RC_OK;
}
