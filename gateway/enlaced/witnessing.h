/*
 * witnessing - the settings about witnesses that are files: read and checked before anything runs.
 *
 * Plain HTTP never leaves this machine: a listener elsewhere, or a witness's url elsewhere, is
 * refused, also by --check-config.
 */
#ifndef ENLACED_WITNESSING_H
#define ENLACED_WITNESSING_H

#include "enlaced/settings.h"

struct policy;

/* What is not set is NULL. */
struct witnessing {
    struct policy *policy; /* whose cosignatures we gather */
    struct policy *logs;   /* what we cosign beyond the directory */
};

#define WITNESSING_ERROR_SIZE 512

/* RC_INVALID_ARGUMENT with `error` "file:line: name: what is wrong". */
MUST_CHECK enum rc witnessing_read(const struct settings *settings, struct witnessing *witnessing,
                                   char error[WITNESSING_ERROR_SIZE]);
void witnessing_release(struct witnessing *witnessing);

#endif
