/*
 * load - the load generator of the benchmarks, bare gRPC C core, a process of its own.
 *
 *     load --target HOST:PORT --method /pkg.Service/Method --mode unary|stream
 *          --cert FILE --key FILE --ca FILE --payload FILE [--name HOST]
 *          [--connections 4] [--inflight 64] [--seconds 5] [--warmup 1] [--threads 0]
 *          [--once 1] [--answers-field N] [--refusal-field N] [--keep FILE --keep-every N]
 *
 * The payload file holds request bodies, each after its length as u32 big-endian. They are sent in
 * order, each once; then they begin anew, or with --once the run ends when all are answered. Each
 * connection is a TCP connection of its own; `inflight` requests wait for an answer on each of
 * them, as calls (unary) or on one stream (stream). In stream mode a response holds one answer, or
 * with --answers-field as many as it has top-level protobuf fields of that number; answers that
 * hold --refusal-field count as errors. --name: what the server's certificate must be valid for
 * (default: localhost).
 *
 * --keep: receipts of one message in N, chosen by its id, so that another run keeps the same ones:
 * id[16] | u32 size | Receipt (for check.c). For Submit and SubmitStream only.
 *
 * Prints one line of JSON: answers per second after the warm-up, latency in microseconds, errors.
 */
#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/tlsconf.h"

#define CONNECTIONS_MAX 64
#define INFLIGHT_MAX 65536
#define BUCKETS 4096

struct options {
    const char *target;
    const char *method;
    const char *name;
    const char *cert;
    const char *key;
    const char *ca;
    const char *payload;
    bool is_stream;
    bool is_once;
    unsigned connections;
    unsigned inflight;
    unsigned threads;
    double seconds;
    double warmup;
    unsigned answers_field;
    unsigned refusal_field;
    const char *keep;
    unsigned keep_every;
};

/* Microseconds: exact up to 64, then 64 buckets to each doubling. */
struct histogram {
    uint64_t counts[BUCKETS];
};

struct load {
    struct options options;
    struct bytes *bodies;
    size_t body_count;
    atomic_size_t next_body;
    int64_t from_us; /* answers count from here */
    int64_t until_us;
    atomic_bool is_over;
    FILE *kept; /* NULL: nothing is kept */
};

struct event {
    void (*done)(struct event *event, bool ok);
};

/* Belongs to the thread of its queue. */
struct worker {
    struct load *load;
    grpc_completion_queue *queue;
    pthread_t thread;
    struct histogram latency;
    uint64_t answers;
    uint64_t errors;
    int64_t first_us;
    int64_t last_us;
    unsigned busy; /* connections or calls that are not done */
};

static void histogram_add(struct histogram *histogram, int64_t us)
{
    uint64_t value = us < 0 ? 0 : (uint64_t)us;
    unsigned shift = 0;

    while (value >> shift >= 128) {
        shift++;
    }
    size_t bucket = shift == 0 ? value : 64 * (shift + 1) + (value >> shift) - 64;
    histogram->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
}

static int64_t bucket_us(size_t bucket)
{
    return bucket < 128 ? (int64_t)bucket : (int64_t)(64 + bucket % 64) << (bucket / 64 - 1);
}

static int64_t histogram_at(const struct histogram *histogram, double share)
{
    uint64_t total = 0;
    uint64_t seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        total += histogram->counts[i];
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen > 0 && (double)seen >= share * (double)total) {
            return bucket_us(i);
        }
    }
    return 0;
}

/* False when the run is over, or all bodies have been sent once. */
static bool take_body(struct load *load, struct bytes *body)
{
    size_t index;

    if (atomic_load_explicit(&load->is_over, memory_order_relaxed)) {
        return false;
    }
    index = atomic_fetch_add_explicit(&load->next_body, 1, memory_order_relaxed);
    if (load->options.is_once && index >= load->body_count) {
        return false;
    }
    *body = load->bodies[index % load->body_count];
    return true;
}

