#include "sdk/dropfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LIST_MAX 10000
#define NAME_ROOM (DROPFOLDER_NAME_MAX + 24)

struct dropfolder {
    int self;
    int taken;
    int refused;
    int64_t rest_ms;
    char path[512];
};

static enum rc failed_at(const struct dropfolder *folder, const char *what, const char *name)
{
    return failed(RC_UNAVAILABLE, "folder.failed", "path=%s name=%s step=%s cause=%s", folder->path,
                  name, what, strerror(errno));
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name);
    size_t end_length = strlen(end);

    return length >= end_length && strcmp(name + length - end_length, end) == 0;
}

static bool is_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";
    size_t length = strlen(name);

    return length > 0 && length <= DROPFOLDER_NAME_MAX && name[0] != '.' &&
           strspn(name, allowed) == length && !ends_with(name, ".part") && !ends_with(name, ".why");
}

/* ---- opening ---- */

static enum rc open_inside(struct dropfolder *folder, const char *name, int *into)
{
    if (mkdirat(folder->self, name, 0770) != 0 && errno != EEXIST) {
        return failed_at(folder, "mkdir", name);
    }
    *into = openat(folder->self, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *into >= 0 ? RC_OK : failed_at(folder, "open", name);
}

enum rc dropfolder_open(const char *path, int64_t rest_ms, struct dropfolder **folder,
                        struct fault *fault)
{
    OWN_PTR(dropfolder) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    made->taken = -1;
    made->refused = -1;
    made->rest_ms = rest_ms;
    snprintf(made->path, sizeof made->path, "%s", path);
    made->self = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made->self < 0 || open_inside(made, "taken", &made->taken) != RC_OK ||
        open_inside(made, "refused", &made->refused) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "folder.unusable", path,
                      "No se puede usar la carpeta: %s. Créela y dele permiso al adaptador.",
                      strerror(errno));
    }
    *folder = MOVE(made);
    return RC_OK;
}

void dropfolder_free(struct dropfolder *folder)
{
    if (folder != NULL) {
        int files[] = {folder->self, folder->taken, folder->refused};

        for (size_t i = 0; i < 3; i++) {
            if (files[i] >= 0) {
                close(files[i]);
            }
        }
        free(folder);
    }
}

/* ---- writing ---- */

static enum rc put(int folder, const char *name, struct bytes bytes)
{
    int file = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0660);
    size_t done = 0;
    bool is_good;

    if (file < 0) {
        return RC_UNAVAILABLE;
    }
    while (done < bytes.size) {
        ssize_t n = write(file, bytes.data + done, bytes.size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    is_good = done == bytes.size && fsync(file) == 0;
    return close(file) == 0 && is_good ? RC_OK : RC_UNAVAILABLE;
}

enum rc dropfolder_write(struct dropfolder *folder, const char *name, struct bytes bytes)
{
    char part[NAME_ROOM];

    if (!is_name(name)) {
        return RC_INVALID_ARGUMENT;
    }
    snprintf(part, sizeof part, "%s.part", name);
    if (put(folder->self, part, bytes) != RC_OK) {
        return failed_at(folder, "write", part);
    }
    if (renameat(folder->self, part, folder->self, name) != 0 || fsync(folder->self) != 0) {
        return failed_at(folder, "rename", name);
    }
    return RC_OK;
}

bool dropfolder_has(struct dropfolder *folder, const char *name)
{
    return is_name(name) && faccessat(folder->self, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- reading ---- */

static bool is_at_rest(const struct dropfolder *folder, const char *name)
{
    struct stat facts;

    if (fstatat(folder->self, name, &facts, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(facts.st_mode)) {
        return false;
    }
    return clock_now_ms() -
               ((int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000) >=
           folder->rest_ms;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum rc list(struct dropfolder *folder, DIR *listing, struct dropfolder_names *names)
{
    size_t room = 0;
    struct dirent *entry;

    while (names->count < LIST_MAX && (entry = readdir(listing)) != NULL) {
        if (!is_name(entry->d_name) || !is_at_rest(folder, entry->d_name)) {
            continue;
        }
        if (names->count == room) {
            void *items = realloc(names->items, (2 * room + 64) * sizeof names->items[0]);

            if (items == NULL) {
                return RC_RESOURCE_EXHAUSTED;
            }
            names->items = items;
            room = 2 * room + 64;
        }
        snprintf(names->items[names->count++], sizeof names->items[0], "%.*s", DROPFOLDER_NAME_MAX,
                 entry->d_name);
    }
    if (names->count > 1) {
        qsort(names->items, names->count, sizeof names->items[0], compare_names);
    }
    return RC_OK;
}

enum rc dropfolder_list(struct dropfolder *folder, struct dropfolder_names *names)
{
    int again = openat(folder->self, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = again >= 0 ? fdopendir(again) : NULL;
    enum rc rc;

    *names = (struct dropfolder_names){0};
    if (listing == NULL) {
        if (again >= 0) {
            close(again);
        }
        return failed_at(folder, "list", ".");
    }
    rc = list(folder, listing, names);
    closedir(listing);
    if (rc != RC_OK) {
        dropfolder_names_release(names);
    }
    return rc;
}

void dropfolder_names_release(struct dropfolder_names *names)
{
    free(names->items);
    *names = (struct dropfolder_names){0};
}

enum rc dropfolder_read(struct dropfolder *folder, const char *name, size_t max,
                        struct buffer *into)
{
    uint8_t chunk[16384];
    int file = is_name(name)
                   ? openat(folder->self, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
                   : -1;
    ssize_t n = 0;

    if (file < 0) {
        return RC_NOT_FOUND;
    }
    while (into->size <= max && (n = read(file, chunk, sizeof chunk)) > 0) {
        buffer_put(into, chunk, (size_t)n);
    }
    close(file);
    if (n < 0) {
        return failed_at(folder, "read", name);
    }
    return into->size <= max && !into->is_failed ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

/* ---- afterwards ---- */

static enum rc move_to(struct dropfolder *folder, int into, const char *name)
{
    char other[NAME_ROOM];

    snprintf(other, sizeof other, "%s", name);
    for (unsigned i = 1; faccessat(into, other, F_OK, AT_SYMLINK_NOFOLLOW) == 0; i++) {
        snprintf(other, sizeof other, "%s-%u", name, i);
    }
    if (renameat(folder->self, name, into, other) != 0 || fsync(into) != 0 ||
        fsync(folder->self) != 0) {
        return failed_at(folder, "move", name);
    }
    return RC_OK;
}

enum rc dropfolder_take(struct dropfolder *folder, const char *name)
{
    return is_name(name) ? move_to(folder, folder->taken, name) : RC_INVALID_ARGUMENT;
}

enum rc dropfolder_refuse(struct dropfolder *folder, const char *name, const struct fault *why)
{
    OWN(buffer) text = {0};
    char beside[NAME_ROOM];

    if (!is_name(name)) {
        return RC_INVALID_ARGUMENT;
    }
    snprintf(beside, sizeof beside, "%s.why", name);
    buffer_print(&text, "%s %s\n%s\n", why->reason, why->path, why->remedy);
    if (put(folder->refused, beside, buffer_bytes(&text)) != RC_OK) {
        return failed_at(folder, "why", beside);
    }
    return move_to(folder, folder->refused, name);
}
