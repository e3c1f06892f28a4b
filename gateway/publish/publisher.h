/*
 * publisher - the thread that keeps a node's exported folders up to date, at an interval.
 *
 * It has the lowest precedence, and what fails is tried again at the next interval: one line when a
 * folder begins to fail ("export.failing", the operator's alarm) and one when it is well again.
 * Whatever happens to it, the data path goes on.
 */
#ifndef PUBLISH_PUBLISHER_H
#define PUBLISH_PUBLISHER_H

#include "publish/exporting.h"

struct publisher;

struct publisher_options {
    struct export_source source; /* copied; what it points to is borrowed */
    const char *mirror;          /* folders, borrowed; "": none */
    const char *auditors;
    int interval_s; /* at least 1 */
};

/*
 * RC_OK and NULL when there is no folder. RC_INVALID_ARGUMENT: both are one folder. The first run
 * begins at once.
 */
MUST_CHECK enum rc publisher_start(const struct publisher_options *options,
                                   struct publisher **publisher);
/* Ends the thread: a run under way ends after its page, and the next start goes on there. */
void publisher_free(struct publisher *publisher);
OWN_PTR_DEFINE(publisher)

#endif
