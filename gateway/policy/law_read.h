/*
 * law_read - the directory that the signed texts of a folder make, for tools and consoles: as a
 * node would take it, today.
 */
#ifndef POLICY_LAW_READ_H
#define POLICY_LAW_READ_H

#include "base/rc.h"

struct directory;

/* RC_NOT_FOUND "file.unreadable"; RC_FAILED_PRECONDITION "law.none": nothing there is in force. The
 * caller frees it (directory_free). */
MUST_CHECK enum rc law_read(const char *path, struct directory **directory, struct fault *fault);

#endif
