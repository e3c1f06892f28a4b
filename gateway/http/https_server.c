#include "http/https_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/thread.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread_mask.h"
#include "crypto/tlsserver.h"

#define HEADERS_MAX 8192
#define SILENT_S 10
#define BACKLOG 64

struct https_server {
    struct event_base *base;
    struct evhttp *http;
    struct tlsserver *tls;
    struct https_service *service;
    pthread_t thread;
    bool is_running;
};

const char *https_asked_header(const struct https_asked *asked, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(asked->native), name);

    return value != NULL ? value : "";
}

/* ---- connections ---- */

/* NULL would make libevent serve this connection in clear: on_request then refuses it. */
static struct bufferevent *new_connection(struct event_base *base, void *argument)
{
    struct https_server *server = argument;
    struct ssl_st *session = tlsserver_session(server->tls);
    struct timeval silent = {.tv_sec = SILENT_S};
    struct bufferevent *connection;

    if (session == NULL) {
        log_warn("https.refused", "reason=too_many");
        return NULL;
    }
    connection = bufferevent_openssl_socket_new(base, -1, session, BUFFEREVENT_SSL_ACCEPTING,
                                                BEV_OPT_CLOSE_ON_FREE);
    if (connection != NULL) {
        bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
        bufferevent_set_timeouts(connection, &silent, &silent);
    }
    return connection;
}

static enum rc peer_of(struct evhttp_request *request, uint8_t certificate[DIGEST_SIZE])
{
    struct bufferevent *connection =
        evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));

    return tlsserver_peer(bufferevent_openssl_get_ssl(connection), certificate);
}

/* ---- answering ---- */

static void send_response(struct evhttp_request *request, const struct http_response *response)
{
    struct evbuffer *output = evhttp_request_get_output_buffer(request);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

    evhttp_add_header(headers, "Cache-Control", "no-store");
    if (response->type != NULL) {
        evhttp_add_header(headers, "Content-Type", response->type);
    }
    if (response->body.is_failed ||
        (response->body.size > 0 &&
         evbuffer_add(output, response->body.data, response->body.size) != 0)) {
        evhttp_send_reply(request, 500, NULL, NULL);
        return;
    }
    evhttp_send_reply(request, response->status, NULL, NULL);
}

static void on_request(struct evhttp_request *request, void *argument)
{
    struct https_server *server = argument;
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    const char *path = evhttp_request_get_uri(request);
    size_t size = evbuffer_get_length(input);
    const uint8_t *data = size > 0 ? evbuffer_pullup(input, -1) : NULL;
    struct https_asked asked = {
        .is_post = evhttp_request_get_command(request) == EVHTTP_REQ_POST,
        .path = bytes_text(path != NULL ? path : ""),
        .body = BYTES(data, data != NULL ? size : 0),
        .native = request,
    };
    struct http_response response = {.status = 404};

    if (peer_of(request, asked.certificate) == RC_OK) {
        server->service->answer(server->service, &asked, &response);
    } else {
        response.status = 403;
    }
    send_response(request, &response);
    buffer_release(&response.body);
}

/* ---- life ---- */

static bool parse(const char *listen, struct sockaddr_storage *address, int *size)
{
    *size = sizeof *address;
    memset(address, 0, sizeof *address);
    return evutil_parse_sockaddr_port(listen, (struct sockaddr *)address, size) == 0 &&
           https_server_port(listen) != 0;
}

uint16_t https_server_port(const char *listen)
{
    struct sockaddr_storage address = {0};
    int size = sizeof address;

    if (evutil_parse_sockaddr_port(listen, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                               : ((struct sockaddr_in *)&address)->sin_port);
}

static int listening(const struct sockaddr_storage *address, int size)
{
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
                    bind(fd, (const struct sockaddr *)address, (socklen_t)size) != 0 ||
                    listen(fd, BACKLOG) != 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static enum rc start_http(struct https_server *server, const char *listen, struct fault *fault)
{
    struct sockaddr_storage address;
    int size;
    int fd;

    if (!parse(listen, &address, &size)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "listen.address", listen,
                      "Va como 10.1.2.3:8443 o [::1]:8443.");
    }
    fd = listening(&address, size);
    if (fd < 0 || evhttp_accept_socket(server->http, fd) != 0) {
        return refuse(fault, RC_UNAVAILABLE, "listen.failed", listen, "No se puede escuchar: %s.",
                      strerror(errno));
    }
    evhttp_set_bevcb(server->http, new_connection, server);
    evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_max_headers_size(server->http, HEADERS_MAX);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)HTTP_BODY_MAX);
    evhttp_set_timeout(server->http, SILENT_S);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_gencb(server->http, on_request, server);
    return RC_OK;
}

static void *server_main(void *argument)
{
    struct https_server *server = argument;

    event_base_loop(server->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static enum rc start_thread(struct https_server *server, struct fault *fault)
{
    sigset_t before;
    int error;

    thread_mask_begin(&before);
    error = pthread_create(&server->thread, NULL, server_main, server);
    thread_mask_end(&before);
    if (error != 0) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "listen.failed", "",
                      "No se pudo crear un hilo.");
    }
    server->is_running = true;
    pthread_setname_np(server->thread, "https");
    return RC_OK;
}

enum rc https_server_new(const char *listen, struct tlsserver *tls, struct https_service *service,
                         struct https_server **server, struct fault *fault)
{
    OWN_PTR(https_server) made = calloc(1, sizeof *made);

    if (made == NULL || evthread_use_pthreads() != 0 || (made->base = event_base_new()) == NULL ||
        (made->http = evhttp_new(made->base)) == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "listen.failed", "", "Falta memoria.");
    }
    made->tls = tls;
    made->service = service;
    TRY(start_http(made, listen, fault));
    TRY(start_thread(made, fault));
    *server = MOVE(made);
    return RC_OK;
}

void https_server_free(struct https_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->is_running) {
        event_base_loopbreak(server->base);
        pthread_join(server->thread, NULL);
    }
    if (server->http != NULL) {
        evhttp_free(server->http);
    }
    if (server->base != NULL) {
        event_base_loop(server->base, EVLOOP_NONBLOCK); /* what was about to be freed */
        event_base_free(server->base);
    }
    free(server);
}
