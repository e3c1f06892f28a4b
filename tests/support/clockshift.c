/*
 * clockshift - a wall clock that a test moves under a running process; time passes as it does.
 *
 *     LD_PRELOAD=clockshift.so CLOCK_SHIFT=file    the file holds whole seconds, in text
 *
 * Only CLOCK_REALTIME as clock_gettime tells it: the node's own clock. The monotonic clock goes on,
 * and so does time(), by which OpenSSL judges certificates.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long shift_s(void)
{
    const char *path = getenv("CLOCK_SHIFT");
    char text[32] = "";
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (file < 0) {
        return 0;
    }
    if (read(file, text, sizeof text - 1) < 0) {
        text[0] = '\0';
    }
    close(file);
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    int status;

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    status = real(id, now);
    if (status == 0 && id == CLOCK_REALTIME) {
        now->tv_sec += shift_s();
    }
    return status;
}
