#include "enlaced/witnessing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/http_loop.h"
#include "tlog/add_checkpoint.h"
#include "tlog/policy.h"

__attribute__((format(printf, 2, 3))) static enum rc wrong(char error[WITNESSING_ERROR_SIZE],
                                                           const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, WITNESSING_ERROR_SIZE, format, arguments);
    va_end(arguments);
    return RC_INVALID_ARGUMENT;
}

static enum rc read_text(const char *path, struct buffer *text)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t size;

    if (file == NULL) {
        return RC_NOT_FOUND;
    }
    while ((size = fread(piece, 1, sizeof piece, file)) > 0 && text->size <= POLICY_SIZE_MAX) {
        buffer_put(text, piece, size);
    }
    size = (size_t)ferror(file);
    fclose(file);
    return size == 0 && !text->is_failed ? RC_OK : RC_UNAVAILABLE;
}

static enum rc read_policy(const char *name, const char *path, struct policy **policy,
                           char error[WITNESSING_ERROR_SIZE])
{
    OWN(buffer) text = {0};
    struct policy_flaw flaw = {0};

    if (path[0] == '\0') {
        return RC_OK;
    }
    if (read_text(path, &text) != RC_OK) {
        return wrong(error, "%s: %s: cannot be read", path, name);
    }
    *policy = malloc(sizeof **policy);
    if (*policy == NULL) {
        return wrong(error, "%s: out of memory", name);
    }
    if (policy_parse(buffer_bytes(&text), *policy, &flaw) != RC_OK) {
        return wrong(error, "%s:%zu: %s: not a tlog-policy: %s", path, flaw.line, name,
                     flaw.reason != NULL ? flaw.reason : "");
    }
    return RC_OK;
}

/* A peer's url is not used, and may be anything; nobody knows here who is a peer, so all count. */
static enum rc check_urls(const char *path, const struct policy *policy,
                          char error[WITNESSING_ERROR_SIZE])
{
    for (size_t i = 0; i < policy->witness_count; i++) {
        const struct policy_witness *witness = &policy->witnesses[i];
        struct witness_url url;

        if (witness->url[0] != '\0' && witness_url_parse(bytes_text(witness->url), &url) != RC_OK) {
            return wrong(error,
                         "%s: witness_policy: %s: expected http://127.0.0.1:port/prefix: plain "
                         "HTTP does not leave this machine; another witness is reached through a "
                         "proxy on it",
                         path, witness->url);
        }
    }
    return RC_OK;
}

static enum rc check_values(const struct settings *settings, char error[WITNESSING_ERROR_SIZE])
{
    if (settings->witness_listen[0] != '\0' &&
        http_check_address(settings->witness_listen) != RC_OK) {
        return wrong(error,
                     "witness_listen: %s: expected 127.0.0.1:port, [::1]:port or unix:/path: plain "
                     "HTTP does not leave this machine",
                     settings->witness_listen);
    }
    if (settings->witness_listen[0] != '\0' && settings->witness_key[0] == '\0') {
        return wrong(error, "witness_listen: needs witness_key");
    }
    if (settings->stop_witness_lag_s != 0 &&
        settings->stop_witness_lag_s < settings->max_witness_lag_s) {
        return wrong(error, "stop_witness_lag_s: expected 0, or max_witness_lag_s at least");
    }
    return RC_OK;
}

enum rc witnessing_read(const struct settings *settings, struct witnessing *witnessing,
                        char error[WITNESSING_ERROR_SIZE])
{
    TRY(check_values(settings, error));
    TRY(read_policy("witness_logs", settings->witness_logs, &witnessing->logs, error));
    TRY(read_policy("witness_policy", settings->witness_policy, &witnessing->policy, error));
    return witnessing->policy != NULL
               ? check_urls(settings->witness_policy, witnessing->policy, error)
               : RC_OK;
}

void witnessing_release(struct witnessing *witnessing)
{
    free(witnessing->policy);
    free(witnessing->logs);
}
