#include "relay/lawfetch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "policy/directory_file.h"
#include "policy/law.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/shelf.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"

#define METHOD "/enlace.v1.FederationService/FetchDirectory"
#define ASK_EVERY_MS 500
#define ASK_TIMEOUT_MS 2000
#define ARENA_MAX ((size_t)16 << 20)
#define HINTS 64

/* A peer's channel for questions, made when it is asked first. */
struct asked {
    char code[CODE_SIZE];
    char address[128];
    struct channel *channel;
};

struct lawfetch {
    struct node *node;
    struct asked peers[DIRECTORY_NODES_MAX];
    size_t peer_count;
    size_t turn; /* of the directory's nodes */
    int64_t ask_at_ms;
    atomic_uint_fast64_t hints[HINTS]; /* digests of codes of peers to be asked soon; 0: none */
};

/* ---- hints ---- */

static uint_fast64_t mark_of(const char *code)
{
    struct bytes text = bytes_text(code);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&text, 1, digest);
    return get_u64(digest) | 1;
}

void lawfetch_hint(const struct node *node, const char *peer_code, struct bytes sha256)
{
    uint8_t ours[HASH_SIZE];
    uint_fast64_t mark;

    if (node->fetch == NULL || sha256.size != HASH_SIZE) {
        return;
    }
    inforce_digest(node->inforce, ours);
    if (memcmp(ours, sha256.data, HASH_SIZE) == 0) {
        return;
    }
    mark = mark_of(peer_code);
    atomic_store(&node->fetch->hints[mark % HINTS], mark);
}

static bool is_hinted(struct lawfetch *fetch, const char *code)
{
    uint_fast64_t mark = mark_of(code);
    uint_fast64_t expected = mark;

    return atomic_compare_exchange_strong(&fetch->hints[mark % HINTS], &expected, 0);
}

/* ---- asking ---- */

static bool may_ask(const struct lawfetch *fetch, const struct node_entry *peer)
{
    return !node_is(peer, fetch->node->self) && !peer->is_suspended &&
           dates_cover(peer->in_force, clock_local_day(clock_now_ms()));
}

/* Whoever was hinted at, else the next in turn; NULL: nobody. */
static const struct node_entry *choose(struct lawfetch *fetch, const struct directory *directory)
{
    for (size_t i = 0; i < directory->node_count; i++) {
        const struct node_entry *peer = &directory->nodes[i];

        if (may_ask(fetch, peer) && is_hinted(fetch, peer->code)) {
            return peer;
        }
    }
    for (size_t i = 0; i < directory->node_count; i++) {
        const struct node_entry *peer =
            &directory->nodes[(fetch->turn + i) % directory->node_count];

        if (may_ask(fetch, peer)) {
            fetch->turn += i + 1;
            return peer;
        }
    }
    return NULL;
}

static struct asked *place_of(struct lawfetch *fetch, const struct node_entry *peer)
{
    for (size_t i = 0; i < fetch->peer_count; i++) {
        if (strcmp(fetch->peers[i].code, peer->code) == 0) {
            return &fetch->peers[i];
        }
    }
    if (fetch->peer_count == DIRECTORY_NODES_MAX) {
        return NULL;
    }
    memcpy(fetch->peers[fetch->peer_count].code, peer->code, CODE_SIZE);
    return &fetch->peers[fetch->peer_count++];
}

static struct channel *channel_to(struct lawfetch *fetch, const struct node_entry *peer)
{
    struct asked *asked = place_of(fetch, peer);
    struct channel_config config = {.target = peer->address,
                                    .certificate_file = fetch->node->certificate_file,
                                    .key_file = fetch->node->key_file,
                                    .ca_file = fetch->node->ca_file,
                                    .server_identity = peer->uri};

    if (asked == NULL) {
        return NULL;
    }
    if (asked->channel != NULL && strcmp(asked->address, peer->address) != 0) {
        channel_free(asked->channel);
        asked->channel = NULL;
    }
    if (asked->channel == NULL && channel_new(&config, &asked->channel) == RC_OK) {
        memcpy(asked->address, peer->address, sizeof asked->address);
    }
    return asked->channel;
}

static enum rc write_request(const struct law *law, struct buffer *request)
{
    size_t count = law_count(law);
    struct law_note *notes = calloc(count + 1, sizeof *notes);
    struct held_text *held = calloc(count + 1, sizeof *held);

    for (size_t i = 0; notes != NULL && held != NULL && i < count; i++) {
        law_at(law, i, &notes[i]);
        held[i].kind = (enum held_kind)(notes[i].kind + 1);
        held[i].subject = notes[i].subject;
        held[i].version = notes[i].version;
        held[i].sha256 = BYTES(notes[i].sha256, HASH_SIZE);
    }
    if (notes != NULL && held != NULL) {
        codec_fetch_request_write(held, count, request);
    }
    request->is_failed = request->is_failed || notes == NULL || held == NULL;
    free(notes);
    free(held);
    return request->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void take(const char *peer, const struct bytes *notes, size_t count, struct law *law,
                 struct directory **directory)
{
    struct law_offer *offers = calloc(count + 1, sizeof *offers);

