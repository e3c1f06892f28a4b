/*
 * clock - wall and monotonic time, and RFC 3339 texts.
 *
 * Instants are UTC milliseconds since 1970. Tests set the wall clock from outside (faketime);
 * nothing here can be switched. Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#include "base/bytes.h"

int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* For the scheduler and for programs that wait; never on a queue's thread. */
void clock_sleep_ms(int64_t duration_ms);

#define CLOCK_TEXT_SIZE 32
/* "2026-11-23T19:32:30Z": the second in which the instant lies. */
void clock_format(int64_t instant_ms, char out[CLOCK_TEXT_SIZE]);
/* The same second as people in Mexico City read it: "2026-11-23T13:32:30-06:00", and "-05:00" in
 * the summers until 2022. */
void clock_format_local(int64_t instant_ms, char out[CLOCK_TEXT_SIZE]);

/*
 * RFC 3339 §5.6 with an explicit offset: "2019-06-03T10:00:00-06:00". Refuses a time without a
 * zone, a lower-case t or z, leap seconds, a fraction that is not three digits, impossible dates,
 * "-00:00" (offset unknown), and years before 1900.
 */
MUST_CHECK enum rc clock_parse(struct bytes text, int64_t *instant_ms);

/* "2019-12-12": a local date, as days since 1970-01-01. */
MUST_CHECK enum rc clock_parse_date(struct bytes text, int32_t *day);
void clock_format_date(int32_t day, char out[CLOCK_TEXT_SIZE]);
/* The UTC date of an instant. */
int32_t clock_day(int64_t instant_ms);
/*
 * The local date in Mexico City, whatever zone the process is in: UTC-06:00; from 1996 to 2022
 * UTC-05:00 from the first Sunday of April to the last of October, in 2001 from the first Sunday of
 * May to the last of September, changing at 2:00 on the clock of that night.
 */
int32_t clock_local_day(int64_t instant_ms);
/* The instant at which that local day begins. */
int64_t clock_local_midnight_ms(int32_t day);
/* 0 is Sunday. */
int clock_weekday(int32_t day);
/* The same date so many months later, or the last of its month: 31 January and one are 28
 * February. */
int32_t clock_add_months(int32_t day, unsigned months);

#endif
