#include "store/feed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/change.h"
#include "store/dbkey.h"
#include "store/table.h"

/* Changes that one commit removes, when they are confirmed or too many. */
#define PRUNE_MOST 32
static const char feed_name[] = "feed";

void feed_page_release(struct feed_page *page)
{
    buffer_release(&page->walk);
    buffer_release(&page->rows);
}

bool feed_is_shared_fact(struct bytes name)
{
    return !bytes_are_text(name, "format") && !bytes_are_text(name, feed_name) &&
           !bytes_are_text(name, "copy");
}

/* Large, and rewritten only to lose records that a follower may miss then, too. */
static bool is_by_reference(enum table table)
{
    return table == TABLE_COMMIT;
}

static bool is_followed_row(enum table table, struct bytes key)
{
    return table != TABLE_CHANGE && (table != TABLE_FORMAT || feed_is_shared_fact(key));
}

/* ---- recording ---- */

struct touch {
    enum table table;
    struct bytes key;
};

void feed_touch(struct buffer *touched, unsigned table, struct bytes key)
{
    if (is_followed_row((enum table)table, key)) {
        buffer_put_u8(touched, (uint8_t)table);
        buffer_put_u16(touched, (uint16_t)key.size);
        buffer_put_bytes(touched, key);
    }
}

static int in_order(const void *left, const void *right)
{
    const struct touch *a = left;
    const struct touch *b = right;
    size_t shared = a->key.size < b->key.size ? a->key.size : b->key.size;
    int order;

    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    }
    order = memcmp(a->key.data, b->key.data, shared);
    return order != 0 ? order : (a->key.size > b->key.size) - (a->key.size < b->key.size);
}

static size_t list(struct bytes touched, struct touch *touches)
{
    struct reader reader = {.rest = touched};
    size_t count = 0;

    while (reader.rest.size > 0) {
        touches[count].table = (enum table)reader_u8(&reader);
        touches[count].key = reader_take(&reader, reader_u16(&reader));
        count++;
    }
    assert(!reader.is_failed);
    qsort(touches, count, sizeof *touches, in_order);
    return count;
}

static enum rc put_touch(struct txn *txn, const struct touch *touch, struct buffer *row)
{
    struct change change = {.table = bytes_text(db_table_name(txn_db(txn), touch->table)),
                            .kind = CHANGE_VALUE,
                            .key = touch->key};
    enum rc rc = table_get(txn, touch->table, touch->key, &change.value);

    if (rc == RC_NOT_FOUND) {
        change.kind = CHANGE_GONE;
    } else if (rc != RC_OK) {
        return rc;
    } else if (is_by_reference(touch->table)) {
        change.kind = CHANGE_STANDS;
    }
    change_put(row, &change);
    return RC_OK;
}

static enum rc prune(struct txn *txn, uint64_t last)
{
    uint64_t confirmed = db_confirmed(txn_db(txn));
    struct dbkey first;
    struct row row;

    for (int i = 0; i < PRUNE_MOST; i++) {
        uint64_t sequence;

        dbkey_u64(&first, 0);
        TRY(table_from(txn, TABLE_CHANGE, dbkey_bytes(&first), &row));
        sequence = get_u64(row.key.data);
        if (sequence >= last || (sequence >= confirmed && last - sequence < FEED_COMMITS_MAX)) {
            break;
        }
        dbkey_u64(&first, sequence);
        TRY(table_delete(txn, TABLE_CHANGE, dbkey_bytes(&first)));
    }
    return RC_OK;
}

/* Of the next commit; 1 is the first. */
static enum rc next_sequence(struct txn *txn, uint64_t *next)
{
    struct row last;
    enum rc rc = table_last(txn, TABLE_CHANGE, &last);

    *next = 1;
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    TRY(rc);
    *next = get_u64(last.key.data) + 1;
    return RC_OK;
}

static enum rc record(struct txn *txn, const struct touch *touches, size_t count)
{
    OWN(buffer) row = {0};
    struct dbkey key;
    uint64_t sequence;

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || in_order(&touches[i - 1], &touches[i]) != 0) {
            TRY(put_touch(txn, &touches[i], &row));
        }
    }
    if (row.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(next_sequence(txn, &sequence));
    dbkey_u64(&key, sequence);
    TRY(table_append(txn, TABLE_CHANGE, dbkey_bytes(&key), buffer_bytes(&row)));
    return prune(txn, sequence);
}

enum rc feed_record(struct txn *txn, struct bytes touched)
{
    struct touch *touches = calloc(touched.size / 4 + 1, sizeof *touches);
    enum rc rc;

    if (touches == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = record(txn, touches, list(touched, touches));
    free(touches);
    return rc;
}

/* ---- walking ---- */

/* The log first: whether it is the same one shows before anything else is touched. */
static enum table walk_table(unsigned place)
{
    if (place == 0) {
        return TABLE_COMMIT;
    }
    return (enum table)(place <= TABLE_COMMIT ? place - 1 : place);
}

static unsigned walk_place(enum table table)
{
    unsigned place = 0;

    while (walk_table(place) != table) {
        place++;
    }
    return place;
}

static void put_walk(struct feed_page *page, const char *name, struct bytes key)
{
    struct bytes text = bytes_text(name);

    buffer_clear(&page->walk);
    buffer_put_u8(&page->walk, (uint8_t)text.size);
    buffer_put_bytes(&page->walk, text);
    buffer_put_bytes(&page->walk, key);
}

/* The rows of a table after this key, until the page is full (RC_OK) or the table over. */
static enum rc walk_rows(struct txn *txn, enum table table, struct bytes after,
                         struct feed_page *page)
{
    const char *name = db_table_name(txn_db(txn), table);
    OWN_PTR(cursor) cursor = NULL;
    struct row row;

