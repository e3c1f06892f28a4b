#include "store/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/durable.h"
#include "store/env.h"

#define MANIFEST "manifest"
#define DEPTH_MAX 4
#define COPY_BLOCK ((size_t)256 << 10)

static const char *kind_name(enum archive_kind kind)
{
    return kind == ARCHIVE_LOG ? "log" : "vault";
}

static enum archive_kind other_kind(enum archive_kind kind)
{
    return kind == ARCHIVE_LOG ? ARCHIVE_VAULT : ARCHIVE_LOG;
}

static enum rc join(const char *folder, const char *name, char out[PATH_MAX])
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX ? RC_OK
                                 : failed(RC_INVALID_ARGUMENT, "backup.path", "cause=too long");
}

static enum rc refuse_place(const char *path, const char *why)
{
    return failed(RC_FAILED_PRECONDITION, "backup.refused", "path=%s why=\"%s\"", path, why);
}

/* ---- manifests ---- */

static size_t manifest_text(enum archive_kind kind, char out[64])
{
    return (size_t)snprintf(out, 64, "enlace backup v1\nkind %s\n", kind_name(kind));
}

static bool is_archive(const char *folder, enum archive_kind kind)
{
    char path[PATH_MAX];
    char wanted[64];
    char found[64];
    size_t size = manifest_text(kind, wanted);
    FILE *file;
    size_t read;

    if (snprintf(path, sizeof path, "%s/" MANIFEST, folder) >= PATH_MAX) {
        return false;
    }
    file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    read = fread(found, 1, sizeof found, file);
    fclose(file);
    return read == size && memcmp(found, wanted, size) == 0;
}

/* The folder itself, the one above it, and all that lie beside it. */
static enum rc check_apart(const char *archive, enum archive_kind kind)
{
    enum archive_kind other = other_kind(kind);
    const char *slash = strrchr(archive, '/');
    struct dirent *entry;
    char above[PATH_MAX];
    char path[PATH_MAX];
    bool is_beside = false;
    DIR *listing;

    snprintf(above, sizeof above, "%.*s", slash == NULL ? 1 : (int)(slash - archive) + 1,
             slash == NULL ? "." : archive);
    listing = opendir(above);
    if (listing == NULL) {
        return durable_failed("backup.folder", above);
    }
    is_beside = is_archive(above, other);
    while (!is_beside && (entry = readdir(listing)) != NULL) {
        is_beside = strcmp(entry->d_name, "..") != 0 && join(above, entry->d_name, path) == RC_OK &&
                    is_archive(path, other);
    }
    closedir(listing);
    return is_beside ? refuse_place(archive, "a backup of the other kind is there or beside it; "
                                             "log and vault are never kept together")
                     : RC_OK;
}

/* ---- copying ---- */

static enum rc copy_bytes(int from, int to, const char *name)
{
    uint8_t *block = malloc(COPY_BLOCK);
    enum rc rc = block == NULL ? RC_RESOURCE_EXHAUSTED : RC_OK;

    while (rc == RC_OK) {
        ssize_t size = read(from, block, COPY_BLOCK);

        if (size <= 0) {
            rc = size == 0 ? RC_NOT_FOUND : durable_failed("backup.read", name);
        } else if (write(to, block, (size_t)size) != size) {
            rc = durable_failed("backup.write", name);
        }
    }
    if (block != NULL) {
        explicit_bzero(block, COPY_BLOCK); /* a vault's keys went through it */
    }
    free(block);
    return rc == RC_NOT_FOUND ? durable_sync(to, name) : rc;
}

static enum rc copy_file(int from_folder, int to_folder, const char *name)
{
    int from = openat(from_folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to;
    enum rc rc;

    if (from < 0) {
        return errno == ENOENT ? RC_OK : durable_failed("backup.read", name); /* gone meanwhile */
    }
    to = openat(to_folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    rc = to < 0 ? durable_failed("backup.write", name) : copy_bytes(from, to, name);
    close(from);
    if (to >= 0) {
        close(to);
    }
    return rc;
}

static enum rc copy_folder(int from, int to, unsigned depth);

static enum rc copy_entry(int from, int to, const struct dirent *entry, unsigned depth)
{
    const char *name = entry->d_name;
    int from_child = -1;
    int to_child = -1;
    enum rc rc;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, MANIFEST) == 0 ||
        strcmp(name, ".anchor") == 0) {
        return RC_OK; /* the anchor remembers this machine's log, not the backup's */
    }
    if (entry->d_type == DT_REG) {
        return copy_file(from, to, name);
    }
    if (entry->d_type != DT_DIR || depth == 0) {
        return RC_OK;
    }
    TRY(durable_folder(from, name, false, &from_child));
    rc = durable_folder(to, name, true, &to_child);
    if (rc == RC_OK) {
        rc = copy_folder(from_child, to_child, depth - 1);
        close(to_child);
    }
    close(from_child);
    return rc;
}

static enum rc copy_folder(int from, int to, unsigned depth)
{
    int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    enum rc rc = RC_OK;

