/* A throw-away folder with a vault in it, apart from a folder for a log; and what is on disk. */
#ifndef UNIT_STORE_VAULT_FIXTURE_H
#define UNIT_STORE_VAULT_FIXTURE_H

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "base/log.h"
#include "store/vault.h"

/* This thread's n-th call from now fails, once or for good; 0: none. Comes before libc's own. */
static _Thread_local struct {
    unsigned countdown;
    bool is_for_good;
    unsigned calls;
} disk;

static inline bool disk_fails(int cause)
{
    bool is_now = disk.countdown == 1;

    disk.calls++;
    if (disk.countdown > 1 || (is_now && !disk.is_for_good)) {
        disk.countdown--;
    }
    if (is_now) {
        errno = cause;
    }
    return is_now;
}

int fsync(int fd)
{
    return disk_fails(EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return disk_fails(ENOSPC) ? -1 : syscall(SYS_pwrite64, fd, data, size, offset);
}

int renameat(int from, const char *old, int to, const char *new)
{
    return disk_fails(EIO) ? -1 : (int)syscall(SYS_renameat2, from, old, to, new, 0);
}

struct places {
    char folder[64];
    char vault[96];
    char log[96];
};

static inline struct places places_make(void)
{
    struct places places = {.folder = "/tmp/enlace-unit-XXXXXX"};

    log_open("test", LOG_LEVEL_FATAL);
    assert_non_null(mkdtemp(places.folder));
    snprintf(places.vault, sizeof places.vault, "%s/vault", places.folder);
    snprintf(places.log, sizeof places.log, "%s/log", places.folder);
    return places;
}

static inline void path_join(char path[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

    assert_true(n > 0 && n < PATH_MAX);
}

static inline void tree_remove(const char *folder)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;

    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        char path[PATH_MAX];
        struct stat status;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        path_join(path, folder, entry->d_name);
        if (lstat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
            tree_remove(path);
        } else {
            assert_int_equal(unlink(path), 0);
        }
    }
    if (listing != NULL) {
        closedir(listing);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* The whole file, which the caller frees. */
static inline uint8_t *file_take(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *data;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    *size = (size_t)status.st_size;
    data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

static inline void file_put(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Whether the needle stands in any file of the tree. */
static inline bool tree_holds(const char *folder, const void *needle, size_t needle_size)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    bool is_found = false;

    assert_non_null(listing);
    while (!is_found && (entry = readdir(listing)) != NULL) {
        char path[PATH_MAX];
        struct stat status;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        path_join(path, folder, entry->d_name);
        assert_int_equal(lstat(path, &status), 0);
        if (S_ISDIR(status.st_mode)) {
            is_found = tree_holds(path, needle, needle_size);
        } else {
            size_t size;
            uint8_t *data = file_take(path, &size);

            is_found = memmem(data, size, needle, needle_size) != NULL;
            free(data);
        }
    }
    closedir(listing);
    return is_found;
}

static inline struct vault *vault_at(const struct places *places)
{
    struct vault *vault = NULL;

    assert_int_equal(vault_open(places->vault, places->log, &vault), RC_OK);
    return vault;
}

static inline const struct shard *shard_at(struct vault *vault, const char *member, int32_t month)
{
    const struct shard *shard = NULL;

    assert_int_equal(vault_shard(vault, member, "R5", month, true, &shard), RC_OK);
    return shard;
}

#endif
