/*
 * http_loop - plain HTTP/1.1 on this machine only: one thread that serves and asks.
 *
 * For what carries no personal data (checkpoints and cosignatures), and for the console of the
 * person who sits here, which guards its own door. Listens on an address of the loopback, as a
 * number, or on a Unix socket; anything else is refused, as is asking elsewhere.
 * Headers of at most 8 KiB, bodies of 64 KiB, a silent connection ends after 10 s; no TLS, no
 * names, no redirects.
 *
 *     any thread: http_ask --> loop thread --on_answer--> hands over
 *     loop thread: service->answer, which may wait for a disk: who asks waits for his turn
 */
#ifndef HTTP_HTTP_LOOP_H
#define HTTP_HTTP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

#define HTTP_BODY_MAX ((size_t)64 << 10)
#define HTTP_UNREACHABLE 0
#define HTTP_HEADERS_MAX 16
#define HTTP_HEADER_VALUE_MAX 384

struct evhttp_request; /* libevent's */
struct http_loop;

/* Borrowed until the answer is written. */
struct http_request {
    bool is_post;      /* else GET */
    struct bytes path; /* as it came: nothing is unescaped */
    struct bytes body;
    struct evhttp_request *native;
};
/* "" when it has none of that name. Borrowed. */
const char *http_request_header(const struct http_request *request, const char *name);

struct http_header {
    const char *name; /* constant */
    char value[HTTP_HEADER_VALUE_MAX];
};

struct http_response {
    int status;
    const char *type; /* constant; NULL: none */
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct bytes constant; /* sent before the body; lives as long as the program */
    struct buffer body;
};
/* The value is copied; asserts that there is room. */
void http_response_header(struct http_response *response, const char *name, const char *value);

/* Placed first in the object that answers. */
struct http_service {
    /* On the loop's thread. The loop releases the body. */
    void (*answer)(struct http_service *service, const struct http_request *request,
                   struct http_response *response);
};

/* Placed in the object that asks; it lives until on_answer. */
struct http_user {
    /* Once, on the loop's thread. HTTP_UNREACHABLE: no answer. The body is borrowed. */
    void (*on_answer)(struct http_user *user, int status, struct bytes body);
};

/* "127.0.0.1:8080", "[::1]:8080" (port 0: any) or "unix:/path". RC_INVALID_ARGUMENT. Pure. */
MUST_CHECK enum rc http_check_address(const char *address);

/*
 * Starts the thread. listen is an address or "" (asks only); the service may be NULL then. Refuses
 * (and logs) what http_check_address refuses, and what cannot be bound.
 */
MUST_CHECK enum rc http_loop_new(const char *listen, struct http_service *service,
                                 struct http_loop **loop);
/* The bound TCP port; 0: none. */
uint16_t http_loop_port(const struct http_loop *loop);
/* Ends the thread. Whoever asks must have been answered. NULL does nothing. */
void http_loop_free(struct http_loop *loop);
OWN_PTR_DEFINE(http_loop)

/*
 * POST to a host of the loopback (a number). Path and body are copied. RC_RESOURCE_EXHAUSTED: then
 * on_answer is not called. Any thread.
 */
MUST_CHECK enum rc http_ask(struct http_loop *loop, const char *host, uint16_t port,
                            const char *path, struct bytes body, int timeout_ms,
                            struct http_user *user);

#endif
