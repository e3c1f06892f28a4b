#include "relay/annex_out.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/worker.h"
#include "crypto/digest.h"
#include "relay/annexes.h"
#include "relay/node.h"
#include "rpc/call.h"
#include "rpc/codec_service.h"
#include "rpc/stream.h"
#include "store/files.h"

static enum rc refuse_disk(struct fault *fault, enum rc rc)
{
    return rc == RC_NOT_FOUND
               ? annex_unknown(fault)
               : refuse(fault, rc, "attachment.unreadable", "",
                        "El nodo no puede leer el anexo ahora; avise a quien lo opera.");
}

/* ---- stat ---- */

struct call_state {
    struct chore chore; /* first */
    struct call *call;
    struct node *node;
    struct file_name name;
    char holder[CODE_SIZE];
    struct file_state state;
    enum rc rc;
};

static void answer_stat(struct call *call)
{
    const struct call_state *stat = call_state(call);
    OWN(buffer) response = {0};
    struct fault fault = {0};

    if (stat->rc != RC_OK) {
        (void)refuse_disk(&fault, stat->rc);
        call_refuse(call, &fault);
        return;
    }
    codec_attachment_state_write(stat->state.durable, stat->state.is_complete, &response);
    call_reply(call, buffer_bytes(&response));
}

static void run_stat(struct chore *chore)
{
    struct call_state *stat = (struct call_state *)chore;

    stat->rc = files_stat(stat->node->files, &stat->name, &stat->state);
    call_resume(stat->call, answer_stat);
}

static enum rc begin_stat(struct node *node, struct call *call, struct fault *fault)
{
    struct call_state *stat = arena_alloc(call_arena(call), sizeof *stat);
    struct identity identity;
    struct id id;

    TRY(annex_caller(node, call_peer(call), &identity, fault));
    TRY(codec_id_request_read(call_request(call), &id, fault));
    if (stat == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    memcpy(stat->holder, identity.member, CODE_SIZE);
    stat->chore.run = run_stat;
    stat->call = call;
    stat->node = node;
    stat->name = (struct file_name){.holder = stat->holder, .id = id};
    call_set_state(call, stat);
    return annexes_do(node->annexes, &stat->chore);
}

void annex_out_stat_on_call(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};
    enum rc rc = begin_stat((struct node *)service, call, &fault);

    if (rc != RC_OK) {
        refuse(&fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
    }
}

/* ---- get ---- */

/* One stream. While is_busy it belongs to the disk's thread, else to its queue's. */
struct getting {
    struct stream_user user; /* first */
    struct chore chore;
    struct stream_item item;
    struct node *node;
    char holder[CODE_SIZE]; /* also whose place it takes */
    struct id id;
    struct file_out *file;
    uint64_t offset;
    struct buffer answer; /* the next chunk, serialised */
    unsigned in_flight;   /* given to the stream, not yet written */
    bool is_asked;
    bool is_busy;
    bool is_done;
    bool is_closing;
    enum rc rc;
};

static struct getting *getting_of(struct chore *chore)
{
    return (struct getting *)((char *)chore - offsetof(struct getting, chore));
}

static enum rc read_chunk(struct getting *getting)
{
    struct file_name name = {.holder = getting->holder, .id = getting->id};
    uint8_t digest[DIGEST_SIZE];
    struct attachment_chunk chunk = {.offset = getting->offset, .sha256 = BYTES_OF(digest)};
    uint64_t size;

    if (getting->file == NULL) {
        TRY(files_read(getting->node->files, &name, &getting->file));
    }
    size = file_out_size(getting->file);
    buffer_clear(&getting->answer);
    TRY(file_out_chunk(getting->file, getting->offset, &chunk.data));
    if (chunk.data.size > 0) {
        digest_of(&chunk.data, 1, digest);
        codec_got_attachment_write(&chunk, size, &getting->answer);
    }
    getting->offset += chunk.data.size;
    getting->is_done = getting->offset >= size;
    return getting->answer.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void run_read(struct chore *chore)
{
    struct getting *getting = getting_of(chore);
    struct stream *stream = getting->user.stream;

    getting->rc = getting->is_closing ? RC_OK : read_chunk(getting);
    if (getting->rc != RC_OK || getting->is_done || getting->is_closing) {
        file_out_free(MOVE(getting->file));
    }
    stream_resume(stream, &getting->item);
    stream_release(stream);
}

static enum rc begin(struct getting *getting)
{
    struct stream *stream = getting->user.stream;
    enum rc rc;

