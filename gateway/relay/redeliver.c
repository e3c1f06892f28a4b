#include "relay/redeliver.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/backlog.h"
#include "relay/desk.h"
#include "relay/facts.h"
#include "relay/finder.h"
#include "relay/held.h"
#include "relay/node.h"
#include "relay/watching.h"
#include "rpc/call.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/outbox.h"
#include "store/writer.h"

#define BATCH 256
#define HELD_ARENA_MAX ((size_t)4 << 20)

/* One message that may be owed again. */
struct again {
    uint64_t index;
    enum urgency urgency;
    char owed_at[DESK_DESTINATION_SIZE]; /* where it was owed first */
    bool is_added;
};

/* A write that the reading room waits for. */
struct redelivery {
    struct write write; /* first: the writer's */
    struct node *node;
    char destination[DESK_DESTINATION_SIZE]; /* the system's own queue */
    struct again items[BATCH];
    size_t count;
    atomic_bool is_done;
    struct fault fault;
};

/* ---- on the writer ---- */

static enum rc is_owed(struct txn *txn, const char *destination, const struct again *item,
                       bool *owed)
{
    struct outbox_entry entry;
    enum rc rc = outbox_find(txn, destination, item->urgency, item->index, &entry);

    *owed = *owed || rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc apply(struct write *write, struct txn *txn)
{
    struct redelivery *redelivery = (struct redelivery *)write;

    for (size_t i = 0; i < redelivery->count; i++) {
        struct again *item = &redelivery->items[i];
        const struct outbox_entry entry = {.index = item->index,
                                           .flags = OUTBOX_GIVEN | OUTBOX_SETTLED};
        bool owed = false;

        TRY(is_owed(txn, item->owed_at, item, &owed));
        TRY(is_owed(txn, redelivery->destination, item, &owed));
        item->is_added = !owed;
        if (!owed) {
            TRY(outbox_add(txn, redelivery->destination, item->urgency, &entry));
        }
    }
    return RC_OK;
}

/* Applied again it sets everything anew. */
static void forget(struct write *write)
{
    (void)write;
}

static void done(struct write *write)
{
    struct redelivery *redelivery = (struct redelivery *)write;

    for (size_t i = 0; write->rc == RC_OK && i < redelivery->count; i++) {
        if (redelivery->items[i].is_added) {
            backlog_count(redelivery->node->backlog, redelivery->destination, 1);
        }
    }
    atomic_store(&redelivery->is_done, true);
}

static const struct write_ops ops = {
    .name = "redeliver", .apply = apply, .again = forget, .done = done};

static enum rc owe_again(struct redelivery *redelivery, uint32_t *count)
{
    if (redelivery->count == 0) {
        return RC_OK;
    }
    redelivery->write = (struct write){.ops = &ops, .bytes = redelivery->count * 256};
    atomic_store(&redelivery->is_done, false);
    TRY(writer_submit(redelivery->node->writer, &redelivery->write));
    while (!atomic_load(&redelivery->is_done)) {
        clock_sleep_ms(1);
    }
    commit_point_release(redelivery->write.point);
    TRY(redelivery->write.rc);
    for (size_t i = 0; i < redelivery->count; i++) {
        *count += redelivery->items[i].is_added;
    }
    redelivery->count = 0;
    return RC_OK;
}

/* ---- in the reading room ---- */

/* RC_NOT_FOUND: erased, or not for this system. */
static enum rc look_at(const struct watching *watching, uint64_t index, struct again *item)
{
    const char *system = watching->caller.name;
    OWN_PTR(arena) arena = arena_new(HELD_ARENA_MAX);
    struct held *held = arena != NULL ? arena_alloc(arena, sizeof *held) : NULL;
    const struct header *header;
    OWN_READ(txn) = NULL;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(watching->node->db, &txn));
    TRY(held_load(watching->node, txn, index, arena, held));
    header = &held->message.header;
    if (header->to_system[0] != '\0' && strcmp(header->to_system, system) != 0) {
        return RC_NOT_FOUND;
    }
    *item = (struct again){.index = index, .urgency = header->urgency};
    desk_destination(header, item->owed_at);
    return RC_OK;
}

