#include "relay/prune.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/clock_doubt.h"
#include "relay/entry.h"
#include "relay/erase_step.h"
#include "relay/facts.h"
#include "relay/finder.h"
#include "relay/gather.h"
#include "relay/holds.h"
#include "relay/indexer.h"
#include "relay/node.h"
#include "store/auditlog.h"
#include "store/body.h"
#include "store/cosigned.h"
#include "store/db.h"
#include "store/pruning.h"
#include "tlog/control.h"

#define ARENA_MAX ((size_t)1 << 20)

/* ---- bounds ---- */

struct bound {
    uint64_t size; /* of the log */
    uint64_t limit;
    const char *reason;
    const char *remedy;
    char who[OUTBOX_DESTINATION_MAX + 1];
};

static void tighten(struct bound *bound, uint64_t limit, const char *reason, const char *who,
                    const char *remedy)
{
    if (limit < bound->limit) {
        bound->limit = limit;
        bound->reason = reason;
        bound->remedy = remedy;
        snprintf(bound->who, sizeof bound->who, "%s", who);
    }
}

static void bound_witnesses(const struct node *node, struct bound *bound)
{
    struct gather_state state;
    const char *witness;
    uint64_t least;

    if (node->gather == NULL) {
        return; /* no policy: nobody's cosignature counts here */
    }
    gather_look(node->gather, &state);
    tighten(bound, state.witnessed_size, "prune.quorum", "",
            "Tantas hojas no las ha atestiguado un quórum; espere a los testigos.");
    least = gather_least(node->gather, &witness);
    tighten(bound, least, "prune.witness", witness,
            "Ese testigo no ha visto tanto de la bitácora: espere a que vuelva, o quítelo de la "
            "política de testigos.");
}

static enum rc bound_content(struct txn *txn, uint64_t from, struct bound *bound)
{
    struct bytes keys;
    uint64_t index;
    enum rc rc = body_next(txn, from, &index, &keys);

