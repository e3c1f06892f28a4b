#include "store/tagbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "store/dbkey.h"
#include "store/tagtail.h"
#include "store/writer.h"

/* Rows of one commit: some milliseconds. */
#define TIDY_ROWS ((size_t)1024)
#define TIDY_LEAST ((size_t)64)
/* The writer has little to do while fewer writes wait. */
#define QUIET_WAITING 8

static const char indexed_name[] = "tagindex";

/* A run of listing: what is to be listed, and how far it is. */
struct tidy {
    struct write write; /* first: the writer's */
    struct tagbook *book;
    struct writer *writer;
    struct tagtail_row *rows;
    size_t count;
    size_t done;
    size_t step;    /* rows of the write at hand */
    uint64_t below; /* what is listed when all is done */
};

struct tagbook {
    struct tagtail *tail;
    pthread_mutex_t lock; /* over reading the tail from the rows, once */
    atomic_bool is_loaded;
    atomic_bool is_tidying;
    struct tidy tidy;
};

static enum rc apply_tidy(struct write *write, struct txn *txn);
static void tidy_done(struct write *write);

static const struct write_ops tidy_ops = {.apply = apply_tidy, .done = tidy_done};

struct tagbook *tagbook_new(void)
{
    struct tagbook *book = calloc(1, sizeof *book);

    if (book == NULL) {
        return NULL;
    }
    book->tail = tagtail_new();
    if (book->tail == NULL) {
        free(book);
        return NULL;
    }
    pthread_mutex_init(&book->lock, NULL);
    return book;
}

void tagbook_free(struct tagbook *book)
{
    if (book != NULL) {
        tagtail_free(book->tail);
        free(book->tidy.rows);
        pthread_mutex_destroy(&book->lock);
        free(book);
    }
}

static void identify(struct bytes name, uint8_t identity[TAG_IDENTITY_SIZE])
{
    uint8_t digest[DIGEST_SIZE];

    digest_of(&name, 1, digest);
    memcpy(identity, digest, TAG_IDENTITY_SIZE);
}

/* ---- rows ---- */

static enum rc row_split(struct bytes row, struct bytes *name, struct bytes *wrapped)
{
    struct reader reader = {.rest = row};

    *name = reader_take(&reader, reader_u16(&reader));
    *wrapped = reader.rest;
    return reader.is_failed ? failed(RC_DATA_LOSS, "tag.row", "cause=damaged") : RC_OK;
}

/* RC_NOT_FOUND also when another name's row has the number: the map knew one that came to nothing.
 */
static enum rc row_get(struct txn *txn, uint64_t number, struct bytes name, struct bytes *wrapped)
{
    struct dbkey key;
    struct bytes row;
    struct bytes found;

    dbkey_u64(&key, number);
    TRY(table_get(txn, TABLE_TAG, dbkey_bytes(&key), &row));
    TRY(row_split(row, &found, wrapped));
    return bytes_equal(found, name) ? RC_OK : RC_NOT_FOUND;
}

static enum rc row_put(struct txn *txn, uint64_t number, bool is_new, struct bytes name,
                       struct bytes wrapped)
{
    OWN(buffer) row = {0};
    struct dbkey key;

    buffer_put_u16(&row, (uint16_t)name.size);
    buffer_put_bytes(&row, name);
    buffer_put_bytes(&row, wrapped);
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    dbkey_u64(&key, number);
    return is_new ? table_append(txn, TABLE_TAG, dbkey_bytes(&key), buffer_bytes(&row))
                  : table_put(txn, TABLE_TAG, dbkey_bytes(&key), buffer_bytes(&row));
}

static enum rc next_number(struct txn *txn, uint64_t *number)
{
    struct row last;
    enum rc rc = table_last(txn, TABLE_TAG, &last);

