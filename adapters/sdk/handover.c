#include "sdk/handover.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "rpc/codec.h"
#include "sdk/book.h"

#define ARENA_MAX ((size_t)16 << 20)
#define PAUSE_LEAST_MS 1000
#define PAUSE_MOST_MS 60000
#define PAUSE_URGENT_MS 5000
#define CONFIRMED "confirmed "
#define REFUSED "refused "

/* One message on its way. Its bytes are the lane's; everything else is under the lock. */
struct parcel {
    struct adapter_task task; /* first: deals with it again on the adapter's thread */
    struct parcel *next;
    struct id message_id;
    struct id exchange_id;
    struct buffer bytes;
    int64_t since_ms;
};

struct lane {
    struct handover *handover;
    pthread_t thread;
    bool is_running;
    int64_t pause_most_ms;
    struct parcel *first; /* waiting or being handed over, oldest first */
    struct parcel *last;
};

struct handover {
    struct adapter *adapter;
    struct handover_user *user;
    struct book *book;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    struct lane lanes[2]; /* urgent, ordinary */
    struct handover_figures figures;
};

static void parcel_free(struct parcel *parcel)
{
    if (parcel != NULL) {
        buffer_release(&parcel->bytes);
        free(parcel);
    }
}

/* ---- the book: what became of a message ---- */

static enum rc write_answer(struct handover *handover, const struct id *id, enum rc rc,
                            const struct handover_answer *answer)
{
    char key[ID_TEXT_SIZE];
    char value[BOOK_VALUE_MAX + 1];

    id_format(id, key);
    if (rc == RC_OK) {
        snprintf(value, sizeof value, CONFIRMED "%s", answer->reference);
    } else {
        snprintf(value, sizeof value, REFUSED "%d %s %s", (int)rc,
                 answer->fault.reason[0] != '\0' ? answer->fault.reason : "agency.refused",
                 answer->fault.remedy);
    }
    return book_put(handover->book, key, value);
}

static enum rc read_answer(struct handover *handover, const struct id *id,
                           struct handover_answer *answer)
{
    char key[ID_TEXT_SIZE];
    char value[BOOK_VALUE_MAX + 1];
    char reason[48];
    int rc = 0;
    int at = 0;

    id_format(id, key);
    TRY(book_find(handover->book, key, value));
    if (strncmp(value, CONFIRMED, strlen(CONFIRMED)) == 0) {
        snprintf(answer->reference, sizeof answer->reference, "%.*s", HANDOVER_REFERENCE_SIZE - 1,
                 value + strlen(CONFIRMED));
        return RC_OK;
    }
    if (sscanf(value, REFUSED "%d %47s %n", &rc, reason, &at) < 2) {
        return RC_DATA_LOSS;
    }
    (void)refuse(&answer->fault, (enum rc)rc, reason, "", "%s", value + at);
    return RC_ABORTED;
}

/* ---- lanes ---- */

static bool may_try_again(enum rc rc)
{
    return rc == RC_UNAVAILABLE || rc == RC_DEADLINE_EXCEEDED || rc == RC_RESOURCE_EXHAUSTED;
}

/* On the adapter's thread: the answer stands in the book by now. */
static void deal_again(struct adapter_task *task, struct adapter *adapter)
{
    struct parcel *parcel = (struct parcel *)task;
    struct id id = parcel->message_id;

    parcel_free(parcel);
    adapter_again(adapter, &id);
}

static enum rc hand(struct handover *handover, struct parcel *parcel,
                    struct handover_answer *answer)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct message *message = arena != NULL ? arena_alloc(arena, sizeof *message) : NULL;

    if (message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_message_read(buffer_bytes(&parcel->bytes), arena, message, &answer->fault));
    return handover->user->hand(handover->user, message, arena, answer);
}

/* Under the lock, as take_out. */
static void put_last(struct lane *lane, struct parcel *parcel)
{
    parcel->next = NULL;
    *(lane->last != NULL ? &lane->last->next : &lane->first) = parcel;
    lane->last = parcel;
    lane->handover->figures.waiting++;
}

static void take_out(struct lane *lane, const struct parcel *parcel)
{
    struct parcel **at = &lane->first;
    struct parcel *before = NULL;

    while (*at != parcel) {
        before = *at;
        at = &before->next;
    }
    *at = parcel->next;
    if (lane->last == parcel) {
        lane->last = before;
    }
    lane->handover->figures.waiting--;
}

