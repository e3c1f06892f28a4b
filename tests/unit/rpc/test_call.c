/* Unary calls: through our server and our channel, over loopback with mutual TLS. */
#include "unit/rpc/rpc_fixture.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/inbox.h"
#include "crypto/tlsconf.h"
#include "rpc/call.h"
#include "rpc/peer.h"

#define METHODS 6

struct call_state {
    struct inbox_item item; /* first */
    struct call *call;
};

/* A service with a writer-like thread behind it. */
struct bench {
    struct rpc_service service; /* first */
    struct pki pki;
    struct cq_pool *pool;
    struct server *server;
    struct inbox *inbox;
    pthread_t worker;
    volatile int is_held; /* calls of Hold wait in the inbox while set */
    volatile int held;
};

static void echo(struct rpc_service *service, struct call *call)
{
    (void)service;
    call_reply(call, call_request(call));
}

static void reject(struct rpc_service *service, struct call *call)
{
    struct fault fault = {0};

    (void)service;
    (void)refuse(&fault, RC_PERMISSION_DENIED, "route.none", "header.to",
                 "Pida un convenio que ampare este envío.");
    call_refuse(call, &fault);
}

static void who(struct rpc_service *service, struct call *call)
{
    (void)service;
    call_reply(call, bytes_text(call_peer(call)->identity));
}

static void left(struct rpc_service *service, struct call *call)
{
    char text[32];

    (void)service;
    snprintf(text, sizeof text, "%lld", (long long)call_remaining_ms(call));
    call_reply(call, bytes_text(text));
}

/* Gives the call away to the worker, who gives it back. */
static void later(struct rpc_service *service, struct call *call)
{
    struct bench *bench = (struct bench *)service;
    struct call_state *state = arena_alloc(call_arena(call), sizeof *state);

    state->call = call;
    call_set_state(call, state);
    assert_int_equal(inbox_put(bench->inbox, &state->item), RC_OK);
}

static void hold(struct rpc_service *service, struct call *call)
{
    struct bench *bench = (struct bench *)service;

    later(service, call);
    set_flag(&bench->held);
}

static void answer(struct call *call)
{
    assert_ptr_equal(call_state(call)->call, call);
    call_reply(call, call_request(call));
}

static void *work(void *arg)
{
    struct bench *bench = arg;
    bool is_closed = false;

    while (!is_closed) {
        struct inbox_item *item = inbox_take(bench->inbox, 256, -1, &is_closed);

        while (__atomic_load_n(&bench->is_held, __ATOMIC_ACQUIRE)) {
            usleep(1000);
        }
        while (item != NULL) {
            struct call_state *state = (struct call_state *)item;

            item = item->next; /* the call may be gone as soon as it is resumed */
            call_resume(state->call, answer);
        }
    }
    return NULL;
}

static void start(struct bench *bench)
{
    struct rpc_service *service = &bench->service;
    const struct rpc_method methods[METHODS] = {
        {.path = "/t.T/Echo", .kind = RPC_UNARY, .service = service, .on_call = echo},
        {.path = "/t.T/Reject", .kind = RPC_UNARY, .service = service, .on_call = reject},
        {.path = "/t.T/Who", .kind = RPC_UNARY, .service = service, .on_call = who},
        {.path = "/t.T/Left", .kind = RPC_UNARY, .service = service, .on_call = left},
        {.path = "/t.T/Later", .kind = RPC_UNARY, .service = service, .on_call = later},
        {.path = "/t.T/Hold", .kind = RPC_UNARY, .service = service, .on_call = hold},
    };

    bench->held = 0;
    bench->pool = cq_pool_new(2);
    assert_non_null(bench->pool);
    bench->inbox = inbox_new(100000);
    assert_int_equal(pthread_create(&bench->worker, NULL, work, bench), 0);
    bench->server = serve(&bench->pki, bench->pool, methods, METHODS);
}

static void stop(struct bench *bench)
{
    server_stop(bench->server, 1000);
    server_free(bench->server);
    inbox_close(bench->inbox);
    pthread_join(bench->worker, NULL);
    inbox_free(bench->inbox);
    cq_pool_free(bench->pool);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    pki_make(&bench->pki);
    start(bench);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    stop(bench);
    pki_remove(&bench->pki);
    free(bench);
    return 0;
}