static void count_answer(struct worker *worker, int64_t sent_us, int64_t now_us, bool is_good)
{
    struct load *load = worker->load;

    if (now_us >= load->until_us) {
        atomic_store(&load->is_over, true);
        return;
    }
    worker->errors += !is_good;
    if (now_us < load->from_us) {
        return;
    }
    if (worker->first_us == 0) {
        worker->first_us = now_us;
    }
    worker->last_us = now_us;
    if (is_good) {
        worker->answers++;
        histogram_add(&worker->latency, now_us - sent_us);
    }
}

static uint64_t read_varint(struct reader *reader)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = reader_u8(reader);

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            break;
        }
    }
    return value;
}

/* One field of a protobuf message; its content when it is length-delimited. */
static unsigned read_field(struct reader *reader, struct bytes *content)
{
    uint64_t key = read_varint(reader);

    *content = (struct bytes){0};
    switch (key & 7) {
    case 0:
        (void)read_varint(reader);
        break;
    case 1:
        (void)reader_take(reader, 8);
        break;
    case 2:
        *content = reader_take(reader, (size_t)read_varint(reader));
        break;
    case 5:
        (void)reader_take(reader, 4);
        break;
    default:
        reader->is_failed = true;
    }
    return (unsigned)(key >> 3);
}

/* ---- what is kept */

/* The first field of this number; empty when there is none. */
static struct bytes find_field(struct bytes message, unsigned number)
{
    struct reader reader = {.rest = message};
    struct bytes content;

    while (reader.rest.size > 0 && !reader.is_failed) {
        if (read_field(&reader, &content) == number && !reader.is_failed) {
            return content;
        }
    }
    return (struct bytes){0};
}

static struct bytes whole_message(grpc_byte_buffer *buffer, grpc_slice *slice)
{
    grpc_byte_buffer_reader pieces;

