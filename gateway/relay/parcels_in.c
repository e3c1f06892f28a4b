#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "relay/entry.h"
#include "relay/epochs.h"
#include "relay/forward.h"
#include "relay/held.h"
#include "relay/node.h"
#include "relay/parcel_file.h"
#include "relay/parcels_parts.h"
#include "relay/receive_parts.h"
#include "relay/settle.h"
#include "rpc/call.h"
#include "rpc/codec_parcel_file.h"
#include "rpc/codec_service.h"
#include "store/db.h"
#include "store/outbox.h"

#define BODY_ARENA_MAX ((size_t)96 << 20)
#define FILE_ARENA_MAX ((size_t)32 << 20)
#define SETTLE_ARENA_MAX ((size_t)4 << 20)

/* A file that comes in, from the call to its answer. On the call's queue thread, except between
 * handing over and call_resume. */
struct import_job {
    struct node *node;
    struct call *call;
    struct arena *arena; /* the opened file */
    struct parcel_import request;
    struct parcel_file file;
    struct peer_hello *hello;
    struct gate gate;           /* a parcel: who it came from; its peer is the answer's, too */
    struct intake *intake;      /* that is under way */
    struct settle_job *settled; /* an answer's */
    struct buffer answer;
    uint32_t accepted;
    uint32_t refused;
    bool must_repeat;
    struct fault fault;
};

static void import_free(struct import_job *job)
{
    if (job->intake != NULL) {
        receive_free(job->intake);
    }
    settle_free(job->settled);
    budget_leave(&job->gate.hold);
    lineage_release(&job->gate.lineage);
    buffer_release(&job->answer);
    arena_free(job->arena);
    free(job);
}

static void finish(struct import_job *job, enum rc rc)
{
    struct call *call = job->call;
    OWN(buffer) response = {0};
    struct parcel_imported imported = {.answer = buffer_bytes(&job->answer),
                                       .accepted = job->accepted,
                                       .refused = job->refused,
                                       .must_repeat = job->must_repeat,
                                       .from = job->gate.peer.code};

    codec_parcel_imported_write(&imported, &response);
    if (rc == RC_OK && !response.is_failed) {
        log_info("parcel.imported", "peer=%s is_answer=%d accepted=%u refused=%u repeat=%d",
                 job->gate.peer.code, job->file.is_answer, job->accepted, job->refused,
                 job->must_repeat);
        call_reply(call, buffer_bytes(&response));
    } else {
        refuse(&job->fault, RC_UNAVAILABLE, "node.unavailable", "",
               "El nodo no pudo guardar; reintente con el mismo archivo.");
        log_warn("parcel.refused", "reason=%s rc=%s", job->fault.reason, rc_name(rc));
        call_refuse(call, &job->fault);
    }
    import_free(job);
}

/* ---- a parcel ---- */

/* The answer's body is empty when nothing was taken: its hello says how far this node is. */
static enum rc write_answer(struct import_job *job, struct bytes body, struct bytes indices)
{
    struct parcel_file file = {.is_answer = true, .urgency = job->file.urgency};
    OWN(buffer) hello = {0};
    OWN(buffer) note = {0};
    struct chain chain;

    TRY(chain_load(&chain, job->node, &job->gate.peer, &note));
    TRY(parcels_hello(job->node, &chain, buffer_bytes(&note), file.urgency, false, &hello));
    memcpy(file.from, job->node->self->uri, sizeof file.from);
    memcpy(file.to, job->gate.peer.uri, sizeof file.to);
    file.hello = buffer_bytes(&hello);
    file.body = body;
    file.indices = indices;
    return parcel_file_write(job->node, &file, job->request.certificate, &job->answer, &job->fault);
}

static enum rc refuse_crossed(struct import_job *job)
{
    return refuse(&job->fault, RC_ABORTED, "parcel.crossed", "",
                  "El enlace con ese nodo está activo y se adelantó: no hace falta el archivo; si "
                  "vuelve a caer, pida que lo exporten otra vez.");
}

static enum rc answer_parcel(struct import_job *job)
{
    struct intake *intake = job->intake;
    OWN(buffer) body = {0};

