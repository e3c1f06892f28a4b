/*
 * console - the local web page of `enlace console`: what officials, auditors and operators see.
 *
 * Serves one person's browser on the loopback behind a gate (console/gate), speaks gRPC to the node
 * with that person's own certificate, and shows a mark only before what was verified here. Pages
 * are constant files inside the program (console/web); each asks its own JSON endpoints, one file
 * of ours a page (page_*.c), all listed in console/routes.
 *
 *     main thread: console_new, waits for a signal, console_free
 *     the HTTP thread: everything else, one request after the other
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <stdbool.h>

#include "base/own.h"
#include "base/rc.h"

struct console;
struct profile;

#define CONSOLE_PORT 7470
#define CONSOLE_PATH_MAX 512

struct console_options {
    const char *listen;     /* "127.0.0.1:7470"; port 0: any */
    const char *audit_path; /* of the audit that readings belong to; made when it is not there */
    const char *directory;  /* folder of the directory's signed texts; NULL: none */
    const char *seals;      /* folder of others' seal certificates; NULL: none */
};

/* The profile is borrowed. RC_UNAVAILABLE "console.listen": the port is taken. */
MUST_CHECK enum rc console_new(const struct profile *profile, const struct console_options *options,
                               struct console **console, struct fault *fault);
/* Ends the readings, so that the node logs their counts. */
void console_free(struct console *console);
OWN_PTR_DEFINE(console)

/* Where to enter, once: with the token in the fragment, which no server and no log sees. The caller
 * wipes it. */
#define CONSOLE_LINK_SIZE 160
void console_link(const struct console *console, char out[CONSOLE_LINK_SIZE]);

/* After console_free's thread is gone is too late: ask before. "": the node proved all it showed;
 * else the reason of its first lie. Any thread. */
const char *console_lie(const struct console *console);

#endif
