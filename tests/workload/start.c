#include "workload/start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define FORM "enlace-w2019 v1\nseed %" PRIu64 "\nstart_ms %" PRId64 "\n"
#define SCAN "enlace-w2019 v1 seed %" SCNu64 " start_ms %" SCNd64

static enum rc read_start(const char *path, struct start *start)
{
    FILE *file = fopen(path, "re");
    int count;

    if (file == NULL) {
        return errno == ENOENT ? RC_NOT_FOUND : RC_DATA_LOSS;
    }
    count = fscanf(file, SCAN, &start->seed, &start->start_ms);
    fclose(file);
    return count == 2 && start->start_ms > 0 ? RC_OK : RC_DATA_LOSS;
}

static enum rc write_start(const char *path, const struct start *start)
{
    char part[512];
    int file;
    bool is_written;

    snprintf(part, sizeof part, "%s.part", path);
    file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) {
        return failed(RC_UNAVAILABLE, "start.write", "path=%s cause=%s", part, strerror(errno));
    }
    is_written = dprintf(file, FORM, start->seed, start->start_ms) > 0 && fsync(file) == 0;
    is_written = close(file) == 0 && is_written && rename(part, path) == 0;
    return is_written
               ? RC_OK
               : failed(RC_UNAVAILABLE, "start.write", "path=%s cause=%s", path, strerror(errno));
}

enum rc start_remember(const char *path, uint64_t seed, struct start *start)
{
    enum rc rc = read_start(path, start);

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    *start = (struct start){.seed = seed, .start_ms = clock_now_ms()};
    return write_start(path, start);
}
