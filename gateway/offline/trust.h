/*
 * trust - whom a verifier believes: keys of logs, a policy of witnesses, and how strict to be.
 *
 * A folder or a receipt never vouches for itself: keys and policy come from elsewhere. The grade of
 * a checkpoint is "firmado por la bitácora" or "atestiguado por k de n". Once a policy is given, a
 * checkpoint without its quorum fails unless `is_unwitnessed_fine`.
 */
#ifndef OFFLINE_TRUST_H
#define OFFLINE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "tlog/checkpoint.h"
#include "tlog/policy.h"
#include "tlog/succession.h"

struct report;

#define TRUST_LOGS_MAX 128
#define TRUST_OWN_MAX 16
#define TRUST_TOLERANCE_S 600

/* About 130 KiB: not for the stack. */
struct trust {
    struct vkey logs[TRUST_LOGS_MAX];
    size_t log_count;
    bool has_policy;
    struct policy policy;
    const char *own[TRUST_OWN_MAX]; /* further witnesses that never count; borrowed */
    size_t own_count;
    bool is_unwitnessed_fine;
    /* By which one of the logs ended and the next began: after its last good size nothing that a
     * stolen key signed counts. */
    bool has_succession;
    struct succession succession;
    struct buffer succession_note; /* as it was signed */
    uint64_t now_s;
    uint64_t fresh_s;     /* oldest cosignature that counts; 0: any age */
    uint64_t tolerance_s; /* between clocks */
};

MUST_CHECK enum rc trust_add_log(struct trust *trust, struct bytes vkey);
/* Reads the policy and adds its logs. RC_INVALID_ARGUMENT with the flaw. */
MUST_CHECK enum rc trust_set_policy(struct trust *trust, struct bytes text,
                                    struct policy_flaw *flaw);
/*
 * A signed statement, believed when a quorum of these authorities signed it: then its old and its
 * new key are believed, too. Codes of succession_open; RC_INVALID_ARGUMENT also for a list that is
 * none.
 */
MUST_CHECK enum rc trust_set_succession(struct trust *trust, struct bytes note,
                                        struct bytes authorities);
void trust_release(struct trust *trust);
bool trust_knows(const struct trust *trust, const char *origin);

/*
 * Parses, and verifies the log's signature by any key of its origin; the note borrows. False with a
 * finding at `where`. "key.revoked" for what the statement of succession does not let stand.
 */
bool trust_open(const struct trust *trust, struct bytes bytes, const char *where, struct note *note,
                struct checkpoint *head, struct report *report);
/*
 * Says the grade, under keys that begin with prefix ("" or "R0_"), and finds fault with a quorum
 * that is missing. The verdict may be NULL.
 */
void trust_grade(const struct trust *trust, const struct note *note, const char *prefix,
                 const char *where, struct policy_verdict *verdict, struct report *report);
/* Warns of a quorum that liars among the witnesses could fill for two views. */
void trust_judge_policy(const struct trust *trust, const char *origin, struct report *report);
/* The median of the cosignatures that count, whatever their age; false when there is none. */
bool trust_time(const struct trust *trust, const struct note *note, uint64_t *time_s);

#endif
