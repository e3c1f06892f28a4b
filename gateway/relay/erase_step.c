#include "relay/erase_step.h"

#include <string.h>

#include "base/clock.h"
#include "model/record.h"
#include "relay/backlog.h"
#include "relay/desk.h"
#include "relay/node.h"
#include "store/journal.h"

static enum rc apply_step(struct write *write, struct txn *txn)
{
    struct erase_step *step = (struct erase_step *)write;

    step->debt_count = 0;
    return step->work(step, txn);
}

/* apply_step begins anew by itself. */
static void forget_step(struct write *write)
{
    (void)write;
}

static void step_done(struct write *write)
{
    struct erase_step *step = (struct erase_step *)write;

    for (size_t i = 0; write->rc == RC_OK && i < step->debt_count; i++) {
        backlog_count(step->node->backlog, step->debts[i].destination, -1);
        desk_settled(step->node->desk, step->debts[i].index);
    }
    atomic_store(&step->is_done, true);
}

static const struct write_ops step_ops = {
    .name = "erasure", .apply = apply_step, .again = forget_step, .done = step_done};

enum rc erase_step_run(struct erase_step *step)
{
    step->write.ops = &step_ops;
    step->write.is_patient = true;
    TRY(writer_submit(step->node->writer, &step->write));
    while (!atomic_load(&step->is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(step->write.point);
    return step->write.rc;
}

static enum rc cancel_at(struct erase_step *step, struct txn *txn, const char *destination,
                         uint64_t index)
{
    static const enum urgency urgencies[] = {URGENCY_ORDINARY, URGENCY_URGENT};

    for (size_t i = 0; i < 2; i++) {
        struct erase_debt *debt = &step->debts[step->debt_count];
        enum rc rc;

        if (step->debt_count == ERASE_DEBTS_MAX) {
            return RC_ABORTED;
        }
        rc = outbox_settle(txn, destination, urgencies[i], index);
        if (rc == RC_OK) {
            debt->index = index;
            memcpy(debt->destination, destination, strlen(destination) + 1);
            step->debt_count++;
        } else if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_OK;
}

enum rc erase_cancel_debts(struct erase_step *step, struct txn *txn, uint64_t index)
{
    char destination[OUTBOX_DESTINATION_MAX + 1] = "";
    enum rc rc;

    while ((rc = outbox_next_destination(txn, destination, destination)) == RC_OK) {
        TRY(cancel_at(step, txn, destination, index));
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc erase_mark(struct txn *txn, const struct record *record)
{
    enum rc rc = journal_mark(txn, record->kind == RECORD_SENT ? JOURNAL_SENT : JOURNAL_RECEIVED,
                              &record->message_id, record->from, JOURNAL_ERASED);

    return rc == RC_NOT_FOUND ? RC_OK : rc;
}
