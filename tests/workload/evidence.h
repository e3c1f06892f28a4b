/*
 * evidence - checks offline, with nothing but the directory's keys, the receipts that systems kept.
 *
 * Reads receipt files (client/receipt_file) from folders and verifies every receipt in them. What
 * a sender keeps is R0 of its own node; what a receiver keeps is that R0 and R1 of its own node.
 * Single-threaded.
 */
#ifndef WORKLOAD_EVIDENCE_H
#define WORKLOAD_EVIDENCE_H

#include "base/own.h"
#include "model/directory.h"

struct evidence;

/* The directory is borrowed. NULL when out of memory. */
struct evidence *evidence_new(const struct directory *directory);
void evidence_free(struct evidence *evidence);
OWN_PTR_DEFINE(evidence)

/*
 * Every file of a folder; a folder that is not there is no failure. Receipts that do not verify are
 * logged with their reason and counted, and prove nothing.
 */
MUST_CHECK enum rc evidence_read_folder(struct evidence *evidence, const char *path);
/* Once, after the last folder and before the first question. */
void evidence_end(struct evidence *evidence);

/*
 * True when the message with this M has all three: the sender's R0 as its own system kept it, that
 * R0 as the receiver kept it, and the receiver's R1; from the logs of just these two nodes.
 */
bool evidence_is_whole(const struct evidence *evidence, const uint8_t commitment[HASH_SIZE],
                       const char *sender_node, const char *receiver_node);

struct evidence_figures {
    size_t files;
    size_t receipts; /* verified */
    size_t bad;      /* malformed files and receipts that do not verify */
};
struct evidence_figures evidence_figures(const struct evidence *evidence);

#endif
