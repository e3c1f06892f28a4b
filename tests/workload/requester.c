#include "workload/requester.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/attach.h"
#include "client/profile.h"
#include "client/receipt_file.h"
#include "client/session.h"
#include "client/spool.h"

#define WINDOW 256
#define SUBMISSIONS_MAX 4096
#define FLUSH_MAX 256
#define ARENA_MAX ((size_t)16 << 20)

/* What a stream's thread hands to the owner: to be written, then acknowledged. */
struct news {
    struct news *next;
    struct attach *from; /* a delivery: to be acknowledged there; NULL: an answer to us */
    struct id id;
    enum message_type type;
    struct buffer receipts; /* a receipt file */
    struct buffer message;  /* an Aggregate, whole; else empty */
};

struct lane {
    struct attach_user user; /* first */
    struct requester *requester;
    struct attach *attach;
    pthread_t thread;
    bool is_running;
};

struct requester {
    struct profile *profile;
    struct session *session;
    struct spool *spool;
    struct lane lanes[2]; /* ordinary and urgent, or one that only sends */
    unsigned lane_count;
    pthread_mutex_t lock; /* guards what follows */
    struct news *first;
    struct news *last;
    struct requester_figures figures;
    char refusal[384];
    int64_t last_ms;
};

/* ---- on the streams' threads ---- */

static void put_news(struct requester *requester, struct news *news)
{
    pthread_mutex_lock(&requester->lock);
    if (requester->last != NULL) {
        requester->last->next = news;
    } else {
        requester->first = news;
    }
    requester->last = news;
    requester->last_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&requester->lock);
}

static void news_free(struct news *news)
{
    if (news != NULL) {
        buffer_release(&news->receipts);
        buffer_release(&news->message);
        free(news);
    }
}

static void write_receipts(const struct id *id, const uint8_t commitment[HASH_SIZE],
                           const struct receipt *receipts, size_t count, struct buffer *out)
{
    struct receipt_file file = {.message_id = *id, .count = count};

    memcpy(file.commitment, commitment, HASH_SIZE);
    memcpy(file.receipts, receipts, count * sizeof *receipts);
    receipt_file_write(&file, out);
}

static bool on_delivery(struct attach_user *user, const struct delivery *delivery,
                        const uint8_t commitment[HASH_SIZE])
{
    struct lane *lane = (struct lane *)user;
    const struct header *header = &delivery->message->header;
    const struct receipt receipts[] = {delivery->sender_receipt, delivery->receipt};
    struct news *news = calloc(1, sizeof *news);

    if (news == NULL) {
        return false;
    }
    news->from = lane->attach;
    news->id = header->message_id;
    news->type = header->type;
    write_receipts(&header->message_id, commitment, receipts, 2, &news->receipts);
    if (header->type == MESSAGE_AGGREGATE) {
        codec_message_write(delivery->message, &news->message);
    }
    if (news->receipts.is_failed || news->message.is_failed) {
        news_free(news);
        return false;
    }
    put_news(lane->requester, news);
    return true;
}

static void note_refusal(struct requester *requester, const struct id *id,
                         const struct fault *fault)
{
    char text[ID_TEXT_SIZE];

    id_format(id, text);
    pthread_mutex_lock(&requester->lock);
    requester->figures.refusals++;
    if (requester->refusal[0] == '\0') {
        snprintf(requester->refusal, sizeof requester->refusal, "%.40s: %s %s: %.200s", text,
                 fault->reason, fault->path, fault->remedy);
    }
    pthread_mutex_unlock(&requester->lock);
}

static void on_result(struct attach_user *user, const struct submit_result *result,
                      const uint8_t commitment[HASH_SIZE])
{
    struct lane *lane = (struct lane *)user;
    struct news *news;

    if (result->fault.rc != RC_OK) {
        note_refusal(lane->requester, &result->message_id, &result->fault);
        return; /* stays in the outbox: the next run asks again, and says it again */
    }
    news = calloc(1, sizeof *news);
    if (news == NULL) {
        return; /* likewise */
    }
    news->id = result->message_id;
    write_receipts(&result->message_id, commitment, &result->receipt, 1, &news->receipts);
    put_news(lane->requester, news);
}