    grpc_byte_buffer_reader_init(&pieces, buffer);
    *slice = grpc_byte_buffer_reader_readall(&pieces);
    grpc_byte_buffer_reader_destroy(&pieces);
    return BYTES(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

static void keep(struct load *load, struct bytes id, struct bytes receipt)
{
    uint8_t record[16 + 4 + 65536];

    if (load->kept == NULL || id.size != 16 || receipt.size == 0 || receipt.size > 65536 ||
        id.data[15] % load->options.keep_every != 0) {
        return;
    }
    memcpy(record, id.data, 16);
    put_u32(record + 16, (uint32_t)receipt.size);
    memcpy(record + 20, receipt.data, receipt.size);
    fwrite(record, 20 + receipt.size, 1, load->kept); /* one call: stdio keeps it in one piece */
}

/* SubmitRequest.submission.message.header, and its message id. */
static struct bytes id_of_body(struct bytes body)
{
    return find_field(find_field(find_field(find_field(body, 1), 1), 1), 2);
}

static grpc_byte_buffer *buffer_of(struct bytes body)
{
    /* The bodies live until the process ends. */
    grpc_slice slice = grpc_slice_from_static_buffer(body.data, body.size);

    return grpc_raw_byte_buffer_create(&slice, 1);
}

static void start(grpc_call *call, const grpc_op *ops, size_t count, struct event *tag)
{
    grpc_call_error error = grpc_call_start_batch(call, ops, count, tag, NULL);

    assert(error == GRPC_CALL_OK);
}

static grpc_call *new_call(struct worker *worker, grpc_channel *channel, void *method)
{
    return grpc_channel_create_registered_call(channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               worker->queue, method,
                                               gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
}

static void print_error(grpc_status_code code, grpc_slice details)
{
    static atomic_int printed;

    if (atomic_fetch_add(&printed, 1) < 5) {
        char *text = grpc_slice_to_c_string(details);

        fprintf(stderr, "load: status %d: %s\n", (int)code, text);
        free(text);
    }
}

/* ---- unary: `inflight` of these for each connection, each one call after another */

struct unary {
    struct event event; /* first */
    struct worker *worker;
    grpc_channel *channel;
    void *method;
    grpc_call *call;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    struct bytes body;
    int64_t sent_us;
};

static void unary_next(struct unary *unary);

static void unary_done(struct event *event, bool ok)
{
    struct unary *unary = (struct unary *)event;
    bool is_good = ok && unary->code == GRPC_STATUS_OK && unary->response != NULL;

    count_answer(unary->worker, unary->sent_us, clock_monotonic_us(), is_good);
    if (!is_good) {
        print_error(unary->code, unary->details);
    } else if (unary->worker->load->kept != NULL) {
        grpc_slice slice;
        struct bytes response = whole_message(unary->response, &slice);

        keep(unary->worker->load, id_of_body(unary->body), find_field(response, 1));
        grpc_slice_unref(slice);
    }
    grpc_slice_unref(unary->details);
    grpc_byte_buffer_destroy(unary->request);
    if (unary->response != NULL) {
        grpc_byte_buffer_destroy(unary->response);
    }
    grpc_metadata_array_destroy(&unary->initial);
    grpc_metadata_array_destroy(&unary->trailing);
    grpc_call_unref(unary->call);
    unary_next(unary);
}

static void unary_next(struct unary *unary)
{
    struct bytes body;
    grpc_op ops[6];

    if (!take_body(unary->worker->load, &body)) {
        if (--unary->worker->busy == 0) {
            grpc_completion_queue_shutdown(unary->worker->queue);
        }
        free(unary);
        return;
    }
    unary->body = body;
    unary->request = buffer_of(body);
    unary->response = NULL;
    grpc_metadata_array_init(&unary->initial);
    grpc_metadata_array_init(&unary->trailing);
    unary->details = grpc_empty_slice();
    unary->call = new_call(unary->worker, unary->channel, unary->method);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = unary->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &unary->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &unary->response;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &unary->trailing;
    ops[5].data.recv_status_on_client.status = &unary->code;
    ops[5].data.recv_status_on_client.status_details = &unary->details;
    unary->event.done = unary_done;
    unary->sent_us = clock_monotonic_us();
    start(unary->call, ops, 6, &unary->event);
}

static void unary_begin(struct worker *worker, grpc_channel *channel, void *method)
{
    for (unsigned i = 0; i < worker->load->options.inflight; i++) {
        struct unary *unary = calloc(1, sizeof *unary);

        assert(unary != NULL);
        unary->worker = worker;
        unary->channel = channel;
        unary->method = method;
        worker->busy++;
        unary_next(unary);
    }
}

/* ---- stream: one for each connection, with a window of `inflight` messages */

struct stream {
    struct event opened; /* first */
    struct event written;
    struct event read;
    struct event closed;
    struct worker *worker;
    grpc_call *call;
    grpc_byte_buffer *outgoing;
    grpc_byte_buffer *incoming;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
    int64_t *sent_us; /* ring: answers come in order, or nearly */
    uint64_t sent;
    uint64_t answered;
    bool is_writing;
    bool is_ended;
};

static void stream_write(struct stream *stream)
{
    const struct options *options = &stream->worker->load->options;
    uint64_t room = options->inflight - (stream->sent - stream->answered);
    struct bytes body;
    grpc_op op;

    if (stream->is_writing || stream->is_ended || room == 0) {
        return;
    }
    memset(&op, 0, sizeof op);
    if (take_body(stream->worker->load, &body)) {
        stream->outgoing = buffer_of(body);
        op.op = GRPC_OP_SEND_MESSAGE;
        op.data.send_message.send_message = stream->outgoing;
        op.flags = room > 1 ? GRPC_WRITE_BUFFER_HINT : 0;
        stream->sent_us[stream->sent++ % options->inflight] = clock_monotonic_us();
    } else if (stream->answered < stream->sent && !atomic_load(&stream->worker->load->is_over)) {
        return; /* all sent once: the last answers are awaited before the end */
    } else {
        stream->is_ended = true;
        op.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    }
    stream->is_writing = true;
    start(stream->call, &op, 1, &stream->written);
}

static void stream_written(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)((char *)event - offsetof(struct stream, written));

    if (stream->outgoing != NULL) {
        grpc_byte_buffer_destroy(stream->outgoing);
        stream->outgoing = NULL;
    }
    stream->is_writing = false;
    if (ok) {
        stream_write(stream);
    }
}

static void stream_read(struct stream *stream)
{
    grpc_op op;

    memset(&op, 0, sizeof op);
    op.op = GRPC_OP_RECV_MESSAGE;
    op.data.recv_message.recv_message = &stream->incoming;
    start(stream->call, &op, 1, &stream->read);
}

static bool holds_field(struct bytes message, unsigned number)
{
    struct reader reader = {.rest = message};
    struct bytes content;

    while (number != 0 && reader.rest.size > 0 && !reader.is_failed) {
        if (read_field(&reader, &content) == number) {
            return true;
        }
    }
    return false;
}

static void stream_answer(struct stream *stream, int64_t now_us, bool is_good)
{
    int64_t sent_us = stream->sent_us[stream->answered++ % stream->worker->load->options.inflight];

    count_answer(stream->worker, sent_us, now_us, is_good);
}

static void stream_answers(struct stream *stream)
{
    const struct options *options = &stream->worker->load->options;
    int64_t now_us = clock_monotonic_us();
    struct reader reader = {0};
    struct bytes content;
    grpc_slice whole;

    if (options->answers_field == 0) {
        stream_answer(stream, now_us, true);
        return;
    }
    reader.rest = whole_message(stream->incoming, &whole);
    while (reader.rest.size > 0 && !reader.is_failed) {
        if (read_field(&reader, &content) == options->answers_field &&
            stream->answered < stream->sent) {
            stream_answer(stream, now_us, !holds_field(content, options->refusal_field));
            keep(stream->worker->load, find_field(content, 1), find_field(content, 2));
        }
    }
    stream->worker->errors += reader.is_failed;
    grpc_slice_unref(whole);
}

static void stream_was_read(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)((char *)event - offsetof(struct stream, read));

    if (!ok || stream->incoming == NULL) {
        return; /* the status says why */
    }
    stream_answers(stream);
    grpc_byte_buffer_destroy(stream->incoming);
    stream->incoming = NULL;
    stream_read(stream);
    stream_write(stream);
}

static void stream_opened(struct event *event, bool ok)
{
    if (ok) {
        stream_write((struct stream *)event);
    }
}

static void stream_closed(struct event *event, bool ok)
{
    struct stream *stream = (struct stream *)((char *)event - offsetof(struct stream, closed));

    (void)ok;
    if (stream->code != GRPC_STATUS_OK) {
        stream->worker->errors += 1 + stream->sent - stream->answered;
        print_error(stream->code, stream->details);
    }
    if (--stream->worker->busy == 0) {
        grpc_completion_queue_shutdown(stream->worker->queue);
    }
}

static void stream_begin(struct worker *worker, grpc_channel *channel, void *method)
{
    struct stream *stream = calloc(1, sizeof *stream);
    grpc_op ops[2];

    assert(stream != NULL);
    stream->worker = worker;
    stream->sent_us = calloc(worker->load->options.inflight, sizeof *stream->sent_us);
    assert(stream->sent_us != NULL);
    stream->opened.done = stream_opened;
    stream->written.done = stream_written;
    stream->read.done = stream_was_read;
    stream->closed.done = stream_closed;
    stream->details = grpc_empty_slice();
    stream->call = new_call(worker, channel, method);
    worker->busy++;
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[1].data.recv_initial_metadata.recv_initial_metadata = &stream->initial;
    start(stream->call, ops, 2, &stream->opened);
    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[0].data.recv_status_on_client.trailing_metadata = &stream->trailing;
    ops[0].data.recv_status_on_client.status = &stream->code;
    ops[0].data.recv_status_on_client.status_details = &stream->details;
    start(stream->call, ops, 1, &stream->closed);
    stream_read(stream);
}

/* ---- options, payload, threads, result */

static void *run(void *arg)
{
    struct worker *worker = arg;
    grpc_event event;

    while ((event =
                grpc_completion_queue_next(worker->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL))
               .type != GRPC_QUEUE_SHUTDOWN) {
        struct event *tag = event.tag;

        tag->done(tag, event.success != 0);
    }
    return NULL;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    char *text = NULL;

    if (file != NULL && fstat(fileno(file), &status) == 0) {
        *size = (size_t)status.st_size;
        text = calloc(1, *size + 1);
    }
    if (text == NULL || fread(text, 1, *size, file) != *size) {
        fprintf(stderr, "load: cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

static void read_payload(struct load *load)
{
    size_t size;
    char *text = read_file(load->options.payload, &size);
    struct reader reader = {.rest = BYTES(text, size)};
    size_t capacity = 0;

    while (reader.rest.size > 0 && !reader.is_failed) {
        if (load->body_count == capacity) {
            capacity = capacity * 2 + 1024;
            load->bodies = realloc(load->bodies, capacity * sizeof *load->bodies);
            assert(load->bodies != NULL);
        }
        load->bodies[load->body_count++] = reader_chunk(&reader);
    }
    if (reader.is_failed || load->body_count == 0) {
        fprintf(stderr, "load: %s is no payload file\n", load->options.payload);
        exit(1);
    }
}

static grpc_channel *new_channel(const struct options *options)
{
    size_t size;
    grpc_ssl_pem_key_cert_pair pair = {.private_key = read_file(options->key, &size),
                                       .cert_chain = read_file(options->cert, &size)};
    char *roots = read_file(options->ca, &size);
    grpc_channel_credentials *credentials =
        grpc_ssl_credentials_create_ex(roots, &pair, NULL, NULL);
    grpc_arg rows[] = {
        {.type = GRPC_ARG_INTEGER,
         .key = (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
         .value.integer = 1},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_RETRIES, .value.integer = 0},
        {.type = GRPC_ARG_INTEGER, .key = (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
        {.type = GRPC_ARG_STRING,
         .key = (char *)GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
         .value.string = (char *)options->name},
    };
    grpc_channel_args args = {.num_args = sizeof rows / sizeof rows[0], .args = rows};
    grpc_channel *channel = grpc_channel_create(options->target, credentials, &args);

    grpc_channel_credentials_release(credentials);
    free((char *)pair.private_key);
    free((char *)pair.cert_chain);
    free(roots);
    return channel;
}

/* Connected before the clock starts; gives up after ten seconds. */
static void connect_channel(grpc_channel *channel)
{
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    gpr_timespec until =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_seconds(10, GPR_TIMESPAN));
    grpc_connectivity_state state;

    while ((state = grpc_channel_check_connectivity_state(channel, 1)) != GRPC_CHANNEL_READY) {
        grpc_channel_watch_connectivity_state(channel, state, until, queue, NULL);
        if (!grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).success) {
            fprintf(stderr, "load: cannot connect\n");
            exit(1);
        }
    }
    grpc_completion_queue_shutdown(queue);
    (void)grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    grpc_completion_queue_destroy(queue);
}

static const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], name) == 0) {
            return argv[i + 1];
        }
    }
    if (fallback == NULL) {
        fprintf(stderr, "load: %s is missing\n", name);
        exit(2);
    }
    return fallback;
}

