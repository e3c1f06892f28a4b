/*
 * echo_server - the floor of our benchmarks: a bare gRPC C-core server that gives back what it got.
 *
 *     echo_server --listen 127.0.0.1:7000 --cert FILE --key FILE --ca FILE [--threads N]
 *
 * /bench.Echo/Unary and /bench.Echo/Stream (bidirectional), mutual TLS 1.3, one completion queue
 * and one thread for each of N (default: processors). It shares nothing with the gateway but the
 * OpenSSL configuration, and does no work at all: what the gateway adds is measured against it.
 * Prints "listening PORT" when it serves; ends on SIGTERM or SIGINT.
 */
#include <assert.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/tlsconf.h"

#define THREADS_MAX 64
#define UNARY_SLOTS 128
#define STREAM_SLOTS 16
#define WINDOW 1024

struct echo_server {
    grpc_server *core;
    void *unary;
    void *stream;
    unsigned threads;
    grpc_completion_queue *queues[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
};

struct event {
    void (*done)(struct event *event, bool ok);
};

static void start(grpc_call *call, const grpc_op *ops, size_t count, struct event *tag)
{
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
}

struct unary {
    struct event event; /* first */
    struct echo_server *server;
    grpc_completion_queue *queue;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *payload;
    int is_cancelled;
};

static void unary_listen(struct unary *unary);

static void unary_answered(struct event *event, bool ok)
{
    struct unary *unary = (struct unary *)event;

    (void)ok;
    grpc_byte_buffer_destroy(unary->payload);
    grpc_call_unref(unary->call);
    unary_listen(unary);
}

static void unary_came(struct event *event, bool ok)
{
    struct unary *unary = (struct unary *)event;
    grpc_op ops[4];

    if (!ok) {
        grpc_metadata_array_destroy(&unary->metadata);
        free(unary);
        return;
    }
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = unary->payload;
    ops[2].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    ops[2].data.send_status_from_server.status = GRPC_STATUS_OK;
    ops[3].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[3].data.recv_close_on_server.cancelled = &unary->is_cancelled;
    unary->event.done = unary_answered;
    start(unary->call, ops, 4, &unary->event);
}

static void unary_listen(struct unary *unary)
{
    grpc_call_error error;

    unary->event.done = unary_came;
    unary->payload = NULL;
    error = grpc_server_request_registered_call(
        unary->server->core, unary->server->unary, &unary->call, &unary->deadline, &unary->metadata,
        &unary->payload, unary->queue, unary->queue, &unary->event);
    assert(error == GRPC_CALL_OK);
}

/*
 * Reads on while it writes, as long as there is room; one write is under way, and with
 * GRPC_WRITE_BUFFER_HINT several share one frame on the wire. The buffers read are those written.
 */
struct stream {
    struct event came; /* first: the request, then the close */
    struct event read;
    struct event written;
    struct echo_server *server;
    grpc_completion_queue *queue;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_byte_buffer *incoming;
    grpc_byte_buffer *outgoing[WINDOW]; /* ring */
    size_t first;
    size_t waiting;
    int is_cancelled;
    int under_way;
    bool is_reading;
    bool is_writing;
    bool is_at_end;
    bool is_over;
};

static void stream_listen(struct echo_server *server, grpc_completion_queue *queue);

static void stream_drop_first(struct stream *stream)
{
    grpc_byte_buffer_destroy(stream->outgoing[stream->first]);
    stream->first = (stream->first + 1) % WINDOW;
    stream->waiting--;
}

static void stream_leave(struct stream *stream)
{
    if (--stream->under_way == 0) {
        while (stream->waiting > 0) {
            stream_drop_first(stream);
        }
        grpc_metadata_array_destroy(&stream->metadata);
        grpc_call_unref(stream->call);
        free(stream);
    }
}

static void stream_read(struct stream *stream)
{
    grpc_op op;

    if (stream->is_reading || stream->is_at_end || stream->waiting == WINDOW) {
        return;
    }
    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &stream->incoming;
    stream->is_reading = true;
    stream->under_way++;
    start(stream->call, &op, 1, &stream->read);
}

static void stream_write(struct stream *stream)
{
    grpc_op op;

    if (stream->is_writing || stream->is_over) {
        return;
    }
    memset(&op, 0, sizeof op);
    if (stream->waiting > 0) {
        op.op = GRPC_OP_SEND_MESSAGE;
        op.flags = stream->waiting > 1 ? GRPC_WRITE_BUFFER_HINT : 0;
        op.data.send_message.send_message = stream->outgoing[stream->first];
    } else if (stream->is_at_end) {
        op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
        op.data.send_status_from_server.status = GRPC_STATUS_OK;
        stream->is_over = true;
    } else {
        return;
    }
    stream->is_writing = true;
    stream->under_way++;
    start(stream->call, &op, 1, &stream->written);
}

static void stream_was_read(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)((char *)event - offsetof(struct stream, read));

    stream->is_reading = false;
    if (ok && stream->incoming != NULL) {
        stream->outgoing[(stream->first + stream->waiting++) % WINDOW] = stream->incoming;
        stream->incoming = NULL;
    } else {
        stream->is_at_end = true;
    }
    stream_write(stream);
    stream_read(stream);
    stream_leave(stream);
}