    if (offers == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        offers[i].note = notes[i];
        offers[i].name = peer;
    }
    if (law_offer(law, offers, count, directory) != RC_OK) {
        log_warn("directory.fetch", "peer=%s check=offer", peer);
    }
    for (size_t i = 0; i < count; i++) {
        if (offers[i].rc == RC_OK) {
            log_info("directory.taken", "peer=%s", peer);
        } else if (offers[i].rc != RC_ALREADY_EXISTS) {
            log_info("directory.refused", "peer=%s reason=%s cause=\"%s\"", peer,
                     offers[i].fault.reason, offers[i].fault.remedy);
        }
    }
    free(offers);
}

static void ask(struct lawfetch *fetch, const struct node_entry *peer, struct law *law,
                struct directory **directory)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct channel *channel = channel_to(fetch, peer);
    OWN(buffer) request = {0};
    OWN(buffer) response = {0};
    struct fault fault = {0};
    struct bytes *notes = NULL;
    size_t count = 0;

    if (arena == NULL || channel == NULL || write_request(law, &request) != RC_OK) {
        return;
    }
    if (channel_call(channel, METHOD, buffer_bytes(&request), ASK_TIMEOUT_MS, &response, &fault) !=
            RC_OK ||
        codec_fetch_response_read(buffer_bytes(&response), arena, &notes, &count, &fault) !=
            RC_OK) {
        log_debug("directory.fetch", "peer=%s reason=%s", peer->code, fault.reason);
        return;
    }
    if (count > 0) {
        take(peer->code, notes, count, law, directory);
    }
}

void lawfetch_step(struct lawfetch *fetch, struct law *law, struct directory **directory)
{
    OWN_EDITION(edition) = inforce_take(fetch->node->inforce);
    const struct node_entry *peer;

    if (clock_monotonic_ms() < fetch->ask_at_ms) {
        return;
    }
    fetch->ask_at_ms = clock_monotonic_ms() + ASK_EVERY_MS;
    peer = choose(fetch, edition->directory);
    if (peer != NULL) {
        ask(fetch, peer, law, directory);
    }
}

/* ---- answering ---- */

static bool is_held(const struct held_text *held, size_t count, const struct law_note *note)
{
    for (size_t i = 0; i < count; i++) {
        if ((int)held[i].kind != (int)note->kind + 1 ||
            strcmp(held[i].subject, note->subject) != 0) {
            continue;
        }
        if (note->kind == LAW_SUSPENSION ? memcmp(held[i].sha256.data, note->sha256, HASH_SIZE) == 0
                                         : held[i].version >= note->version) {
            return true;
        }
    }
    return false;
}

static enum rc answer(const struct edition *edition, struct call *call, struct buffer *response,
                      struct fault *fault)
{
    const struct shelf *shelf = edition->shelf;
    struct bytes *notes = arena_alloc(call_arena(call), (shelf->count + 1) * sizeof *notes);
    struct held_text *held = NULL;
    size_t held_count = 0;
    size_t count = 0;
    size_t bytes = 0;

    TRY(codec_fetch_request_read(call_request(call), call_arena(call), &held, &held_count, fault));
    if (notes == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < shelf->count && count < LAW_TEXTS_MAX; i++) {
        const struct law_note *note = &shelf->notes[i];

        if (is_held(held, held_count, note) || bytes + note->note.size > LAWFETCH_BYTES_MAX) {
            continue;
        }
        bytes += note->note.size;
        notes[count++] = note->note;
    }
    codec_fetch_response_write(notes, count, response);
    return response->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

void lawfetch_on_call(struct rpc_service *service, struct call *call)
{
    struct node *node = (struct node *)service;
    OWN_EDITION(edition) = inforce_take(node->inforce);
    OWN(buffer) response = {0};
    struct fault fault = {0};
    struct node_entry peer;
    enum rc rc = who_is_node(node, call_peer(call), &peer, &fault);

    rc = rc == RC_OK ? answer(edition, call, &response, &fault) : rc;
    if (rc != RC_OK) {
        refuse(&fault, rc, "node.unavailable", "", "El nodo no pudo atender; reintente.");
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, buffer_bytes(&response));
}

/* ---- life ---- */

enum rc lawfetch_new(struct node *node, struct lawfetch **out)
{
    struct lawfetch *fetch = calloc(1, sizeof *fetch);

    if (fetch == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    fetch->node = node;
    *out = fetch;
    return RC_OK;
}

void lawfetch_free(struct lawfetch *fetch)
{
    if (fetch != NULL) {
        for (size_t i = 0; i < fetch->peer_count; i++) {
            channel_free(fetch->peers[i].channel);
        }
        free(fetch);
    }
}
