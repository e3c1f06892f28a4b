#include "relay/cosigner.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/chain.h"
#include "relay/clock_doubt.h"
#include "policy/member.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/cq.h"
#include "store/auditlog.h"
#include "store/commit_point.h"
#include "store/db.h"

#define METHOD "/enlace.v1.FederationService/AddCheckpoint"
#define ANSWER_ARENA ((size_t)256 << 10)
/* A witness's clock may differ so much from ours; an older line is a replay. */
#define CLOCKS_S 600

/* ---- by which way ---- */

static bool is_its_key(const struct node_entry *entry, const struct vkey *witness)
{
    struct vkey listed;

    return vkey_parse(bytes_text(entry->witness_vkey), &listed) == RC_OK &&
           strcmp(listed.name, witness->name) == 0 &&
           memcmp(listed.public_key, witness->public_key, sizeof listed.public_key) == 0;
}

/* False: no other node of the directory has this key. */
static bool find_peer(const struct node *node, const struct vkey *witness, struct node_entry *peer)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    int32_t today = clock_local_day(clock_now_ms());

    for (size_t i = 0; i < edition->directory->node_count; i++) {
        const struct node_entry *entry = &edition->directory->nodes[i];

        if (strcmp(entry->code, node->self->code) != 0 && dates_cover(entry->in_force, today) &&
            is_its_key(entry, witness)) {
            *peer = *entry;
            return true;
        }
    }
    return false;
}

static enum rc open_channel(struct cosigner *cosigner, const struct node_entry *peer)
{
    struct channel_config config = {
        .target = peer->address,
        .certificate_file = cosigner->node->certificate_file,
        .key_file = cosigner->node->key_file,
        .ca_file = cosigner->node->ca_file,
        .server_identity = peer->uri,
    };

    channel_free(cosigner->channel);
    cosigner->channel = NULL;
    TRY(channel_new(&config, &cosigner->channel));
    memcpy(cosigner->address, peer->address, sizeof cosigner->address);
    return RC_OK;
}

/* By the directory of this moment; nothing is out. */
static bool find_way(struct cosigner *cosigner)
{
    struct node_entry peer;

    if (find_peer(cosigner->node, &cosigner->witness->vkey, &peer)) {
        return (cosigner->channel != NULL && strcmp(cosigner->address, peer.address) == 0) ||
               open_channel(cosigner, &peer) == RC_OK;
    }
    channel_free(cosigner->channel);
    cosigner->channel = NULL;
    return cosigner->http != NULL && cosigner->witness->url[0] != '\0' &&
           witness_url_parse(bytes_text(cosigner->witness->url), &cosigner->url) == RC_OK;
}

static void on_channel(struct channel_user *user, struct bytes response, const struct fault *fault);
static void on_http(struct http_user *user, int status, struct bytes body);

void cosigner_init(struct cosigner *cosigner, const struct node *node,
                   const struct policy_witness *witness, struct http_loop *http,
                   struct inbox *inbox)
{
    cosigner->node = node;
    cosigner->witness = witness;
    cosigner->http = http;
    cosigner->inbox = inbox;
    cosigner->cq = cq_pool_next(node->link_pool);
    cosigner->channel_user.on_answer = on_channel;
    cosigner->http_user.on_answer = on_http;
    if (!find_way(cosigner)) {
        log_warn("witness.no_way", "witness=%s check=neither a node's nor with a url",
                 witness->vkey.name);
    }
}

void cosigner_release(struct cosigner *cosigner)
{
    channel_free(cosigner->channel);
    buffer_release(&cosigner->answer);
    buffer_release(&cosigner->line);
}

/* ---- the question ---- */

static enum rc prove(const struct node *node, uint64_t old_size, uint64_t new_size,
                     struct proof *proof)
{
    OWN_PTR(auditlog_reader) reader = auditlog_reader_new();
    OWN_READ(txn) = NULL;

