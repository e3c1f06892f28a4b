#include "store/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread_mask.h"
#include "crypto/digest.h"
#include "store/auditlog.h"
#include "store/durable.h"
#include "store/table.h"
#include "store/writer.h"

/*
 * A slot, at 0 and at SLOT_PLACE:
 *     0 "ENLA" | 4 u32 layout, 1 | 8 u64 sequence | 16 u64 size | 24 root[32] | 56 SHA-256(origin)
 *     88 SHA-256 of bytes 0..87
 */
#define SLOT_SIZE ((size_t)120)
#define SLOT_BODY (SLOT_SIZE - DIGEST_SIZE)
#define SLOT_PLACE ((uint64_t)4096)
#define LAYOUT 1u
#define QUEUE_MAX 4096
#define BATCH_MAX ((size_t)256)

static const char magic[4] = {'E', 'N', 'L', 'A'};

struct mark {
    uint64_t sequence; /* 0: none */
    uint64_t size;
    uint8_t root[DIGEST_SIZE];
};

struct anchor {
    int fd;
    char *path;
    uint64_t size_before; /* of the epoch before */
    uint8_t origin[DIGEST_SIZE];
    struct mark mark; /* the start's, then the thread's */
    struct inbox *inbox;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t lock; /* over the pointer */
    struct commit_point *latest;
};

/* ---- the file ---- */

static void encode(const struct anchor *anchor, const struct mark *mark, uint8_t slot[SLOT_SIZE])
{
    OWN(buffer) out = {0};
    struct bytes body = BYTES(slot, SLOT_BODY);

    buffer_put(&out, magic, sizeof magic);
    buffer_put_u32(&out, LAYOUT);
    buffer_put_u64(&out, mark->sequence);
    buffer_put_u64(&out, mark->size);
    buffer_put(&out, mark->root, DIGEST_SIZE);
    buffer_put(&out, anchor->origin, DIGEST_SIZE);
    if (out.is_failed) {
        db_fatal("anchor.write", "out of memory");
    }
    memcpy(slot, out.data, SLOT_BODY);
    digest_of(&body, 1, slot + SLOT_BODY);
}

/* RC_NOT_FOUND: never written. */
static enum rc decode(const struct anchor *anchor, const uint8_t slot[SLOT_SIZE], struct mark *mark)
{
    static const uint8_t empty[SLOT_SIZE];
    struct reader reader = {.rest = BYTES(slot, SLOT_BODY)};
    struct bytes body = reader.rest;
    uint8_t digest[DIGEST_SIZE];
    uint8_t start[sizeof magic];
    uint8_t origin[DIGEST_SIZE];
    uint32_t layout;

    if (memcmp(slot, empty, SLOT_SIZE) == 0) {
        return RC_NOT_FOUND;
    }
    digest_of(&body, 1, digest);
    reader_copy(&reader, start, sizeof start);
    layout = reader_u32(&reader);
    mark->sequence = reader_u64(&reader);
    mark->size = reader_u64(&reader);
    reader_copy(&reader, mark->root, DIGEST_SIZE);
    reader_copy(&reader, origin, DIGEST_SIZE);
    if (!digest_equal(digest, slot + SLOT_BODY) || memcmp(start, magic, sizeof magic) != 0 ||
        layout != LAYOUT || mark->sequence == 0) {
        return RC_DATA_LOSS;
    }
    return digest_equal(origin, anchor->origin) ? RC_OK : RC_FAILED_PRECONDITION;
}

static enum rc refuse_file(const struct anchor *anchor, enum rc rc)
{
    if (rc == RC_FAILED_PRECONDITION) {
        return failed(rc, "anchor.other_log", "path=%s remedy=set anchor to this log's own file",
                      anchor->path);
    }
    return failed(RC_DATA_LOSS, "anchor.damaged",
                  "path=%s remedy=compare the size of this log with what the peers saw last; only "
                  "if it is not smaller remove the file and start again",
                  anchor->path);
}

/* The newer of two good slots; one bad slot is a write that was cut. */
static enum rc read_marks(struct anchor *anchor)
{
    uint8_t slots[SLOT_PLACE + SLOT_SIZE];
    enum rc rc[2];

