#include "relay/waiting.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "relay/desk.h"
#include "relay/facts.h"
#include "relay/forward.h"
#include "relay/node.h"
#include "store/outbox.h"

static const char node_prefix[] = "node:";

/* "member:cdmx/ssc", "system:cdmx/ssc/adapter" */
static bool is_of(const char *destination, const char *member)
{
    const char *code = strchr(destination, ':');
    size_t size = strlen(member);

    return code != NULL && strncmp(code + 1, member, size) == 0 &&
           (code[1 + size] == '\0' || code[1 + size] == '/');
}

static enum rc add(const struct node *node, struct txn *txn, const char *destination,
                   enum urgency urgency, uint64_t index, const char *member, struct arena *scratch,
                   struct waiting *waiting)
{
    bool is_forward = strncmp(destination, node_prefix, sizeof node_prefix - 1) == 0;
    struct waiting_item *item = &waiting->items[waiting->count];
    struct facts facts;

    arena_reset(scratch);
    TRY(facts_read(txn, index, scratch, &facts));
    if (!facts.has_record || (is_forward && strcmp(facts.record.from, member) != 0)) {
        return RC_OK;
    }
    *item = (struct waiting_item){.exchange_id = facts.record.exchange_id,
                                  .index = index,
                                  .time_ms = (int64_t)facts.leaf.time_s * 1000,
                                  .is_forward = is_forward};
    if (is_forward) {
        snprintf(item->peer, sizeof item->peer, "%s", destination + sizeof node_prefix - 1);
        item->unreached_ms = links_unreached_ms(node->links, item->peer, urgency);
    }
    waiting->count++;
    return RC_OK;
}

static enum rc read_destination(const struct node *node, struct txn *txn, const char *destination,
                                const char *member, struct arena *scratch, struct waiting *waiting)
{
    static const enum urgency urgencies[] = {URGENCY_URGENT, URGENCY_ORDINARY};
    struct outbox_entry debts[WAITING_MAX];

    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;

        TRY(outbox_scan(txn, destination, urgencies[i], OUTBOX_START, debts, WAITING_MAX, &count));
        for (size_t k = 0; k < count && waiting->count < WAITING_ALL_MAX; k++) {
            enum rc rc =
                add(node, txn, destination, urgencies[i], debts[k].index, member, scratch, waiting);

            if (rc != RC_OK && rc != RC_NOT_FOUND) {
                return rc;
            }
        }
    }
    return RC_OK;
}

enum rc waiting_read(const struct node *node, struct txn *txn, const char *member,
                     struct arena *arena, struct arena *scratch, struct waiting *waiting)
{
    char destination[OUTBOX_DESTINATION_MAX + 1] = "";
    enum rc rc;

    *waiting = (struct waiting){.has_system = desk_is_attended(node->desk, member)};
    waiting->items = arena_alloc(arena, WAITING_ALL_MAX * sizeof *waiting->items);
    if (waiting->items == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    while ((rc = outbox_next_destination(txn, destination, destination)) == RC_OK) {
        bool is_node = strncmp(destination, node_prefix, sizeof node_prefix - 1) == 0;

        if (is_node || is_of(destination, member)) {
            TRY(read_destination(node, txn, destination, member, scratch, waiting));
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

const struct waiting_item *waiting_oldest(const struct waiting *waiting)
{
    const struct waiting_item *oldest = NULL;

    for (size_t i = 0; i < waiting->count; i++) {
        if (oldest == NULL || waiting->items[i].index < oldest->index) {
            oldest = &waiting->items[i];
        }
    }
    return oldest;
}

const struct waiting_item *waiting_forward(const struct waiting *waiting, const struct id *exchange)
{
    for (size_t i = 0; i < waiting->count; i++) {
        if (waiting->items[i].is_forward && id_equal(&waiting->items[i].exchange_id, exchange)) {
            return &waiting->items[i];
        }
    }
    return NULL;
}

const struct waiting_item *waiting_at(const struct waiting *waiting, uint64_t index)
{
    for (size_t i = 0; i < waiting->count; i++) {
        if (waiting->items[i].index == index) {
            return &waiting->items[i];
        }
    }
    return NULL;
}
