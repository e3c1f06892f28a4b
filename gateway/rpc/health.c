#include "rpc/health.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/health/v1/health.pb-c.h"
#include "rpc/call.h"
#include "rpc/server.h"
#include "rpc/stream.h"

#define NAME_SIZE 64
#define REQUEST_MAX 256
#define RESPONSE_SIZE 16
#define UNTOLD (-1)

struct service_row {
    char name[NAME_SIZE];
    bool is_serving;
};

/* The lock is held for a look at a few rows, or to wake the watchers; never while anything waits.
 */
struct health {
    struct rpc_service service; /* first */
    pthread_mutex_t lock;
    struct service_row rows[HEALTH_SERVICES_MAX];
    size_t count;
    struct watcher *watchers;
    size_t watcher_count;
    bool is_shut;
};

struct watcher {
    struct stream_user user; /* first */
    struct stream_item item;
    struct health *health;
    struct watcher *next;
    char name[NAME_SIZE];
    bool has_name;
    bool is_woken; /* the item is on its way */
    int told;
};

static int status_of(const struct health *health, const char *name)
{
    for (size_t i = 0; i < health->count; i++) {
        if (strcmp(health->rows[i].name, name) == 0) {
            return health->rows[i].is_serving
                       ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                       : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
        }
    }
    return GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
}

static enum rc decode(struct bytes request, char name[NAME_SIZE], struct fault *fault)
{
    Grpc__Health__V1__HealthCheckRequest *message = NULL;
    int length;

    if (request.size <= REQUEST_MAX) {
        message = grpc__health__v1__health_check_request__unpack(NULL, request.size, request.data);
    }
    if (message == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "health.malformed", "", "Mensaje ilegible.");
    }
    length = snprintf(name, NAME_SIZE, "%s", message->service);
    grpc__health__v1__health_check_request__free_unpacked(message, NULL);
    return length < NAME_SIZE
               ? RC_OK
               : refuse(fault, RC_NOT_FOUND, "health.unknown", "service", "Servicio desconocido.");
}

static struct bytes encode(int status, uint8_t out[RESPONSE_SIZE])
{
    Grpc__Health__V1__HealthCheckResponse message = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    message.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return BYTES(out, grpc__health__v1__health_check_response__pack(&message, out));
}

static void check(struct rpc_service *service, struct call *call)
{
    struct health *health = (struct health *)service;
    uint8_t response[RESPONSE_SIZE];
    struct fault fault = {0};
    char name[NAME_SIZE];
    int status;

    if (decode(call_request(call), name, &fault) != RC_OK) {
        call_refuse(call, &fault);
        return;
    }
    pthread_mutex_lock(&health->lock);
    status = status_of(health, name);
    pthread_mutex_unlock(&health->lock);
    if (status == GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN) {
        (void)refuse(&fault, RC_NOT_FOUND, "health.unknown", "service", "Servicio desconocido.");
        call_refuse(call, &fault);
        return;
    }
    call_reply(call, encode(status, response));
}

static void tell(struct watcher *watcher)
{
    struct health *health = watcher->health;
    uint8_t response[RESPONSE_SIZE];
    bool is_shut;
    int status;

    pthread_mutex_lock(&health->lock);
    watcher->is_woken = false;
    status = status_of(health, watcher->name);
    is_shut = health->is_shut;
    pthread_mutex_unlock(&health->lock);
    if (!watcher->has_name) {
        return;
    }
    if (status != watcher->told &&
        stream_send(watcher->user.stream, encode(status, response)) == RC_OK) {
        watcher->told = status;
    }
    if (is_shut) {
        stream_finish(watcher->user.stream, NULL);
    }
}

static void watcher_on_message(struct stream_user *user, struct bytes message)
{
    struct watcher *watcher = (struct watcher *)user;
    struct fault fault = {0};

    if (decode(message, watcher->name, &fault) != RC_OK) {
        stream_finish(user->stream, &fault);
        return;
    }
    watcher->has_name = true;
    tell(watcher);
}

static void watcher_on_end(struct stream_user *user)
{
    (void)user; /* the client has said all it had to say, and goes on watching */
}

static void watcher_on_items(struct stream_user *user, struct stream_item *items)
{
    (void)items; /* always the watcher's own */
    tell((struct watcher *)user);
}

