/*
 * condition - how a node is doing, in figures: what `enlace status` shows, what the console's cards
 * hold, and what Prometheus reads. One table names them all, so that the three say the same.
 *
 * Figures only: codes of institutions and nodes, never a message, an exchange or a person.
 */
#ifndef MODEL_CONDITION_H
#define MODEL_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/rc.h"

#define SAMPLE_LABELS_MAX 2
#define SAMPLE_LABEL_SIZE 96
#define CONDITION_SAMPLES_MAX 1024

/* Order of print. Instants are seconds since 1970. */
enum metric {
    METRIC_NODE,              /* labels node, origin; 1 */
    METRIC_STARTED,           /* instant */
    METRIC_LOG_LEAVES,        /* counter */
    METRIC_LOG_LAST,          /* instant of the newest leaf */
    METRIC_INDEX_LEAVES,      /* how far the index reaches */
    METRIC_MESSAGES,          /* labels way (sent, received), urgency; counter since the start */
    METRIC_REFUSALS,          /* counter since the start */
    METRIC_WRITER_WAITING,    /* writes that wait for a commit */
    METRIC_QUEUE,             /* labels destination, urgency; messages, counted to 10,000 */
    METRIC_QUEUE_OLDEST,      /* labels destination, urgency; seconds that the oldest waits */
    METRIC_LINK_UP,           /* labels peer, urgency; 1 or 0 */
    METRIC_LINK_FAILURES,     /* likewise; attempts that failed since it was up */
    METRIC_ATTACHED,          /* labels member, urgency; streams of attached systems */
    METRIC_WITNESSES,         /* foreign witnesses that could count */
    METRIC_WITNESSES_COUNTED, /* those of the newest quorum */
    METRIC_WITNESSED_LEAVES,  /* size of the newest checkpoint with a quorum */
    METRIC_WITNESS_LAG,       /* seconds */
    METRIC_WITNESS_STATE,     /* 0 fine, 1 loud, 2 ordinary messages wait */
    METRIC_CLOCK_STATE,       /* 0 believed, else in doubt (store/leaf_clock.h) */
    METRIC_CERTIFICATE_ENDS,  /* label what; instant */
    METRIC_DIRECTORY_ENDS,    /* label subject; instant after which the text is out of force */
    METRIC_DIRECTORY_VERSION, /* label subject */
    METRIC_DISK_FREE,         /* label folder (data, vault); bytes */
    METRIC_DISK_FLOOR,        /* bytes below which nothing is accepted */
    METRIC_MEMORY,            /* resident bytes */
    METRICS
};

struct metric_row {
    const char *name;
    const char *help;
    bool is_counter; /* else a gauge */
    const char *labels[SAMPLE_LABELS_MAX];
};

struct sample {
    enum metric metric;
    char labels[SAMPLE_LABELS_MAX][SAMPLE_LABEL_SIZE];
    int64_t value;
};

/* Samples of one metric stand together, in the order of the table. */
struct condition {
    struct sample *items;
    size_t count;
    size_t max; /* what comes beyond is left out, and is_cut says so */
    bool is_cut;
};

const struct metric_row *metric_row(enum metric metric);
/* METRICS: there is none of this name. */
enum metric metric_by_name(const char *name);

/* Labels may be NULL where the metric has none; longer ones are cut. */
void condition_add(struct condition *condition, enum metric metric, const char *label,
                   const char *second, int64_t value);
/* The first sample of a metric whose first label is this (NULL: any), or NULL. */
const struct sample *condition_find(const struct condition *condition, enum metric metric,
                                    const char *label);

/* Prometheus' text format, version 0.0.4. */
void condition_print(const struct condition *condition, struct buffer *out);
#define CONDITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