/* The answer is durable: the parcel leaves the lane, and its message is dealt with again. */
static void settle(struct lane *lane, struct parcel *parcel, enum rc rc)
{
    struct handover *handover = lane->handover;

    pthread_mutex_lock(&handover->lock);
    take_out(lane, parcel);
    handover->figures.confirmed += rc == RC_OK ? 1 : 0;
    handover->figures.refused += rc == RC_OK ? 0 : 1;
    pthread_mutex_unlock(&handover->lock);
    parcel->task.run = deal_again;
    if (adapter_post(handover->adapter, &parcel->task) != RC_OK) {
        parcel_free(parcel); /* the inbox is looked through every second anyway */
    }
}

static int64_t jittered(int64_t pause_ms)
{
    uint16_t noise;

    random_fill(&noise, sizeof noise);
    return pause_ms / 2 + pause_ms * noise / 65536 / 2;
}

static void until_ms(int64_t wait_ms, struct timespec *until)
{
    clock_gettime(CLOCK_MONOTONIC, until);
    until->tv_sec += wait_ms / 1000;
    until->tv_nsec += wait_ms % 1000 * 1000000;
    if (until->tv_nsec >= 1000000000) {
        until->tv_sec++;
        until->tv_nsec -= 1000000000;
    }
}

/* True: stopping. */
static bool pause_lane(struct lane *lane, int64_t pause_ms)
{
    struct handover *handover = lane->handover;
    struct timespec until;
    bool is_stopping;

    until_ms(jittered(pause_ms), &until);
    pthread_mutex_lock(&handover->lock);
    handover->figures.retried++;
    while (!handover->is_stopping &&
           pthread_cond_timedwait(&handover->changed, &handover->lock, &until) == 0) {
    }
    is_stopping = handover->is_stopping;
    pthread_mutex_unlock(&handover->lock);
    return is_stopping;
}

/* It failed: the others of the lane go first, for it may be the only one that fails. */
static void move_back(struct lane *lane, struct parcel *parcel)
{
    pthread_mutex_lock(&lane->handover->lock);
    take_out(lane, parcel);
    put_last(lane, parcel);
    pthread_mutex_unlock(&lane->handover->lock);
}

/* One try. RC_OK: answered for good, and the answer is durable. */
static enum rc try_once(struct lane *lane, struct parcel *parcel)
{
    struct handover_answer answer = {0};
    enum rc rc = hand(lane->handover, parcel, &answer);
    char id[ID_TEXT_SIZE];

    if (!may_try_again(rc)) {
        enum rc written = write_answer(lane->handover, &parcel->message_id, rc, &answer);

        if (written == RC_OK) {
            settle(lane, parcel, rc);
            return RC_OK;
        }
        rc = written;
    }
    id_format(&parcel->message_id, id);
    log_warn("agency.later", "msg=%s rc=%s reason=%s", id, rc_name(rc), answer.fault.reason);
    move_back(lane, parcel);
    return rc;
}

static struct parcel *next_parcel(struct lane *lane)
{
    struct handover *handover = lane->handover;
    struct parcel *parcel;

    pthread_mutex_lock(&handover->lock);
    while (!handover->is_stopping && lane->first == NULL) {
        pthread_cond_wait(&handover->changed, &handover->lock);
    }
    parcel = handover->is_stopping ? NULL : lane->first;
    pthread_mutex_unlock(&handover->lock);
    return parcel;
}

static void *run_lane(void *argument)
{
    struct lane *lane = argument;
    int64_t pause_ms = PAUSE_LEAST_MS;
    struct parcel *parcel;

    while ((parcel = next_parcel(lane)) != NULL) {
        if (try_once(lane, parcel) == RC_OK) {
            pause_ms = PAUSE_LEAST_MS;
        } else if (pause_lane(lane, pause_ms)) {
            return NULL; /* the inbox still has it */
        } else {
            pause_ms = 2 * pause_ms < lane->pause_most_ms ? 2 * pause_ms : lane->pause_most_ms;
        }
    }
    return NULL;
}

/* ---- the adapter's thread ---- */

