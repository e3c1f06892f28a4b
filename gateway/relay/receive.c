#include "relay/receive.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/arrival.h"
#include "relay/budget.h"
#include "relay/chain.h"
#include "relay/clock_doubt.h"
#include "relay/epochs.h"
#include "relay/gather.h"
#include "relay/lineage.h"
#include "relay/inforce.h"
#include "relay/lawfetch.h"
#include "relay/node.h"
#include "relay/receive_parts.h"
#include "relay/room.h"
#include "relay/refusals.h"
#include "policy/member.h"
#include "policy/validate.h"
#include "relay/who.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/anchor.h"
#include "store/auditlog.h"
#include "store/db.h"
#include "store/evidence.h"
#include "store/seen.h"
#include "store/writer.h"
#include "tlog/leaf.h"

#define PARCELS_UNDER_WAY 4
/* Leaf and path of one answer, about. */
#define ANSWER_ROOM ((size_t)1024)
#define INTAKE_ARENA_MAX ((size_t)96 << 20)

static enum rc apply_intake(struct write *write, struct txn *txn);
static void forget_intake(struct write *write);
static void intake_done(struct write *write);

static const struct write_ops intake_ops = {
    .name = "receive", .apply = apply_intake, .again = forget_intake, .done = intake_done};

/* ---- before the writer ---- */

static enum rc refuse_stranger(struct intake_entry *entry)
{
    return refuse(&entry->arrival.fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                  "El mensaje llegó por un nodo que no le corresponde según el directorio.");
}

/* A peer speaks for the members it hosts, to members that we host, and for nobody else. */
static enum rc check_parties(const struct intake *intake, struct intake_entry *entry)
{
    const struct header *header = &entry->arrival.message->header;
    const struct directory *directory = intake->edition->directory;
    int32_t today = clock_local_day(clock_now_ms());

    if (!node_is(node_of_member(directory, header->from, today), intake->peer) ||
        !node_is(node_of_member(directory, header->to, today), intake->node->self)) {
        return refuse_stranger(entry);
    }
    if ((header->urgency == URGENCY_URGENT) != intake->write.is_urgent) {
        return refuse(&entry->arrival.fault, RC_INVALID_ARGUMENT, "peer.urgency", "header.urgency",
                      "El mensaje llegó por la conexión de otra urgencia.");
    }
    return RC_OK;
}

/*
 * When the sender's log took it, as its proven leaf says: a message that waited for us is judged by
 * that day. A peer whose clock runs ahead gains five minutes at most.
 */
static int64_t leaf_instant(const struct node *node, const char *origin, struct bytes leaf_bytes)
{
    int64_t latest_ms = clock_doubt_now_ms(node) + VALIDATE_ID_FUTURE_MS;
    struct leaf leaf;

    if (leaf_decode(leaf_bytes, &leaf) != RC_OK) {
        return latest_ms;
    }
    clock_doubt_hear(node, origin, leaf.time_s);
    if (leaf.time_s > (uint64_t)latest_ms / 1000) {
        return latest_ms;
    }
    return (int64_t)leaf.time_s * 1000;
}

static enum rc prepare_entry(struct intake *intake, struct intake_entry *entry,
                             const struct parcel_entry *from)
{
    struct arrival *arrival = &entry->arrival;

    arrival->message = from->message;
    arrival->directory = intake->edition->directory;
    entry->leaf = from->leaf;
    if (!intake->write.is_urgent) {
        TRY(room_admit(intake->node->room, &arrival->fault));
        TRY(gather_admit(intake->node->gather, &arrival->fault));
    }
    TRY(entry_commitment(from->message, arrival->entry.commitment));
    TRY(chain_check_leaf(&intake->gate->chain, from->leaf, &from->path, arrival->entry.commitment,
                         &entry->proof, &arrival->fault));
    TRY(check_parties(intake, entry));
    arrival->as_of_ms = leaf_instant(intake->node, intake->peer->origin, from->leaf);
    if (!intake->write.is_urgent) {
        TRY(clock_doubt_admit(intake->node, &arrival->fault)); /* that leaf may have settled it */
    }
    return arrival_prepare(arrival, intake->node, intake->peer->uri);
}

