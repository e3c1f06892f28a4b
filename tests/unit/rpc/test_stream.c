/* Streams: our server against our client, asynchronous and blocking, over loopback with mutual TLS.
 */
#include "unit/rpc/rpc_fixture.h"

#include <pthread.h>

#include "base/inbox.h"
#include "crypto/tlsconf.h"
#include "rpc/duplex.h"
#include "rpc/peer.h"
#include "rpc/stream.h"

#define METHODS 5
#define MANY 100000
#define WINDOW 300

struct bench {
    struct rpc_service service; /* first */
    struct pki pki;
    struct cq_pool *pool;
    struct server *server;
    struct inbox *inbox;
    pthread_t worker;
    volatile int is_held;
    volatile int held;
    int opened;
    int freed; /* every server end that was opened is freed in the end */
};

/* Echo end: answers each message; asks for the next only while it has room. */
struct echo {
    struct stream_user user; /* first */
    struct bench *bench;
    bool is_paused;
    bool is_at_end;
};

static void echo_on_message(struct stream_user *user, struct bytes message)
{
    struct echo *echo = (struct echo *)user;

    assert_int_equal(stream_send(user->stream, message), RC_OK);
    if (stream_room(user->stream) > 0) {
        stream_read(user->stream);
    } else {
        echo->is_paused = true;
    }
}

static void echo_on_drained(struct stream_user *user)
{
    struct echo *echo = (struct echo *)user;

    if (echo->is_paused) {
        echo->is_paused = false;
        stream_read(user->stream);
    }
}

static void echo_on_closed(struct stream_user *user, const struct fault *fault)
{
    (void)user;
    (void)fault;
}

static void echo_on_free(struct stream_user *user)
{
    struct bench *bench = ((struct echo *)user)->bench;

    __atomic_add_fetch(&bench->freed, 1, __ATOMIC_ACQ_REL);
    free(user);
}

static const struct stream_events echo_events = {
    .on_message = echo_on_message,
    .on_drained = echo_on_drained,
    .on_closed = echo_on_closed,
    .on_free = echo_on_free,
};

static void accept_with(struct rpc_service *service, struct stream *stream,
                        const struct stream_events *events)
{
    struct echo *echo = calloc(1, sizeof *echo);

    echo->bench = (struct bench *)service;
    echo->user.events = events;
    __atomic_add_fetch(&echo->bench->opened, 1, __ATOMIC_ACQ_REL);
    assert_string_equal(stream_peer(stream)->identity, CLIENT_URI);
    stream_accept(stream, &echo->user);
    stream_read(stream);
}

static void echo_stream(struct rpc_service *service, struct stream *stream)
{
    accept_with(service, stream, &echo_events);
}

static void reject_stream(struct rpc_service *service, struct stream *stream)
{
    struct fault fault = {0};

    (void)service;
    (void)refuse(&fault, RC_RESOURCE_EXHAUSTED, "stream.limit", "", "Cierre otro flujo antes.");
    stream_refuse(stream, &fault);
}

/* After the first message the server ends the stream with a fault. */
static void fail_on_message(struct stream_user *user, struct bytes message)
{
    struct fault fault = {0};

    assert_int_equal(stream_send(user->stream, message), RC_OK);
    (void)refuse(&fault, RC_FAILED_PRECONDITION, "stream.late", "cursor", "Empiece otra vez.");
    stream_finish(user->stream, &fault);
    assert_int_equal(stream_send(user->stream, message), RC_UNAVAILABLE);
}

static const struct stream_events fail_events = {
    .on_message = fail_on_message,
    .on_closed = echo_on_closed,
    .on_free = echo_on_free,
};

static void fail_stream(struct rpc_service *service, struct stream *stream)
{
    accept_with(service, stream, &fail_events);
}

/* Later end: the worker, a writer in miniature, answers each message by stream_resume. */
struct parcel {
    union {
        struct inbox_item inbox;
        struct stream_item stream;
    } item; /* first */
    struct stream *stream;
    size_t size;
    uint8_t data[];
};

static void later_on_message(struct stream_user *user, struct bytes message)
{
    struct bench *bench = ((struct echo *)user)->bench;
    struct parcel *parcel = calloc(1, sizeof *parcel + message.size);

    parcel->stream = user->stream;
    parcel->size = message.size;
    memcpy(parcel->data, message.data, message.size);
    stream_hold(user->stream);
    assert_int_equal(inbox_put(bench->inbox, &parcel->item.inbox), RC_OK);
    set_flag(&bench->held);
    stream_read(user->stream);
}

