/*
 * table - rows of one environment: for the files of this layer only.
 *
 * The tables of `log/`, `seen/` and `index/` and the few ways to touch them. LMDB's own names stand
 * behind env.h, in db.c, txn.c and table.c, and nowhere else. Keys are 1..511 bytes; integers
 * big-endian, so that order on disk is order in time. Values that are read are borrowed until the
 * next write to the transaction.
 *
 * A put that fails spoils the transaction: the first code is kept, later puts return it, and the
 * commit is refused with it. The writer counts puts, to catch a refusal that comes after one.
 */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include <stdbool.h>

#include "store/db.h"

/* On disk by name (table.c): rows may be reordered here, names never change. */
enum table {
    TABLE_FORMAT,     /* name of a fact -> its value */
    TABLE_COMMIT,     /* u64 size ‖ u8 part -> leaves, records, nodes (logrow.h); bodies */
    TABLE_CHECKPOINT, /* u64 size -> signed note that no later commit holds */
    TABLE_MESSAGE,    /* role ‖ message id ‖ member -> journal entry */
    TABLE_KEY,        /* u64 index -> keys wrapped again since the commit, or nothing */
    TABLE_TAG,        /* u64 first number -> names, wrapped tag keys (numbered.h) */
    TABLE_TAGINDEX,   /* SHA-256(name)[16] -> u64 number */
    TABLE_DEBT,       /* destination ‖ 0 ‖ class ‖ u64 index -> attempts */
    TABLE_EXCHANGE,   /* exchange id ‖ member -> state */
    TABLE_EVIDENCE,   /* u64 own index -> u64 number of the proof */
    TABLE_PROOF,      /* u64 first number -> others' leaves and paths (numbered.h) */
    TABLE_NOTE,       /* SHA-256(origin) ‖ u64 size -> a foreign checkpoint */
    TABLE_TIMER,      /* u64 due ‖ u64 sequence -> what then */
    TABLE_COSIGNED,   /* u64 size -> u64 time ‖ note with a quorum of cosignatures */
    TABLE_ORDER,      /* u8 done ‖ order id -> what was ordered, how far it is */
    TABLE_ORDERED,    /* order id ‖ kind ‖ ... -> what an erasure has to remember */
    TABLE_DUTY,       /* u8 over ‖ reason -> who must be woken, who was (dutycall.h) */
    TABLE_APPROVAL,   /* u8 decided ‖ u64 index -> what a second official decides (approval.h) */
    TABLE_WILL, /* member[8] ‖ tag[16] -> what a person wants, under her or his key (willbook.h) */
    TABLE_CHANGE,  /* u64 sequence -> what a commit changed, for a follower (feed.h) */
    TABLE_SEEN,    /* SHA-256(origin) -> last checkpoint of a foreign log; in `seen/` */
    TABLE_POSTING, /* u8 field ‖ value[7] ‖ u64 index -> nothing; in `index/` */
    TABLES
};

#define TABLE_KEY_MAX 511

/* Its name in this store; NULL: the store has no such table. */
const char *db_table_name(const struct db *db, enum table table);

/* The table of that name in this store; RC_NOT_FOUND. */
MUST_CHECK enum rc db_table_named(const struct db *db, struct bytes name, enum table *table);

struct row {
    struct bytes key;
    struct bytes value;
};

/* RC_NOT_FOUND, silently. */
MUST_CHECK enum rc table_get(struct txn *txn, enum table table, struct bytes key,
                             struct bytes *value);
/* Makes or replaces. */
MUST_CHECK enum rc table_put(struct txn *txn, enum table table, struct bytes key,
                             struct bytes value);
/* RC_ALREADY_EXISTS changes nothing and does not count as a put. */
MUST_CHECK enum rc table_add(struct txn *txn, enum table table, struct bytes key,
                             struct bytes value);
/* For keys that the writer numbers itself: one that is not past the last is a bug (assert). */
MUST_CHECK enum rc table_append(struct txn *txn, enum table table, struct bytes key,
                                struct bytes value);
/* The same, and the caller fills the row: size bytes, his until the next write to the transaction.
 */
MUST_CHECK enum rc table_reserve(struct txn *txn, enum table table, struct bytes key, size_t size,
                                 uint8_t **row);
/* Something was gathered that the batch will put at its end: counts as a put. */
MUST_CHECK enum rc table_gather(struct txn *txn);
/* RC_NOT_FOUND does not count as a put. */
MUST_CHECK enum rc table_delete(struct txn *txn, enum table table, struct bytes key);

/* The first row at or after the key, the last one before it, the last of all. RC_NOT_FOUND. */
MUST_CHECK enum rc table_from(struct txn *txn, enum table table, struct bytes key, struct row *row);
MUST_CHECK enum rc table_before(struct txn *txn, enum table table, struct bytes key,
                                struct row *row);
MUST_CHECK enum rc table_last(struct txn *txn, enum table table, struct row *row);
MUST_CHECK enum rc table_count(struct txn *txn, enum table table, uint64_t *count);

/* Removes all its rows. */
MUST_CHECK enum rc table_clear(struct txn *txn, enum table table);

/* Rows in ascending order. Not across a write to the same table. */
struct cursor;
MUST_CHECK enum rc cursor_open(struct txn *txn, enum table table, struct bytes from,
                               struct cursor **cursor);
/* RC_NOT_FOUND at the end, for ever. */
MUST_CHECK enum rc cursor_next(struct cursor *cursor, struct row *row);
/* table_add by a cursor that only adds: a row beside the one before is not looked for from the
 * root. It is freed before the transaction ends. */
MUST_CHECK enum rc cursor_add(struct cursor *cursor, struct bytes key, struct bytes value);
void cursor_free(struct cursor *cursor);
OWN_PTR_DEFINE(cursor)

/*
 * The write transaction of an environment; waits for the one before it. RC_UNAVAILABLE below the
 * floor of free space ("disk.full").
 */
MUST_CHECK enum rc txn_write(struct db *db, struct txn **txn);
/*
 * Ends the transaction either way. Durable when RC_OK; any other code left nothing behind. A disk
 * that fails here ends the process.
 */
MUST_CHECK enum rc txn_commit(struct txn *txn);
void txn_abort(struct txn *txn);

size_t txn_puts(const struct txn *txn);
/* RC_OK while no put has failed. */
enum rc txn_state(const struct txn *txn);
struct db *txn_db(const struct txn *txn);

uint64_t db_confirmed(const struct db *db);
bool db_is_followed(const struct db *db);

/* What the writer lets a transaction append to; NULL outside the writer. See store/append.h. */
struct append;
struct append *txn_append(const struct txn *txn);
void txn_set_append(struct txn *txn, struct append *append);

/* Frees slots of readers that died, and warns of read transactions that are held for seconds. */
void db_check_readers(struct db *db);

/* Logs at level fatal and ends the process at once: nothing that is not on disk may be said. */
_Noreturn void db_fatal(const char *event, const char *cause);

/* For tests: the nth put or delete from now (1 is the next) fails with RC_UNAVAILABLE; 0: none. */
void db_fail_put(struct db *db, uint64_t nth);

#endif
