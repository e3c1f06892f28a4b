/* gate: one browser enters, once, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "console/gate.h"

#define NOW ((int64_t)1795000000000)

struct door {
    struct gate gate;
    char token[GATE_TOKEN_SIZE];
    char cookie[GATE_COOKIE_MAX];
};

static void open_door(struct door *door)
{
    gate_init(&door->gate, "127.0.0.1", 7470, NOW, door->token);
}

/* "name=value" of what Set-Cookie says. */
static void enter(struct door *door)
{
    struct fault fault = {0};

    assert_int_equal(gate_enter(&door->gate, door->token, NOW, door->cookie, &fault), RC_OK);
    assert_non_null(strstr(door->cookie, "; HttpOnly; SameSite=Strict; Path=/"));
    *strchr(door->cookie, ';') = '\0';
}

static struct gate_asked own_page(void)
{
    return (struct gate_asked){
        .host = "127.0.0.1:7470", .origin = "", .site = "same-origin", .type = "", .cookie = ""};
}

static struct gate_asked own_post(void)
{
    struct gate_asked asked = own_page();

    asked.is_post = true;
    asked.origin = "http://127.0.0.1:7470";
    asked.type = "application/json";
    return asked;
}

static void the_token_opens_once_and_its_session_stays(void **state)
{
    struct door door;
    struct gate_asked asked = own_page();
    struct fault fault = {0};
    char second[GATE_COOKIE_MAX];
    char among[2 * GATE_COOKIE_MAX];

    (void)state;
    open_door(&door);
    enter(&door);
    asked.cookie = door.cookie;
    assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_OK);
    snprintf(among, sizeof among, "otra=1; %s; y=2", door.cookie);
    asked.cookie = among;
    assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_OK);
    assert_int_equal(gate_enter(&door.gate, door.token, NOW, second, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "token.used");
    asked.cookie = door.cookie;
    assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_OK);
}

static void a_wrong_or_late_token_opens_nothing(void **state)
{
    struct door door;
    struct fault fault = {0};
    char cookie[GATE_COOKIE_MAX];

    (void)state;
    open_door(&door);
    door.token[5] = door.token[5] == '0' ? '1' : '0';
    assert_int_equal(gate_enter(&door.gate, door.token, NOW, cookie, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "token.wrong");
    open_door(&door);
    fault = (struct fault){0};
    assert_int_equal(gate_enter(&door.gate, door.token, NOW + GATE_TOKEN_MS + 1, cookie, &fault),
                     RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "token.expired");
}

static void who_guesses_ends_the_token(void **state)
{
    struct door door;
    struct fault fault = {0};
    char cookie[GATE_COOKIE_MAX];

    (void)state;
    open_door(&door);
    for (int i = 0; i < GATE_TRIES_MAX; i++) {
        assert_int_not_equal(gate_enter(&door.gate, "", NOW, cookie, NULL), RC_OK);
    }
    assert_int_equal(gate_enter(&door.gate, door.token, NOW, cookie, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "token.wrong");
}

static void without_its_session_nothing_is_shown(void **state)
{
    struct door door;
    struct door other;
    const char *const cookies[] = {
        "", "enlace-7470=", "enlace-7470", "enlace-7471=x", ";;; =", NULL};
    struct gate_asked asked = own_page();

    (void)state;
    open_door(&door);
    open_door(&other);
    enter(&other);
    for (size_t i = 0; cookies[i] != NULL; i++) {
        asked.cookie = cookies[i];
        assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_UNAUTHENTICATED);
    }
    asked.cookie = other.cookie; /* of another console */
    assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_UNAUTHENTICATED);
    enter(&door);
    door.cookie[20] = door.cookie[20] == '0' ? '1' : '0';
    asked.cookie = door.cookie;
    assert_int_equal(gate_check_session(&door.gate, &asked, NULL), RC_UNAUTHENTICATED);
}

static void only_its_own_pages_may_ask(void **state)
{
    static const struct {
        const char *host, *origin, *site, *type, *reason;
        bool is_post;
    } rows[] = {
        {"127.0.0.1:7470", "", "none", "", NULL, false}, /* typed, or a bookmark */
        {"127.0.0.1:7470", "", "", "", NULL, false},     /* an old browser */
        {"127.0.0.1:7470", "http://127.0.0.1:7470", "", "application/json", NULL, true},
        {"evil.example:7470", "", "same-origin", "", "console.host", false}, /* rebinding */
        {"localhost:7470", "", "same-origin", "", "console.host", false},
        {"127.0.0.1", "", "same-origin", "", "console.host", false},
        {"127.0.0.1:7471", "", "same-origin", "", "console.host", false},
        {"", "", "same-origin", "", "console.host", false},
        {"127.0.0.1:7470", "", "cross-site", "", "console.origin", false},
        {"127.0.0.1:7470", "", "same-site", "", "console.origin", false}, /* another port */
        {"127.0.0.1:7470", "http://evil.example", "", "", "console.origin", false},
        {"127.0.0.1:7470", "null", "", "application/json", "console.origin", true},
        {"127.0.0.1:7470", "https://127.0.0.1:7470", "", "application/json", "console.origin",
         true},
        {"127.0.0.1:7470", "http://127.0.0.1:74700", "", "application/json", "console.origin",
         true},
        {"127.0.0.1:7470", "", "same-origin", "application/json", "console.origin", true},
        {"127.0.0.1:7470", "", "none", "application/json", "console.origin", true},
        {"127.0.0.1:7470", "http://127.0.0.1:7470", "same-origin", "text/plain", "console.form",
         true},
        {"127.0.0.1:7470", "http://127.0.0.1:7470", "same-origin", "application/json; x",
         "console.form", true},
    };
    struct door door;

    (void)state;
    open_door(&door);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct gate_asked asked = {rows[i].is_post, rows[i].host, rows[i].origin,
                                         rows[i].site,    rows[i].type, ""};
        struct fault fault = {0};
        enum rc rc = gate_check(&door.gate, &asked, &fault);

        assert_int_equal(rc, rows[i].reason == NULL ? RC_OK : RC_PERMISSION_DENIED);
        assert_string_equal(fault.reason, rows[i].reason == NULL ? "" : rows[i].reason);
    }
}

static void its_own_form_is_taken(void **state)
{
    struct door door;
    struct gate_asked asked = own_post();

    (void)state;
    open_door(&door);
    assert_int_equal(gate_check(&door.gate, &asked, NULL), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_opens_once_and_its_session_stays),
        cmocka_unit_test(a_wrong_or_late_token_opens_nothing),
        cmocka_unit_test(who_guesses_ends_the_token),
        cmocka_unit_test(without_its_session_nothing_is_shown),
        cmocka_unit_test(only_its_own_pages_may_ask),
        cmocka_unit_test(its_own_form_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