static void prepare_entries(struct intake *intake)
{
    for (size_t i = 0; i < intake->parcel->entry_count; i++) {
        struct intake_entry *entry = &intake->entries[i];
        enum rc rc = prepare_entry(intake, entry, &intake->parcel->entries[i]);

        if (rc != RC_OK && entry->arrival.fault.rc == RC_OK) {
            refuse(&entry->arrival.fault, rc == RC_INVALID_ARGUMENT ? rc : RC_UNAVAILABLE,
                   "node.unavailable", "",
                   "El nodo receptor no pudo guardar el mensaje; se reintentará.");
        }
        entry->is_refused = entry->arrival.fault.rc != RC_OK;
        intake->write.bytes += entry->arrival.entry.body_row.size + 1024;
    }
}

static struct intake *intake_new(struct gate *gate, struct arena *arena, struct parcel *parcel)
{
    struct intake *intake = arena_alloc(arena, sizeof *intake);

    if (intake == NULL) {
        return NULL;
    }
    intake->entries = arena_alloc(arena, (parcel->entry_count + 1) * sizeof *intake->entries);
    if (intake->entries == NULL) {
        return NULL;
    }
    intake->write.ops = &intake_ops;
    intake->write.leaves = (unsigned)parcel->entry_count;
    intake->write.is_urgent = gate->urgency == URGENCY_URGENT;
    intake->node = gate->node;
    intake->arena = arena;
    intake->gate = gate;
    intake->stream = gate->user.stream;
    intake->peer = &gate->peer;
    intake->edition = inforce_take(gate->node->inforce);
    intake->parcel = parcel;
    return intake;
}

void receive_free(struct intake *intake)
{
    for (size_t i = 0; i < intake->parcel->entry_count; i++) {
        arrival_release(&intake->entries[i].arrival, intake->node);
    }
    commit_point_release(intake->write.point);
    inforce_leave(intake->edition);
    arena_free(intake->arena);
}

/* ---- on the writer ---- */

static enum rc put_refusal(const struct intake *intake, struct txn *txn,
                           const struct intake_entry *entry)
{
    const struct header *header = &entry->arrival.message->header;
    struct record record;
    uint64_t index;

    if (!refusal_is_policy(entry->arrival.fault.rc) ||
        !refusals_admit(intake->node->refusals, intake->peer->uri, clock_now_ms())) {
        return RC_OK;
    }
    record_init(&record, RECORD_REFUSED);
    record.message_id = header->message_id;
    record.from = member_code_is_valid(header->from) ? header->from : "";
    record.to = member_code_is_valid(header->to) ? header->to : "";
    record.hosted_by = intake->node->self->code;
    record.actor = intake->peer->uri;
    record.type = header->type;
    record.urgency = header->urgency;
    record.fields_withheld = entry->arrival.message->fields;
    record.directory_sha256 = BYTES(intake->edition->directory->sha256, HASH_SIZE);
    record.reason = entry->arrival.fault.reason;
    record.reason_path = entry->arrival.fault.path;
    return entry_put_record(intake->node, txn, &record, &index);
}

static enum rc put_evidence(const struct intake *intake, struct txn *txn,
                            const struct intake_entry *entry)
{
    struct evidence evidence = {
        .leaf = entry->leaf,
        .path = &entry->proof,
        .checkpoint = &intake->step.checkpoint,
        .note = intake->note,
    };

    return evidence_put(txn, entry->arrival.index, &evidence);
}

static enum rc apply_entry(const struct intake *intake, struct txn *txn, struct intake_entry *entry)
{
    struct arrival *arrival = &entry->arrival;
    struct exchange exchange;

    if (arrival->fault.rc == RC_OK) {
        enum rc rc = arrival_check(arrival, intake->node, txn, &exchange);

        if (rc != RC_OK && arrival->fault.rc == RC_OK) {
            return rc;
        }
    }
    if (arrival->fault.rc != RC_OK) {
        return put_refusal(intake, txn, entry);
    }
    if (arrival->is_duplicate) {
        return RC_OK;
    }
    TRY(arrival_put(arrival, intake->node, txn, &exchange));
    return put_evidence(intake, txn, entry);
}

