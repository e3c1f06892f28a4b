#include "relay/waker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/inbox.h"
#include "base/log.h"
#include "base/worker.h"
#include "crypto/digest.h"
#include "relay/clock_doubt.h"
#include "relay/duty_alert.h"
#include "relay/duty_people.h"
#include "relay/duty_step.h"
#include "relay/duty_watch.h"
#include "relay/inforce.h"
#include "relay/node.h"
#include "relay/wake_peer.h"
#include "store/db.h"
#include "store/dutycall.h"

#define TURN_MS 500
#define WATCH_EVERY_MS 5000
#define SENDERS 4
#define CHORES_MAX 64
/* Alerts to one official that come to nothing before the next one is told. */
#define ATTEMPTS_MAX 3
#define RETRY_LEAST_MS 2000
#define RETRY_MOST_MS 60000
#define ALERT_CALLS_MAX 64

/* What the thread remembers of an open call, by its number. */
struct watch {
    uint64_t number;
    int64_t next_ms; /* monotonic: nothing is done before */
    unsigned attempts;
    bool is_busy; /* with a sender */
    bool is_seen; /* in this turn */
};

/* One alert to one official, or one question to one institution. A sender's while it is there. */
struct errand {
    struct chore chore;     /* first: the worker's */
    struct inbox_item done; /* then the waker's */
    struct waker *waker;
    struct duty_official official;
    char uri[DUTYCALL_URI_SIZE];
    char text[ALERT_TEXT_MAX];
    struct duty_words words;
    struct dutycall calls[ALERT_CALLS_MAX]; /* of one member */
    size_t count;
    size_t place;                /* of the official in the order of now */
    char institution[CODE_SIZE]; /* a question: to whom; else "" */
    struct wake_outcome outcome;
    enum rc rc;
    struct fault fault;
};

struct waker {
    struct waker_options options;
    struct duty_people *people;
    struct duty_watch *seer;
    struct worker *senders[SENDERS];
    struct inbox *done; /* errands that come back */
    struct inbox_item poke;
    atomic_bool is_poked;
    atomic_bool is_stopping;
    pthread_t thread;
    struct watch watches[WAKER_CALLS_MAX];
    size_t watch_count;
    struct dutycall calls[WAKER_CALLS_MAX];
    size_t call_count;
    struct errand *errands[CHORES_MAX]; /* of this turn, being filled */
    size_t errand_count;
    int64_t watched_ms;
};

/* ---- what is open ---- */

static enum rc read_calls(struct waker *waker)
{
    OWN_READ(txn) = NULL;
    enum rc rc;

