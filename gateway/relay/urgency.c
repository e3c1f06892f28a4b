#include "relay/urgency.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/node.h"
#include "store/dutycall.h"
#include "store/urgencybook.h"

#define SOON_PERCENT 75

static size_t size_of(const struct message *message)
{
    size_t size = message->header_bytes.size;

    for (size_t i = 0; i < message->compartment_count; i++) {
        size += message->compartments[i].content.size;
    }
    return size;
}

static enum rc today_of(const struct node *node, struct txn *txn, const char *member,
                        struct urgency_day *day)
{
    return urgencybook_get(txn, member, clock_day(clock_doubt_now_ms(node)), day);
}

/* How much of its budget is used up, in percent of the scarcer of the two. */
static unsigned used(const struct urgency_limits *limits, const struct urgency_day *day)
{
    uint64_t messages = (uint64_t)day->messages * 100 / limits->messages;
    uint64_t bytes = day->bytes * 100 / limits->bytes;
    uint64_t most = messages > bytes ? messages : bytes;

    return most < 100 ? (unsigned)most : 100;
}

enum rc urgency_check(const struct node *node, struct txn *txn, const struct message *message,
                      struct fault *fault)
{
    const struct header *header = &message->header;
    struct urgency_day day;

    if (header->urgency != URGENCY_URGENT || node->urgency.messages == 0) {
        return RC_OK;
    }
    TRY(today_of(node, txn, header->from, &day));
    if (used(&node->urgency, &day) < 100) {
        return RC_OK;
    }
    return refuse(fault, RC_RESOURCE_EXHAUSTED, "urgent.budget", "header.urgency",
                  "Su institución agotó por hoy sus mensajes urgentes; ya se avisó a su guardia. "
                  "Envíelo como ordinario y llame por teléfono.");
}

/* One call for each day and step. */
static enum rc wake(const struct node *node, struct txn *txn, const char *member, int32_t day,
                    unsigned percent)
{
    struct dutycall call = {.key = {.kind = DUTYCALL_BUDGET, .percent = (uint8_t)percent},
                            .urgency = percent < 100 ? URGENCY_ORDINARY : URGENCY_URGENT,
                            .made_at_ms = clock_doubt_now_ms(node)};
    enum rc rc;

    snprintf(call.key.member, sizeof call.key.member, "%s", member);
    put_u64(call.key.exchange.bytes, (uint64_t)day);
    rc = dutycall_put(txn, &call);
    return rc == RC_ALREADY_EXISTS ? RC_OK : rc;
}

enum rc urgency_count(const struct node *node, struct txn *txn, const struct message *message)
{
    const struct header *header = &message->header;
    struct urgency_day day;
    unsigned before;
    unsigned after;

    if (header->urgency != URGENCY_URGENT || node->urgency.messages == 0) {
        return RC_OK;
    }
    TRY(today_of(node, txn, header->from, &day));
    before = used(&node->urgency, &day);
    day.messages++;
    day.bytes += size_of(message);
    after = used(&node->urgency, &day);
    TRY(urgencybook_put(txn, header->from, &day));
    if (before < SOON_PERCENT && after >= SOON_PERCENT && after < 100) {
        TRY(wake(node, txn, header->from, day.day, SOON_PERCENT));
    }
    return before < 100 && after == 100 ? wake(node, txn, header->from, day.day, 100) : RC_OK;
}

enum rc urgency_refused(const struct node *node, struct txn *txn, const struct message *message)
{
    struct urgency_day day;

    TRY(today_of(node, txn, message->header.from, &day));
    day.refused++;
    return urgencybook_put(txn, message->header.from, &day);
}

enum rc urgency_waived(const struct node *node, struct txn *txn, const struct entry *entry)
{
    const struct header *header = &entry->message->header;
    int64_t now_ms = clock_doubt_now_ms(node);
    struct dutycall call = {.key = {.kind = DUTYCALL_REVIEW, .exchange = header->exchange_id},
                            .urgency = URGENCY_ORDINARY,
                            .due_ms = now_ms + URGENCY_REVIEW_MS,
                            .made_at_ms = now_ms,
                            .wake_at_ms = now_ms + URGENCY_REVIEW_MS};
    struct urgency_day day;
    enum rc rc;

    TRY(today_of(node, txn, entry->holder, &day));
    day.waived++;
    TRY(urgencybook_put(txn, entry->holder, &day));
    snprintf(call.key.member, sizeof call.key.member, "%s", entry->holder);
    snprintf(call.route, sizeof call.route, "%s", entry->route->id);
    rc = dutycall_put(txn, &call);
    return rc == RC_ALREADY_EXISTS ? RC_OK : rc;
}
