#include "relay/trace.h"

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "policy/member.h"
#include "relay/clock_doubt.h"
#include "relay/desk.h"
#include "relay/facts.h"
#include "relay/finder.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/summary.h"
#include "relay/waiting.h"
#include "relay/watching.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"
#include "store/evidence.h"
#include "store/journal.h"
#include "store/writer.h"

struct tracing {
    struct watching *watching;
    struct waiting waiting;
    struct exchange exchange;
    struct trace trace;
    uint64_t leaves[WATCH_HOPS_MAX];
    size_t leaf_count;
};

/* ---- one message ---- */

static const char *kept(struct tracing *tracing, const char *text)
{
    const char *copy = arena_text(tracing->watching->arena, bytes_text(text));

    return copy != NULL ? copy : "";
}

static const char *node_of(struct tracing *tracing, const char *member)
{
    OWN_EDITION(edition) = inforce_take(tracing->watching->node->inforce);
    const struct node_entry *host =
        node_of_member(edition->directory, member, clock_local_day(clock_now_ms()));

    return host != NULL ? kept(tracing, host->code) : "";
}

/* What the other node proved about it; a member hosted here, too, has a leaf of its own. */
static enum rc read_other(struct tracing *tracing, struct txn *txn, const struct facts *facts,
                          struct hop_side *side)
{
    bool is_sent = facts->record.kind == RECORD_SENT;
    const char *other = is_sent ? facts->record.to : facts->record.from;
    OWN(buffer) proof = {0};
    uint8_t bytes[LEAF_SIZE];
    struct journal_entry entry;
    struct leaf leaf;
    struct bytes stored;
    enum rc rc = evidence_get(txn, facts->index, bytes, &proof);

    if (rc == RC_OK) {
        TRY(leaf_decode(BYTES_OF(bytes), &leaf));
    } else {
        rc = rc != RC_NOT_FOUND
                 ? rc
                 : journal_find(txn, is_sent ? JOURNAL_RECEIVED : JOURNAL_SENT,
                                &facts->record.message_id, facts->record.from, &entry);
        if (rc != RC_OK) {
            return rc == RC_NOT_FOUND ? RC_OK : rc;
        }
        TRY(auditlog_leaf(txn, entry.index, &stored));
        TRY(leaf_decode(stored, &leaf));
    }
    *side = (struct hop_side){.node = node_of(tracing, other),
                              .leaf = leaf.index,
                              .time_ms = (int64_t)leaf.time_s * 1000};
    return RC_OK;
}

static void set_state(struct tracing *tracing, struct txn *txn, const struct facts *facts,
                      struct hop *hop)
{
    const struct waiting_item *item = waiting_at(&tracing->waiting, facts->index);
    struct desk *desk = tracing->watching->node->desk;
    struct journal_entry entry;

    hop->state = HOP_SETTLED;
    if (item == NULL) {
        if (facts->record.kind == RECORD_SENT &&
            journal_find(txn, JOURNAL_SENT, &hop->message_id, facts->record.from, &entry) ==
                RC_OK &&
            (entry.flags & JOURNAL_REFUSED) != 0) {
            hop->state = HOP_PEER_REFUSED;
        }
        return;
    }
    hop->since_ms = item->time_ms;
    if (item->is_forward) {
        hop->state = item->unreached_ms != 0 ? HOP_PEER_UNREACHABLE : HOP_PEER_WAITS;
        hop->since_ms = item->unreached_ms != 0 ? item->unreached_ms : item->time_ms;
    } else if (desk_is_out(desk, item->index)) {
        hop->state = HOP_WITH_SYSTEM;
    } else {
        hop->state = tracing->waiting.has_system ? HOP_SYSTEM_WAITS : HOP_NO_SYSTEM;
    }
}

static enum rc trace_leaf(struct tracing *tracing, struct txn *txn, uint64_t index)
{
    struct watching *watching = tracing->watching;
    struct hop *hop = &tracing->trace.hops[tracing->trace.count];
    struct hop_side own;
    struct facts facts;

