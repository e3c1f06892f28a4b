#include "relay/duty_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/clock_doubt.h"
#include "relay/duty_people.h"
#include "relay/duty_step.h"
#include "relay/facts.h"
#include "relay/forward.h"
#include "relay/node.h"
#include "relay/room.h"
#include "store/db.h"
#include "store/dutycall.h"
#include "store/exchange.h"
#include "store/outbox.h"

#define DESTINATIONS_MAX 512
#define PUTS_MAX 64
#define ARENA_MAX ((size_t)1 << 20)
#define HALF 50

struct duty_watch {
    struct node *node;
    int64_t undelivered_ms;
    struct arena *arena;
    /* Of one look: */
    char destinations[DESTINATIONS_MAX][OUTBOX_DESTINATION_MAX + 1];
    size_t destination_count;
    struct dutycall puts[PUTS_MAX];
    size_t put_count;
    struct dutycall ends[PUTS_MAX];
    size_t end_count;
};

struct duty_watch *duty_watch_new(struct node *node, int64_t undelivered_ms)
{
    struct duty_watch *watch = calloc(1, sizeof *watch);

    if (watch != NULL) {
        watch->node = node;
        watch->undelivered_ms = undelivered_ms;
        watch->arena = arena_new(ARENA_MAX);
        if (watch->arena == NULL) {
            free(watch);
            return NULL;
        }
    }
    return watch;
}

void duty_watch_free(struct duty_watch *watch)
{
    if (watch != NULL) {
        arena_free(watch->arena);
        free(watch);
    }
}

/* ---- one debt ---- */

struct owed {
    struct facts facts;
    const char *holder; /* whose debt it is */
    int64_t since_ms;
    int64_t due_ms; /* of the exchange's next clock; 0: none */
    unsigned percent;
};

static int64_t next_due(const struct exchange *exchange, int64_t since_ms)
{
    int64_t due_ms = 0;

    for (size_t i = 0; i < exchange->clock_count; i++) {
        int64_t at_ms = exchange->clocks[i].due_ms;

        if (exchange->clocks[i].stopped.entered_ms == 0 && at_ms > since_ms &&
            (due_ms == 0 || at_ms < due_ms)) {
            due_ms = at_ms;
        }
    }
    return due_ms;
}

static enum rc read_owed(struct duty_watch *watch, struct txn *txn, uint64_t index, int64_t now_ms,
                         struct owed *owed)
{
    struct exchange exchange;

    arena_reset(watch->arena);
    TRY(facts_read(txn, index, watch->arena, &owed->facts));
    if (!owed->facts.has_record) {
        return RC_NOT_FOUND;
    }
    owed->holder =
        owed->facts.record.kind == RECORD_SENT ? owed->facts.record.from : owed->facts.record.to;
    owed->since_ms = (int64_t)owed->facts.leaf.time_s * 1000;
    TRY(exchange_get(txn, &owed->facts.record.exchange_id, owed->holder, &exchange));
    owed->due_ms = next_due(&exchange, owed->since_ms);
    owed->percent = 0;
    if (owed->due_ms > owed->since_ms && now_ms > owed->since_ms) {
        int64_t percent = (now_ms - owed->since_ms) * 100 / (owed->due_ms - owed->since_ms);

        owed->percent = percent < 100 ? (unsigned)percent : 100;
    }
    return RC_OK;
}

static bool is_late(const struct duty_watch *watch, const struct owed *owed, int64_t now_ms)
{
    return owed->facts.record.urgency == URGENCY_URGENT
               ? now_ms - owed->since_ms >= watch->undelivered_ms
               : owed->percent >= HALF;
}

static void note_late(struct duty_watch *watch, const struct owed *owed, int64_t now_ms)
{
    const struct record *record = &owed->facts.record;
    struct dutycall *call = &watch->puts[watch->put_count];

    for (size_t i = 0; i < watch->put_count; i++) { /* one of an exchange is enough */
        if (id_equal(&watch->puts[i].key.exchange, &record->exchange_id) &&
            strcmp(watch->puts[i].key.member, owed->holder) == 0) {
            return;
        }
    }
    if (watch->put_count == PUTS_MAX) {
        return;
    }
    watch->put_count++;
    *call =
        (struct dutycall){.key = {.kind = DUTYCALL_UNDELIVERED, .exchange = record->exchange_id},
                          .urgency = record->urgency,
                          .due_ms = owed->due_ms,
                          .made_at_ms = now_ms};
    snprintf(call->key.member, sizeof call->key.member, "%s", owed->holder);
    snprintf(call->key.clock, sizeof call->key.clock, "%" PRIu64,
             owed->facts.index % 100000000000000);
    snprintf(call->route, sizeof call->route, "%s", record->route);
    snprintf(call->because, sizeof call->because, "%s",
             record->kind == RECORD_SENT ? record->to : owed->holder);
}

/* ---- all debts ---- */

static enum rc look_class(struct duty_watch *watch, struct txn *txn, const char *destination,
                          enum urgency urgency, int64_t now_ms, unsigned *percent)
{
    struct outbox_entry entries[DUTY_WATCH_DEBTS];
    size_t count = 0;

