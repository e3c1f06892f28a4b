/*
 * powercut - preloaded into a node by tests: what the disk would have forgotten.
 *
 *     LD_PRELOAD=powercut.so POWERCUT_ROOT=/node/folder POWERCUT_OUT=/journal [POWERCUT_AT=n]
 *
 * Keeps, for every file below the root, what each block held at the last time it was safe, and the
 * names that were made, moved or removed since their folder was. At the cut (SIGVTALRM, or before
 * the n-th call that writes or syncs) it writes this down as an undo journal and kills the process;
 * tests/path/powercut.py then takes back what it pleases of it. A sync makes its whole file safe, a
 * write to a descriptor opened with O_DSYNC its own bytes, a sync of a folder the names in it.
 *
 * Journal, one record after the other, native integers:
 *     'S' path u64 safe-size                     the size that is safe
 *     'B' path u64 offset u32 size bytes         what is safe there, while it has size
 *     'C' 'D' path                               file, folder made
 *     'R' from to aside                          moved; aside: a link to what stood there, or ""
 *     'U' path aside                             removed
 * A text is a u16 length and its bytes. Blocks come before names; names in the order they happened.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 4096
#define FILES_MAX 4096
#define BUCKETS 65536

struct block {
    struct block *next;
    size_t file;
    uint64_t number;
    uint32_t size; /* of what is safe, 0 past the safe end */
    unsigned char safe[BLOCK];
};

struct file {
    dev_t device;
    ino_t inode;
    int fd; /* our own: the path is read from it at the cut */
    uint64_t safe_size;
    bool is_dirty;
};

struct name {
    struct name *next;
    char kind;
    dev_t device; /* of the folder */
    ino_t inode;
    char *texts[3];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *buckets[BUCKETS];
static struct file files[FILES_MAX];
static size_t file_count;
static struct name *first_name;
static struct name **last_name = &first_name;
static char root[PATH_MAX];
static char out[PATH_MAX];
static unsigned long calls;
static unsigned long cut_at;
static unsigned asides;

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name)

static void die(const char *what)
{
    fprintf(stderr, "powercut: %s: %s\n", what, strerror(errno));
    abort();
}

/* ---- the cut; the lock is held, so that nothing more is written ---- */

static void put_text(FILE *journal, const char *text)
{
    uint16_t size = (uint16_t)strlen(text);

    fwrite(&size, sizeof size, 1, journal);
    fwrite(text, 1, size, journal);
}

static bool path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static void put_file(FILE *journal, size_t at)
{
    char path[PATH_MAX];

    if (!files[at].is_dirty || !path_of(files[at].fd, path)) {
        return;
    }
    fputc('S', journal);
    put_text(journal, path);
    fwrite(&files[at].safe_size, sizeof files[at].safe_size, 1, journal);
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct block *block = buckets[i]; block != NULL; block = block->next) {
            uint64_t offset = block->number * BLOCK;

            if (block->file == at) {
                fputc('B', journal);
                put_text(journal, path);
                fwrite(&offset, sizeof offset, 1, journal);
                fwrite(&block->size, sizeof block->size, 1, journal);
                fwrite(block->safe, 1, block->size, journal);
            }
        }
    }
}

static void cut(void)
{
    FILE *journal = fopen(out, "w");

    if (journal == NULL) {
        die(out);
    }
    for (size_t i = 0; i < file_count; i++) {
        put_file(journal, i);
    }
    for (struct name *name = first_name; name != NULL; name = name->next) {
        fputc(name->kind, journal);
        for (int i = 0; i < 3 && name->texts[i] != NULL; i++) {
            put_text(journal, name->texts[i]);
        }
    }
    if (fclose(journal) != 0) {
        die(out);
    }
    kill(getpid(), SIGKILL);
    pause();
}

static void *wait_for_signal(void *argument)
{
    sigset_t signals;
    int number;

    (void)argument;
    sigemptyset(&signals);
    sigaddset(&signals, SIGVTALRM);
    sigwait(&signals, &number);
    pthread_mutex_lock(&lock);
    cut();
    return NULL;
}

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("POWERCUT_AT");
    pthread_t thread;
    sigset_t signals;

    if (getenv("POWERCUT_ROOT") == NULL || getenv("POWERCUT_OUT") == NULL) {
        return;
    }
    snprintf(root, sizeof root, "%s", getenv("POWERCUT_ROOT"));
    snprintf(out, sizeof out, "%s", getenv("POWERCUT_OUT"));
    cut_at = at != NULL ? strtoul(at, NULL, 10) : 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGVTALRM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* in every thread that follows, too */
    if (pthread_create(&thread, NULL, wait_for_signal, NULL) != 0) {
        die("thread");
    }
}

/* Takes the lock; the cut may be here. */
static void enter(void)
{
    pthread_mutex_lock(&lock);
    if (root[0] != '\0' && ++calls == cut_at) {
        cut();
    }
}

static void leave(void)
{
    int saved = errno;

    pthread_mutex_unlock(&lock);
    errno = saved;
}

/* ---- contents ---- */

