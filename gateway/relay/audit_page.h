/*
 * audit_page - pages of service Audit: leaves, records and proofs under one checkpoint.
 *
 * Reads the disk for tens of milliseconds: on the reading room's thread, never on a queue's.
 */
#ifndef RELAY_AUDIT_PAGE_H
#define RELAY_AUDIT_PAGE_H

#include "base/bytes.h"
#include "relay/finder.h"

struct auditlog_reader;
struct arena;
struct node;

struct audit_page_made {
    struct buffer bytes; /* the response, serialised */
    size_t entries;
};

/* Every leaf from this one on, at most count. */
MUST_CHECK enum rc audit_page_whole(const struct node *node, struct auditlog_reader *reader,
                                    uint64_t from, size_t count, struct audit_page_made *made);
/* Those that the question is about; with the proof that the log grew from seen_size (0: none). */
MUST_CHECK enum rc audit_page_query(const struct node *node, struct auditlog_reader *reader,
                                    const struct finder_question *question, uint64_t from,
                                    size_t count, uint64_t seen_size, struct audit_page_made *made);

/* What the log holds of an audit, by the commitment to its purpose. */
struct audit_history {
    uint32_t sessions;
    uint64_t records;
    uint64_t first_index; /* of its first session */
    bool is_closed;
    char member[64]; /* whose readers they were */
};
MUST_CHECK enum rc audit_history_read(const struct node *node, struct bytes commitment,
                                      struct audit_history *history);

#endif
