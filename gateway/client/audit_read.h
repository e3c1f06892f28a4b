/*
 * audit_read - reads a node's log as an auditor, and believes nothing of it unproven.
 *
 * Each page is verified before it is given out: its checkpoint's signature by a log of the
 * profile's own node, every leaf's form, place and inclusion, every audit record against the
 * commitment in its leaf. Blocking; one owner at a time.
 */
#ifndef CLIENT_AUDIT_READ_H
#define CLIENT_AUDIT_READ_H

#include <stdint.h>

#include "base/own.h"
#include "rpc/codec_service.h"
#include "tlog/checkpoint.h"
#include "tlog/proof.h"

struct arena;
struct audit_case;
struct audit_read;
struct session;

/* The reading becomes a leaf of the log, with the commitment to the case's purpose. */
MUST_CHECK enum rc audit_read_open(struct session *session, const struct audit_case *audit,
                                   struct audit_read **read, struct fault *fault);
/* Ends the session, so that the node logs how much it showed. */
MUST_CHECK enum rc audit_read_end(struct audit_read *read, struct fault *fault);
void audit_read_free(struct audit_read *read);
OWN_PTR_DEFINE(audit_read)

/*
 * Up to AUDIT_PAGE_MAX entries from this index; none where the log ends. The page lives in the
 * arena; the head is that of its checkpoint. RC_DATA_LOSS "audit.*": the node shows what it cannot
 * prove.
 */
MUST_CHECK enum rc audit_read_page(struct audit_read *read, uint64_t from, struct arena *arena,
                                   struct audit_page *page, struct checkpoint *head,
                                   struct fault *fault);

/* A path as it came, as a proof. False: a hash of another size. */
bool audit_read_path(const struct path *path, struct proof *proof);
/* One leaf's form, place and inclusion, and its record against the commitment in it. */
MUST_CHECK enum rc audit_read_verify_entry(const struct audit_entry *entry, uint64_t index,
                                           const struct checkpoint *head, struct fault *fault);
/* The checkpoint of a page, signed by one of these logs. */
MUST_CHECK enum rc audit_read_open_head(struct bytes note, const struct vkey *logs,
                                        size_t log_count, struct checkpoint *head,
                                        struct fault *fault);
/* What audit_read_page checks of a page, without a connection. */
MUST_CHECK enum rc audit_read_verify(const struct audit_page *page, uint64_t from,
                                     const struct vkey *logs, size_t log_count,
                                     struct checkpoint *head, struct fault *fault);

#endif
