/*
 * store_check - `enlaced --check`: all that a stopped node stored is read, and what is damaged is
 * named.
 *
 * Each store is read by a child of its own, because a damaged page may end who reads it; the parent
 * says where the child was then, and ends one that no longer comes on. Read: log and vault together
 * (dbcheck.h), the witnessed checkpoints, the anchor. Not read: the index, which a node makes anew
 * by itself, and attachments, each of which is verified block by block whenever it is given out.
 * What nothing proves (debts, timers, states, tag keys) is read and not judged.
 */
#ifndef ENLACED_STORE_CHECK_H
#define ENLACED_STORE_CHECK_H

#include <stdint.h>

struct directory;
struct settings;
struct vkey;

/* The exit status: 0, or 1 when something is damaged, missing or in use. A line for each store on
 * standard output; the places in lines of the log. */
int store_check(const struct settings *settings, const struct vkey *log_vkey, uint32_t epoch,
                const struct directory *directory);

#endif
