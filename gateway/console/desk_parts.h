/*
 * desk_parts - what the console's pages share: who the reader is, the connections, the answer that
 * is being made. Internal to console.
 *
 * A page's function gets the request's JSON and gives the answer's; it refuses with a fault, which
 * becomes {"error": {...}} with the HTTP status that fits. All on the HTTP thread.
 */
#ifndef CONSOLE_DESK_PARTS_H
#define CONSOLE_DESK_PARTS_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "client/profile.h"
#include "console/console.h"
#include "console/gate.h"
#include "http/http_loop.h"
#include "model/id.h"

struct arena;
struct directory;
struct mailbox;
struct records;
struct session;

struct console {
    struct http_service service; /* first */
    struct http_loop *loop;
    atomic_bool is_open; /* the gate is set */
    struct gate gate;
    char token[GATE_TOKEN_SIZE]; /* until it was shown */
    const struct profile *profile;
    const char *directory; /* NULL: none */
    const char *seals;     /* NULL: none */
    /* As the profile's system: what sends, receives and tracks. NULL: not needed yet. */
    struct session *as_system;
    /* As the profile's official, auditor or operator: who reads the log. */
    struct profile *reader_profile;
    struct session *as_reader;
    struct records *records;
    struct mailbox *mailbox; /* NULL: not needed yet */
    _Atomic(const char *) lie;
};

/* One request. */
struct asked {
    struct console *console;
    json_t *body; /* an object; of a GET its query, texts */
    struct arena *arena;
};

/* What a page does. Sets the answer, an object that the caller frees. */
struct page {
    const char *method; /* "GET", "POST" */
    const char *path;   /* "/api/bitacora/buscar" */
    enum rc (*run)(const struct asked *asked, json_t **answer, struct fault *fault);
};

/* Connections, made when first asked for. */
MUST_CHECK enum rc desk_system(struct console *console, struct session **session,
                               struct fault *fault);
MUST_CHECK enum rc desk_reader(struct console *console, struct session **session,
                               struct fault *fault);

/* The profile's system begins to receive. */
MUST_CHECK enum rc desk_mailbox(struct console *console, struct mailbox **mailbox,
                                struct fault *fault);

/* What the folder of signed texts makes today; the caller frees it. RC_FAILED_PRECONDITION
 * "console.directory": there is no folder. */
MUST_CHECK enum rc desk_directory(const struct console *console, struct directory **directory,
                                  struct fault *fault);

/* The node showed what it cannot prove: the program's exit status tells of the first. */
void desk_remember_lie(struct console *console, const struct fault *fault);

/* A text of the request; "" when it is not there. RC_INVALID_ARGUMENT "form.field": no text. */
MUST_CHECK enum rc asked_text(const struct asked *asked, const char *name, const char **text,
                              struct fault *fault);
/* A UUID. RC_INVALID_ARGUMENT when it is none. */
MUST_CHECK enum rc asked_id(const struct asked *asked, const char *name, struct id *id,
                            struct fault *fault);
/* fallback when it is not there. */
MUST_CHECK enum rc asked_number(const struct asked *asked, const char *name, int64_t fallback,
                                int64_t *number, struct fault *fault);

#endif