    TRY(cursor_open(txn, table, after, &cursor));
    while (page->rows.size < FEED_PAGE_SOFT) {
        struct change change = {.table = bytes_text(name), .kind = CHANGE_VALUE};

        TRY(cursor_next(cursor, &row));
        if (bytes_equal(row.key, after) || !is_followed_row(table, row.key)) {
            continue;
        }
        change.key = row.key;
        change.value = row.value;
        change_put(&page->rows, &change);
        put_walk(page, name, row.key);
    }
    return RC_OK;
}

static enum rc walk(struct txn *txn, enum table table, struct bytes after, struct feed_page *page)
{
    for (unsigned place = walk_place(table); place < TABLES; place++) {
        enum rc rc = RC_NOT_FOUND;

        table = walk_table(place);
        if (db_table_name(txn_db(txn), table) != NULL && table != TABLE_CHANGE) {
            rc = walk_rows(txn, table, after, page);
        }
        if (rc != RC_NOT_FOUND) {
            return rc;
        }
        after = (struct bytes){0};
    }
    buffer_clear(&page->walk); /* over */
    return RC_OK;
}

static enum rc walk_on(struct txn *txn, const struct feed_position *from, struct feed_page *page)
{
    struct reader reader = {.rest = from->walk};
    enum table table;
    struct bytes name = reader_take(&reader, reader_u8(&reader));

    if (reader.is_failed || reader.rest.size > TABLE_KEY_MAX ||
        db_table_named(txn_db(txn), name, &table) != RC_OK) {
        return RC_INVALID_ARGUMENT;
    }
    page->next = from->next;
    return walk(txn, table, reader.rest, page);
}

static enum rc walk_begin(struct txn *txn, struct feed_page *page)
{
    TRY(next_sequence(txn, &page->next));
    return walk(txn, TABLE_COMMIT, (struct bytes){0}, page);
}

/* ---- reading ---- */

/* What was put by reference, with its value of now; it may have been erased since. */
static enum rc put_current(struct txn *txn, struct bytes changes, struct buffer *rows)
{
    struct change change;
    enum table table;
    enum rc rc;

    while ((rc = change_next(&changes, &change)) == RC_OK) {
        if (change.kind == CHANGE_STANDS) {
            TRY(db_table_named(txn_db(txn), change.table, &table));
            rc = table_get(txn, table, change.key, &change.value);
            if (rc != RC_OK && rc != RC_NOT_FOUND) {
                return rc;
            }
            change.kind = rc == RC_OK ? CHANGE_VALUE : CHANGE_GONE;
        }
        change_put(rows, &change);
    }
    return rc == RC_NOT_FOUND ? RC_OK : failed(rc, "feed.row", "cause=damaged");
}

static enum rc read_changes(struct txn *txn, uint64_t from, struct feed_page *page)
{
    OWN_PTR(cursor) cursor = NULL;
    struct dbkey key;
    struct row row;
    uint64_t end;

    TRY(next_sequence(txn, &end));
    if (from > end) {
        return RC_NOT_FOUND;
    }
    dbkey_u64(&key, from);
    TRY(cursor_open(txn, TABLE_CHANGE, dbkey_bytes(&key), &cursor));
    for (page->next = from; page->next < end && page->rows.size < FEED_PAGE_SOFT; page->next++) {
        TRY(cursor_next(cursor, &row));
        if (get_u64(row.key.data) != page->next) {
            return RC_NOT_FOUND; /* not kept any more */
        }
        TRY(put_current(txn, row.value, &page->rows));
    }
    page->is_complete = page->next == end;
    return RC_OK;
}

static enum rc read_page(struct txn *txn, const struct feed_position *from, struct feed_page *page)
{
    if (!from->has_feed) {
        return walk_begin(txn, page);
    }
    if (memcmp(from->feed, page->feed, FEED_ID_SIZE) != 0) {
        return RC_NOT_FOUND;
    }
    return from->walk.size > 0 ? walk_on(txn, from, page) : read_changes(txn, from->next, page);
}

enum rc feed_read(struct db *db, const struct feed_position *from, struct feed_page *page)
{
    OWN_READ(txn) = NULL;
    struct bytes id;

    if (!db_is_followed(db)) {
        return RC_FAILED_PRECONDITION;
    }
    TRY(txn_read(db, &txn));
    if (table_get(txn, TABLE_FORMAT, bytes_text(feed_name), &id) != RC_OK ||
        id.size != FEED_ID_SIZE) {
        return failed(RC_DATA_LOSS, "feed.id", "cause=missing");
    }
    memcpy(page->feed, id.data, FEED_ID_SIZE);
    TRY(read_page(txn, from, page));
    return page->rows.is_failed || page->walk.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}
