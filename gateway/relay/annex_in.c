#include "relay/annex_in.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/worker.h"
#include "policy/member.h"
#include "relay/annex_debt.h"
#include "relay/annexes.h"
#include "relay/courier.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/files.h"
#include "store/vault.h"
#include "store/writer.h"

#define DEBT_BYTES 512

enum step {
    STEP_HELLO, /* disk: begin or go on */
    STEP_DEBT,  /* writer: owed to the recipient's node */
    STEP_CHUNK, /* disk */
    STEP_CLOSE, /* disk: the stream is gone */
};

/* One stream. While is_busy it belongs to the disk's thread or the writer, else to its queue's. */
struct putting {
    struct stream_user user; /* first */
    struct chore chore;
    struct write write;
    struct stream_item item;
    struct node *node;
    struct node_entry peer; /* who sends, if a node does; else a member's system */
    bool is_of_node;
    char owner[CODE_SIZE]; /* whose place and budget */
    struct arena *arena;   /* of the request under way */
    char holder[CODE_SIZE];
    char to[CODE_SIZE];
    char retention[RETENTION_SIZE];
    char next_node[CODE_SIZE]; /* to whom it will be owed; empty: the recipient lives here */
    struct file_claim claim;
    const struct attachment_chunk *chunk;
    struct file_in *file;
    enum step step;
    bool has_hello;
    bool is_owed;
    bool is_busy;
    uint64_t durable;
    bool is_complete;
    enum rc rc;
    struct fault fault;
};

static struct putting *putting_of_chore(struct chore *chore)
{
    return (struct putting *)((char *)chore - offsetof(struct putting, chore));
}

static struct putting *putting_of_write(struct write *write)
{
    return (struct putting *)((char *)write - offsetof(struct putting, write));
}

static void give_back(struct putting *putting)
{
    struct stream *stream = putting->user.stream;

    stream_resume(stream, &putting->item);
    stream_release(stream);
}

/* ---- on the disk's thread ---- */

/* It is here whole already: the same again is no refusal. */
static enum rc look_at_whole(struct putting *putting)
{
    struct file_state state;

    if (files_stat(putting->node->files, &putting->claim.name, &state) != RC_OK ||
        !state.is_complete || state.size != putting->claim.size ||
        !digest_equal(state.sha256, putting->claim.sha256)) {
        return RC_ALREADY_EXISTS;
    }
    putting->fault = (struct fault){0};
    putting->durable = state.size;
    putting->is_complete = true;
    return RC_OK;
}

static void note_progress(struct putting *putting)
{
    putting->durable = file_in_durable(putting->file);
    putting->is_complete = file_in_is_complete(putting->file);
}

static enum rc open_file(struct putting *putting)
{
    const struct node *node = putting->node;
    const struct shard *shard;
    int32_t month;
    enum rc rc;

    TRY(vault_month(putting->retention, clock_now_ms(), &month));
    TRY(vault_shard(node->vault, putting->holder, putting->retention, month, true, &shard));
    rc = files_receive(node->files, &putting->claim, shard, &putting->file, &putting->fault);
    if (rc == RC_ALREADY_EXISTS) {
        return look_at_whole(putting);
    }
    if (rc == RC_OK) {
        note_progress(putting);
    }
    return rc;
}

static enum rc put_chunk(struct putting *putting)
{
    const struct attachment_chunk *chunk = putting->chunk;

    TRY(file_in_put(putting->file, chunk->offset, chunk->data, chunk->sha256.data,
                    &putting->fault));
    note_progress(putting);
    return RC_OK;
}

static void run_step(struct chore *chore)
{
    struct putting *putting = putting_of_chore(chore);

    putting->rc = putting->step == STEP_HELLO   ? open_file(putting)
                  : putting->step == STEP_CHUNK ? put_chunk(putting)
                                                : RC_OK;
    if (putting->rc != RC_OK || putting->is_complete || putting->step == STEP_CLOSE) {
        file_in_free(MOVE(putting->file));
    }
    give_back(putting);
}

/* ---- on the writer's thread ---- */

static enum rc apply_debt(struct write *write, struct txn *txn)
{
    const struct putting *putting = putting_of_write(write);
    struct annex_debt debt = {.due_ms = clock_now_ms(), .id = putting->claim.name.id};

    snprintf(debt.holder, sizeof debt.holder, "%s", putting->holder);
    snprintf(debt.to, sizeof debt.to, "%s", putting->to);
    return annex_debt_add(txn, &debt);
}

