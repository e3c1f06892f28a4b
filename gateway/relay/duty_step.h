/*
 * duty_step - one step of calls of duty: the rows and their records, in one commit.
 */
#ifndef RELAY_DUTY_STEP_H
#define RELAY_DUTY_STEP_H

#include "model/duty.h"
#include "model/record.h"

struct node;
struct txn;

struct duty_step {
    struct dutycall call; /* as it shall stand; its key and number say which */
    const char *reason;   /* of the record ("duty.told"); NULL: the log need not know */
    const char *official; /* URI; NULL: none */
    bool has_next;        /* another call is put beside it: */
    struct dutycall next;
};

/*
 * Waits for the commit; at most WRITE_LEAVES_MAX steps. A call that is over or another one by now
 * stays as it is. Not on a queue's or the writer's thread.
 */
MUST_CHECK enum rc duty_step_write(const struct node *node, struct duty_step *steps, size_t count);

/* Puts calls and ends others, in one commit; those that are there, or over, stay as they are. */
MUST_CHECK enum rc duty_step_change(const struct node *node, struct dutycall *puts,
                                    size_t put_count, const struct dutycall *ends,
                                    size_t end_count);

/* What the log holds of a call. The digest is of a signed answer, or empty. */
void duty_step_record(const struct node *node, const struct dutycall *call, const char *reason,
                      struct record *record);

#endif
