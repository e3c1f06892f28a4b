#include "http/http_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 64
#define HOST_SIZE 64

static enum rc parse_port(const char *text, uint16_t *port)
{
    unsigned long value = 0;
    size_t size = strspn(text, "0123456789");

    if (size == 0 || size > 5 || text[size] != '\0' || (size > 1 && text[0] == '0')) {
        return RC_INVALID_ARGUMENT;
    }
    value = strtoul(text, NULL, 10);
    if (value > UINT16_MAX) {
        return RC_INVALID_ARGUMENT;
    }
    *port = (uint16_t)value;
    return RC_OK;
}

static enum rc parse_unix(const char *path, struct http_address *address)
{
    struct sockaddr_un *socket = (struct sockaddr_un *)&address->bytes;

    if (path[0] != '/' || strlen(path) >= sizeof socket->sun_path) {
        return RC_INVALID_ARGUMENT;
    }
    socket->sun_family = AF_UNIX;
    memcpy(socket->sun_path, path, strlen(path) + 1);
    address->family = AF_UNIX;
    address->size = sizeof *socket;
    address->path = path;
    return RC_OK;
}

static enum rc parse_six(const char *text, struct http_address *address)
{
    struct sockaddr_in6 *socket = (struct sockaddr_in6 *)&address->bytes;
    uint16_t port;

    if (strncmp(text, "[::1]:", 6) != 0) {
        return RC_INVALID_ARGUMENT;
    }
    TRY(parse_port(text + 6, &port));
    socket->sin6_family = AF_INET6;
    socket->sin6_addr = in6addr_loopback;
    socket->sin6_port = htons(port);
    address->family = AF_INET6;
    address->size = sizeof *socket;
    return RC_OK;
}

static enum rc parse_four(const char *text, struct http_address *address)
{
    struct sockaddr_in *socket = (struct sockaddr_in *)&address->bytes;
    const char *colon = strrchr(text, ':');
    char host[HOST_SIZE];
    uint16_t port;

    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        return RC_INVALID_ARGUMENT;
    }
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    TRY(parse_port(colon + 1, &port));
    if (inet_pton(AF_INET, host, &socket->sin_addr) != 1 ||
        ntohl(socket->sin_addr.s_addr) >> 24 != 127) {
        return RC_INVALID_ARGUMENT;
    }
    socket->sin_family = AF_INET;
    socket->sin_port = htons(port);
    address->family = AF_INET;
    address->size = sizeof *socket;
    return RC_OK;
}

enum rc http_address_parse(const char *text, struct http_address *address)
{
    *address = (struct http_address){0};
    if (strncmp(text, "unix:", 5) == 0) {
        return parse_unix(text + 5, address);
    }
    return text[0] == '[' ? parse_six(text, address) : parse_four(text, address);
}

static void remove_stale(const char *path)
{
    struct stat facts;

    if (lstat(path, &facts) == 0 && S_ISSOCK(facts.st_mode)) {
        unlink(path);
    }
}

/* Accepted sockets inherit TCP_NODELAY: an answer does not wait for the client's acknowledgement.
 */
static int prepare(int fd, const struct http_address *address)
{
    int on = 1;

    if (address->family == AF_UNIX) {
        remove_stale(address->path);
        return 0;
    }
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
                   setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0
               ? -1
               : 0;
}

int http_address_listen(const struct http_address *address)
{
    int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -1;
    }
    if (prepare(fd, address) != 0 ||
        bind(fd, (const struct sockaddr *)&address->bytes, address->size) != 0 ||
        listen(fd, BACKLOG) != 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
