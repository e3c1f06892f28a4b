#include "store/index.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "store/dbkey.h"
#include "store/index_folder.h"
#include "store/table.h"

#define KEY_SIZE 16
#define VALUE_SIZE (INDEX_PREFIX_SIZE - 1)
#define STATE_NAME "indexed"
#define STATE_SIZE 32

/* What stands under "indexed". */
struct extent {
    uint64_t up_to;
    uint64_t rows;
    uint64_t sum[2];
};

struct generation {
    uint64_t number;
    struct db *db;
    struct extent extent; /* as committed; the filling thread's */
};

struct index {
    struct index_options options;
    char *path;
    char *origin;
    pthread_rwlock_t lock; /* over which generation is current; held while looking */
    struct generation current;
    struct generation fresh; /* db NULL: none is made anew */
    atomic_uint_fast64_t up_to;
};

struct index_batch {
    uint8_t (*keys)[KEY_SIZE];
    size_t count;
    size_t capacity;
};

/* ---- rows ---- */

void index_prefix(const struct index_term *term, uint8_t prefix[INDEX_PREFIX_SIZE])
{
    uint8_t digest[DIGEST_SIZE] = {0};

    prefix[0] = (uint8_t)term->field;
    switch (term->field) {
    case INDEX_KIND:
        assert(term->value.size == 1);
        digest[0] = term->value.data[0];
        break;
    case INDEX_STEP:
        assert(term->value.size == 2);
        memcpy(digest, term->value.data, 2);
        break;
    case INDEX_EXCHANGE:
        assert(term->value.size == 16);
        memcpy(digest, term->value.data, VALUE_SIZE - 1);
        digest[VALUE_SIZE - 1] = term->value.data[15];
        break;
    default:
        digest_of(&term->value, 1, digest);
    }
    memcpy(prefix + 1, digest, VALUE_SIZE);
}

/* splitmix64's finish: every bit of the key changes half of the bits. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static void sum_add(uint64_t sum[2], const uint8_t key[KEY_SIZE])
{
    uint64_t high = get_u64(key);
    uint64_t low = get_u64(key + 8);

    sum[0] += mix(high + 0x9e3779b97f4a7c15u * low);
    sum[1] += mix(low ^ mix(high));
}

static enum rc read_extent(struct txn *txn, struct extent *extent)
{
    struct bytes row;
    enum rc rc = table_get(txn, TABLE_FORMAT, bytes_text(STATE_NAME), &row);

    *extent = (struct extent){0};
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (row.size != STATE_SIZE) {
        return failed(RC_DATA_LOSS, "index.extent", "cause=damaged");
    }
    *extent = (struct extent){.up_to = get_u64(row.data),
                              .rows = get_u64(row.data + 8),
                              .sum = {get_u64(row.data + 16), get_u64(row.data + 24)}};
    return RC_OK;
}

static enum rc write_extent(struct txn *txn, const struct extent *extent)
{
    uint8_t row[STATE_SIZE];

    put_u64(row, extent->up_to);
    put_u64(row + 8, extent->rows);
    put_u64(row + 16, extent->sum[0]);
    put_u64(row + 24, extent->sum[1]);
    return table_put(txn, TABLE_FORMAT, bytes_text(STATE_NAME), BYTES_OF(row));
}

/* ---- generations ---- */

static enum rc generation_open(struct index *index, uint64_t number, struct generation *generation)
{
    char name[INDEX_PATH_SIZE];
    struct db_options options = {.kind = DB_INDEX,
                                 .path = name,
                                 .origin = index->origin,
                                 .epoch = index->options.epoch,
                                 .map_size = index->options.map_size};
    OWN_PTR(db) db = NULL;
    OWN_READ(txn) = NULL;

    TRY(index_folder_name(index->path, number, name));
    TRY(db_open(&options, &db));
    TRY(txn_read(db, &txn));
    TRY(read_extent(txn, &generation->extent));
    txn_end(MOVE(txn));
    generation->number = number;
    generation->db = MOVE(db);
    return RC_OK;
}

