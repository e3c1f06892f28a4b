#include "relay/recall_own.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "rpc/channel.h"
#include "rpc/codec_service.h"
#include "rpc/cq.h"
#include "store/anchor.h"
#include "store/writer.h"
#include "tlog/checkpoint.h"

#define METHOD "/enlace.v1.FederationService/GetCheckpoint"
#define ANSWER_ARENA ((size_t)256 << 10)

struct recall {
    struct channel_user user; /* first */
    char peer[CODE_SIZE];
    struct channel *channel;
    enum rc rc;
    struct buffer response;
    atomic_bool is_done; /* what stands above is the asker's again */
};

static void on_answer(struct channel_user *user, struct bytes response, const struct fault *fault)
{
    struct recall *recall = (struct recall *)user;

    recall->rc = fault->rc;
    if (fault->rc == RC_OK) {
        buffer_put_bytes(&recall->response, response);
    }
    atomic_store(&recall->is_done, true);
}

static enum rc begin(struct recall *recall, struct node *node, const struct node_entry *peer,
                     int64_t timeout_ms)
{
    struct channel_config config = {
        .target = peer->address,
        .certificate_file = node->certificate_file,
        .key_file = node->key_file,
        .ca_file = node->ca_file,
        .server_identity = peer->uri,
    };
    OWN(buffer) request = {0};

    recall->user.on_answer = on_answer;
    memcpy(recall->peer, peer->code, sizeof recall->peer);
    codec_origin_write(node->self->origin, &request);
    TRY(channel_new(&config, &recall->channel));
    return channel_start(recall->channel, cq_pool_next(node->link_pool), METHOD,
                         buffer_bytes(&request), (int)timeout_ms, &recall->user);
}

/* Empty: it never saw our log. A note that is not signed by us says nothing about us. */
static enum rc check_note(const struct node *node, const struct recall *recall, struct bytes note,
                          uint64_t size)
{
    struct checkpoint shown;

    if (note.size == 0) {
        return RC_OK;
    }
    if (checkpoint_open(note, &node->log_vkey, NULL, &shown) != RC_OK) {
        log_error("peer.recall", "peer=%s check=checkpoint_not_ours", recall->peer);
        return RC_OK;
    }
    log_info("peer.recalls", "peer=%s size=%llu", recall->peer, (unsigned long long)shown.size);
    return anchor_hold_to(node->db, size, &shown, recall->peer);
}

static enum rc judge(const struct node *node, const struct recall *recall)
{
    OWN_PTR(arena) arena = arena_new(ANSWER_ARENA);
    struct commit_point *newest = writer_latest(node->writer);
    uint64_t size = commit_point_size(newest);
    struct bytes note;

    commit_point_release(newest);
    if (arena == NULL || recall->response.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (codec_note_read(buffer_bytes(&recall->response), arena, &note, NULL) != RC_OK) {
        log_error("peer.recall", "peer=%s check=malformed", recall->peer);
        return RC_OK;
    }
    return check_note(node, recall, note, size);
}

/* Waits for all of them: each call ends by its own deadline. */
static enum rc judge_all(const struct node *node, struct recall *recalls, size_t count,
                         size_t *answered)
{
    enum rc rc = RC_OK;

    for (size_t i = 0; i < count; i++) {
        while (!atomic_load(&recalls[i].is_done)) {
            clock_sleep_ms(2);
        }
        if (recalls[i].rc == RC_OK) {
            enum rc judged = judge(node, &recalls[i]);

            rc = rc == RC_OK ? judged : rc;
            (*answered)++;
        }
    }
    return rc;
}

static void say_outcome(size_t count, size_t answered)
{
    if (answered == 0) {
        log_warn("recall.unanswered",
                 "peers=%zu answered=0 only the anchor says that this data is the newest; compare "
                 "with the peers' operators if it was restored",
                 count);
    } else {
        log_info("recall.answered", "peers=%zu answered=%zu", count, answered);
    }
}

enum rc recall_own(struct node *node, int64_t timeout_ms)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct directory *directory = edition->directory;
    size_t most = directory->node_count;
    struct recall *recalls = calloc(most + 1, sizeof *recalls);
    size_t count = 0;
    size_t answered = 0;
    enum rc rc = recalls != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;

    for (size_t i = 0; rc == RC_OK && timeout_ms > 0 && i < most; i++) {
        if (strcmp(directory->nodes[i].code, node->self->code) == 0) {
            continue;
        }
        if (begin(&recalls[count], node, &directory->nodes[i], timeout_ms) != RC_OK) {
            channel_free(recalls[count].channel);
            recalls[count] = (struct recall){0};
            continue;
        }
        count++;
    }
    if (rc == RC_OK) {
        rc = judge_all(node, recalls, count, &answered);
    }
    for (size_t i = 0; i < count; i++) {
        channel_free(recalls[i].channel);
        buffer_release(&recalls[i].response);
    }
    free(recalls);
    if (rc == RC_OK && count > 0) {
        say_outcome(count, answered);
    }
    return rc;
}
