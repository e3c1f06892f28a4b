#include "store/copy.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/archive.h"
#include "store/change.h"
#include "store/copy_commit.h"
#include "store/dbkey.h"
#include "store/durable.h"
#include "store/pruning.h"
#include "store/table.h"
#include "store/tree.h"
#include "tlog/checkpoint.h"

#define STATE_VERSION 2
#define COMMIT_KEY_SIZE 9
static const char state_name[] = "copy";

struct copy {
    const struct vkey *vkey;
    struct db *db;
    int folder;
    struct copy_commit *commit;
    struct frontier frontier; /* of the leaves that it holds */
    struct feed_position position;
    struct buffer walk; /* what position.walk borrows */
    bool is_whole;
    uint64_t absent; /* past the last record leaf without a record */
};

/* A page on its way in. */
struct taking {
    struct copy *copy;
    const struct copy_page *page;
    struct txn *txn;
    struct checkpoint shown;
    struct frontier frontier;
    uint64_t absent;
    bool is_walk;
    enum table at;      /* of the walk */
    struct dbkey after; /* the walk's last row; size 0: none of that table */
    bool has_changed;
};

/* ---- where it is ---- */

static void state_write(const struct copy_page *page, bool is_whole, uint64_t absent,
                        struct buffer *out)
{
    buffer_put_u8(out, STATE_VERSION);
    buffer_put(out, page->feed, FEED_ID_SIZE);
    buffer_put_u64(out, page->next);
    buffer_put_u8(out, is_whole);
    buffer_put_u64(out, absent);
    buffer_put_chunk(out, page->walk);
}

static enum rc set_state(struct copy *copy, struct bytes state)
{
    struct reader reader = {.rest = state};
    struct bytes walk;