    if (listing == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        return durable_failed("backup.list", ".");
    }
    while (rc == RC_OK && (entry = readdir(listing)) != NULL) {
        rc = copy_entry(from, to, entry, depth);
    }
    closedir(listing);
    return rc == RC_OK ? durable_sync(to, ".") : rc;
}

/* Makes a folder, and its name durable; one that is there is fine. */
static enum rc make_folder(const char *path)
{
    char above[PATH_MAX];
    int fd;
    enum rc rc;

    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST ? RC_OK : durable_failed("backup.folder", path);
    }
    TRY(join(path, "..", above));
    fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return durable_failed("backup.folder", above);
    }
    rc = durable_sync(fd, above);
    close(fd);
    return rc;
}

static enum rc copy_tree(const char *from_path, const char *to_path)
{
    int from = -1;
    int to = -1;
    enum rc rc;

    TRY(durable_folder(AT_FDCWD, from_path, false, &from));
    rc = make_folder(to_path);
    rc = rc == RC_OK ? durable_folder(AT_FDCWD, to_path, false, &to) : rc;
    if (rc == RC_OK) {
        rc = copy_folder(from, to, DEPTH_MAX);
        close(to);
    }
    close(from);
    return rc;
}

/* ---- environments ---- */

/* Nobody has it open, and nobody opens it until the descriptor is closed. */
static enum rc hold_lock(const char *env, int *lock)
{
    char path[PATH_MAX];

    TRY(join(env, "enlace.lock", path));
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*lock < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("backup.lock", path);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0) {
        return RC_OK;
    }
    close(*lock);
    *lock = -1;
    return refuse_place(env, "the node runs: stop it, or let it make the backup (SIGUSR1); of a "
                             "follower's copy: stop the follower");
}

static enum rc copy_env(MDB_env *env, const char *to)
{
    int error;
    int fd = -1;
    enum rc rc;

    TRY(make_folder(to));
    error = mdb_env_copy2(env, to, MDB_CP_COMPACT);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "backup.copy", "path=%s cause=%s", to, mdb_strerror(error));
    }
    TRY(durable_folder(AT_FDCWD, to, false, &fd));
    rc = durable_sync(fd, to);
    close(fd);
    return rc;
}

/* Of a stopped node. */
static enum rc copy_closed(const char *from, const char *to)
{
    MDB_env *env = NULL;
    int lock = -1;
    int error;
    enum rc rc;

    TRY(hold_lock(from, &lock));
    error = mdb_env_create(&env);
    error = error != 0 ? error : mdb_env_set_maxdbs(env, TABLES);
    error = error != 0 ? error : mdb_env_open(env, from, MDB_RDONLY | MDB_NOTLS, 0600);
    rc = error != 0
             ? failed(RC_UNAVAILABLE, "backup.open", "path=%s cause=%s", from, mdb_strerror(error))
             : copy_env(env, to);
    mdb_env_close(env);
    close(lock);
    return rc;
}

static enum rc copy_env_named(const struct archive_options *options, const char *name)
{
    char from[PATH_MAX];
    char to[PATH_MAX];

    TRY(join(options->live, name, from));
    TRY(join(options->archive, name, to));
    return options->log != NULL && strcmp(name, "log") == 0 ? copy_env(options->log->env, to)
                                                            : copy_closed(from, to);
}

/*
 * The running node's `seen` is not copied: it is the memory of what others signed, and is never
 * put back to an older state beside a log that went on.
 */
static enum rc copy_log(const struct archive_options *options)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    enum rc rc;

    TRY(copy_env_named(options, "log"));
    if (options->log == NULL) {
        rc = copy_env_named(options, "seen");
        if (rc != RC_NOT_FOUND) {
            TRY(rc);
        }
    }
    TRY(join(options->live, "files", from));
    TRY(join(options->archive, "files", to));
    rc = copy_tree(from, to);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- making, restoring ---- */

/* Whether `inner` is `outer` or within it, by their real paths. */
static bool is_within(const char *inner, const char *outer)
{
    char real_inner[PATH_MAX];
    char real_outer[PATH_MAX];
    size_t size;

    if (realpath(inner, real_inner) == NULL || realpath(outer, real_outer) == NULL) {
        return false;
    }
    size = strlen(real_outer);
    return strncmp(real_inner, real_outer, size) == 0 &&
           (real_inner[size] == '/' || real_inner[size] == '\0');
}

static enum rc check_stopped(const struct archive_options *options)
{
    char log[PATH_MAX];
    struct stat status;
    int lock = -1;

    TRY(join(options->live, "log", log));
    if (options->kind != ARCHIVE_LOG || stat(log, &status) != 0) {
        return RC_OK;
    }
    TRY(hold_lock(log, &lock));
    close(lock);
    return RC_OK;
}

enum rc archive_make(const struct archive_options *options)
{
    char manifest[64];
    size_t size = manifest_text(options->kind, manifest);
    int folder = -1;
    enum rc rc;

