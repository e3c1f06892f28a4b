#include "policy/directory_clock.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/directory_stanza.h"

/* Of a route: each takes a row in every item of an exchange. */
#define FROM_ACCEPT_MAX 2

#define HOUR_MS ((int64_t)3600 * 1000)

static enum rc complain_clock(struct reading *reading, const char *value, const char *expected)
{
    return complain(reading, reading->line, "\"%.60s\": expected %s", value, expected);
}

/* ---- one clock ---- */

/* Takes the word before the next `end`, or the whole rest. */
static void take_word(const char **rest, char end, char *word, size_t size)
{
    const char *stop = strchr(*rest, end);
    size_t length = stop != NULL ? (size_t)(stop - *rest) : strlen(*rest);

    word[0] = '\0';
    if (length < size) {
        memcpy(word, *rest, length);
        word[length] = '\0';
    }
    *rest += length + (stop != NULL);
}

static bool read_limit(const char *word, struct clock_rule *rule)
{
    static const struct {
        const char *name;
        enum clock_unit unit;
        int64_t times;
    } units[] = {
        {"m", CLOCK_INSTANTS, HOUR_MS / 60},
        {"h", CLOCK_INSTANTS, HOUR_MS},
        {"d", CLOCK_CALENDAR_DAYS, 1},
        {"dh", CLOCK_WORKING_DAYS, 1},
    };
    size_t digits = strspn(word, "0123456789");

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (digits > 0 && digits <= 4 && word[0] != '0' &&
            strcmp(word + digits, units[i].name) == 0) {
            rule->unit = units[i].unit;
            rule->limit = strtol(word, NULL, 10) * units[i].times;
            return rule->unit == CLOCK_INSTANTS || rule->limit <= 366;
        }
    }
    return false;
}

/* "opening..R4" */
static enum rc read_span(struct reading *reading, const char *word, struct clock_rule *rule)
{
    const char *dots = strstr(word, "..");
    bool is_anchored = false;
    bool is_stopped = false;

    for (unsigned i = 0; dots != NULL && i < CLOCK_ANCHORS; i++) {
        const char *name = clock_anchor_name((enum clock_anchor)i);

        if (strlen(name) == (size_t)(dots - word) && memcmp(name, word, strlen(name)) == 0) {
            rule->anchor = (enum clock_anchor)i;
            is_anchored = true;
        }
    }
    for (unsigned i = 0; dots != NULL && i < CLOCK_STOPS; i++) {
        if (strcmp(dots + 2, clock_stop_name((enum clock_stop)i)) == 0) {
            rule->stop = (enum clock_stop)i;
            is_stopped = true;
        }
    }
    if (!is_anchored) {
        return complain_clock(reading, word,
                              "an anchor before \"..\": opening, decision, R3 or recall");
    }
    if (!is_stopped) {
        return complain_clock(reading, word, "a stop after \"..\": R1, R3, R4 or answer");
    }
    if (rule->anchor == ANCHOR_ACCEPT && rule->stop != STOP_IN_FORCE) {
        return complain_clock(reading, word, "an anchor before the stop: from R3 only to R4");
    }
    if ((rule->anchor == ANCHOR_RECALL) != (rule->stop == STOP_ANSWERED)) {
        return complain_clock(reading, word, "recall..answer: only a recall has an answer");
    }
    return RC_OK;
}

static enum rc read_clock(struct reading *reading, const char *value, struct clock_rule *rule)
{
    const char *rest = value;
    char word[32];
    bool has_span;

    take_word(&rest, '=', rule->id, sizeof rule->id);
    take_word(&rest, ',', word, sizeof word);
    if (rule->id[0] == '\0' || strchr("FCX", rule->id[0]) == NULL || rule->id[1] == '\0' ||
        rule->id[1 + strspn(rule->id + 1, "0123456789")] != '\0' || !read_limit(word, rule)) {
        return complain_clock(reading, value, "a clock and its limit, F1=3h, F4=10d or C1=20dh");
    }
    has_span = deadline_of_law(rule->id, rule);
    take_word(&rest, ',', word, sizeof word);
    if (strstr(word, "..") != NULL) {
        TRY(read_span(reading, word, rule));
        rule->urgency = URGENCY_NONE;
        has_span = true;
        take_word(&rest, ',', word, sizeof word);
    }
    if (strcmp(word, "urgent") == 0 || strcmp(word, "ordinary") == 0) {
        rule->urgency = word[0] == 'u' ? URGENCY_URGENT : URGENCY_ORDINARY;
        take_word(&rest, ',', word, sizeof word);
    }
    if (word[0] != '\0' || *rest != '\0' || value[strlen(value) - 1] == ',') {
        return complain_clock(reading, value, "ID=LIMIT,ANCHOR..STOP,urgent and nothing more");
    }
    return has_span ? RC_OK
                    : complain_clock(reading, value,
                                     "what it runs from and to, C1=20dh,opening..R4: federal law "
                                     "knows no such clock");
}

