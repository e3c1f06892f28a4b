#include "relay/duty_step.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "store/dutycall.h"
#include "store/writer.h"

struct step_write {
    struct write write; /* first: the writer's */
    const struct node *node;
    struct duty_step *steps;
    size_t count;
    atomic_bool is_done;
};

void duty_step_record(const struct node *node, const struct dutycall *call, const char *reason,
                      struct record *record)
{
    record_init(record, RECORD_DUTY);
    record->hosted_by = node->self->code;
    record->from = call->key.member;
    record->to = call->moved_to;
    record->exchange_id = call->key.exchange;
    record->item = call->key.item;
    record->urgency = call->urgency;
    record->count = call->key.percent;
    record->reason = reason;
    record->reason_path = dutycall_kind_name(call->key.kind);
}

static enum rc put_record(const struct node *node, struct txn *txn, const struct duty_step *step)
{
    uint8_t sha256[HASH_SIZE];
    struct record record;
    uint64_t index;

    if (step->reason == NULL) {
        return RC_OK;
    }
    inforce_digest(node->inforce, sha256);
    duty_step_record(node, &step->call, step->reason, &record);
    record.official = step->official != NULL ? step->official : "";
    record.directory_sha256 = BYTES_OF(sha256);
    return entry_put_record(node, txn, &record, &index);
}

static enum rc apply_step(const struct step_write *write, struct txn *txn,
                          const struct duty_step *step)
{
    struct dutycall found;
    enum rc rc = dutycall_get(txn, &step->call.key, &found);

    if (rc == RC_NOT_FOUND ||
        (rc == RC_OK && (found.number != step->call.number || dutycall_is_over(found.state)))) {
        return RC_OK; /* somebody answered meanwhile */
    }
    TRY(rc);
    TRY(dutycall_update(txn, &step->call));
    if (step->has_next) {
        struct dutycall next = step->next;

        rc = dutycall_put(txn, &next);
        if (rc != RC_OK && rc != RC_ALREADY_EXISTS) {
            return rc;
        }
    }
    return put_record(write->node, txn, step);
}

static enum rc apply_steps(struct write *write, struct txn *txn)
{
    const struct step_write *steps = (const struct step_write *)write;

    for (size_t i = 0; i < steps->count; i++) {
        TRY(apply_step(steps, txn, &steps->steps[i]));
    }
    return RC_OK;
}

struct change_write {
    struct step_write step; /* first */
    struct dutycall *puts;
    size_t put_count;
    const struct dutycall *ends;
    size_t end_count;
};

static enum rc apply_change(struct write *write, struct txn *txn)
{
    const struct change_write *change = (const struct change_write *)write;

    for (size_t i = 0; i < change->put_count; i++) {
        struct dutycall call = change->puts[i];
        enum rc rc = dutycall_put(txn, &call);

        if (rc != RC_OK && rc != RC_ALREADY_EXISTS) {
            return rc;
        }
    }
    for (size_t i = 0; i < change->end_count; i++) {
        enum rc rc = dutycall_end(txn, &change->ends[i].key, clock_doubt_now_ms(change->step.node));

        if (rc != RC_OK && rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_OK;
}

static void again(struct write *write)
{
    (void)write; /* apply remembers nothing */
}

static void done(struct write *write)
{
    atomic_store(&((struct step_write *)write)->is_done, true);
}

static const struct write_ops step_ops = {
    .name = "duty", .apply = apply_steps, .again = again, .done = done};

static const struct write_ops change_ops = {
    .name = "duty", .apply = apply_change, .again = again, .done = done};

static enum rc write_now(struct step_write *write)
{
    TRY(writer_submit(write->node->writer, &write->write));
    while (!atomic_load(&write->is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(write->write.point);
    return write->write.rc;
}

enum rc duty_step_write(const struct node *node, struct duty_step *steps, size_t count)
{
    struct step_write write = {.write = {.ops = &step_ops,
                                         .leaves = (unsigned)count,
                                         .bytes = count * 1024,
                                         .is_urgent = true},
                               .node = node,
                               .steps = steps,
                               .count = count};
    enum rc rc;

    assert(count <= WRITE_LEAVES_MAX);
    rc = write_now(&write);
    if (rc != RC_OK) {
        log_error("duty.step", "rc=%s it is tried again", rc_name(rc));
    }
    return rc;
}

enum rc duty_step_change(const struct node *node, struct dutycall *puts, size_t put_count,
                         const struct dutycall *ends, size_t end_count)
{
    struct change_write write = {
        .step = {.write = {.ops = &change_ops,
                           .bytes = (put_count + end_count) * 512,
                           .is_urgent = true},
                 .node = node},
        .puts = puts,
        .put_count = put_count,
        .ends = ends,
        .end_count = end_count,
    };

    return write_now(&write.step);
}
