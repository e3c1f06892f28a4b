#include "workload/start.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/own.h"
#include "workload/folder.h"

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

enum rc start_remember(const char *path, uint64_t seed, struct start *start)
{
    OWN(buffer) text = {0};
    enum rc rc = read_start(path, start);

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    *start = (struct start){.seed = seed, .start_ms = clock_now_ms()};
    buffer_print(&text, FORM, start->seed, start->start_ms);
    return folder_write(path, buffer_bytes(&text));
}
