#include "relay/forward.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "relay/chain.h"
#include "relay/epochs.h"
#include "relay/lineage.h"
#include "policy/directory_file.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/lawfetch.h"
#include "relay/node.h"
#include "relay/packing.h"
#include "relay/settle.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "rpc/cq.h"
#include "rpc/stream.h"
#include "store/anchor.h"
#include "store/db.h"
#include "store/outbox.h"
#include "store/writer.h"

#define PARCELS_IN_FLIGHT 4
/* Two for each node, and as many changes of address until the next start. */
#define LINK_CHANNELS_MAX ((size_t)4 * DIRECTORY_NODES_MAX)
/* Of an answer: leaves and a checkpoint. */
#define SETTLE_ARENA_MAX ((size_t)1 << 20)
#define TAKE_ARENA_MAX ((size_t)64 << 20)
#define FORWARD_METHOD "/enlace.v1.FederationService/Exchange"

struct link {
    struct stream_user user; /* first */
    struct links *links;
    char code[CODE_SIZE];   /* the peer's */
    struct node_entry peer; /* as the directory had it when the stream was opened */
    char address[128];      /* of the channel; links_refresh's */
    enum urgency urgency;
    _Atomic(struct channel *) channel; /* another one when its address changes */
    struct cq *cq;
    struct cq_post post;
    atomic_bool is_poked;
    atomic_bool is_stopping;
    atomic_bool is_open; /* a stream exists; written on the queue's thread */
    atomic_bool is_anchoring;
    atomic_bool is_ready;          /* hello answered; likewise */
    atomic_uint failures;          /* attempts since something was settled; likewise */
    atomic_bool is_late;           /* a debt came whose leaf is older than what was looked at */
    _Atomic(int64_t) unreached_ms; /* since when every try to reach it failed; 0: none did */
    atomic_bool is_doubted;        /* another directory came: is the peer still in force? */
    atomic_uint hurry;             /* percent of the clock of what is owed that are gone */
    struct anchor_write anchoring; /* the anchor thread's meanwhile */
    /* The queue thread's own from here on. */
    int64_t retry_at_ms;
    int64_t rewind_at_ms; /* when what was held back is sent again; 0: nothing was */
    unsigned held_times;
    struct packing packing; /* its recents apart: what the writer thread puts there */
    uint64_t sequence;
    uint64_t told_size; /* of our log, that the peer has seen on this stream */
    struct chain chain; /* of the peer's log, as this stream saw it */
    struct lineage lineage;
    struct settle_job *waiting[PARCELS_IN_FLIGHT];
    size_t waiting_count; /* sent, not answered; oldest first */
    size_t settling;      /* answered, with the writer */
};

struct links {
    struct node *node;
    struct link *items;       /* room for every node that a directory may list */
    atomic_size_t peer_count; /* grows when a directory lists a new node */
    /* One for each link, so that ordinary bytes never stand before urgent ones, and those of former
     * addresses, which streams may still use. */
    struct channel *channels[LINK_CHANNELS_MAX];
    size_t channel_count;
    atomic_size_t room; /* of what all links keep in memory */
};

static const struct stream_events link_events;

void forward_destination(const char *node_code, char out[FORWARD_DESTINATION_SIZE])
{
    snprintf(out, FORWARD_DESTINATION_SIZE, "node:%s", node_code);
}

/* ---- opening and closing ---- */

/*
 * Doubling from 0.2 s, jittered; urgent waits 2 s at most, ordinary 10 s, and both less and less as
 * the clock of what is owed runs: at its end an attempt follows the other.
 */
static int64_t jittered(const struct link *link, unsigned times)
{
    int64_t left = 100 - (int64_t)atomic_load(&link->hurry);
    int64_t longest = link->urgency == URGENCY_URGENT ? 2000 : 10000;
    int64_t most = longest * left / 100 > 200 ? longest * left / 100 : 200;
    int64_t wait = (int64_t)200 << (times < 6 ? times : 6);
    uint8_t jitter;

    random_fill(&jitter, 1);
    wait = wait < most ? wait : most;
    return clock_monotonic_ms() + wait * (192 + jitter / 2) / 256;
}

