/*
 * log_folder_parts - what log_folder.c, log_folder_load.c and log_folder_resume.c share; for them
 * only.
 */
#ifndef OFFLINE_LOG_FOLDER_PARTS_H
#define OFFLINE_LOG_FOLDER_PARTS_H

#include "offline/disk.h"
#include "offline/log_folder.h"

/* Entries, or records: the bundle that is being filled. */
struct bundle {
    bool is_kept;
    bool is_record;
    struct buffer bytes;
};

struct log_folder {
    char path[DISK_PATH_SIZE];
    const struct vkey *logs;
    size_t log_count;
    enum disk_reach reach;
    int lock;
    uint64_t published; /* what `checkpoint` covers */
    bool is_resumed;    /* leaves beyond it were taken from tiles that no checkpoint covers */
    struct tile_edge edge;
    struct bundle entries;
    struct bundle records;
};

/* The edge and the bundles that the folder's own checkpoint says. Faults of log_folder_open. */
MUST_CHECK enum rc log_folder_load(struct log_folder *folder, struct fault *fault);

void log_folder_bundle_path(const struct bundle *bundle, uint64_t index, unsigned width,
                            char out[TILE_PATH_SIZE]);
/* `width` entries with these hashes, or as many records, and nothing after them. */
bool log_folder_is_whole(struct bytes bytes, bool is_record, const uint8_t (*hashes)[DIGEST_SIZE],
                         unsigned width);
/* Writes the last tile of a level; RC_UNAVAILABLE "folder.disk". */
MUST_CHECK enum rc log_folder_write_tile(const struct log_folder *folder, unsigned level,
                                         uint64_t index, unsigned width, struct fault *fault);

#endif
