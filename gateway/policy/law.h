/*
 * law - which signed texts are in force: the network's by k of n authorities, each member's roster
 * by the member, suspensions by one; and the directory that they make together.
 *
 * Notes are offered in any order and from anywhere; each is taken or refused on its own, and a
 * refused one changes nothing (the last good one stays). A network's text must be signed by k of
 * the authorities in force before it (the roots, for the first) and by k of its own, so that keys
 * rotate under the old ones. A version must be higher than that in force. When a network's text
 * changes a member's key, a roster that no key of it signs any more is dropped; so is one of a
 * member that is gone. Offering what is in force already says RC_ALREADY_EXISTS. Refusals:
 *
 *     note.malformed          no C2SP note, or no text of the directory (`remedy` has the line)
 *     note.signature          a line of a known key does not verify
 *     law.quorum              fewer than k of the authorities signed
 *     law.unknown_network     no roots for it
 *     law.unknown_member      a roster of somebody who is not in the network's text
 *     law.roster_key          not signed by the member's key
 *     law.lower_version       RC_FAILED_PRECONDITION: not above the one in force
 *     law.two_of_one_version  another text with the version in force: somebody signed twice
 *     law.contradiction       it does not fit with the other texts (`remedy` has both lines)
 *     suspension.*            see policy/suspension.h
 *
 * One thread at a time. Directories that it makes belong to the caller and are independent of it.
 */
#ifndef POLICY_LAW_H
#define POLICY_LAW_H

#include "base/bytes.h"
#include "base/own.h"
#include "model/directory.h"
#include "tlog/authorities.h"

#define LAW_NETWORKS_MAX 8
#define LAW_NOTES_MAX 4096
#define LAW_SUSPENSIONS_MAX 1024      /* in all */
#define LAW_SUSPENSIONS_OF_MEMBER 128 /* by one member */

enum law_kind { LAW_NETWORK, LAW_ROSTER, LAW_SUSPENSION };

struct law;
struct note;

/* NULL when out of memory. */
struct law *law_new(void);
void law_free(struct law *law);
OWN_PTR_DEFINE(law)

/* Who signs a network's first text. RC_RESOURCE_EXHAUSTED beyond LAW_NETWORKS_MAX. */
MUST_CHECK enum rc law_trust(struct law *law, const char *network,
                             const struct authorities *authorities);

struct law_offer {
    struct bytes note; /* borrowed */
    const char *name;  /* for errors; borrowed */
    bool is_archived;  /* from this node's own archive: a suspension whose signer has rotated away
                          stands, since it was verified when it came */
    /* Set by law_offer. */
    enum rc rc;
    struct fault fault;
};

/*
 * Takes what can be taken; each offer says how it went. *directory is a new directory when
 * anything changed (else unchanged): RC_OK. RC_FAILED_PRECONDITION: nothing is in force yet.
 */
MUST_CHECK enum rc law_offer(struct law *law, struct law_offer *offers, size_t count,
                             struct directory **directory);

/* What is in force, for archives and peers. Borrowed until the next offer. */
struct law_note {
    enum law_kind kind;
    char subject[CODE_SIZE]; /* "cdmx", "cdmx/ssc"; a suspension's network */
    uint64_t version;        /* 0 for a suspension */
    uint8_t sha256[HASH_SIZE];
    struct bytes note;
};
size_t law_count(const struct law *law);
void law_at(const struct law *law, size_t i, struct law_note *note);

/* The authorities of a network in force (or its roots); RC_NOT_FOUND. */
MUST_CHECK enum rc law_authorities(const struct law *law, const char *network,
                                   struct authorities *authorities);
/*
 * Signed by a key of this member's roster? RC_FAILED_PRECONDITION "law.unknown_member",
 * RC_PERMISSION_DENIED "law.roster_key", RC_UNAUTHENTICATED "note.signature".
 */
MUST_CHECK enum rc law_check_member_note(const struct directory *networks, const char *code,
                                         const struct note *note, struct fault *fault);
/* The same out of a directory. */
MUST_CHECK enum rc directory_authorities(const struct directory *directory, const char *network,
                                         struct authorities *authorities);

/*
 * What a note's text is, whatever its signatures: for tools. RC_INVALID_ARGUMENT. The version is 0
 * for a suspension; `subject` is its network.
 */
MUST_CHECK enum rc law_look(struct bytes text, enum law_kind *kind, char subject[CODE_SIZE],
                            uint64_t *version, struct fault *fault);

#endif
