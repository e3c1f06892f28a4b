#include "store/seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread_mask.h"
#include "store/dbkey.h"

/* seen    SHA-256(origin)[32] -> u64 size | root[32] | signed note */
#define MAP_SIZE ((uint64_t)1 << 30)

/* Writes that wait, and those of one commit. */
#define QUEUE_MAX 1024
#define BATCH_MAX ((size_t)64)
/* Checkpoints of each log that are known to be on its line: streams that cross find theirs here. */
#define LINE_MAX ((size_t)256)

/* What memory keeps of one foreign log. */
struct seen_log {
    struct seen_log *next;
    uint8_t name[DIGEST_SIZE];          /* SHA-256(origin) */
    struct seen_point points[LINE_MAX]; /* ring; it changes under the lock */
    int64_t came_ms[LINE_MAX];          /* when each of them came, monotonic; 0: before the start */
    size_t count;
    size_t newest;
    uint8_t note[DIGEST_SIZE];   /* SHA-256 of the note of the durable one; under the lock */
    uint8_t coming[DIGEST_SIZE]; /* of the one that the transaction at hand puts */
    bool is_coming;
};

struct seen {
    struct db *db;
    struct inbox *inbox;
    pthread_t thread;
    bool is_running;
    pthread_mutex_t writing; /* one writes at a time: all but the notes' digests */
    pthread_mutex_t lock;    /* the list, the points and the digests; held for a look */
    struct seen_log *logs;   /* grows only */
};

static enum rc start_thread(struct seen *seen);
static enum rc load_logs(struct seen *seen);

enum rc seen_open(const struct seen_options *options, struct seen **seen)
{
    OWN_PTR(seen) made = calloc(1, sizeof *made);
    struct db_options db = {.kind = DB_SEEN,
                            .path = options->path,
                            .origin = options->origin,
                            .map_size = options->map_size != 0 ? options->map_size : MAP_SIZE,
                            .floor_bytes = options->floor_bytes};

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->writing, NULL);
    pthread_mutex_init(&made->lock, NULL);
    made->inbox = inbox_new(QUEUE_MAX);
    if (made->inbox == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(db_open(&db, &made->db));
    TRY(load_logs(made));
    TRY(start_thread(made));
    *seen = MOVE(made);
    return RC_OK;
}

void seen_free(struct seen *seen)
{
    if (seen != NULL) {
        if (seen->is_running) {
            inbox_close(seen->inbox);
            pthread_join(seen->thread, NULL);
        }
        inbox_free(seen->inbox);
        db_free(seen->db);
        while (seen->logs != NULL) {
            struct seen_log *log = seen->logs;

            seen->logs = log->next;
            free(log);
        }
        pthread_mutex_destroy(&seen->lock);
        pthread_mutex_destroy(&seen->writing);
        free(seen);
    }
}

static void key_of(const char *origin, struct dbkey *key)
{
    struct bytes name = bytes_text(origin);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&name, 1, digest);
    dbkey_clear(key);
    dbkey_put(key, BYTES_OF(digest));
}

/* The note is borrowed from the transaction. */
static enum rc find(struct txn *txn, const char *origin, struct checkpoint *checkpoint,
                    struct bytes *note)
{
    struct reader reader = {0};
    struct bytes name = bytes_text(origin);
    struct dbkey key;

    if (name.size > VKEY_NAME_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    key_of(origin, &key);
    TRY(table_get(txn, TABLE_SEEN, dbkey_bytes(&key), &reader.rest));
    memcpy(checkpoint->origin, name.data, name.size);
    checkpoint->origin[name.size] = '\0';
    checkpoint->size = reader_u64(&reader);
    reader_copy(&reader, checkpoint->root, DIGEST_SIZE);
    *note = reader.rest;
    return reader.is_failed ? failed(RC_DATA_LOSS, "seen.row", "origin=%s cause=damaged", origin)
                            : RC_OK;
}

enum rc seen_get(struct seen *seen, const char *origin, struct checkpoint *checkpoint,
                 struct buffer *note)
{
    OWN_READ(txn) = NULL;
    struct bytes found = {0};

    TRY(txn_read(seen->db, &txn));
    TRY(find(txn, origin, checkpoint, &found));
    if (note != NULL) {
        buffer_put_bytes(note, found);
        return note->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
    }
    return RC_OK;
}

enum rc seen_note(struct seen *seen, const uint8_t origin_sha256[DIGEST_SIZE], struct buffer *note)
{
    struct reader reader = {0};
    OWN_READ(txn) = NULL;