static void back_off(struct link *link)
{
    if (atomic_load(&link->unreached_ms) == 0) {
        atomic_store(&link->unreached_ms, clock_now_ms());
    }
    link->retry_at_ms = jittered(link, link->failures);
    link->failures++;
}

/* What the peer cannot take now is asked again later; everything else goes on meanwhile. */
static void hold_back(struct link *link)
{
    if (link->rewind_at_ms == 0) {
        link->rewind_at_ms = jittered(link, link->held_times);
        link->held_times++;
    }
}

static void rewind_if_due(struct link *link)
{
    if (atomic_exchange(&link->is_late, false)) {
        link->rewind_at_ms = clock_monotonic_ms();
    }
    if (link->rewind_at_ms != 0 && clock_monotonic_ms() >= link->rewind_at_ms &&
        link->waiting_count + link->settling == 0) {
        link->rewind_at_ms = 0;
        link->packing.cursor = OUTBOX_START;
    }
}

static enum rc send_hello(struct link *link, struct bytes note)
{
    struct node *node = link->links->node;
    OWN(buffer) bytes = {0};
    uint8_t sha256[HASH_SIZE];
    struct peer_hello hello = {
        .node = node->self->uri,
        .origin = node->self->origin,
        .urgency = link->urgency,
        .seen_size = link->chain.last.size,
        .directory_sha256 = BYTES_OF(sha256),
        .seen_checkpoint = note,
        .succession = node->succession_note,
    };

    inforce_digest(node->inforce, sha256);
    codec_hello_write(&hello, true, &bytes);
    return stream_send(link->user.stream, buffer_bytes(&bytes));
}

static bool has_debts(struct link *link)
{
    char destination[FORWARD_DESTINATION_SIZE];
    struct outbox_entry entry;
    size_t count = 0;
    OWN_READ(txn) = NULL;

    forward_destination(link->code, destination);
    return txn_read(link->links->node->db, &txn) == RC_OK &&
           outbox_scan(txn, destination, link->urgency, OUTBOX_START, &entry, 1, &count) == RC_OK &&
           count > 0;
}

static bool stands(const struct node_entry *peer)
{
    return peer != NULL && !peer->is_suspended &&
           dates_cover(peer->in_force, clock_local_day(clock_now_ms()));
}

static bool is_standing(const struct link *link)
{
    OWN_EDITION(edition) = inforce_take(link->links->node->inforce);

    return stands(node_by_code(edition->directory, link->code));
}

/* By the directory of now: its keys may be others since the last stream, or it may be suspended. */
static bool is_in_force(struct link *link)
{
    OWN_EDITION(edition) = inforce_take(link->links->node->inforce);
    const struct node_entry *peer = node_by_code(edition->directory, link->code);

    if (!stands(peer)) {
        log_debug("peer.not_in_force", "peer=%s", link->code);
        return false;
    }
    link->peer = *peer;
    return true;
}

static void open_stream(struct link *link)
{
    OWN(buffer) note = {0};

    if (clock_monotonic_ms() < link->retry_at_ms || !has_debts(link)) {
        return;
    }
    if (!is_in_force(link)) {
        back_off(link);
        return;
    }
    if (chain_load(&link->chain, link->links->node, &link->peer, &note) != RC_OK) {
        back_off(link);
        return;
    }
    lineage_init(&link->lineage, link->links->node->seen);
    link->is_ready = false;
    link->packing.cursor = OUTBOX_START;
    link->rewind_at_ms = 0;
    link->sequence = 0;
    atomic_store(&link->is_open, true);
    if (stream_open(atomic_load(&link->channel), link->cq, FORWARD_METHOD, -1, &link->user) !=
        RC_OK) {
        atomic_store(&link->is_open, false);
        lineage_release(&link->lineage);
        back_off(link);
        return;
    }
    if (send_hello(link, buffer_bytes(&note)) != RC_OK) {
        stream_cancel(link->user.stream);
        return;
    }
    stream_read(link->user.stream);
}

