/*
 * member - who is who, by the directory: members, their nodes, and identities by certificate.
 *
 * Binary searches in the directory's sorted arrays; what they return is the directory's own.
 * `today` is a local date as days since 1970-01-01. Pure, but for one line in the operator's log
 * when an identity is refused; any thread.
 */
#ifndef POLICY_MEMBER_H
#define POLICY_MEMBER_H

#include "base/rc.h"
#include "model/directory.h"

bool dates_cover(struct dates dates, int32_t day);
bool dates_overlap(struct dates a, struct dates b);

/* "cdmx/ssc", in force on that day and not suspended; NULL: none. */
const struct member *member_find(const struct directory *directory, const char *code,
                                 int32_t today);
/* In force or not; the earliest row. */
const struct member *member_known(const struct directory *directory, const char *code);
/* "<network>/<code>" with lower-case letters, digits and hyphens: the grammar of crypto/spiffe. */
bool member_code_is_valid(const char *code);
/* One part of it, or a system's or an official's name: [a-z0-9-]{1,32}. */
bool member_label_is_valid(const char *label);

/* A certificate that was suspended, shown by this member, or by a node of this code. */
bool certificate_is_suspended(const struct directory *directory, const char *code,
                              const uint8_t fingerprint[HASH_SIZE]);
/* Is the code one of this owner's or, when that is empty, of this network? */
bool certificate_is_of(const char *network, const char *owner, const char *code);

/* Whatever its dates; NULL: none. */
const struct node_entry *node_by_code(const struct directory *directory, const char *code);
const struct node_entry *node_by_uri(const struct directory *directory, const char *uri);
/* The same node, in whatever edition of the directory; NULL is none. */
bool node_is(const struct node_entry *a, const struct node_entry *b);
/* The node that hosts a member in force, itself in force; NULL: none. */
const struct node_entry *node_of_member(const struct directory *directory, const char *member,
                                        int32_t today);

/*
 * The system, official or auditor behind a verified certificate, by URI and SHA-256 of its DER.
 * Whatever fails (unknown, its dates or its member's, the fingerprint), the peer gets one answer:
 * RC_PERMISSION_DENIED "identity.not_allowed". The operator's log names the failing check:
 * "identity.refused uri=... check=unknown|dates|member|fingerprint|suspended".
 */
MUST_CHECK enum rc identity_authenticate(const struct directory *directory, const char *uri,
                                         const uint8_t fingerprint[HASH_SIZE], int32_t today,
                                         const struct identity **identity, struct fault *fault);
/* The same for a peer node: nodes are not identities, so that none can speak as a member. */
MUST_CHECK enum rc node_authenticate(const struct directory *directory, const char *uri,
                                     const uint8_t fingerprint[HASH_SIZE], int32_t today,
                                     const struct node_entry **node, struct fault *fault);

/*
 * May this identity send this message? header.from is its member and it names itself:
 * a system in from_system, an official in on_behalf_of. Auditors send nothing.
 * RC_PERMISSION_DENIED "sender.not_yours".
 */
MUST_CHECK enum rc identity_may_send(const struct identity *identity, const struct message *message,
                                     struct fault *fault);

/* An official of this member (`name` as in on_behalf_of), both in force on that day. */
bool official_is_in_force(const struct directory *directory, const char *member, const char *name,
                          int32_t today);

/* Whatever the dates. */
bool official_is_listed(const struct directory *directory, const char *member, const char *name);

/* Does the roster bind this system to this official, both of the member? */
bool system_acts_for(const struct directory *directory, const char *member, const char *system,
                     const char *official);

/* Rows of a member in force on that day, of one kind, at most `max`; returns how many there are. */
size_t identities_of_member(const struct directory *directory, const char *member,
                            enum identity_kind kind, int32_t today, const struct identity **rows,
                            size_t max);

#endif
