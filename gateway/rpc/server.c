#include "rpc/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/credentials.h"
#include "rpc/serving.h"

#define SLOTS_DEFAULT 64
#define STREAM_SLOTS 8
#define UNKNOWN_SLOTS 4
#define STREAMS_DEFAULT 1024
#define KEEPALIVE_DEFAULT_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define HANDSHAKE_TIMEOUT_MS 3000
#define PING_LEAST_MS 5000
#define METADATA_MAX 16384
/*
 * What a client may send on a stream before it is read. With its own probing gRPC raises this to
 * 16 MiB where the line is fast, for as many streams as there are.
 */
#define STREAM_AHEAD_BYTES (256 << 10)

struct server {
    struct op stopped; /* first: the tag of the shutdown */
    grpc_server *core;
    struct cq_pool *pool;
    struct rpc_method *methods;
    size_t method_count;
    struct server_queue *queues;
    struct lane *lanes; /* method_count for each queue */
    struct credentials *credentials[SERVER_LISTENERS_MAX];
    int ports[SERVER_LISTENERS_MAX];
    size_t listener_count;
    unsigned slots;
    atomic_size_t inside; /* outstanding requests, calls, streams */
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct served *served; /* open streams */
    bool is_started;
    bool is_stopping;
    bool is_shut; /* gRPC has told that no call is left */
};

grpc_server *server_core(struct server *server)
{
    return server->core;
}

void server_enter(struct server *server)
{
    atomic_fetch_add(&server->inside, 1);
}

/* The last one out wakes the stop under the lock, because the server may be freed right after. */
void server_leave(struct server *server)
{
    size_t inside = atomic_load(&server->inside);

    while (inside > 1) {
        if (atomic_compare_exchange_weak(&server->inside, &inside, inside - 1)) {
            return;
        }
    }
    pthread_mutex_lock(&server->lock);
    atomic_fetch_sub(&server->inside, 1);
    pthread_cond_broadcast(&server->change);
    pthread_mutex_unlock(&server->lock);
}

void server_list(struct server *server, struct served *served)
{
    pthread_mutex_lock(&server->lock);
    served->prev = NULL;
    served->next = server->served;
    if (served->next != NULL) {
        served->next->prev = served;
    }
    server->served = served;
    pthread_mutex_unlock(&server->lock);
}

void server_unlist(struct server *server, struct served *served)
{
    pthread_mutex_lock(&server->lock);
    if (served->next != NULL) {
        served->next->prev = served->prev;
    }
    if (served->prev != NULL) {
        served->prev->next = served->next;
    } else {
        server->served = served->next;
    }
    pthread_mutex_unlock(&server->lock);
}

unsigned server_cut(struct server *server, bool (*is_out)(void *arg, const struct rpc_peer *peer),
                    void *arg)
{
    unsigned count = 0;

    pthread_mutex_lock(&server->lock);
    for (const struct served *served = server->served; served != NULL; served = served->next) {
        if (is_out(arg, served->peer)) {
            grpc_call_cancel_with_status(served->core, GRPC_STATUS_PERMISSION_DENIED,
                                         "identity.not_allowed", NULL);
            count++;
        }
    }
    pthread_mutex_unlock(&server->lock);
    return count;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            log_warn("server.descriptors", "limit=%llu", (unsigned long long)limit.rlim_max);
        }
    }
}

static grpc_arg integer_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static unsigned or_default(unsigned value, unsigned fallback)
{
    return value != 0 ? value : fallback;
}

static grpc_server *core_new(const struct server_config *config)
{
    int streams = (int)or_default(config->streams_max, STREAMS_DEFAULT);
    int keepalive_ms = (int)or_default(config->keepalive_ms, KEEPALIVE_DEFAULT_MS);
    grpc_arg rows[] = {
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, SERVER_MESSAGE_MAX),
        integer_arg(GRPC_ARG_MAX_CONCURRENT_STREAMS, streams),
        integer_arg(GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX),
        integer_arg(GRPC_ARG_HTTP2_BDP_PROBE, 0),
        integer_arg(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, STREAM_AHEAD_BYTES),
        integer_arg(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, PING_LEAST_MS),
        integer_arg(GRPC_ARG_ALLOW_REUSEPORT, 0),
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        integer_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args args = {.num_args = sizeof rows / sizeof rows[0], .args = rows};

    return grpc_server_create(&args, NULL);
}

