/*
 * explain - why a message may travel, or not: each check that decides, and the line of the
 * directory that decided it. The checks are those of policy/route and policy/allowed, run by the
 * same code: here they only go on after the first that fails. What needs keys is not looked at
 * (signatures, seals, ids). Pure.
 */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include "base/rc.h"
#include "model/directory.h"

#define EXPLAIN_CHECKS_MAX 24

struct explain_check {
    const char *name; /* in Spanish; constant */
    bool is_kept;
    uint16_t text; /* TEXT_NONE: no line decides it */
    unsigned line;
    char reason[48]; /* when it is not kept */
    char remedy[224];
};

struct explanation {
    struct explain_check checks[EXPLAIN_CHECKS_MAX];
    size_t count;
    const struct route *route; /* NULL: none was found */
};

/* For a message that would open an exchange. RC_OK, or that of the first check that fails. */
MUST_CHECK enum rc explain_opening(const struct directory *directory, const struct message *message,
                                   int32_t today, struct explanation *explanation,
                                   struct fault *fault);

/* Used by policy/route: notes how a check ended. Without an explanation it is `rc` itself. */
enum rc explain_note(struct explanation *explanation, const char *name, uint16_t text,
                     unsigned line, enum rc rc, struct fault *fault);

#endif
