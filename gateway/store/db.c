#include "store/env.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "store/feed.h"

/*
 * A build that skips fsync exists for one test, which must catch it losing what it answered. No
 * setting reaches this.
 */
#ifdef ENLACE_TEST_NO_SYNC
#define DB_SYNC_FLAGS MDB_NOSYNC
#else
#define DB_SYNC_FLAGS 0
#endif

#define LOCK_NAME "enlace.lock"
#define PATH_SIZE 4096

struct table_name {
    enum db_kind kind; /* the environment that has it; 0: each */
    const char *name;
};

static const struct table_name names[TABLES] = {
    [TABLE_FORMAT] = {0, "format"},
    [TABLE_COMMIT] = {DB_LOG, "commit"},
    [TABLE_CHECKPOINT] = {DB_LOG, "checkpoint"},
    [TABLE_MESSAGE] = {DB_LOG, "message"},
    [TABLE_KEY] = {DB_LOG, "key"},
    [TABLE_TAG] = {DB_LOG, "tag"},
    [TABLE_TAGINDEX] = {DB_LOG, "tagindex"},
    [TABLE_DEBT] = {DB_LOG, "debt"},
    [TABLE_EXCHANGE] = {DB_LOG, "exchange"},
    [TABLE_EVIDENCE] = {DB_LOG, "evidence"},
    [TABLE_PROOF] = {DB_LOG, "proof"},
    [TABLE_NOTE] = {DB_LOG, "note"},
    [TABLE_TIMER] = {DB_LOG, "timer"},
    [TABLE_COSIGNED] = {DB_LOG, "cosigned"},
    [TABLE_ORDER] = {DB_LOG, "order"},
    [TABLE_ORDERED] = {DB_LOG, "ordered"},
    [TABLE_DUTY] = {DB_LOG, "duty"},
    [TABLE_APPROVAL] = {DB_LOG, "approval"},
    [TABLE_WILL] = {DB_LOG, "will"},
    [TABLE_CHANGE] = {DB_LOG, "change"},
    [TABLE_SEEN] = {DB_SEEN, "seen"},
    [TABLE_POSTING] = {DB_INDEX, "posting"},
};

static bool has_table(const struct db *db, enum table table)
{
    return names[table].kind == db->kind || names[table].kind == 0;
}

const char *db_table_name(const struct db *db, enum table table)
{
    return has_table(db, table) ? names[table].name : NULL;
}

enum rc db_table_named(const struct db *db, struct bytes name, enum table *table)
{
    for (int i = 0; i < TABLES; i++) {
        if (has_table(db, (enum table)i) && bytes_are_text(name, names[i].name)) {
            *table = (enum table)i;
            return RC_OK;
        }
    }
    return RC_NOT_FOUND;
}

static enum rc system_failed(const char *event, const char *path)
{
    return failed(RC_UNAVAILABLE, event, "path=%s cause=%s", path, strerror(errno));
}

static enum rc make_folder(const char *path)
{
    struct stat folder;

    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return system_failed("db.folder", path);
    }
    if (stat(path, &folder) != 0) {
        return system_failed("db.folder", path);
    }
    if (!S_ISDIR(folder.st_mode) || (folder.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return failed(RC_FAILED_PRECONDITION, "db.folder",
                      "path=%s cause=must be a folder that only its owner may write to "
                      "remedy=chmod 700",
                      path);
    }
    return RC_OK;
}

/* Held until the descriptor is closed, so also when the process is killed. */
static enum rc take_lock(struct db *db)
{
    char path[PATH_SIZE];

    if ((size_t)snprintf(path, sizeof path, "%s/%s", db->path, LOCK_NAME) >= sizeof path) {
        return failed(RC_INVALID_ARGUMENT, "db.path", "cause=too long");
    }
    db->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (db->lock < 0) {
        return system_failed("db.lock", path);
    }
    if (flock(db->lock, LOCK_EX | LOCK_NB) == 0) {
        return RC_OK;
    }
    if (errno != EWOULDBLOCK) {
        return system_failed("db.lock", path);
    }
    return failed(RC_FAILED_PRECONDITION, "db.locked",
                  "path=%s cause=another process has this store open remedy=stop it first",
                  db->path);
}

/* What LMDB would abort for: a page that is not what its place says. */
static void on_broken_page(MDB_env *env, const char *what)
{
    const struct db *db = mdb_env_get_userctx(env);

    log_fatal("store.damaged", "path=%s cause=%s remedy=stop the node, run enlaced --check",
              db->path, what);
    db_fatal("store.damaged", db->path);
}