static unsigned number(int argc, char **argv, const char *name, const char *fallback)
{
    return (unsigned)strtoul(option(argc, argv, name, fallback), NULL, 10);
}

static void read_options(int argc, char **argv, struct options *options)
{
    options->target = option(argc, argv, "--target", NULL);
    options->method = option(argc, argv, "--method", NULL);
    options->name = option(argc, argv, "--name", "localhost");
    options->cert = option(argc, argv, "--cert", NULL);
    options->key = option(argc, argv, "--key", NULL);
    options->ca = option(argc, argv, "--ca", NULL);
    options->payload = option(argc, argv, "--payload", NULL);
    options->is_stream = strcmp(option(argc, argv, "--mode", "unary"), "stream") == 0;
    options->is_once = number(argc, argv, "--once", "0") != 0;
    options->connections = number(argc, argv, "--connections", "4");
    options->inflight = number(argc, argv, "--inflight", "64");
    options->threads = number(argc, argv, "--threads", "0");
    options->seconds = strtod(option(argc, argv, "--seconds", "5"), NULL);
    options->warmup = strtod(option(argc, argv, "--warmup", "1"), NULL);
    options->answers_field = number(argc, argv, "--answers-field", "0");
    options->refusal_field = number(argc, argv, "--refusal-field", "0");
    options->keep = option(argc, argv, "--keep", "");
    options->keep_every = number(argc, argv, "--keep-every", "1");
    if (options->keep_every < 1 || options->connections < 1 ||
        options->connections > CONNECTIONS_MAX || options->inflight < 1 ||
        options->inflight > INFLIGHT_MAX) {
        fprintf(stderr, "load: --connections 1..%d, --inflight 1..%d\n", CONNECTIONS_MAX,
                INFLIGHT_MAX);
        exit(2);
    }
    if (options->threads == 0 || options->threads > options->connections) {
        options->threads = options->connections;
    }
}

