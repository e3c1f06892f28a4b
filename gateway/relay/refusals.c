#include "relay/refusals.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITIES_MAX 4096

struct row {
    char uri[REFUSALS_URI_SIZE];
    int64_t minute;
    uint32_t admitted;
    uint32_t counted;
};

struct refusals {
    pthread_mutex_t lock;
    size_t used;
    uint64_t total;
    struct row others; /* everybody who found no row */
    struct row rows[IDENTITIES_MAX];
};

struct refusals *refusals_new(void)
{
    struct refusals *refusals = calloc(1, sizeof *refusals);

    if (refusals != NULL) {
        pthread_mutex_init(&refusals->lock, NULL);
        snprintf(refusals->others.uri, sizeof refusals->others.uri, "others");
    }
    return refusals;
}

void refusals_free(struct refusals *refusals)
{
    if (refusals != NULL) {
        pthread_mutex_destroy(&refusals->lock);
        free(refusals);
    }
}

bool refusal_is_policy(enum rc rc)
{
    return rc == RC_PERMISSION_DENIED || rc == RC_FAILED_PRECONDITION || rc == RC_ALREADY_EXISTS ||
           rc == RC_NOT_FOUND || rc == RC_INVALID_ARGUMENT || rc == RC_OUT_OF_RANGE ||
           rc == RC_DATA_LOSS;
}

/* An idle row (another minute, nothing counted) may be taken over. */
static struct row *find_row(struct refusals *refusals, const char *uri, int64_t minute)
{
    struct row *idle = NULL;

    for (size_t i = 0; i < refusals->used; i++) {
        struct row *row = &refusals->rows[i];

        if (strcmp(row->uri, uri) == 0) {
            return row;
        }
        if (row->minute != minute && row->counted == 0) {
            idle = row;
        }
    }
    if (idle == NULL && refusals->used < IDENTITIES_MAX) {
        idle = &refusals->rows[refusals->used++];
    }
    if (idle == NULL) {
        return &refusals->others;
    }
    memset(idle, 0, sizeof *idle);
    snprintf(idle->uri, sizeof idle->uri, "%s", uri);
    idle->minute = minute;
    return idle;
}

bool refusals_admit(struct refusals *refusals, const char *identity_uri, int64_t now_ms)
{
    int64_t minute = now_ms / 60000;
    struct row *row;
    bool is_admitted;

    pthread_mutex_lock(&refusals->lock);
    refusals->total++;
    row = find_row(refusals, identity_uri, minute);
    if (row->minute != minute && row->counted == 0) {
        row->minute = minute;
        row->admitted = 0;
    }
    is_admitted = row->minute == minute && row->admitted < REFUSALS_PER_MINUTE;
    if (is_admitted) {
        row->admitted++;
    } else {
        row->counted++;
    }
    pthread_mutex_unlock(&refusals->lock);
    return is_admitted;
}

static bool take_row(struct row *row, int64_t minute, struct refusals_count *count)
{
    if (row->counted == 0 || row->minute == minute) {
        return false;
    }
    snprintf(count->identity_uri, sizeof count->identity_uri, "%s", row->uri);
    count->count = row->counted;
    row->counted = 0;
    row->admitted = 0;
    row->minute = minute;
    return true;
}

uint64_t refusals_total(struct refusals *refusals)
{
    uint64_t total;

    pthread_mutex_lock(&refusals->lock);
    total = refusals->total;
    pthread_mutex_unlock(&refusals->lock);
    return total;
}

bool refusals_take(struct refusals *refusals, int64_t now_ms, struct refusals_count *count)
{
    int64_t minute = now_ms / 60000;
    bool taken = false;

    pthread_mutex_lock(&refusals->lock);
    taken = take_row(&refusals->others, minute, count);
    for (size_t i = 0; i < refusals->used && !taken; i++) {
        taken = take_row(&refusals->rows[i], minute, count);
    }
    pthread_mutex_unlock(&refusals->lock);
    return taken;
}
