/*
 * exporting - one folder that a node's own log is written into, as far as its anchored checkpoint.
 *
 * The layout is that of `enlace log export` (offline/log_folder.h, gateway/tlog/README.md): a
 * mirror of hash tiles, vkey and policy that anybody may hold, or, for auditors, entries and
 * records with it. A run goes on where the one before ended, whether it ended or was cut.
 *
 * The data path does not notice: leaves are copied page by page in read transactions of their own,
 * none of which is open while a file is written, and after each page the run rests as long as the
 * page took. One owner, who may block.
 */
#ifndef PUBLISH_EXPORTING_H
#define PUBLISH_EXPORTING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tlog/vkey.h"

struct anchor;
struct db;
struct exporting;
struct keyring;

/* What all folders of a node are made from. Borrowed: outlives them. */
struct export_source {
    struct db *db;
    struct anchor *anchor;         /* no checkpoint leaves before it is anchored */
    const struct keyring *keyring; /* of the log: makes a stored root's note again */
    struct vkey vkey;
    struct bytes policy; /* tlog-policy text; empty: none */
    /* Free space of the folder's disk below which nothing is written: the log comes first. */
    uint64_t floor_bytes;
};

enum export_kind {
    EXPORT_MIRROR,   /* hash tiles: readable by everybody */
    EXPORT_AUDITORS, /* entries and records beside them: closed to all but the owner */
};

/* The path is borrowed. Nothing is opened yet. NULL when out of memory. */
struct exporting *exporting_new(const struct export_source *source, const char *path,
                                enum export_kind kind);
void exporting_free(struct exporting *exporting);
OWN_PTR_DEFINE(exporting)

/* What a run did. */
struct export_run {
    uint64_t size; /* leaves that the folder's checkpoint covers */
    uint64_t added;
};

/*
 * Brings the folder up to the newest anchored checkpoint. A fault ends the run, and the next one
 * opens the folder anew: faults of log_folder.h; export.disk_floor; export.read, export.pruned (the
 * log no longer has the leaves that this folder lacks). RC_CANCELLED: *is_stopping was set; no
 * fault.
 */
MUST_CHECK enum rc exporting_run(struct exporting *exporting, const atomic_bool *is_stopping,
                                 struct export_run *run, struct fault *fault);

const char *exporting_path(const struct exporting *exporting);

#endif
