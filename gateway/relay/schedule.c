#include "relay/schedule.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "relay/annexes.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/forward.h"
#include "relay/glass.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/refusals.h"
#include "relay/ticker.h"
#include "store/anchor.h"
#include "store/tagkey.h"
#include "store/writer.h"

#define TICK_MS 200

struct schedule {
    struct node *node;
    struct anchor_write anchoring; /* the anchor thread's while is_anchoring */
    atomic_bool is_anchoring;
    pthread_t thread;
    atomic_bool is_stopping;
    enum leaf_clock_state clock; /* as it was said last */
    struct ticker *ticker;
    int64_t remind_at_ms; /* monotonic: of the reviews that are overdue */
};

/* One counting leaf. */
struct tally {
    struct write write; /* first: the writer's */
    struct node *node;
    struct refusals_count count;
};

static enum rc apply_tally(struct write *write, struct txn *txn)
{
    const struct tally *tally = (const struct tally *)write;
    uint8_t sha256[HASH_SIZE];
    struct record record;
    uint64_t index;

    inforce_digest(tally->node->inforce, sha256);
    record_init(&record, RECORD_REFUSALS_COUNTED);
    record.hosted_by = tally->node->self->code;
    record.actor = tally->count.identity_uri;
    record.count = tally->count.count;
    record.directory_sha256 = BYTES_OF(sha256);
    return entry_put_record(tally->node, txn, &record, &index);
}

static void tally_done(struct write *write)
{
    struct tally *tally = (struct tally *)write;

    if (write->rc != RC_OK) {
        log_warn("refusals.uncounted", "identity=%s count=%u rc=%s", tally->count.identity_uri,
                 tally->count.count, rc_name(write->rc));
    }
    commit_point_release(write->point);
    free(tally);
}

static const struct write_ops tally_ops = {.apply = apply_tally, .done = tally_done};

static void write_tallies(struct node *node)
{
    struct refusals_count count;

    while (refusals_take(node->refusals, clock_now_ms(), &count)) {
        struct tally *tally = calloc(1, sizeof *tally);

        if (tally == NULL) {
            return;
        }
        tally->write.ops = &tally_ops;
        tally->write.leaves = 1;
        tally->write.bytes = 1024;
        tally->node = node;
        tally->count = count;
        if (writer_submit(node->writer, &tally->write) != RC_OK) {
            free(tally);
            return;
        }
    }
}

static void on_anchored(struct anchor_write *write)
{
    struct schedule *schedule =
        (struct schedule *)((char *)write - offsetof(struct schedule, anchoring));

    commit_point_release((struct commit_point *)write->point);
    atomic_store(&schedule->is_anchoring, false);
}

/* What no peer asked for is anchored, too, a second after its commit at the latest. */
static void anchor_newest(struct schedule *schedule)
{
    struct node *node = schedule->node;

    if (atomic_load(&schedule->is_anchoring)) {
        return;
    }
    schedule->anchoring =
        (struct anchor_write){.point = writer_latest(node->writer), .done = on_anchored};
    atomic_store(&schedule->is_anchoring, true);
    if (anchor_submit(node->anchor, &schedule->anchoring) != RC_OK) {
        on_anchored(&schedule->anchoring);
    }
}

static void tidy_tagkeys(struct node *node)
{
    enum rc rc = tagkeys_tidy(node->tagkeys, node->writer);

    if (rc != RC_OK) {
        log_warn("tagkeys.untidy", "rc=%s it is tried again", rc_name(rc));
    }
}

static void watch_clock(struct schedule *schedule)
{
    struct node *node = schedule->node;
    enum leaf_clock_state state = clock_doubt_state(node);

    if (state != schedule->clock && node->on_clock != NULL) {
        node->on_clock(node, state);
    }
    schedule->clock = state;
}

#define REMIND_MS ((int64_t)3600 * 1000)

static void remind(struct schedule *schedule)
{
    if (clock_monotonic_ms() >= schedule->remind_at_ms) {
        reviews_remind(schedule->node, clock_now_ms());
        schedule->remind_at_ms = clock_monotonic_ms() + REMIND_MS;
    }
}

static void *run(void *argument)
{
    struct schedule *schedule = argument;
    unsigned tick = 0;

    while (!atomic_load(&schedule->is_stopping)) {
        links_poke_all(schedule->node->links);
        watch_clock(schedule);
        if (++tick % 5 == 0) {
            write_tallies(schedule->node);
            anchor_newest(schedule);
            annexes_tidy(schedule->node->annexes);
            tidy_tagkeys(schedule->node);
            ticker_tick(schedule->ticker);
            remind(schedule);
        }
        clock_sleep_ms(TICK_MS);
    }
    return NULL;
}

enum rc schedule_start(struct node *node, struct schedule **out)
{
    struct schedule *schedule = calloc(1, sizeof *schedule);

    if (schedule == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    schedule->node = node;
    schedule->ticker = ticker_new(node);
    if (schedule->ticker == NULL) {
        free(schedule);
        return RC_RESOURCE_EXHAUSTED;
    }
    if (pthread_create(&schedule->thread, NULL, run, schedule) != 0) {
        ticker_free(schedule->ticker);
        free(schedule);
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(schedule->thread, "schedule");
    *out = schedule;
    return RC_OK;
}

void schedule_free(struct schedule *schedule)
{
    if (schedule != NULL) {
        atomic_store(&schedule->is_stopping, true);
        pthread_join(schedule->thread, NULL);
        while (atomic_load(&schedule->is_anchoring)) {
            clock_sleep_ms(1);
        }
        ticker_free(schedule->ticker);
        free(schedule);
    }
}
