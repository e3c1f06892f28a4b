#include "client/attach.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/attach_queue.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "client/send.h"
#include "client/session.h"
#include "crypto/digest.h"
#include "rpc/channel.h"
#include "rpc/duplex.h"

#define ATTACH "/enlace.v1.ExchangeService/Attach"
#define SUBMIT_STREAM "/enlace.v1.ExchangeService/SubmitStream"
#define ARENA_MAX ((size_t)64 << 20)
#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 5000
#define BACKOFF_URGENT_MAX_MS 1000
#define LOOK_EVERY_MS 100
#define IN_FLIGHT_MAX 512

struct attach {
    struct attach_config config;
    struct attach_queue *queue;
    struct arena *arena;    /* the running thread's: one response at a time */
    struct buffer response; /* likewise */
    struct attach_figures figures;
    int64_t last_ms;      /* monotonic: when something came */
    bool was_attached;    /* this stream has brought something */
    pthread_mutex_t lock; /* guards duplex against attach_stop, and figures */
    struct duplex *duplex;
    atomic_bool is_stopping;
};

/* Figures are read from any thread. */
static void count(struct attach *attach, uint64_t *figure)
{
    pthread_mutex_lock(&attach->lock);
    (*figure)++;
    pthread_mutex_unlock(&attach->lock);
}

struct attach *attach_new(const struct attach_config *config)
{
    struct attach *attach = calloc(1, sizeof *attach);

    if (attach == NULL) {
        return NULL;
    }
    attach->config = *config;
    pthread_mutex_init(&attach->lock, NULL);
    attach->queue = attach_queue_new(config->submissions_max, IN_FLIGHT_MAX);
    attach->arena = arena_new(ARENA_MAX);
    if (attach->queue == NULL || attach->arena == NULL) {
        attach_free(attach);
        return NULL;
    }
    return attach;
}

void attach_free(struct attach *attach)
{
    if (attach != NULL) {
        attach_queue_free(attach->queue);
        arena_free(attach->arena);
        if (attach->response.data != NULL) {
            explicit_bzero(attach->response.data, attach->response.size);
        }
        buffer_release(&attach->response);
        pthread_mutex_destroy(&attach->lock);
        free(attach);
    }
}

void attach_stop(struct attach *attach)
{
    atomic_store(&attach->is_stopping, true);
    pthread_mutex_lock(&attach->lock);
    if (attach->duplex != NULL) {
        duplex_cancel(attach->duplex);
    }
    pthread_mutex_unlock(&attach->lock);
    attach_queue_break(attach->queue);
}

/* ---- going out ---- */

static bool is_attached_kind(const struct attach *attach)
{
    return attach->config.urgency != URGENCY_NONE;
}

