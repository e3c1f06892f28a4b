#include "relay/arrival.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/allowed.h"
#include "policy/member.h"
#include "policy/route.h"
#include "policy/sign_rules.h"
#include "policy/validate.h"
#include "relay/alarm.h"
#include "relay/backlog.h"
#include "relay/clock_doubt.h"
#include "relay/desk.h"
#include "relay/life.h"
#include "relay/node.h"
#include "relay/purge.h"
#include "relay/terms.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "tlog/succession.h"

/* Systems of one member; more than the directory lists of any. */
#define SYSTEMS_MAX 256

enum rc arrival_admit(const struct node *node, const struct directory *directory,
                      const struct message *message, const struct exchange *exchange,
                      const uint8_t commitment[HASH_SIZE], int64_t as_of_ms,
                      const struct route **route, struct fault *fault)
{
    int32_t today = clock_local_day(as_of_ms);

    TRY(validate_message(message, fault));
    if (message->header.type == MESSAGE_NOTICE) {
        TRY(route_notice(directory, message, today, route, fault));
    } else if (exchange == NULL) {
        TRY(route_find(directory, message, today, route, fault));
    } else {
        TRY(route_follow(directory, exchange->route, message, today, route, fault));
    }
    TRY(allowed_check(*route, message, fault));
    return sign_rules_check(directory, node->ca, message, commitment, today, as_of_ms, fault);
}

/* Not for good: its opening may be on the way, in this very parcel or on another stream. */
static enum rc refuse_unknown(struct arrival *arrival)
{
    return refuse(&arrival->fault, RC_UNAVAILABLE, "exchange.unknown", "header.exchange_id",
                  "El nodo receptor aún no tiene abierto ese intercambio; se reintentará.");
}

/* The holder's view of a running exchange; of others' it learns as much as of none. */
static enum rc find_exchange(struct arrival *arrival, struct txn *txn, struct exchange *exchange)
{
    const struct header *header = &arrival->message->header;
    enum rc rc = exchange_get(txn, &header->exchange_id, header->to, exchange);

    if (rc == RC_NOT_FOUND || (rc == RC_OK && strcmp(header->from, exchange->from) != 0 &&
                               strcmp(header->from, exchange->to) != 0)) {
        return refuse_unknown(arrival);
    }
    return rc;
}

/* A notice may reach who knows nothing of its exchange, and changes nothing about it. */
static bool stands_alone(const struct message *message)
{
    return message->header.type == MESSAGE_NOTICE;
}

/* What is held already is never judged again: the law in force then has judged it. */
static enum rc find_before(struct arrival *arrival, struct txn *txn)
{
    const struct header *header = &arrival->message->header;
    struct journal_entry seen;
    enum rc rc = journal_find(txn, JOURNAL_RECEIVED, &header->message_id, header->from, &seen);

    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    arrival->is_known = memcmp(seen.message, arrival->entry.commitment, HASH_SIZE) == 0;
    return RC_OK;
}

static enum rc look_back(struct arrival *arrival, const struct node *node,
                         struct exchange *exchange)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    TRY(find_before(arrival, txn));
    if (arrival->is_known || message_opens(arrival->message) || stands_alone(arrival->message)) {
        return RC_OK;
    }
    return find_exchange(arrival, txn, exchange);
}

enum rc arrival_check_system(const struct directory *directory, const struct header *header,
                             struct fault *fault)
{
    const struct identity *rows[SYSTEMS_MAX];
    size_t count;

    if (header->to_system[0] == '\0') {
        return RC_OK;
    }
    count = identities_of_member(directory, header->to, IDENTITY_SYSTEM,
                                 clock_local_day(clock_now_ms()), rows, SYSTEMS_MAX);
    for (size_t i = 0; i < count && i < SYSTEMS_MAX; i++) {
        if (strcmp(rows[i]->name, header->to_system) == 0) {
            return RC_OK;
        }
    }
    return refuse(fault, RC_PERMISSION_DENIED, "system.unknown", "header.to_system",
                  "Esa institución no tiene en vigor un sistema con ese nombre; deje el campo "
                  "vacío o use uno de los suyos.");
}

enum rc arrival_prepare(struct arrival *arrival, const struct node *node, const char *actor)
{
    struct entry *entry = &arrival->entry;
    const struct header *header = &arrival->message->header;
    bool is_alone = message_opens(arrival->message) || stands_alone(arrival->message);
    struct exchange exchange;

    TRY(look_back(arrival, node, &exchange));
    if (arrival->is_known) {
        return RC_OK;
    }
    TRY(arrival_check_system(arrival->directory, header, &arrival->fault));
    TRY(arrival_admit(node, arrival->directory, arrival->message, is_alone ? NULL : &exchange,
                      entry->commitment, arrival->as_of_ms, &arrival->route, &arrival->fault));
    if (sign_rules_need_second(arrival->route, arrival->message)) {
        TRY(sign_rules_check_second(arrival->message, &arrival->fault));
    }
    entry->kind = RECORD_RECEIVED;
    entry->message = arrival->message;
    entry->route = arrival->route;
    entry->directory = arrival->directory;
    entry->holder = header->to;
    entry->actor = actor;
    TRY(entry_prepare(entry, node, NULL, 0));
    return arrival->message->header.event == EVENT_ENTERED_IN_ERROR
               ? purge_prepare(node, entry, &arrival->purge)
               : RC_OK; /* a PURGE is about what its sender holds */
}