    if (reader == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(txn_read(node->db, &txn));
    return auditlog_consistency(reader, txn, old_size, new_size, proof);
}

/* A peer that saw more of our log through exchanging is shown that this one is its beginning. */
static enum rc write_rpc(const struct cosigner *cosigner, struct bytes body, uint64_t size,
                         struct buffer *request)
{
    struct add_request add = {.body = body};
    struct line later = {.old_size = size, .new_size = cosigner->known};
    struct proof proof;

    if (cosigner->known > size) {
        TRY(prove(cosigner->node, size, cosigner->known, &proof));
        later.consistency.count = proof.count;
        for (size_t i = 0; i < proof.count; i++) {
            later.consistency.hashes[i] = BYTES(proof.hashes[i], DIGEST_SIZE);
        }
        add.later = &later;
    }
    codec_add_request_write(&add, request);
    return request->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static enum rc send(struct cosigner *cosigner, struct bytes body, uint64_t size)
{
    OWN(buffer) request = {0};
    char path[WITNESS_PREFIX_SIZE + 32];

    if (cosigner->channel != NULL) {
        TRY(write_rpc(cosigner, body, size, &request));
        return channel_start(cosigner->channel, cosigner->cq, METHOD, buffer_bytes(&request),
                             COSIGNER_TIMEOUT_MS, &cosigner->channel_user);
    }
    snprintf(path, sizeof path, "%s/add-checkpoint", cosigner->url.prefix);
    return http_ask(cosigner->http, cosigner->url.host, cosigner->url.port, path, body,
                    COSIGNER_TIMEOUT_MS, &cosigner->http_user);
}

static enum rc ask(struct cosigner *cosigner, struct commit_point *point)
{
    uint64_t size = commit_point_size(point);
    uint64_t old_size = cosigner->known < size ? cosigner->known : size;
    struct proof proof = {0};
    OWN(buffer) body = {0};