static void later_on_items(struct stream_user *user, struct stream_item *items)
{
    while (items != NULL) {
        struct parcel *parcel = (struct parcel *)items;
        enum rc rc;

        items = items->next;
        rc = stream_send(user->stream, BYTES(parcel->data, parcel->size));
        assert_true(rc == RC_OK || stream_is_over(user->stream));
        free(parcel);
    }
}

static void later_on_end(struct stream_user *user)
{
    (void)user; /* the worker may still owe answers: the client cancels when it has them */
}

static const struct stream_events later_events = {
    .on_message = later_on_message,
    .on_items = later_on_items,
    .on_end = later_on_end,
    .on_closed = echo_on_closed,
    .on_free = echo_on_free,
};

static void later_stream(struct rpc_service *service, struct stream *stream)
{
    accept_with(service, stream, &later_events);
}

/* Deaf end: takes one message and never asks for another. */
static void deaf_on_message(struct stream_user *user, struct bytes message)
{
    (void)message;
    set_flag(&((struct echo *)user)->bench->held);
}

static const struct stream_events deaf_events = {
    .on_message = deaf_on_message,
    .on_closed = echo_on_closed,
    .on_free = echo_on_free,
};

static void deaf_stream(struct rpc_service *service, struct stream *stream)
{
    accept_with(service, stream, &deaf_events);
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
            struct parcel *parcel = (struct parcel *)item;
            struct stream *stream = parcel->stream;

            item = item->next;
            stream_resume(stream, &parcel->item.stream);
            stream_release(stream);
        }
    }
    return NULL;
}

static void start(struct bench *bench)
{
    struct rpc_service *service = &bench->service;
    const struct rpc_method methods[METHODS] = {
        {.path = "/t.T/Echo", .kind = RPC_STREAM, .service = service, .on_stream = echo_stream},
        {.path = "/t.T/Reject", .kind = RPC_STREAM, .service = service, .on_stream = reject_stream},
        {.path = "/t.T/Fail", .kind = RPC_STREAM, .service = service, .on_stream = fail_stream},
        {.path = "/t.T/Later", .kind = RPC_STREAM, .service = service, .on_stream = later_stream},
        {.path = "/t.T/Deaf", .kind = RPC_STREAM, .service = service, .on_stream = deaf_stream},
    };

    bench->held = 0;
    bench->opened = 0;
    bench->freed = 0;
    bench->pool = cq_pool_new(2);
    assert_non_null(bench->pool);
    bench->inbox = inbox_new(1000000);
    assert_int_equal(pthread_create(&bench->worker, NULL, work, bench), 0);
    bench->server = serve(&bench->pki, bench->pool, methods, METHODS);
}

