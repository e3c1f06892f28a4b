/*
 * logstore - for the tests of the log: a temporary store, its writer, and a write that waits.
 */
#ifndef TESTS_LOGSTORE_H
#define TESTS_LOGSTORE_H

#include <assert.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/keyring.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/table.h"
#include "store/writer.h"
#include "tlog/tlog_proof.h"

#define ORIGIN "gw.test/audit/2026"
/* Small: sanitizers leave less room than a terabyte. */
#define TEST_MAP ((uint64_t)256 << 20)

struct logstore {
    char path[64];
    struct db *db;
    struct keyring *keyring;
    struct vkey vkey;
    struct writer *writer;
};

static inline struct db_options logstore_options(const struct logstore *store)
{
    return (struct db_options){.kind = DB_LOG,
                               .path = store->path,
                               .origin = ORIGIN,
                               .epoch = 1,
                               .map_size = TEST_MAP,
                               .floor_bytes = 1 << 20};
}

static inline enum rc logstore_open_db(struct logstore *store)
{
    struct db_options options = logstore_options(store);

    return db_open(&options, &store->db);
}

static inline enum rc logstore_open_writer(struct logstore *store)
{
    struct writer_options options = {.db = store->db, .keyring = store->keyring};

    return writer_new(&options, &store->writer);
}

static inline void logstore_open(struct logstore *store)
{
    enum rc rc = logstore_open_db(store);

    assert(rc == RC_OK);
    rc = logstore_open_writer(store);
    assert(rc == RC_OK);
}

static inline void logstore_close(struct logstore *store)
{
    writer_free(store->writer);
    store->writer = NULL;
    db_free(store->db);
    store->db = NULL;
}

static inline void temporary_path(char path[64])
{
    snprintf(path, 64, "/tmp/enlace-test-XXXXXX");
    if (mkdtemp(path) == NULL) {
        abort();
    }
}

static inline int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void remove_path(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct keyring *test_key(uint8_t first)
{
    uint8_t seed[ED25519_SEED_SIZE] = {first};
    struct keyring *keyring = keyring_from_seed(seed);

    assert(keyring != NULL);
    return keyring;
}

/* A fresh store, nothing opened. */
static inline void logstore_make(struct logstore *store)
{
    enum rc rc;

    memset(store, 0, sizeof *store);
    temporary_path(store->path);
    store->keyring = test_key(7);
    rc = vkey_of(ORIGIN, VKEY_ED25519, store->keyring, &store->vkey);
    assert(rc == RC_OK);
}

static inline void logstore_remove(struct logstore *store)
{
    logstore_close(store);
    keyring_free(store->keyring);
    remove_path(store->path);
}

/* A write that runs `deed` in the transaction, and whoever submitted it waits for its end. */
struct deed {
    struct write write; /* first */
    enum rc (*deed)(struct deed *deed, struct txn *txn);
    unsigned count;  /* leaves to append */
    uint64_t index;  /* of the last one */
    uint64_t number; /* makes leaves differ */
    pthread_mutex_t lock;
    pthread_cond_t end;
    bool is_done;
};

static inline enum rc deed_apply(struct write *write, struct txn *txn)
{
    struct deed *deed = (struct deed *)write;

    return deed->deed(deed, txn);
}

static inline void deed_done(struct write *write)
{
    struct deed *deed = (struct deed *)write;

    pthread_mutex_lock(&deed->lock);
    deed->is_done = true;
    pthread_cond_signal(&deed->end);
    pthread_mutex_unlock(&deed->lock);
}

static const struct write_ops deed_ops = {.apply = deed_apply, .done = deed_done};

static inline void deed_init(struct deed *deed, enum rc (*what)(struct deed *, struct txn *),
                             unsigned leaves)
{
    memset(deed, 0, sizeof *deed);
    deed->write.ops = &deed_ops;
    deed->write.leaves = leaves;
    deed->count = leaves;
    deed->deed = what;
    pthread_mutex_init(&deed->lock, NULL);
    pthread_cond_init(&deed->end, NULL);
}

static inline enum rc deed_wait(struct deed *deed)
{
    pthread_mutex_lock(&deed->lock);
    while (!deed->is_done) {
        pthread_cond_wait(&deed->end, &deed->lock);
    }
    pthread_mutex_unlock(&deed->lock);
    return deed->write.rc;
}

/* Submits, waits, and drops the point. */
static inline enum rc deed_run(struct logstore *store, struct deed *deed)
{
    enum rc rc = writer_submit(store->writer, &deed->write);

    if (rc == RC_OK) {
        rc = deed_wait(deed);
        commit_point_release(deed->write.point);
    }
    return rc;
}

static inline enum rc run(struct logstore *store, enum rc (*what)(struct deed *, struct txn *),
                          unsigned leaves)
{
    struct deed deed;

    deed_init(&deed, what, leaves);
    return deed_run(store, &deed);
}

static inline void leaf_of(uint64_t number, struct leaf *leaf)
{
    memset(leaf, 0, sizeof *leaf);
    leaf->class = LEAF_RECORD;
    put_u64(leaf->message, number);
    put_u64(leaf->nonce, ~number);
}

/* Appends deed->count leaves with a record each. */
static inline enum rc append_leaves(struct deed *deed, struct txn *txn)
{
    uint8_t blind[COMMIT_BLIND_SIZE] = {0x42};

    for (unsigned i = 0; i < deed->count; i++) {
        struct leaf leaf;
        char record[32];

        leaf_of(deed->number + i, &leaf);
        snprintf(record, sizeof record, "record %llu", (unsigned long long)deed->number + i);
        commit_record(blind, bytes_text(record), leaf.record);
        TRY(auditlog_append(txn, &leaf, bytes_text(record), blind, &deed->index));
    }
    return RC_OK;
}

/* Appends `count` leaves in one commit of their own. */
static inline void grow(struct logstore *store, uint64_t number, unsigned count)
{
    struct deed deed;
    enum rc rc;

    deed_init(&deed, append_leaves, count);
    deed.number = number;
    rc = deed_run(store, &deed);
    assert(rc == RC_OK);
}

#endif
