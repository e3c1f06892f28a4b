#include "relay/wake_peer.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "policy/member.h"
#include "policy/route.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/who.h"
#include "rpc/call.h"
#include "rpc/channel.h"
#include "rpc/codec_duty.h"
#include "store/db.h"
#include "store/dutycall.h"
#include "store/writer.h"

#define METHOD "/enlace.v1.FederationService/WakeDuty"
#define ASK_TIMEOUT_MS 5000
#define ARENA_MAX ((size_t)64 << 10)

/* ---- who comes next ---- */

bool wake_peer_next(const struct directory *directory, const struct dutycall *call,
                    char member[CODE_SIZE])
{
    const struct route *route = call->route[0] != '\0' ? route_by_id(directory, call->route) : NULL;
    size_t first = 0;

    if (route == NULL) {
        return false;
    }
    for (size_t i = 0; i < route->ladder_count; i++) {
        if (strcmp(route->ladder[i], call->key.member) == 0) {
            first = i + 1;
        }
    }
    for (size_t i = first; i < route->ladder_count; i++) {
        if (strcmp(route->ladder[i], call->because) != 0 &&
            strcmp(route->ladder[i], call->key.member) != 0) {
            memcpy(member, route->ladder[i], CODE_SIZE);
            return true;
        }
    }
    return false;
}

static bool hosts(const struct directory *directory, const char *member,
                  const struct node_entry *node)
{
    return node_is(node_of_member(directory, member, clock_local_day(clock_now_ms())), node);
}

bool wake_peer_is_hosted(const struct node *node, const char *member)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);

    return hosts(edition->directory, member, node->self);
}

void wake_peer_key(const struct node *node, const struct dutycall *call, const char *member,
                   struct dutycall_key *key)
{
    *key = (struct dutycall_key){.kind = DUTYCALL_RELAYED};
    snprintf(key->member, sizeof key->member, "%s", member);
    dutycall_name(DUTYCALL_TOKEN, node->self->origin, call, &key->exchange);
}

/* ---- asking ---- */

static enum rc channel_to(const struct node *node, const char *member, struct channel **channel)
{
    OWN_EDITION(edition) = inforce_take(node->inforce);
    const struct node_entry *host =
        node_of_member(edition->directory, member, clock_local_day(clock_now_ms()));

    if (host == NULL) {
        return RC_NOT_FOUND;
    }
    const struct channel_config config = {
        .target = host->address,
        .certificate_file = node->certificate_file,
        .key_file = node->key_file,
        .ca_file = node->ca_file,
        .server_identity = host->uri,
    };
    return channel_new(&config, channel);
}

enum rc wake_peer_ask(const struct node *node, const struct dutycall *call, const char *member,
                      struct wake_outcome *outcome, struct fault *fault)
{
    OWN_PTR(channel) channel = NULL;
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) request = {0};
    OWN(buffer) response = {0};
    struct dutycall_key key;
    struct wake_answer answer;

    *outcome = (struct wake_outcome){0};
    wake_peer_key(node, call, member, &key);
    codec_wake_request_write(&(struct wake_request){.from = call->key.member,
                                                    .to = member,
                                                    .token = key.exchange,
                                                    .urgency = call->urgency,
                                                    .due_at_ms = call->due_ms},
                             &request);
    if (arena == NULL || request.is_failed) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(channel_to(node, member, &channel));
    TRY(channel_call(channel, METHOD, buffer_bytes(&request), ASK_TIMEOUT_MS, &response, fault));
    TRY(codec_wake_answer_read(buffer_bytes(&response), arena, &answer, fault));
    snprintf(outcome->actor, sizeof outcome->actor, "%s", answer.actor);
    outcome->answered_at_ms = answer.answered_at_ms;
    return RC_OK;
}

/* ---- being asked ---- */

struct wake_job {
    struct write write; /* first: the writer's */
    struct node *node;
    struct call *call;
    struct dutycall duty; /* what is to be put; then what stands */
    struct fault fault;
};

static bool is_on_ladder(const struct directory *directory, const char *from, const char *to)
{
    int32_t today = clock_local_day(clock_now_ms());

    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        if ((strcmp(route->from, from) != 0 && strcmp(route->to, from) != 0 &&
             strcmp(route->ladder[0], from) != 0) ||
            !route_is_in_force(directory, route, today)) {
            continue;
        }
        for (size_t k = 0; k < route->ladder_count; k++) {
            if (strcmp(route->ladder[k], to) == 0) {
                return true;
            }
        }
    }
    return false;
}