    *number = rc == RC_OK ? get_u64(last.key.data) + 1 : 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc indexed_get(struct txn *txn, uint64_t *below)
{
    struct bytes row;
    enum rc rc = table_get(txn, TABLE_FORMAT, bytes_text(indexed_name), &row);

    *below = rc == RC_OK && row.size == 8 ? get_u64(row.data) : 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- the tail ---- */

static enum rc load(struct tagbook *book, struct txn *txn)
{
    OWN_PTR(cursor) cursor = NULL;
    uint8_t identity[TAG_IDENTITY_SIZE];
    struct dbkey from;
    struct row row;
    uint64_t below;
    enum rc rc;

    TRY(indexed_get(txn, &below));
    dbkey_u64(&from, below);
    TRY(cursor_open(txn, TABLE_TAG, dbkey_bytes(&from), &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        struct bytes name;
        struct bytes wrapped;

        TRY(row_split(row.value, &name, &wrapped));
        identify(name, identity);
        TRY(tagtail_set(book->tail, identity, get_u64(row.key.data)));
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* In whatever transaction comes first. One that began before a write is no loss: its row is in the
 * map already when it is written, and rows are what count. */
static enum rc load_once(struct tagbook *book, struct txn *txn)
{
    enum rc rc = RC_OK;

    if (atomic_load(&book->is_loaded)) {
        return RC_OK;
    }
    pthread_mutex_lock(&book->lock);
    if (!atomic_load(&book->is_loaded)) {
        rc = load(book, txn);
        atomic_store(&book->is_loaded, rc == RC_OK);
    }
    pthread_mutex_unlock(&book->lock);
    return rc;
}

static enum rc locate(struct tagbook *book, struct txn *txn, const uint8_t *identity,
                      struct bytes name, uint64_t *number, struct bytes *wrapped)
{
    struct bytes row;

    TRY(load_once(book, txn));
    if (tagtail_find(book->tail, identity, number)) {
        enum rc rc = row_get(txn, *number, name, wrapped);

        if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    TRY(table_get(txn, TABLE_TAGINDEX, BYTES(identity, TAG_IDENTITY_SIZE), &row));
    if (row.size != 8) {
        return failed(RC_DATA_LOSS, "tag.index", "cause=damaged");
    }
    *number = get_u64(row.data);
    return row_get(txn, *number, name, wrapped);
}

enum rc tagbook_find(struct tagbook *book, struct txn *txn, struct bytes name,
                     struct bytes *wrapped)
{
    uint8_t identity[TAG_IDENTITY_SIZE];
    uint64_t number;

    identify(name, identity);
    return locate(book, txn, identity, name, &number, wrapped);
}

static enum rc add(struct tagbook *book, struct txn *txn, const uint8_t *identity,
                   struct bytes name, struct bytes wrapped)
{
    uint64_t number;

    TRY(next_number(txn, &number));
    TRY(tagtail_set(book->tail, identity, number));
    return row_put(txn, number, true, name, wrapped);
}

enum rc tagbook_put(struct tagbook *book, struct txn *txn, struct bytes name, struct bytes wrapped)
{
    uint8_t identity[TAG_IDENTITY_SIZE];
    struct bytes old;
    uint64_t number;
    enum rc rc;

    identify(name, identity);
    rc = locate(book, txn, identity, name, &number, &old);
    if (rc == RC_OK) {
        return row_put(txn, number, false, name, wrapped);
    }
    return rc == RC_NOT_FOUND ? add(book, txn, identity, name, wrapped) : rc;
}

enum rc tagbook_add(struct tagbook *book, struct txn *txn, struct bytes name, struct bytes wrapped)
{
    uint8_t identity[TAG_IDENTITY_SIZE];

    identify(name, identity);
    return add(book, txn, identity, name, wrapped);
}

size_t tagbook_tail(struct tagbook *book)
{
    return tagtail_count(book->tail);
}

/* ---- listing ---- */

static enum rc apply_tidy(struct write *write, struct txn *txn)
{
    struct tidy *tidy = (struct tidy *)write;
    size_t end = tidy->done + TIDY_ROWS < tidy->count ? tidy->done + TIDY_ROWS : tidy->count;
    uint8_t number[8];

    for (size_t i = tidy->done; i < end; i++) {
        const struct tagtail_row *row = &tidy->rows[i];

        put_u64(number, row->number);
        TRY(table_put(txn, TABLE_TAGINDEX, BYTES_OF(row->identity), BYTES_OF(number)));
    }
    tidy->step = end - tidy->done;
    if (end < tidy->count) {
        return RC_OK;
    }
    put_u64(number, tidy->below);
    return table_put(txn, TABLE_FORMAT, bytes_text(indexed_name), BYTES_OF(number));
}

static void tidy_end(struct tidy *tidy)
{
    free(tidy->rows);
    tidy->rows = NULL;
    atomic_store(&tidy->book->is_tidying, false);
}

/* On the writer thread. What was listed and is listed again next time does no harm. */
static void tidy_done(struct write *write)
{
    struct tidy *tidy = (struct tidy *)write;

    commit_point_release(write->point);
    if (write->rc != RC_OK) {
        tidy_end(tidy);
        return;
    }
    tidy->done += tidy->step;
    if (tidy->done == tidy->count) {
        tagtail_drop(tidy->book->tail, tidy->below);
        log_debug("tag.listed", "rows=%zu below=%llu", tidy->count,
                  (unsigned long long)tidy->below);
        tidy_end(tidy);
    } else if (writer_submit(tidy->writer, write) != RC_OK) {
        tidy_end(tidy);
    }
}

static enum rc tidy_begin(struct tidy *tidy, struct db *db)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(db, &txn));
    TRY(load_once(tidy->book, txn));
    TRY(next_number(txn, &tidy->below));
    return tagtail_list(tidy->book->tail, tidy->below, &tidy->rows, &tidy->count);
}

enum rc tagbook_tidy(struct tagbook *book, struct writer *writer)
{
    struct tidy *tidy = &book->tidy;
    size_t waiting = tagtail_count(book->tail);
    enum rc rc;

    if (atomic_load(&book->is_tidying) || waiting < TIDY_LEAST ||
        (waiting < TAGBOOK_TAIL_MAX && writer_waiting(writer) >= QUIET_WAITING)) {
        return RC_OK;
    }
    *tidy = (struct tidy){.book = book, .writer = writer};
    tidy->write.ops = &tidy_ops;
    tidy->write.bytes = TIDY_ROWS * 64;
    rc = tidy_begin(tidy, writer_db(writer));
    if (rc != RC_OK || tidy->count == 0) {
        free(tidy->rows);
        tidy->rows = NULL;
        return rc;
    }
    atomic_store(&book->is_tidying, true);
    rc = writer_submit(writer, &tidy->write);
    if (rc != RC_OK) {
        tidy_end(tidy);
    }
    return rc;
}
