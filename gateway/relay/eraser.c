#include "relay/eraser.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/entry.h"
#include "relay/erase_block.h"
#include "relay/erase_rest.h"
#include "relay/erase_step.h"
#include "relay/indexer.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/prune.h"
#include "store/db.h"

#define TICK_MS 200
#define LOOK_EVERY_MS 1000
/* Whether a class is over changes once a month, whether a hold still stands is asked as often. */
#define CLASSES_EVERY_MS ((int64_t)60 * 1000)
#define CLASSES_MAX 64
#define PRUNE_EVERY_MS ((int64_t)10 * 1000)

struct eraser {
    const struct node *node;
    int64_t blocking_ms;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_bool is_poked;
    int64_t look_at_ms;
    int64_t classes_at_ms;
    int64_t prune_at_ms;
    int64_t held_at_ms; /* when what is held is looked at again */
    bool must_index;
};

/* ---- changes of a row ---- */

struct change {
    struct erase_step step; /* first */
    const struct id *id;
    enum order_phase from;
    enum order_phase to;
    uint32_t entries;
    uint32_t held;
    bool has_counts;
    bool has_leaf;
    const struct order_row *made; /* a new row, of a retention class */
};

static enum rc put_leaf(const struct node *node, struct txn *txn, const struct order_row *row)
{
    uint8_t directory[HASH_SIZE];
    struct record record;
    uint64_t index;

    record_init(&record, RECORD_ERASURE);
    record.hosted_by = node->self->code;
    record.from = row->member;
    record.actor = row->is_retention ? node->self->uri : row->actor;
    record.official = row->official;
    record.legal_basis = row->basis;
    record.reason = row->reason;
    record.count = row->entries;
    if (!row->is_retention) {
        record.message_commitment = BYTES_OF(row->digest);
    }
    inforce_digest(node->inforce, directory);
    record.directory_sha256 = BYTES_OF(directory);
    return entry_put_record(node, txn, &record, &index);
}

static enum rc change_work(struct erase_step *base, struct txn *txn)
{
    struct change *change = (struct change *)base;
    struct order_row row;

    if (change->made != NULL) {
        return orderbook_put(txn, change->made);
    }
    TRY(orderbook_get(txn, change->id, &row));
    if (row.phase != change->from) {
        return RC_ABORTED;
    }
    row.phase = change->to;
    if (change->has_counts) {
        row.entries = change->entries;
        row.held = change->held;
    }
    TRY(orderbook_put(txn, &row));
    if (!change->has_leaf) {
        return RC_OK;
    }
    TRY(orderbook_get(txn, change->id, &row));
    return put_leaf(base->node, txn, &row);
}

static enum rc change_row(const struct node *node, const struct change *plan)
{
    struct change *change = malloc(sizeof *change);
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (change != NULL) {
        *change = *plan;
        change->step.node = node;
        change->step.work = change_work;
        change->step.write.leaves = plan->has_leaf;
        change->step.write.bytes = 4096;
        rc = erase_step_run(&change->step);
    }
    free(change);
    return rc;
}

static enum rc advance(const struct node *node, const struct order_row *row, enum order_phase to)
{
    const struct change change = {.id = &row->id, .from = row->phase, .to = to};

    return change_row(node, &change);
}

/* ---- phases ---- */

static void say(const struct order_row *row, const char *event)
{
    char id[ID_TEXT_SIZE];

    id_format(&row->id, id);
    log_info(event, "order=%s member=%s reason=%s entries=%u", id, row->member, row->reason,
             row->entries);
}

static enum rc open_order(struct eraser *eraser, const struct order_row *row,
                          struct erasing *erasing)
{
    struct order_row full;
    OWN_READ(txn) = NULL;

