/* http_address - where plain HTTP may listen: a number of the loopback, or a Unix socket. */
#ifndef HTTP_HTTP_ADDRESS_H
#define HTTP_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "base/rc.h"

struct http_address {
    struct sockaddr_storage bytes;
    socklen_t size;
    int family;       /* AF_UNIX, AF_INET, AF_INET6 */
    const char *path; /* of a Unix socket; borrowed from the text */
};

/* RC_INVALID_ARGUMENT: another form, or another address. */
MUST_CHECK enum rc http_address_parse(const char *text, struct http_address *address);
/* A socket that listens, and does not block; -1 with errno. A stale Unix socket is replaced. */
int http_address_listen(const struct http_address *address);

#endif
