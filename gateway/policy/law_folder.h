/*
 * law_folder - signed texts as files: what authorities and members publish, and a node's archive.
 *
 *     FOLDER/NAME.note              signed texts, in any number of files, one in each
 *     FOLDER/<network>.authorities  who signs a network's first text (tlog/authorities.h)
 *
 * Files are put by rename, so that whoever reads meets whole ones. Names say nothing but which
 * network an authorities file is of: what a note is stands in it. Blocking; any thread.
 */
#ifndef POLICY_LAW_FOLDER_H
#define POLICY_LAW_FOLDER_H

#include "base/bytes.h"
#include "base/own.h"
#include "policy/law.h"

#define LAW_FILES_MAX 4096
#define LAW_PATH_SIZE 512
#define LAW_ERROR_SIZE 256

struct law_file {
    char name[256];
    struct buffer bytes;
};

struct law_folder {
    struct law_file *files; /* by name */
    size_t count;
};

/* Every .note; RC_NOT_FOUND: no such folder. What cannot be read is skipped and logged. */
MUST_CHECK enum rc law_folder_read(const char *path, struct law_folder *folder);
void law_folder_release(struct law_folder *folder);

/* law_trust for each .authorities. RC_INVALID_ARGUMENT with file and line in `error`. */
MUST_CHECK enum rc law_folder_trust(const char *path, struct law *law, char error[LAW_ERROR_SIZE]);

/* Of names, sizes, inodes and times: it changes when a file does. 0: no such folder. */
uint64_t law_folder_state(const char *path);

/* Synced and renamed into place. RC_UNAVAILABLE, logged. */
MUST_CHECK enum rc law_folder_put(const char *path, const char *name, struct bytes bytes);

/* "cdmx.note", "cdmx.ssc.roster.note", "cdmx.suspension-0123456789abcdef.note". With a version
 * ("cdmx.v7.note") when `is_archive`. */
void law_file_name(const struct law_note *note, bool is_archive, char out[128]);

#endif
