#include "http/http_loop.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/thread.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread_mask.h"
#include "http/http_address.h"

#define HEADERS_MAX 8192
#define SILENT_S 10
#define OUT_MAX 256

struct http_loop {
    struct event_base *base;
    struct evhttp *server; /* NULL: asks only */
    struct http_service *service;
    pthread_t thread;
    bool is_running;
    uint16_t port;
    atomic_size_t out; /* asked, not answered */
};

struct post {
    struct http_loop *loop;
    struct http_user *user;
    struct evhttp_connection *connection;
    char host[64];
    uint16_t port;
    int timeout_ms;
    char *path;
    struct buffer body;
};

enum rc http_check_address(const char *address)
{
    struct http_address parsed;

    return http_address_parse(address, &parsed);
}

/* ---- answering ---- */

static struct bytes body_of(struct evhttp_request *request)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(input);
    const uint8_t *data = size > 0 ? evbuffer_pullup(input, -1) : NULL;

    return BYTES(data, data != NULL ? size : 0);
}

const char *http_request_header(const struct http_request *request, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(request->native), name);

    return value != NULL ? value : "";
}

void http_response_header(struct http_response *response, const char *name, const char *value)
{
    struct http_header *header;

    assert(response->header_count < HTTP_HEADERS_MAX && strlen(value) < HTTP_HEADER_VALUE_MAX);
    header = &response->headers[response->header_count++];
    header->name = name;
    memcpy(header->value, value, strlen(value) + 1);
}

static void send_response(struct evhttp_request *request, const struct http_response *response)
{
    struct evbuffer *output = evhttp_request_get_output_buffer(request);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    bool is_added = true;

    if (response->type != NULL) {
        evhttp_add_header(headers, "Content-Type", response->type);
    }
    for (size_t i = 0; i < response->header_count; i++) {
        evhttp_add_header(headers, response->headers[i].name, response->headers[i].value);
    }
    if (response->constant.size > 0) {
        is_added = evbuffer_add_reference(output, response->constant.data, response->constant.size,
                                          NULL, NULL) == 0;
    }
    if (!is_added || response->body.is_failed ||
        (response->body.size > 0 &&
         evbuffer_add(output, response->body.data, response->body.size) != 0)) {
        evhttp_send_reply(request, 500, NULL, NULL);
        return;
    }
    evhttp_send_reply(request, response->status, NULL, NULL);
}

static void on_request(struct evhttp_request *request, void *argument)
{
    struct http_loop *loop = argument;
    const char *path = evhttp_request_get_uri(request);
    struct http_request asked = {
        .is_post = evhttp_request_get_command(request) == EVHTTP_REQ_POST,
        .path = bytes_text(path != NULL ? path : ""),
        .body = body_of(request),
        .native = request,
    };
    struct http_response response = {.status = 404};

    loop->service->answer(loop->service, &asked, &response);
    send_response(request, &response);
    buffer_release(&response.body);
}

/* ---- asking ---- */

static void end_post(struct post *post, int status, struct bytes body)
{
    struct http_loop *loop = post->loop;

    post->user->on_answer(post->user, status, body);
    atomic_fetch_sub(&loop->out, 1);
    buffer_release(&post->body);
    free(post->path);
    free(post);
}

static void free_connection(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    evhttp_connection_free(argument);
}

/*
 * NULL: it did not come. The connection goes after libevent is done with this call: its own
 * free_on_completion forgets those that never came about.
 */
static void on_posted(struct evhttp_request *request, void *argument)
{
    struct post *post = argument;
    struct timeval now = {0};

    if (event_base_once(post->loop->base, -1, EV_TIMEOUT, free_connection, post->connection,
                        &now) != 0) {
        (void)failed(RC_RESOURCE_EXHAUSTED, "http.connection", "cause=not freed");
    }
    if (request == NULL) {
        end_post(post, HTTP_UNREACHABLE, (struct bytes){0});
        return;
    }
    end_post(post, evhttp_request_get_response_code(request), body_of(request));
}

static struct evhttp_request *make_request(struct post *post)
{
    struct evhttp_request *request = evhttp_request_new(on_posted, post);
    struct evkeyvalq *headers;
    char host[80];

    if (request == NULL) {
        return NULL;
    }
    snprintf(host, sizeof host, strchr(post->host, ':') != NULL ? "[%s]:%u" : "%s:%u", post->host,
             post->port);
    headers = evhttp_request_get_output_headers(request);
    if (evhttp_add_header(headers, "Host", host) != 0 ||
        evhttp_add_header(headers, "Connection", "close") != 0 ||
        evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8") != 0 ||
        evbuffer_add(evhttp_request_get_output_buffer(request), post->body.data, post->body.size) !=
            0) {
        evhttp_request_free(request);
        return NULL;
    }
    return request;
}

