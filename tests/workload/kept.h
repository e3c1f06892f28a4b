/*
 * kept - checks offline, with nothing but the directory's keys, the receipts that systems kept.
 *
 * Reads receipt files (client/receipt_file) from folders and verifies every receipt in them. What
 * a sender keeps is R0 of its own node; what a receiver keeps is that R0 and R1 of its own node.
 * Single-threaded.
 */
#ifndef WORKLOAD_KEPT_H
#define WORKLOAD_KEPT_H

#include "base/own.h"
#include "model/directory.h"

struct kept;

/* The directory is borrowed. NULL when out of memory. */
struct kept *kept_new(const struct directory *directory);
void kept_free(struct kept *kept);
OWN_PTR_DEFINE(kept)

/*
 * Every file of a folder; a folder that is not there is no failure. Receipts that do not verify are
 * logged with their reason and counted, and prove nothing.
 */
MUST_CHECK enum rc kept_read_folder(struct kept *kept, const char *path);
/* Once, after the last folder and before the first question. */
void kept_end(struct kept *kept);

/*
 * True when the message with this M has all three: the sender's R0 as its own system kept it, that
 * R0 as the receiver kept it, and the receiver's R1; from the logs of just these two nodes.
 */
bool kept_is_whole(const struct kept *kept, const uint8_t commitment[HASH_SIZE],
                   const char *sender_node, const char *receiver_node);

struct kept_figures {
    size_t files;
    size_t receipts; /* verified */
    size_t bad;      /* malformed files and receipts that do not verify */
};
struct kept_figures kept_figures(const struct kept *kept);

#endif
