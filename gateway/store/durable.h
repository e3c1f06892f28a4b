/*
 * durable - small files and folders that survive a power cut once the call has returned.
 *
 * Written to "<name>.tmp", synced, renamed over the name, and the folder synced: whoever looks
 * sees the old file or the new one, never half of one. Names have no slash. All files are 0600,
 * all folders 0700, neither follows a symbolic link. Failures are logged with the name.
 *
 * Any thread, but one at a time per name.
 */
#ifndef STORE_DURABLE_H
#define STORE_DURABLE_H

#include "base/bytes.h"

/* Logs event and errno; RC_RESOURCE_EXHAUSTED for a full disk, else RC_UNAVAILABLE. */
MUST_CHECK enum rc durable_failed(const char *event, const char *name);

/* Opens a folder, making it when is_made; *fd is the caller's. RC_NOT_FOUND (not logged). */
MUST_CHECK enum rc durable_folder(int parent, const char *name, bool is_made, int *fd);
MUST_CHECK enum rc durable_write(int folder, const char *name, struct bytes bytes);
/* RC_NOT_FOUND (not logged); RC_DATA_LOSS (logged): more than room, or no regular file. */
MUST_CHECK enum rc durable_read(int folder, const char *name, uint8_t *out, size_t room,
                                size_t *size);
/* Removes the temporary files that a crash left in a folder. */
MUST_CHECK enum rc durable_tidy(int folder);
/* RC_NOT_FOUND (not logged). */
MUST_CHECK enum rc durable_unlink(int folder, const char *name);
MUST_CHECK enum rc durable_sync(int fd, const char *name);
/* All bytes or an error (not logged): errno says which. False too when the file ends early. */
bool durable_write_at(int fd, const uint8_t *data, size_t size, uint64_t offset);
bool durable_read_at(int fd, uint8_t *out, size_t size, uint64_t offset);

#endif
