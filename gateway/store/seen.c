#include "store/seen.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "store/dbkey.h"

/* seen    SHA-256(origin)[32] -> u64 size | root[32] | signed note */
#define MAP_SIZE ((uint64_t)1 << 30)

/* Writes that wait, and those of one commit. */
#define QUEUE_MAX 1024
#define BATCH_MAX ((size_t)64)

struct seen {
    struct db *db;
    struct inbox *inbox;
    pthread_t thread;
    bool is_running;
};

static enum rc start_thread(struct seen *seen);

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
    made->inbox = inbox_new(QUEUE_MAX);
    if (made->inbox == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(db_open(&db, &made->db));
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

static enum rc fork_seen(const struct checkpoint *before, const struct checkpoint *now)
{
    char old_root[2 * DIGEST_SIZE + 1];
    char new_root[2 * DIGEST_SIZE + 1];

    hex_encode(before->root, DIGEST_SIZE, old_root);
    hex_encode(now->root, DIGEST_SIZE, new_root);
    return failed(RC_DATA_LOSS, "seen.fork", "origin=%s size=%llu seen_root=%s new_root=%s",
                  now->origin, (unsigned long long)now->size, old_root, new_root);
}

/* Compares and puts in one transaction. *is_news is false when it stands already. */
static enum rc advance(struct txn *txn, const struct checkpoint *checkpoint, struct bytes note,
                       bool *is_news)
{
    OWN(buffer) row = {0};
    struct checkpoint before;
    struct bytes old_note;
    struct dbkey key;
    enum rc rc = find(txn, checkpoint->origin, &before, &old_note);

    *is_news = false;
    if (rc == RC_OK && checkpoint->size == before.size) {
        return digest_equal(checkpoint->root, before.root) ? RC_OK : fork_seen(&before, checkpoint);
    }
    if (rc == RC_OK && checkpoint->size < before.size) {
        return RC_FAILED_PRECONDITION;
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    buffer_put_u64(&row, checkpoint->size);
    buffer_put(&row, checkpoint->root, DIGEST_SIZE);
    buffer_put_bytes(&row, note);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *is_news = true;
    key_of(checkpoint->origin, &key);
    return table_put(txn, TABLE_SEEN, dbkey_bytes(&key), buffer_bytes(&row));
}

enum rc seen_put(struct seen *seen, const struct checkpoint *checkpoint, struct bytes note)
{
    struct txn *txn;
    bool is_news;
    enum rc rc;

    if (note.size > CHECKPOINT_SIZE_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(txn_write(seen->db, &txn));
    rc = advance(txn, checkpoint, note, &is_news);
    if (rc != RC_OK || !is_news) {
        txn_abort(txn);
        return rc;
    }
    return txn_commit(txn);
}

/* ---- the thread ---- */

/* Applies each; a batch without news needs no disk. */
static enum rc put_batch(struct seen *seen, struct inbox_item *batch)
{
    bool is_any_news = false;
    struct txn *txn;

    TRY(txn_write(seen->db, &txn));
    for (struct inbox_item *item = batch; item != NULL; item = item->next) {
        struct seen_write *write = (struct seen_write *)item;
        bool is_news = false;

        write->rc = write->note.size <= CHECKPOINT_SIZE_MAX
                        ? advance(txn, write->checkpoint, write->note, &is_news)
                        : RC_INVALID_ARGUMENT;
        is_any_news = is_any_news || is_news;
    }
    if (!is_any_news) {
        txn_abort(txn);
        return RC_OK;
    }
    return txn_commit(txn);
}

static void run_batch(struct seen *seen, struct inbox_item *batch)
{
    enum rc rc = put_batch(seen, batch);

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
    sigset_t all;
    sigset_t before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&seen->thread, NULL, seen_main, seen);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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
