/*
 * db - one LMDB environment on disk: opened once, locked to this process, read by many threads.
 *
 * `log/` is the authoritative one (audit log, bodies, debts, states), `seen/` holds what this node
 * saw of other logs, `index/` what is found faster by it and can be made again from `log/`
 * (index.h): it alone is not synced, and its failing commit is an answer and not the end. A folder
 * of mode 0700 with LMDB's two files and `enlace.lock`, which a second process, or a second open in
 * this one, finds taken. Full sync, never MDB_WRITEMAP; the map is fixed at creation. The only
 * thread that writes `log/` is the writer's (store/writer.h).
 *
 * When the disk fails: below the floor of free space, or with the map full, writes are refused with
 * RC_UNAVAILABLE and nothing is lost. A commit that fails ends the process (exit status
 * DB_EXIT_STATUS): after a failed fsync nobody knows what is on the disk, and LMDB 0.9.24 would
 * call the next commit good. The next start finds the last commit that stood.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

struct db;
struct txn;

/* Raised when a row's bytes change meaning; another version is refused at open. */
#define DB_FORMAT 3
/* ThreadSanitizer leaves a process about 1 TiB for its maps, and a node has several stores. */
#ifdef __SANITIZE_THREAD__
#define DB_MAP_SIZE ((uint64_t)1 << 36)
#else
#define DB_MAP_SIZE ((uint64_t)1 << 40)
#endif
#define DB_FLOOR ((uint64_t)256 << 20)
#define DB_ORIGIN_MAX 255
/* Read transactions at one time. */
#define DB_READERS_MAX 256
#define DB_EXIT_STATUS 74

enum db_kind {
    DB_LOG = 1,
    DB_SEEN = 2,
    DB_INDEX = 3,
};

struct db_options {
    enum db_kind kind;
    const char *path;     /* the folder; made when it is not there, its parent must be */
    const char *origin;   /* of this node's log: written at creation, then must be the same */
    uint32_t epoch;       /* of the log, likewise */
    uint64_t map_size;    /* bytes of address space; 0: DB_MAP_SIZE */
    uint64_t floor_bytes; /* of free disk below which writes are refused; 0: DB_FLOOR */
    bool is_followed;     /* of DB_LOG: keeps what each commit changed for a follower (feed.h) */
};

/*
 * RC_FAILED_PRECONDITION: another process has it open, or it is another format, kind, origin or
 * epoch, or others may write to the folder. RC_DATA_LOSS: it is damaged. RC_UNAVAILABLE: the
 * system said no. Each is logged with the path and the remedy.
 */
MUST_CHECK enum rc db_open(const struct db_options *options, struct db **db);
/* No transaction may be open. */
void db_free(struct db *db);
OWN_PTR_DEFINE(db)

const char *db_origin(const struct db *db);
uint32_t db_epoch(const struct db *db);
const char *db_path(const struct db *db);

/* A follower has all commits of the feed before this one; any thread. */
void db_confirm(struct db *db, uint64_t sequence);

/* Of DB_INDEX, which commits without: what is in the file is on the disk afterwards. */
MUST_CHECK enum rc db_sync(struct db *db);

/*
 * A read transaction: one snapshot of the last commit. Any thread; cheap (handles are kept and
 * renewed). Keep it short, milliseconds, and never across a callback: as long as it is held the
 * file grows. What is read is borrowed until txn_end. RC_RESOURCE_EXHAUSTED past DB_READERS_MAX.
 */
MUST_CHECK enum rc txn_read(struct db *db, struct txn **txn);
/* Ends a read transaction; NULL does nothing. */
void txn_end(struct txn *txn);
__attribute__((unused)) static inline void txn_own_end(struct txn **txn)
{
    txn_end(*txn);
}
#define OWN_READ(name) __attribute__((cleanup(txn_own_end))) struct txn *name

#endif
