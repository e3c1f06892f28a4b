/*
 * disk - whole files below a folder: read within a bound, written so that a crash leaves the old
 * or the new one.
 *
 * Names are relative to the folder, with '/' between parts; the caller makes them, never a
 * stranger. Blocking; any thread. Logs nothing: the caller says what it means.
 */
#ifndef OFFLINE_DISK_H
#define OFFLINE_DISK_H

#include "base/bytes.h"

#define DISK_PATH_SIZE 1024

/*
 * Replaces what the buffer held. Regular files only. RC_NOT_FOUND: there is none; RC_OUT_OF_RANGE:
 * more than max bytes; RC_INVALID_ARGUMENT: no regular file, or a path too long; RC_UNAVAILABLE:
 * the disk says no.
 */
MUST_CHECK enum rc disk_read(const char *folder, const char *name, size_t max, struct buffer *into);

/* Who may read what is made. */
enum disk_reach {
    DISK_BY_UMASK, /* whom the caller's umask lets */
    DISK_FOR_ALL,  /* everybody, whatever the umask */
};

/*
 * Makes the folders on the way, each synced in the one above it, writes NAME.new, syncs it, renames
 * it, syncs the folder. One writer at a time. RC_UNAVAILABLE, RC_INVALID_ARGUMENT (a path too
 * long).
 */
MUST_CHECK enum rc disk_write(const char *folder, const char *name, struct bytes bytes,
                              enum disk_reach reach);
/* The folder itself, with those above it; those that stand already are left as they are. */
MUST_CHECK enum rc disk_make_folder(const char *folder, enum disk_reach reach);

/* Removes all files of a folder that holds only files, then itself; what fails stays. */
void disk_remove_folder(const char *folder, const char *name);

#endif
