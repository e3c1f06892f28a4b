#include "relay/ticker.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/route.h"
#include "relay/alarm.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/inforce.h"
#include "relay/life.h"
#include "relay/node.h"
#include "relay/notice.h"
#include "store/db.h"
#include "store/dutycall.h"
#include "store/timer.h"
#include "store/writer.h"

/* Exchanges of one write; its leaves are bounded by the writer's own maximum. */
#define ALARMS_MAX 16
#define TICK_ARENA_MAX ((size_t)32 << 20)
#define ALARM_LEAVES_MAX (TERMS_DUE_MAX * (1 + NOTICE_LEAVES * NOTICE_RECIPIENTS_MAX))
_Static_assert(ALARM_LEAVES_MAX <= WRITE_LEAVES_MAX, "an exchange's notices fit one write");

/* One exchange whose timer is due, and what it has to tell. */
struct telling {
    struct alarm alarm;
    struct exchange *exchange; /* with what is due marked as told */
    struct term_due dues[TERMS_DUE_MAX];
    size_t due_count;
    bool is_expiring;
    bool is_idle; /* the timer of no exchange that could tell anything: it goes */
    struct notice *notices;
    size_t notice_count;
    bool is_put;
};

struct ticker {
    struct write write; /* first: the writer's while is_writing */
    struct node *node;
    struct arena *arena;
    struct edition *edition;
    int64_t now_ms;
    struct telling tellings[ALARMS_MAX];
    size_t count;
    atomic_bool is_writing;
};

static enum rc apply_tick(struct write *write, struct txn *txn);
static void forget_tick(struct write *write);
static void tick_done(struct write *write);

static const struct write_ops tick_ops = {
    .name = "tick", .apply = apply_tick, .again = forget_tick, .done = tick_done};

/* ---- on the scheduler's thread ---- */

/* A row that is gone or cannot be read must not keep the others waiting. */
static enum rc load(const struct ticker *ticker, struct txn *txn, struct telling *telling)
{
    char id[ID_TEXT_SIZE];
    enum rc rc;

    telling->exchange = arena_alloc(ticker->arena, sizeof *telling->exchange);
    if (telling->exchange == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = exchange_get(txn, &telling->alarm.exchange_id, telling->alarm.member, telling->exchange);
    telling->is_idle = rc == RC_NOT_FOUND || rc == RC_DATA_LOSS ||
                       (rc == RC_OK && telling->exchange->alarm_ms != telling->alarm.due_ms);
    if (telling->is_idle) {
        id_format(&telling->alarm.exchange_id, id);
        log_error("alarm.idle", "exchange=%s member=%s rc=%s its timer is removed", id,
                  telling->alarm.member, rc_name(rc));
        return RC_OK;
    }
    return rc;
}

static enum rc make_one(const struct ticker *ticker, struct telling *telling,
                        const struct route *route, const struct term_due *due, const char *to)
{
    struct notice *notice = &telling->notices[telling->notice_count];
    enum rc rc = notice_make(ticker->node, ticker->edition->directory, route, telling->exchange,
                             telling->alarm.member, to, due, ticker->now_ms, ticker->arena, notice);

    telling->notice_count += rc == RC_OK;
    if (rc != RC_OK) {
        log_warn("notice.not_made", "member=%s to=%s clock=%s check=%s rc=%s",
                 telling->alarm.member, to, due->clock, notice->arrival.fault.reason, rc_name(rc));
        notice_release(notice, ticker->node);
    }
    return rc == RC_RESOURCE_EXHAUSTED ? rc : RC_OK;
}

static enum rc make_notices(const struct ticker *ticker, struct telling *telling)
{
    const struct exchange *exchange = telling->exchange;
    const struct route *route =
        route_between(ticker->edition->directory, exchange->from, exchange->to, exchange->route);

    telling->notices = arena_alloc(ticker->arena, (telling->due_count + 1) * NOTICE_RECIPIENTS_MAX *
                                                      sizeof *telling->notices);
    if (telling->notices == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; route != NULL && i < telling->due_count; i++) {
        const char *recipients[NOTICE_RECIPIENTS_MAX];
        size_t count = notice_recipients(exchange, route, telling->alarm.member, &telling->dues[i],
                                         recipients);

        for (size_t j = 0; j < count; j++) {
            TRY(make_one(ticker, telling, route, &telling->dues[i], recipients[j]));
        }
    }
    return RC_OK;
}

static void fire(struct telling *telling, int64_t now_ms)
{
    telling->is_expiring = life_expire(telling->exchange, now_ms);
    telling->due_count = terms_fire(telling->exchange, now_ms, telling->dues);
}

static void release_tellings(struct ticker *ticker)
{
    for (size_t i = 0; i < ticker->count; i++) {
        for (size_t j = 0; j < ticker->tellings[i].notice_count; j++) {
            notice_release(&ticker->tellings[i].notices[j], ticker->node);
        }
    }
    ticker->count = 0;
    inforce_leave(ticker->edition);
    ticker->edition = NULL;
    arena_reset(ticker->arena);
}

/* The exchanges that are due, as far as one write takes their leaves. */
static enum rc gather(struct ticker *ticker)
{
    struct timer *timers = arena_alloc(ticker->arena, ALARMS_MAX * sizeof *timers);
    OWN_READ(txn) = NULL;
    size_t found = 0;

