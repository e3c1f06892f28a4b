#include "relay/attached.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "relay/backlog.h"
#include "relay/budget.h"
#include "relay/clock_doubt.h"
#include "relay/delivery.h"
#include "relay/desk.h"
#include "relay/held.h"
#include "relay/leases.h"
#include "relay/node.h"
#include "relay/reading_rate.h"
#include "relay/receipts.h"
#include "relay/submit.h"
#include "relay/who.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/journal.h"
#include "store/outbox.h"
#include "store/writer.h"

#define WINDOW_MAX 256
#define SUBMISSIONS_MAX 256
#define SCAN_MAX 32
#define JOB_ARENA_MAX ((size_t)16 << 20)
#define QUEUES 2 /* the member's, and the system's own */

struct queue {
    char destination[DESK_DESTINATION_SIZE];
    uint64_t cursor;
};

struct in_flight {
    struct id message_id;
    uint64_t index;
    unsigned queue;
    bool wants_custody; /* only an act of custody settles it */
};

/* What another thread hands to the stream: "look again", a settled acknowledgement, a job. */
enum errand_kind { ERRAND_WAKE, ERRAND_ACKNOWLEDGED, ERRAND_SUBMITTED };

struct errand {
    struct stream_item item; /* first */
    enum errand_kind kind;
};

/* An acknowledgement on its way to the writer. */
struct ack {
    struct write write; /* first: the writer's */
    struct errand errand;
    struct node *node;
    struct stream *stream;
    bool is_settled;
    bool is_expired; /* nobody acknowledged it: its time was over before it was delivered */
    struct in_flight what;
    char destination[DESK_DESTINATION_SIZE];
    enum urgency urgency;
};

/* A submission that came over this stream. */
struct lodged {
    struct errand errand; /* first */
    struct submit_job *job;
};

struct attached {
    struct stream_user user; /* first */
    struct desk *desk;
    struct node *node;
    struct budget_hold hold;
    size_t request_size; /* of the message at hand */
    struct identity identity;
    struct desk_seat seat;
    uint32_t window;
    struct queue queues[QUEUES];
    struct in_flight in_flight[WINDOW_MAX];
    size_t in_flight_count;
    unsigned submissions; /* under way, and acknowledgements */
    bool wants_read;
    bool is_ended;
    struct errand wake;
    struct auditlog_reader *reader;
};

static enum rc apply_ack(struct write *write, struct txn *txn);
static void ack_done(struct write *write);

/* Applied again it finds what it must, and nothing else is kept of the first time. */
static void forget_ack(struct write *write)
{
    ((struct ack *)write)->is_settled = false;
}

static const struct write_ops ack_ops = {
    .name = "acknowledge", .apply = apply_ack, .again = forget_ack, .done = ack_done};

/* ---- deliveries out ---- */

/* A consultation whose session is over asks nothing any more (relay/life has told both sides). */
static bool is_over(const struct attached *attached, const struct header *header)
{
    return header->type == MESSAGE_CONSULTATION &&
           header->expires_at_ms <= clock_doubt_now_ms(attached->node);
}

