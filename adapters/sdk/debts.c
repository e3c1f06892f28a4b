#include "sdk/debts.h"

#include <stdlib.h>

void debts_release(struct debts *debts)
{
    while (debts->first != NULL) {
        struct debt *first = debts->first;

        debts->first = first->next;
        free(first);
    }
    *debts = (struct debts){0};
}

enum rc debts_add(struct debts *debts, const struct id *id, const struct id *exchange_id)
{
    struct debt *debt = calloc(1, sizeof *debt);

    if (debt == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    debt->id = *id;
    debt->exchange_id = *exchange_id;
    if (debts->last != NULL) {
        debts->last->next = debt;
    } else {
        debts->first = debt;
    }
    debts->last = debt;
    if (debts->unsent == NULL) {
        debts->unsent = debt;
    }
    debts->count++;
    return RC_OK;
}

static struct debt *find(const struct debts *debts, const struct id *id)
{
    struct debt *at = debts->first;

    while (at != NULL && !id_equal(&at->id, id)) {
        at = at->next;
    }
    return at;
}

bool debts_has(const struct debts *debts, const struct id *id)
{
    return find(debts, id) != NULL;
}

struct debt *debts_next(struct debts *debts)
{
    while (debts->unsent != NULL && debts->unsent->is_out) {
        debts->unsent = debts->unsent->next;
    }
    return debts->unsent;
}

void debts_out(struct debts *debts, struct debt *debt)
{
    debt->is_out = true;
    if (debts->unsent == debt) {
        debts->unsent = debt->next;
    }
}

void debts_back(struct debts *debts, const struct id *id)
{
    struct debt *debt = find(debts, id);

    if (debt != NULL) {
        debt->is_out = false;
        debts->unsent = debts->first;
    }
}

void debts_settle(struct debts *debts, const struct id *id)
{
    struct debt *before = NULL;

    for (struct debt *at = debts->first; at != NULL; before = at, at = at->next) {
        if (!id_equal(&at->id, id)) {
            continue;
        }
        if (before != NULL) {
            before->next = at->next;
        } else {
            debts->first = at->next;
        }
        if (debts->last == at) {
            debts->last = before;
        }
        if (debts->unsent == at) {
            debts->unsent = at->next;
        }
        debts->count--;
        free(at);
        return;
    }
}

bool debts_is_oldest(const struct debts *debts, const struct id *id)
{
    const struct debt *debt = find(debts, id);

    for (const struct debt *at = debts->first; debt != NULL && at != debt; at = at->next) {
        if (id_equal(&at->exchange_id, &debt->exchange_id)) {
            return false;
        }
    }
    return true;
}
