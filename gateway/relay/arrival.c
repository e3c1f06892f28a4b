#include "relay/arrival.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/allowed.h"
#include "policy/route.h"
#include "policy/sign_rules.h"
#include "policy/validate.h"
#include "relay/backlog.h"
#include "relay/desk.h"
#include "relay/life.h"
#include "relay/node.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"

enum rc arrival_admit(const struct node *node, const struct message *message,
                      const struct exchange *exchange, const uint8_t commitment[HASH_SIZE],
                      const struct route **route, struct fault *fault)
{
    int64_t now_ms = clock_now_ms();
    int32_t today = clock_local_day(now_ms);

    TRY(validate_message(message, fault));
    if (exchange == NULL) {
        TRY(route_find(node->directory, message, today, route, fault));
    } else {
        TRY(route_follow(node->directory, exchange->route, message, today, route, fault));
    }
    TRY(allowed_check(*route, message, fault));
    return sign_rules_check(node->directory, node->ca, message, commitment, today, now_ms, fault);
}

/* The holder's view of a running exchange; RC_OK with *is_running false for an opening message. */
static enum rc find_exchange(struct arrival *arrival, const struct node *node, bool *is_running)
{
    const struct header *header = &arrival->message->header;
    OWN_READ(txn) = NULL;
    enum rc rc;

    *is_running = !message_opens(arrival->message);
    if (!*is_running) {
        return RC_OK;
    }
    TRY(txn_read(node->db, &txn));
    rc = exchange_get(txn, &header->exchange_id, header->to, &arrival->exchange);
    if (rc == RC_NOT_FOUND) {
        return refuse(&arrival->fault, RC_FAILED_PRECONDITION, "exchange.unknown",
                      "header.exchange_id",
                      "El nodo receptor no tiene abierto ese intercambio; envíe antes la solicitud "
                      "que lo abre.");
    }
    return rc;
}

enum rc arrival_prepare(struct arrival *arrival, const struct node *node, const char *actor)
{
    struct entry *entry = &arrival->entry;
    const struct header *header = &arrival->message->header;
    bool is_running;

    TRY(entry_commitment(arrival->message, entry->commitment));
    TRY(find_exchange(arrival, node, &is_running));
    TRY(arrival_admit(node, arrival->message, is_running ? &arrival->exchange : NULL,
                      entry->commitment, &arrival->route, &arrival->fault));
    entry->kind = RECORD_RECEIVED;
    entry->message = arrival->message;
    entry->route = arrival->route;
    entry->holder = header->to;
    entry->actor = actor;
    return entry_prepare(entry, node,
                         header->subject_count > 0 ? &header->subjects[0].pseudonym : NULL);
}

enum rc arrival_check(struct arrival *arrival, const struct node *node, struct txn *txn)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];
    struct journal_entry seen;
    enum rc rc;

    rc = journal_find(txn, JOURNAL_RECEIVED, &header->message_id, header->from, &seen);
    if (rc == RC_OK) {
        if (memcmp(seen.message, arrival->entry.commitment, HASH_SIZE) != 0) {
            return refuse(&arrival->fault, RC_ALREADY_EXISTS, "id.other_content",
                          "header.message_id",
                          "Ese identificador ya se usó con otro contenido; use uno nuevo.");
        }
        arrival->is_duplicate = true;
        arrival->index = seen.index;
        return RC_OK;
    }
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(validate_age(arrival->message, clock_now_ms(), &arrival->fault));
    desk_destination(header, destination);
    TRY(backlog_check(node->backlog, destination, header->urgency, &arrival->fault));
    if (strcmp(header->from, header->to) == 0) {
        return RC_OK; /* one member, one view: the sent side has taken the step already */
    }
    if (message_opens(arrival->message)) {
        life_open(arrival->message, arrival->route, STATE_RECEIVED, &arrival->exchange);
        arrival->exchange.received_at_ms = clock_now_ms();
        return RC_OK;
    }
    TRY(exchange_get(txn, &header->exchange_id, header->to, &arrival->exchange));
    return life_step(arrival->message, clock_now_ms(), &arrival->exchange, &arrival->fault);
}

enum rc arrival_put(struct arrival *arrival, const struct node *node, struct txn *txn)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];

    TRY(entry_put(&arrival->entry, node, txn));
    arrival->index = arrival->entry.index;
    if (strcmp(header->from, header->to) != 0) {
        if (message_opens(arrival->message)) {
            arrival->exchange.opening_index = arrival->index;
        }
        TRY(exchange_put(txn, header->to, &arrival->exchange));
    }
    desk_destination(header, destination);
    return outbox_add(txn, destination, header->urgency,
                      &(struct outbox_entry){.index = arrival->index});
}

void arrival_announce(const struct arrival *arrival, const struct node *node)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];

    desk_destination(header, destination);
    backlog_count(node->backlog, destination, 1);
    desk_wake(node->desk, header->to, header->urgency);
}

void arrival_release(struct arrival *arrival)
{
    entry_release(&arrival->entry);
}
