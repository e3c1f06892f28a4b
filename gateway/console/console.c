#include "console/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/session.h"
#include "console/answer.h"
#include "console/mailbox.h"
#include "console/records.h"
#include "console/routes.h"
#include "console/web_file.h"
#include "policy/law_read.h"

#define REQUEST_ARENA_MAX ((size_t)32 << 20)
#define PATH_MAX_BYTES 256

/* ---- connections ---- */

enum rc desk_system(struct console *console, struct session **session, struct fault *fault)
{
    if (console->as_system == NULL) {
        TRY(session_open(console->profile, &console->as_system, fault));
    }
    *session = console->as_system;
    return RC_OK;
}

/* A system reads no log: its profile's official does. Whoever has a certificate of her own reads
 * with it. */
static enum rc make_reader(struct console *console, struct fault *fault)
{
    struct profile *profile = malloc(sizeof *profile);

    if (profile == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    *profile = *console->profile;
    if (profile->official_certificate[0] != '\0') {
        memcpy(profile->certificate, profile->official_certificate, sizeof profile->certificate);
        memcpy(profile->key, profile->official_key, sizeof profile->key);
    }
    console->reader_profile = profile;
    return RC_OK;
}

enum rc desk_reader(struct console *console, struct session **session, struct fault *fault)
{
    if (console->as_reader == NULL) {
        TRY(session_open(console->reader_profile, &console->as_reader, fault));
    }
    *session = console->as_reader;
    return RC_OK;
}

enum rc desk_mailbox(struct console *console, struct mailbox **mailbox, struct fault *fault)
{
    struct session *session;

    if (console->mailbox == NULL) {
        TRY(desk_system(console, &session, fault));
        TRY(mailbox_new(console->profile, session, &console->mailbox, fault));
    }
    *mailbox = console->mailbox;
    return RC_OK;
}

enum rc desk_directory(const struct console *console, struct directory **directory,
                       struct fault *fault)
{
    if (console->directory == NULL) {
        return refuse(
            fault, RC_FAILED_PRECONDITION, "console.directory", "",
            "Para esto hace falta el directorio: abra la consola con --with CARPETA, la de "
            "los textos firmados.");
    }
    return law_read(console->directory, directory, fault);
}

/* ---- what was asked ---- */

enum rc asked_text(const struct asked *asked, const char *name, const char **text,
                   struct fault *fault)
{
    const json_t *value = json_object_get(asked->body, name);

    *text = value == NULL ? "" : json_string_value(value);
    return *text != NULL ? RC_OK
                         : refuse(fault, RC_INVALID_ARGUMENT, "form.field", name,
                                  "Se esperaba un texto en «%s».", name);
}

enum rc asked_id(const struct asked *asked, const char *name, struct id *id, struct fault *fault)
{
    const char *text;

    TRY(asked_text(asked, name, &text, fault));
    return id_parse(text, id) == RC_OK ? RC_OK
                                       : refuse(fault, RC_INVALID_ARGUMENT, "form.field", name,
                                                "Se esperaba un identificador como "
                                                "0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11.");
}

enum rc asked_number(const struct asked *asked, const char *name, int64_t fallback, int64_t *number,
                     struct fault *fault)
{
    const json_t *value = json_object_get(asked->body, name);

    *number = value == NULL ? fallback : (int64_t)json_integer_value(value);
    return value == NULL || json_is_integer(value)
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "form.field", name,
                        "Se esperaba un número entero en «%s».", name);
}

static enum rc read_body(struct bytes body, json_t **object, struct fault *fault)
{
    json_error_t error;

    *object = body.size == 0
                  ? json_object()
                  : json_loadb((const char *)body.data, body.size, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(*object)) {
        return RC_OK;
    }
    json_decref(*object);
    *object = NULL;
    return refuse(fault, RC_INVALID_ARGUMENT, "form.json", "",
                  "La consola recibió algo que no entiende: recargue la página.");
}

/* ---- answering ---- */

static struct gate_asked gate_asked_of(const struct http_request *request)
{
    return (struct gate_asked){.is_post = request->is_post,
                               .host = http_request_header(request, "Host"),
                               .origin = http_request_header(request, "Origin"),
                               .site = http_request_header(request, "Sec-Fetch-Site"),
                               .type = http_request_header(request, "Content-Type"),
                               .cookie = http_request_header(request, "Cookie")};
}

static enum rc enter(struct console *console, const struct http_request *request,
                     struct http_response *response, struct fault *fault)
{
    struct asked asked = {.console = console};
    char cookie[GATE_COOKIE_MAX];
    const char *token;
    enum rc rc;

    TRY(read_body(request->body, &asked.body, fault));
    rc = asked_text(&asked, "token", &token, fault);
    if (rc == RC_OK) {
        rc = gate_enter(&console->gate, token, clock_now_ms(), cookie, fault);
    }
    json_decref(asked.body);
    if (rc == RC_OK) {
        http_response_header(response, "Set-Cookie", cookie);
        answer_json(response, 200, json_pack("{s:b}", "entered", 1));
        explicit_bzero(cookie, sizeof cookie);
    }
    return rc;
}

/* The first stays. */
void desk_remember_lie(struct console *console, const struct fault *fault)
{
    const char *none = "";
    char *reason;

    if (fault->rc != RC_DATA_LOSS) {
        return;
    }
    log_error("console.node_lies", "reason=%s path=%s", fault->reason, fault->path);
    reason = strdup(fault->reason);
    if (reason == NULL || !atomic_compare_exchange_strong(&console->lie, &none, reason)) {
        free(reason);
    }
}

