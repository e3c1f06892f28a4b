#include "sdk/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

/* Landlock of Linux 6.7 (ABI 4), newer than Debian 12's headers. */
#define ACCESS_NET_BIND_TCP (1ULL << 0)
#define ACCESS_NET_CONNECT_TCP (1ULL << 1)
#define RULE_NET_PORT 2
#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ACCESS_FS_TRUNCATE (1ULL << 14)

struct ruleset {
    uint64_t files;
    uint64_t net;
};

struct net_rule {
    uint64_t access;
    uint64_t port;
};

#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_ACCESS                                                                               \
    (READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |                \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)
/* Everything of the first version of Landlock. */
#define ALL_ACCESS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* What resolving a name, checking a zone and random numbers need. */
static const char *const always_read[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/usr/lib",
    "/lib",
    "/dev/urandom",
    "/dev/null",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/stat",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/etc/ssl/certs",
    "/run/systemd/notify",
};

/* ---- what is allowed ---- */

static void add(const char **paths, size_t *count, const char *path)
{
    if (path != NULL && path[0] != '\0' && *count < SANDBOX_PATHS_MAX) {
        paths[(*count)++] = path;
    }
}

void sandbox_may_read(struct sandbox *sandbox, const char *path)
{
    add(sandbox->read, &sandbox->read_count, path);
}

void sandbox_may_write(struct sandbox *sandbox, const char *folder)
{
    add(sandbox->write, &sandbox->write_count, folder);
}

void sandbox_may_connect(struct sandbox *sandbox, uint16_t port)
{
    if (sandbox->connect_count < SANDBOX_PORTS_MAX) {
        sandbox->connect[sandbox->connect_count++] = port;
    }
}

void sandbox_may_listen(struct sandbox *sandbox, uint16_t port)
{
    if (sandbox->listen_count < SANDBOX_PORTS_MAX) {
        sandbox->listen[sandbox->listen_count++] = port;
    }
}

/* ---- Landlock ---- */

static uint64_t file_access(int abi)
{
    uint64_t all = ALL_ACCESS;

    all |= abi >= ABI_REFER ? LANDLOCK_ACCESS_FS_REFER : 0;
    all |= abi >= ABI_TRUNCATE ? ACCESS_FS_TRUNCATE : 0;
    return all;
}

/* A path that is not there gives nothing away. */
static enum rc allow_path(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    struct stat facts;
    long rc;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return RC_OK;
    }
    if (fstat(rule.parent_fd, &facts) == 0 && !S_ISDIR(facts.st_mode)) {
        rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                               LANDLOCK_ACCESS_FS_EXECUTE | ACCESS_FS_TRUNCATE;
    }
    rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return rc == 0 ? RC_OK : RC_FAILED_PRECONDITION;
}

static enum rc allow_files(const struct sandbox *sandbox, int ruleset, int abi)
{
    uint64_t write = WRITE_ACCESS & file_access(abi);

    write |= file_access(abi) & (LANDLOCK_ACCESS_FS_REFER | ACCESS_FS_TRUNCATE);
    for (size_t i = 0; i < sizeof always_read / sizeof always_read[0]; i++) {
        TRY(allow_path(ruleset, always_read[i], READ_ACCESS));
    }
    TRY(allow_path(ruleset, "/dev/null", READ_ACCESS | LANDLOCK_ACCESS_FS_WRITE_FILE));
    for (size_t i = 0; i < sandbox->read_count; i++) {
        TRY(allow_path(ruleset, sandbox->read[i], READ_ACCESS));
    }
    for (size_t i = 0; i < sandbox->write_count; i++) {
        TRY(allow_path(ruleset, sandbox->write[i], write));
    }
    return RC_OK;
}

static enum rc allow_port(int ruleset, uint16_t port, uint64_t access)
{
    struct net_rule rule = {access, port};

    return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0
               ? RC_OK
               : RC_FAILED_PRECONDITION;
}