    TRY(txn_read(seen->db, &txn));
    TRY(table_get(txn, TABLE_SEEN, BYTES(origin_sha256, DIGEST_SIZE), &reader.rest));
    (void)reader_take(&reader, 8 + DIGEST_SIZE);
    buffer_put_bytes(note, reader.rest);
    return reader.is_failed || note->is_failed ? RC_DATA_LOSS : RC_OK;
}

/* ---- what memory keeps ---- */

static struct seen_log *find_log(struct seen *seen, const uint8_t name[DIGEST_SIZE])
{
    struct seen_log *log;

    pthread_mutex_lock(&seen->lock);
    log = seen->logs;
    while (log != NULL && memcmp(log->name, name, DIGEST_SIZE) != 0) {
        log = log->next;
    }
    pthread_mutex_unlock(&seen->lock);
    return log;
}

static enum rc make_log(struct seen *seen, const uint8_t name[DIGEST_SIZE], struct seen_log **made)
{
    struct seen_log *log = calloc(1, sizeof *log);

    if (log == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(log->name, name, DIGEST_SIZE);
    pthread_mutex_lock(&seen->lock);
    log->next = seen->logs;
    seen->logs = log;
    pthread_mutex_unlock(&seen->lock);
    *made = log;
    return RC_OK;
}

/* What is coming stands on disk: these are the notes that leaves may name. */
static void publish(struct seen *seen)
{
    pthread_mutex_lock(&seen->lock);
    for (struct seen_log *log = seen->logs; log != NULL; log = log->next) {
        if (log->is_coming) {
            memcpy(log->note, log->coming, DIGEST_SIZE);
            log->is_coming = false;
        }
    }
    pthread_mutex_unlock(&seen->lock);
}

/* As the disk has it. */
static enum rc read_log(struct seen *seen, struct seen_log *log, struct bytes value)
{
    struct reader reader = {.rest = value};
    struct seen_point point;

    point.size = reader_u64(&reader);
    reader_copy(&reader, point.root, DIGEST_SIZE);
    if (reader.is_failed) {
        return failed(RC_DATA_LOSS, "seen.row", "cause=damaged");
    }
    pthread_mutex_lock(&seen->lock);
    log->points[0] = point;
    log->came_ms[0] = -SEEN_OVERTAKEN_MS - 1;
    log->count = 1;
    log->newest = 0;
    pthread_mutex_unlock(&seen->lock);
    digest_of(&reader.rest, 1, log->coming);
    log->is_coming = true;
    return RC_OK;
}

static enum rc load_log(struct seen *seen, const struct row *row)
{
    struct seen_log *log;

    if (row->key.size != DIGEST_SIZE) {
        return failed(RC_DATA_LOSS, "seen.row", "cause=damaged key");
    }
    log = find_log(seen, row->key.data);
    if (log == NULL) {
        TRY(make_log(seen, row->key.data, &log));
    }
    return read_log(seen, log, row->value);
}

static enum rc load_logs(struct seen *seen)
{
    static const uint8_t start[1];
    OWN_READ(txn) = NULL;
    OWN_PTR(cursor) cursor = NULL;
    struct row row;
    enum rc rc;

    TRY(txn_read(seen->db, &txn));
    TRY(cursor_open(txn, TABLE_SEEN, BYTES_OF(start), &cursor));
    for (struct seen_log *log = seen->logs; log != NULL; log = log->next) {
        log->count = 0;
        log->is_coming = false;
    }
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        TRY(load_log(seen, &row));
    }
    publish(seen);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

bool seen_digest(struct seen *seen, const char *origin, uint8_t out[DIGEST_SIZE])
{
    struct bytes name = bytes_text(origin);
    uint8_t digest[DIGEST_SIZE];
    struct seen_log *log;

    digest_of(&name, 1, digest);
    log = find_log(seen, digest);
    if (log == NULL) {
        memset(out, 0, DIGEST_SIZE);
        return false;
    }
    pthread_mutex_lock(&seen->lock);
    memcpy(out, log->note, DIGEST_SIZE);
    pthread_mutex_unlock(&seen->lock);
    return true;
}

bool seen_point(struct seen *seen, const char *origin, uint64_t size, struct seen_point *point)
{
    struct bytes name = bytes_text(origin);
    uint8_t digest[DIGEST_SIZE];
    struct seen_log *log;
    bool is_found = false;

    digest_of(&name, 1, digest);
    log = find_log(seen, digest);
    pthread_mutex_lock(&seen->lock);
    for (size_t i = 0; log != NULL && i < log->count && !is_found; i++) {
        is_found = log->points[i].size == size;
        *point = is_found ? log->points[i] : *point;
    }
    pthread_mutex_unlock(&seen->lock);
    return is_found;
}

static bool is_same_point(const struct seen_point *a, const struct seen_point *b)
{
    return a->size == b->size && digest_equal(a->root, b->root);
}

/* NULL, or the point of that size. */
static const struct seen_point *point_at(const struct seen_log *log, uint64_t size)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->points[i].size == size) {
            return &log->points[i];
        }
    }
    return NULL;
}

