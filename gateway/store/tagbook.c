#include "store/tagbook.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "store/append.h"
#include "store/dbkey.h"
#include "store/numbered.h"
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

/* RC_NOT_FOUND also when another name's row has the number: the map knew one that came to nothing.
 */
static enum rc row_get(struct txn *txn, uint64_t number, struct bytes name, struct bytes *wrapped)
{
    struct pack_item item;

    TRY(numbered_get(txn, TABLE_TAG, number, &item));
    *wrapped = item.second;
    return bytes_equal(item.first, name) ? RC_OK : RC_NOT_FOUND;
}

/* What is gathered keeps copies: callers' names and rows may be gone by the end of the batch. */
static enum rc keep(struct txn *txn, struct bytes *bytes)
{
    struct append *append = txn_append(txn);
    uint8_t *copy;

    if (append == NULL || bytes->size == 0) {
        return RC_OK;
    }
    copy = gathered_alloc(append->gathered, bytes->size);
    if (copy == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(copy, bytes->data, bytes->size);
    bytes->data = copy;
    return RC_OK;
}

static enum rc row_add(struct txn *txn, struct bytes name, struct bytes wrapped, uint64_t *number)
{
    TRY(keep(txn, &name));
    TRY(keep(txn, &wrapped));
    return numbered_add(txn, TABLE_TAG, name, wrapped, number);
}

static enum rc row_replace(struct txn *txn, uint64_t number, struct bytes wrapped)
{
    TRY(keep(txn, &wrapped));
    return numbered_replace(txn, TABLE_TAG, number, wrapped);
}

static enum rc indexed_get(struct txn *txn, uint64_t *below)
{
    struct bytes row;
    enum rc rc = table_get(txn, TABLE_FORMAT, bytes_text(indexed_name), &row);

    *below = rc == RC_OK && row.size == 8 ? get_u64(row.data) : 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- the tail ---- */

static enum rc load_row(struct tagbook *book, struct bytes row)
{
    uint8_t identity[TAG_IDENTITY_SIZE];
    struct pack_item item;
    enum rc rc;

    for (size_t i = 0; (rc = pack_at(row, i, &item)) == RC_OK; i++) {
        identify(item.first, identity);
        TRY(tagtail_set(book->tail, identity, item.index));
    }
    return rc == RC_NOT_FOUND ? RC_OK : failed(rc, "tag.row", "cause=damaged");
}

/* The row that holds a number may begin before it: what is listed and read again does no harm. */
static void first_row(struct txn *txn, uint64_t number, struct dbkey *from)
{
    struct dbkey past;
    struct row row;

    dbkey_u64(&past, number + 1);
    if (table_before(txn, TABLE_TAG, dbkey_bytes(&past), &row) == RC_OK && row.key.size == 8) {
        number = get_u64(row.key.data);
    }
    dbkey_u64(from, number);
}

static enum rc load(struct tagbook *book, struct txn *txn)
{
    OWN_PTR(cursor) cursor = NULL;
    struct dbkey from;
    struct row row;
    uint64_t below;
    enum rc rc;

    TRY(indexed_get(txn, &below));
    first_row(txn, below, &from);
    TRY(cursor_open(txn, TABLE_TAG, dbkey_bytes(&from), &cursor));
    while ((rc = cursor_next(cursor, &row)) == RC_OK) {
        TRY(load_row(book, row.value));
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

    TRY(row_add(txn, name, wrapped, &number));
    return tagtail_set(book->tail, identity, number);
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
        return row_replace(txn, number, wrapped);
    }
    return rc == RC_NOT_FOUND ? add(book, txn, identity, name, wrapped) : rc;
}

enum rc tagbook_add(struct tagbook *book, struct txn *txn, struct bytes name, struct bytes wrapped)
{
    uint8_t identity[TAG_IDENTITY_SIZE];

    identify(name, identity);
    return add(book, txn, identity, name, wrapped);
}

enum rc tagbook_at(struct txn *txn, uint64_t number, struct bytes *name, struct bytes *wrapped)
{
    struct pack_item item;

    TRY(numbered_get(txn, TABLE_TAG, number, &item));
    *name = item.first;
    *wrapped = item.second;
    return RC_OK;
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
    TRY(numbered_next(txn, TABLE_TAG, &tidy->below));
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