    if (reader_u8(&reader) != STATE_VERSION) {
        return failed(RC_DATA_LOSS, "copy.state", "cause=damaged");
    }
    reader_copy(&reader, copy->position.feed, FEED_ID_SIZE);
    copy->position.next = reader_u64(&reader);
    copy->is_whole = reader_u8(&reader) != 0;
    copy->absent = reader_u64(&reader);
    walk = reader_chunk(&reader);
    if (!reader_is_done(&reader) || walk.size > FEED_WALK_MAX) {
        return failed(RC_DATA_LOSS, "copy.state", "cause=damaged");
    }
    buffer_clear(&copy->walk);
    buffer_put_bytes(&copy->walk, walk);
    copy->position.walk = buffer_bytes(&copy->walk);
    copy->position.has_feed = true;
    return copy->walk.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc load_edge(struct copy *copy, struct txn *txn)
{
    struct tree_memo *memo = calloc(1, sizeof *memo);
    struct tree_source source = tree_source(txn, memo);
    uint8_t root[DIGEST_SIZE];
    struct logrow row;
    enum rc rc = memo == NULL ? RC_RESOURCE_EXHAUSTED : logrow_last(txn, &row);

    memset(&copy->frontier, 0, sizeof copy->frontier);
    if (rc == RC_OK) {
        rc = tree_edge(&source, row.size, &copy->frontier);
        frontier_root(&copy->frontier, root);
        if (rc == RC_OK && !digest_equal(root, row.root)) {
            rc = failed(RC_DATA_LOSS, "copy.contradiction", "size=%llu remedy=\"begin a new copy\"",
                        (unsigned long long)row.size);
        }
    }
    free(memo);
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc load(struct copy *copy)
{
    OWN_READ(txn) = NULL;
    struct bytes state;
    enum rc rc;

    TRY(txn_read(copy->db, &txn));
    TRY(load_edge(copy, txn));
    rc = table_get(txn, TABLE_FORMAT, bytes_text(state_name), &state);
    return rc == RC_NOT_FOUND ? RC_OK : rc == RC_OK ? set_state(copy, state) : rc;
}

/* Its name is durable in the folder above. */
static enum rc open_folder(const char *path, int *fd)
{
    char above[PATH_MAX];
    char name[PATH_MAX];
    int parent;
    enum rc rc;

    if (snprintf(above, sizeof above, "%s", path) >= (int)sizeof above - 8) {
        return failed(RC_INVALID_ARGUMENT, "copy.folder", "cause=too long");
    }
    memcpy(name, above, sizeof name);
    parent = open(dirname(above), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0) {
        return durable_failed("copy.folder", path);
    }
    rc = durable_folder(parent, basename(name), true, fd);
    close(parent);
    return rc;
}

enum rc copy_open(const struct copy_options *options, struct copy **copy)
{
    OWN_PTR(copy) made = calloc(1, sizeof *made);
    char path[PATH_MAX];
    struct db_options db = {.kind = DB_LOG,
                            .path = path,
                            .origin = options->vkey->name,
                            .epoch = options->epoch,
                            .map_size = options->map_size,
                            .floor_bytes = options->floor_bytes};

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->folder = -1;
    made->vkey = options->vkey;
    TRY(open_folder(options->folder, &made->folder));
    snprintf(path, sizeof path, "%s/log", options->folder);
    TRY(db_open(&db, &made->db));
    made->commit = copy_commit_new(made->vkey);
    if (made->commit == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(load(made));
    if (!made->is_whole) {
        TRY(archive_unmark_log(made->folder)); /* a death came between the two */
    } else {
        TRY(archive_mark_log(made->folder));
    }
    *copy = MOVE(made);
    return RC_OK;
}

void copy_free(struct copy *copy)
{
    if (copy == NULL) {
        return;
    }
    copy_commit_free(copy->commit);
    db_free(copy->db);
    buffer_release(&copy->walk);
    if (copy->folder >= 0) {
        close(copy->folder);
    }
    free(copy);
}

const struct feed_position *copy_position(const struct copy *copy)
{
    return &copy->position;
}

uint64_t copy_size(const struct copy *copy)
{
    return copy->frontier.size;
}

bool copy_is_whole(const struct copy *copy)
{
    return copy->is_whole;
}

void copy_begin_again(struct copy *copy)
{
    copy->position = (struct feed_position){0};
}

/* ---- the log's own rows ---- */

static enum rc another_log(const struct taking *taking, uint64_t size, const char *cause)
{
    return failed(
        RC_ABORTED, "copy.fork",
        "size=%llu held=%llu cause=\"%s\" remedy=\"keep this copy: stop the node, compare, "
        "restore the log from here where it is the newer one\"",
        (unsigned long long)size, (unsigned long long)taking->copy->frontier.size, cause);
}

static enum rc bad_page(const char *cause)
{
    return failed(RC_INVALID_ARGUMENT, "copy.page", "cause=\"%s\"", cause);
}

static bool is_log_row(enum table table, struct bytes key)
{
    return table == TABLE_COMMIT && key.data[COMMIT_KEY_SIZE - 1] == LOGROW_LOG;
}

/* The node's newest checkpoint: its log is this one, and not older. */
static enum rc check_shown(struct taking *taking)
{
    struct checkpoint *shown = &taking->shown;
    struct logrow row;
    enum rc rc;

    if (checkpoint_open(taking->page->checkpoint, taking->copy->vkey, NULL, shown) != RC_OK) {
        return bad_page("its checkpoint is not signed by the log's key");
    }
    if (shown->size < taking->frontier.size) {
        return another_log(taking, shown->size, "the node's log is older than the copy");
    }
    rc = shown->size > 0 ? logrow_get(taking->txn, shown->size, &row) : RC_NOT_FOUND;
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    TRY(rc);
    return digest_equal(row.root, shown->root)
               ? RC_OK
               : another_log(taking, shown->size, "two roots of one size");
}

/* Once all of the page is in: the commit of the checkpoint, if it came with it, has its root. */
static enum rc check_shown_again(struct taking *taking)
{
    struct logrow row;
    enum rc rc =
        taking->shown.size > 0 ? logrow_get(taking->txn, taking->shown.size, &row) : RC_NOT_FOUND;

    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    TRY(rc);
    return digest_equal(row.root, taking->shown.root) ? RC_OK
                                                      : bad_page("its rows have another root");
}

/* A commit that is held: only records may have gone from it. */
static enum rc put_pruned(struct taking *taking, const struct change *change, struct bytes held)
{
    struct logrow before;
    struct logrow now;

    if (logrow_read(change->key, held, &before) != RC_OK ||
        logrow_read(change->key, change->value, &now) != RC_OK ||
        !logrow_is_pruned(&before, &now)) {
        return another_log(taking, get_u64(change->key.data), "a commit that is held is another");
    }
    copy_commit_absent(&now, &taking->absent);
    taking->has_changed = true;
    return table_put(taking->txn, TABLE_COMMIT, change->key, change->value);
}

/* Once it is up to date: what is absent, a leaf of the log gave up. */
static enum rc check_absent(struct taking *taking)
{
    struct pruning pruning;
    enum rc rc;

    if (taking->absent == 0 || taking->is_walk || !taking->page->is_complete) {
        return RC_OK;
    }
    rc = pruning_proven(taking->txn, &pruning);
    return rc == RC_OK && taking->absent <= pruning.minimum
               ? RC_OK
               : bad_page("records are missing that no retention leaf gave up");
}

static enum rc put_row(struct taking *taking, enum table table, const struct change *change)
{
    struct bytes held;
    enum rc rc = table_get(taking->txn, table, change->key, &held);

    if (rc == RC_OK && bytes_equal(held, change->value)) {
        return RC_OK;
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    if (rc == RC_OK && is_log_row(table, change->key)) {
        return put_pruned(taking, change, held);
    }
    taking->has_changed = true;
    TRY(table_put(taking->txn, table, change->key, change->value));
    if (!is_log_row(table, change->key)) {
        return RC_OK;
    }
    rc = copy_commit_check(taking->copy->commit, taking->txn, get_u64(change->key.data),
                           &taking->frontier, &taking->absent);
    return rc == RC_DATA_LOSS ? RC_INVALID_ARGUMENT : rc;
}

static enum rc remove_row(struct taking *taking, enum table table, struct bytes key)
{
    enum rc rc;

    if (is_log_row(table, key)) {
        return another_log(taking, get_u64(key.data), "a commit disappeared");
    }
    rc = table_delete(taking->txn, table, key);
    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    taking->has_changed = true;
    return rc;
}

/* ---- a walk ---- */

/* What is held of the commits after the walk's last row and before this one is gone at the node. */
static enum rc drop_between(struct taking *taking, struct bytes before)
{
    struct dbkey at = taking->after;
    struct row row;
    enum rc rc;

    dbkey_put_u8(&at, 0); /* just past it */
    while ((rc = table_from(taking->txn, TABLE_COMMIT, dbkey_bytes(&at), &row)) == RC_OK) {
        if (before.size > 0 && memcmp(row.key.data, before.data, COMMIT_KEY_SIZE) >= 0) {
            return RC_OK;
        }
        dbkey_clear(&at);
        dbkey_put(&at, row.key);
        TRY(remove_row(taking, TABLE_COMMIT, dbkey_bytes(&at)));
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* The log is the same one: what else there was comes anew. */
static enum rc leave_commits(struct taking *taking)
{
    TRY(drop_between(taking, (struct bytes){0}));
    for (int table = 0; table < TABLES; table++) {
        if (table != TABLE_COMMIT && table != TABLE_FORMAT &&
            db_table_name(taking->copy->db, (enum table)table) != NULL) {
            TRY(table_clear(taking->txn, (enum table)table));
        }
    }
    taking->has_changed = true;
    return RC_OK;
}

static enum rc walk_to(struct taking *taking, enum table table, struct bytes key)
{
    if (taking->at == TABLE_COMMIT) {
        if (table == TABLE_COMMIT) {
            TRY(drop_between(taking, key));
        } else {
            TRY(leave_commits(taking));
        }
    }
    taking->at = table;
    dbkey_clear(&taking->after);
    dbkey_put(&taking->after, key);
    return RC_OK;
}

static enum rc begin_walk(struct taking *taking)
{
    const struct feed_position *from = &taking->copy->position;
    struct reader reader = {.rest = from->walk};
    struct bytes name;

    taking->is_walk = !from->has_feed || from->walk.size > 0;
    taking->at = TABLE_COMMIT;
    if (from->has_feed && from->walk.size > 0) {
        name = reader_take(&reader, reader_u8(&reader));
        if (reader.is_failed || reader.rest.size > TABLE_KEY_MAX ||
            db_table_named(taking->copy->db, name, &taking->at) != RC_OK) {
            return failed(RC_DATA_LOSS, "copy.state", "cause=damaged");
        }
        dbkey_put(&taking->after, reader.rest);
    }
    return RC_OK;
}

static enum rc end_walk(struct taking *taking)
{
    return taking->is_walk && taking->page->walk.size == 0 && taking->at == TABLE_COMMIT
               ? leave_commits(taking)
               : RC_OK;
}

/* ---- a page ---- */

static enum rc take_row(struct taking *taking, const struct change *change)
{
    enum table table;

    if (db_table_named(taking->copy->db, change->table, &table) != RC_OK || table == TABLE_CHANGE ||
        (table == TABLE_FORMAT && !feed_is_shared_fact(change->key)) ||
        (table == TABLE_COMMIT && change->key.size != COMMIT_KEY_SIZE) ||
        change->kind == CHANGE_STANDS || (taking->is_walk && change->kind == CHANGE_GONE)) {
        return bad_page("a row that no feed has");
    }
    if (taking->is_walk) {
        TRY(walk_to(taking, table, change->key));
    }
    return change->kind == CHANGE_GONE ? remove_row(taking, table, change->key)
                                       : put_row(taking, table, change);
}

static enum rc take_rows(struct taking *taking)
{
    struct bytes rest = taking->page->rows;
    struct change change;
    enum rc rc;

    while ((rc = change_next(&rest, &change)) == RC_OK) {
        TRY(take_row(taking, &change));
    }
    return rc == RC_NOT_FOUND ? end_walk(taking) : bad_page("its rows are cut");
}

/* A feed goes on from where the copy is; only a walk's first page says which feed and from where.
 */
static enum rc check_place(const struct taking *taking)
{
    const struct feed_position *from = &taking->copy->position;
    const struct copy_page *page = taking->page;

    if (page->walk.size > FEED_WALK_MAX || (!taking->is_walk && page->walk.size > 0) ||
        (from->has_feed && memcmp(page->feed, from->feed, FEED_ID_SIZE) != 0) ||
        (from->has_feed &&
         (taking->is_walk ? page->next != from->next : page->next < from->next))) {
        return bad_page("another place of the feed than was asked for");
    }
    return RC_OK;
}

static enum rc take_all(struct taking *taking, struct buffer *state)
{
    struct copy *copy = taking->copy;
    bool is_whole;

    TRY(begin_walk(taking));
    TRY(check_place(taking));
    TRY(check_shown(taking));
    TRY(take_rows(taking));
    TRY(check_shown_again(taking));
    TRY(check_absent(taking));
    is_whole = taking->is_walk ? copy->is_whole && !taking->has_changed
                               : copy->is_whole || taking->page->is_complete;
    if (copy->is_whole && !is_whole) {
        TRY(archive_unmark_log(copy->folder)); /* before it is torn, not after */
    }
    state_write(taking->page, is_whole, taking->absent, state);
    return state->is_failed
               ? RC_RESOURCE_EXHAUSTED
               : table_put(taking->txn, TABLE_FORMAT, bytes_text(state_name), buffer_bytes(state));
}

static bool is_news(const struct copy *copy, const struct copy_page *page)
{
    return page->rows.size > 0 || !copy->position.has_feed || copy->position.walk.size > 0 ||
           page->next != copy->position.next || (page->is_complete && !copy->is_whole);
}

enum rc copy_take(struct copy *copy, const struct copy_page *page)
{
    struct taking taking = {
        .copy = copy, .page = page, .frontier = copy->frontier, .absent = copy->absent};
    bool was_whole = copy->is_whole;
    OWN(buffer) state = {0};
    enum rc rc;

    TRY(txn_write(copy->db, &taking.txn));
    rc = take_all(&taking, &state);
    if (rc != RC_OK || !is_news(copy, page)) {
        txn_abort(taking.txn);
        return rc;
    }
    TRY(txn_commit(taking.txn));
    copy->frontier = taking.frontier;
    TRY(set_state(copy, buffer_bytes(&state)));
    return copy->is_whole && !was_whole ? archive_mark_log(copy->folder) : RC_OK;
}