static enum rc apply_intake(struct write *write, struct txn *txn)
{
    struct intake *intake = (struct intake *)write;

    TRY(evidence_check(txn, &intake->step.checkpoint));
    for (size_t i = 0; i < intake->parcel->entry_count; i++) {
        TRY(apply_entry(intake, txn, &intake->entries[i]));
    }
    return RC_OK;
}

static void forget_intake(struct write *write)
{
    struct intake *intake = (struct intake *)write;

    for (size_t i = 0; i < intake->parcel->entry_count; i++) {
        if (!intake->entries[i].is_refused) {
            arrival_again(&intake->entries[i].arrival);
        }
    }
}

static void hand_over(struct intake *intake)
{
    struct stream *stream = intake->stream;

    if (stream == NULL) {
        intake->on_back(intake);
        return;
    }
    stream_resume(stream, &intake->item);
    stream_release(stream);
}

static void on_anchored(struct anchor_write *write)
{
    hand_over((struct intake *)((char *)write - offsetof(struct intake, anchoring)));
}

/* With the anchor from there on, and then the stream's: no longer ours to touch. */
static void anchor_first(struct intake *intake)
{
    enum rc rc = intake->write.rc;

    if (rc == RC_OK) {
        intake->anchoring =
            (struct anchor_write){.point = intake->write.point, .done = on_anchored};
        rc = anchor_submit(intake->node->anchor, &intake->anchoring);
    }
    if (rc != RC_OK) {
        intake->write.rc = rc;
        hand_over(intake);
    }
}

static void intake_done(struct write *write)
{
    struct intake *intake = (struct intake *)write;

    for (size_t i = 0; write->rc == RC_OK && i < intake->parcel->entry_count; i++) {
        struct arrival *arrival = &intake->entries[i].arrival;

        if (arrival->fault.rc == RC_OK && !arrival->is_duplicate) {
            entry_remember(&arrival->entry, intake->node);
            arrival_announce(arrival, intake->node);
        }
    }
    anchor_first(intake);
}

/* ---- the answer ---- */

static enum rc answer_entry(struct intake *intake, struct auditlog_reader *reader, struct txn *txn,
                            const struct arrival *arrival, struct entry_answer *answer)
{
    uint64_t size = commit_point_size(intake->write.point);
    uint8_t bytes[LEAF_SIZE];
    struct bytes leaf;
    struct proof proof;

    answer->fault = arrival->fault;
    if (arrival->fault.rc != RC_OK) {
        return RC_OK;
    }
    if (arrival->is_duplicate) {
        TRY(auditlog_leaf(txn, arrival->index, &leaf));
    } else {
        leaf_encode(&arrival->entry.leaf, bytes);
        leaf = BYTES_OF(bytes);
    }
    answer->leaf = arena_copy(intake->arena, leaf);
    if (commit_point_proof(intake->write.point, arrival->index, &proof) != RC_OK) {
        TRY(auditlog_inclusion(reader, txn, arrival->index, size, &proof));
    }
    return chain_path(&proof, intake->arena, &answer->path);
}

