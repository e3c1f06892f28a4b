#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_loop.h"

/* Answers with what it was sent. */
struct echo {
    struct http_service service; /* first */
    int status;
};

static void answer(struct http_service *service, const struct http_request *request,
                   struct http_response *response)
{
    response->status = ((struct echo *)service)->status;
    response->type = "text/x.tlog.size";
    buffer_print(&response->body, "%s ", request->is_post ? "POST" : "GET");
    buffer_put_bytes(&response->body, request->path);
    buffer_put_u8(&response->body, ' ');
    buffer_put_bytes(&response->body, request->body);
}

struct asker {
    struct http_user user; /* first */
    int status;
    char body[256];
    atomic_bool is_done;
};

static void on_answer(struct http_user *user, int status, struct bytes body)
{
    struct asker *asker = (struct asker *)user;

    asker->status = status;
    snprintf(asker->body, sizeof asker->body, "%.*s", (int)body.size, (const char *)body.data);
    atomic_store(&asker->is_done, true);
}

static void ask(struct http_loop *loop, uint16_t port, struct bytes body, int timeout_ms,
                struct asker *asker)
{
    *asker = (struct asker){.user = {.on_answer = on_answer}, .status = -1};
    assert_int_equal(http_ask(loop, "127.0.0.1", port, "/a/b", body, timeout_ms, &asker->user),
                     RC_OK);
    for (int i = 0; i < 5000 && !atomic_load(&asker->is_done); i++) {
        clock_sleep_ms(1);
    }
    assert_true(atomic_load(&asker->is_done));
}

static void a_question_is_answered_with_status_and_body(void **state)
{
    struct echo echo = {.service = {.answer = answer}, .status = 409};
    OWN_PTR(http_loop) loop = NULL;
    struct asker asker;

    (void)state;
    assert_int_equal(http_loop_new("127.0.0.1:0", &echo.service, &loop), RC_OK);
    ask(loop, http_loop_port(loop), bytes_text("old 0\n"), 2000, &asker);
    assert_int_equal(asker.status, 409);
    assert_string_equal(asker.body, "POST /a/b old 0\n");
}

static int listening(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&address, size) == 0 &&
                listen(fd, 4) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void who_does_not_answer_is_unreachable(void **state)
{
    OWN_PTR(http_loop) loop = NULL;
    struct asker asker;
    uint16_t port;
    int fd = listening(&port);

    (void)state;
    assert_int_equal(http_loop_new("", NULL, &loop), RC_OK);
    ask(loop, port, bytes_text("x"), 200, &asker); /* accepts and says nothing */
    assert_int_equal(asker.status, HTTP_UNREACHABLE);
    close(fd);
    ask(loop, port, bytes_text("x"), 2000, &asker); /* nobody there */
    assert_int_equal(asker.status, HTTP_UNREACHABLE);
}

/* What a raw client gets back: the first line. */
static void raw(uint16_t port, const char *text, size_t filler, char out[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static char block[1024];
    ssize_t size;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(block, 'a', sizeof block);
    memset(out, 0, 64);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    for (size_t i = 0; i < filler; i++) {
        if (send(fd, block, sizeof block, MSG_NOSIGNAL) < 0) {
            break;
        }
    }
    size = recv(fd, out, 63, 0);
    out[size > 0 ? size : 0] = '\0';
    out[strcspn(out, "\r")] = '\0';
    close(fd);
}

static void what_is_too_large_or_not_http_is_not_served(void **state)
{
    struct echo echo = {.service = {.answer = answer}, .status = 200};
    OWN_PTR(http_loop) loop = NULL;
    char got[64];
    uint16_t port;

    (void)state;
    assert_int_equal(http_loop_new("127.0.0.1:0", &echo.service, &loop), RC_OK);
    port = http_loop_port(loop);
    raw(port, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", 0, got);
    assert_string_equal(got, "HTTP/1.1 200 OK");
    raw(port, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n", 70, got);
    assert_string_not_equal(got, "HTTP/1.1 200 OK");
    raw(port, "POST /a HTTP/1.1\r\nHost: x\r\nA: ", 20, got);
    assert_string_not_equal(got, "HTTP/1.1 200 OK");
    raw(port, "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n", 0, got);
    assert_string_not_equal(got, "HTTP/1.1 200 OK");
    raw(port, "\x16\x03\x01\x02\r\n\r\n", 0, got);
    assert_string_not_equal(got, "HTTP/1.1 200 OK");
    raw(port, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n", 0, got);
    assert_string_equal(got, "HTTP/1.1 200 OK");
}

static void it_listens_on_this_machine_only(void **state)
{
    static const char *const refused[] = {
        "0.0.0.0:80", "[::]:80",      "10.0.0.1:80", "localhost:80",      "127.0.0.1",
        ":80",        "127.0.0.1:",   "127.0.0.1:x", "127.0.0.1:080",     "127.0.0.1:65536",
        "127.1:80",   "[fe80::1]:80", "unix:",       "unix:relative",     "",
        "[::1]",      "128.0.0.1:80", "[::1]:-1",    "126.255.255.255:9", "127.0.0.1:80 ",
    };
    static const char *const taken[] = {"127.0.0.1:0", "127.9.9.9:65535", "[::1]:1", "unix:/a/b"};
    struct echo echo = {.service = {.answer = answer}};
    struct http_loop *loop = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (http_check_address(refused[i]) == RC_OK) {
            fail_msg("taken: %s", refused[i]);
        }
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        assert_int_equal(http_check_address(taken[i]), RC_OK);
    }
    assert_int_equal(http_loop_new("0.0.0.0:0", &echo.service, &loop), RC_INVALID_ARGUMENT);
    assert_null(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered_with_status_and_body),
        cmocka_unit_test(who_does_not_answer_is_unreachable),
        cmocka_unit_test(what_is_too_large_or_not_http_is_not_served),
        cmocka_unit_test(it_listens_on_this_machine_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
