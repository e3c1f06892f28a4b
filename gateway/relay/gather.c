#include "relay/gather.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread_mask.h"
#include "relay/clock_doubt.h"
#include "relay/cosigner.h"
#include "relay/gather_write.h"
#include "relay/node.h"
#include "relay/recall_own.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/cosigned.h"
#include "store/db.h"
#include "store/writer.h"

#define TICK_MS 100
/* Of one witness in one round: after a conflict once or twice more. */
#define TRIES_MAX 4
/* A round without a quorum is tried again after this long, and given up for a newer one. */
#define AGAIN_MS 2000
#define LOUD_EVERY_MS 60000
/* Nothing is refused before the witnesses had a chance. */
#define GRACE_MS 10000

struct gather {
    struct gather_options options;
    struct node *node;
    struct inbox *inbox;
    struct cosigner *cosigners;
    size_t cosigner_count;
    pthread_t thread;
    bool is_running;
    atomic_bool is_stopping;
    atomic_bool is_writing; /* the heartbeat is with the writer */
    atomic_bool is_stopped; /* ordinary traffic waits */
    /* The thread's own. */
    struct commit_point *round; /* that is offered; NULL before the first */
    struct buffer text;         /* its three lines */
    int64_t round_ms;           /* when it began, monotonic */
    size_t stored_count;        /* cosignatures of what was stored last in this round */
    bool is_met;
    int64_t started_ms;
    int64_t loud_ms;
    enum lag_state said;
    uint64_t open_index; /* the leaf whose time is open_leaf_s */
    int64_t open_leaf_s;
    uint64_t last_index; /* the log's last leaf, and its time */
    int64_t last_leaf_s;
    pthread_mutex_t lock; /* over what gather_look reads */
    struct gather_state state;
    uint64_t least; /* of what the witnesses know of our log */
    const char *least_witness;
    int64_t quorum_s;
};

/* ---- a round ---- */

static bool is_any_out(const struct gather *gather)
{
    bool is_any = false;

    for (size_t i = 0; i < gather->cosigner_count; i++) {
        is_any = is_any || gather->cosigners[i].is_out;
    }
    return is_any;
}

static bool has_signed(const struct gather *gather, const struct cosigner *cosigner)
{
    return cosigner->cosigned == commit_point_size(gather->round) && cosigner->line.size > 0;
}

static void ask(struct gather *gather, struct cosigner *cosigner)
{
    if (cosigner->tries < TRIES_MAX && !has_signed(gather, cosigner)) {
        (void)cosigner_ask(cosigner, gather->round); /* it is late then; the next round asks */
    }
}

static void begin_round(struct gather *gather, struct commit_point *point, bool is_renewed)
{
    struct checkpoint checkpoint = {.size = commit_point_size(point)};
    const char *origin = gather->node->self->origin;
    bool is_new = gather->round == NULL || commit_point_size(gather->round) != checkpoint.size;

    memcpy(checkpoint.origin, origin, strlen(origin) + 1);
    memcpy(checkpoint.root, commit_point_root(point), DIGEST_SIZE);
    buffer_clear(&gather->text);
    checkpoint_text(&checkpoint, &gather->text);
    commit_point_release(gather->round);
    gather->round = commit_point_hold(point);
    gather->round_ms = clock_monotonic_ms();
    if (is_new || is_renewed) {
        gather->is_met = false;
        gather->stored_count = 0;
    }
    for (size_t i = 0; i < gather->cosigner_count; i++) {
        struct cosigner *cosigner = &gather->cosigners[i];

        cosigner->tries = 0;
        cosigner->cosigned = is_renewed ? 0 : cosigner->cosigned;
        ask(gather, cosigner);
    }
}

/* The log's own note and every line that was gathered for it. */
static void assemble(const struct gather *gather, struct buffer *note)
{
    buffer_put_bytes(note, commit_point_note(gather->round));
    for (size_t i = 0; i < gather->cosigner_count; i++) {
        if (has_signed(gather, &gather->cosigners[i])) {
            buffer_put_bytes(note, buffer_bytes(&gather->cosigners[i].line));
        }
    }
}

