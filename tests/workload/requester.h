/*
 * requester - one system that asks and follows: sends what the plan says, receives acts, reports
 * and figures, and keeps the evidence of each.
 *
 * Durable before it is answered: what is sent stands in the spool's outbox first; each delivery's
 * two receipts stand in the spool's receipts before it is acknowledged, and so do those of what was
 * sent. Files are written many at a time, because each costs a sync. An Aggregate that arrives is
 * kept whole in the spool's folder of openings.
 *
 * Threads: the two attached streams (ordinary and urgent) run on threads of its own; every function
 * here belongs to the one thread that made it.
 */
#ifndef WORKLOAD_REQUESTER_H
#define WORKLOAD_REQUESTER_H

#include "base/own.h"
#include "client/compose.h"
#include "model/message.h"

struct requester;
struct session;
struct spool;

enum requester_kind {
    REQUESTER_ATTACHED,  /* sends and receives */
    REQUESTER_SENDS_ONLY /* another program of the same system receives */
};

/* Reads the profile, opens spool and session, attaches, and resends what the outbox holds. On
 * refusal, `error` is the line to print. */
MUST_CHECK enum rc requester_new(const char *profile_path, enum requester_kind kind,
                                 struct requester **requester, char error[768]);
/* Stops the streams; what waits in the outbox stays there. */
void requester_free(struct requester *requester);
OWN_PTR_DEFINE(requester)

struct session *requester_session(struct requester *requester);

/* Does the spool hold the receipt, or the message still to be sent? */
bool requester_has(struct requester *requester, const struct id *message_id);
/* Stores it in the outbox and queues it. The failure is logged. */
MUST_CHECK enum rc requester_send(struct requester *requester, const struct composed *message,
                                  enum urgency urgency);
/* Keeps a message of ours beside those that came (the figures that we declared). */
MUST_CHECK enum rc requester_keep(struct requester *requester, const struct composed *message);
/* Writes what came since, and acknowledges it: call it every some ten milliseconds. */
MUST_CHECK enum rc requester_flush(struct requester *requester);

struct requester_figures {
    size_t unanswered; /* sent, no answer yet */
    size_t receipts;   /* of what was sent, since the start */
    size_t refusals;
    size_t deliveries; /* acknowledged, since the start */
    size_t reports;    /* StatusReports among them */
    size_t unproven;
    int64_t quiet_ms; /* since something last came */
    bool is_broken;   /* a stream ended for good; see the refusal */
};

struct requester_figures requester_figures(struct requester *requester);
/* The first refusal for good, "" when there was none: "motivo ruta: remedio". */
const char *requester_refusal(struct requester *requester);

#endif
