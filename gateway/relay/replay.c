#include "relay/replay.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/chain.h"
#include "relay/comeback.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "store/db.h"
#include "store/seen.h"
#include "tlog/succession.h"

#define METHOD "/enlace.v1.FederationService/Replay"
#define PAGE_ARENA_MAX ((size_t)96 << 20)
#define TIMEOUT_MS 5000
#define WAIT_LEAST_MS 200
#define WAIT_MOST_MS 5000
#define TICK_MS 50

/* One peer that is asked. */
struct source {
    struct node_entry peer; /* as the directory had it at the start */
    struct channel *channel;
    struct replay_mark mark;
    int64_t next_ms; /* monotonic */
    unsigned failures;
};

struct replay {
    struct node *node;
    struct source *sources;
    size_t count;
    atomic_size_t left; /* not complete */
    atomic_bool is_stopping;
    pthread_t thread;
    bool has_thread;
};

/* ---- one page ---- */

/* On the line that `seen` keeps of that log, durable, before anything of the page is used. */
static enum rc keep_seen(struct node *node, const struct chain *chain, const struct chain *before,
                         struct bytes note)
{
    struct seen_write write = {
        .checkpoint = &chain->last, .note = note, .proven = seen_point_of(&before->last)};

    return seen_put(node->seen, &write);
}

static enum rc take_page(struct replay *replay, struct source *source, struct bytes response,
                         struct chain *chain, struct arena *arena, struct fault *fault)
{
    struct chain before = *chain;
    OWN_EDITION(edition) = inforce_take(replay->node->inforce);
    struct replay_page page;
    struct comeback_page coming = {.node = replay->node,
                                   .directory = edition->directory,
                                   .peer = &source->peer,
                                   .chain = chain,
                                   .page = &page,
                                   .arena = arena};

    TRY(codec_replay_page_read(response, arena, &page, fault));
    if (page.next_index < source->mark.next_index) {
        return refuse(fault, RC_DATA_LOSS, "replay.backward", "next_index",
                      "El otro nodo contesta hojas anteriores a las que se le pidieron.");
    }
    TRY(chain_extend(chain, &page.progress, fault));
    TRY(keep_seen(replay->node, chain, &before, page.progress.checkpoint));
    return comeback_take(&coming, &source->mark);
}

static enum rc ask(struct replay *replay, struct source *source, struct fault *fault)
{
    struct node *node = replay->node;
    OWN_PTR(arena) arena = arena_new(PAGE_ARENA_MAX);
    OWN(buffer) request = {0};
    OWN(buffer) response = {0};
    OWN(buffer) note = {0};
    struct chain chain;
    struct replay_request asked = {.origin = node->self->origin,
                                   .succession = node->succession_note,
                                   .from_index = source->mark.next_index};

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(chain_load(&chain, node, &source->peer, &note));
    asked.seen_size = chain.last.size;
    codec_replay_request_write(&asked, &request);
    TRY(channel_call(source->channel, METHOD, buffer_bytes(&request), TIMEOUT_MS, &response,
                     fault));
    return take_page(replay, source, buffer_bytes(&response), &chain, arena, fault);
}

/* ---- rounds ---- */

static void say_complete(struct replay *replay, const struct source *source)
{
    size_t left = atomic_fetch_sub(&replay->left, 1) - 1;

    log_info("replay.complete", "peer=%s taken=%llu refused=%llu peers_left=%zu", source->peer.code,
             (unsigned long long)source->mark.taken, (unsigned long long)source->mark.refused,
             left);
    if (left == 0) {
        log_warn("replay.over", "node=%s list what is missing with enlace log gap",
                 replay->node->self->code);
    }
}

static void put_off(struct source *source, enum rc rc, const struct fault *fault)
{
    int64_t wait_ms = (int64_t)WAIT_LEAST_MS << (source->failures < 5 ? source->failures : 5);

    if (source->failures++ % 16 == 0) {
        log_warn("replay.waiting", "peer=%s rc=%s reason=%s next_leaf=%llu", source->peer.code,
                 rc_name(rc), fault->reason, (unsigned long long)source->mark.next_index);
    }
    source->next_ms = clock_monotonic_ms() + (wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS);
}

static void step(struct replay *replay, struct source *source)
{
    struct fault fault = {0};
    enum rc rc;

    if (source->mark.is_complete || clock_monotonic_ms() < source->next_ms) {
        return;
    }
    rc = ask(replay, source, &fault);
    if (rc != RC_OK) {
        put_off(source, rc, &fault);
        return;
    }
    source->failures = 0;
    if (source->mark.is_complete) {
        say_complete(replay, source);
    }
}

static void *run(void *argument)
{
    struct replay *replay = argument;

    while (!atomic_load(&replay->is_stopping) && atomic_load(&replay->left) > 0) {
        int64_t began_ms = clock_monotonic_ms();

        for (size_t i = 0; i < replay->count && !atomic_load(&replay->is_stopping); i++) {
            step(replay, &replay->sources[i]);
        }
        if (clock_monotonic_ms() - began_ms < TICK_MS) {
            clock_sleep_ms(TICK_MS);
        }
    }
    return NULL;
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

static enum rc add_source(struct replay *replay, const struct node_entry *peer)
{
    struct source *source = &replay->sources[replay->count];
    OWN_READ(txn) = NULL;
    enum rc rc;

    TRY(txn_read(replay->node->db, &txn));
    rc = replay_mark_get(txn, peer->code, &source->mark);
    if (rc != RC_OK && rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(channel_to(replay->node, peer, &source->channel));
    source->peer = *peer;
    replay->count++;
    if (!source->mark.is_complete) {
        atomic_fetch_add(&replay->left, 1);
    }
    return RC_OK;
}

static enum rc add_sources(struct replay *replay)
{
    OWN_EDITION(edition) = inforce_take(replay->node->inforce);
    const struct directory *directory = edition->directory;

    replay->sources = calloc(directory->node_count + 1, sizeof *replay->sources);
    if (replay->sources == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < directory->node_count; i++) {
        if (!node_is(&directory->nodes[i], replay->node->self)) {
            TRY(add_source(replay, &directory->nodes[i]));
        }
    }
    return RC_OK;
}

enum rc replay_start(struct node *node, struct replay **replay)
{
    OWN_PTR(replay) made = NULL;

    if (node->succession == NULL) {
        return RC_OK;
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->node = node;
    TRY(add_sources(made));
    if (pthread_create(&made->thread, NULL, run, made) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(made->thread, "replay");
    made->has_thread = true;
    *replay = MOVE(made);
    return RC_OK;
}

void replay_free(struct replay *replay)
{
    if (replay == NULL) {
        return;
    }
    atomic_store(&replay->is_stopping, true);
    if (replay->has_thread) {
        pthread_join(replay->thread, NULL);
    }
    for (size_t i = 0; replay->sources != NULL && i < replay->count; i++) {
        channel_free(replay->sources[i].channel);
    }
    free(replay->sources);
    free(replay);
}

bool replay_is_under_way(const struct replay *replay)
{
    return replay != NULL && atomic_load(&replay->left) > 0;
}