enum rc arrival_prepare_hosted(struct arrival *arrival, const struct node *node, const char *actor,
                               const struct route *sent, const struct id *local, size_t local_count)
{
    const struct header *header = &arrival->message->header;
    struct entry *entry = &arrival->entry;

    if (strcmp(header->from, header->to) != 0) {
        return arrival_prepare(arrival, node, actor);
    }
    TRY(arrival_check_system(arrival->directory, header, &arrival->fault));
    arrival->route = sent;
    entry->kind = RECORD_RECEIVED;
    entry->message = arrival->message;
    entry->route = sent;
    entry->directory = arrival->directory;
    entry->holder = header->to;
    entry->actor = actor;
    return entry_prepare(entry, node, local, local_count);
}

enum rc arrival_check_new(struct txn *txn, const struct header *header, const char *holder,
                          struct exchange *scratch, struct fault *fault)
{
    enum rc rc = exchange_get(txn, &header->exchange_id, holder, scratch);

    if (rc == RC_OK) {
        return refuse(fault, RC_ALREADY_EXISTS, "id.other_content", "header.exchange_id",
                      "Ese identificador ya es de otro intercambio; use uno nuevo.");
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

enum rc arrival_check(struct arrival *arrival, const struct node *node, struct txn *txn,
                      struct exchange *exchange)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];
    struct journal_entry seen;
    struct moment moment;
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
    TRY(validate_age(arrival->message, arrival->as_of_ms, &arrival->fault));
    desk_destination(header, destination);
    TRY(backlog_check(node->backlog, destination, header->urgency, &arrival->fault));
    if (stands_alone(arrival->message)) {
        return RC_OK;
    }
    if (strcmp(header->from, header->to) == 0) {
        return RC_OK; /* one member, one view: the sent side has taken the step already */
    }
    terms_moment(header, arrival->directory, arrival->route, arrival->as_of_ms, &moment);
    if (message_opens(arrival->message)) {
        TRY(arrival_check_new(txn, header, header->to, exchange, &arrival->fault));
        life_open(arrival->message, arrival->route, STATE_RECEIVED, &moment, exchange);
        (void)life_received(exchange, auditlog_time_ms(txn));
        return RC_OK;
    }
    TRY(find_exchange(arrival, txn, exchange));
    rc = life_arrive(arrival->message, &moment, exchange, &arrival->fault);
    if (rc == RC_FAILED_PRECONDITION) {
        /* Its sender's node found it in order: what goes before it is on its way. */
        arrival->fault.rc = RC_UNAVAILABLE;
        return RC_UNAVAILABLE;
    }
    return rc;
}

/* What its sender's log took before this one began may have been delivered then. */
static uint32_t given_before(const struct arrival *arrival, const struct node *node)
{
    bool is_older = node->succession != NULL && arrival->as_of_ms < node->succession->begun_ms;

    return is_older || arrival->entry.replayed.size > 0 ? OUTBOX_GIVEN : 0;
}

enum rc arrival_put(struct arrival *arrival, const struct node *node, struct txn *txn,
                    struct exchange *exchange)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];

    TRY(entry_put(&arrival->entry, node, txn));
    arrival->index = arrival->entry.index;
    if (strcmp(header->from, header->to) != 0 && !stands_alone(arrival->message)) {
        if (message_opens(arrival->message)) {
            exchange->opening_index = arrival->index;
        }
        TRY(alarm_keep(txn, header->to, exchange));
        if (life_is_purged(exchange)) {
            TRY(purge_put(arrival->purge, txn, arrival->index));
        }
    }
    desk_destination(header, destination);
    return outbox_add(
        txn, destination, header->urgency,
        &(struct outbox_entry){.index = arrival->index, .flags = given_before(arrival, node)});
}

void arrival_announce(struct arrival *arrival, const struct node *node)
{
    const struct header *header = &arrival->message->header;
    char destination[DESK_DESTINATION_SIZE];

    desk_destination(header, destination);
    backlog_count(node->backlog, destination, 1);
    purge_committed(arrival->purge, node);
    desk_wake(node->desk, header->to, header->urgency);
}

void arrival_again(struct arrival *arrival)
{
    arrival->fault = (struct fault){0};
    arrival->is_duplicate = false;
    purge_again(arrival->purge);
    entry_again(&arrival->entry);
}

void arrival_release(struct arrival *arrival, const struct node *node)
{
    purge_free(arrival->purge, node);
    arrival->purge = NULL;
    entry_release(&arrival->entry);
}