    TRY(check_apart(options->archive, options->kind));
    if (options->log == NULL) {
        TRY(check_stopped(options));
    }
    if (access(options->archive, F_OK) == 0) {
        return failed(RC_ALREADY_EXISTS, "backup.refused",
                      "path=%s why=\"it is there; name a new folder\"", options->archive);
    }
    TRY(make_folder(options->archive));
    if (is_within(options->archive, options->live)) {
        (void)rmdir(options->archive);
        return refuse_place(options->archive, "within what it is a backup of");
    }
    rc = options->kind == ARCHIVE_LOG ? copy_log(options)
                                      : copy_tree(options->live, options->archive);
    TRY(rc);
    TRY(durable_folder(AT_FDCWD, options->archive, false, &folder));
    rc = durable_write(folder, MANIFEST, BYTES(manifest, size));
    close(folder);
    TRY(rc);
    log_info("backup.made", "kind=%s path=%s", kind_name(options->kind), options->archive);
    return RC_OK;
}

/* A log is there when its environment is, a vault when its id is. */
static enum rc check_empty(const struct archive_options *options)
{
    char path[PATH_MAX];
    struct stat status;

    TRY(join(options->live, options->kind == ARCHIVE_LOG ? "log" : "id", path));
    if (stat(path, &status) != 0 && errno == ENOENT) {
        return RC_OK;
    }
    return failed(RC_ALREADY_EXISTS, "restore.refused",
                  "path=%s why=\"there is a %s already; two copies of one log are two histories\" "
                  "remedy=\"stop the node and move this folder away\"",
                  options->live, kind_name(options->kind));
}

enum rc archive_mark_log(int folder)
{
    char manifest[64];
    size_t size = manifest_text(ARCHIVE_LOG, manifest);

    return durable_write(folder, MANIFEST, BYTES(manifest, size));
}

enum rc archive_unmark_log(int folder)
{
    enum rc rc = durable_unlink(folder, MANIFEST);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* A follower's copy is a backup that grows: not while it does. */
static enum rc hold_archive(const struct archive_options *options, int *lock)
{
    char path[PATH_MAX];
    char file[PATH_MAX];

    *lock = -1;
    TRY(join(options->archive, "log", path));
    TRY(join(path, "enlace.lock", file));
    if (access(file, F_OK) != 0) {
        return RC_OK;
    }
    return hold_lock(path, lock);
}

/*
 * What goes on from a backup is not what the node's follower saw go on: another feed (feed.h), so
 * that the follower looks at the whole log again.
 */
static int end_feed_in(MDB_env *env)
{
    MDB_val key = {.mv_size = sizeof "feed" - 1, .mv_data = (char[]){"feed"}};
    MDB_txn *txn = NULL;
    MDB_dbi format;
    int error = mdb_txn_begin(env, NULL, 0, &txn);

    if (error != 0) {
        return error;
    }
    error = mdb_dbi_open(txn, "format", 0, &format);
    error = error != 0 ? error : mdb_del(txn, format, &key, NULL);
    if (error != 0) {
        mdb_txn_abort(txn);
        return error == MDB_NOTFOUND ? 0 : error;
    }
    return mdb_txn_commit(txn);
}

static enum rc end_feed(const char *live)
{
    char path[PATH_MAX];
    MDB_env *env = NULL;
    int error;

    TRY(join(live, "log", path));
    error = mdb_env_create(&env);
    error = error != 0 ? error : mdb_env_set_maxdbs(env, TABLES);
    error = error != 0 ? error : mdb_env_set_mapsize(env, DB_MAP_SIZE);
    error = error != 0 ? error : mdb_env_open(env, path, MDB_NOTLS, 0600);
    error = error != 0 ? error : end_feed_in(env);
    mdb_env_close(env);
    return error == 0 ? RC_OK
                      : failed(RC_UNAVAILABLE, "restore.open", "path=%s cause=%s", path,
                               mdb_strerror(error));
}

enum rc archive_restore(const struct archive_options *options)
{
    int lock;
    enum rc rc;

    if (!is_archive(options->archive, options->kind)) {
        return failed(RC_INVALID_ARGUMENT, "restore.refused",
                      "path=%s why=\"no whole backup of a %s\"", options->archive,
                      kind_name(options->kind));
    }
    TRY(check_stopped(options));
    TRY(check_empty(options));
    TRY(hold_archive(options, &lock));
    rc = is_archive(options->archive, options->kind)
             ? copy_tree(options->archive, options->live)
             : refuse_place(options->archive, "its follower began again meanwhile");
    if (lock >= 0) {
        close(lock);
    }
    TRY(rc);
    if (options->kind == ARCHIVE_LOG) {
        TRY(end_feed(options->live));
    }
    log_warn("restore.done",
             "kind=%s path=%s remedy=\"start the node: when its anchor or a peer remembers more "
             "than this backup, it refuses, and a new epoch of the log is begun (enlace log "
             "succeed)\"",
             kind_name(options->kind), options->live);
    return RC_OK;
}
