/*
 * folder - files exchanged with an agency's system through folders that it can reach.
 *
 * A file is written as NAME.part, synced, renamed to NAME, and the folder synced: whoever reads
 * takes only whole files. What is read goes to taken/ or, beside a NAME.why in plain Spanish, to
 * refused/, both inside the folder; nothing is deleted. A file counts when it is a regular file
 * (never a link), its name is one of [A-Za-z0-9._-] that does not begin with a dot, it does not end
 * in .part or .why, and it has rested for rest_ms: for systems that cannot rename.
 *
 * One thread per folder.
 */
#ifndef SDK_FOLDER_H
#define SDK_FOLDER_H

#include "base/bytes.h"
#include "base/own.h"

#define FOLDER_NAME_MAX 200

struct folder;

/* Makes taken/ and refused/. RC_FAILED_PRECONDITION "folder.unusable" with the path. */
MUST_CHECK enum rc folder_open(const char *path, int64_t rest_ms, struct folder **folder,
                               struct fault *fault);
void folder_free(struct folder *folder);
OWN_PTR_DEFINE(folder)

/* Durable on return; replaces. RC_INVALID_ARGUMENT: not a name. */
MUST_CHECK enum rc folder_write(struct folder *folder, const char *name, struct bytes bytes);
bool folder_has(struct folder *folder, const char *name);

struct folder_names {
    char (*items)[FOLDER_NAME_MAX + 1];
    size_t count;
};
/* What is there to read, in the order of names; at most 10,000. */
MUST_CHECK enum rc folder_list(struct folder *folder, struct folder_names *names);
void folder_names_release(struct folder_names *names);

/* RC_NOT_FOUND; RC_RESOURCE_EXHAUSTED above max bytes. */
MUST_CHECK enum rc folder_read(struct folder *folder, const char *name, size_t max,
                               struct buffer *into);
/* Done with it; durable. A name that was there already gets a number behind it. */
MUST_CHECK enum rc folder_take(struct folder *folder, const char *name);
MUST_CHECK enum rc folder_refuse(struct folder *folder, const char *name, const struct fault *why);

#endif