    arena_reset(watching->scratch);
    TRY(facts_read(txn, index, watching->scratch, &facts));
    if (!facts.has_record ||
        (facts.record.kind != RECORD_SENT && facts.record.kind != RECORD_RECEIVED)) {
        return RC_OK;
    }
    if (facts.record.kind == RECORD_RECEIVED && strcmp(facts.record.from, facts.record.to) == 0) {
        return RC_OK; /* between two systems of one member: shown once */
    }
    own = (struct hop_side){.node = watching->node->self->code,
                            .leaf = index,
                            .time_ms = (int64_t)facts.leaf.time_s * 1000};
    *hop = (struct hop){.message_id = facts.record.message_id,
                        .type = facts.record.type,
                        .event = facts.record.event,
                        .item = facts.record.item,
                        .occurrence = facts.record.occurrence,
                        .from = kept(tracing, facts.record.from),
                        .to = kept(tracing, facts.record.to),
                        .official = kept(tracing, facts.record.official)};
    if (facts.record.kind == RECORD_SENT) {
        hop->sent = own;
        TRY(read_other(tracing, txn, &facts, &hop->received));
    } else {
        hop->received = own;
        TRY(read_other(tracing, txn, &facts, &hop->sent));
    }
    set_state(tracing, txn, &facts, hop);
    tracing->trace.count++;
    return RC_OK;
}

/* ---- all of them ---- */

/* The newest stay when there are more than are shown. */
static void take_leaves(struct tracing *tracing, const uint64_t *found, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tracing->leaf_count == WATCH_HOPS_MAX) {
            memmove(tracing->leaves, tracing->leaves + 1,
                    (WATCH_HOPS_MAX - 1) * sizeof tracing->leaves[0]);
            tracing->leaf_count--;
            tracing->trace.omitted++;
        }
        tracing->leaves[tracing->leaf_count++] = found[i];
    }
}

static enum rc find_leaves(struct tracing *tracing)
{
    struct watching *watching = tracing->watching;
    const struct finder_question question = {.member = "",
                                             .route = "",
                                             .exchange_id = watching->request.exchange_id,
                                             .only_of = watching->member};
    struct commit_point *point = writer_latest(watching->node->writer);
    uint64_t size = commit_point_size(point);
    struct finder_place place = {0};
    uint64_t found[WATCH_PAGE_MAX];

    commit_point_release(point);
    while (place.next < size) {
        size_t count = 0;

        TRY(finder_find(watching->node, &question, size, WATCH_PAGE_MAX, watching->scratch, found,
                        &count, &place));
        take_leaves(tracing, found, count);
    }
    return RC_OK;
}

static enum rc trace_all(struct tracing *tracing)
{
    struct watching *watching = tracing->watching;
    OWN_READ(txn) = NULL;

    TRY(txn_read(watching->node->db, &txn));
    TRY(exchange_get(txn, &watching->request.exchange_id, watching->member, &tracing->exchange));
    TRY(waiting_read(watching->node, txn, watching->member, watching->arena, watching->scratch,
                     &tracing->waiting));
    for (size_t i = 0; i < tracing->leaf_count; i++) {
        TRY(trace_leaf(tracing, txn, tracing->leaves[i]));
    }
    summary_fill(watching->node, &tracing->exchange, &tracing->waiting, tracing->trace.now_ms,
                 &tracing->trace.summary);
    return RC_OK;
}

static enum rc is_theirs(struct watching *watching, struct exchange *exchange)
{
    OWN_READ(txn) = NULL;

    TRY(txn_read(watching->node->db, &txn));
    return exchange_get(txn, &watching->request.exchange_id, watching->member, exchange);
}

static enum rc look(struct watching *watching)
{
    struct tracing *tracing = arena_alloc(watching->arena, sizeof *tracing);
    struct hop *hops = arena_alloc(watching->arena, WATCH_HOPS_MAX * sizeof *hops);

    if (tracing == NULL || hops == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    tracing->watching = watching;
    tracing->trace.hops = hops;
    tracing->trace.now_ms = clock_doubt_now_ms(watching->node);
    TRY(is_theirs(watching, &tracing->exchange));
    TRY(find_leaves(tracing));
    TRY(trace_all(tracing));
    TRY(watching_count(watching, tracing->trace.count));
    codec_trace_write(&tracing->trace, watching->arena, &watching->response);
    return RC_OK;
}

void trace_on_call(struct rpc_service *service, struct call *call)
{
    struct watching *watching = watching_begin((struct node *)service, call);

    if (watching == NULL) {
        return;
    }
    if (codec_id_request_read(call_request(call), &watching->request.exchange_id,
                              &watching->fault) != RC_OK) {
        watching_refuse(watching, RC_UNAVAILABLE);
        return;
    }
    watching_ask(watching, look);
}
