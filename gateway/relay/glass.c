#include "relay/glass.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/entry.h"
#include "relay/node.h"
#include "store/db.h"

bool glass_is_broken(const struct message *message)
{
    return message->header.break_glass[0] != '\0';
}

/* Everybody may know that it happened here, and nobody learns to whom. */
static enum rc put_control(const struct node *node, struct txn *txn)
{
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_OFFICIAL);
    record.hosted_by = node->self->code;
    record.reason = "glass.broken";
    return entry_put_control(txn, &record, &index);
}

static void key_of(const char *member, const struct id *exchange, struct dutycall_key *key)
{
    memset(key, 0, sizeof *key);
    key->kind = DUTYCALL_REVIEW;
    key->exchange = *exchange;
    snprintf(key->member, sizeof key->member, "%s", member);
}

/* The review that every waiver calls for (relay/urgency) stands already: here, who may not close
 * it. */
static enum rc name_breaker(struct txn *txn, const struct entry *entry)
{
    const struct header *header = &entry->message->header;
    struct dutycall_key key;
    struct dutycall call;

    key_of(header->from, &header->exchange_id, &key);
    TRY(dutycall_get(txn, &key, &call));
    snprintf(call.because, sizeof call.because, "%s", header->on_behalf_of);
    return dutycall_is_over(call.state) ? RC_OK : dutycall_update(txn, &call);
}

enum rc glass_put(const struct node *node, struct txn *txn, const struct entry *entry)
{
    if (!glass_is_broken(entry->message)) {
        return RC_OK;
    }
    TRY(name_breaker(txn, entry));
    return put_control(node, txn);
}

/* ---- reviews ---- */

static enum rc refuse_unknown(struct fault *fault)
{
    return refuse(fault, RC_NOT_FOUND, "review.unknown", "act.message_id",
                  "No hay una revisión suya con ese identificador.");
}

static bool is_closed_by(const struct dutycall *call, const struct identity *by)
{
    return call->state == DUTYCALL_ANSWERED && strcmp(call->actor, by->uri) == 0;
}

enum rc review_prepare(struct review *review, const struct node *node, const struct identity *by,
                       const struct official_act *act, struct fault *fault)
{
    struct dutycall_key key;
    OWN_READ(txn) = NULL;
    enum rc rc;

    key_of(by->member, &act->message_id, &key);
    TRY(txn_read(node->db, &txn));
    rc = dutycall_get(txn, &key, &review->call);
    review->is_known = rc == RC_OK && is_closed_by(&review->call, by);
    if (review->is_known) {
        return RC_OK;
    }
    if (rc == RC_NOT_FOUND || (rc == RC_OK && dutycall_is_over(review->call.state))) {
        return refuse_unknown(fault);
    }
    TRY(rc);
    if (strcmp(review->call.because, by->name) == 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "review.same", "act",
                      "Revisa otra persona que la que no esperó.");
    }
    review->call.state = DUTYCALL_ANSWERED;
    review->call.over_at_ms = clock_now_ms();
    review->call.is_misuse = strcmp(act->reason, GLASS_MISUSE) == 0;
    snprintf(review->call.actor, sizeof review->call.actor, "%s", by->uri);
    return RC_OK;
}

enum rc review_check(struct review *review, struct txn *txn, struct fault *fault)
{
    struct dutycall now;

    TRY(dutycall_get(txn, &review->call.key, &now));
    return dutycall_is_over(now.state) ? refuse_unknown(fault) : RC_OK;
}

enum rc review_put(const struct review *review, struct txn *txn)
{
    return dutycall_update(txn, &review->call);
}

/* The next open review past a key, or RC_NOT_FOUND. */
static enum rc next_review(struct txn *txn, const struct dutycall_key *after, struct dutycall *call)
{
    struct dutycall_key from;

    TRY(dutycall_next(txn, false, after, call));
    while (call->key.kind != DUTYCALL_REVIEW) {
        from = call->key;
        TRY(dutycall_next(txn, false, &from, call));
    }
    return RC_OK;
}

enum rc review_list(const struct node *node, const char *member, struct awaiting *rows, size_t max,
                    size_t *count)
{
    struct dutycall call;
    struct dutycall_key after;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(node->db, &txn));
    rc = next_review(txn, NULL, &call);
    while (rc == RC_OK && *count < max) {
        if (strcmp(call.key.member, member) == 0) {
            struct awaiting *row = &rows[(*count)++];

            *row = (struct awaiting){.kind = call.key.clock[0] == '\0' ? AWAITING_REVIEW
                                                                       : AWAITING_RATIFICATION,
                                     .message_id = call.key.exchange,
                                     .urgency = call.urgency,
                                     .since_ms = call.made_at_ms,
                                     .until_ms = call.due_ms};
            memcpy(row->official, call.because, sizeof row->official);
        }
        after = call.key;
        rc = next_review(txn, &after, &call);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

void reviews_remind(const struct node *node, int64_t now_ms)
{
    struct dutycall call;
    struct dutycall_key after;
    OWN_READ(txn) = NULL;
    char id[ID_TEXT_SIZE];
    enum rc rc = txn_read(node->db, &txn);

    rc = rc == RC_OK ? next_review(txn, NULL, &call) : rc;
    while (rc == RC_OK) {
        if (call.due_ms < now_ms) {
            id_format(&call.key.exchange, id);
            log_warn(call.key.clock[0] == '\0' ? "review.overdue" : "consent.overdue",
                     "msg=%s member=%s hours=%lld", id, call.key.member,
                     (long long)((now_ms - call.due_ms) / 3600000));
        }
        after = call.key;
        rc = next_review(txn, &after, &call);
    }
}