enum rc directory_clock_add(struct reading *reading, const char *value)
{
    struct route *route = &reading->stanza.route;
    struct clock_rule rule = {.limit = 0};

    TRY(read_clock(reading, value, &rule));
    for (size_t i = 0; i < route->clock_count; i++) {
        if (strcmp(route->clocks[i].id, rule.id) == 0) {
            return complain(reading, reading->line, "\"%s\": expected once, stands twice", rule.id);
        }
    }
    if (route->clock_count == ROUTE_CLOCKS_MAX) {
        return complain(reading, reading->line, "expected at most %d elements", ROUTE_CLOCKS_MAX);
    }
    route->clocks[route->clock_count++] = rule;
    return RC_OK;
}

/* ---- a route's clocks together ---- */

static bool meet(const struct clock_rule *a, const struct clock_rule *b)
{
    return a->anchor == b->anchor &&
           (a->urgency == URGENCY_NONE || b->urgency == URGENCY_NONE || a->urgency == b->urgency);
}

static enum rc check_pair(struct reading *reading, const struct clock_rule *a,
                          const struct clock_rule *b)
{
    if (!meet(a, b)) {
        return RC_OK;
    }
    if (a->stop == b->stop) {
        return complain(reading, reading->stanza.line,
                        "clocks: expected one from %s to %s, %s and %s both are",
                        clock_anchor_name(a->anchor), clock_stop_name(a->stop), a->id, b->id);
    }
    if (a->stop < b->stop && a->unit == b->unit && a->limit > b->limit) {
        return complain(reading, reading->stanza.line,
                        "clocks: expected %s to %s not to be over before %s to %s", b->id,
                        clock_stop_name(b->stop), a->id, clock_stop_name(a->stop));
    }
    return RC_OK;
}

static enum rc check_clocks(struct reading *reading, const struct route *route)
{
    size_t from_accept = 0;

    for (size_t i = 0; i < route->clock_count; i++) {
        const struct clock_rule *rule = &route->clocks[i];

        from_accept += rule->anchor == ANCHOR_ACCEPT;
        if (rule->urgency == URGENCY_URGENT && !route->is_urgent_allowed) {
            return complain(reading, reading->stanza.line,
                            "clocks: %s runs for urgent messages, expected urgent yes or no such "
                            "clock",
                            rule->id);
        }
        for (size_t j = 0; j < route->clock_count; j++) {
            if (j != i) {
                TRY(check_pair(reading, rule, &route->clocks[j]));
            }
        }
    }
    return from_accept <= FROM_ACCEPT_MAX
               ? RC_OK
               : complain(reading, reading->stanza.line, "clocks: expected at most %d from R3",
                          FROM_ACCEPT_MAX);
}

/* Who is told at last is another institution than the one that may be late. */
static enum rc check_ladder(struct reading *reading, const struct route *route)
{
    const char *last = route->ladder_count > 0 ? route->ladder[route->ladder_count - 1] : route->to;

    if (route->clock_count > 0 && route->ladder_count == 0) {
        return complain(reading, reading->stanza.line,
                        "ladder: expected, since clocks run along this route");
    }
    if (route->ladder_count > 0 && strcmp(last, route->to) == 0) {
        return complain(reading, reading->stanza.line,
                        "ladder: expected to end at another institution than %s", route->to);
    }
    for (size_t i = 0; i < route->clock_count; i++) {
        if (route->clocks[i].stop == STOP_RECEIVED && strcmp(last, route->from) == 0) {
            return complain(reading, reading->stanza.line,
                            "ladder: expected to end at another institution than %s, which is "
                            "late when %s runs out",
                            route->from, route->clocks[i].id);
        }
    }
    return RC_OK;
}