    *erasing = (struct erasing){.node = eraser->node, .row = *row};
    TRY(vault_with_blocked(eraser->node->vault, bytes_text(row->shard), &erasing->view,
                           &erasing->blocked));
    TRY(txn_read(eraser->node->db, &txn));
    TRY(orderbook_get(txn, &row->id, &full));
    return order_target_open(erasing->view, &row->id, full.target, &erasing->target);
}

static enum rc block_order(struct eraser *eraser, const struct order_row *row)
{
    struct erasing erasing;
    bool is_over = false;
    enum rc rc = open_order(eraser, row, &erasing);

    while (rc == RC_OK && !is_over && !atomic_load(&eraser->is_stopping)) {
        rc = erase_block_step(&erasing, &is_over);
    }
    explicit_bzero(&erasing.target, sizeof erasing.target);
    vault_free(erasing.view);
    return rc;
}

static enum rc block_class(struct eraser *eraser, const struct order_row *row)
{
    const struct shard *shard = vault_known(eraser->node->vault, bytes_text(row->shard));

    if (shard == NULL) {
        return failed(RC_DATA_LOSS, "retention.shard", "shard=%s", row->shard);
    }
    TRY(vault_block(eraser->node->vault, shard));
    TRY(advance(eraser->node, row, ORDER_BLOCKED));
    say(row, "retention.blocked");
    return RC_OK;
}

static enum rc rewrap(struct eraser *eraser, const struct order_row *row)
{
    TRY(erase_rewrap(eraser->node, &row->id));
    TRY(advance(eraser->node, row, ORDER_BLOCKED));
    say(row, "erasure.blocked");
    return RC_OK;
}

static bool must_wait(struct eraser *eraser, const struct order_row *row)
{
    int64_t now_ms = clock_now_ms();

    return row->due_at_ms > now_ms || (row->held > 0 && eraser->held_at_ms > now_ms);
}

static enum rc end_blocking(struct eraser *eraser, const struct order_row *row)
{
    struct change change = {.id = &row->id, .from = ORDER_BLOCKED, .has_counts = true};

    if (must_wait(eraser, row)) {
        return RC_OK;
    }
    TRY(erase_count(eraser->node, row, &change.entries, &change.held));
    if (change.held > 0) {
        eraser->held_at_ms = clock_now_ms() + CLASSES_EVERY_MS;
        change.to = ORDER_BLOCKED;
        if (row->held != change.held) {
            say(row, "erasure.held");
        }
        return row->held == change.held ? RC_OK : change_row(eraser->node, &change);
    }
    change.to = ORDER_ERASING;
    change.has_leaf = true;
    return change_row(eraser->node, &change);
}

static enum rc erase(struct eraser *eraser, const struct order_row *row)
{
    enum rc rc = vault_destroy(eraser->node->vault, bytes_text(row->shard));

    if (rc != RC_OK) {
        return rc;
    }
    TRY(erase_sweep(eraser->node, row));
    TRY(advance(eraser->node, row, ORDER_ERASED));
    eraser->must_index = true;
    say(row, row->is_retention ? "retention.erased" : "erasure.done");
    return RC_OK;
}

static enum rc carry_on(struct eraser *eraser, const struct order_row *row)
{
    switch (row->phase) {
    case ORDER_BLOCKING:
        return row->is_retention ? block_class(eraser, row) : block_order(eraser, row);
    case ORDER_REWRAPPING:
        return rewrap(eraser, row);
    case ORDER_BLOCKED:
        return end_blocking(eraser, row);
    case ORDER_ERASING:
        return erase(eraser, row);
    default:
        return RC_OK;
    }
}

/* ---- retention classes ---- */

static enum rc has_row(struct eraser *eraser, const struct shard *shard, bool *has)
{
    struct id after = {{0}};
    struct order_row row;
    OWN_READ(txn) = NULL;
    enum rc rc;

