/*
 * directory_check - what can be checked only once the whole directory is read: order, duplicates,
 * names that nothing defines, routes that claim the same message. Used by directory_file only.
 */
#ifndef POLICY_DIRECTORY_CHECK_H
#define POLICY_DIRECTORY_CHECK_H

#include "base/rc.h"

/* Rows of one identity, and routes between two members: looked through one by one. */
#define IDENTITY_ROWS_MAX 16
#define ROUTES_BETWEEN_MAX 64
/* How many names are tried for "did you mean". */
#define DIRECTORY_NAMES_MAX 1024

struct reading;

/* Sorts the directory's arrays as model/directory.h promises, then checks. */
MUST_CHECK enum rc directory_check(struct reading *reading);

#endif