static void stop(struct bench *bench)
{
    server_stop(bench->server, 0);
    server_free(bench->server);
    inbox_close(bench->inbox);
    pthread_join(bench->worker, NULL);
    inbox_free(bench->inbox);
    cq_pool_free(bench->pool);
    assert_int_equal(bench->opened, bench->freed);
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

/* Our client's end: sends `total` numbered messages, at most `window` ahead of the answers. */
struct sender {
    struct stream_user user; /* first */
    uint32_t total;
    uint32_t window;
    uint32_t sent;
    uint32_t answered;
    bool is_wrong;
    bool is_early; /* finishes by half-close when all is sent */
    struct fault fault;
    volatile int is_closed;
    volatile int is_free;
};

static void sender_fill(struct sender *sender)
{
    uint8_t message[64] = {0};

    while (sender->sent < sender->total && sender->sent - sender->answered < sender->window) {
        put_u32(message, sender->sent);
        if (stream_send(sender->user.stream, BYTES_OF(message)) != RC_OK) {
            return;
        }
        sender->sent++;
    }
    if (sender->sent == sender->total && sender->is_early) {
        stream_finish(sender->user.stream, NULL);
    }
}

static void sender_on_open(struct stream_user *user)
{
    stream_read(user->stream);
    sender_fill((struct sender *)user);
}

static void sender_on_message(struct stream_user *user, struct bytes message)
{
    struct sender *sender = (struct sender *)user;

    sender->is_wrong |= message.size != 64 || get_u32(message.data) != sender->answered;
    sender->answered++;
    stream_read(user->stream);
    sender_fill(sender);
    if (sender->answered == sender->total && !sender->is_early) {
        stream_finish(user->stream, NULL);
    }
}

static void sender_on_drained(struct stream_user *user)
{
    sender_fill((struct sender *)user);
}

static void sender_on_closed(struct stream_user *user, const struct fault *fault)
{
    struct sender *sender = (struct sender *)user;

    sender->fault = *fault;
    set_flag(&sender->is_closed);
}

static void sender_on_free(struct stream_user *user)
{
    set_flag(&((struct sender *)user)->is_free);
}

static const struct stream_events sender_events = {
    .on_open = sender_on_open,
    .on_message = sender_on_message,
    .on_drained = sender_on_drained,
    .on_closed = sender_on_closed,
    .on_free = sender_on_free,
};

static void run_sender(struct bench *bench, struct channel *channel, const char *method,
                       struct sender *sender)
{
    sender->user.events = &sender_events;
    assert_int_equal(stream_open(channel, cq_pool_next(bench->pool), method, -1, &sender->user),
                     RC_OK);
    wait_until(&sender->is_free);
    assert_true(sender->is_closed);
}

static void a_hundred_thousand_messages_come_back_in_order(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct sender sender = {.total = MANY, .window = WINDOW};

    run_sender(bench, channel, "/t.T/Echo", &sender);
    assert_int_equal(sender.fault.rc, RC_OK);
    assert_int_equal(sender.answered, MANY);
    assert_false(sender.is_wrong);
    channel_free(channel);
}

static void both_ends_hold_back_when_queues_are_full(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct sender sender = {.total = MANY / 5, .window = UINT32_MAX, .is_early = true};

    run_sender(bench, channel, "/t.T/Echo", &sender);
    assert_int_equal(sender.fault.rc, RC_OK);
    assert_int_equal(sender.answered, MANY / 5);
    assert_false(sender.is_wrong);
    channel_free(channel);
}

static void answers_come_from_another_thread(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct duplex *duplex = NULL;
    OWN(buffer) message = {0};
    struct fault fault = {0};
    uint8_t number[4];

    assert_int_equal(duplex_open(channel, "/t.T/Later", -1, &duplex), RC_OK);
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 200; i++) {
            put_u32(number, i);
            assert_int_equal(duplex_send(duplex, BYTES_OF(number), &fault), RC_OK);
        }
        for (uint32_t i = 0; i < 200; i++) {
            assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_OK);
            assert_int_equal(get_u32(message.data), i);
        }
    }
    assert_int_equal(duplex_receive(duplex, 20, &message, &fault), RC_DEADLINE_EXCEEDED);
    assert_string_equal(fault.reason, "stream.quiet");
    duplex_free(duplex);
    channel_free(channel);
}

static void a_client_that_vanishes_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    clear_flag(&bench->held);
    set_flag(&bench->is_held);
    for (int i = 0; i < 10; i++) {
        struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
        struct duplex *duplex = NULL;
        struct fault fault = {0};

        assert_int_equal(duplex_open(channel, "/t.T/Later", -1, &duplex), RC_OK);
        for (int m = 0; m < 50; m++) {
            assert_int_equal(duplex_send(duplex, bytes_text("owed"), &fault), RC_OK);
        }
        wait_until(&bench->held);
        duplex_free(duplex);
        channel_free(channel);
    }
    clear_flag(&bench->is_held);
    while (__atomic_load_n(&bench->freed, __ATOMIC_ACQUIRE) !=
           __atomic_load_n(&bench->opened, __ATOMIC_ACQUIRE)) {
        assert_true(clock_monotonic_ms() < until_ms);
        usleep(1000);
    }
}

static void the_servers_fault_ends_the_stream_after_what_was_queued(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct duplex *duplex = NULL;
    OWN(buffer) message = {0};
    struct fault fault = {0};

    assert_int_equal(duplex_open(channel, "/t.T/Fail", -1, &duplex), RC_OK);
    assert_int_equal(duplex_send(duplex, bytes_text("one"), &fault), RC_OK);
    assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_OK);
    assert_true(bytes_are_text(buffer_bytes(&message), "one"));
    assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "stream.late");
    assert_string_equal(fault.path, "cursor");
    assert_string_equal(fault.remedy, "Empiece otra vez.");
    /* It stays so, and sending says that it is over. */
    assert_int_equal(duplex_receive(duplex, 0, &message, &fault), RC_FAILED_PRECONDITION);
    memset(&fault, 0, sizeof fault);
    assert_int_equal(duplex_send(duplex, bytes_text("two"), &fault), RC_UNAVAILABLE);
    assert_string_equal(fault.reason, "stream.over");
    duplex_free(duplex);
    channel_free(channel);
}

