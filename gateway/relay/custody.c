#include "relay/custody.h"

#include "store/outbox.h"

bool custody_is(const struct header *act)
{
    return act->type == MESSAGE_ACT && act->event == EVENT_CUSTODY;
}

enum rc custody_settle(struct txn *txn, const struct header *act, uint64_t index,
                       char destination[DESK_DESTINATION_SIZE])
{
    static const enum urgency urgencies[] = {URGENCY_ORDINARY, URGENCY_URGENT};

    for (size_t i = 0; i < 4; i++) {
        struct header answered = {.to = act->from, .to_system = i < 2 ? "" : act->from_system};
        enum rc rc;

        desk_destination(&answered, destination);
        rc = outbox_settle(txn, destination, urgencies[i % 2], index);
        if (rc != RC_NOT_FOUND) {
            return rc;
        }
    }
    return RC_NOT_FOUND;
}
