#include "workload/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"

#define PATH_SIZE 1024

enum rc folder_read(const char *path, struct buffer *content)
{
    FILE *file = fopen(path, "re");
    uint8_t chunk[4096];
    bool is_bad;
    size_t size;

    if (file == NULL) {
        return errno == ENOENT ? RC_NOT_FOUND : RC_DATA_LOSS;
    }
    while (content->size <= FOLDER_FILE_MAX && (size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(content, chunk, size);
    }
    is_bad = ferror(file) != 0 || content->is_failed || content->size > FOLDER_FILE_MAX;
    fclose(file);
    return is_bad ? RC_DATA_LOSS : RC_OK;
}

static enum rc write_part(const char *path, struct bytes content)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written;

    if (file < 0) {
        return RC_UNAVAILABLE;
    }
    is_written =
        write(file, content.data, content.size) == (ssize_t)content.size && fsync(file) == 0;
    return close(file) == 0 && is_written ? RC_OK : RC_UNAVAILABLE;
}

enum rc folder_write(const char *path, struct bytes content)
{
    char part[PATH_SIZE];

    snprintf(part, sizeof part, "%s.part", path);
    if (write_part(part, content) != RC_OK || rename(part, path) != 0) {
        return failed(RC_UNAVAILABLE, "folder.write", "path=%s cause=%s", path, strerror(errno));
    }
    return RC_OK;
}

static enum rc visit(const char *path, struct folder_user *user)
{
    OWN(buffer) content = {0};
    struct stat facts;

    if (stat(path, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return RC_OK;
    }
    if (folder_read(path, &content) != RC_OK) {
        return failed(RC_DATA_LOSS, "folder.read", "path=%s", path);
    }
    return user->on_file(user, path, buffer_bytes(&content));
}

enum rc folder_walk(const char *path, struct folder_user *user)
{
    DIR *folder = opendir(path);
    enum rc rc = RC_OK;

    if (folder == NULL) {
        return errno == ENOENT ? RC_OK
                               : failed(RC_UNAVAILABLE, "folder.open", "path=%s cause=%s", path,
                                        strerror(errno));
    }
    for (struct dirent *entry; rc == RC_OK && (entry = readdir(folder)) != NULL;) {
        char file[PATH_SIZE];

        if (entry->d_name[0] != '.') {
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
            rc = visit(file, user);
        }
    }
    closedir(folder);
    return rc;
}
