/*
 * log_check - verifies a folder with a log (offline/log_folder.h), all of it, without a network.
 *
 * Signature and origin of the checkpoint, its grade, every hash tile against every other and the
 * root; every entry against its leaf hash, its form, its own index, time that never goes back; each
 * audit record against the commitment in its leaf; earlier and remembered checkpoints against the
 * same tree; and, where witnesses are known, each leaf's time against the cosignatures before and
 * after it. What is wrong is a finding that names file and index:
 *
 *   checkpoint.missing .malformed .unknown_log .signature .fork .rollback .old_damaged
 *   policy.quorum       witness.signature .stale .ahead .own .clock
 *   tile.missing .width .hash .partial      root
 *   entry.missing .bundle .partial .hash .leaf .index .time .future .bracket
 *   record.missing .bundle .partial .commitment
 *
 * A log may have been pruned: audit records of leaves below the minimum index that one of its own
 * retention leaves names (tlog/control.h) may be missing, and the report says since when and by
 * which leaf; any other one that is missing is record.missing.
 *
 * Reads one tile, one bundle and the edge at a time. Blocking; any thread.
 */
#ifndef OFFLINE_LOG_CHECK_H
#define OFFLINE_LOG_CHECK_H

#include "offline/trust.h"
#include "tlog/leaf.h"
#include "tlog/tiles.h"

struct report;

/*
 * Called for each leaf that stands in its place; the bytes are borrowed, and empty where there is
 * no record. Placed first.
 */
struct log_visitor {
    void (*leaf)(struct log_visitor *visitor, const struct checkpoint *head,
                 const struct leaf *leaf, struct bytes blind_and_record);
};

struct log_check {
    const char *path;
    const struct trust *trust;
    /* Files with checkpoints that the reader remembers: the log must contain all of them. */
    const char *const *remembered;
    size_t remembered_count;
    struct log_visitor *visitor; /* may be NULL */
    uint64_t *minimum;           /* set to what the log says, where its records are kept; or NULL */
};

#define LOG_CHECK_REMEMBERED_MAX 64

/* Findings and facts go to the report; the head is set if it opened. */
void log_check_run(const struct log_check *check, struct checkpoint *head, struct report *report);

#endif