static void debt_done(struct write *write)
{
    struct putting *putting = putting_of_write(write);

    putting->rc = write->rc;
    commit_point_release(write->point);
    give_back(putting);
}

static const struct write_ops debt_ops = {.apply = apply_debt, .done = debt_done};

/* ---- on the queue's thread ---- */

static enum rc begin(struct putting *putting, enum step step)
{
    struct stream *stream = putting->user.stream;
    enum rc rc;

    assert(!putting->is_busy);
    putting->step = step;
    putting->is_busy = true;
    stream_hold(stream);
    if (step == STEP_DEBT) {
        putting->write = (struct write){.ops = &debt_ops, .bytes = DEBT_BYTES};
        rc = writer_submit(putting->node->writer, &putting->write);
    } else {
        putting->chore.run = run_step;
        rc = annexes_do(putting->node->annexes, &putting->chore);
    }
    if (rc != RC_OK) {
        putting->is_busy = false;
        stream_release(stream);
    }
    return rc;
}

static void close_file(struct putting *putting)
{
    if (!putting->is_busy && putting->file != NULL && begin(putting, STEP_CLOSE) != RC_OK) {
        file_in_free(MOVE(putting->file));
    }
}

static void end_badly(struct putting *putting, enum rc rc, struct fault *fault)
{
    char id[ID_TEXT_SIZE];

    refuse(fault, rc, "node.busy", "", "El nodo no puede guardar el anexo ahora; reintente.");
    id_format(&putting->claim.name.id, id);
    log_info("attachment.refused", "attachment=%s from=%s reason=%s rc=%s", id, putting->owner,
             fault->reason, rc_name(rc));
    stream_finish(putting->user.stream, fault);
    close_file(putting);
}

/* Still allowed? Asked at each message, so that a revocation acts at the next one. */
static enum rc check_sender(const struct putting *putting, struct fault *fault)
{
    const struct rpc_peer *peer = stream_peer(putting->user.stream);
    struct node_entry sending_node;
    struct identity identity;

    return putting->is_of_node ? who_is_node(putting->node, peer, &sending_node, fault)
                               : annex_caller(putting->node, peer, &identity, fault);
}

/* Under whom it is kept here, and to which node it is owed then. */
static enum rc find_way(struct putting *putting, const char *to, struct fault *fault)
{
    const struct node *node = putting->node;
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct node_entry *home =
        node_of_member(edition->directory, to, clock_local_day(clock_now_ms()));
    bool is_here = node_is(home, node->self);

    if (putting->is_of_node) {
        TRY(annex_peer_route(node, &putting->peer, to, putting->retention, fault));
        if (!is_here) {
            return refuse(fault, RC_PERMISSION_DENIED, "recipient.not_here", "to",
                          "Este nodo no atiende a esa institución.");
        }
    } else {
        TRY(annex_route(node, putting->owner, to, putting->retention, fault));
    }
    snprintf(putting->next_node, CODE_SIZE, "%s", home != NULL && !is_here ? home->code : "");
    snprintf(putting->to, sizeof putting->to, "%s", to);
    snprintf(putting->holder, sizeof putting->holder, "%s",
             putting->next_node[0] != '\0' ? putting->owner : to);
    return RC_OK;
}

static enum rc take_hello(struct putting *putting, const struct attachment_hello *hello,
                          struct fault *fault)
{
    if (hello == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.hello", "hello",
                      "Anuncie primero el anexo: identificador, tamaño, huella y destinatario.");
    }
    putting->claim.name.id = hello->attachment_id;
    TRY(find_way(putting, hello->to, fault));
    putting->claim = (struct file_claim){
        .name = {.holder = putting->holder, .id = hello->attachment_id},
        .owner = putting->owner,
        .size = hello->size,
    };
    memcpy(putting->claim.sha256, hello->sha256.data, DIGEST_SIZE);
    putting->has_hello = true;
    return begin(putting, STEP_HELLO);
}

/* The debt comes before the last byte, so that no whole file is ever forgotten. */
static enum rc take_chunk(struct putting *putting, const struct attachment_chunk *chunk,
                          struct fault *fault)
{
    uint64_t left = putting->claim.size - file_in_offset(putting->file);
    bool is_last = chunk != NULL && chunk->data.size >= left;

    if (chunk == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.hello", "hello",
                      "Un flujo lleva un solo anexo: abra otro.");
    }
    putting->chunk = chunk;
    return begin(putting, is_last && putting->next_node[0] != '\0' && !putting->is_owed
                              ? STEP_DEBT
                              : STEP_CHUNK);
}