enum rc directory_clock_close(struct reading *reading)
{
    TRY(check_clocks(reading, &reading->stanza.route));
    return check_ladder(reading, &reading->stanza.route);
}

/* ---- holidays ---- */

static unsigned year_of(int32_t day)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_date(day, text);
    return (unsigned)strtoul(text, NULL, 10);
}

enum rc directory_clock_open_year(struct reading *reading, const char *value)
{
    if (strlen(value) != 4 || strspn(value, "0123456789") != 4 || value[0] == '0') {
        return complain(reading, reading->line, "\"%.60s\": expected a year, 2026", value);
    }
    reading->stanza.holidays.year = (unsigned)strtoul(value, NULL, 10);
    return RC_OK;
}

enum rc directory_clock_add_day(struct reading *reading, const char *value)
{
    struct holiday_year *holidays = &reading->stanza.holidays;
    int32_t day;

    if (clock_parse_date(bytes_text(value), &day) != RC_OK || year_of(day) != holidays->year) {
        return complain(reading, reading->line, "\"%.60s\": expected a date of %u", value,
                        holidays->year);
    }
    if (holidays->day_count > 0 && holidays->days[holidays->day_count - 1] >= day) {
        return complain(reading, reading->line, "\"%.60s\": expected dates in ascending order",
                        value);
    }
    if (holidays->day_count == HOLIDAYS_MAX) {
        return complain(reading, reading->line, "expected at most %d elements", HOLIDAYS_MAX);
    }
    holidays->days[holidays->day_count++] = day;
    return RC_OK;
}

static int order_years(const void *left, const void *right)
{
    const struct holiday_year *a = left, *b = right;

    return a->text != b->text ? (a->text > b->text) - (a->text < b->text)
                              : (a->year > b->year) - (a->year < b->year);
}

static bool has_year(const struct directory *d, uint16_t text, unsigned year)
{
    struct holiday_year wanted = {.text = text, .year = year};

    return bsearch(&wanted, d->holidays, d->holiday_count, sizeof wanted, order_years) != NULL;
}

static const struct clock_rule *working_clock(const struct route *route)
{
    for (size_t i = 0; i < route->clock_count; i++) {
        if (route->clocks[i].unit == CLOCK_WORKING_DAYS) {
            return &route->clocks[i];
        }
    }
    return NULL;
}

static enum rc check_years(struct reading *reading, const struct route *route)
{
    const struct directory *d = reading->directory;
    const struct clock_rule *rule = working_clock(route);
    struct dates dates = d->texts[route->text].in_force;

    for (unsigned year = year_of(dates.from_day); rule != NULL && year <= year_of(dates.to_day);
         year++) {
        if (!has_year(d, route->text, year)) {
            return complain_in(reading, route->text, route->line,
                               "clocks: %s counts working days, expected holidays %u in this text",
                               rule->id, year);
        }
    }
    return RC_OK;
}

static enum rc list_days(struct reading *reading)
{
    struct directory *d = reading->directory;

    for (size_t i = 0; i < d->holiday_count; i++) {
        const struct holiday_year *year = &d->holidays[i];
        struct holiday_list *list = &d->working_terms[year->text];
        int32_t *days = reallocarray(list->days, list->count + HOLIDAYS_MAX, sizeof *days);

        if (days == NULL) {
            return RC_RESOURCE_EXHAUSTED;
        }
        memcpy(days + list->count, year->days, year->day_count * sizeof *days);
        list->days = days;
        list->count += year->day_count;
    }
    return RC_OK;
}

enum rc directory_clock_check(struct reading *reading)
{
    struct directory *d = reading->directory;

    qsort(d->holidays, d->holiday_count, sizeof *d->holidays, order_years);
    for (size_t i = 1; i < d->holiday_count; i++) {
        if (order_years(&d->holidays[i - 1], &d->holidays[i]) == 0) {
            return complain_in(reading, d->holidays[i].text, d->holidays[i].line,
                               "holidays %u: expected once, stands twice", d->holidays[i].year);
        }
    }
    for (size_t i = 0; i < d->route_count; i++) {
        TRY(check_years(reading, &d->routes[i]));
    }
    return list_days(reading);
}
