#include "relay/parcels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/directory_file.h"
#include "policy/member.h"
#include "relay/chain.h"
#include "relay/epochs.h"
#include "relay/forward.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/packing.h"
#include "relay/parcel_file.h"
#include "relay/parcels_parts.h"
#include "relay/settle.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/codec_parcel_file.h"
#include "rpc/codec_service.h"
#include "store/anchor.h"
#include "store/db.h"
#include "store/outbox.h"

#define SETTLE_ARENA_MAX ((size_t)16 << 20)

/* ---- what the peers have seen ---- */

struct told {
    char code[CODE_SIZE];
    uint64_t size;
};

struct parcels {
    pthread_mutex_t lock;
    struct told rows[DIRECTORY_NODES_MAX];
    size_t count;
};

struct parcels *parcels_new(void)
{
    struct parcels *parcels = calloc(1, sizeof *parcels);

    if (parcels != NULL) {
        pthread_mutex_init(&parcels->lock, NULL);
    }
    return parcels;
}

void parcels_free(struct parcels *parcels)
{
    if (parcels != NULL) {
        pthread_mutex_destroy(&parcels->lock);
        free(parcels);
    }
}

static struct told *row_of(struct parcels *parcels, const char *code)
{
    for (size_t i = 0; i < parcels->count; i++) {
        if (strcmp(parcels->rows[i].code, code) == 0) {
            return &parcels->rows[i];
        }
    }
    return NULL;
}

void parcels_heard(struct parcels *parcels, const char *code, uint64_t size)
{
    struct told *row;

    pthread_mutex_lock(&parcels->lock);
    row = row_of(parcels, code);
    if (row == NULL && parcels->count < DIRECTORY_NODES_MAX) {
        row = &parcels->rows[parcels->count++];
        memcpy(row->code, code, CODE_SIZE);
    }
    if (row != NULL) {
        row->size = size;
    }
    pthread_mutex_unlock(&parcels->lock);
}

static uint64_t told_size(struct parcels *parcels, const char *code)
{
    const struct told *row;
    uint64_t size;

    pthread_mutex_lock(&parcels->lock);
    row = row_of(parcels, code);
    size = row != NULL ? row->size : 0;
    pthread_mutex_unlock(&parcels->lock);
    return size;
}

/* ---- who may ---- */

enum rc parcels_admit(const struct node *node, const struct call *call, struct fault *fault)
{
    struct identity caller;

    TRY(who_is_member(node, call_peer(call), &caller, fault));
    return (caller.roles & 1u << READER_OPERATOR) != 0
               ? RC_OK
               : refuse(fault, RC_PERMISSION_DENIED, "identity.not_operator", "",
                        "Sólo quien opera el nodo exporta e importa paquetes: el registro le da el "
                        "papel «operator».");
}

/* ---- export ---- */

/* What a stream begins with. */
enum rc parcels_hello(const struct node *node, const struct chain *chain, struct bytes seen_note,
                      enum urgency urgency, bool is_request, struct buffer *out)
{
    uint8_t sha256[HASH_SIZE];
    struct peer_hello hello = {
        .node = node->self->uri,
        .origin = node->self->origin,
        .urgency = urgency,
        .seen_size = chain->last.size,
        .directory_sha256 = BYTES_OF(sha256),
        .seen_checkpoint = seen_note,
        .succession = node->succession_note,
    };

    inforce_digest(node->inforce, sha256);
    codec_hello_write(&hello, is_request, out);
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

struct export_job {
    struct node *node;
    struct parcel_export request;
    struct node_entry peer;
    struct packing packing;
    struct settle_job *parcel;
    struct buffer body;
    struct buffer hello;
    struct buffer indices;
    struct buffer file;
};

static enum rc find_peer(struct export_job *job, struct fault *fault)
{
    OWN_EDITION(edition) = inforce_take(job->node->inforce);
    const struct node_entry *peer = node_by_code(edition->directory, job->request.node);

