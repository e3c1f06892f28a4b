/*
 * tlog_proof - the receipt as text (C2SP tlog-proof): evidence that verifies without the node.
 *
 *     c2sp.org/tlog-proof@v1 LF
 *     [extra <base64> LF]          unauthenticated; whoever holds the receipt sees it
 *     index <decimal> LF
 *     <base64 hash> LF ...         0..63 lines, the leaf's sibling first
 *     LF
 *     <checkpoint note>
 *
 * Strict and bounded; a file with it is named *.tlog-proof. Pure; any thread.
 */
#ifndef TLOG_TLOG_PROOF_H
#define TLOG_TLOG_PROOF_H

#include <stdint.h>

#include "base/bytes.h"
#include "tlog/checkpoint.h"
#include "tlog/proof.h"

#define TLOG_PROOF_HASHES_MAX 63
#define TLOG_PROOF_EXTRA_MAX ((size_t)64 << 10)
#define TLOG_PROOF_SIZE_MAX ((size_t)256 << 10)

/* Slices of the parsed bytes: keep those as long. */
struct tlog_proof {
    uint64_t index;
    bool has_extra;
    struct bytes extra_base64; /* canonical; decode with base64_decode */
    struct proof path;
    struct bytes note; /* not yet parsed */
};

/* Appends the receipt. extra with data NULL: no extra line. */
void tlog_proof_write(uint64_t index, const struct proof *path, struct bytes extra,
                      struct bytes note, struct buffer *buffer);
/* RC_INVALID_ARGUMENT. Looks at the envelope only: the note is checked by tlog_proof_verify. */
MUST_CHECK enum rc tlog_proof_parse(struct bytes bytes, struct tlog_proof *proof);

/*
 * The whole check of R0: parse, the log's signature and origin, inclusion of the entry. Gives the
 * leaf's index and the checkpoint (size and root), and the note (may be NULL) for a count of
 * cosignatures. Codes: RC_INVALID_ARGUMENT, those of checkpoint_open, RC_DATA_LOSS (the entry is
 * not in that tree).
 */
MUST_CHECK enum rc tlog_proof_verify(struct bytes bytes, struct bytes entry, const struct vkey *log,
                                     uint64_t *index, struct checkpoint *checkpoint,
                                     struct note *note);

#endif
