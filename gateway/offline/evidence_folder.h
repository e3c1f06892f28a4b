/*
 * evidence_folder - a folder of evidence for a court: what one log holds of an exchange, with all
 * that is needed to verify it where there is no network.
 *
 *     SUMAS                   "<sha256, hex>  <name>" LF for each file below but this and the next
 *                             two kinds, ascending by name
 *     SUMAS.p7s               who made the folder signs SUMAS (detached CMS, crypto/filesig.h)
 *     sello.checkpoint        the seal: a checkpoint of the log, with a quorum of witnesses where
 *                             the log has them (C2SP tlog-checkpoint)
 *     sello.tsq, sello.tsr    a request to an RFC 3161 authority over the seal, and its answer
 *     hojas/<index>.leaf      200 bytes (tlog/leaf.h); the index with ten digits
 *     hojas/<index>.record    r_A[32] ‖ audit record, which A in the leaf commits to
 *     hojas/<index>.tlog-proof  that the leaf stands in the log (C2SP tlog-proof)
 *     crecio/<size>.add-checkpoint  that the tree of that size began with the seal's (C2SP
 *                             tlog-witness): for proofs under a later checkpoint
 *     hechos.json             what the records say, for programs; expediente.pdf for people
 *     directorio/             the signed texts in force; policy, vkey, ca.pem; LEEME.txt
 *
 * A folder never vouches for itself: key, policy and certificates come from elsewhere.
 */
#ifndef OFFLINE_EVIDENCE_FOLDER_H
#define OFFLINE_EVIDENCE_FOLDER_H

#include "offline/trust.h"
#include "tlog/leaf.h"

struct report;

#define EVIDENCE_FILES_MAX 8192
#define EVIDENCE_LEAVES_MAX 2048
#define EVIDENCE_FILE_MAX ((size_t)32 << 20)
#define EVIDENCE_NAME_SIZE 192
#define EVIDENCE_SUMS_MAX ((size_t)EVIDENCE_FILES_MAX * (64 + 2 + EVIDENCE_NAME_SIZE))

/* Letters, digits, '.', '-', '_' and '/', no part that begins with a dot, no empty part. */
bool evidence_name_is_valid(struct bytes name);
/* "hojas/0000000012.leaf" */
void evidence_leaf_name(uint64_t index, const char *ending, char out[EVIDENCE_NAME_SIZE]);

struct evidence_check {
    const char *folder;
    const struct trust *trust;
    const char *certificate; /* of who signed SUMAS; NULL: told, not verified */
    const char *tsa;         /* PEM: whom to believe a time stamp; NULL: likewise */
};

/*
 * Findings: evidence.sums .file .signature .seal .leaf .record .index .not_included
 * .not_grown .empty .stamp, and those of trust.h.
 */
void evidence_check_run(const struct evidence_check *check, struct report *report);

#endif