static void print_result(const struct load *load, const struct worker *workers)
{
    static struct histogram all;
    uint64_t answers = 0;
    uint64_t errors = 0;
    int64_t first_us = INT64_MAX;
    int64_t last_us = 0;
    double seconds;

    for (unsigned i = 0; i < load->options.threads; i++) {
        const struct worker *worker = &workers[i];

        answers += worker->answers;
        errors += worker->errors;
        if (worker->first_us != 0 && worker->first_us < first_us) {
            first_us = worker->first_us;
        }
        last_us = worker->last_us > last_us ? worker->last_us : last_us;
        for (size_t b = 0; b < BUCKETS; b++) {
            all.counts[b] += worker->latency.counts[b];
        }
    }
    seconds = last_us > first_us ? (double)(last_us - first_us) / 1e6 : 0;
    printf("{\"method\":\"%s\",\"mode\":\"%s\",\"connections\":%u,\"inflight\":%u,"
           "\"answers\":%llu,\"seconds\":%.3f,\"rate\":%.0f,\"p50_us\":%lld,\"p99_us\":%lld,"
           "\"errors\":%llu}\n",
           load->options.method, load->options.is_stream ? "stream" : "unary",
           load->options.connections, load->options.inflight, (unsigned long long)answers, seconds,
           seconds > 0 ? (double)answers / seconds : 0, (long long)histogram_at(&all, 0.5),
           (long long)histogram_at(&all, 0.99), (unsigned long long)errors);
}