    if (cosigner->known > size && cosigner->channel == NULL) {
        return RC_FAILED_PRECONDITION; /* the standard has no way to say it: the next one will do */
    }
    if (old_size > 0 && old_size < size) {
        TRY(prove(cosigner->node, old_size, size, &proof));
    }
    add_checkpoint_write(old_size, &proof, commit_point_note(point), &body);
    if (body.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    cosigner->asked = size;
    return send(cosigner, buffer_bytes(&body), size);
}

bool cosigner_ask(struct cosigner *cosigner, struct commit_point *point)
{
    if (cosigner->is_out || !find_way(cosigner)) {
        return false;
    }
    cosigner->tries++;
    cosigner->is_out = true;
    if (ask(cosigner, point) != RC_OK) {
        cosigner->is_out = false;
    }
    return cosigner->is_out;
}

/* ---- the answer, on its own thread ---- */

/* The inbox has room for every witness, and stays open while one is out. */
static void deliver(struct cosigner *cosigner)
{
    if (inbox_put(cosigner->inbox, &cosigner->item) != RC_OK) {
        log_error("witness.inbox", "witness=%s", cosigner->witness->vkey.name);
    }
}

static enum rc read_response(struct cosigner *cosigner, struct bytes response)
{
    OWN_PTR(arena) arena = arena_new(ANSWER_ARENA);
    struct add_response answer;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_add_response_read(response, arena, &answer, NULL));
    cosigner->status = (enum witness_status)answer.status;
    cosigner->size = answer.size;
    buffer_put_bytes(&cosigner->answer, answer.cosignature);
    return cosigner->answer.is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

static void on_channel(struct channel_user *user, struct bytes response, const struct fault *fault)
{
    struct cosigner *cosigner =
        (struct cosigner *)((char *)user - offsetof(struct cosigner, channel_user));

    buffer_clear(&cosigner->answer);
    cosigner->rc = fault->rc == RC_OK ? read_response(cosigner, response) : fault->rc;
    deliver(cosigner);
}

static void on_http(struct http_user *user, int status, struct bytes body)
{
    struct cosigner *cosigner =
        (struct cosigner *)((char *)user - offsetof(struct cosigner, http_user));

    buffer_clear(&cosigner->answer);
    cosigner->rc = status == HTTP_UNREACHABLE ? RC_UNAVAILABLE : RC_OK;
    cosigner->status = (enum witness_status)status;
    if (status == WITNESS_CONFLICT) {
        cosigner->rc = add_checkpoint_take_size(body, &cosigner->size);
    } else if (status == WITNESS_COSIGNED && body.size <= ADD_CHECKPOINT_ANSWER_MAX) {
        buffer_put_bytes(&cosigner->answer, body);
    }
    deliver(cosigner);
}

/* ---- the answer, with the gatherer ---- */

static enum cosigner_news refused(struct cosigner *cosigner, const char *check)
{
    if (!cosigner->is_failing) {
        log_warn("witness.refused", "witness=%s check=%s rc=%s status=%d",
                 cosigner->witness->vkey.name, check, rc_name(cosigner->rc),
                 cosigner->rc == RC_OK ? (int)cosigner->status : 0);
    }
    cosigner->is_failing = true;
    return COSIGNER_REFUSED;
}

static enum cosigner_news against(struct cosigner *cosigner, uint64_t own_size)
{
    if (cosigner->is_failing) {
        return COSIGNER_REFUSED;
    }
    cosigner->is_failing = true;
    log_error("witness.against",
              "witness=%s status=%d seen=%llu ours=%llu remedy=if that witness is right this is an "
              "older or another copy of the data: stop, and bring back the newest",
              cosigner->witness->vkey.name, (int)cosigner->status,
              (unsigned long long)cosigner->size, (unsigned long long)own_size);
    return COSIGNER_AGAINST;
}

static bool is_in_time(const struct node *node, uint64_t time_s)
{
    uint64_t now_s = (uint64_t)(clock_doubt_now_ms(node) / 1000);

    return time_s + CLOCKS_S >= now_s && time_s <= now_s + CLOCKS_S;
}

static enum cosigner_news take_line(struct cosigner *cosigner, struct bytes text)
{
    OWN(buffer) line = {0};
    uint64_t time_s;

    if (add_checkpoint_take_line(buffer_bytes(&cosigner->answer), text, &cosigner->witness->vkey,
                                 &line, &time_s) != RC_OK) {
        return refused(cosigner, "cosignature");
    }
    clock_doubt_hear(cosigner->node, cosigner->witness->vkey.name, time_s);
    if (!is_in_time(cosigner->node, time_s)) {
        return refused(cosigner, "time");
    }
    buffer_release(&cosigner->line);
    cosigner->line = line;
    line = (struct buffer){0};
    cosigner->cosigned = cosigner->asked;
    cosigner->time_s = time_s;
    if (cosigner->known < cosigner->asked) {
        cosigner->known = cosigner->asked;
    }
    if (cosigner->is_failing) {
        log_info("witness.back", "witness=%s", cosigner->witness->vkey.name);
    }
    cosigner->is_failing = false;
    return COSIGNER_SIGNED;
}

enum cosigner_news cosigner_take(struct cosigner *cosigner, struct bytes text, uint64_t own_size)
{
    cosigner->is_out = false;
    if (cosigner->rc != RC_OK) {
        return refused(cosigner, "unreachable");
    }
    if (cosigner->status == WITNESS_COSIGNED) {
        return take_line(cosigner, text);
    }
    if (cosigner->status == WITNESS_UNPROVEN ||
        (cosigner->status == WITNESS_CONFLICT && cosigner->size > own_size)) {
        return against(cosigner, own_size);
    }
    if (cosigner->status != WITNESS_CONFLICT) {
        return refused(cosigner, "answer");
    }
    cosigner->known = cosigner->size;
    return COSIGNER_BEHIND;
}