/* RC_DEADLINE_EXCEEDED: it is too late for it. */
static enum rc deliver(struct attached *attached, struct txn *txn, unsigned queue,
                       const struct outbox_entry *debt)
{
    uint64_t index = debt->index;
    bool was_given = (debt->flags & OUTBOX_GIVEN) != 0 || desk_was_given(attached->desk, index);
    OWN_PTR(arena) arena = arena_new(JOB_ARENA_MAX);
    OWN(buffer) bytes = {0};
    struct in_flight *slot = &attached->in_flight[attached->in_flight_count];
    struct held *held = arena != NULL ? arena_alloc(arena, sizeof *held) : NULL;

    if (held == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(reading_rate_exchange(attached->node->reading_rate, &attached->identity, clock_now_ms(),
                              NULL));
    TRY(delivery_write(attached->node, attached->reader, txn, debt, was_given, arena, held,
                       &bytes));
    if (is_over(attached, &held->message.header)) {
        return RC_DEADLINE_EXCEEDED;
    }
    TRY(stream_send(attached->user.stream, buffer_bytes(&bytes)));
    slot->message_id = held->message.header.message_id;
    slot->index = index;
    slot->queue = queue;
    slot->wants_custody =
        message_wants_custody(held->message.header.type) && (debt->flags & OUTBOX_SETTLED) == 0;
    attached->in_flight_count++;
    return RC_OK;
}

static enum rc settle(struct attached *attached, const struct in_flight *what, bool is_expired,
                      struct fault *fault);

/* Not settled now, it is found again by the next stream. */
static void drop_expired(struct attached *attached, unsigned queue, uint64_t index)
{
    const struct in_flight what = {.index = index, .queue = queue};
    struct fault fault = {0};

    if (settle(attached, &what, true, &fault) != RC_OK) {
        leases_return(desk_leases(attached->desk), index);
    }
}

/* The scan may be older than an acknowledgement that ended the lease before ours. */
static bool is_still_owed(struct attached *attached, const struct queue *queue, uint64_t index)
{
    struct outbox_entry debt;
    OWN_READ(txn) = NULL;

    return txn_read(attached->node->db, &txn) == RC_OK &&
           outbox_find(txn, queue->destination, attached->seat.urgency, index, &debt) == RC_OK;
}

/* False when the stream must wait or the queue is empty. */
static bool deliver_some(struct attached *attached, struct txn *txn, unsigned number)
{
    struct queue *queue = &attached->queues[number];
    struct outbox_entry debts[SCAN_MAX];
    size_t count = 0;

    if (outbox_scan(txn, queue->destination, attached->seat.urgency, queue->cursor, debts, SCAN_MAX,
                    &count) != RC_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enum rc rc;

        if (attached->in_flight_count >= attached->window ||
            stream_room(attached->user.stream) < SUBMISSIONS_MAX) {
            return false;
        }
        switch (leases_take(desk_leases(attached->desk), debts[i].index)) {
        case LEASE_FULL:
            return false; /* the cursor stays: it is asked again when some are settled */
        case LEASE_OTHERS:
            queue->cursor = debts[i].index;
            continue;
        case LEASE_TAKEN:
            queue->cursor = debts[i].index;
            break;
        }
        if (!is_still_owed(attached, queue, debts[i].index)) {
            leases_end(desk_leases(attached->desk), debts[i].index);
            continue;
        }
        rc = deliver(attached, txn, number, &debts[i]);
        if (rc == RC_NOT_FOUND || rc == RC_DATA_LOSS) {
            log_error("deliver.parked", "leaf=%llu rc=%s", (unsigned long long)debts[i].index,
                      rc_name(rc));
        } else if (rc == RC_DEADLINE_EXCEEDED) {
            drop_expired(attached, number, debts[i].index);
        } else if (rc != RC_OK) {
            leases_return(desk_leases(attached->desk), debts[i].index);
            stream_cancel(attached->user.stream);
            return false;
        }
    }
    return count == SCAN_MAX;
}

/* Deliveries whose debt was paid by another way (custody by a call of its own) leave the window. */
static void sweep(struct attached *attached, struct txn *txn)
{
    for (size_t i = attached->in_flight_count; i > 0; i--) {
        struct in_flight *slot = &attached->in_flight[i - 1];
        struct outbox_entry debt;

        if (outbox_find(txn, attached->queues[slot->queue].destination, attached->seat.urgency,
                        slot->index, &debt) == RC_NOT_FOUND) {
            leases_end(desk_leases(attached->desk), slot->index);
            *slot = attached->in_flight[--attached->in_flight_count];
        }
    }
}

/* Before anything is handed out: is it still in force? A silent stream is asked, too. */
static bool is_welcome(struct attached *attached)
{
    struct fault fault = {0};

    if (who_is_member(attached->node, stream_peer(attached->user.stream), &attached->identity,
                      &fault) == RC_OK) {
        return true;
    }
    stream_finish(attached->user.stream, &fault);
    return false;
}

static void pump(struct attached *attached)
{
    OWN_READ(txn) = NULL;

    if (!attached->seat.is_taken || stream_is_over(attached->user.stream) ||
        !is_welcome(attached) || txn_read(attached->node->db, &txn) != RC_OK) {
        return;
    }
    if (atomic_exchange(&attached->seat.must_rewind, false)) {
        for (unsigned i = 0; i < QUEUES; i++) {
            attached->queues[i].cursor = OUTBOX_START;
        }
    }
    if (attached->in_flight_count >= attached->window) {
        sweep(attached, txn);
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        while (deliver_some(attached, txn, i)) {
        }
    }
}

/* ---- what the system says ---- */

static void send_response(struct attached *attached, const struct attach_response *response)
{
    OWN(buffer) bytes = {0};

    codec_attach_response_write(response, &bytes);
    if (!stream_is_over(attached->user.stream) &&
        (bytes.is_failed || stream_send(attached->user.stream, buffer_bytes(&bytes)) != RC_OK)) {
        stream_cancel(attached->user.stream);
    }
}

static enum rc apply_ack(struct write *write, struct txn *txn)
{
    struct ack *ack = (struct ack *)write;
    enum rc rc = outbox_settle(txn, ack->destination, ack->urgency, ack->what.index);

    ack->is_settled = rc == RC_OK;
    return rc == RC_NOT_FOUND ? RC_OK : rc; /* paid before */
}

static void ack_done(struct write *write)
{
    struct ack *ack = (struct ack *)write;
    struct stream *stream = ack->stream;

    if (write->rc == RC_OK && ack->is_settled) {
        backlog_count(ack->node->backlog, ack->destination, -1);
    }
    stream_resume(stream, &ack->errand.item);
    stream_release(stream);
}

static size_t find_in_flight(const struct attached *attached, const struct id *id)
{
    size_t i = 0;

    while (i < attached->in_flight_count && !id_equal(&attached->in_flight[i].message_id, id)) {
        i++;
    }
    return i;
}

/* Data left this node: somebody must say in the log that they have it. */
static void refuse_acknowledgement(struct attached *attached, const struct id *id)
{
    struct attach_response response = {.kind = ANSWER_RESULT, .result = {.message_id = *id}};

    refuse(&response.result.fault, RC_FAILED_PRECONDITION, "attach.custody_needed",
           "acknowledgement.message_id",
           "Una solicitud no se acusa: tome custodia con un acto (EVENT_CUSTODY).");
    send_response(attached, &response);
}

static enum rc settle(struct attached *attached, const struct in_flight *what, bool is_expired,
                      struct fault *fault)
{
    struct ack *ack = calloc(1, sizeof *ack);

    if (ack == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "Reintente.");
    }
    ack->write.ops = &ack_ops;
    ack->errand.kind = ERRAND_ACKNOWLEDGED;
    ack->node = attached->node;
    ack->stream = attached->user.stream;
    ack->what = *what;
    ack->is_expired = is_expired;
    ack->urgency = attached->seat.urgency;
    ack->write.is_urgent = ack->urgency == URGENCY_URGENT;
    snprintf(ack->destination, sizeof ack->destination, "%s",
             attached->queues[what->queue].destination);
    stream_hold(ack->stream);
    if (writer_submit(attached->node->writer, &ack->write) != RC_OK) {
        stream_release(ack->stream);
        free(ack);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "Reintente.");
    }
    attached->submissions++;
    return RC_OK;
}