    if (rc == RC_OK) {
        tighten(bound, index, "prune.content", "",
                "Hay contenido que aún se puede leer: primero termina su plazo, o se suprime.");
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc bound_debts(struct txn *txn, struct bound *bound)
{
    char destination[OUTBOX_DESTINATION_MAX + 1] = "";
    enum rc rc;

    while ((rc = outbox_next_destination(txn, destination, destination)) == RC_OK) {
        for (int urgency = URGENCY_ORDINARY; urgency <= URGENCY_URGENT; urgency++) {
            struct outbox_entry entry;
            size_t count;

            TRY(outbox_scan(txn, destination, (enum urgency)urgency, OUTBOX_START, &entry, 1,
                            &count));
            if (count > 0) {
                tighten(bound, entry.index, "prune.debt", destination,
                        "Aún se debe una entrega: espere a que se entregue o venza.");
            }
        }
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc find_bound(const struct node *node, struct bound *bound, uint64_t *before)
{
    struct pruning pruning;
    OWN_READ(txn) = NULL;
    uint64_t size;

    TRY(txn_read(node->db, &txn));
    TRY(auditlog_size(txn, &size));
    TRY(pruning_get(txn, &pruning));
    *before = pruning.minimum;
    *bound = (struct bound){.size = size, .limit = size};
    bound_witnesses(node, bound);
    TRY(bound_content(txn, pruning.minimum, bound));
    return bound_debts(txn, bound);
}

/* The first leaf that is not older, down to a whole step. */
static enum rc minimum_at(const struct node *node, int64_t before_ms, uint64_t *minimum)
{
    uint64_t size;

    {
        OWN_READ(txn) = NULL;

        TRY(txn_read(node->db, &txn));
        TRY(auditlog_size(txn, &size));
    }
    TRY(finder_time(node, (uint64_t)(before_ms / 1000), size, minimum));
    *minimum -= *minimum % CONTROL_MINIMUM_STEP;
    return RC_OK;
}

enum rc prune_judge(const struct node *node, const struct order *order, uint64_t *minimum,
                    struct fault *fault)
{
    struct bound bound;
    uint64_t before;

    *minimum = order->before_index;
    if (order->before_index == 0) {
        TRY(minimum_at(node, order->before_ms, minimum));
    }
    TRY(find_bound(node, &bound, &before));
    if (*minimum > bound.size) {
        return refuse(fault, RC_FAILED_PRECONDITION, "prune.size", "order",
                      "La bitácora tiene %" PRIu64 " hojas.", bound.size);
    }
    if (*minimum <= before) {
        return refuse(fault, RC_FAILED_PRECONDITION, "prune.nothing", "order",
                      "No hay nada que depurar: van de 256 en 256 hojas, y ya se depuró hasta la "
                      "%" PRIu64 ".",
                      before);
    }
    return *minimum <= bound.limit
               ? RC_OK
               : refuse(fault, RC_FAILED_PRECONDITION, bound.reason, bound.who,
                        "%s Se puede hasta la hoja %" PRIu64 ".", bound.remedy, bound.limit);
}

enum rc prune_begin(const struct node *node, struct order_row *row)
{
    int64_t now_ms = clock_now_ms();
    struct bound bound;
    uint8_t random[10];
    uint64_t minimum;
    uint64_t before;

    if (clock_doubt_is(node)) {
        return RC_NOT_FOUND; /* nothing is given up by a clock that nobody confirmed */
    }
    TRY(minimum_at(node, now_ms - node->prune_ms, &minimum));
    if (minimum == 0) {
        return RC_NOT_FOUND;
    }
    TRY(find_bound(node, &bound, &before));
    minimum = minimum < bound.limit ? minimum : bound.limit;
    minimum -= minimum % CONTROL_MINIMUM_STEP;
    if (minimum <= before) {
        return RC_NOT_FOUND;
    }
    random_fill(random, sizeof random);
    *row = (struct order_row){.id = id_v7(now_ms, random),
                              .kind = ORDER_PRUNE,
                              .phase = ORDER_BLOCKING,
                              .is_retention = true,
                              .given_at_ms = now_ms,
                              .until = minimum};
    snprintf(row->member, sizeof row->member, "%s", node->self->code);
    snprintf(row->reason, sizeof row->reason, "retention-records");
    return RC_OK;
}

/* ---- holds ---- */

static enum rc count_some(const struct node *node, const struct holds *holds, struct arena *arena,
                          uint64_t *from, uint64_t to, uint32_t *held)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(node->db, &txn));
    for (size_t looked = 0; looked < ERASE_LOOK && *from < to; looked++, (*from)++) {
        struct facts facts;

        arena_reset(arena);
        TRY(facts_read(txn, *from, arena, &facts));
        *held += facts.has_record && record_is_of_exchange(facts.record.kind) &&
                 holds_cover(holds, &facts.record);
    }
    return RC_OK;
}

/* Records below the minimum that a hold covers. */
static enum rc count_held(const struct node *node, uint64_t minimum, uint32_t *held)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct holds *holds = malloc(sizeof *holds);
    struct pruning pruning = {0};
    enum rc rc = arena != NULL && holds != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;

    *held = 0;
    if (rc == RC_OK) {
        OWN_READ(txn) = NULL;

        rc = txn_read(node->db, &txn);
        rc = rc == RC_OK ? holds_read(txn, NULL, holds) : rc;
        rc = rc == RC_OK ? pruning_get(txn, &pruning) : rc;
    }
    while (rc == RC_OK && !holds_are_none(holds) && pruning.minimum < minimum) {
        rc = count_some(node, holds, arena, &pruning.minimum, minimum, held);
    }
    free(holds);
    return rc;
}

/* ---- steps ---- */

struct prune_step {
    struct erase_step step; /* first */
    const struct order_row *row;
    uint32_t held;
    bool is_over;
};

static enum rc put_row(struct txn *txn, const struct prune_step *prune, enum order_phase to)
{
    struct order_row row;

    TRY(orderbook_get(txn, &prune->row->id, &row));
    if (row.phase != prune->row->phase) {
        return RC_ABORTED;
    }
    row.phase = to;
    row.held = prune->held;
    row.entries = row.until < UINT32_MAX ? (uint32_t)row.until : UINT32_MAX;
    return orderbook_put(txn, &row);
}

static enum rc begin_work(struct erase_step *base, struct txn *txn)
{
    const struct prune_step *prune = (const struct prune_step *)base;
    struct record record;
    uint64_t leaf;