static void begin_post(evutil_socket_t fd, short what, void *argument)
{
    struct post *post = argument;
    struct timeval timeout = {.tv_sec = post->timeout_ms / 1000,
                              .tv_usec = post->timeout_ms % 1000 * 1000};
    struct evhttp_connection *connection =
        evhttp_connection_base_new(post->loop->base, NULL, post->host, post->port);
    struct evhttp_request *request = connection != NULL ? make_request(post) : NULL;

    (void)fd;
    (void)what;
    if (request == NULL) {
        if (connection != NULL) {
            evhttp_connection_free(connection);
        }
        end_post(post, HTTP_UNREACHABLE, (struct bytes){0});
        return;
    }
    evhttp_connection_set_timeout_tv(connection, &timeout);
    evhttp_connection_set_max_headers_size(connection, HEADERS_MAX);
    evhttp_connection_set_max_body_size(connection, (ev_ssize_t)HTTP_BODY_MAX);
    post->connection = connection;
    if (evhttp_make_request(connection, request, EVHTTP_REQ_POST, post->path) != 0) {
        evhttp_connection_free(connection);
        end_post(post, HTTP_UNREACHABLE, (struct bytes){0});
    }
}

enum rc http_ask(struct http_loop *loop, const char *host, uint16_t port, const char *path,
                 struct bytes body, int timeout_ms, struct http_user *user)
{
    struct post *post = calloc(1, sizeof *post);
    struct timeval now = {0};

    if (post == NULL || strlen(host) >= sizeof post->host || atomic_load(&loop->out) >= OUT_MAX) {
        free(post);
        return RC_RESOURCE_EXHAUSTED;
    }
    *post = (struct post){.loop = loop, .user = user, .port = port, .timeout_ms = timeout_ms};
    snprintf(post->host, sizeof post->host, "%s", host);
    post->path = strdup(path);
    buffer_put_bytes(&post->body, body);
    atomic_fetch_add(&loop->out, 1);
    if (post->path == NULL || post->body.is_failed ||
        event_base_once(loop->base, -1, EV_TIMEOUT, begin_post, post, &now) != 0) {
        atomic_fetch_sub(&loop->out, 1);
        buffer_release(&post->body);
        free(post->path);
        free(post);
        return RC_RESOURCE_EXHAUSTED;
    }
    return RC_OK;
}

/* ---- life ---- */

static void *loop_main(void *argument)
{
    struct http_loop *loop = argument;

    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;

    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        return 0;
    }
    if (bound.ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)&bound)->sin_port);
    }
    return bound.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&bound)->sin6_port)
                                       : 0;
}

static enum rc start_server(struct http_loop *loop, const char *listen)
{
    struct http_address address;
    int fd;

    if (http_address_parse(listen, &address) != RC_OK) {
        return failed(RC_INVALID_ARGUMENT, "http.listen",
                      "address=%s check=not_loopback remedy=127.0.0.1:port or unix:/path", listen);
    }
    loop->server = evhttp_new(loop->base);
    if (loop->server == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    fd = http_address_listen(&address);
    if (fd < 0) {
        return failed(RC_UNAVAILABLE, "http.listen", "address=%s cause=%s", listen,
                      strerror(errno));
    }
    if (evhttp_accept_socket(loop->server, fd) != 0) {
        close(fd);
        return RC_RESOURCE_EXHAUSTED;
    }
    loop->port = bound_port(fd);
    evhttp_set_allowed_methods(loop->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_max_headers_size(loop->server, HEADERS_MAX);
    evhttp_set_max_body_size(loop->server, (ev_ssize_t)HTTP_BODY_MAX);
    evhttp_set_timeout(loop->server, SILENT_S);
    evhttp_set_default_content_type(loop->server, NULL);
    evhttp_set_gencb(loop->server, on_request, loop);
    return RC_OK;
}

/* Signals are for the main thread. */
static enum rc start_thread(struct http_loop *loop)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&loop->thread, NULL, loop_main, loop);
    thread_mask_end(&before);
    if (error != 0) {
        return failed(RC_UNAVAILABLE, "http.thread", "cause=%s", strerror(error));
    }
    loop->is_running = true;
    pthread_setname_np(loop->thread, "http");
    return RC_OK;
}

enum rc http_loop_new(const char *listen, struct http_service *service, struct http_loop **loop)
{
    OWN_PTR(http_loop) made = calloc(1, sizeof *made);

    if (made == NULL || evthread_use_pthreads() != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    made->service = service;
    made->base = event_base_new();
    if (made->base == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    if (listen[0] != '\0') {
        TRY(start_server(made, listen));
    }
    TRY(start_thread(made));
    *loop = MOVE(made);
    return RC_OK;
}

uint16_t http_loop_port(const struct http_loop *loop)
{
    return loop->port;
}

void http_loop_free(struct http_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    assert(atomic_load(&loop->out) == 0);
    if (loop->is_running) {
        event_base_loopbreak(loop->base);
        pthread_join(loop->thread, NULL);
        event_base_loop(loop->base, EVLOOP_NONBLOCK); /* what was about to be freed */
    }
    if (loop->server != NULL) {
        evhttp_free(loop->server);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
    free(loop);
}