static enum rc acknowledge(struct attached *attached, const struct id *id, struct fault *fault)
{
    size_t at = find_in_flight(attached, id);

    if (at == attached->in_flight_count) {
        struct attach_response settled = {.kind = ANSWER_SETTLED, .settled = *id};

        send_response(attached, &settled); /* settled before: saying it twice is harmless */
        return RC_OK;
    }
    if (attached->in_flight[at].wants_custody) {
        refuse_acknowledgement(attached, id);
        return RC_OK;
    }
    return settle(attached, &attached->in_flight[at], false, fault);
}

static void forget_in_flight(struct attached *attached, const struct id *id)
{
    size_t at = find_in_flight(attached, id);

    if (at < attached->in_flight_count) {
        leases_end(desk_leases(attached->desk), attached->in_flight[at].index);
        attached->in_flight[at] = attached->in_flight[--attached->in_flight_count];
    }
}

static void acknowledged(struct attached *attached, struct ack *ack)
{
    struct attach_response settled = {.kind = ANSWER_SETTLED, .settled = ack->what.message_id};

    if (ack->is_expired) {
        leases_end(desk_leases(attached->desk), ack->what.index);
        log_info("deliver.expired", "leaf=%llu rc=%s", (unsigned long long)ack->what.index,
                 rc_name(ack->write.rc));
    } else if (ack->write.rc == RC_OK) {
        forget_in_flight(attached, &ack->what.message_id);
        send_response(attached, &settled);
    } else {
        stream_cancel(attached->user.stream); /* it will be delivered again */
    }
    commit_point_release(ack->write.point);
    free(ack);
    attached->submissions--;
}