static bool is_ours(const char *path)
{
    size_t size = strlen(root);

    return size > 0 && strncmp(path, root, size) == 0 && path[size] == '/';
}

/* The file behind the descriptor, or FILES_MAX when it is none of ours. */
static size_t file_of(int fd)
{
    struct stat status;
    char path[PATH_MAX];
    struct file *file;

    if (root[0] == '\0' || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return FILES_MAX;
    }
    for (size_t i = 0; i < file_count; i++) {
        if (files[i].inode == status.st_ino && files[i].device == status.st_dev) {
            return i;
        }
    }
    if (!path_of(fd, path) || !is_ours(path)) {
        return FILES_MAX;
    }
    if (file_count == FILES_MAX) {
        die("too many files");
    }
    file = &files[file_count];
    *file = (struct file){.device = status.st_dev,
                          .inode = status.st_ino,
                          .fd = open(path, O_RDONLY | O_CLOEXEC),
                          .safe_size = (uint64_t)status.st_size};
    return file->fd >= 0 ? file_count++ : FILES_MAX;
}

static struct block **bucket_of(size_t file, uint64_t number)
{
    return &buckets[(number * 31 + file * 7919) % BUCKETS];
}

static struct block *block_find(size_t file, uint64_t number)
{
    struct block *block = *bucket_of(file, number);

    while (block != NULL && (block->file != file || block->number != number)) {
        block = block->next;
    }
    return block;
}

/* What is there now is safe, and about to be overwritten. */
static void keep_block(size_t file, uint64_t number)
{
    struct block *block = block_find(file, number);
    uint64_t offset = number * BLOCK;
    uint64_t end = files[file].safe_size;

    if (block != NULL) {
        return;
    }
    block = calloc(1, sizeof *block);
    if (block == NULL) {
        die("memory");
    }
    block->next = *bucket_of(file, number);
    block->file = file;
    block->number = number;
    *bucket_of(file, number) = block;
    block->size = end <= offset ? 0 : end - offset < BLOCK ? (uint32_t)(end - offset) : BLOCK;
    if (block->size > 0 &&
        pread(files[file].fd, block->safe, block->size, (off_t)offset) != (ssize_t)block->size) {
        die("pread");
    }
}

static void keep_range(size_t file, uint64_t offset, uint64_t size)
{
    files[file].is_dirty = true;
    for (uint64_t n = offset / BLOCK; size > 0 && n <= (offset + size - 1) / BLOCK; n++) {
        keep_block(file, n);
    }
}

static void make_safe(size_t file)
{
    struct stat status;

    if (fstat(files[file].fd, &status) != 0) {
        die("fstat");
    }
    files[file].safe_size = (uint64_t)status.st_size;
    files[file].is_dirty = false;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct block **at = &buckets[i]; *at != NULL;) {
            struct block *block = *at;

            if (block->file == file) {
                *at = block->next;
                free(block);
            } else {
                at = &block->next;
            }
        }
    }
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(pwrite);
    size_t file;
    ssize_t n;

    enter();
    file = file_of(fd);
    /* With O_DSYNC it is safe at once, as far as it is in the file's safe part. */
    if (file < FILES_MAX &&
        ((fcntl(fd, F_GETFL) & O_DSYNC) == 0 || (uint64_t)offset + size > files[file].safe_size)) {
        keep_range(file, (uint64_t)offset, size);
    }
    n = real(fd, data, size, offset);
    leave();
    return n;
}

static void keep_at_position(int fd, size_t size)
{
    size_t file = file_of(fd);
    off_t offset = file < FILES_MAX ? lseek(fd, 0, SEEK_CUR) : -1;

    if (offset >= 0) {
        keep_range(file, (uint64_t)offset, size);
    }
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);
    size_t size = 0;
    ssize_t n;

    for (int i = 0; i < count; i++) {
        size += parts[i].iov_len;
    }
    enter();
    keep_at_position(fd, size);
    n = real(fd, parts, count);
    leave();
    return n;
}

ssize_t write(int fd, const void *data, size_t size)
{
    REAL(write);
    struct stat status;
    ssize_t n;

    if (root[0] == '\0' || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return real(fd, data, size); /* sockets, pipes, the log on standard error */
    }
    enter();
    keep_at_position(fd, size);
    n = real(fd, data, size);
    leave();
    return n;
}

int ftruncate(int fd, off_t size)
{
    REAL(ftruncate);
    struct stat status;
    size_t file;
    int rc;

    enter();
    file = file_of(fd);
    if (file < FILES_MAX && fstat(fd, &status) == 0) {
        files[file].is_dirty = true;
        if (status.st_size > size) {
            keep_range(file, (uint64_t)size, (uint64_t)(status.st_size - size));
        }
    }
    rc = real(fd, size);
    leave();
    return rc;
}

/* ---- names ---- */

