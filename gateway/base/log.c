#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Written by log_open before the first thread, constant afterwards. */
static const char *log_program = "enlace";
static enum log_level log_least = LOG_LEVEL_INFO;

void log_open(const char *program, enum log_level least)
{
    log_program = program;
    log_least = least;
}

int log_wants(enum log_level level)
{
    return level >= log_least;
}

/* A value from outside could forge a second line: control characters become spaces. */
static void flatten(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            text[i] = ' ';
        }
    }
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", "fatal"};
    char line[1024];
    struct timespec now;
    struct tm utc;
    size_t used;
    int n;
    va_list args;

    if (!log_wants(level)) {
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
    n = snprintf(line + used, sizeof line / 2 - used, ".%03ldZ %s %s %s ", now.tv_nsec / 1000000,
                 levels[level], log_program, event);
    used += n < 0 ? 0 : (size_t)n < sizeof line / 2 - used ? (size_t)n : sizeof line / 2 - used - 1;
    va_start(args, format);
    n = vsnprintf(line + used, sizeof line - used - 1, format, args);
    va_end(args);
    if (n > 0) {
        used += (size_t)n < sizeof line - used - 1 ? (size_t)n : sizeof line - used - 2;
    }
    flatten(line, used);
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0) {
        return; /* nowhere left to say it */
    }
}
