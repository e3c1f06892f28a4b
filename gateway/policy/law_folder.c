#include "policy/law_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/digest.h"
#include "tlog/note.h"

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    size_t tail = strlen(end);

    return size > tail && name[0] != '.' && strcmp(name + size - tail, end) == 0;
}

static enum rc read_file(const char *path, const char *name, struct buffer *bytes)
{
    char full[LAW_PATH_SIZE];
    char chunk[16384];
    FILE *file;
    size_t n;
    bool is_bad;

    snprintf(full, sizeof full, "%s/%s", path, name);
    file = fopen(full, "re");
    if (file == NULL) {
        return RC_NOT_FOUND;
    }
    while (bytes->size <= NOTE_SIZE_MAX && (n = fread(chunk, 1, sizeof chunk, file)) > 0) {
        buffer_put(bytes, chunk, n);
    }
    is_bad = ferror(file) != 0 || bytes->is_failed || bytes->size > NOTE_SIZE_MAX;
    fclose(file);
    return is_bad ? RC_OUT_OF_RANGE : RC_OK;
}

/* ---- notes ---- */

static void take(const char *path, const char *name, struct law_folder *folder)
{
    struct law_file *file = &folder->files[folder->count];

    memset(file, 0, sizeof *file);
    if (strlen(name) >= sizeof file->name || folder->count == LAW_FILES_MAX) {
        log_warn("directory.file", "path=%s check=too_many_or_long", path);
        return;
    }
    memcpy(file->name, name, strlen(name));
    if (read_file(path, name, &file->bytes) != RC_OK) {
        log_warn("directory.file", "path=%s name=%s check=unreadable", path, name);
        buffer_release(&file->bytes);
        return;
    }
    folder->count++;
}

static int order_files(const void *left, const void *right)
{
    const struct law_file *a = left, *b = right;

    return strcmp(a->name, b->name);
}

enum rc law_folder_read(const char *path, struct law_folder *folder)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    *folder = (struct law_folder){0};
    if (dir == NULL) {
        return RC_NOT_FOUND;
    }
    folder->files = calloc(LAW_FILES_MAX + 1, sizeof *folder->files);
    while (folder->files != NULL && (entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".note")) {
            take(path, entry->d_name, folder);
        }
    }
    closedir(dir);
    if (folder->files == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    qsort(folder->files, folder->count, sizeof *folder->files, order_files);
    return RC_OK;
}

void law_folder_release(struct law_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        buffer_release(&folder->files[i].bytes);
    }
    free(folder->files);
    *folder = (struct law_folder){0};
}

/* ---- authorities ---- */

static enum rc trust_file(const char *path, const char *name, struct law *law,
                          char error[LAW_ERROR_SIZE])
{
    OWN(buffer) bytes = {0};
    struct authorities authorities;
    char network[CODE_SIZE];
    unsigned line = 0;

    snprintf(network, sizeof network, "%.*s", (int)strcspn(name, "."), name);
    if (read_file(path, name, &bytes) != RC_OK ||
        authorities_parse(buffer_bytes(&bytes), &authorities, &line) != RC_OK) {
        snprintf(error, LAW_ERROR_SIZE,
                 "%.120s/%.40s:%u: expected enlace-authorities v1, quorum, keys", path, name, line);
        return RC_INVALID_ARGUMENT;
    }
    return law_trust(law, network, &authorities);
}

enum rc law_folder_trust(const char *path, struct law *law, char error[LAW_ERROR_SIZE])
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    enum rc rc = RC_OK;
    unsigned count = 0;

    if (dir == NULL) {
        snprintf(error, LAW_ERROR_SIZE, "%.200s: %.50s", path, strerror(errno));
        return RC_NOT_FOUND;
    }
    while (rc == RC_OK && (entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".authorities")) {
            rc = trust_file(path, entry->d_name, law, error);
            count++;
        }
    }
    closedir(dir);
    if (rc == RC_OK && count == 0) {
        snprintf(error, LAW_ERROR_SIZE, "%.200s: expected NETWORK.authorities", path);
        return RC_NOT_FOUND;
    }
    return rc;
}

/* ---- what changed ---- */

/* Order of names does not matter: the sum of digests. */
static uint64_t state_of(int folder, const char *name)
{
    struct stat now;
    struct bytes parts[2] = {bytes_text(name), BYTES_OF((uint8_t[32]){0})};
    uint8_t facts[32] = {0};
    uint8_t digest[DIGEST_SIZE];

    if (fstatat(folder, name, &now, 0) != 0) {
        return 0;
    }
    put_u64(facts, (uint64_t)now.st_ino);
    put_u64(facts + 8, (uint64_t)now.st_size);
    put_u64(facts + 16, (uint64_t)now.st_mtim.tv_sec);
    put_u64(facts + 24, (uint64_t)now.st_mtim.tv_nsec);
    parts[1] = BYTES_OF(facts);
    digest_of(parts, 2, digest);
    return get_u64(digest);
}

uint64_t law_folder_state(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    uint64_t state = 1;

    if (dir == NULL) {
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (ends_with(entry->d_name, ".note")) {
            state += state_of(dirfd(dir), entry->d_name);
        }
    }
    closedir(dir);
    return state;
}

/* ---- putting ---- */

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_synced;
}

static bool write_all(int fd, struct bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t n = write(fd, bytes.data, bytes.size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        bytes.data += n;
        bytes.size -= (size_t)n;
    }
    return fsync(fd) == 0;
}

enum rc law_folder_put(const char *path, const char *name, struct bytes bytes)
{
    char part[LAW_PATH_SIZE];
    char full[LAW_PATH_SIZE];
    bool is_done;
    int fd;

    snprintf(full, sizeof full, "%s/%s", path, name);
    snprintf(part, sizeof part, "%s/.%s.part", path, name);
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    is_done = fd >= 0 && write_all(fd, bytes);
    if (fd >= 0) {
        close(fd);
    }
    if (!is_done || rename(part, full) != 0 || !sync_folder(path)) {
        return failed(RC_UNAVAILABLE, "directory.put", "path=%s cause=\"%s\"", full,
                      strerror(errno));
    }
    return RC_OK;
}

void law_file_name(const struct law_note *note, bool is_archive, char out[128])
{
    char subject[CODE_SIZE];
    char version[32] = "";
    char hex[2 * HASH_SIZE + 1];
    char *slash;

    memcpy(subject, note->subject, sizeof subject);
    slash = strchr(subject, '/');
    if (slash != NULL) {
        *slash = '.';
    }
    if (is_archive) {
        snprintf(version, sizeof version, ".v%llu", (unsigned long long)note->version);
    }
    switch (note->kind) {
    case LAW_NETWORK:
        snprintf(out, 128, "%s%s.note", subject, version);
        return;
    case LAW_ROSTER:
        snprintf(out, 128, "%s.roster%s.note", subject, version);
        return;
    default:
        hex_encode(note->sha256, HASH_SIZE, hex);
        snprintf(out, 128, "%s.suspension-%.16s.note", subject, hex);
    }
}
