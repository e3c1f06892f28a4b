#include "store/table.h"

#include <assert.h>
#include <stdlib.h>

#include "store/dbkey.h"
#include "store/env.h"
#include "store/feed.h"

struct cursor {
    struct txn *txn;
    MDB_cursor *native;
    bool is_begun;
    bool is_ended;
    struct dbkey from; /* size 0: the first row */
};

static MDB_val val_of(struct bytes bytes)
{
    /* LMDB's values are not const, but it only reads what it is given. */
    union {
        const uint8_t *in;
        uint8_t *out;
    } data = {.in = bytes.data};

    return (MDB_val){.mv_size = bytes.size, .mv_data = data.out};
}

static struct bytes bytes_of(MDB_val value)
{
    return BYTES(value.mv_data, value.mv_size);
}

enum rc table_get(struct txn *txn, enum table table, struct bytes key, struct bytes *value)
{
    MDB_val k = val_of(key);
    MDB_val v;

    TRY(env_rc(txn->db, mdb_get(txn->native, txn->db->tables[table], &k, &v), "table.get"));
    *value = bytes_of(v);
    return RC_OK;
}

void db_fail_put(struct db *db, uint64_t nth)
{
    atomic_store(&db->fail_put, nth);
}

static bool is_failed_by_test(struct db *db)
{
    uint64_t left = atomic_load(&db->fail_put);

    if (left > 0) {
        atomic_store(&db->fail_put, left - 1);
    }
    return left == 1;
}

/* A put that was to change something, and its outcome. */
static enum rc changed(struct txn *txn, int error)
{
    enum rc rc = env_rc(txn->db, error, "table.put");

    if (rc == RC_OK) {
        txn->puts++;
    } else if (rc != RC_ALREADY_EXISTS && rc != RC_NOT_FOUND) {
        txn->state = rc;
    }
    return rc;
}

/* For the follower, if there is one. */
static enum rc noted(struct txn *txn, enum table table, struct bytes key, enum rc rc)
{
    if (rc == RC_OK && txn->db->is_followed) {
        feed_touch(&txn->db->touched, table, key);
    }
    return rc;
}

static enum rc may_change(struct txn *txn)
{
    assert(txn->is_write);
    TRY(txn->state);
    if (is_failed_by_test(txn->db)) {
        txn->state = RC_UNAVAILABLE;
    }
    return txn->state;
}

static enum rc put(struct txn *txn, enum table table, struct bytes key, struct bytes value,
                   unsigned flags)
{
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);

    assert(key.size > 0 && key.size <= TABLE_KEY_MAX);
    TRY(may_change(txn));
    return noted(txn, table, key,
                 changed(txn, mdb_put(txn->native, txn->db->tables[table], &k, &v, flags)));
}

enum rc table_put(struct txn *txn, enum table table, struct bytes key, struct bytes value)
{
    return put(txn, table, key, value, 0);
}

enum rc table_add(struct txn *txn, enum table table, struct bytes key, struct bytes value)
{
    return put(txn, table, key, value, MDB_NOOVERWRITE);
}

enum rc table_append(struct txn *txn, enum table table, struct bytes key, struct bytes value)
{
    enum rc rc = put(txn, table, key, value, MDB_APPEND);

    assert(rc != RC_ALREADY_EXISTS);
    return rc;
}

enum rc table_reserve(struct txn *txn, enum table table, struct bytes key, size_t size,
                      uint8_t **row)
{
    MDB_val k = val_of(key);
    MDB_val v = {.mv_size = size};
    enum rc rc;

    assert(key.size > 0 && key.size <= TABLE_KEY_MAX && size > 0);
    TRY(may_change(txn));
    rc = changed(txn,
                 mdb_put(txn->native, txn->db->tables[table], &k, &v, MDB_APPEND | MDB_RESERVE));
    assert(rc != RC_ALREADY_EXISTS);
    *row = v.mv_data;
    return noted(txn, table, key, rc);
}

enum rc table_gather(struct txn *txn)
{
    TRY(may_change(txn));
    return changed(txn, MDB_SUCCESS);
}

enum rc table_delete(struct txn *txn, enum table table, struct bytes key)
{
    MDB_val k = val_of(key);

