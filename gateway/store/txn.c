#include "store/env.h"

#include <assert.h>
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/feed.h"

#define READ_HELD_MS 2000

enum rc env_rc(const struct db *db, int error, const char *event)
{
    switch (error) {
    case MDB_SUCCESS:
        return RC_OK;
    case MDB_NOTFOUND:
        return RC_NOT_FOUND;
    case MDB_KEYEXIST:
        return RC_ALREADY_EXISTS;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
        return failed(RC_UNAVAILABLE, "disk.full", "path=%s at=%s cause=%s", db->path, event,
                      mdb_strerror(error));
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return failed(RC_DATA_LOSS, event, "path=%s cause=%s", db->path, mdb_strerror(error));
    case MDB_READERS_FULL:
        return failed(RC_RESOURCE_EXHAUSTED, event, "path=%s cause=%s", db->path,
                      mdb_strerror(error));
    default:
        return failed(RC_UNAVAILABLE, event, "path=%s cause=%s", db->path, mdb_strerror(error));
    }
}

void db_fatal(const char *event, const char *cause)
{
    log_fatal(event, "cause=%s the process ends; the next start finds the last commit that stood",
              cause);
    _exit(DB_EXIT_STATUS);
}

/* An idle handle, or a place for a new one; NULL when all are in use. */
static struct txn *slot_take(struct db *db)
{
    struct txn *txn;

    pthread_mutex_lock(&db->lock_readers);
    txn = db->idle;
    if (txn != NULL) {
        db->idle = txn->next;
    } else if (db->reader_count < DB_READERS_MAX) {
        txn = &db->readers[db->reader_count++];
        txn->db = db;
    }
    if (txn != NULL) {
        txn->began_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&db->lock_readers);
    return txn;
}

static void slot_give(struct db *db, struct txn *txn)
{
    pthread_mutex_lock(&db->lock_readers);
    txn->began_ms = 0;
    txn->next = db->idle;
    db->idle = txn;
    pthread_mutex_unlock(&db->lock_readers);
}

enum rc txn_read(struct db *db, struct txn **txn)
{
    struct txn *read = slot_take(db);
    int error;

    if (read == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "txn.readers", "path=%s most=%d", db->path,
                      DB_READERS_MAX);
    }
    error = read->native != NULL ? mdb_txn_renew(read->native)
                                 : mdb_txn_begin(db->env, NULL, MDB_RDONLY, &read->native);
    if (error != MDB_SUCCESS) {
        slot_give(db, read);
        return env_rc(db, error, "txn.read");
    }
    *txn = read;
    return RC_OK;
}

void txn_end(struct txn *txn)
{
    if (txn != NULL) {
        assert(!txn->is_write);
        mdb_txn_reset(txn->native);
        slot_give(txn->db, txn);
    }
}

void env_close_readers(struct db *db)
{
    for (size_t i = 0; i < db->reader_count; i++) {
        assert(db->readers[i].began_ms == 0);
        if (db->readers[i].native != NULL) {
            mdb_txn_abort(db->readers[i].native);
        }
    }
}

/* Says so once when the disk gets full, and once when it has room again. */
static enum rc check_floor(struct db *db)
{
    struct statvfs disk;
    uint64_t free_bytes;

    if (fstatvfs(db->lock, &disk) != 0) {
        return failed(RC_UNAVAILABLE, "disk.unknown", "path=%s errno=%d", db->path, errno);
    }
    free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes < db->floor_bytes) {
        if (!db->is_full) {
            log_error("disk.full", "path=%s free_bytes=%llu floor_bytes=%llu nothing is accepted",
                      db->path, (unsigned long long)free_bytes,
                      (unsigned long long)db->floor_bytes);
        }
        db->is_full = true;
        return RC_UNAVAILABLE;
    }
    if (db->is_full) {
        log_info("disk.has_room", "path=%s free_bytes=%llu", db->path,
                 (unsigned long long)free_bytes);
        db->is_full = false;
    }
    return RC_OK;
}

enum rc txn_write(struct db *db, struct txn **txn)
{
    MDB_txn *native;
    enum rc rc = env_rc(db, mdb_txn_begin(db->env, NULL, 0, &native), "txn.write");

    TRY(rc);
    rc = check_floor(db);
    if (rc != RC_OK) {
        mdb_txn_abort(native);
        return rc;
    }
    buffer_clear(&db->touched);
    db->write = (struct txn){.db = db, .native = native, .is_write = true};
    *txn = &db->write;
    return RC_OK;
}

/*
 * These come before anything is written to the file, so the disk is as it was. After any other
 * failure nobody knows what is on it.
 */
static bool is_harmless(int error)
{
    return error == MDB_MAP_FULL || error == MDB_TXN_FULL || error == ENOMEM;
}

enum rc txn_commit(struct txn *txn)
{
    struct db *db = txn->db;
    MDB_txn *native = txn->native;
    int error;

    enum rc rc = txn->state;

    assert(txn->is_write);
    if (rc == RC_OK && db->is_followed && db->touched.size > 0) {
        rc = db->touched.is_failed ? RC_RESOURCE_EXHAUSTED
                                   : feed_record(txn, buffer_bytes(&db->touched));
    }
    if (rc != RC_OK) {
        txn_abort(txn);
        return rc;
    }
    /* With this the next writer may come in: txn is no longer ours. */
    error = mdb_txn_commit(native);
    if (error != MDB_SUCCESS && !is_harmless(error) && db->kind != DB_INDEX) {
        db_fatal("txn.commit", mdb_strerror(error));
    }
    return env_rc(db, error, "txn.commit");
}

void txn_abort(struct txn *txn)
{
    assert(txn->is_write);
    mdb_txn_abort(txn->native);
}

size_t txn_puts(const struct txn *txn)
{
    return txn->puts;
}

enum rc txn_state(const struct txn *txn)
{
    return txn->state;
}

struct db *txn_db(const struct txn *txn)
{
    return txn->db;
}

void db_confirm(struct db *db, uint64_t sequence)
{
    atomic_store(&db->confirmed, sequence);
}

uint64_t db_confirmed(const struct db *db)
{
    return atomic_load(&db->confirmed);
}

bool db_is_followed(const struct db *db)
{
    return db->is_followed;
}

struct append *txn_append(const struct txn *txn)
{
    return txn->append;
}

void txn_set_append(struct txn *txn, struct append *append)
{
    txn->append = append;
}

void db_check_readers(struct db *db)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t oldest_ms = now_ms;
    int dead = 0;

    if (mdb_reader_check(db->env, &dead) == MDB_SUCCESS && dead > 0) {
        log_warn("db.readers_dead", "path=%s freed=%d", db->path, dead);
    }
    pthread_mutex_lock(&db->lock_readers);
    for (size_t i = 0; i < db->reader_count; i++) {
        int64_t began_ms = db->readers[i].began_ms;

        oldest_ms = began_ms != 0 && began_ms < oldest_ms ? began_ms : oldest_ms;
    }
    pthread_mutex_unlock(&db->lock_readers);
    if (now_ms - oldest_ms > READ_HELD_MS) {
        log_warn("db.reader_held", "path=%s for_ms=%lld the file grows meanwhile", db->path,
                 (long long)(now_ms - oldest_ms));
    }
}
