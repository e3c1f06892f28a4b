/*
 * logbook - reads a node's whole log as an auditor, and believes nothing that it has not checked.
 *
 * Of each page: the checkpoint's signature, each leaf's place under it, the record's commitment A
 * in its leaf. Of the whole: no gap, time that never runs back, and a root, computed again here
 * from all leaves, equal to the signed one; if an earlier checkpoint is remembered, the log must
 * contain that tree unchanged. RC_DATA_LOSS, with the failing check in the fault:
 *
 *     log.checkpoint  malformed, or not signed by this log's key
 *     log.leaf        not 200 bytes of the known layout, another index, or an earlier time
 *     log.path        the leaf is not under the checkpoint
 *     log.record      the record is not what the leaf commits to, or cannot be read
 *     log.root        all leaves together do not give the signed root
 *     log.rewritten   the log no longer contains what it had signed before
 *     log.short       the node gave less than its checkpoint counts
 *
 * The reading is itself a leaf of the node's log (design: reading is an event). Single-threaded.
 */
#ifndef WORKLOAD_LOGBOOK_H
#define WORKLOAD_LOGBOOK_H

#include "base/own.h"
#include "model/record.h"
#include "rpc/codec_service.h"
#include "tlog/vkey.h"

struct arena;
struct logbook;
struct session;

/* Place first in the object that takes the records. */
struct logbook_reader {
    /* Borrowed. Not called for control leaves without a record. */
    enum rc (*on_record)(struct logbook_reader *reader, const struct record *record);
};

/* NULL when out of memory. */
struct logbook *logbook_new(const struct vkey *log);
void logbook_free(struct logbook *book);
OWN_PTR_DEFINE(logbook)

/* A checkpoint that was kept from an earlier reading. Refuses one that this log did not sign. */
MUST_CHECK enum rc logbook_remember(struct logbook *book, struct bytes note, struct fault *fault);

/* Reads from the first leaf up to the size of the first checkpoint that the node shows. */
MUST_CHECK enum rc logbook_read(struct logbook *book, struct session *session, const char *purpose,
                                struct logbook_reader *reader, struct fault *fault);

/* One page, for logbook_read and tests; decoded records live in the arena. */
MUST_CHECK enum rc logbook_page(struct logbook *book, const struct audit_page *page,
                                struct arena *arena, struct logbook_reader *reader,
                                struct fault *fault);
/* The index of the next leaf; done when it is the size of the first checkpoint. */
uint64_t logbook_next(const struct logbook *book);
bool logbook_is_done(const struct logbook *book);
/* The first checkpoint, to be kept; borrowed. */
struct bytes logbook_note(const struct logbook *book);

#endif
