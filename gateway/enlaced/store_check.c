#include "enlaced/store_check.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "enlaced/settings.h"
#include "model/directory.h"
#include "store/anchor.h"
#include "store/db.h"
#include "store/dbcheck.h"
#include "store/seen.h"
#include "store/vault.h"
#include "tlog/vkey.h"

#define PATH_SIZE (CONF_TEXT_SIZE + 16)
#define POLL_MS 10
/* No row in this time: it goes in circles. */
#define STUCK_MS 60000

struct checking {
    const struct settings *settings;
    const struct vkey *vkey;
    uint32_t epoch; /* of our log */
    const struct directory *directory;
    struct dbcheck_progress *progress; /* shared with the child */
};

/* Opening makes what is missing: a check must not. */
static enum rc must_be_there(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0
               ? RC_OK
               : failed(RC_NOT_FOUND, "store.missing", "path=%s cause=%s", path, strerror(errno));
}

/* Of an empty one LMDB would make a new store. */
static enum rc must_have_file(const char *folder)
{
    char path[PATH_SIZE + 16];
    struct stat facts;

    snprintf(path, sizeof path, "%s/data.mdb", folder);
    TRY(must_be_there(path));
    return stat(path, &facts) == 0 && facts.st_size > 0
               ? RC_OK
               : failed(RC_DATA_LOSS, "store.damaged", "path=%s cause=empty", path);
}

static enum rc open_db(const struct checking *checking, enum db_kind kind, const char *path,
                       struct db **db)
{
    const struct db_options options = {.kind = kind,
                                       .path = path,
                                       .origin = kind == DB_LOG ? checking->vkey->name
                                                                : checking->settings->node,
                                       .epoch = kind == DB_LOG ? checking->epoch : 0,
                                       .floor_bytes = 1,
                                       .is_followed = checking->settings->follower[0] != '\0',
                                       .map_size = 0};

    snprintf(checking->progress->step, sizeof checking->progress->step, "opening");
    TRY(must_have_file(path));
    return db_open(&options, db);
}

static enum rc check_log(const struct checking *checking)
{
    OWN_PTR(vault) vault = NULL;
    OWN_PTR(db) db = NULL;
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/log", checking->settings->data);
    TRY(open_db(checking, DB_LOG, path, &db));
    TRY(dbcheck_rows(db, checking->progress));
    snprintf(checking->progress->step, sizeof checking->progress->step, "vault");
    TRY(must_be_there(checking->settings->vault));
    TRY(vault_open(checking->settings->vault, path, &vault));
    return dbcheck_log(db, checking->vkey, vault, checking->progress);
}

/* By the keys that the directory has for the logs. */
static enum rc check_notes(const struct checking *checking, struct db *db)
{
    const struct directory *directory = checking->directory;
    struct vkey *vkeys = calloc(directory->node_count + 1, sizeof *vkeys);
    size_t count = 0;
    enum rc rc;

    if (vkeys == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < directory->node_count; i++) {
        count += vkey_parse(bytes_text(directory->nodes[i].log_vkey), &vkeys[count]) == RC_OK;
    }
    rc = dbcheck_seen(db, vkeys, count, checking->progress);
    free(vkeys);
    return rc;
}

/* Rows first; then as the node itself reads them. */
static enum rc check_seen(const struct checking *checking)
{
    struct seen_options options = {.origin = checking->settings->node, .floor_bytes = 1};
    OWN_PTR(seen) seen = NULL;
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/seen", checking->settings->data);
    {
        OWN_PTR(db) db = NULL;

        TRY(open_db(checking, DB_SEEN, path, &db));
        TRY(dbcheck_rows(db, checking->progress));
        TRY(check_notes(checking, db));
    }
    options.path = path;
    return seen_open(&options, &seen);
}

static enum rc check_anchor(const struct checking *checking)
{
    const struct settings *settings = checking->settings;
    OWN_PTR(anchor) anchor = NULL;
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s%s",
             settings->anchor[0] != '\0' ? settings->anchor : settings->vault,
             settings->anchor[0] != '\0' ? "" : "/.anchor");
    TRY(must_be_there(path));
    return anchor_open(path, checking->epoch, checking->vkey->name, &anchor);
}

static void say_where(const char *name, const struct dbcheck_progress *progress, const char *why)
{
    char key[2 * DBCHECK_KEY_MAX + 1];

    hex_encode(progress->key, progress->key_size, key);
    printf("%s: DAMAGED: %s at %s, after row %" PRIu64 " (key %s)\n", name, why, progress->step,
           progress->rows, key);
}

/* The child's status as waitpid gives it; ends a child that no longer comes on. */
static int watch(pid_t child, const struct dbcheck_progress *progress)
{
    int64_t moved_ms = clock_monotonic_ms();
    uint64_t rows = 0;
    int status = 0;

    while (waitpid(child, &status, WNOHANG) == 0) {
        if (progress->rows != rows) {
            rows = progress->rows;
            moved_ms = clock_monotonic_ms();
        }
        if (clock_monotonic_ms() - moved_ms > STUCK_MS) {
            kill(child, SIGKILL);
        }
        clock_sleep_ms(POLL_MS);
    }
    return status;
}

static bool is_well(const char *name, int status, const struct dbcheck_progress *progress)
{
    char why[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        printf("%s: ok, %" PRIu64 " rows, %" PRIu64 " leaves proven, %" PRIu64 " bodies opened\n",
               name, progress->rows, progress->leaves, progress->bodies);
        if (progress->minimum > 0) {
            printf("%s: pruned: audit records of leaves below %" PRIu64 " were given up\n", name,
                   progress->minimum);
        }
        return true;
    }
    if (WIFSIGNALED(status)) {
        snprintf(why, sizeof why, "reading it ends with signal %d", WTERMSIG(status));
    } else {
        snprintf(why, sizeof why, "see the line above");
    }
    say_where(name, progress, why);
    return false;
}

/* A sanitizer's handlers would make a report of what is an answer here. */
static _Noreturn void be_child(enum rc (*check)(const struct checking *checking),
                               const struct checking *checking)
{
    signal(SIGBUS, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGFPE, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    _exit(check(checking) == RC_OK ? 0 : 1);
}

static bool run_check(const char *name, enum rc (*check)(const struct checking *checking),
                      const struct checking *checking)
{
    pid_t child;

    memset(checking->progress, 0, sizeof *checking->progress);
    fflush(stdout);
    child = fork();
    if (child < 0) {
        log_error("check.fork", "cause=%s", strerror(errno));
        return false;
    }
    if (child == 0) {
        be_child(check, checking);
    }
    return is_well(name, watch(child, checking->progress), checking->progress);
}

int store_check(const struct settings *settings, const struct vkey *log_vkey, uint32_t epoch,
                const struct directory *directory)
{
    struct checking checking = {
        .settings = settings, .vkey = log_vkey, .epoch = epoch, .directory = directory};
    bool is_good;

    checking.progress = mmap(NULL, sizeof *checking.progress, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (checking.progress == MAP_FAILED) {
        return EXIT_FAILURE;
    }
    is_good = run_check("log", check_log, &checking);
    is_good = run_check("seen", check_seen, &checking) && is_good;
    is_good = run_check("anchor", check_anchor, &checking) && is_good;
    munmap(checking.progress, sizeof *checking.progress);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