static enum rc open_env(struct db *db, uint64_t map_size)
{
    unsigned flags = MDB_NOTLS | DB_SYNC_FLAGS | (db->kind == DB_INDEX ? MDB_NOSYNC : 0);
    int error;

    TRY(env_rc(db, mdb_env_create(&db->env), "db.create"));
    error = mdb_env_set_userctx(db->env, db);
    error = error != 0 ? error : mdb_env_set_assert(db->env, on_broken_page);
    error = error != 0 ? error : mdb_env_set_maxdbs(db->env, TABLES);
    error = error != 0 ? error : mdb_env_set_maxreaders(db->env, DB_READERS_MAX + 16);
    error = error != 0 ? error : mdb_env_set_mapsize(db->env, map_size);
    error = error != 0 ? error : mdb_env_open(db->env, db->path, flags, 0600);
    if (DB_SYNC_FLAGS != 0) {
        log_warn("db.sync_off", "path=%s this build is for a test and loses data", db->path);
    }
    return env_rc(db, error, "db.open");
}

static void write_format(const struct db *db, struct buffer *row)
{
    buffer_put_u16(row, DB_FORMAT);
    buffer_put_u8(row, (uint8_t)db->kind);
    buffer_put_u32(row, db->epoch);
    buffer_put_chunk(row, bytes_text(db->origin));
}

/* Another version may have another row: nothing after it is read then. */
static enum rc check_format(const struct db *db, struct bytes found)
{
    struct reader reader = {.rest = found};
    unsigned version = reader_u16(&reader);
    unsigned kind;
    unsigned epoch;
    struct bytes origin;

    if (version != DB_FORMAT) {
        return failed(RC_FAILED_PRECONDITION, "db.format",
                      "path=%s found_version=%u wanted_version=%d remedy=run the release that made "
                      "it",
                      db->path, version, DB_FORMAT);
    }
    kind = reader_u8(&reader);
    epoch = reader_u32(&reader);
    origin = reader_chunk(&reader);
    if (!reader_is_done(&reader)) {
        return failed(RC_DATA_LOSS, "db.format", "path=%s cause=damaged", db->path);
    }
    if (kind != db->kind || epoch != db->epoch || !bytes_are_text(origin, db->origin)) {
        return failed(RC_FAILED_PRECONDITION, "db.format",
                      "path=%s found_kind=%u found_origin=%.*s found_epoch=%u wanted_kind=%u "
                      "wanted_origin=%s wanted_epoch=%u remedy=this store belongs to another log",
                      db->path, kind, (int)origin.size, (const char *)origin.data, epoch,
                      (unsigned)db->kind, db->origin, db->epoch);
    }
    return RC_OK;
}

static enum rc format_row(struct db *db, MDB_txn *txn)
{
    OWN(buffer) row = {0};
    MDB_val key = {.mv_size = sizeof "format" - 1, .mv_data = (char[]){"format"}};
    MDB_val value;
    int error = mdb_get(txn, db->tables[TABLE_FORMAT], &key, &value);

    if (error == MDB_SUCCESS) {
        return check_format(db, BYTES(value.mv_data, value.mv_size));
    }
    write_format(db, &row);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    value = (MDB_val){.mv_size = row.size, .mv_data = row.data};
    return env_rc(db, mdb_put(txn, db->tables[TABLE_FORMAT], &key, &value, 0), "db.format");
}

/* What has tables but no format is not ours, or is damaged. */
static enum rc open_format(struct db *db, MDB_txn *txn)
{
    MDB_dbi main_table;
    MDB_stat stat;
    int error = mdb_dbi_open(txn, NULL, 0, &main_table);

    error = error != 0 ? error : mdb_stat(txn, main_table, &stat);
    TRY(env_rc(db, error, "db.open"));
    error = mdb_dbi_open(txn, names[TABLE_FORMAT].name, stat.ms_entries == 0 ? MDB_CREATE : 0,
                         &db->tables[TABLE_FORMAT]);
    if (error == MDB_NOTFOUND) {
        return failed(RC_DATA_LOSS, "db.format", "path=%s cause=no format row", db->path);
    }
    TRY(env_rc(db, error, "db.open"));
    return format_row(db, txn);
}