static void lodged_settled(struct submit_job *job)
{
    struct lodged *lodged = job->lodged;
    struct stream *stream = job->stream;

    stream_resume(stream, &lodged->errand.item);
    stream_release(stream);
}

static void answer_lodged(struct attached *attached, struct lodged *lodged)
{
    struct submit_job *job = lodged->job;
    struct arena *arena = job->arena;
    struct attach_response response = {.kind = ANSWER_RESULT};
    const struct header *header = &job->submission->message.header;
    OWN(buffer) scratch = {0};
    struct receipt_span span;

    submit_result(job, &scratch, &response.result, &span);
    submit_result_bind(&scratch, &span, &response.result);
    if (response.result.fault.rc == RC_OK && header->type == MESSAGE_ACT &&
        header->event == EVENT_CUSTODY) {
        forget_in_flight(attached, &header->regards);
    }
    send_response(attached, &response);
    budget_drop_bytes(&attached->hold, job->weight);
    submit_release(job);
    arena_free(arena);
    attached->submissions--;
}

/* The arena holds the request, the decoded submission and the job; it lives until the answer. */
static enum rc lodge(struct attached *attached, struct arena **arena, struct submission *submission,
                     struct fault *fault)
{
    struct submit_job *job = submit_new(attached->node, *arena, &attached->identity);
    struct lodged *lodged = arena_alloc(*arena, sizeof *lodged);

    if (job == NULL || lodged == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "message.too_large", "",
                      "El mensaje es muy grande.");
    }
    *arena = NULL; /* the job's from here on */
    lodged->errand.kind = ERRAND_SUBMITTED;
    lodged->job = job;
    job->lodged = lodged;
    job->stream = attached->user.stream;
    job->on_settled = lodged_settled;
    attached->submissions++;
    job->weight = budget_weight(attached->request_size);
    budget_add_bytes(&attached->hold, job->weight);
    stream_hold(job->stream);
    if (submit_begin_decoded(job, submission) != RC_OK) {
        stream_release(job->stream);
        answer_lodged(attached, lodged);
    }
    return RC_OK;
}

/* ---- the stream ---- */

static enum rc take_hello(struct attached *attached, const struct attach_request *request,
                          struct fault *fault)
{
    const struct identity *identity = &attached->identity;

    if (request->kind != ATTACH_HELLO || request->window == 0 || request->window > WINDOW_MAX ||
        request->urgency == URGENCY_NONE) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attach.hello", "hello",
                      "Primero va el saludo, con urgencia y una ventana de 1 a 256.");
    }
    attached->seat.urgency = request->urgency;
    attached->window = request->window;
    snprintf(attached->queues[0].destination, DESK_DESTINATION_SIZE, "member:%s", identity->member);
    snprintf(attached->queues[1].destination, DESK_DESTINATION_SIZE, "system:%s/%s",
             identity->member, identity->name);
    for (unsigned i = 0; i < QUEUES; i++) {
        attached->queues[i].cursor = OUTBOX_START;
    }
    snprintf(attached->seat.member, sizeof attached->seat.member, "%s", identity->member);
    desk_sit(attached->desk, &attached->seat, attached->user.stream);
    log_info("system.attached", "identity=%s urgency=%d window=%u", identity->uri,
             attached->seat.urgency, attached->window);
    pump(attached);
    return RC_OK;
}

static enum rc take_request(struct attached *attached, struct arena **arena,
                            const struct attach_request *request, struct fault *fault)
{
    if (!attached->seat.is_taken) {
        return take_hello(attached, request, fault);
    }
    switch (request->kind) {
    case ATTACH_ACKNOWLEDGEMENT:
        return acknowledge(attached, &request->message_id, fault);
    case ATTACH_SUBMISSION:
        return lodge(attached, arena, request->submission, fault);
    default:
        return refuse(fault, RC_INVALID_ARGUMENT, "attach.order", "",
                      "Después del saludo van acuses y mensajes.");
    }
}

static enum rc take_message(struct attached *attached, struct bytes message, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(JOB_ARENA_MAX);
    struct attach_request *request;
    struct bytes copy;

    TRY(who_is_member(attached->node, stream_peer(attached->user.stream), &attached->identity,
                      fault));
    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "Reintente.");
    }
    copy = arena_copy(arena, message);
    request = arena_alloc(arena, sizeof *request);
    if (copy.data == NULL || request == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "message.too_large", "",
                      "El mensaje es muy grande.");
    }
    attached->request_size = message.size;
    TRY(codec_attach_request_read(copy, arena, request, fault));
    return take_request(attached, &arena, request, fault);
}

