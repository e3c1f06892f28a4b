/*
 * folder - small files of a folder: read one, write one whole, walk them all.
 *
 * Files are at most 2 MiB; names that begin with a dot are passed over. Single-threaded.
 */
#ifndef WORKLOAD_FOLDER_H
#define WORKLOAD_FOLDER_H

#include "base/bytes.h"

#define FOLDER_FILE_MAX ((size_t)2 << 20)

/* Place first in the object that looks at the files. */
struct folder_user {
    /* Anything but RC_OK ends the walk with that code. */
    enum rc (*on_file)(struct folder_user *user, const char *path, struct bytes content);
};

/* A folder that is not there is empty. */
MUST_CHECK enum rc folder_walk(const char *path, struct folder_user *user);
/* RC_NOT_FOUND when there is none; else RC_OK or RC_DATA_LOSS. */
MUST_CHECK enum rc folder_read(const char *path, struct buffer *content);
/* Under a temporary name, synced, then renamed. RC_UNAVAILABLE, logged. */
MUST_CHECK enum rc folder_write(const char *path, struct bytes content);

#endif
