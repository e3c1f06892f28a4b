/*
 * audit_find - asks a node's log a question, and believes nothing of the answer unproven.
 *
 * Of each page: the checkpoint's signature by a log of the profile's own node, that the log only
 * grew since the newest checkpoint seen (audit_seen), every leaf's form, place and inclusion, every
 * record against the commitment in its leaf and against the question, ascending order, nothing
 * skipped backwards. What cannot be proven of an answer is that nothing is
 * missing from it: that is what the rescan by tags is for (enlace audit rescan).
 *
 * Blocking; one owner at a time.
 */
#ifndef CLIENT_AUDIT_FIND_H
#define CLIENT_AUDIT_FIND_H

#include "base/own.h"
#include "client/petition.h"
#include "tlog/checkpoint.h"

struct arena;
struct audit_find;
struct audit_seen;
struct leaf;
struct record;
struct session;

/* The petition and what was seen must outlive it. */
MUST_CHECK enum rc audit_find_open(struct session *session, const struct petition *petition,
                                   struct audit_seen *seen, struct audit_find **find,
                                   struct fault *fault);
void audit_find_free(struct audit_find *find);
OWN_PTR_DEFINE(audit_find)

/* Place first in the object that takes what is found. */
struct audit_taker {
    /* Proven; borrowed. Its code ends the search. */
    enum rc (*take)(struct audit_taker *taker, const struct audit_entry *entry,
                    const struct leaf *leaf, const struct record *record, struct fault *fault);
};

struct audit_find_end {
    struct checkpoint head; /* of the last page */
    uint64_t size;          /* of the first: all leaves below were looked at */
    uint64_t found;
    uint64_t indexed_to;
};

/* All pages up to what was the newest leaf at the beginning. RC_DATA_LOSS "audit.*": the node shows
 * what it cannot prove. */
MUST_CHECK enum rc audit_find_all(struct audit_find *find, uint64_t from, struct audit_taker *taker,
                                  struct audit_find_end *end, struct fault *fault);

/* One page. The note is its checkpoint, in the arena, as are the records. */
struct audit_find_page {
    struct checkpoint head;
    struct bytes note;
    uint64_t next; /* all leaves before it were looked at, from the one that was asked for */
    uint64_t indexed_to;
    size_t found;
};

/*
 * At most so many (1 to AUDIT_PAGE_MAX) from this leaf on; from UINT64_MAX none, and the newest
 * checkpoint. RC_DATA_LOSS "audit.*".
 */
MUST_CHECK enum rc audit_find_page(struct audit_find *find, uint64_t from, size_t count,
                                   struct arena *arena, struct audit_taker *taker,
                                   struct audit_find_page *page, struct fault *fault);
/* The same page as it came, decoded and not verified: for whoever shows the proof step by step. */
MUST_CHECK enum rc audit_find_ask(struct audit_find *find, uint64_t from, size_t count,
                                  struct arena *arena, struct audit_query_page *page,
                                  struct fault *fault);
/* The session ends well, so that its count is logged. */
MUST_CHECK enum rc audit_find_finish(struct audit_find *find, struct fault *fault);

/* What is checked of a page, without a connection. */
MUST_CHECK enum rc audit_find_verify(const struct audit_query_page *page,
                                     const struct audit_query *query, uint64_t from,
                                     const struct vkey *logs, size_t log_count, struct arena *arena,
                                     struct audit_taker *taker, struct checkpoint *head,
                                     struct fault *fault);

/* The key of a person's tags: the caller wipes it. */
MUST_CHECK enum rc audit_find_tag_key(struct session *session, const struct petition *petition,
                                      uint8_t key[HASH_SIZE], uint64_t *index, struct fault *fault);

#endif