static void watcher_on_closed(struct stream_user *user, const struct fault *fault)
{
    struct watcher *watcher = (struct watcher *)user;
    struct health *health = watcher->health;
    struct watcher **at = &health->watchers;

    (void)fault;
    pthread_mutex_lock(&health->lock);
    while (*at != watcher) {
        at = &(*at)->next;
    }
    *at = watcher->next;
    health->watcher_count--;
    pthread_mutex_unlock(&health->lock);
}

static void watcher_on_free(struct stream_user *user)
{
    free(user);
}

static const struct stream_events watcher_events = {
    .on_message = watcher_on_message,
    .on_end = watcher_on_end,
    .on_items = watcher_on_items,
    .on_closed = watcher_on_closed,
    .on_free = watcher_on_free,
};

static bool join(struct health *health, struct watcher *watcher)
{
    bool has_room;

    pthread_mutex_lock(&health->lock);
    has_room = health->watcher_count < HEALTH_WATCHERS_MAX && !health->is_shut;
    if (has_room) {
        watcher->next = health->watchers;
        health->watchers = watcher;
        health->watcher_count++;
    }
    pthread_mutex_unlock(&health->lock);
    return has_room;
}

static void watch(struct rpc_service *service, struct stream *stream)
{
    struct health *health = (struct health *)service;
    struct watcher *watcher = calloc(1, sizeof *watcher);
    struct fault fault = {0};

    if (watcher != NULL) {
        watcher->user.events = &watcher_events;
        watcher->user.stream = stream;
        watcher->health = health;
        watcher->told = UNTOLD;
    }
    if (watcher == NULL || !join(health, watcher)) {
        free(watcher);
        (void)refuse(&fault, RC_RESOURCE_EXHAUSTED, "health.watchers", "", "Intente más tarde.");
        stream_refuse(stream, &fault);
        return;
    }
    stream_accept(stream, &watcher->user);
    stream_read(stream);
}

struct health *health_new(void)
{
    struct health *health = calloc(1, sizeof *health);

    if (health != NULL) {
        health->service.name = "health";
        pthread_mutex_init(&health->lock, NULL);
    }
    return health;
}

void health_free(struct health *health)
{
    if (health != NULL) {
        pthread_mutex_destroy(&health->lock);
        free(health);
    }
}

void health_methods(struct health *health, struct rpc_method *rows)
{
    rows[0] = (struct rpc_method){.path = "/grpc.health.v1.Health/Check",
                                  .kind = RPC_UNARY,
                                  .service = &health->service,
                                  .on_call = check,
                                  .is_public = true};
    rows[1] = (struct rpc_method){.path = "/grpc.health.v1.Health/Watch",
                                  .kind = RPC_STREAM,
                                  .service = &health->service,
                                  .on_stream = watch,
                                  .is_public = true};
}

/* With the lock: a watcher in the list is not closed, so its stream is there to be resumed. */
static void wake_all(struct health *health)
{
    for (struct watcher *watcher = health->watchers; watcher != NULL; watcher = watcher->next) {
        if (!watcher->is_woken) {
            watcher->is_woken = true;
            stream_resume(watcher->user.stream, &watcher->item);
        }
    }
}

static struct service_row *row_of(struct health *health, const char *service)
{
    for (size_t i = 0; i < health->count; i++) {
        if (strcmp(health->rows[i].name, service) == 0) {
            return &health->rows[i];
        }
    }
    if (health->count == HEALTH_SERVICES_MAX || strlen(service) >= NAME_SIZE) {
        return NULL;
    }
    snprintf(health->rows[health->count].name, NAME_SIZE, "%s", service);
    return &health->rows[health->count++];
}

enum rc health_set(struct health *health, const char *service, bool is_serving)
{
    struct service_row *row;

    pthread_mutex_lock(&health->lock);
    row = row_of(health, service);
    if (row != NULL) {
        row->is_serving = is_serving && !health->is_shut;
        wake_all(health);
    }
    pthread_mutex_unlock(&health->lock);
    return row != NULL ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

void health_shut(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    health->is_shut = true;
    for (size_t i = 0; i < health->count; i++) {
        health->rows[i].is_serving = false;
    }
    wake_all(health);
    pthread_mutex_unlock(&health->lock);
}