static enum rc run_page(struct console *console, const struct page *page, struct bytes body,
                        struct http_response *response, struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(REQUEST_ARENA_MAX);
    struct asked asked = {.console = console, .arena = arena};
    json_t *answer = NULL;
    enum rc rc;

    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    TRY(read_body(body, &asked.body, fault));
    rc = page->run(&asked, &answer, fault);
    json_decref(asked.body);
    if (rc == RC_OK) {
        answer_json(response, 200, answer);
        return RC_OK;
    }
    return refuse(fault, rc, "console.failed", "",
                  "La consola no pudo hacerlo; vea la terminal en que corre.");
}

static enum rc answer_api(struct console *console, const struct http_request *request,
                          const char *path, struct http_response *response, struct fault *fault)
{
    struct gate_asked asked = gate_asked_of(request);
    const struct page *page = routes_find(request->is_post, path);

    if (request->is_post && strcmp(path, "/api/entrar") == 0) {
        return enter(console, request, response, fault);
    }
    TRY(gate_check_session(&console->gate, &asked, fault));
    if (page == NULL) {
        return refuse(fault, RC_NOT_FOUND, "console.address", path,
                      "La consola no tiene esa dirección.");
    }
    return run_page(console, page, request->body, response, fault);
}

static enum rc answer_file(const struct http_request *request, const char *path,
                           struct http_response *response, struct fault *fault)
{
    const struct web_file *file = request->is_post ? NULL : web_file_find(path);

    if (file == NULL) {
        return refuse(fault, RC_NOT_FOUND, "console.address", path,
                      "La consola no tiene esa página; vuelva al inicio.");
    }
    response->status = 200;
    response->type = file->type;
    response->constant = web_file_bytes(file);
    return RC_OK;
}

/* Without its query; "" when it is too long, which is no address of ours. */
static void path_of(struct bytes uri, char path[PATH_MAX_BYTES])
{
    size_t size = 0;

    while (size < uri.size && uri.data[size] != '?') {
        size++;
    }
    size = size < PATH_MAX_BYTES ? size : 0;
    memcpy(path, uri.data, size);
    path[size] = '\0';
}

static void answer(struct http_service *service, const struct http_request *request,
                   struct http_response *response)
{
    struct console *console = (struct console *)service;
    struct gate_asked asked = gate_asked_of(request);
    char path[PATH_MAX_BYTES];
    struct fault fault = {0};
    enum rc rc;

    answer_guard(response);
    if (!atomic_load(&console->is_open)) {
        response->status = 503; /* its port is not known yet */
        return;
    }
    path_of(request->path, path);
    rc = gate_check(&console->gate, &asked, &fault);
    if (rc == RC_OK) {
        rc = strncmp(path, "/api/", 5) == 0 ? answer_api(console, request, path, response, &fault)
                                            : answer_file(request, path, response, &fault);
    }
    if (rc != RC_OK) {
        log_info("console.refused", "path=%s reason=%s", path, fault.reason);
        desk_remember_lie(console, &fault);
        answer_fault(response, &fault);
    }
}

/* ---- life ---- */

/* The host as a browser writes it: the address without its port. */
static void host_of(const char *listen, char host[GATE_HOST_MAX])
{
    const char *colon = strrchr(listen, ':');

    snprintf(host, GATE_HOST_MAX, "%.*s", colon != NULL ? (int)(colon - listen) : 0, listen);
}

enum rc console_new(const struct profile *profile, const struct console_options *options,
                    struct console **console, struct fault *fault)
{
    OWN_PTR(console) made = calloc(1, sizeof *made);
    char host[GATE_HOST_MAX];

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    made->service.answer = answer;
    made->profile = profile;
    made->directory = options->directory;
    made->seals = options->seals;
    atomic_init(&made->lie, "");
    TRY(make_reader(made, fault));
    TRY(records_new(made->reader_profile, options->audit_path, &made->records, fault));
    if (strncmp(options->listen, "unix:", 5) == 0 || http_check_address(options->listen) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "usage.listen", options->listen,
                      "La consola escucha en esta máquina y nada más: 127.0.0.1:PUERTO.");
    }
    if (http_loop_new(options->listen, &made->service, &made->loop) != RC_OK) {
        return refuse(fault, RC_UNAVAILABLE, "console.listen", options->listen,
                      "Ese puerto está ocupado, quizá por otra consola: ciérrela, o elija otro con "
                      "--port.");
    }
    host_of(options->listen, host);
    gate_init(&made->gate, host, http_loop_port(made->loop), clock_now_ms(), made->token);
    atomic_store(&made->is_open, true);
    *console = MOVE(made);
    return RC_OK;
}

void console_free(struct console *console)
{
    const char *lie;

    if (console == NULL) {
        return;
    }
    http_loop_free(console->loop);
    mailbox_free(console->mailbox);
    records_free(console->records);
    session_free(console->as_system);
    session_free(console->as_reader);
    free(console->reader_profile);
    lie = atomic_load(&console->lie);
    if (lie[0] != '\0') {
        free((char *)lie);
    }
    explicit_bzero(console, sizeof *console);
    free(console);
}

void console_link(const struct console *console, char out[CONSOLE_LINK_SIZE])
{
    snprintf(out, CONSOLE_LINK_SIZE, "http://%s/#entrar=%s", console->gate.host, console->token);
}

const char *console_lie(const struct console *console)
{
    return atomic_load(&console->lie);
}
