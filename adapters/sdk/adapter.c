#include "sdk/adapter.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "sdk/adapter_parts.h"
#include "sdk/book.h"
#include "sdk/disputes.h"

#define WINDOW_DEFAULT 256
#define LOOK_EVERY_MS 100
#define REFUSED_PAUSE_MS 5000
/* Deliveries and results of both streams, twice over: a stream that broke delivers again. */
#define ARRIVALS_MAX (4 * (256 + ADAPTER_OUT_MAX))

static void termination_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

void adapter_block_signals(void)
{
    sigset_t set;

    termination_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static bool is_told_to_stop(const struct adapter *adapter)
{
    static const struct timespec at_once = {0};
    sigset_t set;

    termination_set(&set);
    return atomic_load(&adapter->is_stopping) || sigtimedwait(&set, NULL, &at_once) > 0;
}

/* ---- start ---- */

static enum rc know(struct adapter *adapter, enum spool_folder folder)
{
    OWN(spool_ids) ids = {0};

    TRY(spool_list(adapter->spool, folder, &ids));
    for (size_t i = 0; i < ids.count; i++) {
        TRY(idset_add(&adapter->said, &ids.items[i]));
        if (id_instant_ms(&ids.items[i]) > adapter->last_id_ms) {
            adapter->last_id_ms = id_instant_ms(&ids.items[i]);
        }
    }
    return RC_OK;
}

/* What an earlier process said and owes. */
static enum rc remember(struct adapter *adapter)
{
    TRY(ledger_open(spool_path(adapter->spool), &adapter->ledger));
    TRY(book_open(spool_path(adapter->spool), "subjects", &adapter->subjects));
    TRY(disputes_open(spool_path(adapter->spool), &adapter->disputes));
    TRY(know(adapter, SPOOL_OUTBOX));
    TRY(know(adapter, SPOOL_RECEIPTS));
    TRY(know(adapter, SPOOL_PARKED));
    return adapter_owe_again(adapter);
}

static enum rc stream_init(struct adapter *adapter, size_t index, enum urgency urgency,
                           struct fault *fault)
{
    struct adapter_stream *stream = &adapter->streams[index];
    struct attach_config config = {
        .session = adapter->session,
        .user = &stream->user,
        .urgency = urgency,
        .window = adapter->config.window != 0 ? adapter->config.window : WINDOW_DEFAULT,
        .submissions_max = ADAPTER_OUT_MAX,
    };

    stream->user.on_delivery = adapter_on_delivery;
    stream->user.on_result = adapter_on_result;
    stream->adapter = adapter;
    stream->urgency = urgency;
    stream->attach = attach_new(&config);
    return stream->attach != NULL
               ? RC_OK
               : refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
}

static enum rc open_spool(struct adapter *adapter, struct fault *fault)
{
    const struct profile *profile = adapter->config.profile;
    char path[CONF_TEXT_SIZE + 16];

    if (profile->spool[0] == '\0' || profile->system[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "adapter.profile", profile->path,
                      "Un adaptador necesita «system» y «spool» en su perfil; agréguelos.");
    }
    snprintf(path, sizeof path, "%s/adapter", profile->spool);
    return spool_open(path, &adapter->spool, fault);
}

enum rc adapter_new(const struct adapter_config *config, struct adapter **adapter,
                    struct fault *fault)
{
    OWN_PTR(adapter) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    made->config = *config;
    made->said.is_timeless = true;
    made->drafts.ids.is_timeless = true;
    TRY(open_spool(made, fault));
    TRY(adapter_load_official(made, fault));
    TRY(session_open(config->profile, &made->session, fault));
    TRY(stream_init(made, 0, URGENCY_URGENT, fault));
    TRY(stream_init(made, 1, URGENCY_ORDINARY, fault));
    made->arrivals = inbox_new(ARRIVALS_MAX);
    if (made->arrivals == NULL || remember(made) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", spool_path(made->spool),
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    *adapter = MOVE(made);
    return RC_OK;
}

void adapter_free(struct adapter *adapter)
{
    if (adapter == NULL) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        attach_free(adapter->streams[i].attach);
        debts_release(&adapter->streams[i].debts);
    }
    inbox_free(adapter->arrivals);
    session_free(adapter->session);
    ledger_free(adapter->ledger);
    book_free(adapter->subjects);
    disputes_free(adapter->disputes);
    spool_free(adapter->spool);
    idset_release(&adapter->said);
    idset_release(&adapter->undealt);
    adapter_drafts_release(&adapter->drafts);
    actkey_free(adapter->official_key);
    cert_free(adapter->official_cert);
    free(adapter);
}

/* ---- run ---- */

/* A node that refuses us now (suspended, not yet listed) may take us later. */
static void *hold_stream(void *argument)
{
    struct adapter_stream *stream = argument;
    struct adapter *adapter = stream->adapter;

    for (;;) {
        struct fault fault = {0};
        enum rc rc = attach_run(stream->attach, -1, &fault);

        if (rc == RC_OK) {
            return NULL;
        }
        log_error("attach.refused", "urgency=%d reason=%s path=%s remedy=\"%s\"",
                  (int)stream->urgency, fault.reason, fault.path, fault.remedy);
        for (int64_t until = clock_monotonic_ms() + REFUSED_PAUSE_MS;
             clock_monotonic_ms() < until;) {
            struct timespec step = {0, 50 * 1000 * 1000};

            if (atomic_load(&adapter->is_stopping)) {
                return NULL;
            }
            (void)nanosleep(&step, NULL);
        }
    }
}

static void run_tasks(struct adapter *adapter, struct adapter_arrival *const *batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (batch[i]->kind == ARRIVAL_TASK) {
            batch[i]->task->run(batch[i]->task, adapter);
        }
    }
}

