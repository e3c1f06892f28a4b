/*
 * waker - wakes somebody: the open calls of store/dutycall are told to the officials on duty, one
 * after the other, until a named one answers; then to the next institution of the ladder.
 *
 *     WAITING --alert--> TOLD(1) --nobody answered--> TOLD(2) ... --> MOVED --answered there-->
 * ANSWERED
 *
 * A thread of its own decides; four senders speak to mail servers, webhooks, programs and peers, so
 * that one that hangs keeps none of the others waiting. Calls of one member that are due together
 * are one alert. An alert that does not arrive is tried again, jittered, a few times, and then the
 * next official is told; whoever is told, is passed over or answers stands in the log
 * (RECORD_DUTY). After the last official, and where there is no next institution or it cannot be
 * reached, the round begins again: nobody is let sleep.
 *
 * How long an official has is counted on the monotonic clock, and after a restart from the row: a
 * wall clock that jumps neither hurries nor delays anybody.
 */
#ifndef RELAY_WAKER_H
#define RELAY_WAKER_H

#include "base/conf.h"
#include "base/own.h"
#include "http/alert.h"

struct node;
struct waker;

/* Calls looked at in one turn; more wait for those to be answered. */
#define WAKER_CALLS_MAX 1024

struct waker_options {
    struct node *node;
    const char *folder;               /* of duty rosters; "": none */
    int64_t answer_ms;                /* how long an official has to answer */
    int64_t undelivered_ms;           /* how long an urgent message may wait for its recipient */
    struct alert_config alert;        /* its texts are borrowed */
    const struct conf_list *commands; /* NAME=/path, borrowed */
};

MUST_CHECK enum rc waker_start(const struct waker_options *options, struct waker **out);
/* Ends the threads; an alert under way is waited for. NULL does nothing. */
void waker_free(struct waker *waker);
OWN_PTR_DEFINE(waker)

/* Something was put: look now. Any thread; NULL does nothing. */
void waker_poke(struct waker *waker);

#endif