enum rc handover_new(struct adapter *adapter, struct handover_user *user,
                     struct handover **handover, struct fault *fault)
{
    OWN_PTR(handover) made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    made->adapter = adapter;
    made->user = user;
    pthread_mutex_init(&made->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (book_open(adapter_folder(adapter), "handover", &made->book) != RC_OK) {
        return refuse(fault, RC_FAILED_PRECONDITION, "spool.damaged", adapter_folder(adapter),
                      "No se pudo leer lo guardado; la bitácora de operación dice qué archivo.");
    }
    for (size_t i = 0; i < 2; i++) {
        struct lane *lane = &made->lanes[i];

        lane->handover = made;
        lane->pause_most_ms = i == 0 ? PAUSE_URGENT_MS : PAUSE_MOST_MS;
        if (pthread_create(&lane->thread, NULL, run_lane, lane) != 0) {
            return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.thread", "",
                          "No se pudo crear un hilo.");
        }
        lane->is_running = true;
    }
    *handover = MOVE(made);
    return RC_OK;
}

void handover_free(struct handover *handover)
{
    if (handover == NULL) {
        return;
    }
    pthread_mutex_lock(&handover->lock);
    handover->is_stopping = true;
    pthread_cond_broadcast(&handover->changed);
    pthread_mutex_unlock(&handover->lock);
    for (size_t i = 0; i < 2; i++) {
        struct lane *lane = &handover->lanes[i];

        if (lane->is_running) {
            pthread_join(lane->thread, NULL);
        }
        while (lane->first != NULL) {
            struct parcel *parcel = lane->first;

            lane->first = parcel->next;
            parcel_free(parcel);
        }
    }
    book_free(handover->book);
    pthread_cond_destroy(&handover->changed);
    pthread_mutex_destroy(&handover->lock);
    free(handover);
}

/* Under the lock. What came earlier in this exchange is still on its way, in either lane. */
static bool is_behind(const struct handover *handover, const struct message *message,
                      bool *is_queued)
{
    bool is_behind = false;

    *is_queued = false;
    for (size_t i = 0; i < 2; i++) {
        for (const struct parcel *at = handover->lanes[i].first; at != NULL; at = at->next) {
            *is_queued |= id_equal(&at->message_id, &message->header.message_id);
            is_behind |= id_equal(&at->exchange_id, &message->header.exchange_id);
        }
    }
    return is_behind;
}

static enum rc queue(struct handover *handover, const struct message *message)
{
    struct lane *lane = &handover->lanes[message->header.urgency == URGENCY_URGENT ? 0 : 1];
    struct parcel *parcel = calloc(1, sizeof *parcel);

    if (parcel == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    parcel->message_id = message->header.message_id;
    parcel->exchange_id = message->header.exchange_id;
    parcel->since_ms = clock_monotonic_ms();
    codec_message_write(message, &parcel->bytes);
    if (parcel->bytes.is_failed) {
        parcel_free(parcel);
        return RC_RESOURCE_EXHAUSTED;
    }
    put_last(lane, parcel);
    pthread_cond_broadcast(&handover->changed);
    return RC_OK;
}

enum rc handover_take(struct handover *handover, const struct message *message,
                      struct handover_answer *answer)
{
    enum rc rc = read_answer(handover, &message->header.message_id, answer);
    bool is_queued;

    if (rc != RC_NOT_FOUND) {
        return rc;
    }
    pthread_mutex_lock(&handover->lock);
    if (!is_behind(handover, message, &is_queued) && !is_queued &&
        handover->figures.waiting < HANDOVER_WAITING_MAX) {
        rc = queue(handover, message);
    } else {
        rc = RC_OK;
    }
    pthread_mutex_unlock(&handover->lock);
    return rc == RC_OK ? RC_FAILED_PRECONDITION : rc;
}

struct handover_figures handover_figures(struct handover *handover)
{
    struct handover_figures figures;
    int64_t now_ms = clock_monotonic_ms();

    pthread_mutex_lock(&handover->lock);
    figures = handover->figures;
    for (size_t i = 0; i < 2; i++) {
        const struct parcel *first = handover->lanes[i].first;

        if (first != NULL && now_ms - first->since_ms > figures.oldest_ms) {
            figures.oldest_ms = now_ms - first->since_ms;
        }
    }
    pthread_mutex_unlock(&handover->lock);
    return figures;
}
