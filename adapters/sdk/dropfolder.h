/*
 * dropfolder - files exchanged with an agency's system through folders that it can reach.
 *
 * A file is written as NAME.part, synced, renamed to NAME, and the folder synced: whoever reads
 * takes only whole files. What is read goes to taken/ or, beside a NAME.why in plain Spanish, to
 * refused/, both inside the folder; nothing is deleted. A file counts when it is a regular file
 * (never a link), its name is one of [A-Za-z0-9._-] that does not begin with a dot, it does not end
 * in .part or .why, and it has rested for rest_ms: for systems that cannot rename.
 *
 * One thread per folder.
 */
#ifndef SDK_DROPFOLDER_H
#define SDK_DROPFOLDER_H

#include "base/bytes.h"
#include "base/own.h"

#define DROPFOLDER_NAME_MAX 200

struct dropfolder;

/* Makes taken/ and refused/. RC_FAILED_PRECONDITION "folder.unusable" with the path. */
MUST_CHECK enum rc dropfolder_open(const char *path, int64_t rest_ms, struct dropfolder **folder,
                                   struct fault *fault);
void dropfolder_free(struct dropfolder *folder);
OWN_PTR_DEFINE(dropfolder)

/* Durable on return; replaces. RC_INVALID_ARGUMENT: not a name. */
MUST_CHECK enum rc dropfolder_write(struct dropfolder *folder, const char *name,
                                    struct bytes bytes);
bool dropfolder_has(struct dropfolder *folder, const char *name);

struct dropfolder_names {
    char (*items)[DROPFOLDER_NAME_MAX + 1];
    size_t count;
};
/* What is there to read, in the order of names; at most 10,000. */
MUST_CHECK enum rc dropfolder_list(struct dropfolder *folder, struct dropfolder_names *names);
void dropfolder_names_release(struct dropfolder_names *names);

/* RC_NOT_FOUND; RC_RESOURCE_EXHAUSTED above max bytes. */
MUST_CHECK enum rc dropfolder_read(struct dropfolder *folder, const char *name, size_t max,
                                   struct buffer *into);
/* Done with it; durable. A name that was there already gets a number behind it. */
MUST_CHECK enum rc dropfolder_take(struct dropfolder *folder, const char *name);
MUST_CHECK enum rc dropfolder_refuse(struct dropfolder *folder, const char *name,
                                     const struct fault *why);

#endif