enum rc receive_answer(struct intake *intake, struct buffer *bytes)
{
    struct gate *gate = intake->gate;
    size_t count = intake->parcel->entry_count;
    struct parcel_answer answer = {.sequence = intake->parcel->sequence, .answer_count = count};
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    answer.answers = arena_alloc(intake->arena, (count + 1) * sizeof *answer.answers);
    if (reader == NULL || answer.answers == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(intake->node->db, &txn));
    TRY(chain_progress(txn, reader, intake->write.point, gate->told_size, intake->arena,
                       &answer.progress));
    for (size_t i = 0; i < count; i++) {
        TRY(answer_entry(intake, reader, txn, &intake->entries[i].arrival, &answer.answers[i]));
    }
    buffer_reserve(bytes, (count + 1) * ANSWER_ROOM);
    codec_parcel_answer_write(&answer, bytes);
    return bytes->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void refuse_fork(struct stream *stream)
{
    struct fault fault = {0};

    refuse(&fault, RC_DATA_LOSS, "log.not_consistent", "progress",
           "La bitácora del otro nodo no concuerda con la última que vimos; avise a las dos áreas "
           "responsables antes de seguir.");
    stream_finish(stream, &fault);
}

static void send_answer(struct intake *intake)
{
    struct gate *gate = intake->gate;
    OWN(buffer) bytes = {0};

    if (stream_is_over(gate->user.stream)) {
        return;
    }
    if (intake->write.rc == RC_DATA_LOSS) {
        refuse_fork(gate->user.stream);
        return;
    }
    if (intake->write.rc != RC_OK || receive_answer(intake, &bytes) != RC_OK ||
        stream_send_buffer(gate->user.stream, &bytes) != RC_OK) {
        stream_cancel(gate->user.stream); /* the peer sends again, and we know it by id */
        return;
    }
    gate->told_size = commit_point_size(intake->write.point);
}

/* ---- the stream ---- */

/* A question that is out needs its answer read, whatever else the peer sends. */
static void read_on(struct gate *gate)
{
    gate->wants_read = (gate->under_way >= PARCELS_UNDER_WAY || !budget_has_room(&gate->hold)) &&
                       !lineage_is_asking(&gate->lineage);
    if (!gate->wants_read) {
        stream_read(gate->user.stream);
    }
}

static enum rc take_hello(struct gate *gate, const struct peer_hello *hello, struct fault *fault)
{
    struct node *node = gate->node;
    OWN(buffer) bytes = {0};
    OWN(buffer) note = {0};
    uint8_t sha256[HASH_SIZE];
    struct peer_hello answer = {
        .node = node->self->uri,
        .origin = node->self->origin,
        .urgency = hello->urgency,
        .directory_sha256 = BYTES_OF(sha256),
        .succession = node->succession_note,
    };

    inforce_digest(node->inforce, sha256);
    TRY(who_is_node(node, stream_peer(gate->user.stream), &gate->peer, fault));
    if (strcmp(hello->node, gate->peer.uri) != 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "peer.hello", "hello.node",
                      "El nodo que saluda no es el de su certificado.");
    }
    TRY(epochs_admit(node->epochs, &gate->peer, hello->origin, hello->succession, fault));
    if (chain_check_own(node, &gate->peer, hello, &gate->told_size) != RC_OK) {
        return refuse(fault, RC_DATA_LOSS, "log.older_than_witnessed", "hello.seen_size",
                      "La bitácora de este nodo no contiene la que ya vio el otro.");
    }
    TRY(chain_load(&gate->chain, node, &gate->peer, &note));
    gate->urgency = hello->urgency;
    answer.seen_size = gate->chain.last.size;
    answer.seen_checkpoint = buffer_bytes(&note);
    codec_hello_write(&answer, false, &bytes);
    gate->is_greeted = true;
    lawfetch_hint(node, gate->peer.code, hello->directory_sha256);
    return stream_send(gate->user.stream, buffer_bytes(&bytes));
}

static struct intake *intake_of(struct lineage_step *step)
{
    return (struct intake *)((char *)step - offsetof(struct intake, step));
}

static void on_doubt(struct lineage_step *step)
{
    struct intake *intake = intake_of(step);

    if (intake->stream == NULL) {
        intake->on_back(intake);
        return;
    }
    stream_resume(intake->stream, &intake->item);
}

static void on_passed(struct lineage_step *step)
{
    struct intake *intake = intake_of(step);
    enum rc rc = step->rc == RC_OK ? writer_submit(intake->node->writer, &intake->write) : step->rc;

    if (rc != RC_OK) {
        intake->write.rc = rc;
        intake_done(&intake->write);
    }
}

static enum rc take_parcel(struct gate *gate, struct arena **arena, struct parcel *parcel,
                           size_t size, struct fault *fault)
{
    struct node_entry peer;

    TRY(who_is_node(gate->node, stream_peer(gate->user.stream), &peer, fault));
    if (gate->under_way >= PARCELS_UNDER_WAY) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "peer.too_many", "parcel",
                      "Hay demasiados paquetes sin respuesta en esta conexión.");
    }
    return receive_parcel(gate, arena, parcel, size, NULL, NULL, fault);
}