    if (timers == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(ticker->node->db, &txn));
    TRY(timer_due(txn, ALARM_KIND, ticker->now_ms, timers, ALARMS_MAX, &found));
    for (size_t i = 0; i < found; i++) {
        struct telling *telling = &ticker->tellings[ticker->count];

        memset(telling, 0, sizeof *telling);
        TRY(alarm_read(&timers[i], &telling->alarm));
        TRY(load(ticker, txn, telling));
        if (telling->is_idle) {
            ticker->count++;
            continue;
        }
        fire(telling, ticker->now_ms);
        if ((telling->due_count + 1) * (1 + NOTICE_LEAVES * NOTICE_RECIPIENTS_MAX) +
                ticker->write.leaves >
            WRITE_LEAVES_MAX) {
            break;
        }
        ticker->write.leaves +=
            (unsigned)(telling->due_count * (1 + NOTICE_LEAVES * NOTICE_RECIPIENTS_MAX));
        ticker->count++;
    }
    return RC_OK;
}

static enum rc prepare(struct ticker *ticker)
{
    ticker->write = (struct write){.ops = &tick_ops};
    ticker->now_ms = clock_doubt_now_ms(ticker->node);
    TRY(gather(ticker));
    if (ticker->count == 0) {
        return RC_NOT_FOUND;
    }
    for (size_t i = 0; i < ticker->count; i++) {
        if (ticker->tellings[i].is_idle) {
            continue;
        }
        TRY(make_notices(ticker, &ticker->tellings[i]));
        ticker->write.is_urgent =
            ticker->write.is_urgent || ticker->tellings[i].exchange->urgency == URGENCY_URGENT;
        ticker->write.bytes += 4096 * (1 + ticker->tellings[i].notice_count);
    }
    return RC_OK;
}

void ticker_tick(struct ticker *ticker)
{
    enum rc rc;

    if (atomic_load(&ticker->is_writing)) {
        return;
    }
    ticker->edition = inforce_take(ticker->node->inforce);
    rc = prepare(ticker);
    if (rc == RC_OK) {
        atomic_store(&ticker->is_writing, true);
        rc = writer_submit(ticker->node->writer, &ticker->write);
    }
    if (rc != RC_OK) {
        if (rc != RC_NOT_FOUND) {
            log_warn("tick.put_off", "rc=%s it is tried again in a second", rc_name(rc));
        }
        release_tellings(ticker);
        atomic_store(&ticker->is_writing, false);
    }
}

/* ---- on the writer's ---- */

static enum rc put_record(const struct ticker *ticker, struct txn *txn,
                          const struct telling *telling, const struct term_due *due)
{
    const struct exchange *exchange = telling->exchange;
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_CLOCK);
    record.exchange_id = exchange->id;
    record.parent_exchange_id = exchange->parent_id;
    record.from = exchange->from;
    record.to = exchange->to;
    record.hosted_by = ticker->node->self->code;
    record.actor = ticker->node->self->uri;
    record.item = due->item;
    record.urgency = exchange->urgency;
    record.route = exchange->route;
    record.reason = due->clock;
    record.count = due->percent;
    record.first_index = exchange->opening_index;
    record.directory_sha256 = BYTES(ticker->edition->directory->sha256, HASH_SIZE);
    return entry_put_record(ticker->node, txn, &record, &index);
}

/* Somebody of the holder's is woken: what is told to it, its officials on duty answer for. */
static enum rc put_call(const struct ticker *ticker, struct txn *txn, const struct telling *telling,
                        const struct term_due *due)
{
    const struct exchange *exchange = telling->exchange;
    struct dutycall call = {.key = {.kind = DUTYCALL_CLOCK, .percent = (uint8_t)due->percent}};
    const char *late = due->late == SIDE_EXECUTOR ? exchange->to : exchange->from;
    enum rc rc;

    snprintf(call.key.member, sizeof call.key.member, "%s", telling->alarm.member);
    call.key.exchange = exchange->id;
    call.key.item = due->item;
    snprintf(call.key.clock, sizeof call.key.clock, "%.15s", due->clock);
    snprintf(call.route, sizeof call.route, "%s", exchange->route);
    snprintf(call.because, sizeof call.because, "%s", late);
    call.urgency = exchange->urgency;
    call.due_ms = due->due_ms;
    call.made_at_ms = ticker->now_ms;
    call.wake_at_ms = ticker->now_ms;
    rc = dutycall_put(txn, &call);
    return rc == RC_ALREADY_EXISTS ? RC_OK : rc;
}