int main(int argc, char **argv)
{
    static struct load load;
    static struct worker workers[CONNECTIONS_MAX];
    grpc_channel *channels[CONNECTIONS_MAX];
    int64_t start_us;

    read_options(argc, argv, &load.options);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    read_payload(&load);
    if (load.options.keep[0] != '\0') {
        load.kept = fopen(load.options.keep, "wb");
        if (load.kept == NULL) {
            fprintf(stderr, "load: cannot write %s\n", load.options.keep);
            return 1;
        }
    }
    grpc_init();
    for (unsigned i = 0; i < load.options.connections; i++) {
        channels[i] = new_channel(&load.options);
        connect_channel(channels[i]);
    }
    start_us = clock_monotonic_us();
    load.from_us = start_us + (int64_t)(load.options.warmup * 1e6);
    load.until_us = load.from_us + (int64_t)(load.options.seconds * 1e6);
    for (unsigned i = 0; i < load.options.threads; i++) {
        workers[i].load = &load;
        workers[i].queue = grpc_completion_queue_create_for_next(NULL);
        workers[i].busy = 1; /* until all its connections have begun */
    }
    for (unsigned i = 0; i < load.options.connections; i++) {
        struct worker *worker = &workers[i % load.options.threads];
        void *method = grpc_channel_register_call(channels[i], load.options.method, NULL, NULL);

        load.options.is_stream ? stream_begin(worker, channels[i], method)
                               : unary_begin(worker, channels[i], method);
    }
    for (unsigned i = 0; i < load.options.threads; i++) {
        workers[i].busy--;
        if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) {
            return 1;
        }
    }
    for (unsigned i = 0; i < load.options.threads; i++) {
        pthread_join(workers[i].thread, NULL);
    }
    if (load.kept != NULL && fclose(load.kept) != 0) {
        return 1;
    }
    print_result(&load, workers);
    fflush(stdout);
    _Exit(0); /* what gRPC still holds goes with the process */
}
