/*
 * authorities - the keys that speak for a whole network, and how many of them must agree.
 *
 *     enlace-authorities v1 LF
 *     quorum <k> LF
 *     authority <vkey> LF          1..AUTHORITIES_MAX, type 1; no name and no key twice
 *
 * The file comes to a node by another way than what it signs: it stands in the node's settings and
 * is never taken from a peer. No single one of them decides when k is above 1. Pure; any thread.
 */
#ifndef TLOG_AUTHORITIES_H
#define TLOG_AUTHORITIES_H

#include "tlog/note.h"

#define AUTHORITIES_MAX 32
#define AUTHORITIES_TEXT_MAX ((size_t)32 << 10)

/* About 10 KiB. */
struct authorities {
    struct vkey keys[AUTHORITIES_MAX];
    size_t count;
    unsigned quorum; /* 1..count */
};

/* RC_INVALID_ARGUMENT; *line is then the first that is wrong, from 1. */
MUST_CHECK enum rc authorities_parse(struct bytes text, struct authorities *authorities,
                                     unsigned *line);
/*
 * How many of them signed this note: *signed_by, set in each case. RC_PERMISSION_DENIED: fewer than
 * the quorum. RC_UNAUTHENTICATED: a line of one of their keys does not verify, which spoils it.
 */
MUST_CHECK enum rc authorities_check(const struct authorities *authorities, const struct note *note,
                                     unsigned *signed_by);

#endif
