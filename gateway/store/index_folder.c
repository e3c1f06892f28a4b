#include "store/index_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

#define STATE "state"
#define BOOT_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_SIZE 48
/* Once may be anything; a second time it may be the index itself. */
#define DEATHS_MAX 1

struct state {
    bool is_known;
    bool is_closed;
    uint64_t generation; /* of a closed one */
    uint64_t size;
    char boot[BOOT_SIZE]; /* of an open one */
    unsigned deaths;
};

static enum rc unwritable(const char *path)
{
    return failed(RC_UNAVAILABLE, "index.folder", "path=%s cause=%s", path, strerror(errno));
}

enum rc index_folder_name(const char *path, uint64_t generation, char out[INDEX_PATH_SIZE])
{
    int size = snprintf(out, INDEX_PATH_SIZE, "%s/%" PRIu64, path, generation);

    return size > 0 && size < INDEX_PATH_SIZE - 32
               ? RC_OK
               : failed(RC_INVALID_ARGUMENT, "index.folder", "cause=path too long");
}

/* A text of one line; "" when it cannot be read. */
static void read_line(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd >= 0 ? read(fd, out, size - 1) : 0;

    if (fd >= 0) {
        close(fd);
    }
    out[count > 0 ? count : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static enum rc write_state(const char *path, const char *line)
{
    char name[INDEX_PATH_SIZE + 16];
    char part[INDEX_PATH_SIZE + 24];
    bool is_written;
    int fd;

    snprintf(name, sizeof name, "%s/" STATE, path);
    snprintf(part, sizeof part, "%s.new", name);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return unwritable(part);
    }
    is_written = write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;
    is_written = close(fd) == 0 && is_written;
    return is_written && rename(part, name) == 0 ? RC_OK : unwritable(name);
}

static void read_boot(char out[BOOT_SIZE])
{
    read_line(BOOT_FILE, out, BOOT_SIZE);
}

static void read_state(const char *path, struct state *state)
{
    char name[INDEX_PATH_SIZE + 16];
    char line[128];

    *state = (struct state){0};
    snprintf(name, sizeof name, "%s/" STATE, path);
    read_line(name, line, sizeof line);
    state->is_closed =
        sscanf(line, "closed %" SCNu64 " %" SCNu64, &state->generation, &state->size) == 2;
    state->is_known =
        state->is_closed || sscanf(line, "open %47s %u", state->boot, &state->deaths) == 2;
}

/* The highest of all; every one below is removed. False: there is none. */
static bool newest(const char *path, uint64_t *generation)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_found = false;

    *generation = 0;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char *end;
        uint64_t number = strtoull(entry->d_name, &end, 10);

        if (*end != '\0' || end == entry->d_name || number == 0 || number == UINT64_MAX) {
            continue;
        }
        if (is_found) {
            index_folder_remove(path, number < *generation ? number : *generation);
        }
        *generation = is_found && *generation > number ? *generation : number;
        is_found = true;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return is_found;
}

/* Of the environment's file; UINT64_MAX: there is none. */
static uint64_t size_of(const char *path, uint64_t generation)
{
    char name[INDEX_PATH_SIZE];
    struct stat file;
    int size = snprintf(name, sizeof name, "%s/%" PRIu64 "/data.mdb", path, generation);

    return size > 0 && (size_t)size < sizeof name && stat(name, &file) == 0 ? (uint64_t)file.st_size
                                                                            : UINT64_MAX;
}

/* NULL: it may be believed. */
static const char *flaw_of(const char *path, const struct state *state, uint64_t generation,
                           const char *boot)
{
    if (!state->is_known) {
        return "no word about its last use";
    }
    if (state->is_closed) {
        return state->generation == generation && size_of(path, generation) == state->size
                   ? NULL
                   : "not the file that was closed";
    }
    if (strcmp(state->boot, boot) != 0) {
        return "open when the machine went down";
    }
    return state->deaths < DEATHS_MAX ? NULL : "the process died twice with it open";
}

enum rc index_folder_open(const char *path, uint64_t *generation)
{
    char boot[BOOT_SIZE];
    char line[128];
    struct state state;
    unsigned deaths = 0;

    if (strlen(path) > INDEX_PATH_SIZE - 64 || (mkdir(path, 0700) != 0 && errno != EEXIST)) {
        return unwritable(path);
    }
    read_boot(boot);
    read_state(path, &state);
    if (newest(path, generation)) {
        const char *flaw = flaw_of(path, &state, *generation, boot);

        if (flaw != NULL) {
            log_warn("index.begun_anew", "path=%s cause=%s", path, flaw);
            index_folder_remove(path, *generation);
            *generation += 1;
        } else {
            deaths = state.is_closed ? 0 : state.deaths + 1;
        }
    } else {
        *generation = 1;
    }
    snprintf(line, sizeof line, "open %s %u\n", boot[0] != '\0' ? boot : "unknown", deaths);
    return write_state(path, line);
}

enum rc index_folder_close(const char *path, uint64_t generation)
{
    char line[128];

    snprintf(line, sizeof line, "closed %" PRIu64 " %" PRIu64 "\n", generation,
             size_of(path, generation));
    return write_state(path, line);
}

void index_folder_remove(const char *path, uint64_t generation)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "enlace.lock"};
    char name[INDEX_PATH_SIZE];
    char file[INDEX_PATH_SIZE + 16];

    if (index_folder_name(path, generation, name) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(file, sizeof file, "%s/%s", name, files[i]);
        (void)unlink(file);
    }
    if (rmdir(name) != 0 && errno != ENOENT) {
        (void)unwritable(name);
    }
}