    *has = false;
    TRY(txn_read(eraser->node->db, &txn));
    while (!*has && (rc = orderbook_next(txn, false, &after, &row)) == RC_OK) {
        after = row.id;
        *has = row.is_retention && strcmp(row.shard, shard_name(shard)) == 0;
    }
    return *has || rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* "cdmx.ssc/R5/203112.1": member and class. */
static void fill_class(const struct shard *shard, struct order_row *row)
{
    const char *name = shard_name(shard);
    const char *class = strchr(name, '/');
    size_t years = strcspn(class + 1, "/");

    snprintf(row->shard, sizeof row->shard, "%s", name);
    snprintf(row->member, sizeof row->member, "%.*s", (int)(class - name), name);
    *strchr(row->member, '.') = '/';
    snprintf(row->reason, sizeof row->reason, "retention-r%.*s-%06d", (int)years - 1, class + 2,
             (int)shard_month(shard));
}

static enum rc begin_class(struct eraser *eraser, const struct shard *shard)
{
    struct order_row row = {.kind = ORDER_ERASE, .phase = ORDER_BLOCKING, .is_retention = true};
    const struct change change = {.made = &row};
    uint8_t random[10];
    bool has;

    TRY(has_row(eraser, shard, &has));
    if (has) {
        return RC_OK;
    }
    random_fill(random, sizeof random);
    row.given_at_ms = clock_now_ms();
    row.due_at_ms = row.given_at_ms + eraser->blocking_ms;
    row.id = id_v7(row.given_at_ms, random);
    fill_class(shard, &row);
    return change_row(eraser->node, &change);
}

static enum rc begin_classes(struct eraser *eraser)
{
    const struct shard *due[CLASSES_MAX];
    int64_t now_ms = clock_now_ms();
    int32_t month;
    size_t count;

    if (clock_monotonic_ms() < eraser->classes_at_ms) {
        return RC_OK;
    }
    TRY(vault_month("R1", now_ms, &month)); /* this month, a year on */
    count = vault_due(eraser->node->vault, month - 100, due, CLASSES_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(begin_class(eraser, due[i]));
    }
    eraser->classes_at_ms = clock_monotonic_ms() + (count < CLASSES_MAX ? CLASSES_EVERY_MS : 0);
    return RC_OK;
}

/* ---- pruning ---- */

static enum rc has_pruning(struct eraser *eraser, bool *has)
{
    struct id after = {{0}};
    struct order_row row;
    OWN_READ(txn) = NULL;
    enum rc rc;

    *has = false;
    TRY(txn_read(eraser->node->db, &txn));
    while (!*has && (rc = orderbook_next(txn, false, &after, &row)) == RC_OK) {
        after = row.id;
        *has = row.kind == ORDER_PRUNE;
    }
    return *has || rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* By the setting; one at a time. */
static enum rc begin_pruning(struct eraser *eraser)
{
    struct order_row row;
    const struct change change = {.made = &row};
    bool has;
    enum rc rc;