    if (!durable_read_at(anchor->fd, slots, sizeof slots, 0)) {
        return refuse_file(anchor, RC_DATA_LOSS);
    }
    for (size_t i = 0; i < 2; i++) {
        struct mark mark;

        rc[i] = decode(anchor, slots + i * SLOT_PLACE, &mark);
        if (rc[i] == RC_FAILED_PRECONDITION) {
            return refuse_file(anchor, rc[i]);
        }
        if (rc[i] == RC_OK && mark.sequence > anchor->mark.sequence) {
            anchor->mark = mark;
        }
    }
    if (anchor->mark.sequence == 0 && (rc[0] == RC_DATA_LOSS || rc[1] == RC_DATA_LOSS)) {
        return refuse_file(anchor, RC_DATA_LOSS);
    }
    return RC_OK;
}

static enum rc make_file(struct anchor *anchor)
{
    static const uint8_t empty[SLOT_PLACE + SLOT_SIZE];

    if (!durable_write_at(anchor->fd, empty, sizeof empty, 0)) {
        return durable_failed("anchor.make", anchor->path);
    }
    return durable_sync(anchor->fd, anchor->path);
}

/* So that the file's name is as durable as what stands in it. */
static enum rc sync_folder(const char *path)
{
    OWN(buffer) folder = {0};
    const char *slash = strrchr(path, '/');
    enum rc rc;
    int fd;

    if (slash == NULL) {
        buffer_put_u8(&folder, '.');
    } else {
        buffer_put(&folder, path, (size_t)(slash - path) + 1);
    }
    buffer_put_u8(&folder, 0);
    if (folder.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    fd = open((const char *)folder.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return durable_failed("anchor.folder", path);
    }
    rc = durable_sync(fd, path);
    close(fd);
    return rc;
}

static enum rc open_file(struct anchor *anchor)
{
    struct stat stat;

    anchor->fd = open(anchor->path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (anchor->fd < 0 || fstat(anchor->fd, &stat) != 0) {
        return durable_failed("anchor.open", anchor->path);
    }
    if (flock(anchor->fd, LOCK_EX | LOCK_NB) != 0) {
        return failed(RC_FAILED_PRECONDITION, "anchor.locked",
                      "path=%s cause=another process writes this log remedy=stop it first; two "
                      "copies of a log must never run at one time",
                      anchor->path);
    }
    if (stat.st_size < (off_t)(SLOT_PLACE + SLOT_SIZE)) { /* new, or its making was cut short */
        TRY(make_file(anchor));
        return sync_folder(anchor->path);
    }
    return read_marks(anchor);
}

/*
 * Compare and swap: the file must stand where we left it. The lock keeps a second process of this
 * machine out; this finds one that the lock did not reach.
 */
static bool is_ours(struct anchor *anchor)
{
    struct mark mine = anchor->mark;
    bool is_same;

    anchor->mark = (struct mark){0};
    is_same = read_marks(anchor) == RC_OK && anchor->mark.sequence == mine.sequence &&
              anchor->mark.size == mine.size && digest_equal(anchor->mark.root, mine.root);
    anchor->mark = mine;
    return is_same;
}

static void write_mark(struct anchor *anchor, const struct commit_point *point)
{
    struct mark mark = {.sequence = anchor->mark.sequence + 1, .size = commit_point_size(point)};
    uint8_t slot[SLOT_SIZE];

    memcpy(mark.root, commit_point_root(point), DIGEST_SIZE);
    encode(anchor, &mark, slot);
    if (!is_ours(anchor)) {
        db_fatal("anchor.two_writers",
                 "another process moved this log's anchor: only one may write this log");
    }
    if (!durable_write_at(anchor->fd, slot, sizeof slot, mark.sequence % 2 * SLOT_PLACE) ||
        durable_sync(anchor->fd, anchor->path) != RC_OK) {
        db_fatal("anchor.write", strerror(errno));
    }
    anchor->mark = mark;
}

/* ---- against the log ---- */

static enum rc root_at(struct db *db, uint64_t size, uint8_t root[DIGEST_SIZE])
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    if (reader == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(db, &txn));
    return auditlog_root(reader, txn, size, root);
}

/* *holds: the log of this size begins with those leaves. */
static enum rc log_holds(struct db *db, uint64_t size, uint64_t then, const uint8_t *root,
                         bool *holds)
{
    uint8_t ours[DIGEST_SIZE];

    *holds = false;
    if (then > size) {
        return RC_OK;
    }
    TRY(root_at(db, then, ours));
    *holds = digest_equal(ours, root);
    return RC_OK;
}

static void publish(struct anchor *anchor, const struct commit_point *point)
{
    struct commit_point *before;

    pthread_mutex_lock(&anchor->lock);
    before = anchor->latest;
    anchor->latest = commit_point_hold((struct commit_point *)point);
    pthread_mutex_unlock(&anchor->lock);
    commit_point_release(before);
}

#define REMEDY                                                                                     \
    "remedy=this is an older or another copy of the data: bring back the newest copy; if it is "   \
    "lost, begin a new epoch of the log (enlace log succeed), and the peers send what they hold"

static enum rc check_point(struct anchor *anchor, struct db *db, struct commit_point *point)
{
    bool holds = true;

