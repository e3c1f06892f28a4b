/*
 * witness_http - C2SP tlog-witness over plain HTTP on this machine, for logs and monitors that
 * nobody here wrote:
 *
 *     POST /add-checkpoint
 *     GET  /<hex sha256(origin)>/checkpoint
 */
#ifndef RELAY_WITNESS_HTTP_H
#define RELAY_WITNESS_HTTP_H

#include "http/http_loop.h"

struct node;

/* Lives as long as the loop that uses it. */
struct witness_http {
    struct http_service service; /* first */
    const struct node *node;
};

void witness_http_init(struct witness_http *http, const struct node *node);

#endif
