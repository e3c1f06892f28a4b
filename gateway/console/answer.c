#include "console/answer.h"

int answer_status(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return 200;
    case RC_INVALID_ARGUMENT:
    case RC_OUT_OF_RANGE:
        return 422;
    case RC_UNAUTHENTICATED:
        return 401;
    case RC_PERMISSION_DENIED:
        return 403;
    case RC_NOT_FOUND:
        return 404;
    case RC_ALREADY_EXISTS:
    case RC_ABORTED:
    case RC_FAILED_PRECONDITION:
        return 409;
    case RC_RESOURCE_EXHAUSTED:
        return 429;
    case RC_DATA_LOSS:
        return 502; /* the node behind us shows what it cannot prove */
    case RC_UNAVAILABLE:
        return 503;
    case RC_DEADLINE_EXCEEDED:
        return 504;
    default:
        return 500;
    }
}

void answer_guard(struct http_response *response)
{
    static const struct {
        const char *name;
        const char *value;
    } headers[] = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
         "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
         "require-trusted-types-for 'script'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
        {"Cache-Control", "no-store"},
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        http_response_header(response, headers[i].name, headers[i].value);
    }
}

static int add(const char *text, size_t size, void *buffer)
{
    buffer_put(buffer, text, size);
    return 0;
}

void answer_json(struct http_response *response, int status, json_t *object)
{
    response->status = status;
    response->type = "application/json; charset=utf-8";
    if (object == NULL || json_dump_callback(object, add, &response->body, JSON_COMPACT) != 0) {
        response->body.is_failed = true;
    }
    json_decref(object);
}

void answer_fault(struct http_response *response, const struct fault *fault)
{
    answer_json(response, answer_status(fault->rc),
                json_pack("{s:{s:s,s:s,s:s,s:s}}", "error", "code", rc_name(fault->rc), "reason",
                          fault->reason, "path", fault->path, "remedy", fault->remedy));
}
