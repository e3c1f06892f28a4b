#include "relay/holds.h"

#include <string.h>

#include "model/record.h"
#include "store/db.h"

enum rc holds_read(struct txn *txn, const char *member, struct holds *holds)
{
    struct id after = {{0}};
    struct order_row row;
    enum rc rc;

    holds->count = 0;
    holds->is_everything = false;
    while ((rc = orderbook_next(txn, false, &after, &row)) == RC_OK) {
        struct order_target *target = &holds->targets[holds->count];

        after = row.id;
        if (row.kind != ORDER_HOLD || (member != NULL && strcmp(row.member, member) != 0)) {
            continue;
        }
        TRY(order_target_read(row.target, target));
        if (id_is_zero(&target->message_id) && id_is_zero(&target->exchange_id)) {
            holds->is_everything = true;
        } else if (++holds->count == HOLDS_MAX) {
            holds->is_everything = true; /* too many to tell: nothing of this member goes */
            return RC_OK;
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

bool holds_cover(const struct holds *holds, const struct record *record)
{
    for (size_t i = 0; i < holds->count; i++) {
        const struct order_target *target = &holds->targets[i];

        if (id_equal(&target->message_id, &record->message_id) ||
            (!id_is_zero(&target->exchange_id) &&
             id_equal(&target->exchange_id, &record->exchange_id))) {
            return true;
        }
    }
    return holds->is_everything;
}

bool holds_are_none(const struct holds *holds)
{
    return holds->count == 0 && !holds->is_everything;
}
