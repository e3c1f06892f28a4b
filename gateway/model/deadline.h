/*
 * deadline - from a clock of the law and the instant that anchors it to the instant when it is due.
 *
 * A rule says how long, from what and until what; a route of the directory holds it
 * (policy/directory_file.h explains how it is written). Hours count on UTC instants. Calendar days
 * (naturales) and working days (hábiles) count local dates of Mexico City, begin with the day after
 * the anchor's, and are due at the end of the last one. Working days are Monday to Friday but for
 * the holidays given. Both nodes of an exchange compute the same from the same messages and texts.
 *
 * Pure; any thread.
 */
#ifndef MODEL_DEADLINE_H
#define MODEL_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/lifecycle.h"
#include "model/message.h"

#define CLOCK_ID_SIZE 16

enum clock_unit { CLOCK_INSTANTS, CLOCK_CALENDAR_DAYS, CLOCK_WORKING_DAYS, CLOCK_UNITS };

/* What it runs from. An act told by telephone or on paper counts from when it happened. */
enum clock_anchor {
    ANCHOR_OPENING,  /* the exchange's first message */
    ANCHOR_DECISION, /* the decision that it cites: from the beginning of that local day */
    ANCHOR_ACCEPT,   /* R3 */
    ANCHOR_RECALL,   /* the exchange was recalled */
    CLOCK_ANCHORS
};

/* What it runs to. */
enum clock_stop {
    STOP_RECEIVED, /* R1: told to the other institution's node; the requester may be late */
    STOP_DECIDED,  /* R3: a named official accepted or declined */
    STOP_IN_FORCE, /* R4 */
    STOP_ANSWERED, /* a recall's answer: purged, or kept for a reason */
    CLOCK_STOPS
};

/* No padding: routes are compared as bytes. */
struct clock_rule {
    char id[CLOCK_ID_SIZE]; /* "F1" */
    int64_t limit;          /* milliseconds, or days */
    enum clock_unit unit;
    enum clock_anchor anchor;
    enum clock_stop stop;
    enum urgency urgency; /* runs for messages of this one; URGENCY_NONE: of either */
};

/* Local dates, ascending. */
struct holidays {
    const int32_t *days;
    size_t count;
};

int64_t deadline_due_ms(const struct clock_rule *rule, int64_t anchored_ms,
                        const struct holidays *holidays);
/* When so much of it is gone: 50, 75, 100. */
int64_t deadline_share_ms(int64_t anchored_ms, int64_t due_ms, unsigned percent);
/* What is left, 100 to 0, rounded down. */
unsigned deadline_percent_left(int64_t anchored_ms, int64_t due_ms, int64_t now_ms);

/* Does an item in this state still owe what stops the clock? Being on hold stops none. For R1 the
 * exchange says it, not the item. */
bool deadline_is_owed(enum clock_stop stop, enum state state);

/*
 * What the federal law means by an id (LPPDDHP 26, 27, 29, 61-62): anchor, stop and urgency. False:
 * the law does not know it, and the route says it. F2's anchor is ambiguous in the law; without a
 * word in the route it runs from R3, so that the worst case is 12 hours from the request.
 */
bool deadline_of_law(const char *id, struct clock_rule *rule);
/* "opening", "decision", "R3"; "R1", "R3", "R4" */
const char *clock_anchor_name(enum clock_anchor anchor);
const char *clock_stop_name(enum clock_stop stop);

/*
 * A measure's occurrences: `count` times in each period, counted from the local day on which it
 * came into force. The n-th after `base` is due at the end of the period in which it falls;
 * INT64_MAX when nothing says when (once, without an end). Occurrences after the measure's last day
 * are not due: INT64_MAX as well.
 */
struct cadence {
    enum period period;
    uint32_t count;
    int32_t from_day;
    int32_t ends_day; /* the last one; CADENCE_ENDLESS */
    uint32_t base;    /* reported before from_day */
};

#define CADENCE_ENDLESS INT32_MAX
/* What is missing when an occurrence is not reported, as a clock's id. */
#define CADENCE_CLOCK "OCURRENCIA"
/* A recall's answer is due after 72 hours, of an urgent exchange after 12: our own choice, where
 * the route says nothing else ("X1=48h,recall..answer"). No article fixes it. */
#define RECALL_CLOCK "RETIRO"

int64_t cadence_due_ms(const struct cadence *cadence, uint32_t occurrence);
/* How many should have been reported by now, base included. */
uint32_t cadence_expected(const struct cadence *cadence, int64_t now_ms);

#endif
