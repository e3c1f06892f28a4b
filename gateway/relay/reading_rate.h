/*
 * reading_rate - how much one identity has read of the log in this hour and this day.
 *
 * At half of a ceiling the operator's log has an alarm, once an hour or a day; past it the reading
 * is refused until the hour, or the day, is over. Kept in memory: a restart begins anew, and the
 * leaves that end the sessions hold the counts for whoever adds them up. Bounded: READING_RATE_MAX
 * identities are told apart, the others share one row. Any thread (one short lock).
 */
#ifndef RELAY_READING_RATE_H
#define RELAY_READING_RATE_H

#include <stdint.h>

#include "base/own.h"
#include "base/rc.h"

struct audit_grant;
struct identity;
struct reading_rate;

#define READING_RATE_MAX 1024

struct reading_rate *reading_rate_new(void);
void reading_rate_free(struct reading_rate *rate);
OWN_PTR_DEFINE(reading_rate)

/* Before they are shown. RC_RESOURCE_EXHAUSTED "audit.ceiling". */
MUST_CHECK enum rc reading_rate_records(struct reading_rate *rate, const char *identity,
                                        const struct audit_grant *grant, uint64_t records,
                                        int64_t now_ms, struct fault *fault);
/* The same for open exchanges (relay/board): a board that shows 300 of them every 10 s stays below.
 */
#define BOARD_ROWS_PER_HOUR ((uint64_t)250000)
MUST_CHECK enum rc reading_rate_rows(struct reading_rate *rate, const char *identity, uint64_t rows,
                                     int64_t now_ms, struct fault *fault);
/*
 * One exchange or delivery more that is shown to this identity: Track and Inbox. A ceiling for
 * officials, who read for themselves; a system of the member takes what it is owed.
 */
#define OFFICIAL_EXCHANGES_PER_HOUR ((uint64_t)600)
MUST_CHECK enum rc reading_rate_exchange(struct reading_rate *rate, const struct identity *identity,
                                         int64_t now_ms, struct fault *fault);

/* The same for one person more. */
MUST_CHECK enum rc reading_rate_person(struct reading_rate *rate, const char *identity,
                                       const struct audit_grant *grant, int64_t now_ms,
                                       struct fault *fault);

#endif