static void generation_drop(struct index *index, struct generation *generation)
{
    if (generation->db != NULL) {
        db_free(generation->db);
        index_folder_remove(index->path, generation->number);
    }
    *generation = (struct generation){0};
}

/* Whoever looks from now on looks there. */
static void make_current(struct index *index, struct generation *generation)
{
    struct generation old;

    pthread_rwlock_wrlock(&index->lock);
    old = index->current;
    index->current = *generation;
    *generation = (struct generation){0};
    atomic_store(&index->up_to, index->current.extent.up_to);
    pthread_rwlock_unlock(&index->lock);
    generation_drop(index, &old);
}

static enum rc open_newest(struct index *index)
{
    uint64_t number;

    TRY(index_folder_open(index->path, &number));
    if (generation_open(index, number, &index->current) != RC_OK) {
        log_warn("index.begun_anew", "path=%s cause=it cannot be opened", index->path);
        index_folder_remove(index->path, number);
        TRY(generation_open(index, number + 1, &index->current));
    }
    atomic_store(&index->up_to, index->current.extent.up_to);
    return RC_OK;
}

enum rc index_open(const struct index_options *options, struct index **index)
{
    OWN_PTR(index) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_rwlock_init(&made->lock, NULL);
    made->options = *options;
    made->path = strdup(options->path);
    made->origin = strdup(options->origin);
    if (made->path == NULL || made->origin == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(open_newest(made));
    *index = MOVE(made);
    return RC_OK;
}

void index_free(struct index *index)
{
    uint64_t number;

    if (index == NULL) {
        return;
    }
    generation_drop(index, &index->fresh);
    number = index->current.number;
    if (index->current.db != NULL) {
        enum rc rc = db_sync(index->current.db);

        db_free(index->current.db);
        if (rc != RC_OK || index_folder_close(index->path, number) != RC_OK) {
            log_warn("index.unclosed", "path=%s the next start may begin it anew", index->path);
        }
    }
    pthread_rwlock_destroy(&index->lock);
    free(index->path);
    free(index->origin);
    free(index);
}

/* ---- looking ---- */

uint64_t index_up_to(struct index *index)
{
    return atomic_load(&index->up_to);
}

static enum rc find_in(struct txn *txn, const uint8_t prefix[INDEX_PREFIX_SIZE], uint64_t from,
                       size_t max, struct index_found *found)
{
    OWN_PTR(cursor) cursor = NULL;
    uint8_t start[KEY_SIZE];
    struct extent extent;
    struct row row;
    enum rc rc = RC_OK;

    TRY(read_extent(txn, &extent));
    found->up_to = extent.up_to;
    memcpy(start, prefix, INDEX_PREFIX_SIZE);
    put_u64(start + 8, from);
    TRY(cursor_open(txn, TABLE_POSTING, BYTES_OF(start), &cursor));
    while (found->count < max && (rc = cursor_next(cursor, &row)) == RC_OK &&
           row.key.size == KEY_SIZE && memcmp(row.key.data, prefix, INDEX_PREFIX_SIZE) == 0) {
        found->leaves[found->count++] = get_u64(row.key.data + 8);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc index_find(struct index *index, const struct index_term *term, uint64_t from, size_t max,
                   struct index_found *found)
{
    uint8_t prefix[INDEX_PREFIX_SIZE];
    struct txn *txn = NULL;
    enum rc rc;

    found->count = 0;
    found->up_to = 0;
    index_prefix(term, prefix);
    pthread_rwlock_rdlock(&index->lock);
    rc = txn_read(index->current.db, &txn);
    if (rc == RC_OK) {
        rc = find_in(txn, prefix, from, max, found);
    }
    txn_end(txn);
    pthread_rwlock_unlock(&index->lock);
    return rc;
}

/* ---- filling ---- */

struct index_batch *index_batch_new(void)
{
    return calloc(1, sizeof(struct index_batch));
}

void index_batch_free(struct index_batch *batch)
{
    if (batch != NULL) {
        free(batch->keys);
        free(batch);
    }
}

void index_batch_clear(struct index_batch *batch)
{
    batch->count = 0;
}

size_t index_batch_rows(const struct index_batch *batch)
{
    return batch->count;
}

enum rc index_batch_add_prefix(struct index_batch *batch, uint64_t leaf,
                               const uint8_t prefix[INDEX_PREFIX_SIZE])
{
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity == 0 ? 1024 : 2 * batch->capacity;
        uint8_t(*keys)[KEY_SIZE] = realloc(batch->keys, capacity * KEY_SIZE);

        if (keys == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        batch->keys = keys;
        batch->capacity = capacity;
    }
    memcpy(batch->keys[batch->count], prefix, INDEX_PREFIX_SIZE);
    put_u64(batch->keys[batch->count] + INDEX_PREFIX_SIZE, leaf);
    batch->count++;
    return RC_OK;
}

enum rc index_batch_add(struct index_batch *batch, uint64_t leaf, const struct index_term *term)
{
    uint8_t prefix[INDEX_PREFIX_SIZE];

    index_prefix(term, prefix);
    return index_batch_add_prefix(batch, leaf, prefix);
}

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, KEY_SIZE);
}

static enum rc put_rows(struct txn *txn, const struct index_batch *batch, struct extent *extent)
{
    OWN_PTR(cursor) cursor = NULL;

