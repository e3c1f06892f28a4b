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
#include "store/auditlog.h"
#include "store/db.h"
#include "store/writer.h"

/* Nearly every record names the directory of its time; so many are looked at from the end. */
#define LOOK_BACK 4096
#define RECORD_ARENA ((size_t)1 << 20)

struct directory_write {
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
    const struct directory_write *job = (const struct directory_write *)write;
    const struct node *node = job->node;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_DIRECTORY);
    record.hosted_by = node->self->code;
    record.directory_sha256 = BYTES(job->sha256, HASH_SIZE);
    return entry_put_record(node, txn, &record, &index);
}

static void directory_done(struct write *write)
{
    atomic_store(&((struct directory_write *)write)->is_done, true);
}

static const struct write_ops directory_ops = {
    .name = "directory", .apply = apply_directory, .done = directory_done};

enum rc startup_log_directory(struct node *node)
{
    struct directory_write write = {.write = {.ops = &directory_ops, .leaves = 1, .bytes = 1024},
                                    .node = node};
    char hex[2 * HASH_SIZE + 1];
    bool is_so;

    inforce_digest(node->inforce, write.sha256);
    TRY(is_logged(node, write.sha256, &is_so));
    if (is_so) {
        return RC_OK;
    }
    TRY(writer_submit(node->writer, &write.write));
    while (!atomic_load(&write.is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(write.write.point);
    if (write.write.rc == RC_OK) {
        hex_encode(write.sha256, HASH_SIZE, hex);
        log_info("directory.logged", "sha256=%s", hex);
    }
    return write.write.rc;
}