static enum rc ask(struct channel *channel, const char *method, struct bytes request,
                   struct buffer *response, struct fault *fault)
{
    memset(fault, 0, sizeof *fault);
    return channel_call(channel, method, request, PATIENCE_MS, response, fault);
}

static void messages_of_any_size_come_back_whole(void **state)
{
    static const size_t sizes[] = {0, 1, 1024, 8192, 65536, 1 << 20, (4 << 20) - 64};
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *data = malloc(sizes[i] + 1);

        for (size_t at = 0; at < sizes[i]; at++) {
            data[at] = (uint8_t)(at * 31 + i);
        }
        assert_int_equal(ask(channel, "/t.T/Echo", BYTES(data, sizes[i]), &response, &fault),
                         RC_OK);
        assert_true(bytes_equal(buffer_bytes(&response), BYTES(data, sizes[i])));
        free(data);
    }
    channel_free(channel);
}

static void a_message_beyond_the_limit_is_refused(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    uint8_t *data = calloc(1, SERVER_MESSAGE_MAX + 1);
    struct fault fault;

    assert_int_equal(
        ask(channel, "/t.T/Echo", BYTES(data, SERVER_MESSAGE_MAX + 1), &response, &fault),
        RC_RESOURCE_EXHAUSTED);
    free(data);
    channel_free(channel);
}

static void a_refusal_arrives_with_reason_path_and_remedy(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault;

    assert_int_equal(ask(channel, "/t.T/Reject", bytes_text("x"), &response, &fault),
                     RC_PERMISSION_DENIED);
    assert_int_equal(fault.rc, RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "route.none");
    assert_string_equal(fault.path, "header.to");
    assert_string_equal(fault.remedy, "Pida un convenio que ampare este envío.");
    channel_free(channel);
}

static void an_unknown_method_is_unimplemented(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault;

    for (int i = 0; i < 20; i++) {
        assert_int_equal(ask(channel, "/t.T/Nothing", bytes_text("x"), &response, &fault),
                         RC_UNIMPLEMENTED);
        assert_string_equal(fault.reason, "method.unknown");
    }
    channel_free(channel);
}

static void the_peer_is_the_uri_of_its_certificate(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault;

    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(channel, "/t.T/Who", bytes_text("x"), &response, &fault), RC_OK);
        assert_true(bytes_are_text(buffer_bytes(&response), CLIENT_URI));
    }
    channel_free(channel);
}

static void a_certificate_must_name_exactly_one_holder(void **state)
{
    static const char *const holders[] = {"two-uris", "no-uri"};
    struct bench *bench = *state;
    OWN(buffer) response = {0};
    struct fault fault;

    for (size_t i = 0; i < 2; i++) {
        struct channel *channel = dial(&bench->pki, bench->server, holders[i], SERVER_URI);

        for (int again = 0; again < 2; again++) {
            assert_int_equal(ask(channel, "/t.T/Echo", bytes_text("x"), &response, &fault),
                             RC_UNAUTHENTICATED);
            assert_string_equal(fault.reason, "cert.uri_san");
        }
        channel_free(channel);
    }
}

static void who_has_no_certificate_of_our_ca_does_not_get_in(void **state)
{
    static const char *const holders[] = {NULL, "stranger"};
    struct bench *bench = *state;
    OWN(buffer) response = {0};
    struct fault fault;

    for (size_t i = 0; i < 2; i++) {
        struct channel *channel = dial(&bench->pki, bench->server, holders[i], SERVER_URI);

        assert_int_equal(ask(channel, "/t.T/Echo", bytes_text("x"), &response, &fault),
                         RC_UNAVAILABLE);
        assert_string_equal(fault.reason, "peer.unreachable");
        channel_free(channel);
    }
}

static void a_server_with_another_identity_gets_nothing(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", OTHER_SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault;

    assert_int_equal(ask(channel, "/t.T/Echo", bytes_text("x"), &response, &fault), RC_UNAVAILABLE);
    assert_string_equal(fault.reason, "peer.unreachable");
    channel_free(channel);
}

