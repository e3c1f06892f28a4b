#include "workload/graded.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "tlog/checkpoint.h"
#include "tlog/policy.h"

#define ARENA ((size_t)1 << 20)
#define LOOK_MS 200

static enum rc read_policy(const char *path, struct policy *policy, struct fault *fault)
{
    OWN(buffer) text = {0};
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t size;

    while (file != NULL && text.size <= POLICY_SIZE_MAX &&
           (size = fread(piece, 1, sizeof piece, file)) > 0) {
        buffer_put(&text, piece, size);
    }
    if (file != NULL) {
        fclose(file);
    }
    return policy_parse(buffer_bytes(&text), policy, NULL) == RC_OK
               ? RC_OK
               : refuse(fault, RC_INVALID_ARGUMENT, "file.policy", path, "No es una política.");
}

static enum rc judge(const struct policy *policy, const struct vkey *log, struct bytes bytes,
                     struct grade *grade, struct fault *fault)
{
    static const struct policy_rules rules;
    struct policy_verdict verdict;
    struct checkpoint head;
    struct note note;

    if (bytes.size == 0) {
        return RC_OK;
    }
    if (checkpoint_open(bytes, log, &note, &head) != RC_OK) {
        return refuse(fault, RC_DATA_LOSS, "checkpoint.signature", log->name,
                      "El sello con testigos no lleva la firma de su bitácora.");
    }
    policy_judge(policy, &note, &rules, &verdict);
    grade->counted = verdict.counted;
    grade->foreign = verdict.foreign;
    grade->size = verdict.is_met ? head.size : 0;
    return verdict.is_spoiled ? refuse(fault, RC_DATA_LOSS, "witness.signature", log->name,
                                       "La firma de un testigo no es de ese sello.")
                              : RC_OK;
}

static enum rc wait_for(struct session *session, const struct policy *policy,
                        const struct vkey *log, uint64_t leaves, struct grade *grade,
                        struct fault *fault)
{
    OWN_PTR(arena) arena = arena_new(ARENA);
    int64_t until_ms = clock_monotonic_ms() + GRADED_WAIT_MS;
    struct bytes note;

    if (arena == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "memory", "", "Falta memoria.");
    }
    for (;;) {
        TRY(ask_checkpoint(session, log->name, arena, &note, fault));
        TRY(judge(policy, log, note, grade, fault));
        if (grade->size >= leaves || clock_monotonic_ms() > until_ms) {
            return RC_OK;
        }
        arena_reset(arena);
        clock_sleep_ms(LOOK_MS);
    }
}

enum rc graded_find(struct session *session, const struct vkey *log, uint64_t leaves,
                    struct grade *grade, struct fault *fault)
{
    struct policy *policy;
    enum rc rc;

    *grade = (struct grade){.is_required = session->profile->policy[0] != '\0'};
    if (!grade->is_required) {
        return RC_OK;
    }
    policy = malloc(sizeof *policy);
    if (policy == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "memory", "", "Falta memoria.");
    }
    rc = read_policy(session->profile->policy, policy, fault);
    if (rc == RC_OK) {
        rc = wait_for(session, policy, log, leaves, grade, fault);
    }
    free(policy);
    return rc;
}