/* ---- parcels out ---- */

static enum rc send_parcel(struct link *link, struct settle_job *job)
{
    struct node *node = link->links->node;
    struct commit_point *point = anchor_latest(node->anchor);
    OWN(buffer) bytes = {0};
    uint8_t sha256[HASH_SIZE];
    enum rc rc;

    inforce_digest(node->inforce, sha256);
    job->parcel.sequence = link->sequence + 1;
    job->parcel.directory_sha256 = BYTES_OF(sha256);
    rc =
        packing_make(&link->packing, point, link->told_size, link->waiting_count == 0, job, &bytes);
    job->parcel.directory_sha256 = (struct bytes){0};
    if (rc == RC_OK) {
        link->sequence++;
        rc = stream_send_buffer(link->user.stream, &bytes);
    }
    if (rc == RC_OK) {
        link->told_size = commit_point_size(point);
        link->waiting[link->waiting_count++] = job;
    }
    commit_point_release(point);
    return rc;
}

/* On the anchor thread. The poke is counted before the rest, so that links_stop waits for it. */
static void on_anchored(struct anchor_write *write)
{
    struct link *link = (struct link *)((char *)write - offsetof(struct link, anchoring));
    bool is_poked = atomic_exchange(&link->is_poked, true);

    commit_point_release((struct commit_point *)write->point);
    atomic_store(&link->is_anchoring, false);
    if (!is_poked) {
        cq_post(link->cq, &link->post);
    }
}

/* What is to be sent next waits for the anchor; a poke follows. */
static void anchor_more(struct link *link)
{
    struct node *node = link->links->node;
    struct commit_point *point;

    if (!link->packing.wants_anchor || atomic_load(&link->is_anchoring)) {
        return;
    }
    link->packing.wants_anchor = false;
    point = writer_latest(node->writer);
    link->anchoring = (struct anchor_write){.point = point, .done = on_anchored};
    atomic_store(&link->is_anchoring, true);
    if (anchor_submit(node->anchor, &link->anchoring) != RC_OK) {
        atomic_store(&link->is_anchoring, false); /* the next poke tries again */
        commit_point_release(point);
    }
}

static void send_what_waits(struct link *link)
{
    while (link->is_ready && link->waiting_count + link->settling < PARCELS_IN_FLIGHT &&
           !stream_is_over(link->user.stream)) {
        struct settle_job *job =
            settle_new(link->links->node, &link->peer, link->urgency, SETTLE_ARENA_MAX);
        enum rc rc = job != NULL ? send_parcel(link, job) : RC_RESOURCE_EXHAUSTED;

        if (rc == RC_OK) {
            continue;
        }
        settle_free(job);
        if (rc != RC_NOT_FOUND) {
            log_warn("forward.parcel", "peer=%s rc=%s", link->code, rc_name(rc));
            stream_cancel(link->user.stream);
        }
        return;
    }
}

static void pump(struct link *link)
{
    rewind_if_due(link);
    send_what_waits(link);
    anchor_more(link);
}

/* ---- answers in ---- */

static void settled(struct settle_job *job)
{
    struct stream *stream = job->stream;

    stream_resume(stream, &job->item);
    stream_release(stream);
}

static enum rc take_hello(struct link *link, const struct peer_hello *hello)
{
    struct fault fault = {0};

