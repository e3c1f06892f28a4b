/*
 * debts - messages of ours that have no receipt yet, in the order in which they were said.
 *
 * Their bytes stand in the spool's outbox. Within one exchange order matters: an act is refused
 * when the one before it did not arrive, and then only has to wait for it. One thread.
 */
#ifndef SDK_DEBTS_H
#define SDK_DEBTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"
#include "model/id.h"

struct debt {
    struct debt *next;
    struct id id;
    struct id exchange_id;
    bool is_out; /* given to the stream */
};

struct debts {
    struct debt *first;
    struct debt *last;
    struct debt *unsent; /* all before it are out */
    size_t count;
};

void debts_release(struct debts *debts);
MUST_CHECK enum rc debts_add(struct debts *debts, const struct id *id,
                             const struct id *exchange_id);
bool debts_has(const struct debts *debts, const struct id *id);
/* The first that is not out; NULL: none. Mark it with debts_out. */
struct debt *debts_next(struct debts *debts);
void debts_out(struct debts *debts, struct debt *debt);
/* It goes out again. */
void debts_back(struct debts *debts, const struct id *id);
/* Receipt or park: gone. */
void debts_settle(struct debts *debts, const struct id *id);
/* Nothing older is owed in its exchange. */
bool debts_is_oldest(const struct debts *debts, const struct id *id);

#endif
