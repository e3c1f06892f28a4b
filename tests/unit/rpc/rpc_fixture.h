/*
 * fixture - throw-away certificates and the things that every test of rpc wants.
 *
 * Certificates are made by the openssl command in a temporary directory, P-256, one day: ca and
 * other-ca, server (node/ssc), other-server (node/pgj), client, two-uris, no-uri, and stranger
 * (signed by other-ca).
 */
#ifndef UNIT_RPC_RPC_FIXTURE_H
#define UNIT_RPC_RPC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "rpc/channel.h"
#include "rpc/cq.h"
#include "rpc/server.h"

#define SERVER_URI "spiffe://enlace.cdmx/node/ssc"
#define OTHER_SERVER_URI "spiffe://enlace.cdmx/node/pgj"
#define CLIENT_URI "spiffe://enlace.cdmx/member/ssc/system/records"

/* In TSan and ASan everything is slower; what must happen is waited for this long at most. */
#define PATIENCE_MS 30000

struct pki {
    char dir[64];
    char paths[16][128];
    unsigned used;
};

static const char pki_script[] =
    "cd '%s' && exec >/dev/null 2>&1\n"
    "ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    " -subj \"/CN=$1\" -keyout $1.key -out $1.pem; }\n"
    "leaf() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    " -CA $2.pem -CAkey $2.key -subj \"/CN=$1\" -addext basicConstraints=critical,CA:FALSE"
    " -addext \"subjectAltName=$3\" -keyout $1.key -out $1.pem; }\n"
    "ca ca && ca other-ca &&\n"
    "leaf server ca URI:" SERVER_URI ",DNS:localhost,IP:127.0.0.1 &&\n"
    "leaf other-server ca URI:" OTHER_SERVER_URI " &&\n"
    "leaf client ca URI:" CLIENT_URI " &&\n"
    "leaf two-uris ca URI:" CLIENT_URI ",URI:" SERVER_URI " &&\n"
    "leaf no-uri ca DNS:localhost &&\n"
    "leaf stranger other-ca URI:" CLIENT_URI "\n";

static inline void pki_make(struct pki *pki)
{
    char command[2048];

    memset(pki, 0, sizeof *pki);
    snprintf(pki->dir, sizeof pki->dir, "/tmp/rpc-pki-XXXXXX");
    assert_non_null(mkdtemp(pki->dir));
    snprintf(command, sizeof command, pki_script, pki->dir);
    assert_int_equal(system(command), 0);
}

static inline void pki_remove(struct pki *pki)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", pki->dir);
    assert_int_equal(system(command), 0);
}

static inline const char *pki_path(struct pki *pki, const char *name, const char *suffix)
{
    char *path = pki->paths[pki->used++ % 16];
    char text[sizeof pki->paths[0]];

    snprintf(text, sizeof text, "%.63s/%.32s%.16s", pki->dir, name, suffix);
    return memcpy(path, text, sizeof text);
}

static inline struct server *serve(struct pki *pki, struct cq_pool *pool,
                                   const struct rpc_method *methods, size_t count)
{
    struct server_config config = {
        .methods = methods,
        .method_count = count,
        .listeners = {{.address = "127.0.0.1:0"}},
        .listener_count = 1,
        .certificate_file = pki_path(pki, "server", ".pem"),
        .key_file = pki_path(pki, "server", ".key"),
        .ca_file = pki_path(pki, "ca", ".pem"),
    };
    struct server *server = NULL;

    assert_int_equal(server_new(pool, &config, &server), RC_OK);
    assert_true(server_port(server, 0) > 0);
    return server;
}

/* holder NULL: without a certificate. */
static inline struct channel *dial(struct pki *pki, struct server *server, const char *holder,
                                   const char *identity)
{
    char target[64];
    struct channel_config config = {
        .target = target,
        .certificate_file = holder != NULL ? pki_path(pki, holder, ".pem") : NULL,
        .key_file = holder != NULL ? pki_path(pki, holder, ".key") : NULL,
        .ca_file = pki_path(pki, "ca", ".pem"),
        .server_identity = identity,
    };
    struct channel *channel = NULL;

    snprintf(target, sizeof target, "127.0.0.1:%d", server_port(server, 0));
    assert_int_equal(channel_new(&config, &channel), RC_OK);
    return channel;
}

static inline void wait_until(const volatile int *flag)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (!__atomic_load_n(flag, __ATOMIC_ACQUIRE)) {
        assert_true(clock_monotonic_ms() < until_ms);
        usleep(1000);
    }
}

static inline void clear_flag(volatile int *flag)
{
    __atomic_store_n(flag, 0, __ATOMIC_RELEASE);
}

static inline void set_flag(volatile int *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_RELEASE);
}

#endif