enum rc receive_parcel(struct gate *gate, struct arena **arena, struct parcel *parcel, size_t size,
                       void (*on_back)(struct intake *intake), void *owner, struct fault *fault)
{
    struct checkpoint before = gate->chain.last;
    struct intake *intake;

    lawfetch_hint(gate->node, gate->peer.code, parcel->directory_sha256);
    TRY(chain_extend(&gate->chain, &parcel->progress, fault));
    intake = intake_new(gate, *arena, parcel);
    if (intake == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    *arena = NULL; /* the intake's from here on */
    intake->step.checkpoint = gate->chain.last;
    intake->step.on_doubt = on_doubt;
    intake->step.on_passed = on_passed;
    intake->note = parcel->progress.checkpoint;
    intake->weight = budget_weight(size);
    prepare_entries(intake);
    budget_add_bytes(&gate->hold, intake->weight);
    intake->on_back = on_back;
    intake->owner = owner;
    if (intake->stream != NULL) {
        stream_hold(intake->stream);
    }
    gate->under_way++;
    lineage_enter(&gate->lineage, &intake->step, &before, intake->note);
    return RC_OK;
}

static enum rc take_message(struct gate *gate, struct bytes message, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(INTAKE_ARENA_MAX);
    struct exchange_part part;
    struct bytes copy;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    copy = arena_copy(arena, message);
    if (copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_exchange_request_read(copy, arena, &part, fault));
    if (!gate->is_greeted && part.hello != NULL) {
        return take_hello(gate, part.hello, fault);
    }
    if (gate->is_greeted && part.question != NULL) {
        return lineage_prove(gate->node, part.question, gate->user.stream, false);
    }
    if (gate->is_greeted && part.proof != NULL) {
        return lineage_answer(&gate->lineage, part.proof);
    }
    if (!gate->is_greeted || part.parcel == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "peer.order", "",
                      "Primero va el saludo, y después los paquetes.");
    }
    return take_parcel(gate, &arena, part.parcel, message.size, fault);
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct gate *gate = (struct gate *)user;
    struct fault fault = {0};
    enum rc rc = take_message(gate, message, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        log_warn("peer.stream_refused", "identity=%s reason=%s path=%s",
                 gate->is_greeted ? gate->peer.uri : "-", fault.reason, fault.path);
        stream_finish(user->stream, &fault);
        return;
    }
    read_on(gate);
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct gate *gate = (struct gate *)user;

    while (items != NULL) {
        struct intake *intake = (struct intake *)((char *)items - offsetof(struct intake, item));

        items = items->next;
        if (lineage_is_doubted(&intake->step)) {
            lineage_ask(&intake->step, user->stream, false);
            continue;
        }
        gate->under_way--;
        budget_drop_bytes(&gate->hold, intake->weight);
        send_answer(intake);
        receive_free(intake);
    }
    if (gate->wants_read && !stream_is_over(user->stream)) {
        read_on(gate);
    }
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    struct gate *gate = (struct gate *)user;

    (void)fault;
    lineage_close(&gate->lineage);
}

static void on_free(struct stream_user *user)
{
    struct gate *gate = (struct gate *)user;

    lineage_release(&gate->lineage);
    budget_leave(&gate->hold);
    free(gate);
}

static const struct stream_events gate_events = {
    .on_message = on_message,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

void receive_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct node_entry peer;
    struct fault fault = {0};
    struct gate *gate;

    if (who_is_node(node, stream_peer(stream), &peer, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    gate = calloc(1, sizeof *gate);
    if (gate == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        stream_refuse(stream, &fault);
        return;
    }
    if (budget_enter(node->budget, peer.uri, BUDGET_PEER, &gate->hold, &fault) != RC_OK) {
        log_warn("peer.streams", "peer=%s most=%d", peer.code, BUDGET_PEER_MAX);
        free(gate);
        stream_refuse(stream, &fault);
        return;
    }
    gate->user.events = &gate_events;
    gate->node = node;
    lineage_init(&gate->lineage, node->seen);
    stream_accept(stream, &gate->user);
    stream_read(stream);
}