    *percent = 0;
    TRY(outbox_scan(txn, destination, urgency, OUTBOX_START, entries, DUTY_WATCH_DEBTS, &count));
    for (size_t i = 0; i < count; i++) {
        struct owed owed;

        if (read_owed(watch, txn, entries[i].index, now_ms, &owed) != RC_OK) {
            continue;
        }
        *percent = owed.percent > *percent ? owed.percent : *percent;
        if (is_late(watch, &owed, now_ms)) {
            note_late(watch, &owed, now_ms);
        }
    }
    return RC_OK;
}

static enum rc look_debts(struct duty_watch *watch, struct txn *txn, int64_t now_ms)
{
    static const enum urgency classes[] = {URGENCY_URGENT, URGENCY_ORDINARY};
    char at[OUTBOX_DESTINATION_MAX + 1] = "";
    char next[OUTBOX_DESTINATION_MAX + 1];
    enum rc rc = RC_OK;

    watch->destination_count = 0;
    while (watch->destination_count < DESTINATIONS_MAX &&
           (rc = outbox_next_destination(txn, at, next)) == RC_OK) {
        memcpy(watch->destinations[watch->destination_count++], next, sizeof next);
        for (size_t i = 0; i < 2; i++) {
            unsigned percent;

            TRY(look_class(watch, txn, next, classes[i], now_ms, &percent));
            if (strncmp(next, "node:", 5) == 0) {
                links_hurry(watch->node->links, next + 5, classes[i], percent);
            }
        }
        memcpy(at, next, sizeof at);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* ---- what is over ---- */

static bool is_still_owed(const struct duty_watch *watch, struct txn *txn,
                          const struct dutycall *call)
{
    uint64_t index = strtoull(call->key.clock, NULL, 10);
    struct outbox_entry entry;

    for (size_t i = 0; i < watch->destination_count; i++) {
        if (outbox_find(txn, watch->destinations[i], call->urgency, index, &entry) == RC_OK) {
            return true;
        }
    }
    return watch->destination_count == DESTINATIONS_MAX;
}

static enum rc look_open(struct duty_watch *watch, struct txn *txn)
{
    struct dutycall call;
    enum rc rc = dutycall_next(txn, false, NULL, &call);

    while (rc == RC_OK && watch->end_count < PUTS_MAX) {
        struct dutycall_key after = call.key;
        bool is_over =
            (call.key.kind == DUTYCALL_UNDELIVERED && !is_still_owed(watch, txn, &call)) ||
            (call.key.kind == DUTYCALL_DISK && !room_is_low(watch->node->room));

        for (size_t i = 0; i < watch->put_count && call.key.kind == DUTYCALL_UNDELIVERED; i++) {
            struct dutycall *put = &watch->puts[i];

            /* Of an exchange one call is open at a time. */
            if (id_equal(&put->key.exchange, &call.key.exchange) && !is_over &&
                strcmp(put->key.member, call.key.member) == 0) {
                *put = watch->puts[--watch->put_count];
                break;
            }
        }
        if (is_over) {
            watch->ends[watch->end_count++] = call;
        }
        rc = dutycall_next(txn, false, &after, &call);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* Every member whose officials are known; a day has one such call at most. */
static void note_disk(struct duty_watch *watch, const struct duty_people *people, int64_t now_ms)
{
    const char *member;

    for (size_t i = 0;
         watch->put_count < PUTS_MAX && (member = duty_people_member(people, i)) != NULL; i++) {
        struct dutycall *call = &watch->puts[watch->put_count++];

        *call = (struct dutycall){
            .key = {.kind = DUTYCALL_DISK}, .urgency = URGENCY_URGENT, .made_at_ms = now_ms};
        snprintf(call->key.member, sizeof call->key.member, "%s", member);
        put_u64(call->key.exchange.bytes, (uint64_t)clock_day(now_ms));
    }
}

void duty_watch_look(struct duty_watch *watch, const struct duty_people *people)
{
    int64_t now_ms = clock_doubt_now_ms(watch->node);
    OWN_READ(txn) = NULL;
    enum rc rc;

    watch->put_count = watch->end_count = 0;
    room_look(watch->node->room);
    if (txn_read(watch->node->db, &txn) != RC_OK) {
        return;
    }
    rc = look_debts(watch, txn, now_ms);
    if (rc == RC_OK) {
        rc = look_open(watch, txn);
    }
    txn_end(txn);
    txn = NULL;
    if (rc != RC_OK) {
        log_warn("duty.watch", "rc=%s", rc_name(rc));
        return;
    }
    if (room_is_low(watch->node->room)) {
        note_disk(watch, people, now_ms);
    }
    if (watch->put_count + watch->end_count > 0 &&
        duty_step_change(watch->node, watch->puts, watch->put_count, watch->ends,
                         watch->end_count) != RC_OK) {
        log_warn("duty.watch", "puts=%zu ends=%zu are tried again", watch->put_count,
                 watch->end_count);
    }
}
