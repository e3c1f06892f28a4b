#include "store/fileset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/durable.h"

bool files_lacks(int folder, const struct filename *name)
{
    return faccessat(folder, name->hex, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

enum rc files_list(int folder, struct filename **names, size_t *count)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);
    OWN(buffer) found = {0};
    struct dirent *entry;

    if (listing == NULL) {
        enum rc rc = durable_failed("files.list", ".");

        if (fd >= 0) {
            close(fd);
        }
        return rc;
    }
    while ((entry = readdir(listing)) != NULL) {
        struct filename name;

        if (filename_parse(entry->d_name, &name) == RC_OK) {
            buffer_put(&found, &name, sizeof name);
        }
    }
    closedir(listing);
    if (found.is_failed) {
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "names=%zu", found.size);
    }
    *count = found.size / sizeof(struct filename);
    *names = (struct filename *)found.data;
    found = (struct buffer){0};
    return RC_OK;
}

enum rc files_remove(struct files *files, const struct filename *name)
{
    const int folders[] = {files->keys, files->part, files->kept};
    enum rc outcome = RC_NOT_FOUND;

    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        enum rc rc = durable_unlink(folders[i], name->hex);

        if (rc != RC_NOT_FOUND && (outcome == RC_NOT_FOUND || outcome == RC_OK)) {
            outcome = rc;
        }
    }
    return outcome;
}

enum rc files_room(const struct files *files, uint64_t size, struct fault *fault)
{
    struct statvfs disk;

    if (fstatvfs(files->root, &disk) != 0) {
        return durable_failed("files.disk", "statvfs");
    }
    if ((uint64_t)disk.f_bavail * disk.f_frsize < files->limits.disk_floor + size) {
        log_error("files.disk_floor", "free=%llu floor=%llu",
                  (unsigned long long)disk.f_bavail * disk.f_frsize,
                  (unsigned long long)files->limits.disk_floor);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "attachment.disk", "",
                      "El nodo no tiene espacio libre suficiente; intente más tarde.");
    }
    return RC_OK;
}

enum rc part_add(struct files *files, const struct filename *name, const struct filekey *key,
                 struct part **added)
{
    struct part *part = calloc(1, sizeof *part);

    if (part == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "file=%s", name->hex);
    }
    part->name = *name;
    memcpy(part->owner, key->owner, sizeof part->owner);
    part->size = key->size;
    memcpy(part->sha256, key->sha256, sizeof part->sha256);
    part->touched_ms = clock_now_ms();
    part->next = files->parts;
    files->parts = part;
    files->part_count++;
    *added = part;
    return RC_OK;
}

void part_unlist(struct files *files, struct part *part)
{
    struct part **at = &files->parts;

    while (*at != part) {
        at = &(*at)->next;
    }
    *at = part->next;
    files->part_count--;
    free(part);
}

struct part *part_find(struct files *files, const struct filename *name)
{
    struct part *part = files->parts;

    while (part != NULL && memcmp(part->name.bytes, name->bytes, FILENAME_SIZE) != 0) {
        part = part->next;
    }
    return part;
}

void part_advance(struct files *files, struct part *part, uint64_t durable)
{
    pthread_mutex_lock(&files->lock);
    part->durable = durable;
    part->is_verified = true;
    pthread_mutex_unlock(&files->lock);
}

void part_close(struct files *files, struct part *part)
{
    pthread_mutex_lock(&files->lock);
    part->is_open = false;
    part->touched_ms = clock_now_ms();
    pthread_mutex_unlock(&files->lock);
}

void part_forget(struct files *files, struct part *part)
{
    pthread_mutex_lock(&files->lock);
    part_unlist(files, part);
    pthread_mutex_unlock(&files->lock);
}
