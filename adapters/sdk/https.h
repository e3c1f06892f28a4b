/*
 * https - requests to the agency's own system.
 *
 * https:// with the adapter's client certificate, against the agency's own CA and nothing else; no
 * redirect is followed, no proxy is asked, no cookie is kept. Plain http:// only to 127.0.0.1, ::1
 * or localhost: the agency's own gateway on this machine. TLS 1.3; 1.2 only where the settings
 * allow it because the agency has no better, which is said at every start ("agency.tls12").
 *
 * One call at a time per object; a connection is kept between calls. Every answer is bounded.
 */
#ifndef SDK_HTTPS_H
#define SDK_HTTPS_H

#include "base/bytes.h"
#include "base/own.h"

#define HTTPS_URL_MAX 1024
#define HTTPS_HEADERS_MAX 8

struct https;

struct https_config {
    const char *base; /* "https://host:port/path", without a slash at its end */
    const char *ca;   /* PEM; the three are not used for http:// */
    const char *certificate;
    const char *key;
    int64_t timeout_ms; /* of a whole call */
    size_t answer_max;  /* bytes */
    bool allows_tls12;
};

/* Borrows nothing. RC_INVALID_ARGUMENT "agency.url" and the like. */
MUST_CHECK enum rc https_new(const struct https_config *config, struct https **https,
                             struct fault *fault);
void https_free(struct https *https);
OWN_PTR_DEFINE(https)

struct https_request {
    const char *method; /* "GET", "POST", "PUT" */
    const char *path;   /* after base; begins with a slash, or is empty */
    const char *content_type;
    struct bytes body;
    const char *headers[HTTPS_HEADERS_MAX]; /* "Name: value"; NULL ends them */
};

struct https_answer {
    int status;
    char content_type[96]; /* without parameters, lower case */
    struct buffer body;
};
void https_answer_release(struct https_answer *answer);

/*
 * RC_OK: there is an answer, whatever its status. RC_UNAVAILABLE: no connection, or the agency is
 * not who it should be; RC_DEADLINE_EXCEEDED; RC_RESOURCE_EXHAUSTED: the answer is too long. The
 * fault names the failing step, never an address with its query.
 */
MUST_CHECK enum rc https_call(struct https *https, const struct https_request *request,
                              struct https_answer *answer, struct fault *fault);

/* The port of a base URL, for the sandbox; 0: none. */
uint16_t https_port(const char *base);

#endif