static enum rc add_listener(struct server *server, const struct server_config *config, size_t index)
{
    const struct server_listener *listener = &config->listeners[index];
    grpc_server_credentials *credentials;

    if (listener->is_plain) {
        credentials = grpc_insecure_server_credentials_create();
    } else {
        TRY(credentials_new(config->certificate_file, config->key_file, config->ca_file,
                            &server->credentials[index]));
        credentials = credentials_for_server(server->credentials[index]);
    }
    server->ports[index] = grpc_server_add_http2_port(server->core, listener->address, credentials);
    grpc_server_credentials_release(credentials);
    server->listener_count = index + 1;
    if (server->ports[index] == 0) {
        return failed(RC_UNAVAILABLE, "server.listen", "address=%s", listener->address);
    }
    log_info("server.listen", "address=%s port=%d tls=%s", listener->address, server->ports[index],
             listener->is_plain ? "no" : "1.3");
    return RC_OK;
}

static enum rc make_queues(struct server *server)
{
    unsigned count = cq_pool_count(server->pool);

    server->queues = calloc(count, sizeof *server->queues);
    server->lanes = calloc(count * server->method_count + 1, sizeof *server->lanes);
    if (server->queues == NULL || server->lanes == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "server.new", "cause=memory");
    }
    for (unsigned i = 0; i < count; i++) {
        struct server_queue *queue = &server->queues[i];

        queue->server = server;
        queue->cq = cq_pool_at(server->pool, i);
        queue->peers = peers_new();
        if (queue->peers == NULL) {
            return failed(RC_RESOURCE_EXHAUSTED, "server.new", "cause=memory");
        }
        grpc_server_register_completion_queue(server->core, cq_queue(queue->cq), NULL);
    }
    return RC_OK;
}

static enum rc register_methods(struct server *server)
{
    unsigned count = cq_pool_count(server->pool);

    for (size_t m = 0; m < server->method_count; m++) {
        const struct rpc_method *method = &server->methods[m];
        void *registered = grpc_server_register_method(
            server->core, method->path, NULL,
            method->kind == RPC_UNARY ? GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER
                                      : GRPC_SRM_PAYLOAD_NONE,
            0);

        if (registered == NULL) {
            return failed(RC_INVALID_ARGUMENT, "server.method", "method=%s", method->path);
        }
        for (unsigned i = 0; i < count; i++) {
            server->lanes[i * server->method_count + m] = (struct lane){
                .method = method, .registered = registered, .queue = &server->queues[i]};
        }
    }
    return RC_OK;
}

/* On the queue's thread, like all that touches its spare calls. */
static void listen_here(struct op *op, bool ok)
{
    struct server_queue *queue = (struct server_queue *)op;
    struct server *server = queue->server;
    struct lane *lanes = &server->lanes[(size_t)(queue - server->queues) * server->method_count];

    (void)ok;
    for (size_t i = 0; i < server->method_count; i++) {
        bool is_unary = lanes[i].method->kind == RPC_UNARY;

        for (unsigned s = 0; s < (is_unary ? server->slots : STREAM_SLOTS); s++) {
            is_unary ? call_listen(&lanes[i]) : stream_listen(&lanes[i]);
        }
    }
    for (unsigned s = 0; s < UNKNOWN_SLOTS; s++) {
        unknown_listen(queue);
    }
    server_leave(server);
}

static void listen_everywhere(struct server *server)
{
    for (unsigned i = 0; i < cq_pool_count(server->pool); i++) {
        server_enter(server);
        server->queues[i].start.op.done = listen_here;
        cq_post(server->queues[i].cq, &server->queues[i].start);
    }
}

