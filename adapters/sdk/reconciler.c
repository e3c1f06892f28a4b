#include "sdk/reconciler.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "client/receipt_file.h"
#include "client/reconcile.h"
#include "client/session.h"
#include "sdk/adapter_parts.h"
#include "sdk/poller.h"

/* Healed in one round; more are found by the next. */
#define ROUND_MAX 1024
/* How often it is looked whether it is time; after a failure more seldom, up to this. */
#define LOOK_EVERY_MS 5000
#define LOOK_MOST_MS ((int64_t)10 * 60 * 1000)
#define ARENA_MAX ((size_t)1 << 20)

struct difference {
    struct reconcile_difference what;
    uint8_t commitment[HASH_SIZE];
};

struct reconciler {
    struct poller_user poll; /* first */
    struct reconcile_user told;
    struct adapter *adapter;
    struct poller *poller;
    int64_t every_ms;
    int64_t due_ms; /* monotonic */
    struct difference *found;
    size_t count;
};

/* ---- on the adapter's thread ---- */

/* The receipts of one that we said. */
struct healing {
    struct adapter_call call; /* first */
    struct id id;
    struct bytes receipts;
};

static enum rc heal_here(struct adapter_call *call, struct adapter *adapter)
{
    const struct healing *healing = (const struct healing *)call;
    struct spool_entry entry = {SPOOL_RECEIPTS, healing->id, healing->receipts};

    TRY(spool_store(adapter->spool, &entry, 1));
    return idset_add(&adapter->said, &healing->id);
}

/* ---- on the poller's ---- */

static enum rc fetch_receipts(const struct reconciler *reconciler, const struct difference *found,
                              struct arena *arena, struct buffer *text)
{
    struct session *session = reconciler->adapter->session;
    const struct profile *profile = session->profile;
    struct receipt_file file = {.message_id = found->what.id, .count = 1};
    struct receipts receipts;
    struct fault fault = {0};

    TRY(ask_receipts(session, &found->what.id, arena, &receipts, &fault));
    if (receipts.count == 0) {
        return RC_NOT_FOUND;
    }
    TRY(receipt_check(found->commitment, &receipts.items[0], profile->logs, profile->own_log_count,
                      NULL, &fault));
    memcpy(file.commitment, found->commitment, HASH_SIZE);
    file.receipts[0] = receipts.items[0];
    receipt_file_write(&file, text);
    return text->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc heal(const struct reconciler *reconciler, const struct difference *found)
{
    struct healing healing = {.call.run = heal_here, .id = found->what.id};
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) receipts = {0};
    struct given_again given;
    struct fault fault = {0};

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (found->what.is_sent && found->what.kind != RECONCILE_MISSING_THERE) {
        TRY(fetch_receipts(reconciler, found, arena, &receipts));
        healing.receipts = buffer_bytes(&receipts);
        return adapter_call(reconciler->adapter, &healing.call);
    }
    if (found->what.kind == RECONCILE_MISSING_HERE) {
        return ask_give_again(reconciler->adapter->session, &found->what.id, false, arena, &given,
                              &fault);
    }
    return RC_NOT_FOUND;
}

static void on_difference(struct reconcile_user *user,
                          const struct reconcile_difference *difference)
{
    struct reconciler *reconciler =
        (struct reconciler *)((char *)user - offsetof(struct reconciler, told));
    struct difference *found;

    if (reconciler->count == ROUND_MAX) {
        return;
    }
    found = &reconciler->found[reconciler->count++];
    *found = (struct difference){.what = *difference};
    found->what.commitment = NULL;
    if (difference->commitment != NULL) {
        memcpy(found->commitment, difference->commitment, HASH_SIZE);
    }
}

static void tell_one(const struct difference *found, enum rc rc)
{
    static const char *const kinds[] = {"missing_here", "missing_there", "differs"};
    char id[ID_TEXT_SIZE];

    id_format(&found->what.id, id);
    if (rc == RC_OK) {
        log_warn("reconcile.healed", "msg=%s kind=%s direction=%s", id, kinds[found->what.kind],
                 found->what.is_sent ? "sent" : "received");
        return;
    }
    log_error("reconcile.left", "msg=%s kind=%s direction=%s why=%s rc=%s", id,
              kinds[found->what.kind], found->what.is_sent ? "sent" : "received", found->what.why,
              rc_name(rc));
}

static enum rc reconcile(struct poller_user *user)
{
    struct reconciler *reconciler = (struct reconciler *)user;
    struct reconcile_figures figures;
    struct fault fault = {0};
    uint64_t left = 0;

    if (clock_monotonic_ms() < reconciler->due_ms) {
        return RC_OK;
    }
    reconciler->count = 0;
    if (reconcile_run(reconciler->adapter->session, &reconciler->told, &figures, &fault) != RC_OK) {
        log_warn("reconcile.later", "reason=%s", fault.reason);
        return RC_UNAVAILABLE;
    }
    for (size_t i = 0; i < reconciler->count; i++) {
        enum rc rc = heal(reconciler, &reconciler->found[i]);

        tell_one(&reconciler->found[i], rc);
        left += rc != RC_OK;
    }
    log_info("reconcile.done",
             "sent=%llu received=%llu kept=%llu waiting=%llu differences=%zu "
             "left=%llu",
             (unsigned long long)figures.sent, (unsigned long long)figures.received,
             (unsigned long long)figures.kept, (unsigned long long)figures.waiting,
             reconciler->count, (unsigned long long)left);
    atomic_store(&reconciler->adapter->unreconciled, left);
    reconciler->due_ms = clock_monotonic_ms() + reconciler->every_ms;
    return RC_OK;
}

enum rc reconciler_new(struct adapter *adapter, int64_t every_ms, struct reconciler **reconciler)
{
    OWN_PTR(reconciler) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->poll.poll = reconcile;
    made->told.differs = on_difference;
    made->adapter = adapter;
    made->every_ms = every_ms;
    made->found = calloc(ROUND_MAX, sizeof *made->found);
    if (made->found == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(poller_new(&made->poll, LOOK_EVERY_MS, LOOK_MOST_MS, &made->poller));
    *reconciler = MOVE(made);
    return RC_OK;
}

void reconciler_free(struct reconciler *reconciler)
{
    if (reconciler != NULL) {
        poller_free(reconciler->poller);
        free(reconciler->found);
        free(reconciler);
    }
}