static void *run_lane(void *argument)
{
    struct lane *lane = argument;
    struct requester *requester = lane->requester;
    struct fault fault = {0};
    struct id nobody = {{0}};

    if (attach_run(lane->attach, -1, &fault) != RC_OK) {
        note_refusal(requester, &nobody, &fault);
        pthread_mutex_lock(&requester->lock);
        requester->figures.is_broken = true;
        pthread_mutex_unlock(&requester->lock);
    }
    return NULL;
}

/* ---- making ---- */

static enum rc start_lane(struct requester *requester, unsigned n, enum urgency urgency)
{
    struct lane *lane = &requester->lanes[n];
    struct attach_config config = {.session = requester->session,
                                   .user = &lane->user,
                                   .urgency = urgency,
                                   .window = WINDOW,
                                   .submissions_max = SUBMISSIONS_MAX};

    lane->user = (struct attach_user){.on_delivery = on_delivery, .on_result = on_result};
    lane->requester = requester;
    lane->attach = attach_new(&config);
    if (lane->attach == NULL || pthread_create(&lane->thread, NULL, run_lane, lane) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    lane->is_running = true;
    return RC_OK;
}

static struct attach *attach_for(struct requester *requester, enum urgency urgency)
{
    return requester->lanes[urgency == URGENCY_URGENT && requester->lane_count > 1].attach;
}

static enum rc resend(struct requester *requester, const struct id *id)
{
    OWN(buffer) request = {0};
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    struct fault fault = {0};

    if (submission == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(spool_read(requester->spool, SPOOL_OUTBOX, id, &request));
    TRY(codec_submit_read(buffer_bytes(&request), arena, submission, &fault));
    return attach_submit(attach_for(requester, submission->message.header.urgency),
                         buffer_bytes(&request));
}

static enum rc resend_all(struct requester *requester)
{
    OWN(spool_ids) ids = {0};

    TRY(spool_list(requester->spool, SPOOL_OUTBOX, &ids));
    for (size_t i = 0; i < ids.count; i++) {
        TRY(resend(requester, &ids.items[i]));
    }
    return RC_OK;
}

static enum rc open_parts(struct requester *requester, const char *path, char error[768])
{
    struct fault fault = {0};
    enum rc rc = profile_read(path, &requester->profile, error);

    if (rc == RC_OK) {
        rc = spool_open(requester->profile->spool, &requester->spool, &fault);
        if (rc == RC_OK) {
            rc = session_open(requester->profile, &requester->session, &fault);
        }
        if (rc != RC_OK) {
            snprintf(error, 768, "%s: %s: %s", path, fault.path, fault.remedy);
        }
    }
    return rc;
}

enum rc requester_new(const char *profile_path, enum requester_kind kind,
                      struct requester **requester, char error[768])
{
    OWN_PTR(requester) made = calloc(1, sizeof *made);
    enum rc rc;

    snprintf(error, 768, "%s: falta memoria o disco", profile_path);
    if (made == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_mutex_init(&made->lock, NULL);
    made->last_ms = clock_monotonic_ms();
    TRY(open_parts(made, profile_path, error));
    made->lane_count = kind == REQUESTER_ATTACHED ? 2 : 1;
    rc = start_lane(made, 0, kind == REQUESTER_ATTACHED ? URGENCY_ORDINARY : URGENCY_NONE);
    if (rc == RC_OK && made->lane_count > 1) {
        rc = start_lane(made, 1, URGENCY_URGENT);
    }
    TRY(rc == RC_OK ? resend_all(made) : rc);
    *requester = MOVE(made);
    return RC_OK;
}

void requester_free(struct requester *requester)
{
    if (requester == NULL) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (requester->lanes[i].is_running) {
            attach_stop(requester->lanes[i].attach);
            pthread_join(requester->lanes[i].thread, NULL);
        }
    }
    while (requester->first != NULL) {
        struct news *news = requester->first;

        requester->first = news->next;
        news_free(news);
    }
    for (unsigned i = 0; i < 2; i++) {
        attach_free(requester->lanes[i].attach);
    }
    session_free(requester->session);
    spool_free(requester->spool);
    profile_free(requester->profile);
    pthread_mutex_destroy(&requester->lock);
    free(requester);
}

struct session *requester_session(struct requester *requester)
{
    return requester->session;
}

/* ---- the owner's side ---- */

bool requester_has(struct requester *requester, const struct id *message_id)
{
    return spool_has(requester->spool, SPOOL_RECEIPTS, message_id) ||
           spool_has(requester->spool, SPOOL_OUTBOX, message_id);
}

enum rc requester_send(struct requester *requester, const struct composed *message,
                       enum urgency urgency)
{
    struct spool_entry waiting = {SPOOL_OUTBOX, message->message_id,
                                  buffer_bytes(&message->request)};

