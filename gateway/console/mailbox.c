#include "console/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/thread_mask.h"
#include "client/attach.h"
#include "client/author.h"
#include "client/compose.h"
#include "client/profile.h"
#include "client/send.h"

#define WINDOW 32
#define STREAMS 2
#define SCRATCH_MAX ((size_t)16 << 20)

struct mail_stream {
    struct attach_user user; /* first */
    struct mailbox *mailbox;
    struct attach *attach;
    struct arena *scratch; /* of one delivery */
    pthread_t thread;
    bool is_running;
    struct fault fault; /* set as it ends; read under the lock */
};

struct mailbox {
    struct author author;
    struct spool *spool;
    pthread_mutex_t lock;
    atomic_uint_least64_t changes;
    struct mail_stream streams[STREAMS];
};

/* ---- what comes ---- */

/* The message and the act that takes it, in one step: neither is lost without the other. */
static enum rc take_custody(struct mail_stream *stream, const struct message *message)
{
    struct mailbox *mailbox = stream->mailbox;
    OWN(composed) composed = {0};
    OWN(buffer) bytes = {0};
    struct spool_entry entries[2];
    struct fault fault = {0};

    TRY(author_custody(&mailbox->author, message, &composed, &fault));
    codec_message_write(message, &bytes);
    entries[0] =
        (struct spool_entry){SPOOL_INBOX, message->header.message_id, buffer_bytes(&bytes)};
    entries[1] =
        (struct spool_entry){SPOOL_OUTBOX, composed.message_id, buffer_bytes(&composed.request)};
    TRY(spool_store(mailbox->spool, entries, 2));
    return attach_submit(stream->attach, buffer_bytes(&composed.request));
}

static enum rc take_news(struct mail_stream *stream, const struct message *message)
{
    OWN(buffer) bytes = {0};
    struct spool_entry entry = {SPOOL_INBOX, message->header.message_id, {0}};

    codec_message_write(message, &bytes);
    entry.bytes = buffer_bytes(&bytes);
    TRY(spool_store(stream->mailbox->spool, &entry, 1));
    return attach_acknowledge(stream->attach, &message->header.message_id);
}

static bool on_delivery(struct attach_user *user, const struct delivery *delivery,
                        const uint8_t commitment[HASH_SIZE])
{
    struct mail_stream *stream = (struct mail_stream *)user;
    struct mailbox *mailbox = stream->mailbox;
    const struct message *message = delivery->message;
    enum rc rc;

    (void)commitment;
    pthread_mutex_lock(&mailbox->lock);
    if (message_opens(message)) {
        author_keep(&mailbox->author, message, stream->scratch);
    }
    rc = message_wants_custody(message->header.type) ? take_custody(stream, message)
                                                     : take_news(stream, message);
    pthread_mutex_unlock(&mailbox->lock);
    arena_reset(stream->scratch);
    atomic_fetch_add(&mailbox->changes, 1);
    return rc == RC_OK;
}

static void on_result(struct attach_user *user, const struct submit_result *result,
                      const uint8_t commitment[HASH_SIZE])
{
    struct mail_stream *stream = (struct mail_stream *)user;
    struct mailbox *mailbox = stream->mailbox;

    (void)commitment;
    if (result->fault.rc != RC_OK) {
        log_warn("console.custody_refused", "reason=%s", result->fault.reason);
    }
    pthread_mutex_lock(&mailbox->lock);
    spool_remove(mailbox->spool, SPOOL_OUTBOX, &result->message_id);
    pthread_mutex_unlock(&mailbox->lock);
    atomic_fetch_add(&mailbox->changes, 1);
}

static void *stream_main(void *argument)
{
    struct mail_stream *stream = argument;
    struct fault fault = {0};
    enum rc rc = attach_run(stream->attach, -1, &fault);

    pthread_mutex_lock(&stream->mailbox->lock);
    stream->fault = fault;
    pthread_mutex_unlock(&stream->mailbox->lock);
    if (rc != RC_OK) {
        log_warn("console.stream_over", "reason=%s", fault.reason);
    }
    return NULL;
}

/* ---- life ---- */

static enum rc start(struct mailbox *mailbox, struct mail_stream *stream, enum urgency urgency)
{
    const struct attach_config config = {.session = mailbox->author.session,
                                         .user = &stream->user,
                                         .urgency = urgency,
                                         .window = WINDOW,
                                         .submissions_max = 2 * WINDOW};
    sigset_t before;
    int error;

    stream->user = (struct attach_user){on_delivery, on_result};
    stream->mailbox = mailbox;
    stream->scratch = arena_new(SCRATCH_MAX);
    stream->attach = attach_new(&config);
    if (stream->attach == NULL || stream->scratch == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    thread_mask_begin(&before);
    error = pthread_create(&stream->thread, NULL, stream_main, stream);
    thread_mask_end(&before);
    stream->is_running = error == 0;
    return error == 0 ? RC_OK : RC_RESOURCE_EXHAUSTED;
}

enum rc mailbox_new(const struct profile *profile, struct session *session,
                    struct mailbox **mailbox, struct fault *fault)
{
    OWN_PTR(mailbox) made = NULL;
    char path[CONF_TEXT_SIZE + 16];