static enum rc encode(const struct attach *attach, struct bytes request, struct id *id,
                      uint8_t commitment[HASH_SIZE], struct arena *arena, struct buffer *out)
{
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    struct attach_request wrapped = {.kind = ATTACH_SUBMISSION, .submission = submission};
    struct fault fault = {0};

    if (submission == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_submit_read(request, arena, submission, &fault));
    TRY(receipt_commitment(&submission->message, commitment));
    *id = submission->message.header.message_id;
    if (is_attached_kind(attach)) {
        codec_attach_request_write(&wrapped, out);
    } else {
        buffer_put_bytes(out, request);
    }
    return out->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

enum rc attach_submit(struct attach *attach, struct bytes request)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    OWN(buffer) bytes = {0};
    uint8_t commitment[HASH_SIZE];
    struct id id;
    enum rc rc;

    if (arena == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = encode(attach, request, &id, commitment, arena, &bytes);
    if (rc == RC_OK) {
        rc = attach_queue_submit(attach->queue, &id, commitment, buffer_bytes(&bytes));
    }
    if (bytes.data != NULL) {
        explicit_bzero(bytes.data, bytes.size);
    }
    return rc;
}

enum rc attach_acknowledge(struct attach *attach, const struct id *message_id)
{
    struct attach_request request = {.kind = ATTACH_ACKNOWLEDGEMENT, .message_id = *message_id};
    OWN(buffer) bytes = {0};

    codec_attach_request_write(&request, &bytes);
    return attach_queue_acknowledge(attach->queue, message_id, buffer_bytes(&bytes));
}

/* The sending thread: until the queue is broken off or the stream takes no more. */
static void *send_all(void *argument)
{
    struct attach *attach = argument;
    OWN(buffer) bytes = {0};

    while (attach_queue_next(attach->queue, &bytes)) {
        if (duplex_send(attach->duplex, buffer_bytes(&bytes), NULL) != RC_OK) {
            break;
        }
    }
    if (bytes.data != NULL) {
        explicit_bzero(bytes.data, bytes.capacity);
    }
    return NULL;
}

/* ---- coming in ---- */

static void unproven(struct attach *attach, const struct id *id, const char *whose,
                     const struct fault *fault)
{
    char text[ID_TEXT_SIZE];

    id_format(id, text);
    count(attach, &attach->figures.unproven);
    log_error("delivery.unproven", "msg=%s receipt=%s reason=%s", text, whose, fault->reason);
}

static bool check_own(const struct attach *attach, const uint8_t commitment[HASH_SIZE],
                      const struct receipt *receipt, enum receipt_level level, struct fault *fault)
{
    const struct profile *profile = attach->config.session->profile;

    if (receipt->level != level) {
        (void)refuse(fault, RC_DATA_LOSS, "receipt.level", "", "El acuse es de otro nivel.");
        return false;
    }
    return receipt_check(commitment, receipt, profile->logs, profile->own_log_count, NULL, fault) ==
           RC_OK;
}

static bool check_senders(const struct attach *attach, const struct delivery *delivery,
                          const uint8_t commitment[HASH_SIZE], struct fault *fault)
{
    const struct receipt *receipt = &delivery->sender_receipt;
    size_t count;
    const struct vkey *logs =
        profile_logs_of(attach->config.session->profile, delivery->message->header.from, &count);

    if (receipt->level != RECEIPT_HELD) {
        (void)refuse(fault, RC_DATA_LOSS, "receipt.level", "", "El acuse es de otro nivel.");
        return false;
    }
    return receipt_check(commitment, receipt, logs, count, NULL, fault) == RC_OK;
}

/* False: break the stream off. */
static bool take_delivery(struct attach *attach, const struct delivery *delivery)
{
    const struct id *id = &delivery->message->header.message_id;
    uint8_t commitment[HASH_SIZE];
    struct fault fault = {0};

    count(attach, &attach->figures.deliveries);
    if (delivery->is_redelivered) {
        count(attach, &attach->figures.redelivered);
    }
    if (receipt_commitment(delivery->message, commitment) != RC_OK) {
        (void)refuse(&fault, RC_DATA_LOSS, "message.malformed", "", "Mensaje mal formado.");
        unproven(attach, id, "none", &fault);
        return true;
    }
    if (!check_own(attach, commitment, &delivery->receipt, RECEIPT_RECEIVED, &fault)) {
        unproven(attach, id, "own", &fault);
        return true;
    }
    if (!check_senders(attach, delivery, commitment, &fault)) {
        unproven(attach, id, "sender", &fault);
        return true;
    }
    return attach->config.user->on_delivery == NULL ||
           attach->config.user->on_delivery(attach->config.user, delivery, commitment);
}

static void take_result(struct attach *attach, struct submit_result *result)
{
    uint8_t commitment[HASH_SIZE];

    if (!attach_queue_answered(attach->queue, &result->message_id, commitment)) {
        return; /* an answer to an earlier stream's copy */
    }
    if (result->fault.rc == RC_OK &&
        !check_own(attach, commitment, &result->receipt, RECEIPT_HELD, &result->fault)) {
        unproven(attach, &result->message_id, "own", &result->fault);
    } else if (result->fault.rc == RC_OK) {
        count(attach, &attach->figures.receipts);
    } else {
        count(attach, &attach->figures.refusals);
    }
    if (attach->config.user->on_result != NULL) {
        attach->config.user->on_result(attach->config.user, result, commitment);
    }
}

static enum rc take_results(struct attach *attach, struct fault *fault)
{
    struct submit_result *results;
    size_t count;

    TRY(codec_results_read(buffer_bytes(&attach->response), attach->arena, &results, &count,
                           fault));
    for (size_t i = 0; i < count; i++) {
        take_result(attach, &results[i]);
    }
    return RC_OK;
}

static enum rc take_response(struct attach *attach, struct fault *fault)
{
    struct attach_response *response;

    arena_reset(attach->arena);
    if (!is_attached_kind(attach)) {
        return take_results(attach, fault);
    }
    response = arena_alloc(attach->arena, sizeof *response);
    if (response == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "attach.memory", "", "Falta memoria.");
    }
    TRY(codec_attach_response_read(buffer_bytes(&attach->response), attach->arena, response,
                                   fault));
    switch (response->kind) {
    case ANSWER_DELIVERY:
        return take_delivery(attach, &response->delivery)
                   ? RC_OK
                   : refuse(fault, RC_ABORTED, "attach.busy", "", "Se pedirá de nuevo.");
    case ANSWER_RESULT:
        take_result(attach, &response->result);
        return RC_OK;
    case ANSWER_SETTLED:
        count(attach, &attach->figures.settled);
        attach_queue_settled(attach->queue);
        return RC_OK;
    default:
        return RC_OK;
    }
}

