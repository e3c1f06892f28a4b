/*
 * sign_first - linked into a node by one test, in place of txn_write and txn_commit (ld --wrap):
 * what is to be committed to the log waits until the next transaction begins, and the writer is
 * told at once that it stands. So it signs and answers before anything is durable, and the test of
 * crash order must catch it.
 */
#include <stddef.h>

#include "store/table.h"

enum rc __real_txn_write(struct db *db, struct txn **txn);
enum rc __real_txn_commit(struct txn *txn);
enum rc __wrap_txn_write(struct db *db, struct txn **txn);
enum rc __wrap_txn_commit(struct txn *txn);

/* The writer thread's alone: the other environment's transactions pass. */
static struct txn *waiting;

static bool is_log(const struct db *db)
{
    const char *path = db_path(db);
    size_t size = bytes_text(path).size;

    return size > 4 && bytes_equal(BYTES(path + size - 4, 4), bytes_text("/log"));
}

enum rc __wrap_txn_write(struct db *db, struct txn **txn)
{
    if (is_log(db) && waiting != NULL) {
        struct txn *before = waiting;

        waiting = NULL;
        TRY(__real_txn_commit(before));
    }
    return __real_txn_write(db, txn);
}

enum rc __wrap_txn_commit(struct txn *txn)
{
    if (txn_state(txn) != RC_OK || !is_log(txn_db(txn))) {
        return __real_txn_commit(txn);
    }
    waiting = txn;
    return RC_OK;
}
