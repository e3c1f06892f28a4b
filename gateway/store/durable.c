#include "store/durable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 256
#define TEMPORARY ".tmp"

enum rc durable_failed(const char *event, const char *name)
{
    enum rc rc = errno == ENOSPC || errno == EDQUOT ? RC_RESOURCE_EXHAUSTED : RC_UNAVAILABLE;

    return failed(rc, event, "name=%s cause=\"%s\"", name, strerror(errno));
}

enum rc durable_sync(int fd, const char *name)
{
    return fsync(fd) == 0 ? RC_OK : durable_failed("durable.sync", name);
}

enum rc durable_folder(int parent, const char *name, bool is_made, int *fd)
{
    int opened;

    if (is_made) {
        if (mkdirat(parent, name, 0700) == 0) {
            TRY(durable_sync(parent, name));
        } else if (errno != EEXIST) {
            return durable_failed("durable.folder", name);
        }
    }
    opened = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("durable.folder", name);
    }
    *fd = opened;
    return RC_OK;
}

bool durable_write_at(int fd, const uint8_t *data, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(fd, data, size, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

bool durable_read_at(int fd, uint8_t *out, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pread(fd, out, size, (off_t)offset);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        out += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static enum rc write_synced(int folder, const char *name, struct bytes bytes)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    enum rc rc = RC_OK;

    if (fd < 0) {
        return durable_failed("durable.write", name);
    }
    if (!durable_write_at(fd, bytes.data, bytes.size, 0) || fsync(fd) != 0) {
        rc = durable_failed("durable.write", name);
    }
    close(fd);
    return rc;
}

enum rc durable_write(int folder, const char *name, struct bytes bytes)
{
    char temporary[NAME_SIZE];
    int n = snprintf(temporary, sizeof temporary, "%s" TEMPORARY, name);
    enum rc rc;

    if (n < 0 || (size_t)n >= sizeof temporary) {
        return RC_INVALID_ARGUMENT;
    }
    rc = write_synced(folder, temporary, bytes);
    if (rc == RC_OK && renameat(folder, temporary, folder, name) != 0) {
        rc = durable_failed("durable.rename", name);
    }
    if (rc != RC_OK) {
        unlinkat(folder, temporary, 0);
        return rc;
    }
    return durable_sync(folder, name);
}

enum rc durable_read(int folder, const char *name, uint8_t *out, size_t room, size_t *size)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    enum rc rc = RC_OK;

    if (fd < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("durable.read", name);
    }
    if (fstat(fd, &status) != 0) {
        rc = durable_failed("durable.read", name);
    } else if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size > room) {
        rc = failed(RC_DATA_LOSS, "durable.read", "name=%s size=%lld", name,
                    (long long)status.st_size);
    } else if (!durable_read_at(fd, out, (size_t)status.st_size, 0)) {
        rc = durable_failed("durable.read", name);
    } else {
        *size = (size_t)status.st_size;
    }
    close(fd);
    return rc;
}

enum rc durable_unlink(int folder, const char *name)
{
    if (unlinkat(folder, name, 0) != 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("durable.unlink", name);
    }
    return durable_sync(folder, name);
}

enum rc durable_tidy(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    enum rc rc = RC_OK;

    if (listing == NULL) {
        rc = durable_failed("durable.tidy", ".");
        if (fd >= 0) {
            close(fd);
        }
        return rc;
    }
    while (rc == RC_OK && (entry = readdir(listing)) != NULL) {
        size_t size = strlen(entry->d_name);

        if (size > strlen(TEMPORARY) &&
            strcmp(entry->d_name + size - strlen(TEMPORARY), TEMPORARY) == 0) {
            rc = durable_unlink(folder, entry->d_name);
        }
    }
    closedir(listing);
    return rc;
}