static void note_quorum(struct gather *gather, const struct policy_verdict *verdict)
{
    uint64_t size = commit_point_size(gather->round);

    pthread_mutex_lock(&gather->lock);
    if (size >= gather->state.witnessed_size) {
        gather->state.witnessed_size = size;
        gather->state.counted = (unsigned)verdict->counted;
        gather->state.foreign = (unsigned)verdict->foreign;
        gather->quorum_s = clock_now_ms() / 1000;
    }
    pthread_mutex_unlock(&gather->lock);
    log_debug("witness.quorum", "size=%llu witnesses=%zu of=%zu ms=%lld", (unsigned long long)size,
              verdict->counted, verdict->foreign,
              (long long)(clock_monotonic_ms() - gather->round_ms));
}

/* Judged by the same rule as every verifier's; what came later than the quorum is kept, too. */
static void judge(struct gather *gather)
{
    struct policy_rules rules = {.own = (const char *const[]){gather->node->witness_vkey.name},
                                 .own_count = gather->node->witness_key != NULL ? 1 : 0};
    struct policy_verdict verdict;
    OWN(buffer) whole = {0};
    struct note note;

    assemble(gather, &whole);
    if (whole.is_failed || note_parse(buffer_bytes(&whole), &note) != RC_OK) {
        log_error("witness.note", "size=%llu",
                  (unsigned long long)commit_point_size(gather->round));
        return;
    }
    policy_judge(gather->options.policy, &note, &rules, &verdict);
    if (!verdict.is_met || verdict.counted <= gather->stored_count) {
        return;
    }
    gather->is_met = true;
    gather->stored_count = verdict.counted;
    note_quorum(gather, &verdict);
    gather_write_quorum(gather->node, commit_point_size(gather->round), &whole);
}

/*
 * A witness against us may be right, or lie. The peers are asked for what they hold with our
 * signature: one that our log does not hold ends the process.
 */
static void take(struct gather *gather, struct cosigner *cosigner)
{
    struct commit_point *newest = writer_latest(gather->node->writer);
    uint64_t own_size = commit_point_size(newest);
    bool is_current = gather->round != NULL && cosigner->asked == commit_point_size(gather->round);
    enum cosigner_news news;

    commit_point_release(newest);
    if (!is_current) { /* of a round that is over: no use any more */
        cosigner->is_out = false;
        ask(gather, cosigner);
        return;
    }
    news = cosigner_take(cosigner, buffer_bytes(&gather->text), own_size);
    if (news == COSIGNER_SIGNED) {
        judge(gather);
    } else if (news == COSIGNER_BEHIND) {
        ask(gather, cosigner);
    } else if (news == COSIGNER_AGAINST && recall_own(gather->node, COSIGNER_TIMEOUT_MS) != RC_OK) {
        log_error("witness.recall", "witness=%s", cosigner->witness->vkey.name);
    }
}

static void begin_if_due(struct gather *gather)
{
    struct commit_point *point = anchor_latest(gather->node->anchor);
    int64_t since_ms = clock_monotonic_ms() - gather->round_ms;
    bool is_idle = !is_any_out(gather);
    bool is_same =
        gather->round != NULL && commit_point_size(gather->round) == commit_point_size(point);
    bool is_due;
    bool is_renewed = false;

    if (commit_point_size(point) == 0) {
        is_due = false;
    } else if (gather->round == NULL) {
        is_due = true;
    } else if (!is_same) {
        is_due = since_ms >= gather->options.interval_ms &&
                 (gather->is_met || is_idle || since_ms >= AGAIN_MS);
    } else if (!gather->is_met) {
        is_due = is_idle && since_ms >= AGAIN_MS;
    } else {
        is_renewed = since_ms >= gather->options.refresh_s * 1000;
        is_due = is_renewed;
    }
    if (is_due) {
        begin_round(gather, point, is_renewed);
    }
    commit_point_release(point);
}

/* ---- lag ---- */

static int64_t leaf_time(const struct gather *gather, uint64_t index)
{
    OWN_READ(txn) = NULL;
    struct bytes bytes;
    struct leaf leaf;

    if (txn_read(gather->node->db, &txn) != RC_OK || auditlog_leaf(txn, index, &bytes) != RC_OK ||
        leaf_decode(bytes, &leaf) != RC_OK) {
        return clock_now_ms() / 1000;
    }
    return (int64_t)leaf.time_s;
}