    if (hello == NULL || strcmp(hello->node, link->peer.uri) != 0) {
        log_error("peer.hello", "peer=%s check=identity", link->code);
        return RC_PERMISSION_DENIED;
    }
    TRY(epochs_admit(link->links->node->epochs, &link->peer, hello->origin, hello->succession,
                     &fault));
    if (strcmp(link->chain.epoch->origin, hello->origin) != 0) {
        return RC_ABORTED; /* a new epoch: the next stream begins with what we saw of that log */
    }
    TRY(chain_check_own(link->links->node, &link->peer, hello, &link->told_size));
    link->is_ready = true;
    atomic_store(&link->unreached_ms, 0);
    lawfetch_hint(link->links->node, link->code, hello->directory_sha256);
    log_info("peer.connected", "peer=%s urgency=%d", link->code, link->urgency);
    return RC_OK;
}

static enum rc take_answer(struct link *link, const struct parcel_answer *answer)
{
    struct settle_job *job;

    if (link->waiting_count == 0 || answer->sequence != link->waiting[0]->parcel.sequence) {
        log_error("peer.answer", "peer=%s check=sequence", link->code);
        return RC_INVALID_ARGUMENT;
    }
    job = link->waiting[0];
    link->waiting_count--;
    memmove(link->waiting, link->waiting + 1, link->waiting_count * sizeof link->waiting[0]);
    if (settle_verify(job, answer, &link->chain) != RC_OK) {
        settle_free(job);
        return RC_DATA_LOSS;
    }
    job->stream = link->user.stream;
    job->on_settled = settled;
    stream_hold(link->user.stream);
    link->settling++;
    settle_begin(job, &link->lineage);
    return RC_OK;
}

static enum rc take_message(struct link *link, struct bytes message)
{
    OWN_PTR(arena) arena = arena_new(TAKE_ARENA_MAX);
    struct exchange_part part;
    struct fault fault = {0};

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_exchange_response_read(message, arena, &part, &fault));
    if (!link->is_ready) {
        return take_hello(link, part.hello);
    }
    if (part.question != NULL) {
        return lineage_prove(link->links->node, part.question, link->user.stream, true);
    }
    if (part.proof != NULL) {
        return lineage_answer(&link->lineage, part.proof);
    }
    return part.answer != NULL ? take_answer(link, part.answer) : RC_INVALID_ARGUMENT;
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct link *link = (struct link *)user;
    enum rc rc = take_message(link, message);

    if (rc != RC_OK) {
        log_warn("peer.refused", "peer=%s rc=%s", link->code, rc_name(rc));
        stream_cancel(user->stream);
        return;
    }
    stream_read(user->stream);
    pump(link);
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct link *link = (struct link *)user;
    bool is_held_back = false;

    while (items != NULL) {
        struct settle_job *job = settle_of(items);

        items = items->next;
        if (lineage_is_doubted(&job->step)) {
            lineage_ask(&job->step, user->stream, true);
            continue;
        }
        link->settling--;
        link->failures = job->write.rc == RC_OK ? 0 : link->failures;
        is_held_back = is_held_back || job->is_held_back;
        link->held_times = job->is_held_back ? link->held_times : 0;
        settle_free(job);
    }
    if (is_held_back) {
        hold_back(link);
    }
    pump(link);
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    struct link *link = (struct link *)user;

    if (!atomic_load(&link->is_stopping)) {
        log_info("peer.disconnected", "peer=%s urgency=%d rc=%s reason=%s", link->code,
                 link->urgency, rc_name(fault->rc), settle_word(fault->reason));
    }
    link->is_ready = false;
    lineage_close(&link->lineage);
    for (size_t i = 0; i < link->waiting_count; i++) {
        settle_free(link->waiting[i]);
    }
    link->waiting_count = 0;
    recent_clear(&link->packing.recents);
    back_off(link);
}

static void on_free(struct stream_user *user)
{
    struct link *link = (struct link *)user;

    user->stream = NULL;
    lineage_release(&link->lineage);
    atomic_store(&link->is_open, false);
}

