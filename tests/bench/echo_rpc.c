/*
 * echo_rpc - echo_server again, but through the gateway's rpc layer: what the layer itself costs.
 *
 *     echo_rpc --listen 127.0.0.1:7001 --cert FILE --key FILE --ca FILE [--threads N] [--detour 1]
 *
 * --detour 1: each request goes to a second thread and comes back by call_resume or stream_resume,
 * as messages do that wait for the commit.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/inbox.h"
#include "base/log.h"
#include "crypto/tlsconf.h"
#include "rpc/call.h"
#include "rpc/cq.h"
#include "rpc/server.h"
#include "rpc/stream.h"

#define BATCH 256

struct echo {
    struct rpc_service service; /* first */
    struct inbox *inbox;        /* NULL: no detour */
};

struct item {
    union {
        struct inbox_item inbox;
        struct stream_item stream;
    } link; /* first */
    struct call *call;
    struct stream *stream;
    size_t size;
    uint8_t *data;
};

struct end {
    struct stream_user user; /* first */
    struct echo *echo;
    size_t owed; /* requests at the second thread */
    bool is_paused;
    bool is_at_end;
};

static void answer(struct call *call)
{
    call_reply(call, call_request(call));
}

static void on_call(struct rpc_service *service, struct call *call)
{
    struct echo *echo = (struct echo *)service;
    struct item *item;

    if (echo->inbox == NULL) {
        answer(call);
        return;
    }
    item = arena_alloc(call_arena(call), sizeof *item);
    item->call = call;
    if (inbox_put(echo->inbox, &item->link.inbox) != RC_OK) {
        abort();
    }
}

static void send_back(struct end *end, struct bytes message)
{
    if (stream_send(end->user.stream, message) != RC_OK) {
        stream_cancel(end->user.stream);
    }
}

static void on_message(struct stream_user *user, struct bytes message)
{
    struct end *end = (struct end *)user;

    if (end->echo->inbox == NULL) {
        send_back(end, message);
    } else {
        struct item *item = malloc(sizeof *item + message.size);

        item->data = (uint8_t *)(item + 1);
        item->call = NULL;
        item->stream = user->stream;
        item->size = message.size;
        memcpy(item->data, message.data, message.size);
        end->owed++;
        stream_hold(user->stream);
        if (inbox_put(end->echo->inbox, &item->link.inbox) != RC_OK) {
            abort();
        }
    }
    end->is_paused = stream_room(user->stream) == 0;
    if (!end->is_paused) {
        stream_read(user->stream);
    }
}

static void on_drained(struct stream_user *user)
{
    struct end *end = (struct end *)user;

    if (end->is_paused) {
        end->is_paused = false;
        stream_read(user->stream);
    }
}

static void on_end(struct stream_user *user)
{
    struct end *end = (struct end *)user;

    end->is_at_end = true;
    if (end->owed == 0) {
        stream_finish(user->stream, NULL);
    }
}

static void on_items(struct stream_user *user, struct stream_item *items)
{
    struct end *end = (struct end *)user;

    while (items != NULL) {
        struct item *item = (struct item *)items;

        items = items->next;
        send_back(end, BYTES(item->data, item->size));
        free(item);
        end->owed--;
    }
    if (end->is_at_end && end->owed == 0) {
        stream_finish(user->stream, NULL);
    }
}

static void on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)user;
    (void)fault;
}

static void on_free(struct stream_user *user)
{
    free(user);
}

static const struct stream_events events = {
    .on_message = on_message,
    .on_drained = on_drained,
    .on_end = on_end,
    .on_items = on_items,
    .on_closed = on_closed,
    .on_free = on_free,
};

static void on_stream(struct rpc_service *service, struct stream *stream)
{
    struct end *end = calloc(1, sizeof *end);

    end->user.events = &events;
    end->echo = (struct echo *)service;
    stream_accept(stream, &end->user);
    stream_read(stream);
}

static void *work(void *arg)
{
    struct echo *echo = arg;
    bool is_closed = false;

    while (!is_closed) {
        struct inbox_item *link = inbox_take(echo->inbox, BATCH, -1, &is_closed);

        while (link != NULL) {
            struct item *item = (struct item *)link;
            struct stream *stream = item->stream;

            link = link->next;
            if (stream == NULL) {
                call_resume(item->call, answer);
            } else {
                stream_resume(stream, &item->link.stream);
                stream_release(stream);
            }
        }
    }
    return NULL;
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    if (fallback == NULL) {
        fprintf(stderr, "echo_rpc: %s is missing\n", name);
        exit(2);
    }
    return fallback;
}

int main(int argc, char **argv)
{
    struct echo echo = {.service.name = "echo"};
    const struct rpc_method methods[] = {
        {.path = "/bench.Echo/Unary",
         .kind = RPC_UNARY,
         .service = &echo.service,
         .on_call = on_call},
        {.path = "/bench.Echo/Stream",
         .kind = RPC_STREAM,
         .service = &echo.service,
         .on_stream = on_stream},
    };
    struct server_config config = {.methods = methods, .method_count = 2, .listener_count = 1};
    struct server *server = NULL;
    struct cq_pool *pool;
    pthread_t worker;
    char cores[16];
    sigset_t ends;
    int signal_number;

    snprintf(cores, sizeof cores, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    log_open("echo_rpc", LOG_LEVEL_WARN);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    config.listeners[0].address = option(argc, argv, "--listen", NULL);
    config.certificate_file = option(argc, argv, "--cert", NULL);
    config.key_file = option(argc, argv, "--key", NULL);
    config.ca_file = option(argc, argv, "--ca", NULL);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    if (atoi(option(argc, argv, "--detour", "0")) != 0) {
        echo.inbox = inbox_new(1 << 20);
        if (echo.inbox == NULL || pthread_create(&worker, NULL, work, &echo) != 0) {
            return 1;
        }
    }
    pool = cq_pool_new((unsigned)atoi(option(argc, argv, "--threads", cores)));
    if (pool == NULL || server_new(pool, &config, &server) != RC_OK) {
        return 1;
    }
    printf("listening %d\n", server_port(server, 0));
    fflush(stdout);
    sigwait(&ends, &signal_number);
    server_stop(server, 1000);
    server_free(server);
    if (echo.inbox != NULL) {
        inbox_close(echo.inbox);
        pthread_join(worker, NULL);
        inbox_free(echo.inbox);
    }
    cq_pool_free(pool);
    return 0;
}
