/*
 * proof_steps - why a record is believed, one check after the other, as a reader can follow it.
 *
 *     1  the checkpoint is signed by the log whose key the reader has
 *     2  the log only grew since the checkpoint that this reader saw before
 *     3  the leaf has its form, and stands where it says
 *     4  leaf and path give the root that the checkpoint signs
 *     5  the record is the one that the leaf commits to
 *
 * The first that fails ends it. Each says what it compared. Pure but for what was seen.
 */
#ifndef CONSOLE_PROOF_STEPS_H
#define CONSOLE_PROOF_STEPS_H

#include <jansson.h>

#include "rpc/codec_service.h"
#include "tlog/vkey.h"

struct arena;
struct audit_seen;

struct proof_steps {
    uint64_t index; /* of the leaf that was asked for */
    const struct audit_query_page *page;
    const struct vkey *logs;
    size_t log_count;
    struct audit_seen *seen;
    struct arena *arena;
};

/*
 * {"verified", "steps": [{"title", "ok", "text", "facts": [{"label", "value"}]}], "record",
 * "evidence"}; the record only when all held. The fault says which did not: "verified" is false
 * then. RC_NOT_FOUND "records.no_leaf": the reader may not see it, or it is not there.
 */
MUST_CHECK enum rc proof_steps_run(const struct proof_steps *proof, json_t **answer,
                                   struct fault *lie, struct fault *fault);

#endif
