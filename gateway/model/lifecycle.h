/*
 * lifecycle - the life of an item: one const table {from, event, to, who, signed}.
 *
 * State is kept per item of an exchange; both nodes keep it and derive it from the same messages.
 * R1 is the other node's receipt, R2 custody, R3 accept or decline, R4 in force.
 */
#ifndef MODEL_LIFECYCLE_H
#define MODEL_LIFECYCLE_H

#include <stdbool.h>

#include "model/message.h"

/* The wire's values (enlace.v1.State). */
enum state {
    STATE_NONE = 0,
    STATE_SENT,
    STATE_RECEIVED,
    STATE_IN_CUSTODY,
    STATE_ACCEPTED,
    STATE_IN_PROGRESS,
    STATE_IN_FORCE,
    STATE_ENDED,
    STATE_CLOSED,
    STATE_DECLINED,
    STATE_FAILED,
    STATE_ON_HOLD,
    STATE_RECALLED,
    STATE_PURGED,
    STATE_KEPT,
    STATE_ENTERED_IN_ERROR,
    STATE_AWAITING_APPROVAL, /* before SENT */
    STATES
};

/* Who may do it: a side of the exchange. */
enum side { SIDE_NONE, SIDE_REQUESTER, SIDE_EXECUTOR };

struct transition {
    enum state from;
    enum event event;
    enum state to;
    enum side who;
    bool is_signed; /* by the named official behind it */
};

/* NULL: no such step from there by this side. */
const struct transition *lifecycle_step(enum state from, enum event event, enum side who);
/* Must this event be signed by an official, whatever the state? */
bool event_is_signed(enum event event);
/* A recall asks for what the executor holds, whatever became of the item: also when it was closed,
 * declined, or kept at another recall. */
bool state_is_recallable(enum state state);
/* Recalled, and perhaps answered. */
bool state_was_recalled(enum state state);
/* Reports count occurrences while an item is in one of these. */
bool state_takes_reports(enum state state);
/*
 * Who must act: never nobody. Only R3, accepted, moves it to the executor; a decline leaves it
 * where it was, a failure gives it back, and what is over stays with the one whose case it is.
 */
enum side state_responsible(enum state state);
/* "in-force" */
const char *state_name(enum state state);
/* FHIR R4 Task.status, http://hl7.org/fhir/R4/valueset-task-status.html */
const char *state_fhir_task(enum state state);

#endif