static enum rc handle(struct adapter *adapter, struct adapter_arrival *const *batch, size_t count)
{
    TRY(adapter_settle(adapter, batch, count));
    TRY(adapter_take(adapter, batch, count));
    run_tasks(adapter, batch, count);
    return adapter_owe(adapter);
}

/* One turn: what arrived, what failed before, what is owed. */
static enum rc turn(struct adapter *adapter)
{
    struct adapter_arrival *batch[ADAPTER_BATCH_MAX];
    bool is_closed;
    struct inbox_item *taken =
        inbox_take(adapter->arrivals, ADAPTER_BATCH_MAX, LOOK_EVERY_MS, &is_closed);
    size_t count = 0;
    enum rc rc = RC_OK;

    for (; taken != NULL; taken = taken->next) {
        batch[count++] = (struct adapter_arrival *)taken;
    }
    if (count > 0) {
        adapter->active_ms = clock_monotonic_ms();
        rc = handle(adapter, batch, count);
    }
    for (size_t i = 0; i < count; i++) {
        adapter_arrival_free(batch[i]);
    }
    TRY(rc);
    if (count == 0) {
        adapter_look_at_kept(adapter);
    }
    if (adapter->again_ms != 0 && clock_monotonic_ms() >= adapter->again_ms) {
        TRY(adapter_take_undealt(adapter));
    }
    if (adapter->config.user->on_tick != NULL && clock_monotonic_ms() >= adapter->tick_ms) {
        adapter->tick_ms = clock_monotonic_ms() + ADAPTER_TICK_MS;
        adapter->config.user->on_tick(adapter->config.user, adapter);
        TRY(adapter_owe(adapter));
    }
    return adapter_pay(adapter);
}

static bool is_idle(const struct adapter *adapter)
{
    return adapter->config.idle_ms >= 0 && adapter->again_ms == 0 &&
           adapter->streams[0].debts.count == 0 && adapter->streams[1].debts.count == 0 &&
           clock_monotonic_ms() - adapter->active_ms >= adapter->config.idle_ms;
}

static void stop_streams(struct adapter *adapter)
{
    atomic_store(&adapter->is_stopping, true);
    for (size_t i = 0; i < 2; i++) {
        if (adapter->streams[i].is_running) {
            attach_stop(adapter->streams[i].attach);
            pthread_join(adapter->streams[i].thread, NULL);
            adapter->streams[i].is_running = false;
        }
    }
    inbox_close(adapter->arrivals);
}

static enum rc start_streams(struct adapter *adapter)
{
    for (size_t i = 0; i < 2; i++) {
        struct adapter_stream *stream = &adapter->streams[i];

        if (pthread_create(&stream->thread, NULL, hold_stream, stream) != 0) {
            return failed(RC_RESOURCE_EXHAUSTED, "adapter.thread", "cause=%s", strerror(errno));
        }
        stream->is_running = true;
    }
    return RC_OK;
}