    waker->call_count = 0;
    TRY(txn_read(waker->options.node->db, &txn));
    rc = dutycall_next(txn, false, NULL, &waker->calls[0]);
    while (rc == RC_OK && ++waker->call_count < WAKER_CALLS_MAX) {
        rc = dutycall_next(txn, false, &waker->calls[waker->call_count - 1].key,
                           &waker->calls[waker->call_count]);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* After a restart, what is left of an official's time by the row. */
static int64_t left_of(const struct waker *waker, const struct dutycall *call)
{
    int64_t left =
        call->told_at_ms + waker->options.answer_ms - clock_doubt_now_ms(waker->options.node);

    if (call->state != DUTYCALL_TOLD || left < 0) {
        return 0;
    }
    return left < waker->options.answer_ms ? left : waker->options.answer_ms;
}

static struct watch *watch_of(struct waker *waker, const struct dutycall *call)
{
    struct watch *watch = waker->watches;
    const struct watch *end = watch + waker->watch_count;

    while (watch < end && watch->number != call->number) {
        watch++;
    }
    if (watch == end) {
        if (waker->watch_count == WAKER_CALLS_MAX) {
            return NULL;
        }
        *watch = (struct watch){.number = call->number,
                                .next_ms = clock_monotonic_ms() + left_of(waker, call)};
        waker->watch_count++;
    }
    return watch;
}

/* Calls that are no longer open are forgotten. */
static void sweep(struct waker *waker)
{
    size_t kept = 0;

    for (size_t i = 0; i < waker->watch_count; i++) {
        if (waker->watches[i].is_seen || waker->watches[i].is_busy) {
            waker->watches[kept] = waker->watches[i];
            waker->watches[kept++].is_seen = false;
        }
    }
    waker->watch_count = kept;
}

static int64_t backoff_ms(unsigned attempts)
{
    int64_t wait = (int64_t)RETRY_LEAST_MS << (attempts < 6 ? attempts : 6);
    uint8_t jitter;

    random_fill(&jitter, 1);
    wait = wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS;
    return wait * (128 + jitter / 2) / 256;
}

/* ---- errands ---- */

static void run_errand(struct chore *chore)
{
    struct errand *errand = (struct errand *)chore;
    struct waker *waker = errand->waker;

    if (errand->institution[0] != '\0') {
        errand->rc = wake_peer_ask(waker->options.node, &errand->calls[0], errand->institution,
                                   &errand->outcome, &errand->fault);
    } else {
        errand->rc = duty_alert_send(&waker->options.alert, waker->options.commands,
                                     &errand->official, errand->text, &errand->fault);
    }
    while (inbox_put(waker->done, &errand->done) != RC_OK) {
        clock_sleep_ms(10); /* its room is that of all errands and the poke */
    }
}

static struct errand *errand_new(struct waker *waker)
{
    struct errand *errand = waker->errand_count < CHORES_MAX ? calloc(1, sizeof *errand) : NULL;

    if (errand != NULL) {
        errand->chore.run = run_errand;
        errand->waker = waker;
        waker->errands[waker->errand_count++] = errand;
    }
    return errand;
}

static void add_call(struct errand *errand, const struct dutycall *call, struct watch *watch)
{
    errand->calls[errand->count++] = *call;
    duty_words_add(&errand->words, call);
    watch->is_busy = true;
}

/* One for each official of a member in a turn. */
static void tell(struct waker *waker, const struct dutycall *call, struct watch *watch,
                 const struct duty_official *official, size_t place)
{
    struct errand *errand = NULL;

    for (size_t i = 0; i < waker->errand_count; i++) {
        struct errand *at = waker->errands[i];

        if (at->institution[0] == '\0' && at->count < ALERT_CALLS_MAX &&
            strcmp(at->calls[0].key.member, call->key.member) == 0 &&
            strcmp(at->official.name, official->name) == 0) {
            errand = at;
        }
    }
    if (errand == NULL) {
        const char *slash = strchr(call->key.member, '/');

        errand = errand_new(waker);
        if (errand == NULL) {
            return; /* the next turn tries again */
        }
        errand->official = *official;
        errand->place = place;
        snprintf(errand->uri, sizeof errand->uri, "spiffe://enlace.%.*s/member/%s/official/%s",
                 (int)(slash - call->key.member), call->key.member, slash + 1, official->name);
    }
    add_call(errand, call, watch);
}

static void ask(struct waker *waker, const struct dutycall *call, struct watch *watch,
                const char *institution)
{
    struct errand *errand = errand_new(waker);

    if (errand != NULL) {
        snprintf(errand->institution, sizeof errand->institution, "%s", institution);
        add_call(errand, call, watch);
    }
}

/* The same place for the same destination: two alerts to one server do not cross. */
static void send_errands(struct waker *waker)
{
    for (size_t i = 0; i < waker->errand_count; i++) {
        struct errand *errand = waker->errands[i];
        unsigned lane = errand->institution[0] != '\0' ? 0 : (unsigned)errand->official.channel;

        duty_words_write(&errand->words, clock_doubt_now_ms(waker->options.node), errand->text);
        if (worker_put(waker->senders[lane % SENDERS], &errand->chore) != RC_OK) {
            for (size_t k = 0; k < errand->count; k++) {
                struct watch *watch = watch_of(waker, &errand->calls[k]);

                if (watch != NULL) {
                    watch->is_busy = false;
                }
            }
            free(errand);
        }
    }
    waker->errand_count = 0;
}

/* ---- decisions ---- */

static bool is_same_duty(const struct duty_official *const *a, size_t a_count,
                         const struct duty_official *const *b, size_t b_count)
{
    for (size_t i = 0; i < a_count && i < b_count; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return a_count == b_count;
}

/* Whose turn it is; when the shift has changed meanwhile, the first of the new one. */
static size_t place_of(const struct waker *waker, const struct dutycall *call,
                       const struct duty_official *const *officials, size_t count)
{
    const struct duty_official *before[DUTY_OFFICIALS_MAX];
    size_t before_count;

    if (call->state != DUTYCALL_TOLD || call->told == 0) {
        return 0;
    }
    before_count = duty_people_at(waker->people, call->key.member, call->told_at_ms, before,
                                  DUTY_OFFICIALS_MAX);
    return is_same_duty(before, before_count, officials, count) ? call->told : 0;
}

/* Nobody is left: those who slept are told again. */
static void begin_again(struct waker *waker, const struct dutycall *call, struct watch *watch,
                        size_t officials)
{
    struct duty_step step = {.call = *call};

    watch->attempts = 0;
    if (officials == 0) {
        log_error("duty.nobody", "member=%s duty=%llu remedy=publish a duty roster that covers now",
                  call->key.member, (unsigned long long)call->number);
        watch->next_ms = clock_monotonic_ms() + RETRY_MOST_MS;
        return;
    }
    log_warn("duty.unanswered", "member=%s duty=%llu officials=%zu", call->key.member,
             (unsigned long long)call->number, officials);
    step.call.told = 0;
    step.call.state = DUTYCALL_WAITING;
    if (duty_step_write(waker->options.node, &step, 1) == RC_OK) {
        watch->next_ms = clock_monotonic_ms();
    }
}

static enum rc move_here(const struct waker *waker, const struct dutycall *call,
                         const char *institution)
{
    struct duty_step step = {.call = *call, .reason = "duty.moved", .has_next = true};

    step.call.state = DUTYCALL_MOVED;
    snprintf(step.call.moved_to, sizeof step.call.moved_to, "%s", institution);
    wake_peer_key(waker->options.node, call, institution, &step.next.key);
    step.next.urgency = call->urgency;
    step.next.due_ms = call->due_ms;
    step.next.made_at_ms = clock_doubt_now_ms(waker->options.node);
    snprintf(step.next.because, sizeof step.next.because, "%s", call->key.member);
    return duty_step_write(waker->options.node, &step, 1);
}

static void escalate(struct waker *waker, const struct dutycall *call, struct watch *watch,
                     size_t officials)
{
    OWN_EDITION(edition) = inforce_take(waker->options.node->inforce);
    char institution[CODE_SIZE];

    if (!wake_peer_next(edition->directory, call, institution)) {
        begin_again(waker, call, watch, officials);
    } else if (!wake_peer_is_hosted(waker->options.node, institution)) {
        ask(waker, call, watch, institution);
    } else if (move_here(waker, call, institution) == RC_OK) {
        watch->next_ms = clock_monotonic_ms();
    }
}

static void answered_there(struct waker *waker, const struct dutycall *call, const char *actor,
                           int64_t at_ms)
{
    struct duty_step step = {.call = *call, .reason = "duty.answered", .official = actor};

    step.call.state = DUTYCALL_ANSWERED;
    step.call.over_at_ms = at_ms;
    snprintf(step.call.actor, sizeof step.call.actor, "%s", actor);
    if (duty_step_write(waker->options.node, &step, 1) == RC_OK) {
        log_info("duty.answered", "duty=%llu at=%s", (unsigned long long)call->number,
                 call->moved_to);
    }
}

/* Has somebody answered at the other institution? */
static void look_there(struct waker *waker, const struct dutycall *call, struct watch *watch)
{
    OWN_READ(txn) = NULL;
    struct dutycall_key key;
    struct dutycall there;

    watch->next_ms = clock_monotonic_ms() + TURN_MS * 4;
    if (!wake_peer_is_hosted(waker->options.node, call->moved_to)) {
        ask(waker, call, watch, call->moved_to);
        return;
    }
    wake_peer_key(waker->options.node, call, call->moved_to, &key);
    if (txn_read(waker->options.node->db, &txn) == RC_OK &&
        dutycall_get(txn, &key, &there) == RC_OK && there.state == DUTYCALL_ANSWERED) {
        txn_end(txn);
        txn = NULL;
        answered_there(waker, call, there.actor, there.over_at_ms);
    }
}

static void consider(struct waker *waker, const struct dutycall *call)
{
    const struct duty_official *officials[DUTY_OFFICIALS_MAX];
    int64_t now_ms = clock_doubt_now_ms(waker->options.node);
    struct watch *watch = watch_of(waker, call);
    size_t count;
    size_t place;

    if (watch == NULL) {
        return;
    }
    watch->is_seen = true;
    if (watch->is_busy || call->wake_at_ms > now_ms || clock_monotonic_ms() < watch->next_ms) {
        return;
    }
    if (call->state == DUTYCALL_MOVED) {
        look_there(waker, call, watch);
        return;
    }
    count = duty_people_at(waker->people, call->key.member, now_ms, officials, DUTY_OFFICIALS_MAX);
    place = place_of(waker, call, officials, count);
    if (place < count) {
        tell(waker, call, watch, officials[place], place);
    } else {
        escalate(waker, call, watch, count);
    }
}

/* ---- errands that come back ---- */

static void after_question(struct waker *waker, const struct errand *errand, struct watch *watch)
{
    const struct dutycall *call = &errand->calls[0];
    struct duty_step step = {.call = *call, .reason = "duty.moved"};

    if (errand->rc != RC_OK) {
        log_warn("duty.institution", "member=%s rc=%s reason=%s", errand->institution,
                 rc_name(errand->rc), errand->fault.reason);
        watch->next_ms = clock_monotonic_ms() + backoff_ms(watch->attempts++);
        if (call->state != DUTYCALL_MOVED && watch->attempts >= ATTEMPTS_MAX) {
            begin_again(waker, call, watch, call->told);
        }
        return;
    }
    watch->attempts = 0;
    watch->next_ms = clock_monotonic_ms() + backoff_ms(1);
    if (errand->outcome.actor[0] != '\0') {
        answered_there(waker, call, errand->outcome.actor, errand->outcome.answered_at_ms);
    } else if (call->state != DUTYCALL_MOVED) {
        step.call.state = DUTYCALL_MOVED;
        memcpy(step.call.moved_to, errand->institution, CODE_SIZE);
        (void)!duty_step_write(waker->options.node, &step, 1);
    }
}

/* Told, or passed over after too many attempts: one write for all the calls of the alert. */
static void write_told(struct waker *waker, const struct errand *errand, const char *reason)
{
    struct duty_step steps[ALERT_CALLS_MAX];
    int64_t now_ms = clock_doubt_now_ms(waker->options.node);

    for (size_t i = 0; i < errand->count; i++) {
        steps[i] =
            (struct duty_step){.call = errand->calls[i], .reason = reason, .official = errand->uri};
        steps[i].call.state = DUTYCALL_TOLD;
        steps[i].call.told = (uint32_t)errand->place + 1;
        steps[i].call.told_at_ms = now_ms;
        memcpy(steps[i].call.actor, errand->uri, sizeof errand->uri);
    }
    (void)!duty_step_write(waker->options.node, steps, errand->count);
}

static void after_alert(struct waker *waker, const struct errand *errand)
{
    int64_t now_ms = clock_monotonic_ms();
    bool is_given_up = false;

    for (size_t i = 0; i < errand->count; i++) {
        struct watch *watch = watch_of(waker, &errand->calls[i]);

        if (watch == NULL) {
            continue;
        }
        watch->is_busy = false;
        if (errand->rc == RC_OK) {
            watch->attempts = 0;
            watch->next_ms = now_ms + waker->options.answer_ms;
        } else if (++watch->attempts >= ATTEMPTS_MAX) {
            is_given_up = true;
            watch->attempts = 0;
            watch->next_ms = now_ms; /* the next official at once */
        } else {
            watch->next_ms = now_ms + backoff_ms(watch->attempts);
        }
    }
    if (errand->rc == RC_OK) {
        log_info("duty.told", "member=%s official=%s channel=%s calls=%zu",
                 errand->calls[0].key.member, errand->official.name,
                 duty_channel_name(errand->official.channel), errand->count);
        write_told(waker, errand, "duty.told");
        return;
    }
    log_error("duty.channel", "member=%s official=%s channel=%s rc=%s reason=%s%s",
              errand->calls[0].key.member, errand->official.name,
              duty_channel_name(errand->official.channel), rc_name(errand->rc),
              errand->fault.reason, is_given_up ? " next=the next official" : "");
    if (is_given_up) {
        write_told(waker, errand, "duty.unreachable");
    }
}

static void take_back(struct waker *waker, struct errand *errand)
{
    struct watch *watch;

    if (errand->institution[0] == '\0') {
        after_alert(waker, errand);
    } else if ((watch = watch_of(waker, &errand->calls[0])) != NULL) {
        watch->is_busy = false;
        after_question(waker, errand, watch);
    }
    free(errand);
}

/* ---- the thread ---- */

static void take_all(struct waker *waker, struct inbox_item *items)
{
    while (items != NULL) {
        struct inbox_item *item = items;

        items = items->next;
        if (item == &waker->poke) {
            atomic_store(&waker->is_poked, false);
        } else {
            take_back(waker, (struct errand *)((char *)item - offsetof(struct errand, done)));
        }
    }
}

static void turn(struct waker *waker)
{
    int64_t now_ms = clock_monotonic_ms();

    duty_people_refresh(waker->people);
    if (now_ms - waker->watched_ms >= WATCH_EVERY_MS || waker->watched_ms == 0) {
        waker->watched_ms = now_ms;
        duty_watch_look(waker->seer, waker->people);
    }
    if (read_calls(waker) != RC_OK) {
        return;
    }
    for (size_t i = 0; i < waker->call_count; i++) {
        consider(waker, &waker->calls[i]);
    }
    sweep(waker);
    send_errands(waker);
}

static void *run(void *argument)
{
    struct waker *waker = argument;
    bool is_closed = false;

    while (!atomic_load(&waker->is_stopping)) {
        turn(waker);
        take_all(waker, inbox_take(waker->done, CHORES_MAX, TURN_MS, &is_closed));
    }
    return NULL;
}

enum rc waker_start(const struct waker_options *options, struct waker **out)
{
    OWN_PTR(waker) waker = calloc(1, sizeof *waker);
    static const char *const names[SENDERS] = {"wake-peer", "wake-mail", "wake-hook",
                                               "wake-command"};

    if (waker == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    waker->options = *options;
    waker->people = duty_people_new(options->node, options->folder);
    waker->seer = duty_watch_new(options->node, options->undelivered_ms);
    waker->done = inbox_new((size_t)SENDERS * CHORES_MAX + 2);
    for (unsigned i = 0; i < SENDERS; i++) {
        waker->senders[i] = worker_new(names[i], CHORES_MAX);
        if (waker->senders[i] == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
    }
    if (waker->people == NULL || waker->seer == NULL || waker->done == NULL ||
        pthread_create(&waker->thread, NULL, run, waker) != 0) {
        return RC_RESOURCE_EXHAUSTED;
    }
    pthread_setname_np(waker->thread, "waker");
    *out = MOVE(waker);
    return RC_OK;
}

void waker_free(struct waker *waker)
{
    bool is_closed = false;

    if (waker == NULL) {
        return;
    }
    atomic_store(&waker->is_stopping, true);
    if (waker->thread != 0) {
        pthread_join(waker->thread, NULL);
    }
    for (unsigned i = 0; i < SENDERS; i++) {
        worker_free(waker->senders[i]);
    }
    if (waker->done != NULL) {
        take_all(waker, inbox_take(waker->done, SIZE_MAX, 0, &is_closed));
    }
    inbox_free(waker->done);
    duty_watch_free(waker->seer);
    duty_people_free(waker->people);
    free(waker);
}

void waker_poke(struct waker *waker)
{
    if (waker != NULL && !atomic_exchange(&waker->is_poked, true) &&
        inbox_put(waker->done, &waker->poke) != RC_OK) {
        atomic_store(&waker->is_poked, false);
    }
}
