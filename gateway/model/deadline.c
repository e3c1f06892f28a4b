#include "model/deadline.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* ---- clocks ---- */

static int compare_days(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;

    return (a > b) - (a < b);
}

static bool is_working_day(int32_t day, const struct holidays *holidays)
{
    int weekday = clock_weekday(day);

    return weekday != 0 && weekday != 6 &&
           (holidays->count == 0 || bsearch(&day, holidays->days, holidays->count,
                                            sizeof *holidays->days, compare_days) == NULL);
}

static int32_t last_working_day(int32_t day, int64_t count, const struct holidays *holidays)
{
    while (count > 0) {
        day++;
        count -= is_working_day(day, holidays);
    }
    return day;
}

int64_t deadline_due_ms(const struct clock_rule *rule, int64_t anchored_ms,
                        const struct holidays *holidays)
{
    int32_t day = clock_local_day(anchored_ms);

    switch (rule->unit) {
    case CLOCK_CALENDAR_DAYS:
        return clock_local_midnight_ms(day + (int32_t)rule->limit + 1);
    case CLOCK_WORKING_DAYS:
        return clock_local_midnight_ms(last_working_day(day, rule->limit, holidays) + 1);
    default:
        return anchored_ms + rule->limit;
    }
}

int64_t deadline_share_ms(int64_t anchored_ms, int64_t due_ms, unsigned percent)
{
    return anchored_ms + (due_ms - anchored_ms) * percent / 100;
}

unsigned deadline_percent_left(int64_t anchored_ms, int64_t due_ms, int64_t now_ms)
{
    if (now_ms >= due_ms) {
        return 0;
    }
    if (now_ms <= anchored_ms) {
        return 100;
    }
    return (unsigned)((due_ms - now_ms) * 100 / (due_ms - anchored_ms));
}

bool deadline_is_owed(enum clock_stop stop, enum state state)
{
    switch (state) {
    case STATE_AWAITING_APPROVAL:
    case STATE_SENT:
    case STATE_RECEIVED:
    case STATE_IN_CUSTODY:
        return stop != STOP_ANSWERED;
    case STATE_ACCEPTED:
    case STATE_IN_PROGRESS:
    case STATE_ON_HOLD:
        return stop == STOP_IN_FORCE;
    case STATE_RECALLED:
        return stop == STOP_ANSWERED;
    default:
        return false;
    }
}

bool deadline_of_law(const char *id, struct clock_rule *rule)
{
    static const struct clock_rule rows[] = {
        {"F1", 0, 0, ANCHOR_OPENING, STOP_DECIDED, URGENCY_URGENT},
        {"F2", 0, 0, ANCHOR_ACCEPT, STOP_IN_FORCE, URGENCY_URGENT},
        {"F4", 0, 0, ANCHOR_OPENING, STOP_DECIDED, URGENCY_ORDINARY},
        {"F5", 0, 0, ANCHOR_DECISION, STOP_RECEIVED, URGENCY_NONE},
        {"F6", 0, 0, ANCHOR_OPENING, STOP_IN_FORCE, URGENCY_ORDINARY},
        {"F9", 0, 0, ANCHOR_OPENING, STOP_DECIDED, URGENCY_URGENT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].id, id) == 0) {
            rule->anchor = rows[i].anchor;
            rule->stop = rows[i].stop;
            rule->urgency = rows[i].urgency;
            return true;
        }
    }
    return false;
}

const char *clock_anchor_name(enum clock_anchor anchor)
{
    static const char *const names[CLOCK_ANCHORS] = {"opening", "decision", "R3", "recall"};

    return names[anchor];
}

const char *clock_stop_name(enum clock_stop stop)
{
    static const char *const names[CLOCK_STOPS] = {"R1", "R3", "R4", "answer"};

    return names[stop];
}

/* ---- occurrences ---- */

/* The first day after so many periods. */
static int32_t period_end(const struct cadence *cadence, uint32_t periods)
{
    switch (cadence->period) {
    case PERIOD_DAY:
        return cadence->from_day + (int32_t)periods;
    case PERIOD_WEEK:
        return cadence->from_day + 7 * (int32_t)periods;
    default:
        return clock_add_months(cadence->from_day, periods);
    }
}

int64_t cadence_due_ms(const struct cadence *cadence, uint32_t occurrence)
{
    uint32_t place = occurrence - cadence->base; /* 1, 2, 3 ... */
    bool has_end = cadence->ends_day != CADENCE_ENDLESS;
    int32_t end;

    if (cadence->count == 0 || cadence->period == PERIOD_NONE || occurrence <= cadence->base) {
        return INT64_MAX;
    }
    if (cadence->period == PERIOD_ONCE) {
        return place <= cadence->count && has_end ? clock_local_midnight_ms(cadence->ends_day + 1)
                                                  : INT64_MAX;
    }
    end = period_end(cadence, (place - 1) / cadence->count + 1);
    return has_end && end > cadence->ends_day + 1 ? INT64_MAX : clock_local_midnight_ms(end);
}

uint32_t cadence_expected(const struct cadence *cadence, int64_t now_ms)
{
    uint32_t low = 0; /* due for certain */
    uint32_t high = 1u << 20;

    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;

        if (cadence_due_ms(cadence, cadence->base + middle) <= now_ms) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return cadence->base + low;
}
