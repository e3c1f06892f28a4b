/*
 * env - LMDB's own objects: for db.c, txn.c, table.c and archive.c only, the one place that
 * includes lmdb.h.
 */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "store/table.h"

struct txn {
    struct db *db;
    MDB_txn *native;
    bool is_write;
    enum rc state; /* the first put that failed */
    size_t puts;
    struct append *append;
    int64_t began_ms; /* of a read transaction in use; 0: idle */
    struct txn *next; /* idle ones */
};

struct db {
    MDB_env *env;
    MDB_dbi tables[TABLES];
    int lock; /* descriptor of the locked file; -1: not ours */
    enum db_kind kind;
    uint32_t epoch;
    uint64_t floor_bytes;
    bool is_full; /* was below the floor; only who writes looks */
    char origin[DB_ORIGIN_MAX + 1];
    char *path;
    bool is_followed;
    atomic_uint_fast64_t confirmed; /* see db_confirm */
    struct buffer touched;          /* rows of the write transaction (feed.h) */
    struct txn write;               /* LMDB lets one in at a time */
    atomic_uint_fast64_t fail_put;  /* see db_fail_put */
    pthread_mutex_t lock_readers;   /* over what follows */
    struct txn readers[DB_READERS_MAX];
    size_t reader_count; /* of readers[] that have a handle */
    struct txn *idle;
};

/* What a code of LMDB or of the system means to callers; logs what is not an everyday answer. */
enum rc env_rc(const struct db *db, int error, const char *event);
/* Aborts the handles of idle read transactions; asserts that all are idle. */
void env_close_readers(struct db *db);

#endif
