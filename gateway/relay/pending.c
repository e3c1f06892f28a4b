#include "relay/pending.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "policy/member.h"
#include "policy/sign_rules.h"
#include "relay/alarm.h"
#include "relay/backlog.h"
#include "relay/clock_doubt.h"
#include "relay/forward.h"
#include "relay/held.h"
#include "relay/life.h"
#include "relay/node.h"
#include "relay/wills.h"
#include "rpc/codec.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/content.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"

/* ---- what waits ---- */

enum rc pending_judge(const struct route *route, const struct message *message, bool *awaits,
                      struct fault *fault)
{
    struct fault why = {0};

    *awaits = false;
    if (!sign_rules_need_second(route, message)) {
        return RC_OK;
    }
    *awaits = sign_rules_check_second(message, &why) != RC_OK;
    if (*awaits && message->header.on_behalf_of[0] == '\0') {
        *fault = why;
        return why.rc;
    }
    return RC_OK;
}

enum rc pending_put(const struct entry *entry, struct txn *txn)
{
    const struct header *header = &entry->message->header;
    struct approval row = {.index = entry->index,
                           .outcome = APPROVAL_WAITING,
                           .urgency = header->urgency,
                           .message_id = header->message_id,
                           .exchange_id = header->exchange_id,
                           .since_ms = clock_now_ms()};

    snprintf(row.from, sizeof row.from, "%s", header->from);
    snprintf(row.to, sizeof row.to, "%s", header->to);
    snprintf(row.official, sizeof row.official, "%s", header->on_behalf_of);
    return approval_put(txn, &row);
}

enum rc pending_list(const struct node *node, const char *member, struct awaiting *rows, size_t max,
                     size_t *count)
{
    struct approval row = {.index = 0};
    OWN_READ(txn) = NULL;
    enum rc rc;

    *count = 0;
    TRY(txn_read(node->db, &txn));
    for (uint64_t from = 0; *count < max; from = row.index + 1) {
        struct awaiting *out = &rows[*count];

        rc = approval_next(txn, from, &row);
        if (rc != RC_OK) {
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        }
        if (strcmp(row.from, member) != 0) {
            continue;
        }
        *out = (struct awaiting){.kind = AWAITING_APPROVAL,
                                 .message_id = row.message_id,
                                 .exchange_id = row.exchange_id,
                                 .urgency = row.urgency,
                                 .since_ms = row.since_ms,
                                 .until_ms = row.since_ms + PENDING_MAX_MS};
        memcpy(out->to, row.to, sizeof out->to);
        memcpy(out->official, row.official, sizeof out->official);
        (*count)++;
    }
    return RC_OK;
}

static enum rc find(struct txn *txn, const char *member, const struct id *id, struct approval *row)
{
    struct journal_entry entry;

    TRY(journal_find(txn, JOURNAL_SENT, id, member, &entry));
    return approval_get(txn, entry.index, row);
}

enum rc pending_read(const struct node *node, const char *member, const struct id *id,
                     struct arena *arena, struct message *message)
{
    struct held *held = arena_alloc(arena, sizeof *held);
    struct approval row;
    OWN_READ(txn) = NULL;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    TRY(find(txn, member, id, &row));
    if (row.outcome != APPROVAL_WAITING) {
        return RC_NOT_FOUND;
    }
    TRY(held_load(node, txn, row.index, arena, held));
    *message = held->message;
    return RC_OK;
}

/* ---- a decision, before the writer ---- */

static enum rc refuse_unknown(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "message.unknown", "act.message_id",
                  "No hay un mensaje suyo con ese identificador que espere aprobación.");
}

static enum rc check_row(struct decision *decision, const struct identity *by, struct fault *fault)
{
    const struct approval *row = &decision->row;
    enum approval_outcome outcome = decision->is_approval ? APPROVAL_GIVEN : APPROVAL_REJECTED;

    if (row->outcome == outcome && strcmp(row->by, by->name) == 0) {
        decision->is_known = true;
        return RC_OK;
    }
    if (row->outcome != APPROVAL_WAITING) {
        return refuse(fault, RC_FAILED_PRECONDITION, "approval.decided", "act.message_id",
                      "Ya decidió %s.", row->by);
    }
    if (strcmp(row->official, by->name) == 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "approval.same", "act",
                      "Decide otra persona que la que el mensaje nombra.");
    }
    if (decision->is_approval && clock_now_ms() > row->since_ms + PENDING_MAX_MS) {
        return refuse(fault, RC_FAILED_PRECONDITION, "approval.expired", "act.message_id",
                      "Pasaron más de 72 horas: rechácelo, y que se envíe de nuevo.");
    }
    return RC_OK;
}

