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
/* The same second as people in Mexico City read it: "2026-11-23T13:32:30-06:00". */
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
/* The local date in Mexico City: UTC-06:00, without daylight saving since 2022-10-30. */
int32_t clock_local_day(int64_t instant_ms);

#endif
