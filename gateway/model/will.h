/*
 * will - what a person wants done with her or his data, as the member that attends to the person
 * keeps it: consent, and whom the person excluded.
 */
#ifndef MODEL_WILL_H
#define MODEL_WILL_H

#include <stddef.h>
#include <stdint.h>

#include "model/directory.h"
#include "model/id.h"

#define WILL_EXCLUDED_MAX 16
#define WILL_STANDING_MAX 8
/* "cdmx/ssc", "cdmx/ssc/system/adapter", "cdmx/ssc/official/enlace-01" */
#define WILL_NAME_SIZE 128
#define WILL_RATIFY_MS ((int64_t)72 * 3600 * 1000)

enum will_consent {
    WILL_UNKNOWN, /* what each message says */
    WILL_GIVEN,   /* with a reference to the signed paper */
    WILL_IMPEDED, /* an official decided for the person, and it waits for ratification */
    WILL_WITHDRAWN,
    WILL_CONSENTS
};

struct will {
    enum will_consent consent;
    char reference[CODE_SIZE + 1];
    char official[CODE_SIZE]; /* who last changed the consent, or decided for the person */
    int64_t since_ms;
    int64_t ratify_by_ms; /* WILL_IMPEDED */
    struct id impeded_by; /* the message that an official decided to send */
    char excluded[WILL_EXCLUDED_MAX][WILL_NAME_SIZE];
    size_t excluded_count;
    char standing[WILL_STANDING_MAX][CODE_SIZE]; /* officials of the member who attend the case */
    size_t standing_count;
};

#endif
