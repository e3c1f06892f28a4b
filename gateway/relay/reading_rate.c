#include "relay/reading_rate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "policy/audit_rules.h"

#define URI_SIZE 160
#define HOUR_MS ((int64_t)3600 * 1000)
#define DAY_MS (24 * HOUR_MS)

/* What was read since `period` began. */
struct tally {
    int64_t period;
    uint64_t count;
    bool is_alarmed;
};

struct row {
    char uri[URI_SIZE];
    struct tally records;
    struct tally persons;
    struct tally rows;
    struct tally exchanges;
};

struct reading_rate {
    pthread_mutex_t lock;
    size_t used;
    struct row others;
    struct row rows[READING_RATE_MAX];
};

struct reading_rate *reading_rate_new(void)
{
    struct reading_rate *rate = calloc(1, sizeof *rate);

    if (rate != NULL) {
        pthread_mutex_init(&rate->lock, NULL);
    }
    return rate;
}

void reading_rate_free(struct reading_rate *rate)
{
    if (rate != NULL) {
        pthread_mutex_destroy(&rate->lock);
        free(rate);
    }
}

/* A row of another day may be taken over. */
static struct row *find_row(struct reading_rate *rate, const char *identity, int64_t day)
{
    struct row *idle = NULL;

    for (size_t i = 0; i < rate->used; i++) {
        if (strcmp(rate->rows[i].uri, identity) == 0) {
            return &rate->rows[i];
        }
        if (rate->rows[i].records.period / 24 < day && rate->rows[i].persons.period < day &&
            rate->rows[i].rows.period / 24 < day && rate->rows[i].exchanges.period / 24 < day) {
            idle = &rate->rows[i];
        }
    }
    if (idle == NULL && rate->used < READING_RATE_MAX) {
        idle = &rate->rows[rate->used++];
    }
    if (idle == NULL) {
        return &rate->others;
    }
    memset(idle, 0, sizeof *idle);
    snprintf(idle->uri, sizeof idle->uri, "%s", identity);
    return idle;
}

static enum rc take(struct tally *tally, int64_t period, uint64_t count, uint64_t most,
                    const char *identity, const char *what, struct fault *fault)
{
    if (tally->period != period) {
        *tally = (struct tally){.period = period};
    }
    if (count > most || tally->count > most - count) {
        log_warn("audit.ceiling", "identity=%s what=%s read=%llu most=%llu", identity, what,
                 (unsigned long long)tally->count, (unsigned long long)most);
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "audit.ceiling", what,
                      "Llegó al máximo que se lee de la bitácora en este plazo; continúe después "
                      "o acuda a la autoridad.");
    }
    tally->count += count;
    if (!tally->is_alarmed && tally->count > most / 2) {
        tally->is_alarmed = true;
        log_warn("audit.rate", "identity=%s what=%s read=%llu most=%llu alarm=half", identity, what,
                 (unsigned long long)tally->count, (unsigned long long)most);
    }
    return RC_OK;
}

enum rc reading_rate_records(struct reading_rate *rate, const char *identity,
                             const struct audit_grant *grant, uint64_t records, int64_t now_ms,
                             struct fault *fault)
{
    struct row *row;
    enum rc rc;

    pthread_mutex_lock(&rate->lock);
    row = find_row(rate, identity, now_ms / DAY_MS);
    rc = take(&row->records, now_ms / HOUR_MS, records, grant->records_per_hour, identity,
              "records", fault);
    pthread_mutex_unlock(&rate->lock);
    return rc;
}

enum rc reading_rate_rows(struct reading_rate *rate, const char *identity, uint64_t rows,
                          int64_t now_ms, struct fault *fault)
{
    struct row *row;
    enum rc rc;

    pthread_mutex_lock(&rate->lock);
    row = find_row(rate, identity, now_ms / DAY_MS);
    rc = take(&row->rows, now_ms / HOUR_MS, rows, BOARD_ROWS_PER_HOUR, identity, "rows", fault);
    pthread_mutex_unlock(&rate->lock);
    return rc;
}

enum rc reading_rate_person(struct reading_rate *rate, const char *identity,
                            const struct audit_grant *grant, int64_t now_ms, struct fault *fault)
{
    struct row *row;
    enum rc rc;

    pthread_mutex_lock(&rate->lock);
    row = find_row(rate, identity, now_ms / DAY_MS);
    rc =
        take(&row->persons, now_ms / DAY_MS, 1, grant->persons_per_day, identity, "persons", fault);
    pthread_mutex_unlock(&rate->lock);
    return rc;
}

enum rc reading_rate_exchange(struct reading_rate *rate, const struct identity *identity,
                              int64_t now_ms, struct fault *fault)
{
    struct row *row;
    enum rc rc;

    if (identity->kind != IDENTITY_OFFICIAL) {
        return RC_OK;
    }
    pthread_mutex_lock(&rate->lock);
    row = find_row(rate, identity->uri, now_ms / DAY_MS);
    rc = take(&row->exchanges, now_ms / HOUR_MS, 1, OFFICIAL_EXCHANGES_PER_HOUR, identity->uri,
              "exchanges", fault);
    pthread_mutex_unlock(&rate->lock);
    return rc;
}
