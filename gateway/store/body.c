#include "store/body.h"

#include <stdlib.h>
#include <string.h>

#include "store/append.h"
#include "store/dbkey.h"

#define HEAD_SIZE 4
#define PLACE_SIZE 12

/* ---- putting ---- */

static enum rc run_add(struct body_run *run, uint64_t index, struct bytes body)
{
    if (run->count == run->capacity) {
        size_t capacity = run->capacity == 0 ? 64 : 2 * run->capacity;
        struct body_place *places = realloc(run->places, capacity * sizeof *places);

        if (places == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        run->places = places;
        run->capacity = capacity;
    }
    run->places[run->count++] = (struct body_place){.index = index, .body = body};
    return RC_OK;
}

static enum rc places_put(struct txn *txn, const struct body_place *places, size_t count)
{
    size_t size = HEAD_SIZE + count * PLACE_SIZE;
    struct dbkey key;
    uint8_t *row;
    uint8_t *at;
    uint32_t end = 0;

    for (size_t i = 0; i < count; i++) {
        size += places[i].body.size;
    }
    dbkey_u64(&key, places[0].index);
    TRY(table_reserve(txn, TABLE_BODY, dbkey_bytes(&key), size, &row));
    put_u32(row, (uint32_t)count);
    at = row + HEAD_SIZE + count * PLACE_SIZE;
    for (size_t i = 0; i < count; i++) {
        struct bytes body = places[i].body;
        uint8_t *place = row + HEAD_SIZE + i * PLACE_SIZE;

        end += (uint32_t)body.size;
        put_u64(place, places[i].index);
        put_u32(place + 8, end);
        if (body.size > 0) {
            memcpy(at, body.data, body.size);
        }
        at += body.size;
    }
    return RC_OK;
}

enum rc body_put(struct txn *txn, uint64_t index, struct bytes keys, struct bytes body)
{
    const struct body_place place = {.index = index, .body = body};
    struct append *append = txn_append(txn);
    struct dbkey key;

    dbkey_u64(&key, index);
    TRY(table_append(txn, TABLE_KEY, dbkey_bytes(&key), keys));
    return append != NULL ? run_add(append->bodies, index, body) : places_put(txn, &place, 1);
}

enum rc body_run_put(struct txn *txn, struct body_run *run)
{
    enum rc rc = run->count > 0 ? places_put(txn, run->places, run->count) : RC_OK;

    body_run_clear(run);
    return rc;
}

void body_run_clear(struct body_run *run)
{
    run->count = 0;
}

void body_run_release(struct body_run *run)
{
    free(run->places);
    *run = (struct body_run){0};
}

/* ---- getting ---- */

static enum rc damaged(uint64_t index, const char *cause)
{
    return failed(RC_DATA_LOSS, "body.row", "index=%llu cause=%s", (unsigned long long)index,
                  cause);
}

/* The run that would hold the index: the last one that does not begin after it. */
static enum rc run_of(struct txn *txn, uint64_t index, struct row *row)
{
    struct dbkey past;
    size_t count;

    dbkey_u64(&past, index + 1);
    TRY(table_before(txn, TABLE_BODY, dbkey_bytes(&past), row));
    if (row->key.size != 8 || row->value.size < HEAD_SIZE) {
        return damaged(index, "no run");
    }
    count = get_u32(row->value.data);
    if (count == 0 || count > (row->value.size - HEAD_SIZE) / PLACE_SIZE) {
        return damaged(index, "count");
    }
    return RC_OK;
}

/* Place of the first message of the run that is not before the index; count: none. */
static size_t place_of(struct bytes run, uint64_t index)
{
    size_t low = 0;
    size_t high = get_u32(run.data);

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (get_u64(run.data + HEAD_SIZE + middle * PLACE_SIZE) < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum rc body_of(struct bytes run, uint64_t index, struct bytes *body)
{
    size_t count = get_u32(run.data);
    size_t room = run.size - HEAD_SIZE - count * PLACE_SIZE;
    size_t at = place_of(run, index);
    const uint8_t *place = run.data + HEAD_SIZE + at * PLACE_SIZE;
    size_t begin;
    size_t end;

    if (at == count || get_u64(place) != index) {
        return damaged(index, "keys without a body");
    }
    begin = at > 0 ? get_u32(place - 4) : 0;
    end = get_u32(place + 8);
    if (begin > end || end > room) {
        return damaged(index, "place");
    }
    *body = BYTES(run.data + run.size - room + begin, end - begin);
    return RC_OK;
}

enum rc body_get(struct txn *txn, uint64_t index, struct bytes *keys, struct bytes *body)
{
    struct dbkey key;
    struct bytes found;
    struct row run;
    enum rc rc;

    dbkey_u64(&key, index);
    TRY(table_get(txn, TABLE_KEY, dbkey_bytes(&key), &found));
    rc = run_of(txn, index, &run);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? damaged(index, "keys without a body") : rc;
    }
    TRY(body_of(run.value, index, body));
    *keys = found;
    return RC_OK;
}

/* ---- afterwards ---- */

enum rc body_rewrap(struct txn *txn, uint64_t index, struct bytes keys)
{
    struct dbkey key;
    struct bytes old;

    dbkey_u64(&key, index);
    TRY(table_get(txn, TABLE_KEY, dbkey_bytes(&key), &old));
    return table_put(txn, TABLE_KEY, dbkey_bytes(&key), keys);
}

/* A run's messages have the indices from its key up to its last place. */
static enum rc is_run_used(struct txn *txn, const struct row *run, bool *is_used)
{
    size_t count = get_u32(run->value.data);
    uint64_t last = get_u64(run->value.data + HEAD_SIZE + (count - 1) * PLACE_SIZE);
    struct row next;
    enum rc rc = table_from(txn, TABLE_KEY, run->key, &next);

    *is_used = rc == RC_OK && get_u64(next.key.data) <= last;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc body_delete(struct txn *txn, uint64_t index)
{
    struct dbkey first;
    struct dbkey key;
    struct row run;
    bool is_used;
    enum rc rc;

    dbkey_u64(&key, index);
    TRY(table_delete(txn, TABLE_KEY, dbkey_bytes(&key)));
    rc = run_of(txn, index, &run);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? damaged(index, "keys without a body") : rc;
    }
    TRY(is_run_used(txn, &run, &is_used));
    if (is_used) {
        return RC_OK;
    }
    dbkey_u64(&first, get_u64(run.key.data));
    return table_delete(txn, TABLE_BODY, dbkey_bytes(&first));
}