    if (anchor->mark.sequence == 0 && commit_point_size(point) > 0) {
        log_warn("anchor.new", "path=%s size=%llu nothing older is known here", anchor->path,
                 (unsigned long long)commit_point_size(point));
    }
    if (anchor->mark.sequence > 0) {
        TRY(log_holds(db, commit_point_size(point), anchor->mark.size, anchor->mark.root, &holds));
    }
    if (!holds) {
        return failed(RC_FAILED_PRECONDITION, "log.older_than_anchor",
                      "path=%s anchored=%llu ours=%llu " REMEDY, anchor->path,
                      (unsigned long long)anchor->mark.size,
                      (unsigned long long)commit_point_size(point));
    }
    if (anchor->mark.sequence == 0 || anchor->mark.size < commit_point_size(point)) {
        write_mark(anchor, point);
    }
    publish(anchor, point);
    return RC_OK;
}

enum rc anchor_hold_to(struct db *db, uint64_t size, const struct checkpoint *shown,
                       const char *shown_by)
{
    bool holds;

    TRY(log_holds(db, size, shown->size, shown->root, &holds));
    if (!holds) {
        log_error("log.older_than_witnessed", "peer=%s seen=%llu ours=%llu " REMEDY, shown_by,
                  (unsigned long long)shown->size, (unsigned long long)size);
        db_fatal("log.older_than_witnessed",
                 "a peer holds a checkpoint of ours that this log lost");
    }
    return RC_OK;
}

/* ---- the thread ---- */

/* Submissions come from many threads: the newest of the batch may be any of them. */
static const struct commit_point *newest(struct inbox_item *batch)
{
    const struct commit_point *point = ((struct anchor_write *)batch)->point;

    for (struct inbox_item *item = batch->next; item != NULL; item = item->next) {
        const struct commit_point *other = ((struct anchor_write *)item)->point;

        point = commit_point_size(other) > commit_point_size(point) ? other : point;
    }
    return point;
}

static void run_batch(struct anchor *anchor, struct inbox_item *batch)
{
    const struct commit_point *point = newest(batch);

    if (commit_point_size(point) > anchor->mark.size) {
        write_mark(anchor, point);
        publish(anchor, point);
    }
    while (batch != NULL) {
        struct anchor_write *write = (struct anchor_write *)batch;

        batch = batch->next; /* after done it is somebody else's */
        write->done(write);
    }
}

static void *anchor_main(void *argument)
{
    struct anchor *anchor = argument;
    bool is_closed = false;

    while (!is_closed) {
        struct inbox_item *batch = inbox_take(anchor->inbox, BATCH_MAX, -1, &is_closed);

        if (batch != NULL) {
            run_batch(anchor, batch);
        }
    }
    return NULL;
}

/* Signals are for the main thread. */
static enum rc start_thread(struct anchor *anchor)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&anchor->thread, NULL, anchor_main, anchor);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "anchor.thread", "cause=%s", strerror(error));
    }
    anchor->is_running = true;
    pthread_setname_np(anchor->thread, "anchor");
    return RC_OK;
}

