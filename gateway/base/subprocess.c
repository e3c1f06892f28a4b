#include "base/subprocess.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_MS 10

static bool prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, int input)
{
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawn_file_actions_adddup2(files, input, 0) == 0 &&
           posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(files, 3) == 0 &&
           posix_spawnattr_setflags(attributes, flags) == 0 &&
           posix_spawnattr_setpgroup(attributes, 0) == 0 &&
           posix_spawnattr_setsigmask(attributes, &none) == 0 &&
           posix_spawnattr_setsigdefault(attributes, &all) == 0;
}

static pid_t start(const char *path, int input)
{
    char *const words[] = {(char *)path, NULL};
    char *const environment[] = {(char *)"PATH=/usr/bin:/bin", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    pid_t child = -1;

    if (posix_spawn_file_actions_init(&files) != 0) {
        return -1;
    }
    if (posix_spawnattr_init(&attributes) == 0) {
        if (!prepare(&files, &attributes, input) ||
            posix_spawn(&child, path, &files, &attributes, words, environment) != 0) {
            child = -1;
        }
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return child;
}

static enum rc wait_for(pid_t child, int timeout_ms)
{
    int64_t until = clock_monotonic_ms() + timeout_ms;
    int status = 0;

    for (;;) {
        pid_t ended = waitpid(child, &status, WNOHANG);

        if (ended == child) {
            return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RC_OK : RC_ABORTED;
        }
        if (ended < 0) {
            return RC_ABORTED;
        }
        if (clock_monotonic_ms() >= until) {
            kill(-child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return RC_DEADLINE_EXCEEDED;
        }
        clock_sleep_ms(LOOK_MS);
    }
}

enum rc subprocess_run(const char *path, struct bytes input, int timeout_ms)
{
    int ends[2];
    bool is_written;
    pid_t child;

    assert(input.size <= SUBPROCESS_INPUT_MAX);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    is_written = write(ends[1], input.data, input.size) == (ssize_t)input.size;
    close(ends[1]);
    child = is_written ? start(path, ends[0]) : -1;
    close(ends[0]);
    return child > 0 ? wait_for(child, timeout_ms) : RC_NOT_FOUND;
}
