/*
 * audit_rules - who may read what of a node's log: one table of roles and methods, deny by default.
 *
 *                   official     auditor   coordinator  operator    authority  system
 *     whole log     -            all       -            -           all        -
 *     query         own member   all       hosted here  node's own  all        own member
 *     person        own member²  all²      -            -           all²       -
 *     tag key       -            all²      -            -           all²       -
 *     close         yes          yes       yes          yes         yes        yes
 *     index state   -            yes       yes          yes         yes        -
 *     reindex       -            -         -            yes         -          -
 *     condition     -            yes       yes          yes         yes        -
 *
 * ² with a second official's approval. "own member": records kept for the reader's member, which
 * this node must host. "hosted here": of all members of the node, whose own the coordinator's is.
 * A member's system reads to hold its spool against the log (client/reconcile).
 * "node's own": records of no exchange (readings, refusals counted, directories). An auditor reads
 * the nodes of the network that lists her institution.
 *
 * Who has several roles may what any of them may. Rates are ceilings for one identity, of an hour
 * and a day; at half of one the operator's log has an alarm, at the whole the reading is refused.
 *
 * Pure but for crypto's log lines; any thread.
 */
#ifndef POLICY_AUDIT_RULES_H
#define POLICY_AUDIT_RULES_H

#include "base/bytes.h"
#include "crypto/audit_digest.h"
#include "model/directory.h"

struct cert_store;

enum audit_method {
    AUDIT_WHOLE_LOG,
    AUDIT_QUERY,
    AUDIT_PERSON,
    AUDIT_TAG_KEY,
    AUDIT_CLOSE,
    AUDIT_INDEX_STATE,
    AUDIT_REINDEX,
    AUDIT_CONDITION, /* how the node is doing */
    AUDIT_METHODS
};

/* The wider, the later. */
enum audit_scope {
    AUDIT_NOTHING = 0,
    AUDIT_NODES_OWN,
    AUDIT_OWN_MEMBER,
    AUDIT_ALL,
};

struct audit_grant {
    enum audit_scope scope;
    bool needs_second;
    uint64_t records_per_hour;
    uint32_t persons_per_day;
};

/*
 * RC_PERMISSION_DENIED "audit.not_allowed", with one answer whatever the reason; the operator's log
 * names the check.
 */
MUST_CHECK enum rc audit_rules_allow(const struct directory *directory,
                                     const struct node_entry *self, const struct identity *reader,
                                     enum audit_method method, int32_t today,
                                     struct audit_grant *grant, struct fault *fault);

/*
 * The second official: another one of the reader's institution, an official or an auditor in force
 * by a certificate that the directory lists, whose signature over the question's digest
 * (crypto/audit_digest.h) verifies. RC_PERMISSION_DENIED: audit.second_missing,
 * audit.second_not_other (the reader alone), audit.second_not_official, audit.second_invalid.
 */
MUST_CHECK enum rc audit_approval_check(const struct directory *directory,
                                        const struct cert_store *authorities,
                                        const struct identity *reader, struct bytes query,
                                        struct bytes certificate, struct bytes signature,
                                        int64_t now_ms, const struct identity **second,
                                        struct fault *fault);

#endif
