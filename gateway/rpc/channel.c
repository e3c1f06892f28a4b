#include "rpc/channel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/credentials.h"
#include "rpc/cq.h"
#include "rpc/dial.h"
#include "rpc/server.h"

#define METADATA_MAX 16384
#define KEEPALIVE_DEFAULT_MS 30000
#define KEEPALIVE_TIMEOUT_MS 10000
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 2000
#define CONNECT_TIMEOUT_MS 5000
#define LOOK_EVERY_MS 1000

/* The lock guards only which connection is current: it is replaced when the files change. */
struct channel {
    pthread_mutex_t lock;
    grpc_channel *core;
    struct credentials *credentials; /* NULL: no TLS */
    char *target;
    char *identity;
    unsigned keepalive_ms;
    int64_t looked_ms;
};

static grpc_arg integer_arg(const char *key, int value)
{
    return (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = value};
}

static grpc_channel *core_new(const struct channel *channel)
{
    grpc_arg rows[] = {
        integer_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, SERVER_MESSAGE_MAX),
        integer_arg(GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX),
        integer_arg(GRPC_ARG_KEEPALIVE_TIME_MS, (int)channel->keepalive_ms),
        integer_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        integer_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        integer_arg(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
        integer_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, BACKOFF_FIRST_MS),
        integer_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, BACKOFF_MAX_MS),
        integer_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS),
        integer_arg(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
        integer_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        integer_arg(GRPC_ARG_ENABLE_RETRIES, 0),
        integer_arg(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        integer_arg(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
        integer_arg(GRPC_ARG_ENABLE_CHANNELZ, 0),
    };
    grpc_channel_args args = {.num_args = sizeof rows / sizeof rows[0], .args = rows};
    grpc_channel_credentials *credentials =
        channel->credentials != NULL
            ? credentials_for_channel(channel->credentials, channel->identity)
            : grpc_insecure_credentials_create();
    grpc_channel *core;

    if (credentials == NULL) {
        return NULL;
    }
    core = grpc_channel_create(channel->target, credentials, &args);
    grpc_channel_credentials_release(credentials);
    return core;
}

static enum rc channel_fill(struct channel *channel, const struct channel_config *config)
{
    channel->target = strdup(config->target);
    channel->keepalive_ms = config->keepalive_ms != 0 ? config->keepalive_ms : KEEPALIVE_DEFAULT_MS;
    if (config->server_identity != NULL) {
        channel->identity = strdup(config->server_identity);
    }
    if (channel->target == NULL || (config->server_identity != NULL && channel->identity == NULL)) {
        return failed(RC_RESOURCE_EXHAUSTED, "channel.new", "cause=memory");
    }
    if (config->ca_file != NULL) {
        TRY(credentials_new(config->certificate_file, config->key_file, config->ca_file,
                            &channel->credentials));
    }
    channel->core = core_new(channel);
    channel->looked_ms = clock_monotonic_ms();
    return channel->core != NULL
               ? RC_OK
               : failed(RC_INVALID_ARGUMENT, "channel.new", "target=%s", config->target);
}

enum rc channel_new(const struct channel_config *config, struct channel **out)
{
    OWN_PTR(channel) channel = calloc(1, sizeof *channel);

    if (channel == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "channel.new", "cause=memory");
    }
    core_begin();
    pthread_mutex_init(&channel->lock, NULL);
    TRY(channel_fill(channel, config));
    *out = MOVE(channel);
    return RC_OK;
}

void channel_free(struct channel *channel)
{
    if (channel == NULL) {
        return;
    }
    if (channel->core != NULL) {
        grpc_channel_destroy(channel->core);
    }
    credentials_free(channel->credentials);
    free(channel->target);
    free(channel->identity);
    pthread_mutex_destroy(&channel->lock);
    free(channel);
    core_end();
}

/* New calls take the new certificate; those under way keep the old connection until they end. */
static void renew_if_stale(struct channel *channel)
{
    int64_t now_ms = clock_monotonic_ms();
    grpc_channel *renewed;

    if (channel->credentials == NULL || now_ms - channel->looked_ms < LOOK_EVERY_MS) {
        return;
    }
    channel->looked_ms = now_ms;
    if (!credentials_are_stale(channel->credentials) ||
        credentials_read(channel->credentials) != RC_OK) {
        return;
    }
    renewed = core_new(channel);
    if (renewed != NULL) {
        log_info("cert.reloaded", "target=%s", channel->target);
        grpc_channel_destroy(channel->core);
        channel->core = renewed;
    }
}