/* ---- one stream, and the next ---- */

static bool is_quiet(const struct attach *attach, int quiet_ms)
{
    return quiet_ms >= 0 && clock_monotonic_ms() - attach->last_ms >= quiet_ms &&
           attach_queue_is_idle(attach->queue);
}

/* Until the stream ends: its fault; or quiet or stopping: RC_OK. */
static enum rc receive_all(struct attach *attach, int quiet_ms, struct fault *fault)
{
    int look_ms = quiet_ms >= 0 && quiet_ms < LOOK_EVERY_MS ? quiet_ms + 1 : LOOK_EVERY_MS;

    while (!atomic_load(&attach->is_stopping)) {
        struct fault ended = {0};
        enum rc rc = duplex_receive(attach->duplex, look_ms, &attach->response, &ended);

        if (rc == RC_DEADLINE_EXCEEDED && strcmp(ended.reason, "stream.quiet") == 0) {
            if (is_quiet(attach, quiet_ms)) {
                return RC_OK;
            }
            continue;
        }
        if (rc == RC_OK) {
            attach->was_attached = true;
            rc = take_response(attach, &ended);
            attach->last_ms = clock_monotonic_ms();
        }
        if (rc != RC_OK) {
            *fault = ended;
            return rc;
        }
    }
    return RC_OK;
}

static enum rc say_hello(struct attach *attach, struct fault *fault)
{
    struct attach_request hello = {
        .kind = ATTACH_HELLO, .urgency = attach->config.urgency, .window = attach->config.window};
    OWN(buffer) bytes = {0};

    if (!is_attached_kind(attach)) {
        return RC_OK;
    }
    codec_attach_request_write(&hello, &bytes);
    return duplex_send(attach->duplex, buffer_bytes(&bytes), fault);
}

static void set_duplex(struct attach *attach, struct duplex *duplex)
{
    pthread_mutex_lock(&attach->lock);
    attach->duplex = duplex;
    if (duplex != NULL && atomic_load(&attach->is_stopping)) {
        duplex_cancel(duplex);
    }
    pthread_mutex_unlock(&attach->lock);
}