/* Has a larger one been known for so long that this one is old? */
static bool is_overtaken(const struct seen_log *log, uint64_t size)
{
    int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < log->count; i++) {
        if (log->points[i].size > size && now_ms - log->came_ms[i] > SEEN_OVERTAKEN_MS) {
            return true;
        }
    }
    return false;
}

/* The newest one keeps its place however many smaller ones come. Under the lock. */
static void keep_point(struct seen_log *log, const struct seen_point *point)
{
    size_t at;

    if (log->count < LINE_MAX) {
        at = log->count++;
    } else {
        at = 0;
        for (size_t i = 1; i < LINE_MAX; i++) {
            at = log->points[i].size < log->points[at].size ? i : at;
        }
        if (point->size < log->points[at].size) {
            return;
        }
    }
    log->points[at] = *point;
    log->came_ms[at] = clock_monotonic_ms();
    if (point->size >= log->points[log->newest].size) {
        log->newest = at;
    }
}

static void remember(struct seen *seen, struct seen_log *log, const struct seen_point *point)
{
    pthread_mutex_lock(&seen->lock);
    keep_point(log, point);
    pthread_mutex_unlock(&seen->lock);
}

/* ---- writing ---- */

static enum rc fork_seen(const char *origin, const struct seen_point *before,
                         const struct seen_point *now)
{
    char old_root[2 * DIGEST_SIZE + 1];
    char new_root[2 * DIGEST_SIZE + 1];

    hex_encode(before->root, DIGEST_SIZE, old_root);
    hex_encode(now->root, DIGEST_SIZE, new_root);
    return failed(RC_DATA_LOSS, "seen.fork",
                  "origin=%s seen_size=%llu seen_root=%s new_size=%llu new_root=%s", origin,
                  (unsigned long long)before->size, old_root, (unsigned long long)now->size,
                  new_root);
}

void seen_report_fork(const struct seen_write *write)
{
    struct seen_point now = seen_point_of(write->checkpoint);

    (void)fork_seen(write->checkpoint->origin, &write->last, &now);
}

static enum rc put_row(struct txn *txn, struct seen_log *log, const struct seen_write *write)
{
    OWN(buffer) row = {0};

    buffer_put_u64(&row, write->checkpoint->size);
    buffer_put(&row, write->checkpoint->root, DIGEST_SIZE);
    buffer_put_bytes(&row, write->note);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(table_put(txn, TABLE_SEEN, BYTES(log->name, DIGEST_SIZE), buffer_bytes(&row)));
    digest_of(&write->note, 1, log->coming);
    log->is_coming = true;
    return RC_OK;
}

/* Compares with the line, and puts what extends it. *is_news is false when nothing is put. */
static enum rc advance(struct seen *seen, struct txn *txn, struct seen_write *write, bool *is_news)
{
    struct seen_point now = seen_point_of(write->checkpoint);
    struct bytes name = bytes_text(write->checkpoint->origin);
    const struct seen_point *known;
    uint8_t digest[DIGEST_SIZE];
    struct seen_log *log;

    if (write->note.size > CHECKPOINT_SIZE_MAX || name.size > VKEY_NAME_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    digest_of(&name, 1, digest);
    log = find_log(seen, digest);
    if (log == NULL) {
        TRY(make_log(seen, digest, &log));
    }
    if (log->count == 0) {
        TRY(put_row(txn, log, write));
        remember(seen, log, &now);
        *is_news = true;
        return RC_OK;
    }
    write->last = log->points[log->newest];
    known = point_at(log, now.size);
    if (known != NULL && !is_same_point(known, &now)) {
        return fork_seen(write->checkpoint->origin, known, &now);
    }
    if (write->is_to_cosign && is_overtaken(log, now.size)) {
        return RC_ABORTED;
    }
    if (known != NULL) {
        return RC_OK;
    }
    known = point_at(log, write->proven.size);
    if (known == NULL || !is_same_point(known, &write->proven) ||
        (now.size > known->size && known->size != write->last.size)) {
        return RC_ABORTED;
    }
    if (now.size > write->last.size) {
        TRY(put_row(txn, log, write));
        *is_news = true;
    }
    remember(seen, log, &now);
    return RC_OK;
}

static enum rc write_each(struct seen *seen, struct inbox_item *batch)
{
    bool is_any_news = false;
    struct txn *txn;

