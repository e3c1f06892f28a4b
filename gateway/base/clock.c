#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_monotonic_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t duration_ms)
{
    struct timespec wait = {.tv_sec = duration_ms / 1000,
                            .tv_nsec = (long)(duration_ms % 1000) * 1000000};

    nanosleep(&wait, NULL);
}

void clock_format(int64_t instant_ms, char out[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(instant_ms / 1000 - (instant_ms % 1000 < 0 ? 1 : 0));
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* ---- the zone of Mexico City ---- */

#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

static int32_t day_of(int year, int month, int date)
{
    struct tm utc = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = date};

    return (int32_t)(timegm(&utc) / 86400);
}

int clock_weekday(int32_t day)
{
    return (int)(((int64_t)day + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
}

static int32_t first_sunday(int year, int month)
{
    int32_t first = day_of(year, month, 1);

    return first + (7 - clock_weekday(first)) % 7;
}

static int32_t last_sunday(int year, int month)
{
    int32_t last = day_of(year, month + 1, 1) - 1;

    return last - clock_weekday(last);
}

/* Decree of 1996-01-04, its exception of 2001, and the law of 2022-10-28 that ended it. */
static bool is_summer(int64_t instant_ms)
{
    time_t seconds = (time_t)(instant_ms / 1000);
    struct tm utc;
    int year;
    int64_t from_ms, to_ms;

    gmtime_r(&seconds, &utc);
    year = utc.tm_year + 1900;
    if (year < 1996 || year > 2022) {
        return false;
    }
    from_ms = first_sunday(year, year == 2001 ? 5 : 4) * DAY_MS + 8 * HOUR_MS;
    to_ms = last_sunday(year, year == 2001 ? 9 : 10) * DAY_MS + 7 * HOUR_MS;
    return instant_ms >= from_ms && instant_ms < to_ms;
}

/* The last summer's end: what is asked of nearly always lies after it. */
#define LAST_SUMMER_MS (INT64_C(1667113200) * 1000)

static int64_t local_offset_ms(int64_t instant_ms)
{
    return (instant_ms < LAST_SUMMER_MS && is_summer(instant_ms) ? -5 : -6) * HOUR_MS;
}

void clock_format_local(int64_t instant_ms, char out[CLOCK_TEXT_SIZE])
{
    int64_t offset_ms = local_offset_ms(instant_ms);
    char text[CLOCK_TEXT_SIZE];

    clock_format(instant_ms + offset_ms, text);
    snprintf(out, CLOCK_TEXT_SIZE, "%.19s-0%d:00", text, (int)(-offset_ms / HOUR_MS));
}

int32_t clock_local_day(int64_t instant_ms)
{
    return clock_day(instant_ms + local_offset_ms(instant_ms));
}

int64_t clock_local_midnight_ms(int32_t day)
{
    int64_t standard_ms = (int64_t)day * DAY_MS + 6 * HOUR_MS;

    return is_summer(standard_ms - HOUR_MS) ? standard_ms - HOUR_MS : standard_ms;
}

int32_t clock_add_months(int32_t day, unsigned months)
{
    time_t seconds = (time_t)day * 86400;
    struct tm utc;
    int month, year;
    int32_t next, last;

    gmtime_r(&seconds, &utc);
    month = utc.tm_mon + (int)months;
    year = utc.tm_year + 1900 + month / 12;
    next = day_of(year, month % 12 + 1, utc.tm_mday);
    last = day_of(year, month % 12 + 2, 1) - 1;
    return next < last ? next : last;
}

static bool digits(struct bytes text, size_t at, size_t count, int *value)
{
    *value = 0;
    for (size_t i = at; i < at + count; i++) {
        if (i >= text.size || text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        *value = *value * 10 + (text.data[i] - '0');
    }
    return true;
}

static bool is_at(struct bytes text, size_t at, char wanted)
{
    return at < text.size && text.data[at] == (uint8_t)wanted;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool parse_day(struct bytes text, int32_t *day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, date;
    struct tm utc = {0};

    if (!digits(text, 0, 4, &year) || !is_at(text, 4, '-') || !digits(text, 5, 2, &month) ||
        !is_at(text, 7, '-') || !digits(text, 8, 2, &date)) {
        return false;
    }
    if (year < 1900 || month < 1 || month > 12 || date < 1 ||
        date > lengths[month - 1] + (month == 2 && is_leap(year) ? 1 : 0)) {
        return false;
    }
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    utc.tm_mday = date;
    *day = (int32_t)(timegm(&utc) / 86400);
    return true;
}

/* The zone at `at`, to the end of the text, in minutes east. */
static bool parse_zone(struct bytes text, size_t at, int *minutes)
{
    int hours, rest;

    if (is_at(text, at, 'Z')) {
        *minutes = 0;
        return at + 1 == text.size;
    }
    if (!(is_at(text, at, '+') || is_at(text, at, '-')) || !digits(text, at + 1, 2, &hours) ||
        !is_at(text, at + 3, ':') || !digits(text, at + 4, 2, &rest) || at + 6 != text.size ||
        hours > 23 || rest > 59) {
        return false;
    }
    *minutes = hours * 60 + rest;
    if (is_at(text, at, '-')) {
        *minutes = -*minutes;
        return *minutes != 0;
    }
    return true;
}

enum rc clock_parse(struct bytes text, int64_t *instant_ms)
{
    int hour, minute, second, zone;
    int millis = 0;
    size_t at = 19;
    int32_t day;

    if (!parse_day(text, &day) || !is_at(text, 10, 'T') || !digits(text, 11, 2, &hour) ||
        !is_at(text, 13, ':') || !digits(text, 14, 2, &minute) || !is_at(text, 16, ':') ||
        !digits(text, 17, 2, &second) || hour > 23 || minute > 59 || second > 59) {
        return RC_INVALID_ARGUMENT;
    }
    if (is_at(text, at, '.')) {
        size_t fraction = at + 1;

        if (!digits(text, fraction, 3, &millis)) {
            return RC_INVALID_ARGUMENT; /* exactly milliseconds, or none */
        }
        at = fraction + 3;
    }
    if (!parse_zone(text, at, &zone)) {
        return RC_INVALID_ARGUMENT;
    }
    *instant_ms =
        ((int64_t)day * 86400 + hour * 3600 + minute * 60 + second - zone * 60) * 1000 + millis;
    return RC_OK;
}

enum rc clock_parse_date(struct bytes text, int32_t *day)
{
    return text.size == 10 && parse_day(text, day) ? RC_OK : RC_INVALID_ARGUMENT;
}

void clock_format_date(int32_t day, char out[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)day * 86400;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%d", &utc);
}

int32_t clock_day(int64_t instant_ms)
{
    int64_t day = instant_ms / 86400000;

    return (int32_t)(instant_ms % 86400000 < 0 ? day - 1 : day);
}