/* What came last: receipts are kept, tasks are run, deliveries come again. */
static void drain(struct adapter *adapter)
{
    bool is_closed = false;

    for (;;) {
        struct inbox_item *taken = inbox_take(adapter->arrivals, 1, 0, &is_closed);
        struct adapter_arrival *arrival = (struct adapter_arrival *)taken;

        if (taken == NULL) {
            return;
        }
        run_tasks(adapter, &arrival, 1);
        if (adapter_settle(adapter, &arrival, 1) != RC_OK || adapter_owe(adapter) != RC_OK) {
            log_warn("receipt.later", "cause=disk");
        }
        adapter_arrival_free(arrival);
    }
}

enum rc adapter_run(struct adapter *adapter)
{
    enum rc rc;

    adapter->active_ms = clock_monotonic_ms();
    rc = adapter_take_undealt(adapter);
    if (rc == RC_OK) {
        rc = start_streams(adapter);
    }
    while (rc == RC_OK && !is_told_to_stop(adapter) && !is_idle(adapter)) {
        rc = turn(adapter);
    }
    stop_streams(adapter);
    drain(adapter);
    return rc;
}

void adapter_stop(struct adapter *adapter)
{
    atomic_store(&adapter->is_stopping, true);
}

enum rc adapter_post(struct adapter *adapter, struct adapter_task *task)
{
    struct adapter_arrival *arrival = calloc(1, sizeof *arrival);
    enum rc rc;

    if (arrival == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    arrival->kind = ARRIVAL_TASK;
    arrival->task = task;
    rc = inbox_put(adapter->arrivals, &arrival->item);
    if (rc != RC_OK) {
        adapter_arrival_free(arrival);
    }
    return rc;
}

/* ---- waiting for the adapter's thread ---- */

/* Run once with its call, then once more without: that comes after the batch of the first. */
struct waiting_call {
    struct adapter_task task; /* first */
    struct adapter_call *call;
    pthread_mutex_t lock;
    pthread_cond_t is_run;
    bool has_run;
    enum rc rc;
};

static void run_call(struct adapter_task *task, struct adapter *adapter)
{
    struct waiting_call *waiting = (struct waiting_call *)task;

    if (waiting->call != NULL) {
        waiting->rc = waiting->call->run(waiting->call, adapter);
    }
    pthread_mutex_lock(&waiting->lock);
    waiting->has_run = true;
    pthread_cond_signal(&waiting->is_run);
    pthread_mutex_unlock(&waiting->lock);
}

static enum rc post_and_wait(struct adapter *adapter, struct waiting_call *waiting)
{
    waiting->has_run = false;
    TRY(adapter_post(adapter, &waiting->task));
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->has_run) { /* drain runs what was posted before the inbox closed */
        pthread_cond_wait(&waiting->is_run, &waiting->lock);
    }
    pthread_mutex_unlock(&waiting->lock);
    return RC_OK;
}

enum rc adapter_call(struct adapter *adapter, struct adapter_call *call)
{
    struct waiting_call waiting = {.task.run = run_call, .call = call};
    enum rc rc;

    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.is_run, NULL);
    rc = post_and_wait(adapter, &waiting);
    if (rc == RC_OK && waiting.rc == RC_OK) {
        waiting.call = NULL;
        rc = post_and_wait(adapter, &waiting);
    }
    pthread_cond_destroy(&waiting.is_run);
    pthread_mutex_destroy(&waiting.lock);
    return rc == RC_OK ? waiting.rc : rc;
}

const struct ledger_counts *adapter_counts(const struct adapter *adapter)
{
    return ledger_counts(adapter->ledger);
}

const char *adapter_folder(const struct adapter *adapter)
{
    return spool_path(adapter->spool);
}

struct adapter_figures adapter_figures(const struct adapter *adapter)
{
    struct adapter_figures figures = adapter->figures;

    figures.owed = adapter->streams[0].debts.count + adapter->streams[1].debts.count;
    figures.unreconciled = atomic_load(&adapter->unreconciled);
    return figures;
}