grpc_call *channel_dial(struct channel *channel, grpc_completion_queue *queue, const char *method,
                        gpr_timespec deadline)
{
    grpc_slice path = grpc_slice_from_copied_string(method);
    grpc_call *call;

    pthread_mutex_lock(&channel->lock);
    renew_if_stale(channel);
    call = grpc_channel_create_call(channel->core, NULL, GRPC_PROPAGATE_DEFAULTS, queue, path, NULL,
                                    deadline, NULL);
    pthread_mutex_unlock(&channel->lock);
    grpc_slice_unref(path);
    return call;
}

bool channel_is_connected(struct channel *channel)
{
    grpc_connectivity_state state;

    pthread_mutex_lock(&channel->lock);
    state = grpc_channel_check_connectivity_state(channel->core, 1);
    pthread_mutex_unlock(&channel->lock);
    return state == GRPC_CHANNEL_READY;
}

/* One outgoing unary call; one batch carries all of it. */
struct asking {
    struct op op; /* first */
    struct channel_user *user;
    grpc_call *core;
    grpc_byte_buffer *request;
    grpc_byte_buffer *response;
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code code;
    grpc_slice details;
};

static void asking_init(struct asking *asking, struct bytes request)
{
    memset(asking, 0, sizeof *asking);
    asking->request = core_buffer(request);
    asking->details = grpc_empty_slice();
    grpc_metadata_array_init(&asking->initial);
    grpc_metadata_array_init(&asking->trailing);
}

static void asking_release(struct asking *asking)
{
    grpc_byte_buffer_destroy(asking->request);
    if (asking->response != NULL) {
        grpc_byte_buffer_destroy(asking->response);
    }
    grpc_metadata_array_destroy(&asking->initial);
    grpc_metadata_array_destroy(&asking->trailing);
    grpc_slice_unref(asking->details);
    if (asking->core != NULL) {
        grpc_call_unref(asking->core);
    }
}

static void asking_start(struct asking *asking)
{
    grpc_op ops[6];

    memset(ops, 0, sizeof ops);
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = asking->request;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &asking->initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &asking->response;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &asking->trailing;
    ops[5].data.recv_status_on_client.status = &asking->code;
    ops[5].data.recv_status_on_client.status_details = &asking->details;
    core_start(asking->core, ops, 6, &asking->op);
}

/* The response, when the status says there is one. */
static void asking_end(struct asking *asking, struct core_message *message, struct fault *fault)
{
    core_fault(asking->code, asking->details, &asking->trailing, fault);
    core_message_init(message, asking->response);
    asking->response = NULL;
    if (fault->rc == RC_OK && message->buffer == NULL) {
        (void)refuse(fault, RC_INTERNAL, "peer.status", "", "La respuesta llegó sin mensaje.");
    }
}

static void on_answered(struct op *op, bool ok)
{
    struct asking *asking = (struct asking *)op;
    struct channel_user *user = asking->user;
    struct core_message message;
    struct fault fault;

    (void)ok; /* the status tells */
    asking_end(asking, &message, &fault);
    user->on_answer(user, core_message_bytes(&message), &fault);
    core_message_release(&message);
    asking_release(asking);
    free(asking);
}

enum rc channel_start(struct channel *channel, struct cq *cq, const char *method,
                      struct bytes request, int timeout_ms, struct channel_user *user)
{
    struct asking *asking = malloc(sizeof *asking);

    if (asking == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "channel.start", "method=%s cause=memory", method);
    }
    asking_init(asking, request);
    asking->op.done = on_answered;
    asking->user = user;
    asking->core = channel_dial(channel, cq_queue(cq), method, core_deadline(timeout_ms));
    asking_start(asking);
    return RC_OK;
}

static void queue_destroy(grpc_completion_queue *queue)
{
    grpc_completion_queue_shutdown(queue);
    while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
           GRPC_QUEUE_SHUTDOWN) {
        continue;
    }
    grpc_completion_queue_destroy(queue);
}

enum rc channel_call(struct channel *channel, const char *method, struct bytes request,
                     int timeout_ms, struct buffer *response, struct fault *fault)
{
    grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
    struct core_message message;
    struct asking asking;
    struct fault ended;

    asking_init(&asking, request);
    asking.core = channel_dial(channel, queue, method, core_deadline(timeout_ms));
    asking_start(&asking);
    (void)grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    asking_end(&asking, &message, &ended);
    if (ended.rc == RC_OK) {
        buffer_clear(response);
        buffer_put_bytes(response, core_message_bytes(&message));
        if (response->is_failed) {
            (void)refuse(&ended, RC_RESOURCE_EXHAUSTED, "peer.response", "", "Falta memoria.");
        }
    }
    core_message_release(&message);
    asking_release(&asking);
    queue_destroy(queue);
    if (fault != NULL && ended.rc != RC_OK) {
        *fault = ended;
    }
    return ended.rc;
}