static enum rc open_tables_in(struct db *db, MDB_txn *txn)
{
    TRY(open_format(db, txn));
    for (int i = 0; i < TABLES; i++) {
        if (i != TABLE_FORMAT && has_table(db, (enum table)i)) {
            TRY(env_rc(db, mdb_dbi_open(txn, names[i].name, MDB_CREATE, &db->tables[i]),
                       "db.open"));
        }
    }
    return RC_OK;
}

/* A feed has no gaps: where nothing is kept it ends, and the next one has another id. */
static enum rc open_feed(struct db *db, MDB_txn *txn)
{
    uint8_t id[FEED_ID_SIZE];
    MDB_val key = {.mv_size = sizeof "feed" - 1, .mv_data = (char[]){"feed"}};
    MDB_val value;
    int error;

    if (db->kind != DB_LOG) {
        return RC_OK;
    }
    error = mdb_get(txn, db->tables[TABLE_FORMAT], &key, &value);
    if (error != (db->is_followed ? MDB_NOTFOUND : MDB_SUCCESS)) {
        return error == MDB_NOTFOUND ? RC_OK : env_rc(db, error, "db.open");
    }
    error = mdb_drop(txn, db->tables[TABLE_CHANGE], 0);
    if (error == 0 && db->is_followed) {
        random_fill(id, sizeof id);
        value = (MDB_val){.mv_size = sizeof id, .mv_data = id};
        error = mdb_put(txn, db->tables[TABLE_FORMAT], &key, &value, 0);
    } else if (error == 0) {
        error = mdb_del(txn, db->tables[TABLE_FORMAT], &key, NULL);
    }
    return env_rc(db, error, "db.open");
}

/* One transaction: a store has all its tables and its format, or nothing. */
static enum rc open_tables(struct db *db)
{
    MDB_txn *txn;
    enum rc rc;

    TRY(env_rc(db, mdb_txn_begin(db->env, NULL, 0, &txn), "db.open"));
    rc = open_tables_in(db, txn);
    rc = rc == RC_OK ? open_feed(db, txn) : rc;
    if (rc != RC_OK) {
        mdb_txn_abort(txn);
        return rc;
    }
    return env_rc(db, mdb_txn_commit(txn), "db.open");
}

static enum rc sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_synced ? RC_OK : system_failed("db.sync", path);
}

/* The names of new files are only safe once the folders that hold them are. */
static enum rc sync_names(const struct db *db)
{
    char parent[PATH_SIZE];

    TRY(sync_folder(db->path));
    snprintf(parent, sizeof parent, "%s", db->path);
    return sync_folder(dirname(parent));
}

static enum rc open_all(struct db *db, uint64_t map_size)
{
    TRY(make_folder(db->path));
    TRY(take_lock(db));
    TRY(open_env(db, map_size));
    TRY(open_tables(db));
    TRY(sync_names(db));
    db_check_readers(db);
    return RC_OK;
}

enum rc db_open(const struct db_options *options, struct db **db)
{
    OWN_PTR(db) made = NULL;

    if (strlen(options->origin) > DB_ORIGIN_MAX || strlen(options->path) >= PATH_SIZE - 16) {
        return failed(RC_INVALID_ARGUMENT, "db.options", "cause=origin or path too long");
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->lock = -1;
    pthread_mutex_init(&made->lock_readers, NULL);
    made->path = strdup(options->path);
    if (made->path == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    snprintf(made->origin, sizeof made->origin, "%s", options->origin);
    made->kind = options->kind;
    made->epoch = options->epoch;
    made->is_followed = options->is_followed;
    made->floor_bytes = options->floor_bytes != 0 ? options->floor_bytes : DB_FLOOR;
    TRY(open_all(made, options->map_size != 0 ? options->map_size : DB_MAP_SIZE));
    *db = MOVE(made);
    return RC_OK;
}

void db_free(struct db *db)
{
    if (db == NULL) {
        return;
    }
    if (db->env != NULL) {
        env_close_readers(db);
        mdb_env_close(db->env);
    }
    /* Last: whoever comes next finds the environment closed. */
    if (db->lock >= 0) {
        close(db->lock);
    }
    pthread_mutex_destroy(&db->lock_readers);
    buffer_release(&db->touched);
    free(db->path);
    free(db);
}

enum rc db_sync(struct db *db)
{
    assert(db->kind == DB_INDEX);
    return env_rc(db, mdb_env_sync(db->env, 1), "db.sync");
}

const char *db_origin(const struct db *db)
{
    return db->origin;
}

uint32_t db_epoch(const struct db *db)
{
    return db->epoch;
}

const char *db_path(const struct db *db)
{
    return db->path;
}
