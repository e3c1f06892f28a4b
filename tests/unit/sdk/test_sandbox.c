#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk/sandbox.h"

/* Each step in a child of its own: a sandbox cannot be left. Its exit status is the errno. */
static int shut_in(const char *folder, uint16_t port,
                   int (*step)(const char *folder, uint16_t port))
{
    struct sandbox sandbox = {0};
    struct fault fault = {0};
    pid_t child = fork();
    int status = -1;

    assert_true(child >= 0);
    if (child == 0) {
        sandbox_may_write(&sandbox, folder);
        sandbox_may_connect(&sandbox, port);
        _exit(sandbox_enter(&sandbox, &fault) == RC_OK ? step(folder, port) : 255);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int write_inside(const char *folder, uint16_t port)
{
    char path[128];
    int file;

    (void)port;
    snprintf(path, sizeof path, "%s/x", folder);
    file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    return file >= 0 && write(file, "x", 1) == 1 && fsync(file) == 0 && unlink(path) == 0 ? 0
                                                                                          : errno;
}

static int read_a_secret(const char *folder, uint16_t port)
{
    (void)folder;
    (void)port;
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : errno;
}

static int run_a_program(const char *folder, uint16_t port)
{
    (void)folder;
    (void)port;
    (void)execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int trace(const char *folder, uint16_t port)
{
    (void)folder;
    (void)port;
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : errno;
}

static int raw_socket(const char *folder, uint16_t port)
{
    (void)folder;
    (void)port;
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0 ? 0 : errno;
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (file < 0) {
        return 254;
    }
    return connect(file, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
}

static int connect_allowed(const char *folder, uint16_t port)
{
    (void)folder;
    return connect_to(port);
}

static int connect_elsewhere(const char *folder, uint16_t port)
{
    (void)folder;
    return connect_to((uint16_t)(port + 1));
}

static void *nothing(void *argument)
{
    return argument;
}

static int start_a_thread(const char *folder, uint16_t port)
{
    pthread_t thread;

    (void)folder;
    (void)port;
    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 0
                                                                                                : 1;
}

static void only_what_was_named_can_be_reached(void **state)
{
    char folder[] = "/tmp/sandbox-XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(write_inside(folder, 0), 0);
    assert_int_equal(shut_in(folder, 1, write_inside), 0);
    assert_int_equal(shut_in(folder, 1, start_a_thread), 0);
    assert_int_equal(shut_in(folder, 1, run_a_program), EPERM);
    assert_int_equal(shut_in(folder, 1, trace), EPERM);
    assert_int_equal(shut_in(folder, 1, raw_socket), EPERM);
    rmdir(folder);
}

/* What the kernel has no Landlock for is left to the service manager: skipped, and said. */
static void files_and_ports_that_were_not_named_are_out_of_reach(void **state)
{
    char folder[] = "/tmp/sandbox-XXXXXX";
    int secret;

    (void)state;
    assert_non_null(mkdtemp(folder));
    secret = shut_in(folder, 1, read_a_secret);
    if (secret == 0) {
        rmdir(folder);
        skip();
    }
    assert_int_equal(secret, EACCES);
    assert_int_equal(shut_in(folder, 1, connect_allowed), ECONNREFUSED);
    assert_int_equal(shut_in(folder, 1, connect_elsewhere), EACCES);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_named_can_be_reached),
        cmocka_unit_test(files_and_ports_that_were_not_named_are_out_of_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