    assert(!getting->is_busy);
    getting->is_busy = true;
    getting->chore.run = run_read;
    stream_hold(stream);
    rc = annexes_do(getting->node->annexes, &getting->chore);
    if (rc != RC_OK) {
        getting->is_busy = false;
        stream_release(stream);
    }
    return rc;
}

static void close_file(struct getting *getting)
{
    if (!getting->is_busy && getting->file != NULL) {
        getting->is_closing = true;
        if (begin(getting) != RC_OK) {
            file_out_free(MOVE(getting->file));
        }
    }
}

static void end_badly(struct getting *getting, enum rc rc, struct fault *fault)
{
    char id[ID_TEXT_SIZE];

    refuse(fault, rc, "node.busy", "", "El nodo está ocupado; reintente.");
    id_format(&getting->id, id);
    log_info("attachment.not_given", "attachment=%s member=%s reason=%s", id, getting->holder,
             fault->reason);
    stream_finish(getting->user.stream, fault);
    close_file(getting);
}

static void pump(struct getting *getting)
{
    const struct rpc_peer *peer = stream_peer(getting->user.stream);
    struct identity identity;
    struct fault fault = {0};
    enum rc rc;

    if (getting->is_busy || getting->in_flight >= ANNEX_CHUNKS_IN_FLIGHT ||
        stream_is_over(getting->user.stream)) {
        return;
    }
    rc = annex_caller(getting->node, peer, &identity, &fault);
    rc = rc == RC_OK ? begin(getting) : rc;
    if (rc != RC_OK) {
        end_badly(getting, rc, &fault);
    }
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct getting *getting = (struct getting *)user;
    struct fault fault = {0};

    getting->is_asked = true; /* and nothing more is read */
    if (codec_get_attachment_read(message, &getting->id, &getting->offset, &fault) != RC_OK) {
        end_badly(getting, fault.rc, &fault);
        return;
    }
    pump(getting);
}

static void on_end(struct stream_user *user)
{
    struct getting *getting = (struct getting *)user;

    if (!getting->is_asked) {
        stream_finish(user->stream, NULL);
    }
}

static enum rc refuse_read(enum rc rc, struct fault *fault)
{
    if (rc == RC_OUT_OF_RANGE) {
        return refuse(fault, rc, "attachment.offset", "offset", "El anexo es más corto.");
    }
    return refuse_disk(fault, rc);
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct getting *getting = (struct getting *)user;
    struct fault fault = {0};
    enum rc rc = getting->rc;

    (void)items; /* there is one, and it is getting->item */
    getting->is_busy = false;
    if (stream_is_over(user->stream)) {
        close_file(getting);
        return;
    }
    if (rc != RC_OK) {
        end_badly(getting, refuse_read(rc, &fault), &fault);
        return;
    }
    if (getting->answer.size > 0) {
        getting->in_flight++;
        rc = stream_send(user->stream, buffer_bytes(&getting->answer));
    }
    if (rc != RC_OK) {
        end_badly(getting, rc, &fault);
    } else if (getting->is_done) {
        stream_finish(user->stream, NULL);
    } else {
        pump(getting);
    }
}

/* One of ours has been written. */
static void on_drained(struct stream_user *user)
{
    struct getting *getting = (struct getting *)user;

    getting->in_flight--;
    pump(getting);
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)fault;
    close_file((struct getting *)user);
}

static void on_free(struct stream_user *user)
{
    struct getting *getting = (struct getting *)user;

    annexes_leave(getting->node->annexes, getting->holder);
    if (getting->answer.data != NULL) {
        explicit_bzero(getting->answer.data, getting->answer.capacity);
    }
    buffer_release(&getting->answer);
    free(getting);
}

static const struct stream_events events = {
    .on_message = on_message,
    .on_end = on_end,
    .on_drained = on_drained,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

static enum rc getting_new(struct node *node, const struct identity *identity, struct getting **out,
                           struct fault *fault)
{
    struct getting *getting;

    TRY(annexes_enter(node->annexes, identity->member, fault));
    getting = calloc(1, sizeof *getting);
    if (getting == NULL) {
        annexes_leave(node->annexes, identity->member);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "node.busy", "",
                      "El nodo está ocupado; reintente.");
    }
    getting->user.events = &events;
    getting->node = node;
    memcpy(getting->holder, identity->member, CODE_SIZE);
    *out = getting;
    return RC_OK;
}

void annex_out_on_stream(struct rpc_service *service, struct stream *stream)
{
    struct node *node = (struct node *)service;
    struct identity identity;
    struct getting *getting = NULL;
    struct fault fault = {0};

    if (annex_caller(node, stream_peer(stream), &identity, &fault) != RC_OK ||
        getting_new(node, &identity, &getting, &fault) != RC_OK) {
        stream_refuse(stream, &fault);
        return;
    }
    stream_accept(stream, &getting->user);
    stream_read(stream);
}