    if (eraser->node->prune_ms == 0 || clock_monotonic_ms() < eraser->prune_at_ms) {
        return RC_OK;
    }
    eraser->prune_at_ms = clock_monotonic_ms() + PRUNE_EVERY_MS;
    TRY(has_pruning(eraser, &has));
    if (has) {
        return RC_OK;
    }
    rc = prune_begin(eraser->node, &row);
    if (rc != RC_OK) {
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    }
    return change_row(eraser->node, &change);
}

static bool prune(struct eraser *eraser, const struct order_row *row)
{
    bool is_any = false;
    enum rc rc;

    if (row->phase == ORDER_BLOCKING && row->held > 0 && eraser->held_at_ms > clock_now_ms()) {
        return false;
    }
    if (row->held > 0) {
        eraser->held_at_ms = clock_now_ms() + CLASSES_EVERY_MS;
    }
    rc = prune_carry_on(eraser->node, row, &is_any);
    if (rc != RC_OK) {
        log_warn("prune.later", "rc=%s it goes on where it stopped", rc_name(rc));
    }
    return rc == RC_OK && is_any;
}

/* ---- the thread ---- */

static enum rc next_row(struct eraser *eraser, bool is_over, const struct id *after,
                        struct order_row *row)
{
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(eraser->node->db, &txn));
    rc = orderbook_next(txn, is_over, after, row);
    row->target = row->signatures = (struct bytes){0}; /* of that transaction */
    return rc;
}

/* One order at a time: no two of them move the same rows. */
static bool look(struct eraser *eraser)
{
    struct id after = {{0}};
    struct order_row row;
    bool is_any = false;
    enum rc rc = begin_classes(eraser);

    rc = rc == RC_OK ? begin_pruning(eraser) : rc;

    while (rc == RC_OK && !atomic_load(&eraser->is_stopping) &&
           (rc = next_row(eraser, false, &after, &row)) == RC_OK) {
        bool is_due =
            row.kind == ORDER_ERASE && (row.phase != ORDER_BLOCKED || !must_wait(eraser, &row));

        after = row.id;
        if (row.kind == ORDER_PRUNE) {
            is_any = prune(eraser, &row) || is_any;
        }
        if (is_due) {
            enum rc outcome = carry_on(eraser, &row);

            is_any = is_any || outcome == RC_OK;
            if (outcome != RC_OK) {
                say(&row, "erasure.later");
                log_warn("erasure.later", "rc=%s it goes on where it stopped", rc_name(outcome));
            }
        }
    }
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        log_warn("erasure.later", "rc=%s", rc_name(rc));
    }
    return is_any;
}

/* What was destroyed stays so, whatever an old backup of the vault brings back. */
static void destroy_again(struct eraser *eraser)
{
    const struct node *node = eraser->node;
    struct id after = {{0}};
    struct order_row row;

    while (next_row(eraser, true, &after, &row) == RC_OK) {
        const struct shard *shard = vault_known(node->vault, bytes_text(row.shard));
        enum rc rc = RC_OK;

        after = row.id;
        if (row.kind != ORDER_ERASE) {
            continue;
        }
        if (shard != NULL && (!shard_is_erased(shard) || shard_is_blocked(shard))) {
            rc = vault_destroy(node->vault, bytes_text(row.shard));
        }
        rc = rc == RC_OK ? erase_destroy(node, &row.id) : rc;
        if (rc != RC_OK) {
            say(&row, "erasure.later");
        }
    }
}

static void *run(void *argument)
{
    struct eraser *eraser = argument;

    destroy_again(eraser);
    while (!atomic_load(&eraser->is_stopping)) {
        if (atomic_exchange(&eraser->is_poked, false)) {
            eraser->look_at_ms = eraser->held_at_ms = 0;
        }
        if (clock_monotonic_ms() >= eraser->look_at_ms) {
            bool is_any = look(eraser);

            eraser->look_at_ms = clock_monotonic_ms() + (is_any ? 0 : LOOK_EVERY_MS);
        }
        if (eraser->must_index && !atomic_load(&eraser->is_stopping)) {
            indexer_forget(eraser->node->indexer);
            eraser->must_index = false;
        }
        clock_sleep_ms(TICK_MS / 10);
    }
    return NULL;
}

enum rc eraser_start(const struct node *node, int64_t blocking_ms, struct eraser **out)
{
    struct eraser *eraser = calloc(1, sizeof *eraser);

    if (eraser == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    eraser->node = node;
    eraser->blocking_ms = blocking_ms;
    if (pthread_create(&eraser->thread, NULL, run, eraser) != 0) {
        free(eraser);
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(eraser->thread, "eraser");
    *out = eraser;
    return RC_OK;
}

void eraser_free(struct eraser *eraser)
{
    if (eraser != NULL) {
        atomic_store(&eraser->is_stopping, true);
        pthread_join(eraser->thread, NULL);
        free(eraser);
    }
}

void eraser_poke(struct eraser *eraser)
{
    atomic_store(&eraser->is_poked, true);
}