/* ---- its neighbours ---- */

static bool name_of_epoch(const char *path, uint32_t epoch, char out[PATH_MAX])
{
    return epoch == 1 ? snprintf(out, PATH_MAX, "%s", path) < PATH_MAX
                      : snprintf(out, PATH_MAX, "%s.%u", path, epoch) < PATH_MAX;
}

/* Whatever its log was called: the larger of its good slots. */
static uint64_t size_in(const char *path)
{
    static const struct anchor nobody;
    uint8_t slots[SLOT_PLACE + SLOT_SIZE];
    struct mark marks[2] = {{0}};
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    if (!durable_read_at(fd, slots, sizeof slots, 0)) {
        close(fd);
        return 0;
    }
    close(fd);
    for (size_t i = 0; i < 2; i++) {
        enum rc rc = decode(&nobody, slots + i * SLOT_PLACE, &marks[i]);

        if (rc != RC_OK && rc != RC_FAILED_PRECONDITION) {
            marks[i].size = 0;
        }
    }
    return marks[0].size > marks[1].size ? marks[0].size : marks[1].size;
}

static enum rc look_around(const char *path, uint32_t epoch, struct anchor *anchor)
{
    char name[PATH_MAX];

    if (!name_of_epoch(path, epoch + 1, name)) {
        return failed(RC_INVALID_ARGUMENT, "anchor.path", "cause=too long");
    }
    if (access(name, F_OK) == 0) {
        return failed(
            RC_FAILED_PRECONDITION, "log.succeeded",
            "path=%s epoch=%u remedy=another epoch of this log was begun here: start with "
            "its statement (setting succession) and its data",
            name, epoch);
    }
    if (epoch > 1 && name_of_epoch(path, epoch - 1, name)) {
        anchor->size_before = size_in(name);
    }
    return RC_OK;
}

uint64_t anchor_size_before(const struct anchor *anchor)
{
    return anchor->size_before;
}

enum rc anchor_open(const char *path, uint32_t epoch, const char *origin, struct anchor **anchor)
{
    OWN_PTR(anchor) made = calloc(1, sizeof *made);
    struct bytes name = bytes_text(origin);
    char own_path[PATH_MAX];

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->fd = -1;
    pthread_mutex_init(&made->lock, NULL);
    TRY(look_around(path, epoch, made));
    made->path = name_of_epoch(path, epoch, own_path) ? strdup(own_path) : NULL;
    made->inbox = inbox_new(QUEUE_MAX);
    if (made->path == NULL || made->inbox == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    digest_of(&name, 1, made->origin);
    TRY(open_file(made));
    *anchor = MOVE(made);
    return RC_OK;
}

enum rc anchor_check(struct anchor *anchor, struct writer *writer)
{
    struct commit_point *point = writer_latest(writer);
    enum rc rc = check_point(anchor, writer_db(writer), point);

    commit_point_release(point);
    return rc == RC_OK ? start_thread(anchor) : rc;
}

void anchor_free(struct anchor *anchor)
{
    if (anchor == NULL) {
        return;
    }
    if (anchor->is_running) {
        inbox_close(anchor->inbox);
        pthread_join(anchor->thread, NULL);
    }
    commit_point_release(anchor->latest);
    inbox_free(anchor->inbox);
    pthread_mutex_destroy(&anchor->lock);
    if (anchor->fd >= 0) {
        close(anchor->fd);
    }
    free(anchor->path);
    free(anchor);
}

enum rc anchor_submit(struct anchor *anchor, struct anchor_write *write)
{
    return inbox_put(anchor->inbox, &write->item);
}

struct commit_point *anchor_latest(struct anchor *anchor)
{
    struct commit_point *point;

    pthread_mutex_lock(&anchor->lock);
    point = commit_point_hold(anchor->latest);
    pthread_mutex_unlock(&anchor->lock);
    return point;
}