static void read_on(struct attached *attached)
{
    attached->wants_read = attached->submissions >= SUBMISSIONS_MAX ||
                           stream_room(attached->user.stream) < SUBMISSIONS_MAX ||
                           !budget_has_room(&attached->hold);
    if (!attached->wants_read) {
        stream_read(attached->user.stream);
    }
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct attached *attached = (struct attached *)user;
    struct fault fault = {0};
    enum rc rc = take_message(attached, message, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        log_info("attach.refused", "identity=%s reason=%s path=%s", attached->identity.uri,
                 fault.reason, fault.path);
        stream_finish(user->stream, &fault);
        return;
    }
    read_on(attached);
}

static void finish_if_done(struct attached *attached)
{
    if (attached->is_ended && attached->submissions == 0 &&
        !stream_is_over(attached->user.stream)) {
        stream_finish(attached->user.stream, NULL);
    }
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct attached *attached = (struct attached *)user;

    while (items != NULL) {
        struct errand *errand = (struct errand *)items;

        items = items->next;
        if (errand->kind == ERRAND_ACKNOWLEDGED) {
            acknowledged(attached, (struct ack *)((char *)errand - offsetof(struct ack, errand)));
        } else if (errand->kind == ERRAND_SUBMITTED) {
            answer_lodged(attached, (struct lodged *)errand);
        } else {
            atomic_store(&attached->seat.is_waking, false);
        }
    }
    pump(attached);
    if (attached->wants_read && !stream_is_over(user->stream)) {
        read_on(attached);
    }
    finish_if_done(attached);
}

static void on_drained(struct stream_user *user)
{
    struct attached *attached = (struct attached *)user;

    pump(attached);
    if (attached->wants_read && !stream_is_over(user->stream)) {
        read_on(attached);
    }
}

static void on_end(struct stream_user *user)
{
    struct attached *attached = (struct attached *)user;

    attached->is_ended = true;
    finish_if_done(attached);
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    struct attached *attached = (struct attached *)user;
    bool had_some = attached->in_flight_count > 0;

    log_debug("system.detached", "identity=%s reason=%s", attached->identity.uri, fault->reason);
    for (size_t i = 0; i < attached->in_flight_count; i++) {
        leases_return(desk_leases(attached->desk), attached->in_flight[i].index);
    }
    attached->in_flight_count = 0;
    desk_leave(attached->desk, &attached->seat);
    if (had_some) {
        desk_returned(attached->desk, attached->seat.member, attached->seat.urgency);
    }
}

static void on_free(struct stream_user *user)
{
    struct attached *attached = (struct attached *)user;

    auditlog_reader_free(attached->reader);
    budget_leave(&attached->hold);
    free(attached);
}

static const struct stream_events attached_events = {
    .on_message = on_message,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

/* Deliveries go to systems, which answer for what they take; officials look through them. */
static enum rc check_system(const struct identity *identity, struct fault *fault)
{
    if (identity->kind == IDENTITY_SYSTEM) {
        return RC_OK;
    }
    log_warn("identity.refused", "uri=%s check=system", identity->uri);
    return refuse(fault, RC_PERMISSION_DENIED, "identity.not_allowed", "",
                  "Sólo los sistemas de su institución reciben mensajes.");
}

void attached_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct identity identity;
    struct attached *attached;
    struct fault fault = {0};

    if (who_is_member(node, stream_peer(stream), &identity, &fault) != RC_OK ||
        check_system(&identity, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    attached = calloc(1, sizeof *attached);
    if (attached != NULL) {
        attached->reader = auditlog_reader_new();
    }
    if (attached == NULL || attached->reader == NULL) {
        free(attached);
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_refuse(stream, &fault);
        return;
    }
    if (budget_enter(node->budget, identity.uri, BUDGET_ATTACH, &attached->hold, &fault) != RC_OK) {
        auditlog_reader_free(attached->reader);
        free(attached);
        stream_refuse(stream, &fault);
        return;
    }
    attached->user.events = &attached_events;
    attached->desk = node->desk;
    attached->node = node;
    attached->identity = identity;
    attached->wake.kind = ERRAND_WAKE;
    attached->seat.wake = &attached->wake.item;
    stream_accept(stream, &attached->user);
    stream_read(stream);
}