static enum rc converse(struct attach *attach, int quiet_ms, struct fault *fault)
{
    pthread_t sender;
    enum rc rc;

    attach_queue_open(attach->queue);
    if (pthread_create(&sender, NULL, send_all, attach) != 0) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "attach.thread", "", "No hay hilos libres.");
    }
    rc = receive_all(attach, quiet_ms, fault);
    attach_queue_break(attach->queue);
    duplex_cancel(attach->duplex);
    pthread_join(sender, NULL);
    return rc;
}

static enum rc run_stream(struct attach *attach, int quiet_ms, struct fault *fault)
{
    const char *method = is_attached_kind(attach) ? ATTACH : SUBMIT_STREAM;
    OWN_PTR(channel) channel = NULL;
    OWN_PTR(duplex) duplex = NULL;
    enum rc rc;

    attach->was_attached = false;
    rc = session_channel(attach->config.session->profile, &channel, fault);
    if (rc != RC_OK) {
        return RC_UNAVAILABLE; /* certificate files that are being replaced */
    }
    TRY(duplex_open(channel, method, -1, &duplex));
    set_duplex(attach, duplex);
    if (say_hello(attach, NULL) == RC_OK) {
        count(attach, &attach->figures.attached);
        rc = converse(attach, quiet_ms, fault);
    } else {
        rc = duplex_receive(duplex, attach->config.session->timeout_ms, &attach->response, fault);
        rc = rc == RC_OK ? RC_UNAVAILABLE : rc;
    }
    set_duplex(attach, NULL);
    return rc;
}

static void pause_ms(struct attach *attach, int64_t wait_ms)
{
    int64_t until = clock_monotonic_ms() + wait_ms;

    while (!atomic_load(&attach->is_stopping) && clock_monotonic_ms() < until) {
        struct timespec step = {0, 20 * 1000 * 1000};

        (void)nanosleep(&step, NULL);
    }
}

static int64_t jittered(int64_t wait_ms)
{
    uint16_t random;

    random_fill(&random, sizeof random);
    return wait_ms / 2 + wait_ms * random / 131072;
}

/* The server ended the stream well, or something that time may cure. */
static bool may_attach_again(enum rc rc)
{
    return rc == RC_OUT_OF_RANGE || send_may_retry(rc);
}

enum rc attach_run(struct attach *attach, int quiet_ms, struct fault *fault)
{
    int64_t most_ms =
        attach->config.urgency == URGENCY_URGENT ? BACKOFF_URGENT_MAX_MS : BACKOFF_MAX_MS;
    int64_t wait_ms = BACKOFF_FIRST_MS;

    attach->last_ms = clock_monotonic_ms();
    for (;;) {
        struct fault ended = {0};
        enum rc rc = run_stream(attach, quiet_ms, &ended);

        if (rc == RC_OK || atomic_load(&attach->is_stopping)) {
            return RC_OK;
        }
        if (!may_attach_again(rc)) {
            *fault = ended;
            return rc;
        }
        log_info("attach.broken", "urgency=%d reason=%s rc=%s cause=\"%s\"",
                 (int)attach->config.urgency, ended.reason, rc_name(rc), ended.remedy);
        if (quiet_ms >= 0 && !attach->was_attached &&
            clock_monotonic_ms() - attach->last_ms >= quiet_ms) {
            *fault = ended;
            return RC_DEADLINE_EXCEEDED;
        }
        wait_ms = attach->was_attached ? BACKOFF_FIRST_MS : wait_ms;
        pause_ms(attach, jittered(wait_ms));
        wait_ms = wait_ms * 2 < most_ms ? wait_ms * 2 : most_ms;
    }
}

struct attach_figures attach_figures(struct attach *attach)
{
    struct attach_figures figures;

    pthread_mutex_lock(&attach->lock);
    figures = attach->figures;
    pthread_mutex_unlock(&attach->lock);

    figures.unanswered = attach_queue_unanswered(attach->queue);
    return figures;
}