static void a_refused_stream_tells_why(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct sender sender = {.total = 1, .window = 1};

    run_sender(bench, channel, "/t.T/Reject", &sender);
    assert_int_equal(sender.fault.rc, RC_RESOURCE_EXHAUSTED);
    assert_string_equal(sender.fault.reason, "stream.limit");
    channel_free(channel);
}

static void an_unreachable_peer_shows_as_closed(void **state)
{
    struct bench *bench = *state;
    struct channel *channel =
        dial(&bench->pki, bench->server, "client", "spiffe://enlace.cdmx/node/pgj");
    struct sender sender = {.total = 1, .window = 1};

    run_sender(bench, channel, "/t.T/Echo", &sender);
    assert_int_equal(sender.fault.rc, RC_UNAVAILABLE);
    assert_string_equal(sender.fault.reason, "peer.unreachable");
    channel_free(channel);
}

static void a_good_end_is_told_apart_from_a_breach(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct duplex *duplex = NULL;
    OWN(buffer) message = {0};
    struct fault fault = {0};

    assert_int_equal(duplex_open(channel, "/t.T/Echo", -1, &duplex), RC_OK);
    assert_int_equal(duplex_send(duplex, bytes_text("x"), &fault), RC_OK);
    assert_int_equal(duplex_end(duplex, &fault), RC_OK);
    assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_OK);
    assert_int_equal(duplex_receive(duplex, PATIENCE_MS, &message, &fault), RC_OUT_OF_RANGE);
    assert_string_equal(fault.reason, "stream.end");
    duplex_free(duplex);

    assert_int_equal(duplex_open(channel, "/t.T/Echo", -1, &duplex), RC_OK);
    assert_int_equal(duplex_send(duplex, bytes_text("x"), &fault), RC_OK);
    duplex_cancel(duplex);
    while (duplex_receive(duplex, PATIENCE_MS, &message, &fault) == RC_OK) {
        continue;
    }
    assert_int_equal(fault.rc, RC_CANCELLED);
    duplex_free(duplex);
    channel_free(channel);
}

static void a_deaf_server_holds_the_sender_back(void **state)
{
    struct bench *bench = *state;
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct sender sender = {.total = 200000000, .window = UINT32_MAX};

    clear_flag(&bench->held);
    sender.user.events = &sender_events;
    assert_int_equal(
        stream_open(channel, cq_pool_next(bench->pool), "/t.T/Deaf", 500, &sender.user), RC_OK);
    wait_until(&bench->held);
    wait_until(&sender.is_free); /* its deadline */
    assert_int_equal(sender.fault.rc, RC_DEADLINE_EXCEEDED);
    /* Flow control let through some windows of HTTP/2, not everything that could be sent. */
    assert_true(sender.sent > STREAM_OUTGOING_MAX && sender.sent < 500000);
    channel_free(channel);
}

static void a_stop_cancels_streams_and_frees_them(void **state)
{
    struct bench *bench = *state;
    struct cq_pool *own = cq_pool_new(1);
    struct channel *channel = dial(&bench->pki, bench->server, "client", SERVER_URI);
    struct sender sender = {.total = 200000000, .window = WINDOW};

    sender.user.events = &sender_events;
    assert_int_equal(stream_open(channel, cq_pool_next(own), "/t.T/Later", -1, &sender.user),
                     RC_OK);
    wait_until(&bench->held);
    stop(bench);
    wait_until(&sender.is_free);
    assert_int_not_equal(sender.fault.rc, RC_OK);
    channel_free(channel);
    cq_pool_free(own);
    start(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_messages_come_back_in_order),
        cmocka_unit_test(both_ends_hold_back_when_queues_are_full),
        cmocka_unit_test(answers_come_from_another_thread),
        cmocka_unit_test(a_client_that_vanishes_leaves_nothing_behind),
        cmocka_unit_test(the_servers_fault_ends_the_stream_after_what_was_queued),
        cmocka_unit_test(a_refused_stream_tells_why),
        cmocka_unit_test(an_unreachable_peer_shows_as_closed),
        cmocka_unit_test(a_good_end_is_told_apart_from_a_breach),
        cmocka_unit_test(a_deaf_server_holds_the_sender_back),
        cmocka_unit_test(a_stop_cancels_streams_and_frees_them),
    };

    log_open("test_stream", LOG_LEVEL_FATAL);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
