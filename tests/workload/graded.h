/*
 * graded - the newest checkpoint of a log that its witnesses cosigned, judged by the policy of the
 * reader's own profile.
 */
#ifndef WORKLOAD_GRADED_H
#define WORKLOAD_GRADED_H

#include <stdint.h>

#include "base/rc.h"

struct session;
struct vkey;

struct grade {
    uint64_t size;   /* leaves that the quorum covers; 0: there is none */
    size_t counted;  /* witnesses of other institutions */
    size_t foreign;  /* that could count */
    int is_required; /* the profile has a policy */
};

/*
 * Waits until a quorum covers these leaves, GRADED_WAIT_MS at most, and says what there is then. A
 * note that does not verify is RC_DATA_LOSS.
 */
#define GRADED_WAIT_MS 15000
MUST_CHECK enum rc graded_find(struct session *session, const struct vkey *log, uint64_t leaves,
                               struct grade *grade, struct fault *fault);

#endif