static void server_release(struct server *server)
{
    unsigned count = cq_pool_count(server->pool);

    grpc_server_destroy(server->core);
    for (unsigned i = 0; server->queues != NULL && i < count; i++) {
        call_forget_spares(&server->queues[i]);
        peers_free(server->queues[i].peers);
    }
    for (size_t i = 0; i < SERVER_LISTENERS_MAX; i++) {
        credentials_free(server->credentials[i]);
    }
    pthread_cond_destroy(&server->change);
    pthread_mutex_destroy(&server->lock);
    free(server->lanes);
    free(server->queues);
    free(server->methods);
    free(server);
    core_end();
}

static struct server *server_alloc(struct cq_pool *pool, const struct server_config *config)
{
    struct server *server = calloc(1, sizeof *server);
    struct rpc_method *methods = calloc(config->method_count + 1, sizeof *methods);
    pthread_condattr_t monotonic;

    if (server == NULL || methods == NULL) {
        free(server);
        free(methods);
        return NULL;
    }
    memcpy(methods, config->methods, config->method_count * sizeof *methods);
    server->methods = methods;
    server->method_count = config->method_count;
    server->pool = pool;
    server->slots = or_default(config->slots, SLOTS_DEFAULT);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&server->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    core_begin();
    server->core = core_new(config);
    return server;
}

static enum rc server_open(struct server *server, const struct server_config *config)
{
    TRY(make_queues(server));
    TRY(register_methods(server));
    for (size_t i = 0; i < config->listener_count; i++) {
        TRY(add_listener(server, config, i));
    }
    return RC_OK;
}

enum rc server_new(struct cq_pool *pool, const struct server_config *config, struct server **out)
{
    OWN_PTR(server) server = NULL;

    assert(config->listener_count <= SERVER_LISTENERS_MAX &&
           config->method_count <= SERVER_METHODS_MAX);
    raise_descriptor_limit();
    server = server_alloc(pool, config);
    if (server == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "server.new", "cause=memory");
    }
    TRY(server_open(server, config));
    grpc_server_start(server->core);
    server->is_started = true;
    listen_everywhere(server);
    *out = MOVE(server);
    return RC_OK;
}

int server_port(const struct server *server, size_t listener)
{
    assert(listener < server->listener_count);
    return server->ports[listener];
}

static void on_stopped(struct op *op, bool ok)
{
    struct server *server = (struct server *)op;

    (void)ok;
    pthread_mutex_lock(&server->lock);
    server->is_shut = true;
    pthread_cond_broadcast(&server->change);
    pthread_mutex_unlock(&server->lock);
}

static bool is_silent(struct server *server)
{
    return server->is_shut && atomic_load(&server->inside) == 0;
}

/* True when nothing is left; until_ms on the monotonic clock, -1: for ever. Called with the lock.
 */
static bool wait_for_silence(struct server *server, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    int rc = 0;

    while (!is_silent(server) && rc == 0) {
        rc = until_ms < 0 ? pthread_cond_wait(&server->change, &server->lock)
                          : pthread_cond_timedwait(&server->change, &server->lock, &until);
    }
    return is_silent(server);
}

void server_stop(struct server *server, int grace_ms)
{
    bool is_done;

    if (server->is_stopping) {
        return;
    }
    server->is_stopping = true;
    server->stopped.done = on_stopped;
    core_hand_over(&server->stopped);
    grpc_server_shutdown_and_notify(server->core, cq_queue(cq_pool_at(server->pool, 0)),
                                    &server->stopped);
    pthread_mutex_lock(&server->lock);
    is_done = wait_for_silence(server, clock_monotonic_ms() + grace_ms);
    pthread_mutex_unlock(&server->lock);
    if (!is_done) {
        log_warn("server.stop", "cancelled=%zu", atomic_load(&server->inside));
        grpc_server_cancel_all_calls(server->core);
        pthread_mutex_lock(&server->lock);
        (void)wait_for_silence(server, -1);
        pthread_mutex_unlock(&server->lock);
    }
}

void server_free(struct server *server)
{
    if (server == NULL) {
        return;
    }
    /* gRPC wants a shutdown before the end even of a server that never started. */
    server_stop(server, 0);
    server_release(server);
}