    TRY(may_change(txn));
    return noted(txn, table, key,
                 changed(txn, mdb_del(txn->native, txn->db->tables[table], &k, NULL)));
}

enum rc table_clear(struct txn *txn, enum table table)
{
    TRY(may_change(txn));
    return changed(txn, mdb_drop(txn->native, txn->db->tables[table], 0));
}

/* One movement of a cursor that lives no longer. */
static enum rc seek(struct txn *txn, enum table table, struct bytes key, MDB_cursor_op op,
                    struct row *row)
{
    MDB_val k = val_of(key);
    MDB_val v;
    MDB_cursor *cursor;
    int error;

    TRY(env_rc(txn->db, mdb_cursor_open(txn->native, txn->db->tables[table], &cursor),
               "table.seek"));
    error = mdb_cursor_get(cursor, &k, &v, op);
    mdb_cursor_close(cursor);
    TRY(env_rc(txn->db, error, "table.seek"));
    *row = (struct row){.key = bytes_of(k), .value = bytes_of(v)};
    return RC_OK;
}

enum rc table_from(struct txn *txn, enum table table, struct bytes key, struct row *row)
{
    return seek(txn, table, key, MDB_SET_RANGE, row);
}

enum rc table_last(struct txn *txn, enum table table, struct row *row)
{
    return seek(txn, table, (struct bytes){0}, MDB_LAST, row);
}

enum rc table_before(struct txn *txn, enum table table, struct bytes key, struct row *row)
{
    MDB_val k = val_of(key);
    MDB_val v;
    MDB_cursor *cursor;
    int error;

    TRY(env_rc(txn->db, mdb_cursor_open(txn->native, txn->db->tables[table], &cursor),
               "table.seek"));
    error = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    if (error == MDB_SUCCESS) {
        error = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
    } else if (error == MDB_NOTFOUND) {
        error = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    }
    mdb_cursor_close(cursor);
    TRY(env_rc(txn->db, error, "table.seek"));
    *row = (struct row){.key = bytes_of(k), .value = bytes_of(v)};
    return RC_OK;
}

enum rc table_count(struct txn *txn, enum table table, uint64_t *count)
{
    MDB_stat stat;

    TRY(env_rc(txn->db, mdb_stat(txn->native, txn->db->tables[table], &stat), "table.count"));
    *count = stat.ms_entries;
    return RC_OK;
}

enum rc cursor_open(struct txn *txn, enum table table, struct bytes from, struct cursor **cursor)
{
    struct cursor *made = calloc(1, sizeof *made);
    enum rc rc;

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->txn = txn;
    dbkey_put(&made->from, from);
    rc = env_rc(txn->db, mdb_cursor_open(txn->native, txn->db->tables[table], &made->native),
                "cursor.open");
    if (rc != RC_OK) {
        free(made);
        return rc;
    }
    *cursor = made;
    return RC_OK;
}

enum rc cursor_next(struct cursor *cursor, struct row *row)
{
    MDB_val k = val_of(dbkey_bytes(&cursor->from));
    MDB_val v;
    MDB_cursor_op op = cursor->is_begun ? MDB_NEXT : MDB_SET_RANGE;
    enum rc rc;

    if (cursor->is_ended) {
        return RC_NOT_FOUND;
    }
    if (!cursor->is_begun && cursor->from.size == 0) {
        op = MDB_FIRST;
    }
    rc = env_rc(cursor->txn->db, mdb_cursor_get(cursor->native, &k, &v, op), "cursor.next");
    cursor->is_begun = true;
    if (rc != RC_OK) {
        cursor->is_ended = true;
        return rc;
    }
    *row = (struct row){.key = bytes_of(k), .value = bytes_of(v)};
    return RC_OK;
}

enum rc cursor_add(struct cursor *cursor, struct bytes key, struct bytes value)
{
    MDB_val k = val_of(key);
    MDB_val v = val_of(value);

    assert(key.size > 0 && key.size <= TABLE_KEY_MAX);
    TRY(may_change(cursor->txn));
    return changed(cursor->txn, mdb_cursor_put(cursor->native, &k, &v, MDB_NOOVERWRITE));
}

void cursor_free(struct cursor *cursor)
{
    if (cursor != NULL) {
        mdb_cursor_close(cursor->native);
        free(cursor);
    }
}
