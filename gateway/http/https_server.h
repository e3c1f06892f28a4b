/*
 * https_server - a small HTTPS listener of our own: HTTP/1.1 over TLS 1.3, client certificates
 * required (crypto/tlsserver), one thread.
 *
 * Headers of at most 8 KiB, bodies of 64 KiB, GET and POST; a connection that is silent for 10 s
 * ends. A request without a verified certificate is never given to the service.
 *
 *     the server's thread: service->answer, which may wait: who asks waits for his turn
 */
#ifndef HTTP_HTTPS_SERVER_H
#define HTTP_HTTPS_SERVER_H

#include "crypto/digest.h"
#include "http/http_loop.h"

struct evhttp_request; /* libevent's */
struct https_server;
struct tlsserver;

/* Borrowed until the answer is written. */
struct https_asked {
    bool is_post;      /* else GET */
    struct bytes path; /* as it came: nothing is unescaped */
    struct bytes body;
    uint8_t certificate[DIGEST_SIZE]; /* SHA-256 of the client's */
    struct evhttp_request *native;
};
/* "" when it has none of that name. */
const char *https_asked_header(const struct https_asked *asked, const char *name);

/* Placed first in the object that answers. */
struct https_service {
    /* On the server's thread. The response comes as 404 without a body; its body is released. */
    void (*answer)(struct https_service *service, const struct https_asked *asked,
                   struct http_response *response);
};

/*
 * listen: "10.1.2.3:8443" or "[::1]:8443". The TLS object and the service are borrowed. Starts its
 * thread. RC_INVALID_ARGUMENT "listen.address", RC_UNAVAILABLE "listen.failed".
 */
MUST_CHECK enum rc https_server_new(const char *listen, struct tlsserver *tls,
                                    struct https_service *service, struct https_server **server,
                                    struct fault *fault);
/* The port of such an address; 0: it is none. Pure. */
uint16_t https_server_port(const char *listen);
/* Ends the thread, after the answer that is being made. */
void https_server_free(struct https_server *server);
OWN_PTR_DEFINE(https_server)

#endif