static void say_lag(struct gather *gather, int64_t lag_s, enum lag_state state)
{
    int64_t now_ms = clock_monotonic_ms();
    OWN(buffer) missing = {0};

    if (state == LAG_FINE) {
        if (gather->said != LAG_FINE) {
            log_info("witness.caught_up", "size=%llu",
                     (unsigned long long)gather->state.witnessed_size);
        }
        return;
    }
    if (state == gather->said && now_ms - gather->loud_ms < LOUD_EVERY_MS) {
        return;
    }
    gather->loud_ms = now_ms;
    for (size_t i = 0; i < gather->cosigner_count; i++) {
        const struct cosigner *cosigner = &gather->cosigners[i];

        if (gather->round == NULL || !has_signed(gather, cosigner)) {
            buffer_print(&missing, "%s%s", missing.size > 0 ? "," : "",
                         cosigner->witness->vkey.name);
        }
    }
    buffer_put_u8(&missing, 0);
    if (missing.is_failed) {
        return;
    }
    if (state == LAG_STOPPED) {
        log_error("witness.lag", "lag_s=%lld witnessed=%llu missing=%s ordinary messages wait",
                  (long long)lag_s, (unsigned long long)gather->state.witnessed_size,
                  (const char *)missing.data);
    } else {
        log_warn("witness.lag", "lag_s=%lld witnessed=%llu missing=%s", (long long)lag_s,
                 (unsigned long long)gather->state.witnessed_size, (const char *)missing.data);
    }
}

static void find_least(struct gather *gather)
{
    gather->least = UINT64_MAX;
    for (size_t i = 0; i < gather->cosigner_count; i++) {
        const struct cosigner *cosigner = &gather->cosigners[i];

        if (cosigner->known < gather->least) {
            gather->least = cosigner->known;
            gather->least_witness = cosigner->witness->vkey.name;
        }
    }
}

static void look_at_lag(struct gather *gather, uint64_t size)
{
    struct lag_facts facts = {.now_s = clock_now_ms() / 1000,
                              .size = size,
                              .witnessed_size = gather->state.witnessed_size,
                              .quorum_s = gather->quorum_s,
                              .refresh_s = gather->options.refresh_s};
    enum lag_state state;
    int64_t lag_s;

    if (size > facts.witnessed_size) {
        if (gather->open_leaf_s == 0 || gather->open_index != facts.witnessed_size) {
            gather->open_index = facts.witnessed_size;
            gather->open_leaf_s = leaf_time(gather, facts.witnessed_size);
        }
        facts.open_leaf_s = gather->open_leaf_s;
    }
    lag_s = lag_of(&facts);
    state = clock_monotonic_ms() - gather->started_ms < GRACE_MS && !gather->is_met
                ? LAG_FINE
                : lag_judge(lag_s, &gather->options.limits);
    pthread_mutex_lock(&gather->lock);
    find_least(gather);
    gather->state.lag_s = lag_s;
    gather->state.lag = state;
    pthread_mutex_unlock(&gather->lock);
    atomic_store(&gather->is_stopped, state == LAG_STOPPED);
    say_lag(gather, lag_s, state);
    if (state != gather->said && gather->options.on_lag != NULL) {
        gather->options.on_lag(gather->node, state);
    }
    gather->said = state;
}

/* By the clock that leaves get: one in doubt would make a leaf each tick. */
static void beat_if_due(struct gather *gather, uint64_t size)
{
    int64_t now_s = clock_doubt_now_ms(gather->node) / 1000;

    if (size == 0 || atomic_load(&gather->is_writing)) {
        return;
    }
    if (gather->last_leaf_s == 0 || gather->last_index != size - 1) {
        gather->last_index = size - 1;
        gather->last_leaf_s = leaf_time(gather, size - 1);
    }
    if (now_s - gather->last_leaf_s >= gather->options.heartbeat_s) {
        gather_write_heartbeat(gather->node, &gather->is_writing);
    }
}

/* ---- the thread ---- */

static void tick(struct gather *gather)
{
    struct commit_point *newest = writer_latest(gather->node->writer);
    uint64_t size = commit_point_size(newest);

    commit_point_release(newest);
    begin_if_due(gather);
    look_at_lag(gather, size);
    beat_if_due(gather, size);
}

