#include "relay/startup.h"

#include <stdatomic.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/codec.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/writer.h"
#include "tlog/succession.h"

/* Nearly every record names the directory of its time; so many are looked at from the end. */
#define LOOK_BACK 4096
#define RECORD_ARENA ((size_t)1 << 20)

struct startup_write {
    struct write write; /* first: the writer's */
    struct node *node;
    uint8_t sha256[HASH_SIZE];
    atomic_bool is_done;
};

/* *directory is empty for a record that names none. Borrowed from the arena. */
static enum rc directory_of(struct txn *txn, uint64_t index, struct arena *arena,
                            struct bytes *directory)
{
    struct bytes blind;
    struct bytes bytes;
    struct record record;
    enum rc rc = auditlog_record(txn, index, &blind, &bytes);

    *directory = (struct bytes){0};
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    TRY(codec_record_read(bytes, arena, &record, NULL));
    *directory = arena_copy(arena, record.directory_sha256);
    return RC_OK;
}

static enum rc is_logged(const struct node *node, const uint8_t sha256[HASH_SIZE], bool *is_so)
{
    OWN_PTR(arena) arena = arena_new(RECORD_ARENA);
    OWN_READ(txn) = NULL;
    struct bytes directory = {0};
    uint64_t size;

    *is_so = false;
    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    TRY(auditlog_size(txn, &size));
    for (uint64_t i = 0; i < size && i < LOOK_BACK && directory.size == 0; i++) {
        arena_reset(arena);
        TRY(directory_of(txn, size - 1 - i, arena, &directory));
    }
    *is_so = directory.size == HASH_SIZE && memcmp(directory.data, sha256, HASH_SIZE) == 0;
    return RC_OK;
}

static enum rc apply_directory(struct write *write, struct txn *txn)
{
    const struct startup_write *job = (const struct startup_write *)write;
    const struct node *node = job->node;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_DIRECTORY);
    record.hosted_by = node->self->code;
    record.directory_sha256 = BYTES(job->sha256, HASH_SIZE);
    return entry_put_record(node, txn, &record, &index);
}

static void startup_done(struct write *write)
{
    atomic_store(&((struct startup_write *)write)->is_done, true);
}

static const struct write_ops directory_ops = {
    .name = "directory", .apply = apply_directory, .done = startup_done};

/* Waits for its commit. */
static enum rc write_now(struct node *node, const struct write_ops *ops, size_t bytes,
                         const uint8_t sha256[HASH_SIZE])
{
    struct startup_write write = {.write = {.ops = ops, .leaves = 1, .bytes = bytes}, .node = node};

    memcpy(write.sha256, sha256, HASH_SIZE);
    TRY(writer_submit(node->writer, &write.write));
    while (!atomic_load(&write.is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(write.write.point);
    return write.write.rc;
}

enum rc startup_log_directory(struct node *node)
{
    char hex[2 * HASH_SIZE + 1];
    uint8_t sha256[HASH_SIZE];
    bool is_so;

    inforce_digest(node->inforce, sha256);
    TRY(is_logged(node, sha256, &is_so));
    if (is_so) {
        return RC_OK;
    }
    TRY(write_now(node, &directory_ops, 1024, sha256));
    hex_encode(sha256, HASH_SIZE, hex);
    log_info("directory.logged", "sha256=%s", hex);
    return RC_OK;
}

/* ---- the epoch ---- */

static enum rc apply_epoch(struct write *write, struct txn *txn)
{
    const struct node *node = ((struct startup_write *)write)->node;
    const struct succession *succession = node->succession;
    struct bytes note = BYTES(succession->last_note, succession->last_note_size);
    uint64_t leaves = anchor_size_before(node->anchor);
    uint8_t blind[BLIND_SIZE] = {0};
    struct leaf leaf = {.class = LEAF_CONTROL};
    struct record record;
    OWN(buffer) bytes = {0};
    uint64_t index;

    record_init(&record, RECORD_EPOCH);
    record.succession = node->succession_note;
    record.first_index = leaves > succession->leaves ? leaves : succession->leaves;
    codec_record_write(&record, &bytes);
    if (bytes.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    digest_of(&note, 1, leaf.seen);
    commit_record(blind, buffer_bytes(&bytes), leaf.record);
    return auditlog_append(txn, &leaf, buffer_bytes(&bytes), blind, &index);
}

static const struct write_ops epoch_ops = {
    .name = "epoch", .apply = apply_epoch, .done = startup_done};

/* *size: of the log. *statement: how it began, empty for a first epoch; borrowed from the arena. */
static enum rc beginning(const struct node *node, struct arena *arena, uint64_t *size,
                         struct bytes *statement)
{
    OWN_READ(txn) = NULL;
    struct record record;
    struct bytes blind;
    struct bytes bytes;
    enum rc rc;

    *statement = (struct bytes){0};
    TRY(txn_read(node->db, &txn));
    TRY(auditlog_size(txn, size));
    rc = *size > 0 ? auditlog_record(txn, 0, &blind, &bytes) : RC_NOT_FOUND;
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    TRY(codec_record_read(bytes, arena, &record, NULL));
    if (record.kind == RECORD_EPOCH) {
        *statement = arena_copy(arena, record.succession);
    }
    return RC_OK;
}

enum rc startup_log_epoch(struct node *node)
{
    OWN_PTR(arena) arena = arena_new(RECORD_ARENA);
    struct bytes statement;
    uint64_t size;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(beginning(node, arena, &size, &statement));
    if (size > 0 && !bytes_equal(statement, node->succession_note)) {
        return failed(RC_FAILED_PRECONDITION, "log.other_succession",
                      "origin=%s remedy=start it with the statement that stands in its first leaf",
                      node->self->origin);
    }
    if (size > 0 || node->succession == NULL) {
        return RC_OK;
    }
    TRY(write_now(node, &epoch_ops, SUCCESSION_SIZE_MAX, (const uint8_t[HASH_SIZE]){0}));
    log_warn(
        "epoch.begun", "origin=%s epoch=%u cause=%s old=%s last=%llu leaves=%llu anchored=%llu",
        node->self->origin, node->succession->epoch, succession_cause_name(node->succession->cause),
        node->succession->old_key.name, (unsigned long long)node->succession->last.size,
        (unsigned long long)node->succession->leaves,
        (unsigned long long)anchor_size_before(node->anchor));
    return RC_OK;
}
