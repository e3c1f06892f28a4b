/*
 * fileset - what files, file_in and file_out share: the folders and the unfinished files.
 *
 * The list is under the lock. A part that is open belongs to one file_in, which alone removes it;
 * one that waits may be removed by whoever holds the lock.
 */
#ifndef STORE_FILESET_H
#define STORE_FILESET_H

#include <pthread.h>
#include <stdint.h>

#include "store/filekey.h"
#include "store/files.h"

/* An unfinished file. */
struct part {
    struct part *next;
    struct filename name;
    char owner[FILES_MEMBER_MAX + 1];
    uint64_t size;
    uint8_t sha256[DIGEST_SIZE];
    uint64_t durable;
    bool is_verified; /* durable was found or made by this process */
    bool is_open;
    int64_t touched_ms;
};

struct files {
    struct vault *vault;
    struct files_limits limits;
    int root;
    int keys;
    int part;
    int kept;
    pthread_mutex_t lock;
    struct part *parts;
    size_t part_count;
};

/* True only when it is certain that there is no such file. */
bool files_lacks(int folder, const struct filename *name);
/* Our names in a folder at one moment: *count entries, which the caller frees. */
MUST_CHECK enum rc files_list(int folder, struct filename **names, size_t *count);
/* RC_RESOURCE_EXHAUSTED when less than the floor would be free after `size` more bytes. */
MUST_CHECK enum rc files_room(const struct files *files, uint64_t size, struct fault *fault);
/*
 * Header and blocks, header first, as much as the disk lets go. RC_NOT_FOUND: neither. With the
 * lock held, or the part open.
 */
MUST_CHECK enum rc files_remove(struct files *files, const struct filename *name);

/* With the lock held: into the list, out of it (and freed), NULL when there is none. */
MUST_CHECK enum rc part_add(struct files *files, const struct filename *name,
                            const struct filekey *key, struct part **added);
void part_unlist(struct files *files, struct part *part);
struct part *part_find(struct files *files, const struct filename *name);

/* Without the lock, by the part's file_in: how far it is; back into waiting; whole or dropped. */
void part_advance(struct files *files, struct part *part, uint64_t durable);
void part_close(struct files *files, struct part *part);
void part_forget(struct files *files, struct part *part);

/*
 * Verifies, cuts and syncs what is there. The part is marked as open; a failure undoes the mark.
 * RC_INVALID_ARGUMENT: all bytes were there and are not what was announced; it was dropped.
 */
MUST_CHECK enum rc file_in_open(struct files *files, struct part *part, struct file_in **file,
                                struct fault *fault);

#endif