    TRY(spool_store(requester->spool, &waiting, 1));
    return attach_submit(attach_for(requester, urgency), buffer_bytes(&message->request));
}

enum rc requester_keep(struct requester *requester, const struct composed *message)
{
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);
    struct submission *submission = arena_alloc(arena, sizeof *submission);
    OWN(buffer) bytes = {0};
    struct spool_entry entry = {SPOOL_EXCHANGES, message->message_id, {0}};
    struct fault fault = {0};

    if (submission == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_submit_read(buffer_bytes(&message->request), arena, submission, &fault));
    codec_message_write(&submission->message, &bytes);
    entry.bytes = buffer_bytes(&bytes);
    return bytes.is_failed ? RC_RESOURCE_EXHAUSTED : spool_store(requester->spool, &entry, 1);
}

/* Takes at most FLUSH_MAX of what came, oldest first. */
static size_t take_news(struct requester *requester, struct news *taken[FLUSH_MAX])
{
    size_t count = 0;

    pthread_mutex_lock(&requester->lock);
    while (count < FLUSH_MAX && requester->first != NULL) {
        taken[count++] = requester->first;
        requester->first = requester->first->next;
    }
    if (requester->first == NULL) {
        requester->last = NULL;
    }
    pthread_mutex_unlock(&requester->lock);
    return count;
}

static enum rc store_news(struct requester *requester, struct news *const taken[], size_t count)
{
    struct spool_entry entries[2 * FLUSH_MAX];
    size_t entry_count = 0;

    for (size_t i = 0; i < count; i++) {
        entries[entry_count++] =
            (struct spool_entry){SPOOL_RECEIPTS, taken[i]->id, buffer_bytes(&taken[i]->receipts)};
        if (taken[i]->message.size > 0) {
            entries[entry_count++] = (struct spool_entry){SPOOL_EXCHANGES, taken[i]->id,
                                                          buffer_bytes(&taken[i]->message)};
        }
    }
    return spool_store(requester->spool, entries, entry_count);
}

static enum rc settle_news(struct requester *requester, const struct news *news)
{
    bool is_delivery = news->from != NULL;

    pthread_mutex_lock(&requester->lock);
    requester->figures.deliveries += is_delivery;
    requester->figures.reports += is_delivery && news->type == MESSAGE_STATUS_REPORT;
    requester->figures.receipts += !is_delivery;
    pthread_mutex_unlock(&requester->lock);
    if (is_delivery) {
        return attach_acknowledge(news->from, &news->id);
    }
    spool_remove(requester->spool, SPOOL_OUTBOX, &news->id);
    return RC_OK;
}

enum rc requester_flush(struct requester *requester)
{
    struct news *taken[FLUSH_MAX];
    size_t count;

    while ((count = take_news(requester, taken)) > 0) {
        enum rc rc = store_news(requester, taken, count);

        for (size_t i = 0; i < count; i++) {
            if (rc == RC_OK) {
                rc = settle_news(requester, taken[i]);
            }
            news_free(taken[i]);
        }
        TRY(rc);
    }
    return RC_OK;
}

struct requester_figures requester_figures(struct requester *requester)
{
    struct requester_figures figures;

    pthread_mutex_lock(&requester->lock);
    figures = requester->figures;
    figures.quiet_ms = clock_monotonic_ms() - requester->last_ms;
    pthread_mutex_unlock(&requester->lock);
    for (unsigned i = 0; i < requester->lane_count; i++) {
        struct attach_figures attached = attach_figures(requester->lanes[i].attach);

        figures.unanswered += attached.unanswered;
        figures.unproven += attached.unproven;
    }
    return figures;
}

const char *requester_refusal(struct requester *requester)
{
    return requester->refusal;
}