static void the_clients_deadline_is_known_and_kept(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault = {0};
    long long left_ms;

    assert_int_equal(
        channel_call(channel, "/t.T/Left", bytes_text("x"), PATIENCE_MS, &response, &fault), RC_OK);
    buffer_put_u8(&response, 0);
    left_ms = atoll((const char *)response.data);
    assert_true(left_ms > 0 && left_ms <= PATIENCE_MS);

    set_flag(&bench->is_held);
    assert_int_equal(channel_call(channel, "/t.T/Hold", bytes_text("x"), 200, &response, &fault),
                     RC_DEADLINE_EXCEEDED);
    assert_string_equal(fault.reason, "peer.deadline");
    clear_flag(&bench->is_held);
    channel_free(channel);
}

struct waiting {
    struct channel_user user; /* first */
    struct crowd *crowd;
};

#define CROWD 2000

struct crowd {
    struct waiting waiting[CROWD];
    int answered;
    int refused;
    volatile int is_over;
};

static void on_answer(struct channel_user *user, struct bytes response, const struct fault *fault)
{
    struct crowd *crowd = ((struct waiting *)user)->crowd;

    if (fault->rc != RC_OK) {
        __atomic_add_fetch(&crowd->refused, 1, __ATOMIC_RELAXED);
    } else if (!bytes_are_text(response, "hello")) {
        abort();
    }
    if (__atomic_add_fetch(&crowd->answered, 1, __ATOMIC_ACQ_REL) == CROWD) {
        set_flag(&crowd->is_over);
    }
}

static struct crowd *send_crowd(struct bench *bench, struct channel *channel, struct cq_pool *pool,
                                const char *method)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    (void)bench;
    for (int i = 0; i < CROWD; i++) {
        crowd->waiting[i].user.on_answer = on_answer;
        crowd->waiting[i].crowd = crowd;
        assert_int_equal(channel_start(channel, cq_pool_next(pool), method, bytes_text("hello"),
                                       PATIENCE_MS, &crowd->waiting[i].user),
                         RC_OK);
    }
    return crowd;
}

static void calls_come_back_from_another_thread(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct crowd *crowd = send_crowd(bench, channel, bench->pool, "/t.T/Later");

    wait_until(&crowd->is_over);
    assert_int_equal(crowd->refused, 0);
    free(crowd);
    channel_free(channel);
}

static void a_client_that_vanishes_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    struct cq_pool *own = cq_pool_new(1);
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    OWN(buffer) response = {0};
    struct fault fault = {0};

    clear_flag(&bench->held);
    set_flag(&bench->is_held);
    for (int i = 0; i < 20; i++) {
        assert_int_not_equal(
            channel_call(channel, "/t.T/Hold", bytes_text("x"), 20, &response, &fault), RC_OK);
    }
    wait_until(&bench->held);
    channel_free(channel); /* the connection breaks while the worker still has the calls */
    clear_flag(&bench->is_held);
    cq_pool_free(own);
}

static void a_stop_lets_calls_under_way_finish(void **state)
{
    struct bench *bench = *state;
    struct cq_pool *own = cq_pool_new(1);
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct crowd *crowd;

    clear_flag(&bench->held);
    set_flag(&bench->is_held);
    crowd = send_crowd(bench, channel, own, "/t.T/Hold");
    wait_until(&bench->held);
    clear_flag(&bench->is_held);
    server_stop(bench->server, PATIENCE_MS);
    wait_until(&crowd->is_over);
    /* Those that the server had taken were answered, the others were told; nobody waits. */
    assert_true(crowd->refused < CROWD);
    free(crowd);
    channel_free(channel);
    cq_pool_free(own);
    stop(bench);
    start(bench);
}

static void a_stop_does_not_wait_for_ever(void **state)
{
    struct bench *bench = *state;
    struct cq_pool *own = cq_pool_new(1);
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct crowd *crowd = send_crowd(bench, channel, own, "/t.T/Later");

    server_stop(bench->server, 0);
    wait_until(&crowd->is_over);
    free(crowd);
    channel_free(channel);
    cq_pool_free(own);
    stop(bench);
    start(bench);
}

