#include "base/rc.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

enum rc refuse(struct fault *fault, enum rc rc, const char *reason, const char *path,
               const char *remedy, ...)
{
    if (fault != NULL && fault->rc == RC_OK) {
        va_list args;

        fault->rc = rc;
        snprintf(fault->reason, sizeof fault->reason, "%s", reason);
        snprintf(fault->path, sizeof fault->path, "%s", path);
        va_start(args, remedy);
        vsnprintf(fault->remedy, sizeof fault->remedy, remedy, args);
        va_end(args);
    }
    return rc;
}

enum rc failed(enum rc rc, const char *event, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_error(event, "%s rc=%s", text, rc_name(rc));
    return rc;
}

const char *rc_name(enum rc rc)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };

    return (size_t)rc < sizeof names / sizeof names[0] ? names[rc] : "UNKNOWN";
}