static enum rc take(struct putting *putting, struct bytes message, struct fault *fault)
{
    struct attachment_hello *hello;
    struct attachment_chunk *chunk;

    TRY(check_sender(putting, fault));
    if (message.size > ANNEX_MESSAGE_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.chunk_size", "chunk.data",
                      "Envíe trozos de hasta 256 KiB.");
    }
    arena_reset(putting->arena);
    TRY(codec_put_attachment_read(message, putting->arena, &hello, &chunk, fault));
    return putting->has_hello ? take_chunk(putting, chunk, fault)
                              : take_hello(putting, hello, fault);
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct putting *putting = (struct putting *)user;
    struct fault fault = {0};
    enum rc rc;

    if (stream_is_over(user->stream)) {
        return;
    }
    rc = take(putting, message, &fault);
    if (rc != RC_OK) {
        end_badly(putting, rc, &fault);
    }
}

static void log_whole(const struct putting *putting)
{
    char id[ID_TEXT_SIZE];

    id_format(&putting->claim.name.id, id);
    log_info("attachment.kept", "attachment=%s from=%s holder=%s bytes=%llu", id, putting->owner,
             putting->holder, (unsigned long long)putting->claim.size);
}

static void answer(struct putting *putting)
{
    struct stream *stream = putting->user.stream;
    OWN(buffer) bytes = {0};
    enum rc rc;

    codec_attachment_state_write(putting->durable, putting->is_complete, &bytes);
    rc = bytes.is_failed ? RC_RESOURCE_EXHAUSTED : stream_send(stream, buffer_bytes(&bytes));
    if (putting->is_complete && putting->next_node[0] != '\0') {
        couriers_poke(putting->node->couriers, putting->next_node);
    }
    if (rc != RC_OK) {
        end_badly(putting, rc, &putting->fault);
    } else if (putting->is_complete) {
        log_whole(putting);
        stream_finish(stream, NULL);
    } else {
        stream_read(stream);
    }
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct putting *putting = (struct putting *)user;
    enum rc rc;

    (void)items; /* there is one, and it is putting->item */
    putting->is_busy = false;
    rc = putting->rc;
    if (stream_is_over(user->stream)) {
        close_file(putting);
        return;
    }
    if (putting->step == STEP_DEBT && rc == RC_OK) {
        putting->is_owed = true;
        rc = begin(putting, STEP_CHUNK);
        if (rc == RC_OK) {
            return; /* it is the disk's thread's again */
        }
    }
    if (rc != RC_OK) {
        end_badly(putting, rc, &putting->fault);
    } else {
        answer(putting);
    }
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)fault;
    close_file((struct putting *)user);
}

static void putting_free(struct putting *putting)
{
    if (putting != NULL) {
        annexes_leave(putting->node->annexes, putting->owner);
        arena_free(putting->arena);
        free(putting);
    }
}

static void on_free(struct stream_user *user)
{
    putting_free((struct putting *)user);
}

static const struct stream_events events = {
    .on_message = on_message,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

static enum rc putting_new(struct node *node, const char *owner, struct putting **out,
                           struct fault *fault)
{
    struct putting *putting = NULL;

    TRY(annexes_enter(node->annexes, owner, fault));
    putting = calloc(1, sizeof *putting);
    if (putting == NULL) {
        annexes_leave(node->annexes, owner);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "",
                      "El nodo está ocupado; reintente.");
    }
    putting->user.events = &events;
    putting->node = node;
    snprintf(putting->owner, CODE_SIZE, "%s", owner);
    putting->arena = arena_new(ANNEX_ARENA_MAX);
    if (putting->arena == NULL) {
        putting_free(putting);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "",
                      "El nodo está ocupado; reintente.");
    }
    *out = putting;
    return RC_OK;
}

static void start(struct stream *stream, struct node *node, const char *owner,
                  const struct node_entry *peer)
{
    struct fault fault = {0};
    struct putting *putting = NULL;

    if (putting_new(node, owner, &putting, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    if (peer != NULL) {
        putting->peer = *peer;
        putting->is_of_node = true;
    }
    stream_accept(stream, &putting->user);
    stream_read(stream);
}

void annex_in_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct identity identity;
    struct fault fault = {0};

    if (annex_caller(node, stream_peer(stream), &identity, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    start(stream, node, identity.member, NULL);
}

void annex_in_on_peer_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct node_entry peer;
    struct fault fault = {0};

    if (who_is_node(node, stream_peer(stream), &peer, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    start(stream, node, peer.code, &peer);
}
