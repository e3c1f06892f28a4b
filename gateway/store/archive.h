/*
 * archive - backups: the log and the vault, each as a folder of its own, and back.
 *
 *     <folder>/manifest   "enlace backup v1\nkind log\n" or "... kind vault\n"; written last
 *     of the log          log/data.mdb and seen/data.mdb (compacting copies of one moment each),
 *                         files/keys and files/kept (attachments, encrypted); no index: it is
 *                         made anew
 *     of the vault        its files as they are
 *
 * Never both in one place: whoever destroys a key must have destroyed it wherever the log has
 * copies. A folder that holds a backup of the other kind, or lies beside one, is refused.
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "base/rc.h"

struct db;

enum archive_kind { ARCHIVE_LOG = 1, ARCHIVE_VAULT };

struct archive_options {
    enum archive_kind kind;
    const char *archive; /* the backup's folder */
    const char *live;    /* the node's data, or its vault */
    /* Backup of the log by the running node: its own environment; NULL: the node is stopped. */
    struct db *log;
};

/*
 * Makes the folder. RC_ALREADY_EXISTS: it is there; RC_FAILED_PRECONDITION: one of the other kind
 * is there or beside it, it lies within what is copied, or another process has the log open;
 * RC_NOT_FOUND: there is nothing to copy; RC_UNAVAILABLE: the disk. Logged with the remedy. What a
 * failure leaves behind has no manifest and is no backup.
 */
MUST_CHECK enum rc archive_make(const struct archive_options *options);

/*
 * Puts a backup where there is nothing. RC_ALREADY_EXISTS: a log (a vault) is there; move it away
 * first: two copies of one log are two histories. RC_INVALID_ARGUMENT: no backup of this kind.
 * RC_FAILED_PRECONDITION: a follower writes to it now, or the node runs.
 */
MUST_CHECK enum rc archive_restore(const struct archive_options *options);

/* For a copy that is kept in the form of a backup (copy.h): its manifest, put and taken away. */
MUST_CHECK enum rc archive_mark_log(int folder);
MUST_CHECK enum rc archive_unmark_log(int folder);

#endif