static bool full_path(int folder, const char *name, char path[PATH_MAX])
{
    char parent[PATH_MAX];
    int n;

    if (name[0] == '/') {
        n = snprintf(path, PATH_MAX, "%s", name);
    } else {
        if (folder == AT_FDCWD ? getcwd(parent, sizeof parent) == NULL : !path_of(folder, parent)) {
            return false;
        }
        n = snprintf(path, PATH_MAX, "%s/%s", parent, name);
    }
    return n > 0 && n < PATH_MAX && is_ours(path);
}

static void note_name(char kind, const char *path, const char *second, const char *third)
{
    const char *texts[3] = {path, second, third};
    struct name *name = calloc(1, sizeof *name);
    char folder[PATH_MAX];
    struct stat status;

    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    if (name == NULL || stat(folder, &status) != 0) {
        free(name);
        return;
    }
    name->kind = kind;
    name->device = status.st_dev;
    name->inode = status.st_ino;
    for (int i = 0; i < 3; i++) {
        name->texts[i] = texts[i] != NULL ? strdup(texts[i]) : NULL;
    }
    *last_name = name;
    last_name = &name->next;
}

static void make_names_safe(const struct stat *folder)
{
    struct name **at = &first_name;

    while (*at != NULL) {
        struct name *name = *at;

        if (name->inode == folder->st_ino && name->device == folder->st_dev) {
            *at = name->next;
            for (int i = 0; i < 3; i++) {
                free(name->texts[i]);
            }
            free(name);
        } else {
            at = &name->next;
        }
    }
    last_name = at;
}

/* A second name for what is about to lose its own; "" when nothing stands there. */
static void set_aside(const char *path, char aside[PATH_MAX])
{
    struct stat status;

    aside[0] = '\0';
    if (lstat(path, &status) == 0 && S_ISREG(status.st_mode)) {
        snprintf(aside, PATH_MAX, "%.*s.aside.%u", PATH_MAX - 32, out, asides++);
        unlink(aside);
        if (link(path, aside) != 0) {
            die("link");
        }
    }
}

static int opened(int folder, const char *name, int flags, unsigned mode)
{
    int (*real)(int, const char *, int, ...) =
        (int (*)(int, const char *, int, ...))(uintptr_t)dlsym(RTLD_NEXT, "openat");
    char path[PATH_MAX];
    struct stat status;
    bool is_new;
    int fd;

    if (root[0] == '\0' || (flags & (O_CREAT | O_TRUNC)) == 0 || !full_path(folder, name, path)) {
        return real(folder, name, flags, mode);
    }
    enter();
    is_new = lstat(path, &status) != 0;
    if (!is_new && (flags & O_TRUNC) != 0 && status.st_size > 0) {
        int before = real(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
        size_t file = before >= 0 ? file_of(before) : FILES_MAX;

        if (file < FILES_MAX) {
            keep_range(file, 0, (uint64_t)status.st_size);
        }
        close(before);
    }
    fd = real(folder, name, flags, mode);
    if (fd >= 0 && is_new) {
        note_name('C', path, NULL, NULL);
        (void)file_of(fd);
    }
    leave();
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    unsigned mode;

    va_start(rest, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *name, int flags, ...)
{
    va_list rest;
    unsigned mode;

    va_start(rest, flags);
    mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return opened(folder, name, flags, mode);
}

int mkdirat(int folder, const char *name, mode_t mode)
{
    REAL(mkdirat);
    char path[PATH_MAX];
    int rc;

    enter();
    rc = real(folder, name, mode);
    if (rc == 0 && full_path(folder, name, path)) {
        note_name('D', path, NULL, NULL);
    }
    leave();
    return rc;
}

int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    REAL(renameat);
    char path_from[PATH_MAX];
    char path_to[PATH_MAX];
    char aside[PATH_MAX];
    bool is_noted;
    int rc;

    enter();
    is_noted = full_path(from_folder, from, path_from) && full_path(to_folder, to, path_to);
    if (is_noted) {
        set_aside(path_to, aside);
    }
    rc = real(from_folder, from, to_folder, to);
    if (rc == 0 && is_noted) {
        note_name('R', path_from, path_to, aside);
    }
    leave();
    return rc;
}

int unlinkat(int folder, const char *name, int flags)
{
    REAL(unlinkat);
    char path[PATH_MAX];
    char aside[PATH_MAX] = "";
    bool is_noted;
    int rc;

    enter();
    is_noted = (flags & AT_REMOVEDIR) == 0 && full_path(folder, name, path);
    if (is_noted) {
        set_aside(path, aside);
    }
    rc = real(folder, name, flags);
    if (rc == 0 && is_noted) {
        note_name('U', path, aside, NULL);
    }
    leave();
    return rc;
}

/* ---- syncs ---- */

static int synced(int fd, int (*real)(int))
{
    struct stat status;
    size_t file;
    int rc;

    enter();
    rc = real(fd);
    file = file_of(fd);
    if (rc == 0 && file < FILES_MAX) {
        make_safe(file);
    } else if (rc == 0 && root[0] != '\0' && fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        make_names_safe(&status);
    }
    leave();
    return rc;
}

int fsync(int fd)
{
    REAL(fsync);

    return synced(fd, real);
}

int fdatasync(int fd)
{
    REAL(fdatasync);

    return synced(fd, real);
}
