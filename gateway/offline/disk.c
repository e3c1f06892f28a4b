#include "offline/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rc join(const char *folder, const char *name, const char *suffix,
                    char out[DISK_PATH_SIZE])
{
    int used =
        snprintf(out, DISK_PATH_SIZE, "%s%s%s%s", folder, name[0] != '\0' ? "/" : "", name, suffix);

    return used > 0 && used < DISK_PATH_SIZE ? RC_OK : RC_INVALID_ARGUMENT;
}

static enum rc read_open(int fd, size_t max, struct buffer *into)
{
    struct stat facts;
    uint8_t part[16384];
    ssize_t n;

    if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return RC_INVALID_ARGUMENT;
    }
    do {
        n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        buffer_put(into, part, n > 0 ? (size_t)n : 0);
    } while (n > 0 && into->size <= max && !into->is_failed);
    if (n < 0) {
        return RC_UNAVAILABLE;
    }
    return into->is_failed || into->size > max ? RC_OUT_OF_RANGE : RC_OK;
}

enum rc disk_read(const char *folder, const char *name, size_t max, struct buffer *into)
{
    char path[DISK_PATH_SIZE];
    enum rc rc;
    int fd;

    buffer_clear(into);
    TRY(join(folder, name, "", path));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? RC_NOT_FOUND : RC_UNAVAILABLE;
    }
    rc = read_open(fd, max, into);
    close(fd);
    return rc;
}

static enum rc sync_folder_of(char *path)
{
    char *slash = strrchr(path, '/');
    enum rc rc;
    int fd;

    if (slash != NULL) {
        *slash = '\0';
    }
    fd = open(slash == NULL     ? "."
              : path[0] == '\0' ? "/"
                                : path,
              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rc = fd >= 0 && fsync(fd) == 0 ? RC_OK : RC_UNAVAILABLE;
    if (fd >= 0) {
        close(fd);
    }
    return rc;
}

/* New folders last only when the one above was synced. */
static enum rc make_one(const char *path, enum disk_reach reach)
{
    char above[DISK_PATH_SIZE];

    if (mkdir(path, 0755) != 0) {
        return errno == EEXIST ? RC_OK : RC_UNAVAILABLE;
    }
    if (reach == DISK_FOR_ALL && chmod(path, 0755) != 0) {
        return RC_UNAVAILABLE;
    }
    snprintf(above, sizeof above, "%s", path);
    return sync_folder_of(above);
}

static enum rc make_folders(char *path, bool is_last_one_too, enum disk_reach reach)
{
    for (char *at = path + 1;; at++) {
        char was = *at;

        if (was != '/' && !(was == '\0' && is_last_one_too)) {
            if (was == '\0') {
                return RC_OK;
            }
            continue;
        }
        *at = '\0';
        TRY(make_one(path, reach));
        *at = was;
        if (was == '\0') {
            return RC_OK;
        }
    }
}

enum rc disk_make_folder(const char *folder, enum disk_reach reach)
{
    char path[DISK_PATH_SIZE];

    TRY(join(folder, "", "", path));
    return make_folders(path, true, reach);
}

static enum rc write_synced(const char *path, struct bytes bytes, enum disk_reach reach)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t done = 0;
    bool is_good = fd >= 0;

    while (is_good && done < bytes.size) {
        ssize_t n = write(fd, bytes.data + done, bytes.size - done);

        is_good = n >= 0 || errno == EINTR;
        done += n > 0 ? (size_t)n : 0;
    }
    is_good = is_good && (reach != DISK_FOR_ALL || fchmod(fd, 0644) == 0) && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0) {
        is_good = false;
    }
    return is_good ? RC_OK : RC_UNAVAILABLE;
}

enum rc disk_write(const char *folder, const char *name, struct bytes bytes, enum disk_reach reach)
{
    char path[DISK_PATH_SIZE];
    char fresh[DISK_PATH_SIZE];

    TRY(join(folder, name, "", path));
    TRY(join(folder, name, ".new", fresh));
    TRY(make_folders(path, false, reach));
    TRY(write_synced(fresh, bytes, reach));
    if (rename(fresh, path) != 0) {
        return RC_UNAVAILABLE;
    }
    return sync_folder_of(path);
}

void disk_remove_folder(const char *folder, const char *name)
{
    char path[DISK_PATH_SIZE];
    struct dirent *entry;
    DIR *listing;

    if (join(folder, name, "", path) != RC_OK) {
        return;
    }
    listing = opendir(path);
    if (listing == NULL) {
        return;
    }
    while ((entry = readdir(listing)) != NULL) {
        (void)unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
    (void)rmdir(path);
}