    TRY(cursor_open(txn, TABLE_POSTING, (struct bytes){0}, &cursor));
    for (size_t i = 0; i < batch->count; i++) {
        enum rc rc = cursor_add(cursor, BYTES(batch->keys[i], KEY_SIZE), BYTES(batch->keys[i], 0));

        if (rc == RC_ALREADY_EXISTS) {
            continue; /* one person twice, or a member's exchange with itself */
        }
        TRY(rc);
        extent->rows++;
        sum_add(extent->sum, batch->keys[i]);
    }
    return write_extent(txn, extent);
}

enum rc index_put(struct index *index, struct index_batch *batch, uint64_t up_to)
{
    bool is_fresh = index->fresh.db != NULL;
    struct generation *generation = is_fresh ? &index->fresh : &index->current;
    struct extent extent = generation->extent;
    struct txn *txn;
    enum rc rc;

    assert(up_to >= extent.up_to);
    extent.up_to = up_to;
    if (batch->count > 0) {
        qsort(batch->keys, batch->count, KEY_SIZE, by_key);
    }
    TRY(txn_write(generation->db, &txn));
    rc = put_rows(txn, batch, &extent);
    if (rc != RC_OK) {
        txn_abort(txn);
        return rc;
    }
    TRY(txn_commit(txn));
    generation->extent = extent;
    if (!is_fresh) {
        atomic_store(&index->up_to, up_to);
    }
    return RC_OK;
}

uint64_t index_put_up_to(struct index *index)
{
    return index->fresh.db != NULL ? index->fresh.extent.up_to : index->current.extent.up_to;
}

/* ---- is it what was put? ---- */

static enum rc check_end(const struct index *index, const struct index_walk *walk)
{
    const struct extent *extent = &index->current.extent;

    if (walk->rows != extent->rows || walk->sum[0] != extent->sum[0] ||
        walk->sum[1] != extent->sum[1]) {
        return failed(RC_DATA_LOSS, "index.damaged", "path=%s rows=%llu put=%llu", index->path,
                      (unsigned long long)walk->rows, (unsigned long long)extent->rows);
    }
    return RC_OUT_OF_RANGE;
}

enum rc index_check(struct index *index, struct index_walk *walk, size_t rows)
{
    OWN_PTR(cursor) cursor = NULL;
    OWN_READ(txn) = NULL;
    struct row row;
    enum rc rc = RC_OK;

