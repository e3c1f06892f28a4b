/* Health: Check, Watch, and a plain listener that serves nothing but what is public. */
#include "unit/rpc/rpc_fixture.h"

#include "crypto/tlsconf.h"
#include "rpc/call.h"
#include "rpc/duplex.h"
#include "rpc/health.h"

/* HealthCheckRequest{service: "t.T"} and the responses, byte by byte as the protocol has them. */
static const uint8_t ask_known[] = {0x0a, 3, 't', '.', 'T'};
static const uint8_t ask_unknown[] = {0x0a, 3, 't', '.', 'U'};
static const uint8_t serving[] = {0x08, 1};
static const uint8_t not_serving[] = {0x08, 2};
static const uint8_t service_unknown[] = {0x08, 3};

struct bench {
    struct pki pki;
    struct cq_pool *pool;
    struct health *health;
    struct server *server;
    char socket_path[128];
};

static struct rpc_service nothing = {.name = "nothing"};

static void secret(struct rpc_service *service, struct call *call)
{
    (void)service;
    call_reply(call, bytes_text("secret"));
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct rpc_method methods[HEALTH_METHODS + 1] = {0};
    struct server_config config = {0};

    pki_make(&bench->pki);
    bench->pool = cq_pool_new(1);
    bench->health = health_new();
    assert_int_equal(health_set(bench->health, "", true), RC_OK);
    assert_int_equal(health_set(bench->health, "t.T", true), RC_OK);
    health_methods(bench->health, methods);
    methods[HEALTH_METHODS] = (struct rpc_method){
        .path = "/t.T/Secret", .kind = RPC_UNARY, .service = &nothing, .on_call = secret};
    snprintf(bench->socket_path, sizeof bench->socket_path, "unix:%s/plain.sock", bench->pki.dir);
    config.methods = methods;
    config.method_count = HEALTH_METHODS + 1;
    config.listeners[0].address = "127.0.0.1:0";
    config.listeners[1].address = bench->socket_path;
    config.listeners[1].is_plain = true;
    config.listener_count = 2;
    config.certificate_file = pki_path(&bench->pki, "server", ".pem");
    config.key_file = pki_path(&bench->pki, "server", ".key");
    config.ca_file = pki_path(&bench->pki, "ca", ".pem");
    assert_int_equal(server_new(bench->pool, &config, &bench->server), RC_OK);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    server_free(bench->server);
    health_free(bench->health);
    cq_pool_free(bench->pool);
    pki_remove(&bench->pki);
    free(bench);
    return 0;
}

static struct channel *dial_plain(struct bench *bench)
{
    struct channel_config config = {.target = bench->socket_path};
    struct channel *channel = NULL;

    assert_int_equal(channel_new(&config, &channel), RC_OK);
    return channel;
}

static void check_tells_serving_or_not(void **state)
{
    static const char method[] = "/grpc.health.v1.Health/Check";
    struct bench *bench = *state;
    struct channel *channels[] = {dial(&bench->pki, bench->server, "client", SERVER_URI),
                                  dial_plain(bench)};
    OWN(buffer) response = {0};
    struct fault fault = {0};

    for (size_t i = 0; i < 2; i++) {
        struct channel *channel = channels[i];

        assert_int_equal(
            channel_call(channel, method, (struct bytes){0}, PATIENCE_MS, &response, &fault),
            RC_OK);
        assert_true(bytes_equal(buffer_bytes(&response), BYTES_OF(serving)));
        assert_int_equal(health_set(bench->health, "t.T", false), RC_OK);
        assert_int_equal(
            channel_call(channel, method, BYTES_OF(ask_known), PATIENCE_MS, &response, &fault),
            RC_OK);
        assert_true(bytes_equal(buffer_bytes(&response), BYTES_OF(not_serving)));
        assert_int_equal(health_set(bench->health, "t.T", true), RC_OK);
        assert_int_equal(
            channel_call(channel, method, BYTES_OF(ask_unknown), PATIENCE_MS, &response, &fault),
            RC_NOT_FOUND);
        assert_int_equal(
            channel_call(channel, method, bytes_text("\x0a\x7f"), PATIENCE_MS, &response, &fault),
            RC_INVALID_ARGUMENT);
        channel_free(channel);
    }
}

static void a_plain_listener_serves_only_what_is_public(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial_plain(bench);
    OWN(buffer) response = {0};
    struct fault fault = {0};

    assert_int_equal(
        channel_call(channel, "/t.T/Secret", (struct bytes){0}, PATIENCE_MS, &response, &fault),
        RC_UNAUTHENTICATED);
    assert_string_equal(fault.reason, "cert.required");
    channel_free(channel);
}

static void expect(struct duplex *duplex, struct bytes expected)
{
    OWN(buffer) message = {0};
    struct fault fault = {0};

    assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_OK);
    assert_true(bytes_equal(buffer_bytes(&message), expected));
}

static void watchers_hear_of_each_change(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct duplex *known = NULL;
    struct duplex *unknown = NULL;
    OWN(buffer) message = {0};
    struct fault fault = {0};

    assert_int_equal(duplex_open(channel, "/grpc.health.v1.Health/Watch", -1, &known), RC_OK);
    assert_int_equal(duplex_send(known, BYTES_OF(ask_known), &fault), RC_OK);
    assert_int_equal(duplex_end(known, &fault), RC_OK);
    assert_int_equal(duplex_open(channel, "/grpc.health.v1.Health/Watch", -1, &unknown), RC_OK);
    assert_int_equal(duplex_send(unknown, BYTES_OF(ask_unknown), &fault), RC_OK);
    assert_int_equal(duplex_end(unknown, &fault), RC_OK);
    expect(known, BYTES_OF(serving));
    expect(unknown, BYTES_OF(service_unknown));
    assert_int_equal(health_set(bench->health, "t.T", false), RC_OK);
    expect(known, BYTES_OF(not_serving));
    assert_int_equal(health_set(bench->health, "t.T", true), RC_OK);
    expect(known, BYTES_OF(serving));
    assert_int_equal(health_set(bench->health, "t.U", true), RC_OK);
    expect(unknown, BYTES_OF(serving));
    duplex_free(unknown);

    health_shut(bench->health);
    expect(known, BYTES_OF(not_serving));
    assert_int_equal(duplex_receive(known, PATIENCE_MS, &message, &fault), RC_OUT_OF_RANGE);
    duplex_free(known);
    channel_free(channel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_tells_serving_or_not),
        cmocka_unit_test(a_plain_listener_serves_only_what_is_public),
        cmocka_unit_test(watchers_hear_of_each_change),
    };

    log_open("test_health", LOG_LEVEL_FATAL);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