static bool is_received(const struct watching *watching, uint64_t leaf)
{
    struct facts facts;
    OWN_READ(txn) = NULL;

    arena_reset(watching->scratch);
    return txn_read(watching->node->db, &txn) == RC_OK &&
           facts_read(txn, leaf, watching->scratch, &facts) == RC_OK && facts.has_record &&
           facts.record.kind == RECORD_RECEIVED && strcmp(facts.record.to, watching->member) == 0;
}

static enum rc take_leaves(struct watching *watching, struct redelivery *redelivery,
                           const uint64_t *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum rc rc;

        if (!is_received(watching, leaves[i])) {
            continue;
        }
        rc = look_at(watching, leaves[i], &redelivery->items[redelivery->count]);
        if (rc == RC_OK) {
            redelivery->count++;
        } else if (rc != RC_NOT_FOUND && rc != RC_DATA_LOSS) {
            return rc;
        }
    }
    return RC_OK;
}

static enum rc redeliver_all(struct watching *watching, struct redelivery *redelivery,
                             uint64_t from, uint64_t size)
{
    const struct finder_question question = {.member = "",
                                             .route = "",
                                             .from_s = (uint64_t)watching->again.from_ms / 1000,
                                             .only_of = watching->member};
    struct finder_place place = {.next = from};
    uint64_t leaves[BATCH];
    uint64_t looked = 0;

    while (place.next < size && looked < REDELIVER_MAX) {
        size_t count = 0;

        TRY(finder_find(watching->node, &question, size, BATCH, watching->scratch, leaves, &count,
                        &place));
        TRY(take_leaves(watching, redelivery, leaves, count));
        TRY(owe_again(redelivery, &watching->again.count));
        looked += count;
    }
    watching->again.next = place.next < size ? place.next : 0;
    return RC_OK;
}

static enum rc look(struct watching *watching)
{
    struct redelivery *redelivery = arena_alloc(watching->arena, sizeof *redelivery);
    struct commit_point *point = writer_latest(watching->node->writer);
    uint64_t size = commit_point_size(point);

    commit_point_release(point);
    if (redelivery == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    redelivery->node = watching->node;
    snprintf(redelivery->destination, sizeof redelivery->destination, "system:%s/%s",
             watching->member, watching->caller.name);
    TRY(redeliver_all(watching, redelivery, watching->again.from, size));
    desk_returned(watching->node->desk, watching->member, URGENCY_URGENT);
    desk_returned(watching->node->desk, watching->member, URGENCY_ORDINARY);
    log_info("redelivery.ordered", "identity=%s from=%llu count=%u", watching->caller.uri,
             (unsigned long long)watching->again.from, watching->again.count);
    codec_redeliver_response_write(watching->again.count, watching->again.next,
                                   &watching->response);
    return RC_OK;
}

static enum rc prepare(struct watching *watching)
{
    TRY(codec_redeliver_request_read(call_request(watching->call), watching->arena,
                                     &watching->again, &watching->fault));
    if (watching->caller.kind != IDENTITY_SYSTEM) {
        return refuse(&watching->fault, RC_PERMISSION_DENIED, "redeliver.not_a_system", "",
                      "Sólo el sistema que recibió los mensajes los pide otra vez.");
    }
    return RC_OK;
}

void redeliver_on_call(struct rpc_service *service, struct call *call)
{
    struct watching *watching = watching_begin((struct node *)service, call);

    if (watching == NULL) {
        return;
    }
    if (prepare(watching) != RC_OK) {
        watching_refuse(watching, RC_UNAVAILABLE);
        return;
    }
    watching_ask(watching, look);
}