/* The message as it leaves: the same bytes, and one signature more. */
static enum rc add_signature(struct decision *decision, const struct message *held,
                             const struct signature *approval, struct arena *arena,
                             struct fault *fault)
{
    struct message *with = arena_alloc(arena, sizeof *with);
    OWN(buffer) bytes = {0};
    struct bytes copy = {0};

    if (with == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *with = *held;
    if (with->signature_count == MESSAGE_SIGNATURES_MAX) {
        return refuse(fault, RC_FAILED_PRECONDITION, "signature.too_many", "signatures",
                      "El mensaje ya lleva cuatro firmas: rechácelo, y que se envíe con menos.");
    }
    with->signatures[with->signature_count++] = *approval;
    codec_message_write(with, &bytes);
    if (!bytes.is_failed) {
        copy = arena_copy(arena, buffer_bytes(&bytes));
    }
    if (copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    decision->message = with;
    return codec_message_read(copy, arena, with, fault);
}

/* Everything that is asked of a message that leaves, by the law of now. */
static enum rc judge(struct decision *decision, const struct node *node,
                     const struct directory *directory, struct txn *txn,
                     uint8_t commitment[HASH_SIZE], struct fault *fault)
{
    const struct message *message = decision->message;
    const struct header *header = &message->header;
    int64_t now_ms = clock_doubt_now_ms(node);
    const struct node_entry *host = node_of_member(directory, header->to, clock_local_day(now_ms));
    bool is_opening = message_opens(message);

    TRY(entry_commitment(message, commitment));
    TRY(exchange_get(txn, &header->exchange_id, header->from, &decision->sent));
    TRY(arrival_admit(node, directory, message, is_opening ? NULL : &decision->sent, commitment,
                      now_ms, &decision->route, fault));
    TRY(sign_rules_check_second(message, fault));
    if (host == NULL) {
        return refuse(fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                      "Ninguna ruta en vigor lleva a ese destino.");
    }
    snprintf(decision->recipient_node, sizeof decision->recipient_node, "%s", host->code);
    decision->is_local = node_is(host, node->self);
    return RC_OK;
}

static enum rc prepare_local(struct decision *decision, const struct node *node,
                             const struct directory *directory, const struct identity *by,
                             struct txn *txn, const struct held *held)
{
    struct arrival *arrival = &decision->arrival;
    struct content_persons persons;
    struct bytes keys;
    struct bytes body;

    arrival->message = decision->message;
    arrival->directory = directory;
    arrival->as_of_ms = (int64_t)held->leaf.time_s * 1000; /* the sender's leaf, as always */
    TRY(body_get(txn, held->index, &keys, &body));
    TRY(content_persons_open(node->vault, keys, held->leaf.nonce, &persons));
    return arrival_prepare_hosted(arrival, node, by->uri, decision->route, persons.ids,
                                  persons.count);
}

/* The person may have said no meanwhile. */
static enum rc ask_will(const struct decision *decision, const struct node *node,
                        const struct directory *directory, struct txn *txn, const struct held *held,
                        struct fault *fault)
{
    struct content_persons persons;
    struct fault told = {0};
    struct will will;
    bool is_pending;
    struct bytes keys;
    struct bytes body;
    enum rc rc;

    TRY(body_get(txn, held->index, &keys, &body));
    TRY(content_persons_open(node->vault, keys, held->leaf.nonce, &persons));
    rc = wills_ask(node, directory, decision->message, persons.ids, persons.count, &will,
                   &is_pending, &told, fault);
    if (told.rc != RC_OK) {
        *fault = told;
    }
    explicit_bzero(&will, sizeof will);
    return rc;
}

static enum rc load(struct decision *decision, const struct node *node,
                    const struct directory *directory, const struct identity *by,
                    const struct official_signed *act, struct arena *arena, struct txn *txn,
                    struct fault *fault)
{
    struct held *held = arena_alloc(arena, sizeof *held);
    enum rc rc;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(held_load(node, txn, decision->row.index, arena, held));
    TRY(add_signature(decision, &held->message, &act->approval, arena, fault));
    TRY(ask_will(decision, node, directory, txn, held, fault));
    TRY(judge(decision, node, directory, txn, decision->arrival.entry.commitment, fault));
    if (!decision->is_local) {
        return RC_OK;
    }
    rc = prepare_local(decision, node, directory, by, txn, held);
    if (rc != RC_OK && decision->arrival.fault.rc != RC_OK) {
        *fault = decision->arrival.fault;
    }
    return rc;
}

enum rc decision_prepare(struct decision *decision, const struct node *node,
                         const struct directory *directory, const struct identity *by,
                         const struct official_signed *act, struct arena *arena,
                         struct fault *fault)
{
    OWN_READ(txn) = NULL;
    enum rc rc;

    decision->is_approval = act->act.kind == OFFICIAL_APPROVE;
    TRY(txn_read(node->db, &txn));
    rc = find(txn, by->member, &act->act.message_id, &decision->row);
    if (rc == RC_NOT_FOUND) {
        return refuse_unknown(fault);
    }
    TRY(rc);
    TRY(check_row(decision, by, fault));
    if (decision->is_known) {
        return RC_OK;
    }
    decision->row.outcome = decision->is_approval ? APPROVAL_GIVEN : APPROVAL_REJECTED;
    decision->row.decided_ms = clock_now_ms();
    decision->row.signature = decision->is_approval ? act->approval : (struct signature){0};
    snprintf(decision->row.by, sizeof decision->row.by, "%s", by->name);
    if (!decision->is_approval) {
        return RC_OK;
    }
    return load(decision, node, directory, by, act, arena, txn, fault);
}

/* ---- on the writer ---- */

static enum rc check_room(const struct decision *decision, const struct node *node,
                          struct fault *fault)
{
    char destination[FORWARD_DESTINATION_SIZE];

    forward_destination(decision->recipient_node, destination);
    return backlog_check(node->backlog, destination, decision->row.urgency, fault);
}

enum rc decision_check(struct decision *decision, const struct node *node, struct txn *txn,
                       struct fault *fault)
{
    struct approval now;
    enum rc rc;

    TRY(approval_get(txn, decision->row.index, &now));
    if (now.outcome != APPROVAL_WAITING) {
        return refuse(fault, RC_FAILED_PRECONDITION, "approval.decided", "act.message_id",
                      "Ya decidió %s.", now.by);
    }
    TRY(exchange_get(txn, &now.exchange_id, now.from, &decision->sent));
    life_decide(&decision->sent, decision->is_approval, auditlog_time_ms(txn));
    if (!decision->is_approval) {
        return RC_OK;
    }
    if (!decision->is_local) {
        return check_room(decision, node, fault);
    }
    rc = arrival_check(&decision->arrival, node, txn, &decision->received);
    if (rc != RC_OK) {
        *fault = decision->arrival.fault;
        return rc;
    }
    if (message_opens(decision->message)) {
        (void)life_received(&decision->sent, auditlog_time_ms(txn));
    }
    return RC_OK;
}

enum rc decision_put(struct decision *decision, const struct node *node, struct txn *txn)
{
    char destination[FORWARD_DESTINATION_SIZE];

    TRY(approval_put(txn, &decision->row));
    TRY(alarm_keep(txn, decision->row.from, &decision->sent));
    if (!decision->is_approval) {
        return RC_OK;
    }
    if (decision->is_local) {
        return arrival_put(&decision->arrival, node, txn, &decision->received);
    }
    forward_destination(decision->recipient_node, destination);
    return outbox_add(txn, destination, decision->row.urgency,
                      &(struct outbox_entry){.index = decision->row.index});
}

void decision_again(struct decision *decision)
{
    if (decision->is_local) {
        arrival_again(&decision->arrival);
    }
}

void decision_announce(struct decision *decision, const struct node *node)
{
    char destination[FORWARD_DESTINATION_SIZE];

    if (!decision->is_approval || decision->is_known) {
        return;
    }
    if (decision->is_local) {
        entry_remember(&decision->arrival.entry, node);
        arrival_announce(&decision->arrival, node);
        return;
    }
    forward_destination(decision->recipient_node, destination);
    backlog_count(node->backlog, destination, 1);
    links_owe_late(node->links, decision->recipient_node, decision->row.urgency);
}

void decision_release(struct decision *decision, const struct node *node)
{
    if (decision->is_local) {
        arrival_release(&decision->arrival, node);
    }
}