    TRY(txn_read(index->current.db, &txn));
    TRY(cursor_open(txn, TABLE_POSTING, walk->rows > 0 ? BYTES_OF(walk->key) : (struct bytes){0},
                    &cursor));
    if (walk->rows > 0) {
        TRY(cursor_next(cursor, &row)); /* the last one of the call before */
    }
    for (size_t i = 0; i < rows && (rc = cursor_next(cursor, &row)) == RC_OK; i++) {
        if (row.key.size != KEY_SIZE || get_u64(row.key.data + 8) >= index->current.extent.up_to) {
            return failed(RC_DATA_LOSS, "index.damaged", "path=%s cause=no such key", index->path);
        }
        memcpy(walk->key, row.key.data, KEY_SIZE);
        sum_add(walk->sum, row.key.data);
        walk->rows++;
    }
    return rc == RC_NOT_FOUND ? check_end(index, walk) : rc;
}

enum rc index_renew(struct index *index)
{
    struct generation made = {0};

    generation_drop(index, &index->fresh);
    TRY(generation_open(index, index->current.number + 1, &made));
    make_current(index, &made);
    return RC_OK;
}

/* ---- made anew and compared ---- */

enum rc index_rebuild_begin(struct index *index)
{
    generation_drop(index, &index->fresh);
    return generation_open(index, index->current.number + 1, &index->fresh);
}

bool index_is_rebuilding(const struct index *index)
{
    return index->fresh.db != NULL;
}

/* The next row of a leaf below the end. RC_NOT_FOUND: no more. */
static enum rc next_below(struct cursor *cursor, uint64_t end, struct row *row)
{
    enum rc rc;

    do {
        rc = cursor_next(cursor, row);
    } while (rc == RC_OK && row->key.size == KEY_SIZE && get_u64(row->key.data + 8) >= end);
    return rc == RC_OK && row->key.size != KEY_SIZE ? RC_DATA_LOSS : rc;
}

static void differs(struct index_difference *difference, const struct row *row)
{
    uint64_t leaf = get_u64(row->key.data + 8);

    difference->first_leaf = leaf < difference->first_leaf ? leaf : difference->first_leaf;
}

/* Both in the order of their keys. What cannot be read of the old one counts as missing. */
static enum rc compare(struct txn *old_txn, struct txn *new_txn, uint64_t end,
                       struct index_difference *difference)
{
    OWN_PTR(cursor) olds = NULL;
    OWN_PTR(cursor) news = NULL;
    struct row old_row = {0};
    struct row new_row = {0};
    enum rc old_rc;
    enum rc new_rc;

    TRY(cursor_open(old_txn, TABLE_POSTING, (struct bytes){0}, &olds));
    TRY(cursor_open(new_txn, TABLE_POSTING, (struct bytes){0}, &news));
    old_rc = next_below(olds, UINT64_MAX, &old_row);
    new_rc = next_below(news, end, &new_row);
    while (old_rc == RC_OK || new_rc == RC_OK) {
        int order = old_rc != RC_OK   ? 1
                    : new_rc != RC_OK ? -1
                                      : memcmp(old_row.key.data, new_row.key.data, KEY_SIZE);

        difference->rows += order >= 0;
        if (order < 0) {
            difference->extra++;
            differs(difference, &old_row);
        } else if (order > 0) {
            difference->missing++;
            differs(difference, &new_row);
        }
        old_rc = order <= 0 ? next_below(olds, UINT64_MAX, &old_row) : old_rc;
        new_rc = order >= 0 ? next_below(news, end, &new_row) : new_rc;
    }
    return new_rc == RC_NOT_FOUND ? RC_OK : new_rc;
}

enum rc index_rebuild_end(struct index *index, struct index_difference *difference)
{
    struct txn *old_txn = NULL;
    struct txn *new_txn = NULL;
    enum rc rc;

    assert(index->fresh.db != NULL && index->fresh.extent.up_to >= index->current.extent.up_to);
    *difference = (struct index_difference){.first_leaf = UINT64_MAX};
    TRY(txn_read(index->fresh.db, &new_txn));
    rc = txn_read(index->current.db, &old_txn);
    if (rc == RC_OK) {
        rc = compare(old_txn, new_txn, index->current.extent.up_to, difference);
    }
    txn_end(old_txn);
    txn_end(new_txn);
    TRY(rc);
    make_current(index, &index->fresh);
    return RC_OK;
}