static void *gather_main(void *argument)
{
    struct gather *gather = argument;
    bool is_closed = false;

    while (!atomic_load(&gather->is_stopping) || is_any_out(gather)) {
        struct inbox_item *items =
            inbox_take(gather->inbox, POLICY_WITNESSES_MAX, TICK_MS, &is_closed);

        while (items != NULL) {
            struct cosigner *cosigner = (struct cosigner *)items;

            items = items->next;
            if (atomic_load(&gather->is_stopping)) {
                cosigner->is_out = false;
            } else {
                take(gather, cosigner);
            }
        }
        if (!atomic_load(&gather->is_stopping)) {
            tick(gather);
        }
    }
    return NULL;
}

/* ---- life ---- */

static enum rc load_last(struct gather *gather)
{
    struct policy_rules rules = {0};
    struct policy_verdict verdict;
    struct cosigned last;
    struct note note;
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(gather->node->db, &txn));
    rc = cosigned_last(txn, &last);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    if (note_parse(last.note, &note) != RC_OK) {
        return failed(RC_DATA_LOSS, "cosigned.note", "size=%llu", (unsigned long long)last.size);
    }
    policy_judge(gather->options.policy, &note, &rules, &verdict);
    gather->state.witnessed_size = verdict.is_met ? last.size : 0; /* the policy may be another */
    gather->state.counted = (unsigned)verdict.counted;
    gather->state.foreign = (unsigned)verdict.foreign;
    gather->quorum_s = (int64_t)last.time_s;
    return RC_OK;
}

static enum rc add_cosigners(struct gather *gather)
{
    const struct policy *policy = gather->options.policy;

    gather->cosigners = calloc(policy->witness_count + 1, sizeof *gather->cosigners);
    gather->inbox = inbox_new(POLICY_WITNESSES_MAX + 1);
    if (gather->cosigners == NULL || gather->inbox == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < policy->witness_count; i++) {
        const struct policy_witness *witness = &policy->witnesses[i];

        if (!policy_is_same_house(witness->vkey.name, gather->node->self->origin)) {
            cosigner_init(&gather->cosigners[gather->cosigner_count], gather->node, witness,
                          gather->options.http, gather->inbox);
            gather->cosigner_count++;
        }
    }
    return RC_OK;
}

enum rc gather_new(const struct gather_options *options, struct gather **gather)
{
    OWN_PTR(gather) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->options = *options;
    made->node = options->node;
    made->started_ms = clock_monotonic_ms();
    TRY(add_cosigners(made));
    TRY(load_last(made));
    *gather = MOVE(made);
    return RC_OK;
}

/* Signals are for the main thread. */
enum rc gather_start(struct gather *gather)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&gather->thread, NULL, gather_main, gather);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "gather.thread", "cause=%s", strerror(error));
    }
    gather->is_running = true;
    pthread_setname_np(gather->thread, "gather");
    return RC_OK;
}

void gather_stop(struct gather *gather)
{
    if (gather != NULL && gather->is_running) {
        atomic_store(&gather->is_stopping, true);
        pthread_join(gather->thread, NULL);
        gather->is_running = false;
    }
}

/* A heartbeat that is with the writer has come back by then: the writer has stopped. */
void gather_free(struct gather *gather)
{
    if (gather == NULL) {
        return;
    }
    gather_stop(gather);
    for (size_t i = 0; i < gather->cosigner_count; i++) {
        cosigner_release(&gather->cosigners[i]);
    }
    free(gather->cosigners);
    inbox_free(gather->inbox);
    commit_point_release(gather->round);
    buffer_release(&gather->text);
    pthread_mutex_destroy(&gather->lock);
    free(gather);
}

void gather_look(struct gather *gather, struct gather_state *state)
{
    pthread_mutex_lock(&gather->lock);
    *state = gather->state;
    pthread_mutex_unlock(&gather->lock);
}

uint64_t gather_least(struct gather *gather, const char **witness)
{
    uint64_t least;

    pthread_mutex_lock(&gather->lock);
    least = gather->least;
    *witness = gather->least_witness != NULL ? gather->least_witness : "";
    pthread_mutex_unlock(&gather->lock);
    return least;
}

enum rc gather_admit(const struct gather *gather, struct fault *fault)
{
    if (gather == NULL || !atomic_load(&gather->is_stopped)) {
        return RC_OK;
    }
    return refuse(fault, RC_UNAVAILABLE, "witness.lag", "",
                  "Faltan testigos de la bitácora desde hace demasiado: lo ordinario espera y se "
                  "reintentará; lo urgente sigue saliendo.");
}
