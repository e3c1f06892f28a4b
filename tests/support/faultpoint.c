/*
 * faultpoint - preloaded into a node by tests: at a chosen point of its n-th commit, the process is
 * killed or the disk says no.
 *
 *     LD_PRELOAD=faultpoint.so FAULT_POINT=commit:7:kill enlaced ...
 *
 * Points, in the order in which one commit passes them; each counts for itself, from 1:
 *
 *     write     a write of pages is to begin; not of the index, which a node makes anew
 *     sync      fdatasync of the pages is to begin
 *     synced    fdatasync is done; the commit is not on disk
 *     commit    the page that makes it a commit is on disk; its root is not signed
 *     signed    the root is signed; nobody has been answered
 *     answer    the first bytes after a signature are to leave
 *     answered  they left
 *     fsync     an fsync is to begin (keys and files outside the database)
 *
 * Actions: kill, or EIO or ENOSPC as the call's outcome (write, sync, fsync).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct evp_md_ctx_st;

static char point[16];
static unsigned long wanted;
static int error; /* 0: kill */
static atomic_ulong seen;
static atomic_bool is_signed;
static _Thread_local bool has_committed;

__attribute__((constructor)) static void read_plan(void)
{
    const char *plan = getenv("FAULT_POINT");
    char action[16];

    if (plan != NULL && sscanf(plan, "%15[a-z]:%lu:%15s", point, &wanted, action) == 3) {
        error = strcmp(action, "EIO") == 0 ? EIO : strcmp(action, "ENOSPC") == 0 ? ENOSPC : 0;
    }
    unsetenv("LD_PRELOAD"); /* not for children */
}

/* True when the call is to fail; does not return when the process is to die here. */
static bool passes(const char *name)
{
    if (wanted == 0 || strcmp(name, point) != 0 || atomic_fetch_add(&seen, 1) + 1 != wanted) {
        return false;
    }
    fprintf(stderr, "test.fault point=%s n=%lu action=%s\n", point, wanted,
            error == 0 ? "kill" : strerror(error));
    if (error == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
    errno = error;
    return true;
}

#define REAL(name) __typeof__(name) *real = (__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name)

static bool is_of_index(int fd)
{
    char link[32];
    char path[4096];
    ssize_t size;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlink(link, path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    return strstr(path, "/index/") != NULL;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    REAL(pwrite);
    int flags = fcntl(fd, F_GETFL);
    bool is_commit = flags >= 0 && (flags & O_DSYNC) != 0;
    ssize_t n;

    if (!is_of_index(fd) && passes("write")) {
        return -1;
    }
    n = real(fd, data, size, offset);
    if (is_commit && n == (ssize_t)size) {
        has_committed = true;
        passes("commit");
    }
    return n;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(writev);

    return !is_of_index(fd) && passes("write") ? -1 : real(fd, parts, count);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    int rc;

    if (passes("sync")) {
        return -1;
    }
    rc = real(fd);
    passes("synced");
    return rc;
}

int fsync(int fd)
{
    REAL(fsync);

    return passes("fsync") ? -1 : real(fd);
}

int EVP_DigestSign(struct evp_md_ctx_st *ctx, unsigned char *signature, size_t *size,
                   const unsigned char *text, size_t text_size);
int EVP_DigestSign(struct evp_md_ctx_st *ctx, unsigned char *signature, size_t *size,
                   const unsigned char *text, size_t text_size)
{
    REAL(EVP_DigestSign);
    int rc = real(ctx, signature, size, text, text_size);

    if (has_committed && signature != NULL) {
        has_committed = false;
        atomic_store(&is_signed, true);
        passes("signed");
    }
    return rc;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    bool is_first = atomic_exchange(&is_signed, false);
    ssize_t n;

    if (is_first) {
        passes("answer");
    }
    n = real(fd, message, flags);
    if (is_first) {
        passes("answered");
    }
    return n;
}