    if (intake->write.rc != RC_OK) {
        return intake->write.rc == RC_ABORTED || intake->write.rc == RC_DATA_LOSS
                   ? refuse_crossed(job)
                   : intake->write.rc;
    }
    TRY(receive_answer(intake, &body));
    for (size_t i = 0; i < intake->parcel->entry_count; i++) {
        bool is_refused = intake->entries[i].arrival.fault.rc != RC_OK;

        job->accepted += !is_refused;
        job->refused += is_refused;
    }
    return write_answer(job, buffer_bytes(&body), job->file.indices);
}

static void look_at_intake(struct call *call)
{
    struct import_job *job = (struct import_job *)call_state(call);

    if (lineage_is_doubted(&job->intake->step)) {
        lineage_ask(&job->intake->step, NULL, false); /* nobody to ask: it comes back as failed */
        return;
    }
    finish(job, answer_parcel(job));
}

static void intake_back(struct intake *intake)
{
    struct import_job *job = intake->owner;

    job->intake = intake;
    call_resume(job->call, look_at_intake);
}

/* RC_OK: intake_back will come, or (is_over) the answer stands already. */
static enum rc take_parcel(struct import_job *job, bool *is_over)
{
    OWN_PTR(arena) arena = arena_new(BODY_ARENA_MAX);
    struct exchange_part part;
    OWN(buffer) note = {0};
    struct bytes copy;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    copy = arena_copy(arena, job->file.body);
    if (copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_exchange_request_read(copy, arena, &part, &job->fault));
    if (part.parcel == NULL || part.parcel->entry_count != job->file.indices.size / 8) {
        return refuse(&job->fault, RC_INVALID_ARGUMENT, "parcel.malformed", "",
                      "El archivo no lleva un paquete.");
    }
    TRY(budget_enter(job->node->budget, job->gate.peer.uri, BUDGET_CALL, &job->gate.hold,
                     &job->fault));
    TRY(chain_load(&job->gate.chain, job->node, &job->gate.peer, &note));
    if (part.parcel->progress.old_size != job->gate.chain.last.size) {
        *is_over = job->must_repeat = true;
        return write_answer(job, (struct bytes){0}, (struct bytes){0});
    }
    return receive_parcel(&job->gate, &arena, part.parcel, copy.size, intake_back, job,
                          &job->fault);
}

/* ---- an answer ---- */

static void look_at_settled(struct call *call)
{
    struct import_job *job = (struct import_job *)call_state(call);
    struct settle_job *settled = job->settled;

    if (lineage_is_doubted(&settled->step)) {
        lineage_ask(&settled->step, NULL, true);
        return;
    }
    for (size_t i = 0; i < settled->parcel.entry_count; i++) {
        job->accepted += settled->items[i].refusal.rc == RC_OK;
        job->refused += settled->items[i].refusal.rc != RC_OK;
    }
    finish(job, settled->write.rc == RC_OK ? RC_OK : refuse_crossed(job));
}

static void settled_back(struct settle_job *settled)
{
    struct import_job *job = settled->owner;

    call_resume(job->call, look_at_settled);
}

/* What was sent, read back: the answer is verified against it. */
static enum rc fill_items(struct import_job *job, struct txn *txn, bool *is_any_owed)
{
    struct settle_job *settled = job->settled;
    size_t count = job->file.indices.size / 8;
    char destination[FORWARD_DESTINATION_SIZE];

    if (count == 0 || count > PARCEL_ENTRIES_MAX) {
        return refuse(&job->fault, RC_INVALID_ARGUMENT, "parcel.malformed", "",
                      "El archivo no lleva una respuesta.");
    }
    forward_destination(job->gate.peer.code, destination);
    for (size_t i = 0; i < count; i++) {
        struct settle_item *item = &settled->items[i];
        struct held *held = arena_alloc(job->arena, sizeof *held);
        uint8_t commitment[HASH_SIZE];
        struct outbox_entry debt;

        item->index = get_u64(job->file.indices.data + 8 * i);
        *is_any_owed = *is_any_owed || outbox_find(txn, destination, job->file.urgency, item->index,
                                                   &debt) == RC_OK;
        if (held == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        if (held_load(job->node, txn, item->index, job->arena, held) != RC_OK ||
            entry_commitment(&held->message, commitment) != RC_OK) {
            return refuse(&job->fault, RC_NOT_FOUND, "parcel.unknown", "",
                          "La respuesta es de mensajes que este nodo no guarda.");
        }
        owed_fill(&item->owed, &held->message, commitment);
    }
    settled->parcel.entry_count = count;
    return RC_OK;
}

static enum rc take_answer(struct import_job *job, bool *is_over)
{
    struct exchange_part part;
    struct chain chain;
    bool is_any_owed = false;
    OWN(buffer) note = {0};
    OWN_READ(txn) = NULL;