static void tls_1_2_is_not_spoken(void **state)
{
    static const char script[] =
        "openssl s_client -connect 127.0.0.1:%d -CAfile %s -cert %s -key %s -alpn h2 -%s"
        " </dev/null 2>/dev/null | grep -q 'Cipher is TLS_AES'";
    struct bench *bench = *state;
    char command[1024];

    for (int is_old = 0; is_old < 2; is_old++) {
        snprintf(command, sizeof command, script, server_port(bench->server, 0),
                 pki_path(&bench->pki, "ca", ".pem"), pki_path(&bench->pki, "client", ".pem"),
                 pki_path(&bench->pki, "client", ".key"), is_old ? "tls1_2" : "tls1_3");
        assert_int_equal(system(command) == 0, !is_old);
    }
}

static void copy(struct bench *bench, const char *from, const char *to)
{
    static const char *const suffixes[] = {".key", ".pem"};
    char command[1024];

    for (size_t i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "cp '%s' '%s'", pki_path(&bench->pki, from, suffixes[i]),
                 pki_path(&bench->pki, to, suffixes[i]));
        assert_int_equal(system(command), 0);
    }
}

static void a_servers_new_certificate_counts_without_a_restart(void **state)
{
    struct bench *bench = *state;
    struct channel *before = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct channel *after;
    OWN(buffer) response = {0};
    struct fault fault;

    assert_int_equal(ask(before, "/t.T/Echo", bytes_text("x"), &response, &fault), RC_OK);
    copy(bench, "server", "kept");
    copy(bench, "other-server", "server");
    after = dial(&bench->pki, bench->server, "client", OTHER_SERVER_URI);
    assert_int_equal(ask(after, "/t.T/Echo", bytes_text("x"), &response, &fault), RC_OK);
    /* Open connections go on. */
    assert_int_equal(ask(before, "/t.T/Echo", bytes_text("x"), &response, &fault), RC_OK);
    copy(bench, "kept", "server");
    channel_free(after);
    channel_free(before);
}

static void a_clients_new_certificate_counts_without_a_restart(void **state)
{
    struct bench *bench = *state;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    struct channel *channel;
    OWN(buffer) response = {0};
    struct fault fault;

    copy(bench, "client", "mine");
    channel = dial(&bench->pki, bench->server, "mine", SERVER_URI);
    assert_int_equal(ask(channel, "/t.T/Who", bytes_text("x"), &response, &fault), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&response), CLIENT_URI));
    copy(bench, "other-server", "mine");
    do {
        usleep(50000);
        assert_int_equal(ask(channel, "/t.T/Who", bytes_text("x"), &response, &fault), RC_OK);
        assert_true(clock_monotonic_ms() < until_ms);
    } while (!bytes_are_text(buffer_bytes(&response), OTHER_SERVER_URI));
    channel_free(channel);
}

static void it_starts_and_stops_twenty_times(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 20; i++) {
        struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
        OWN(buffer) response = {0};
        struct fault fault;

        assert_int_equal(ask(channel, "/t.T/Later", bytes_text("x"), &response, &fault), RC_OK);
        channel_free(channel);
        stop(bench);
        start(bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_size_come_back_whole),
        cmocka_unit_test(a_message_beyond_the_limit_is_refused),
        cmocka_unit_test(a_refusal_arrives_with_reason_path_and_remedy),
        cmocka_unit_test(an_unknown_method_is_unimplemented),
        cmocka_unit_test(the_peer_is_the_uri_of_its_certificate),
        cmocka_unit_test(a_certificate_must_name_exactly_one_holder),
        cmocka_unit_test(who_has_no_certificate_of_our_ca_does_not_get_in),
        cmocka_unit_test(a_server_with_another_identity_gets_nothing),
        cmocka_unit_test(the_clients_deadline_is_known_and_kept),
        cmocka_unit_test(calls_come_back_from_another_thread),
        cmocka_unit_test(a_client_that_vanishes_leaves_nothing_behind),
        cmocka_unit_test(a_stop_lets_calls_under_way_finish),
        cmocka_unit_test(a_stop_does_not_wait_for_ever),
        cmocka_unit_test(tls_1_2_is_not_spoken),
        cmocka_unit_test(a_servers_new_certificate_counts_without_a_restart),
        cmocka_unit_test(a_clients_new_certificate_counts_without_a_restart),
        cmocka_unit_test(it_starts_and_stops_twenty_times),
    };

    log_open("test_call", LOG_LEVEL_FATAL);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