static enum rc tell(const struct ticker *ticker, struct txn *txn, const struct telling *telling)
{
    for (size_t i = 0; i < telling->due_count; i++) {
        TRY(put_record(ticker, txn, telling, &telling->dues[i]));
        if (notice_is_for(telling->exchange, telling->alarm.member, &telling->dues[i])) {
            TRY(put_call(ticker, txn, telling, &telling->dues[i]));
        }
    }
    for (size_t i = 0; i < telling->notice_count; i++) {
        TRY(notice_put(&telling->notices[i], ticker->node, txn));
    }
    return RC_OK;
}

/* Does the row still say what the notices were made from? Else the next tick looks again. */
static enum rc is_as_before(struct txn *txn, const struct ticker *ticker,
                            const struct telling *telling, struct exchange *now)
{
    struct telling again = {.exchange = now};

    TRY(exchange_get(txn, &telling->alarm.exchange_id, telling->alarm.member, now));
    if (now->alarm_ms != telling->alarm.due_ms) {
        return RC_ABORTED;
    }
    fire(&again, ticker->now_ms);
    return again.due_count == telling->due_count && again.is_expiring == telling->is_expiring &&
                   memcmp(again.dues, telling->dues, sizeof again.dues) == 0
               ? RC_OK
               : RC_ABORTED;
}

static enum rc apply_tick(struct write *write, struct txn *txn)
{
    struct ticker *ticker = (struct ticker *)write;
    struct exchange now;

    for (size_t i = 0; i < ticker->count; i++) {
        struct telling *telling = &ticker->tellings[i];
        enum rc rc;

        if (telling->is_idle) {
            rc = timer_remove(txn, telling->alarm.due_ms, telling->alarm.sequence);
            TRY(rc == RC_NOT_FOUND ? RC_OK : rc);
            continue;
        }
        rc = is_as_before(txn, ticker, telling, &now);
        if (rc == RC_ABORTED) {
            continue;
        }
        TRY(rc);
        TRY(tell(ticker, txn, telling));
        TRY(alarm_keep(txn, telling->alarm.member, &now));
        telling->is_put = true;
    }
    return RC_OK;
}

static void forget_tick(struct write *write)
{
    struct ticker *ticker = (struct ticker *)write;

    for (size_t i = 0; i < ticker->count; i++) {
        struct telling *telling = &ticker->tellings[i];

        for (size_t j = 0; telling->is_put && j < telling->notice_count; j++) {
            notice_again(&telling->notices[j]);
        }
        telling->is_put = false;
    }
}

static void say(const struct telling *telling)
{
    char id[ID_TEXT_SIZE];

    id_format(&telling->alarm.exchange_id, id);
    if (telling->is_expiring) {
        log_info("exchange.expired", "exchange=%s member=%s", id, telling->alarm.member);
    }
    for (size_t i = 0; i < telling->due_count; i++) {
        const struct term_due *due = &telling->dues[i];

        log_info(due->percent == 100 ? "clock.overdue" : "clock.running_out",
                 "exchange=%s member=%s item=%u clock=%s percent=%u late=%s", id,
                 telling->alarm.member, due->item, due->clock, due->percent,
                 due->late == SIDE_EXECUTOR ? telling->exchange->to : telling->exchange->from);
    }
}

static void tick_done(struct write *write)
{
    struct ticker *ticker = (struct ticker *)write;

    for (size_t i = 0; write->rc == RC_OK && i < ticker->count; i++) {
        const struct telling *telling = &ticker->tellings[i];

        if (telling->is_put) {
            say(telling);
        }
        for (size_t j = 0; telling->is_put && j < telling->notice_count; j++) {
            notice_announce(&telling->notices[j], ticker->node);
        }
    }
    if (write->rc != RC_OK) {
        log_warn("tick.put_off", "rc=%s it is tried again", rc_name(write->rc));
    }
    commit_point_release(write->point);
    release_tellings(ticker);
    atomic_store(&ticker->is_writing, false);
}

/* ---- life ---- */

struct ticker *ticker_new(struct node *node)
{
    struct ticker *ticker = calloc(1, sizeof *ticker);

    if (ticker == NULL) {
        return NULL;
    }
    ticker->node = node;
    ticker->arena = arena_new(TICK_ARENA_MAX);
    if (ticker->arena == NULL) {
        free(ticker);
        return NULL;
    }
    return ticker;
}

void ticker_free(struct ticker *ticker)
{
    if (ticker != NULL) {
        while (atomic_load(&ticker->is_writing)) {
            clock_sleep_ms(1);
        }
        arena_free(ticker->arena);
        free(ticker);
    }
}