static const struct stream_events link_events = {
    .on_message = on_message,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

/* ---- pokes ---- */

static void on_poke(struct op *op, bool ok)
{
    struct link *link = (struct link *)((char *)op - offsetof(struct link, post));

    (void)ok;
    atomic_store(&link->is_poked, false);
    if (atomic_load(&link->is_stopping)) {
        if (atomic_load(&link->is_open)) {
            stream_cancel(link->user.stream);
        }
        return;
    }
    if (atomic_exchange(&link->is_doubted, false) && atomic_load(&link->is_open) &&
        !is_standing(link)) {
        log_warn("peer.cut", "peer=%s urgency=%d", link->code, link->urgency);
        stream_cancel(link->user.stream);
        return;
    }
    if (atomic_load(&link->is_open)) {
        pump(link);
    } else {
        open_stream(link);
    }
}

static void poke(struct link *link)
{
    if (!atomic_exchange(&link->is_poked, true)) {
        cq_post(link->cq, &link->post);
    }
}

static struct link *link_to(struct links *links, const char *node_code, enum urgency urgency)
{
    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        struct link *link = &links->items[i];

        if (link->urgency == urgency && strcmp(link->code, node_code) == 0) {
            return link;
        }
    }
    return NULL;
}

struct recent *links_keep(struct links *links, const char *node_code, const struct message *message,
                          const uint8_t commitment[HASH_SIZE])
{
    const struct link *link = link_to(links, node_code, message->header.urgency);

    return link != NULL && atomic_load(&link->is_open)
               ? recent_new(&links->room, message, commitment)
               : NULL;
}

void links_owe(struct links *links, const char *node_code, enum urgency urgency,
               struct recent *recent, const struct leaf *leaf)
{
    struct link *link = link_to(links, node_code, urgency);

    if (link == NULL) {
        recent_free(recent);
        return;
    }
    if (recent != NULL) {
        recent_put(&link->packing.recents, recent, leaf);
    }
    poke(link);
}

void links_look(struct links *links,
                void (*say)(void *to, const char *peer, enum urgency urgency, bool is_up,
                            unsigned failures),
                void *to)
{
    OWN_EDITION(edition) = inforce_take(links->node->inforce);

    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        const struct link *link = &links->items[i];

        if (stands(node_by_code(edition->directory, link->code))) {
            say(to, link->code, link->urgency, atomic_load(&link->is_ready),
                atomic_load(&link->failures));
        }
    }
}

void links_owe_late(struct links *links, const char *node_code, enum urgency urgency)
{
    struct link *link = link_to(links, node_code, urgency);

    if (link != NULL) {
        atomic_store(&link->is_late, true);
        poke(link);
    }
}

void links_hurry(struct links *links, const char *node_code, enum urgency urgency, unsigned percent)
{
    struct link *link = link_to(links, node_code, urgency);

    if (link != NULL) {
        atomic_store(&link->hurry, percent < 100 ? percent : 100);
    }
}

int64_t links_unreached_ms(struct links *links, const char *node_code, enum urgency urgency)
{
    const struct link *link = link_to(links, node_code, urgency);

    return link != NULL ? atomic_load(&link->unreached_ms) : 0;
}

void links_poke_all(struct links *links)
{
    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        poke(&links->items[i]);
    }
}

/* ---- life ---- */

static enum rc channel_to(const struct node *node, const struct node_entry *peer,
                          struct channel **channel)
{
    struct channel_config config = {
        .target = peer->address,
        .certificate_file = node->certificate_file,
        .key_file = node->key_file,
        .ca_file = node->ca_file,
        .server_identity = peer->uri,
    };

    return channel_new(&config, channel);
}

static void link_init(struct link *link, struct links *links, const struct node_entry *peer,
                      enum urgency urgency, struct channel *channel)
{
    link->user.events = &link_events;
    link->links = links;
    memcpy(link->code, peer->code, CODE_SIZE);
    link->peer = *peer;
    memcpy(link->address, peer->address, sizeof link->address);
    link->urgency = urgency;
    atomic_store(&link->channel, channel);
    link->cq = cq_pool_next(links->node->link_pool);
    link->post.op.done = on_poke;
    link->packing = (struct packing){.node = links->node, .code = link->code, .urgency = urgency};
}