    TRY(txn_write(seen->db, &txn));
    for (struct inbox_item *item = batch; item != NULL; item = item->next) {
        struct seen_write *write = (struct seen_write *)item;
        bool is_news = false;

        write->rc = advance(seen, txn, write, &is_news);
        is_any_news = is_any_news || is_news;
    }
    if (!is_any_news) {
        txn_abort(txn);
        return RC_OK;
    }
    TRY(txn_commit(txn));
    publish(seen);
    return RC_OK;
}
/* What did not become durable is forgotten. */
static enum rc write_batch(struct seen *seen, struct inbox_item *batch)
{
    enum rc rc;

    pthread_mutex_lock(&seen->writing);
    rc = write_each(seen, batch);
    if (rc != RC_OK && load_logs(seen) != RC_OK) {
        db_fatal("seen.reload", "what stands on disk cannot be read");
    }
    pthread_mutex_unlock(&seen->writing);
    return rc;
}

enum rc seen_put(struct seen *seen, struct seen_write *write)
{
    enum rc rc;

    write->item.next = NULL;
    rc = write_batch(seen, &write->item);
    return rc == RC_OK ? write->rc : rc;
}

/* ---- the thread ---- */

static void run_batch(struct seen *seen, struct inbox_item *batch)
{
    enum rc rc = write_batch(seen, batch);

    while (batch != NULL) {
        struct seen_write *write = (struct seen_write *)batch;

        batch = batch->next; /* after done it is somebody else's */
        write->rc = rc == RC_OK ? write->rc : rc;
        write->done(write);
    }
}

static void *seen_main(void *argument)
{
    struct seen *seen = argument;
    bool is_closed = false;

    while (!is_closed) {
        struct inbox_item *batch = inbox_take(seen->inbox, BATCH_MAX, -1, &is_closed);

        if (batch != NULL) {
            run_batch(seen, batch);
        }
    }
    return NULL;
}

/* Signals are for the main thread. */
static enum rc start_thread(struct seen *seen)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&seen->thread, NULL, seen_main, seen);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "seen.thread", "cause=%s", strerror(error));
    }
    seen->is_running = true;
    pthread_setname_np(seen->thread, "seen");
    return RC_OK;
}

enum rc seen_submit(struct seen *seen, struct seen_write *write)
{
    return inbox_put(seen->inbox, &write->item);
}

/* ---- what is remembered beside the lines ---- */

#define KEPT_NAME_MAX 128

static enum rc put_kept(struct seen *seen, struct bytes name, struct bytes text)
{
    struct txn *txn;
    enum rc rc;

    TRY(txn_write(seen->db, &txn));
    rc = table_put(txn, TABLE_FORMAT, name, text);
    if (rc != RC_OK) {
        txn_abort(txn);
        return rc;
    }
    return txn_commit(txn);
}

enum rc seen_keep(struct seen *seen, const char *name, struct bytes text)
{
    enum rc rc;

    if (strlen(name) > KEPT_NAME_MAX || strchr(name, '/') == NULL) {
        return RC_INVALID_ARGUMENT; /* without a slash it could be a name of the store's own */
    }
    pthread_mutex_lock(&seen->writing);
    rc = put_kept(seen, bytes_text(name), text);
    pthread_mutex_unlock(&seen->writing);
    return rc;
}

enum rc seen_kept(struct seen *seen, const char *name, struct buffer *text)
{
    OWN_READ(txn) = NULL;
    struct bytes found;

    TRY(txn_read(seen->db, &txn));
    TRY(table_get(txn, TABLE_FORMAT, bytes_text(name), &found));
    buffer_put_bytes(text, found);
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* The origin is the first line of the note. */
static bool read_origin(struct bytes value, char origin[VKEY_NAME_MAX + 1])
{
    struct reader reader = {.rest = value};
    const uint8_t *end;

    (void)reader_u64(&reader);
    (void)reader_take(&reader, DIGEST_SIZE);
    end = reader.rest.size > 0 ? memchr(reader.rest.data, '\n', reader.rest.size) : NULL;
    if (reader.is_failed || end == NULL || end - reader.rest.data > VKEY_NAME_MAX) {
        return false;
    }
    memcpy(origin, reader.rest.data, (size_t)(end - reader.rest.data));
    origin[end - reader.rest.data] = '\0';
    return true;
}

enum rc seen_other_origin(struct seen *seen, const char *prefix, const char *but,
                          char origin[VKEY_NAME_MAX + 1])
{
    static const uint8_t start[1];
    OWN_READ(txn) = NULL;
    OWN_PTR(cursor) cursor = NULL;
    struct row row;

    TRY(txn_read(seen->db, &txn));
    TRY(cursor_open(txn, TABLE_SEEN, BYTES_OF(start), &cursor));
    for (;;) {
        TRY(cursor_next(cursor, &row));
        if (read_origin(row.value, origin) && strncmp(origin, prefix, strlen(prefix)) == 0 &&
            strcmp(origin, but) != 0) {
            return RC_OK;
        }
    }
}
