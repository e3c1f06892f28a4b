/*
 * sandbox - what an adapter's process may still do once it has read its settings: its files, its
 * node, its agency's system, and nothing else.
 *
 * seccomp: the system calls of a network client; no new program, no tracing, no mounts, no kernel
 * keys or modules. What is not listed answers EPERM. Landlock: the folders and files named here,
 * and, where the kernel can (ABI 4, Linux 6.7), TCP connections to the ports named and listening on
 * those named. What the kernel lacks is said in one warning ("sandbox.partial") and left to the
 * service manager. Core dumps are off, privileges cannot be gained.
 *
 * Once, after the settings are read and before the first thread starts.
 */
#ifndef SDK_SANDBOX_H
#define SDK_SANDBOX_H

#include <stdint.h>

#include "base/rc.h"

#define SANDBOX_PATHS_MAX 24
#define SANDBOX_PORTS_MAX 8

struct sandbox {
    const char *read[SANDBOX_PATHS_MAX]; /* files and folders; NULL and "" are passed over */
    size_t read_count;
    const char *write[SANDBOX_PATHS_MAX]; /* folders: read, made, renamed, removed inside */
    size_t write_count;
    uint16_t connect[SANDBOX_PORTS_MAX];
    size_t connect_count;
    uint16_t listen[SANDBOX_PORTS_MAX];
    size_t listen_count;
};

void sandbox_may_read(struct sandbox *sandbox, const char *path);
void sandbox_may_write(struct sandbox *sandbox, const char *folder);
void sandbox_may_connect(struct sandbox *sandbox, uint16_t port);
void sandbox_may_listen(struct sandbox *sandbox, uint16_t port);

/* RC_FAILED_PRECONDITION, with the step that failed: do not start then. */
MUST_CHECK enum rc sandbox_enter(const struct sandbox *sandbox, struct fault *fault);

#endif