static enum rc open_channel(struct links *links, const struct node_entry *peer,
                            struct channel **channel)
{
    if (links->channel_count == LINK_CHANNELS_MAX) {
        return failed(RC_RESOURCE_EXHAUSTED, "peer.channels", "peer=%s", peer->code);
    }
    TRY(channel_to(links->node, peer, &links->channels[links->channel_count]));
    *channel = links->channels[links->channel_count++];
    return RC_OK;
}

static enum rc add_peer(struct links *links, const struct node_entry *peer)
{
    size_t count = atomic_load(&links->peer_count);
    struct channel *channels[2];

    if (count == DIRECTORY_NODES_MAX) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(open_channel(links, peer, &channels[0]));
    TRY(open_channel(links, peer, &channels[1]));
    link_init(&links->items[2 * count], links, peer, URGENCY_ORDINARY, channels[0]);
    link_init(&links->items[2 * count + 1], links, peer, URGENCY_URGENT, channels[1]);
    atomic_store(&links->peer_count, count + 1); /* only now others see them */
    return RC_OK;
}

/* Streams under way stay where they are; the next one goes to the new address. */
static enum rc move_peer(struct links *links, struct link *link, const struct node_entry *peer)
{
    struct channel *channel;

    if (strcmp(link->address, peer->address) == 0) {
        return RC_OK;
    }
    TRY(open_channel(links, peer, &channel));
    memcpy(link->address, peer->address, sizeof link->address);
    atomic_store(&link->channel, channel);
    log_info("peer.moved", "peer=%s address=%s", link->code, peer->address);
    return RC_OK;
}

static enum rc refresh_peer(struct links *links, const struct node_entry *peer)
{
    bool is_known = false;

    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        if (strcmp(links->items[i].code, peer->code) == 0) {
            is_known = true;
            TRY(move_peer(links, &links->items[i], peer));
        }
    }
    return is_known ? RC_OK : add_peer(links, peer);
}

enum rc links_refresh(struct links *links)
{
    OWN_EDITION(edition) = inforce_take(links->node->inforce);
    const struct directory *directory = edition->directory;

    for (size_t i = 0; i < directory->node_count; i++) {
        if (!node_is(&directory->nodes[i], links->node->self)) {
            TRY(refresh_peer(links, &directory->nodes[i]));
        }
    }
    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        atomic_store(&links->items[i].is_doubted, true);
    }
    return RC_OK;
}

struct links *links_new(struct node *node)
{
    OWN_PTR(links) links = calloc(1, sizeof *links);

    if (links == NULL) {
        return NULL;
    }
    links->node = node;
    atomic_init(&links->room, RECENT_BYTES_MAX);
    links->items = calloc((size_t)2 * DIRECTORY_NODES_MAX, sizeof *links->items);
    if (links->items == NULL || links_refresh(links) != RC_OK) {
        return NULL;
    }
    return MOVE(links);
}

void links_start(struct links *links)
{
    links_poke_all(links);
}

void links_stop(struct links *links)
{
    bool is_any = true;

    for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
        atomic_store(&links->items[i].is_stopping, true);
    }
    while (is_any) {
        is_any = false;
        for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
            struct link *link = &links->items[i];

            if (atomic_load(&link->is_open) || atomic_load(&link->is_poked) ||
                atomic_load(&link->is_anchoring)) {
                is_any = true;
                poke(link);
            }
        }
        clock_sleep_ms(is_any ? 5 : 0);
    }
}

void links_free(struct links *links)
{
    if (links != NULL) {
        for (size_t i = 0; i < links->channel_count; i++) {
            channel_free(links->channels[i]);
        }
        for (size_t i = 0; i < 2 * atomic_load(&links->peer_count); i++) {
            packing_release(&links->items[i].packing);
        }
        free(links->items);
        free(links);
    }
}