    if (job->file.body.size == 0) {
        *is_over = job->must_repeat = true;
        return RC_OK;
    }
    TRY(codec_exchange_response_read(job->file.body, job->arena, &part, &job->fault));
    job->settled = settle_new(job->node, &job->gate.peer, job->file.urgency, SETTLE_ARENA_MAX);
    if (job->settled == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(job->node->db, &txn));
    TRY(fill_items(job, txn, &is_any_owed));
    txn_end(txn);
    txn = NULL;
    if (part.answer == NULL) {
        return refuse(&job->fault, RC_INVALID_ARGUMENT, "parcel.malformed", "",
                      "El archivo no lleva una respuesta.");
    }
    if (!is_any_owed) { /* imported before, or the link was faster */
        *is_over = true;
        job->accepted = (uint32_t)job->settled->parcel.entry_count;
        return RC_OK;
    }
    TRY(chain_load(&chain, job->node, &job->gate.peer, &note));
    if (part.answer->progress.old_size != chain.last.size) {
        return refuse(&job->fault, RC_ABORTED, "parcel.stale", "",
                      "Este nodo ya conoce más de esa bitácora que la respuesta: exporte otra vez "
                      "lo que se debe; el otro nodo reconoce lo que ya tiene.");
    }
    TRY(settle_verify(job->settled, part.answer, &chain));
    job->settled->owner = job;
    job->settled->on_settled = settled_back;
    settle_begin(job->settled, &job->gate.lineage);
    return RC_OK;
}

/* ---- a file ---- */

/* As when a stream begins: the log that speaks for the peer, and what it has seen of ours. */
static enum rc greet(struct import_job *job)
{
    struct exchange_part part;
    uint64_t seen = 0;
    struct gate *gate = &job->gate;

    if (job->file.is_answer) {
        TRY(codec_exchange_response_read(job->file.hello, job->arena, &part, &job->fault));
    } else {
        TRY(codec_exchange_request_read(job->file.hello, job->arena, &part, &job->fault));
    }
    if (part.hello == NULL || strcmp(part.hello->node, job->file.from) != 0) {
        return refuse(&job->fault, RC_INVALID_ARGUMENT, "parcel.malformed", "hello",
                      "El archivo no empieza como debe.");
    }
    TRY(epochs_admit(job->node->epochs, &gate->peer, part.hello->origin, part.hello->succession,
                     &job->fault));
    if (chain_check_own(job->node, &gate->peer, part.hello, &seen) != RC_OK) {
        return refuse(&job->fault, RC_DATA_LOSS, "log.older_than_witnessed", "hello.seen_size",
                      "La bitácora de este nodo no contiene la que ya vio el otro.");
    }
    parcels_heard(job->node->parcels, gate->peer.code, seen);
    gate->told_size = seen;
    gate->urgency = job->file.urgency;
    gate->is_greeted = true;
    return RC_OK;
}

static enum rc begin(struct import_job *job, bool *is_over)
{
    TRY(parcels_admit(job->node, job->call, &job->fault));
    TRY(codec_parcel_import_read(call_request(job->call), call_arena(job->call), &job->request,
                                 &job->fault));
    TRY(parcel_file_read(job->node, job->request.file, job->arena, &job->file, &job->gate.peer,
                         &job->fault));
    TRY(greet(job));
    return job->file.is_answer ? take_answer(job, is_over) : take_parcel(job, is_over);
}

void parcels_on_import(struct rpc_service *service, struct call *call)
{
    struct import_job *job = calloc(1, sizeof *job);
    struct fault fault = {0};
    bool is_over = false;
    enum rc rc;

    if (job == NULL || (job->arena = arena_new(FILE_ARENA_MAX)) == NULL) {
        free(job);
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
        return;
    }
    job->node = job->gate.node = (struct node *)service;
    job->call = call;
    lineage_init(&job->gate.lineage, job->node->seen);
    call_set_state(call, (struct call_state *)job);
    rc = begin(job, &is_over);
    if (rc != RC_OK || is_over) {
        finish(job, rc);
    }
}