static enum rc allow_ports(const struct sandbox *sandbox, int ruleset)
{
    for (size_t i = 0; i < sandbox->connect_count; i++) {
        TRY(allow_port(ruleset, sandbox->connect[i], ACCESS_NET_CONNECT_TCP));
    }
    for (size_t i = 0; i < sandbox->listen_count; i++) {
        TRY(allow_port(ruleset, sandbox->listen[i], ACCESS_NET_BIND_TCP));
    }
    return RC_OK;
}

static enum rc enter_landlock(const struct sandbox *sandbox)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset wanted = {.net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP};
    int ruleset;
    enum rc rc;

    if (abi < 1) {
        log_warn("sandbox.partial", "missing=landlock cause=%s", strerror(errno));
        return RC_OK;
    }
    if (abi < ABI_NET) {
        log_warn("sandbox.partial", "missing=landlock-network abi=%d", abi);
    }
    wanted.files = file_access(abi);
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &wanted,
                           abi >= ABI_NET ? sizeof wanted : sizeof wanted.files, 0);
    if (ruleset < 0) {
        return RC_FAILED_PRECONDITION;
    }
    rc = allow_files(sandbox, ruleset, abi);
    if (rc == RC_OK && abi >= ABI_NET) {
        rc = allow_ports(sandbox, ruleset);
    }
    if (rc == RC_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        rc = RC_FAILED_PRECONDITION;
    }
    close(ruleset);
    return rc;
}

/* ---- seccomp ---- */

static const int allowed_calls[] = {
    /* files */
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),
    SCMP_SYS(flock),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(fchmod),
    SCMP_SYS(umask),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(fcntl),
    SCMP_SYS(pipe2),
    /* the network */
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockopt),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(shutdown),
    SCMP_SYS(socketpair),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(select),
    SCMP_SYS(pselect6),
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime),
    SCMP_SYS(inotify_init1),
    SCMP_SYS(inotify_add_watch),
    SCMP_SYS(inotify_rm_watch),
    /* memory, threads, time, signals */
    SCMP_SYS(brk),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(getcpu),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrlimit),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(tgkill),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(prctl),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(ioctl),
};

/* Sockets of the internet and of this machine; netlink for asking which addresses there are. */
static const unsigned families[] = {1 /* AF_UNIX */, 2 /* AF_INET */, 10 /* AF_INET6 */,
                                    16 /* AF_NETLINK */};

static int fill_filter(scmp_filter_ctx filter)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof allowed_calls / sizeof allowed_calls[0] && rc == 0; i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
    }
    for (size_t i = 0; i < sizeof families / sizeof families[0] && rc == 0; i++) {
        const struct scmp_arg_cmp family = {.arg = 0, .op = SCMP_CMP_EQ, .datum_a = families[i]};

        rc = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &family);
    }
    return rc;
}

static enum rc enter_seccomp(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int rc = filter != NULL ? fill_filter(filter) : -ENOMEM;

    if (rc == 0) {
        rc = seccomp_load(filter);
    }
    if (filter != NULL) {
        seccomp_release(filter);
    }
    errno = -rc;
    return rc == 0 ? RC_OK : RC_FAILED_PRECONDITION;
}

/* ---- all of it ---- */

static enum rc stopped(struct fault *fault, const char *step)
{
    return refuse(
        fault, RC_FAILED_PRECONDITION, "sandbox.failed", step,
        "No se pudo encerrar el proceso (%s); revise la versión del núcleo y del servicio.",
        strerror(errno));
}

enum rc sandbox_enter(const struct sandbox *sandbox, struct fault *fault)
{
    static const struct rlimit none = {0, 0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0) {
        return stopped(fault, "prctl");
    }
    if (enter_landlock(sandbox) != RC_OK) {
        return stopped(fault, "landlock");
    }
    return enter_seccomp() == RC_OK ? RC_OK : stopped(fault, "seccomp");
}