static enum rc prepare(struct wake_job *job)
{
    OWN_EDITION(edition) = inforce_take(job->node->inforce);
    struct dutycall *duty = &job->duty;
    struct wake_request request;
    struct node_entry peer;

    TRY(who_is_node(job->node, call_peer(job->call), &peer, &job->fault));
    TRY(codec_wake_request_read(call_request(job->call), call_arena(job->call), &request,
                                &job->fault));
    if (!hosts(edition->directory, request.from, &peer)) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "duty.not_yours", "from",
                      "Ese nodo no atiende a esa institución.");
    }
    if (!hosts(edition->directory, request.to, job->node->self) ||
        !is_on_ladder(edition->directory, request.from, request.to)) {
        return refuse(&job->fault, RC_PERMISSION_DENIED, "duty.not_on_ladder", "to",
                      "Ninguna ruta en vigor avisa a esa institución.");
    }
    *duty = (struct dutycall){.key = {.kind = DUTYCALL_RELAYED, .exchange = request.token},
                              .urgency = request.urgency,
                              .due_ms = request.due_at_ms,
                              .made_at_ms = clock_now_ms()};
    snprintf(duty->key.member, sizeof duty->key.member, "%s", request.to);
    snprintf(duty->because, sizeof duty->because, "%s", request.from);
    return RC_OK;
}

static enum rc count_open(struct txn *txn, const char *because, unsigned *count)
{
    struct dutycall found;
    enum rc rc = dutycall_next(txn, false, NULL, &found);

    *count = 0;
    while (rc == RC_OK) {
        struct dutycall_key after = found.key;

        *count += found.key.kind == DUTYCALL_RELAYED && strcmp(found.because, because) == 0;
        rc = dutycall_next(txn, false, &after, &found);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc apply_wake(struct write *write, struct txn *txn)
{
    struct wake_job *job = (struct wake_job *)write;
    struct dutycall found;
    unsigned open = 0;
    enum rc rc = dutycall_get(txn, &job->duty.key, &found);

    if (rc == RC_OK) {
        job->duty = found;
        return RC_OK;
    }
    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    TRY(count_open(txn, job->duty.because, &open));
    if (open >= WAKE_PEER_OPEN_MAX) {
        return refuse(&job->fault, RC_RESOURCE_EXHAUSTED, "duty.too_many", "",
                      "Esa institución tiene demasiados avisos abiertos aquí.");
    }
    return dutycall_put(txn, &job->duty);
}

static void answer_call(struct call *call)
{
    struct wake_job *job = (struct wake_job *)call_state(call);
    bool is_answered = job->duty.state == DUTYCALL_ANSWERED;
    struct wake_answer answer = {.actor = is_answered ? job->duty.actor : "",
                                 .answered_at_ms = is_answered ? job->duty.over_at_ms : 0};
    OWN(buffer) response = {0};

    commit_point_release(job->write.point);
    if (job->write.rc != RC_OK) {
        refuse(&job->fault, RC_UNAVAILABLE, "node.unavailable", "",
               "El nodo no pudo guardar el aviso; reintente.");
        call_refuse(call, &job->fault);
        return;
    }
    log_info("duty.relayed", "from=%s member=%s duty=%llu", job->duty.because, job->duty.key.member,
             (unsigned long long)job->duty.number);
    codec_wake_answer_write(&answer, &response);
    call_reply(call, buffer_bytes(&response));
}

static void wake_done(struct write *write)
{
    call_resume(((struct wake_job *)write)->call, answer_call);
}

static const struct write_ops wake_ops = {.name = "wake", .apply = apply_wake, .done = wake_done};

void wake_peer_on_call(struct rpc_service *service, struct call *call)
{
    struct wake_job *job = arena_alloc(call_arena(call), sizeof *job);
    struct fault fault = {0};

    if (job == NULL) {
        refuse(&fault, RC_RESOURCE_EXHAUSTED, "node.busy", "", "El nodo está ocupado; reintente.");
        call_refuse(call, &fault);
        return;
    }
    job->node = (struct node *)service;
    job->call = call;
    job->write = (struct write){.ops = &wake_ops, .bytes = 1024};
    call_set_state(call, (struct call_state *)job);
    if (prepare(job) == RC_OK && writer_submit(job->node->writer, &job->write) == RC_OK) {
        return;
    }
    refuse(&job->fault, RC_UNAVAILABLE, "node.busy", "", "El nodo está ocupado; reintente.");
    log_warn("duty.wake_refused", "reason=%s", job->fault.reason);
    call_refuse(call, &job->fault);
}