    if (profile->system[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.system", profile->path,
                      "Con este perfil se lee, no se envía ni se recibe: abra la consola con el de "
                      "un sistema de su institución.");
    }
    if (profile->spool[0] == '\0') {
        return refuse(fault, RC_FAILED_PRECONDITION, "profile.spool", profile->path,
                      "El perfil no tiene «spool», la carpeta donde se guarda lo que se envía y "
                      "recibe; agréguela.");
    }
    made = calloc(1, sizeof *made);
    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    pthread_mutex_init(&made->lock, NULL);
    snprintf(path, sizeof path, "%s/console", profile->spool);
    TRY(spool_open(path, &made->spool, fault));
    made->author = (struct author){profile, session, made->spool, true};
    if (start(made, &made->streams[0], URGENCY_URGENT) != RC_OK ||
        start(made, &made->streams[1], URGENCY_ORDINARY) != RC_OK) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "console.memory", "", "Falta memoria.");
    }
    *mailbox = MOVE(made);
    return RC_OK;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (mailbox == NULL) {
        return;
    }
    for (size_t i = 0; i < STREAMS; i++) {
        struct mail_stream *stream = &mailbox->streams[i];

        if (stream->is_running) {
            attach_stop(stream->attach);
            pthread_join(stream->thread, NULL);
        }
        attach_free(stream->attach);
        arena_free(stream->scratch);
    }
    spool_free(mailbox->spool);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

/* ---- the HTTP thread's ---- */

enum rc mailbox_fault(struct mailbox *mailbox, struct fault *fault)
{
    enum rc rc = RC_OK;

    pthread_mutex_lock(&mailbox->lock);
    for (size_t i = 0; i < STREAMS && rc == RC_OK; i++) {
        if (mailbox->streams[i].fault.rc != RC_OK) {
            *fault = mailbox->streams[i].fault;
            rc = fault->rc;
        }
    }
    pthread_mutex_unlock(&mailbox->lock);
    return rc;
}

uint64_t mailbox_changes(struct mailbox *mailbox)
{
    return atomic_load(&mailbox->changes);
}

enum rc mailbox_list(struct mailbox *mailbox, enum spool_folder folder, struct spool_ids *ids)
{
    enum rc rc;

    pthread_mutex_lock(&mailbox->lock);
    rc = spool_list(mailbox->spool, folder, ids);
    pthread_mutex_unlock(&mailbox->lock);
    return rc;
}

enum rc mailbox_read(struct mailbox *mailbox, enum spool_folder folder, const struct id *id,
                     struct arena *arena, struct message **message)
{
    struct message *found = arena_alloc(arena, sizeof *found);
    OWN(buffer) bytes = {0};
    struct bytes copy;
    enum rc rc;

    pthread_mutex_lock(&mailbox->lock);
    rc = spool_read(mailbox->spool, folder, id, &bytes);
    pthread_mutex_unlock(&mailbox->lock);
    TRY(rc);
    copy = arena_copy(arena, buffer_bytes(&bytes));
    if (found == NULL || copy.data == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(codec_message_read(copy, arena, found, NULL));
    *message = found;
    return RC_OK;
}

void mailbox_forget(struct mailbox *mailbox, const struct id *id)
{
    pthread_mutex_lock(&mailbox->lock);
    spool_remove(mailbox->spool, SPOOL_INBOX, id);
    pthread_mutex_unlock(&mailbox->lock);
}

enum rc mailbox_send(struct mailbox *mailbox, struct draft *draft, struct arena *arena,
                     struct sent *sent, struct fault *fault)
{
    OWN(composed) composed = {0};
    enum rc rc;

    TRY(author_compose(&mailbox->author, draft, &composed, fault));
    pthread_mutex_lock(&mailbox->lock);
    rc = author_send(&mailbox->author, &composed.message_id, buffer_bytes(&composed.request), arena,
                     sent, fault);
    pthread_mutex_unlock(&mailbox->lock);
    atomic_fetch_add(&mailbox->changes, 1);
    return rc;
}

/* Under the lock. Refused for good: it is parked by then, and no longer owed. */
static enum rc resend_one(struct mailbox *mailbox, const struct id *id, struct arena *arena,
                          struct fault *fault)
{
    OWN(buffer) request = {0};
    OWN(sent) sent = {0};
    enum rc rc;

    TRY(spool_read(mailbox->spool, SPOOL_OUTBOX, id, &request));
    rc = author_send(&mailbox->author, id, buffer_bytes(&request), arena, &sent, fault);
    return rc == RC_OK || !send_may_retry(rc) ? RC_OK : rc;
}

enum rc mailbox_resend(struct mailbox *mailbox, struct arena *arena, size_t *left,
                       struct fault *fault)
{
    struct spool_ids ids = {0};
    enum rc rc;

    pthread_mutex_lock(&mailbox->lock);
    rc = spool_list(mailbox->spool, SPOOL_OUTBOX, &ids);
    *left = ids.count;
    for (size_t i = 0; rc == RC_OK && i < ids.count; i++) {
        rc = resend_one(mailbox, &ids.items[i], arena, fault);
        *left -= rc == RC_OK;
    }
    pthread_mutex_unlock(&mailbox->lock);
    spool_ids_release(&ids);
    return rc;
}