    record_init(&record, RECORD_RETENTION);
    record.first_index = prune->row->until;
    if (!prune->row->is_retention) {
        record.message_commitment = BYTES_OF(prune->row->digest);
    }
    TRY(entry_put_control(txn, &record, &leaf));
    TRY(pruning_begin(txn, prune->row->until, leaf));
    return put_row(txn, prune, ORDER_BLOCKED);
}

static enum rc hold_work(struct erase_step *base, struct txn *txn)
{
    return put_row(txn, (const struct prune_step *)base, ORDER_BLOCKING);
}

static enum rc drop_work(struct erase_step *base, struct txn *txn)
{
    return put_row(txn, (const struct prune_step *)base, ORDER_ERASING);
}

static enum rc end_work(struct erase_step *base, struct txn *txn)
{
    return put_row(txn, (const struct prune_step *)base, ORDER_ERASED);
}

static enum rc sweep_work(struct erase_step *base, struct txn *txn)
{
    return pruning_sweep(txn, &((struct prune_step *)base)->is_over);
}

static enum rc run_step(const struct node *node, const struct order_row *row, uint32_t held,
                        enum rc (*work)(struct erase_step *step, struct txn *txn), bool *is_over)
{
    struct prune_step *prune = calloc(1, sizeof *prune);
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (prune != NULL) {
        prune->step.node = node;
        prune->step.work = work;
        prune->step.write.leaves = work == begin_work;
        prune->step.write.bytes = 8192;
        prune->row = row;
        prune->held = held;
        rc = erase_step_run(&prune->step);
        *is_over = prune->is_over;
    }
    free(prune);
    return rc;
}

static enum rc begin(const struct node *node, const struct order_row *row, bool *is_any)
{
    struct bound bound;
    uint64_t before;
    uint32_t held;
    bool is_over;

    TRY(find_bound(node, &bound, &before));
    if (row->until > bound.limit) {
        return RC_OK; /* it changed since; later again */
    }
    TRY(count_held(node, row->until, &held));
    if (held > 0) {
        return held == row->held ? RC_OK : run_step(node, row, held, hold_work, &is_over);
    }
    if (row->until <= before) {
        *is_any = true;
        return run_step(node, row, 0, end_work, &is_over); /* another one went as far */
    }
    TRY(run_step(node, row, 0, begin_work, &is_over));
    log_info("prune.begun", "below=%" PRIu64 " by=%s", row->until,
             row->is_retention ? "retention" : row->member);
    *is_any = true;
    return RC_OK;
}

static enum rc await_witnesses(const struct node *node, const struct order_row *row, bool *is_any)
{
    struct pruning pruning;
    struct cosigned last = {0};
    bool is_over;

    if (node->gather != NULL) {
        OWN_READ(txn) = NULL;
        enum rc rc;

        TRY(txn_read(node->db, &txn));
        TRY(pruning_proven(txn, &pruning));
        rc = cosigned_last(txn, &last);
        if (rc == RC_NOT_FOUND || (rc == RC_OK && last.size <= pruning.leaf)) {
            return RC_OK;
        }
        TRY(rc);
    }
    *is_any = true;
    return run_step(node, row, 0, drop_work, &is_over);
}

static enum rc sweep(const struct node *node, const struct order_row *row, bool *is_any)
{
    bool is_over = false;

    *is_any = true;
    TRY(run_step(node, row, 0, sweep_work, &is_over));
    if (!is_over) {
        return RC_OK;
    }
    TRY(run_step(node, row, 0, end_work, &is_over));
    indexer_forget(node->indexer);
    log_info("prune.done", "below=%" PRIu64, row->until);
    return RC_OK;
}

enum rc prune_carry_on(const struct node *node, const struct order_row *row, bool *is_any)
{
    *is_any = false;
    switch (row->phase) {
    case ORDER_BLOCKING:
        return begin(node, row, is_any);
    case ORDER_BLOCKED:
        return await_witnesses(node, row, is_any);
    case ORDER_ERASING:
        return sweep(node, row, is_any);
    default:
        return RC_OK;
    }
}
