/*
 * credentials - certificate, key and CA files for gRPC, read again when they change. Internal to
 * rpc.
 *
 * A set remembers what the files looked like (inode, size, time of change) when it read them.
 * Looking costs three stat() calls. A half-replaced pair is refused by gRPC, which keeps the old
 * one; the next change is read again. Keys are wiped before their memory is given back.
 */
#ifndef RPC_CREDENTIALS_H
#define RPC_CREDENTIALS_H

#include <stdbool.h>

#include "base/own.h"
#include "rpc/core.h"

struct credentials;

/* Reads the files; a failure is logged with the path. key and certificate may both be NULL. */
MUST_CHECK enum rc credentials_new(const char *certificate_file, const char *key_file,
                                   const char *ca_file, struct credentials **out);
void credentials_free(struct credentials *set);
OWN_PTR_DEFINE(credentials)

/* True when a file differs from what was read. Not thread-safe, like all but the fetcher. */
bool credentials_are_stale(const struct credentials *set);
/* On failure the old ones stay. */
MUST_CHECK enum rc credentials_read(struct credentials *set);

/*
 * Client certificate demanded and verified. gRPC asks the set (any of its threads, locked inside)
 * at each handshake for changed files; the set must outlive the server.
 */
grpc_server_credentials *credentials_for_server(struct credentials *set);

/* The server's one URI SAN must equal identity (NULL: any); its host name does not count. */
grpc_channel_credentials *credentials_for_channel(const struct credentials *set,
                                                  const char *identity);

#endif