    if (peer == NULL || node_is(peer, job->node->self) || peer->is_suspended ||
        !dates_cover(peer->in_force, clock_local_day(clock_now_ms()))) {
        return refuse(fault, RC_NOT_FOUND, "parcel.no_peer", "node",
                      "Ese nodo no está en vigor en el directorio.");
    }
    job->peer = *peer;
    return RC_OK;
}

/* Of one urgency; RC_NOT_FOUND: nothing is owed. */
static enum rc pack(struct export_job *job, enum urgency urgency)
{
    struct commit_point *point = anchor_latest(job->node->anchor);
    uint8_t sha256[HASH_SIZE];
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    job->packing = (struct packing){.node = job->node,
                                    .code = job->peer.code,
                                    .urgency = urgency,
                                    .bytes_max = PARCELS_BYTES_MAX,
                                    .cursor = OUTBOX_START};
    settle_free(job->parcel);
    job->parcel = settle_new(job->node, &job->peer, urgency, SETTLE_ARENA_MAX);
    if (job->parcel != NULL && point != NULL) {
        inforce_digest(job->node->inforce, sha256);
        job->parcel->parcel.sequence = 1;
        job->parcel->parcel.directory_sha256 = BYTES_OF(sha256);
        rc = packing_make(&job->packing, point, told_size(job->node->parcels, job->peer.code), true,
                          job->parcel, &job->body);
        job->parcel->parcel.directory_sha256 = (struct bytes){0};
    }
    commit_point_release(point);
    return rc;
}

static enum rc has_more(const struct export_job *job, bool *more)
{
    char destination[FORWARD_DESTINATION_SIZE];
    struct outbox_entry entry;
    size_t count = 0;
    OWN_READ(txn) = NULL;

    forward_destination(job->peer.code, destination);
    TRY(txn_read(job->node->db, &txn));
    TRY(outbox_scan(txn, destination, job->packing.urgency, job->packing.cursor, &entry, 1,
                    &count));
    *more = count > 0;
    if (job->packing.urgency == URGENCY_URGENT && !*more) {
        TRY(outbox_scan(txn, destination, URGENCY_ORDINARY, OUTBOX_START, &entry, 1, &count));
        *more = count > 0;
    }
    return RC_OK;
}

static enum rc write_file(struct export_job *job, struct fault *fault)
{
    struct parcel_file file = {.urgency = job->packing.urgency};
    OWN(buffer) note = {0};
    struct chain chain;

    TRY(chain_load(&chain, job->node, &job->peer, &note));
    TRY(parcels_hello(job->node, &chain, buffer_bytes(&note), file.urgency, true, &job->hello));
    for (size_t i = 0; i < job->parcel->parcel.entry_count; i++) {
        buffer_put_u64(&job->indices, job->parcel->items[i].index);
    }
    memcpy(file.from, job->node->self->uri, sizeof file.from);
    memcpy(file.to, job->peer.uri, sizeof file.to);
    file.hello = buffer_bytes(&job->hello);
    file.body = buffer_bytes(&job->body);
    file.indices = buffer_bytes(&job->indices);
    return parcel_file_write(job->node, &file, job->request.certificate, &job->file, fault);
}

static enum rc answer_export(struct export_job *job, struct call *call, struct buffer *response,
                             struct fault *fault)
{
    struct parcel_exported answer = {0};
    enum rc rc;

    TRY(parcels_admit(job->node, call, fault));
    TRY(codec_parcel_export_read(call_request(call), call_arena(call), &job->request, fault));
    TRY(find_peer(job, fault));
    rc = pack(job, URGENCY_URGENT);
    if (rc == RC_NOT_FOUND) {
        packing_release(&job->packing);
        rc = pack(job, URGENCY_ORDINARY);
    }
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, rc, "parcel.nothing", "node",
                      "No se le debe nada a ese nodo, o lo más nuevo se está guardando: reintente "
                      "en un segundo.");
    }
    TRY(rc);
    TRY(write_file(job, fault));
    answer.file = buffer_bytes(&job->file);
    answer.entries = (uint32_t)job->parcel->parcel.entry_count;
    answer.is_urgent = job->packing.urgency == URGENCY_URGENT;
    TRY(has_more(job, &answer.has_more));
    codec_parcel_exported_write(&answer, response);
    log_info("parcel.exported", "peer=%s entries=%u urgency=%d", job->peer.code, answer.entries,
             job->packing.urgency);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void parcels_on_export(struct rpc_service *service, struct call *call)
{
    struct export_job *job = calloc(1, sizeof *job);
    OWN(buffer) response = {0};
    struct fault fault = {0};
    enum rc rc = RC_RESOURCE_EXHAUSTED;

    if (job != NULL) {
        job->node = (struct node *)service;
        rc = answer_export(job, call, &response, &fault);
        settle_free(job->parcel);
        packing_release(&job->packing);
        buffer_release(&job->body);
        buffer_release(&job->hello);
        buffer_release(&job->indices);
        buffer_release(&job->file);
        free(job);
    }
    if (rc == RC_OK) {
        call_reply(call, buffer_bytes(&response));
        return;
    }
    refuse(&fault, RC_UNAVAILABLE, "node.unavailable", "",
           "El nodo no pudo leer o guardar; reintente.");
    log_warn("parcel.refused", "reason=%s rc=%s", fault.reason, rc_name(rc));
    call_refuse(call, &fault);
}
