#include "relay/gather_write.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "store/cosigned.h"
#include "store/writer.h"

struct quorum_write {
    struct write write; /* first */
    struct cosigned cosigned;
    struct buffer note;
};

static enum rc apply_quorum(struct write *write, struct txn *txn)
{
    enum rc rc = cosigned_put(txn, &((struct quorum_write *)write)->cosigned);

    return rc == RC_FAILED_PRECONDITION ? RC_OK : rc; /* a newer one stands there */
}

static void quorum_done(struct write *write)
{
    struct quorum_write *mine = (struct quorum_write *)write;

    if (write->rc != RC_OK) {
        log_warn("witness.unstored", "size=%llu rc=%s", (unsigned long long)mine->cosigned.size,
                 rc_name(write->rc));
    }
    commit_point_release(write->point);
    buffer_release(&mine->note);
    free(mine);
}

static void quorum_again(struct write *write)
{
    (void)write; /* it keeps nothing of the transaction */
}

static const struct write_ops quorum_ops = {
    .name = "cosigned", .apply = apply_quorum, .again = quorum_again, .done = quorum_done};

void gather_write_quorum(struct node *node, uint64_t size, struct buffer *note)
{
    struct quorum_write *write = calloc(1, sizeof *write);

    if (write == NULL) {
        return;
    }
    write->note = *note;
    *note = (struct buffer){0};
    write->cosigned = (struct cosigned){.size = size,
                                        .time_s = (uint64_t)(clock_now_ms() / 1000),
                                        .note = buffer_bytes(&write->note)};
    write->write.ops = &quorum_ops;
    write->write.bytes = write->note.size + 64;
    write->write.is_patient = true;
    if (writer_submit(node->writer, &write->write) != RC_OK) {
        buffer_release(&write->note);
        free(write);
    }
}

struct heartbeat {
    struct write write; /* first */
    const struct node *node;
    atomic_bool *is_writing;
};

static enum rc apply_heartbeat(struct write *write, struct txn *txn)
{
    const struct node *node = ((struct heartbeat *)write)->node;
    uint8_t directory[HASH_SIZE];
    struct record record;
    uint64_t index;

    inforce_digest(node->inforce, directory);
    record_init(&record, RECORD_HEARTBEAT);
    record.hosted_by = node->self->code;
    record.directory_sha256 = BYTES_OF(directory);
    return entry_put_control(txn, &record, &index);
}

static void heartbeat_done(struct write *write)
{
    struct heartbeat *heartbeat = (struct heartbeat *)write;

    commit_point_release(write->point);
    atomic_store(heartbeat->is_writing, false);
    free(heartbeat);
}

static const struct write_ops heartbeat_ops = {
    .name = "heartbeat", .apply = apply_heartbeat, .done = heartbeat_done};

void gather_write_heartbeat(struct node *node, atomic_bool *is_writing)
{
    struct heartbeat *heartbeat = calloc(1, sizeof *heartbeat);

    if (heartbeat == NULL) {
        return;
    }
    heartbeat->node = node;
    heartbeat->is_writing = is_writing;
    heartbeat->write.ops = &heartbeat_ops;
    heartbeat->write.leaves = 1;
    heartbeat->write.bytes = 1024;
    atomic_store(is_writing, true);
    if (writer_submit(node->writer, &heartbeat->write) != RC_OK) {
        atomic_store(is_writing, false);
        free(heartbeat);
    }
}