static void stream_was_written(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)((char *)event - offsetof(struct stream, written));

    stream->is_writing = false;
    stream->is_over = stream->is_over || !ok;
    if (stream->waiting > 0) {
        stream_drop_first(stream);
    }
    stream_write(stream);
    stream_read(stream);
    stream_leave(stream);
}

static void stream_closed(struct event *event, bool ok)
{
    (void)ok;
    stream_leave((struct stream *)event);
}

static void stream_came(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)event;
    grpc_op ops[2];

    if (!ok) {
        grpc_metadata_array_destroy(&stream->metadata);
        free(stream);
        return;
    }
    stream_listen(stream->server, stream->queue);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[1].data.recv_close_on_server.cancelled = &stream->is_cancelled;
    stream->came.done = stream_closed;
    stream->under_way = 1;
    start(stream->call, ops, 2, &stream->came);
    stream_read(stream);
}

static void stream_listen(struct echo_server *server, grpc_completion_queue *queue)
{
    struct stream *stream = calloc(1, sizeof *stream);
    grpc_call_error error;

    assert(stream != NULL);
    stream->came.done = stream_came;
    stream->read.done = stream_was_read;
    stream->written.done = stream_was_written;
    stream->server = server;
    stream->queue = queue;
    error = grpc_server_request_registered_call(server->core, server->stream, &stream->call,
                                                &stream->deadline, &stream->metadata, NULL, queue,
                                                queue, &stream->came);
    assert(error == GRPC_CALL_OK);
}

static void *run(void *arg)
{
    grpc_completion_queue *queue = arg;
    grpc_event event;

    while ((event = grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL))
               .type != GRPC_QUEUE_SHUTDOWN) {
        struct event *tag = event.tag;

        if (tag != NULL) {
            tag->done(tag, event.success != 0);
        }
    }
    return NULL;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);

    if (file == NULL || text == NULL || fread(text, 1, 65535, file) == 0) {
        fprintf(stderr, "echo_server: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

static grpc_server_credentials *read_credentials(const char *cert, const char *key, const char *ca)
{
    grpc_ssl_pem_key_cert_pair pair = {.private_key = read_file(key),
                                       .cert_chain = read_file(cert)};
    char *roots = read_file(ca);
    grpc_server_credentials *credentials = grpc_ssl_server_credentials_create_ex(
        roots, &pair, 1, GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, NULL);

    free((char *)pair.private_key);
    free((char *)pair.cert_chain);
    free(roots);
    return credentials;
}

static void serve(struct echo_server *server)
{
    for (unsigned i = 0; i < server->threads; i++) {
        for (unsigned s = 0; s < UNARY_SLOTS; s++) {
            struct unary *unary = calloc(1, sizeof *unary);

            assert(unary != NULL);
            unary->server = server;
            unary->queue = server->queues[i];
            unary_listen(unary);
        }
        for (unsigned s = 0; s < STREAM_SLOTS; s++) {
            stream_listen(server, server->queues[i]);
        }
        if (pthread_create(&server->ids[i], NULL, run, server->queues[i]) != 0) {
            exit(1);
        }
    }
}

static int open_server(struct echo_server *server, const char *address,
                       grpc_server_credentials *credentials)
{
    grpc_arg rows[] = {
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_MAX_CONCURRENT_STREAMS,
         .value.integer = 1024},
    };
    grpc_channel_args args = {.num_args = 2, .args = rows};
    int port;

    server->core = grpc_server_create(&args, NULL);
    for (unsigned i = 0; i < server->threads; i++) {
        server->queues[i] = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server->core, server->queues[i], NULL);
    }
    server->unary = grpc_server_register_method(server->core, "/bench.Echo/Unary", NULL,
                                                GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
    server->stream = grpc_server_register_method(server->core, "/bench.Echo/Stream", NULL,
                                                 GRPC_SRM_PAYLOAD_NONE, 0);
    port = grpc_server_add_http2_port(server->core, address, credentials);
    grpc_server_start(server->core);
    return port;
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    if (fallback == NULL) {
        fprintf(stderr, "echo_server: %s is missing\n", name);
        exit(2);
    }
    return fallback;
}

int main(int argc, char **argv)
{
    static struct echo_server server;
    grpc_server_credentials *credentials;
    char cores[16];
    sigset_t ends;
    int signal_number;
    int port;

    snprintf(cores, sizeof cores, "%ld", sysconf(_SC_NPROCESSORS_ONLN));
    server.threads = (unsigned)atoi(option(argc, argv, "--threads", cores));
    if (tlsconf_require_tls13() != RC_OK || server.threads < 1 || server.threads > THREADS_MAX) {
        return 1;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    grpc_init();
    credentials =
        read_credentials(option(argc, argv, "--cert", NULL), option(argc, argv, "--key", NULL),
                         option(argc, argv, "--ca", NULL));
    port = open_server(&server, option(argc, argv, "--listen", NULL), credentials);
    if (port == 0) {
        return 1;
    }
    serve(&server);
    printf("listening %d\n", port);
    fflush(stdout);
    sigwait(&ends, &signal_number);
    _exit(0); /* a floor to measure against: nothing to put in order */
}
