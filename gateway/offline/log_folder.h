/*
 * log_folder - a log as a folder of files (C2SP tlog-tiles), written as the log grows.
 *
 *     checkpoint                     the newest signed tree head; written last
 *     checkpoints/<size>             those of earlier exports: a memory against rollback, and the
 *                                    brackets of time
 *     tile/<L>/<N>[.p/<W>]           hash tiles
 *     tile/entries/<N>[.p/<W>]       entry bundles: for auditors only
 *     records/<N>[.p/<W>]            audit records (u32 length ‖ r_A[32] ‖ record, length 0: none),
 *                                    cut like entry bundles: for auditors only
 *     vkey, policy                   one line, and a tlog-policy text
 *     minimum-index                  where old records were given up: a number, one line
 *
 * Every file is written whole, synced and renamed. What `checkpoint` covers is there; a crash
 * leaves at most tiles beyond it, where the next run goes on. One writer at a time, by a lock
 * on the folder. Without entries and records the folder is a mirror that anyone may hold; with them
 * it is closed to all but its owner (0700).
 */
#ifndef OFFLINE_LOG_FOLDER_H
#define OFFLINE_LOG_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tlog/checkpoint.h"
#include "tlog/tiles.h"

#define LOG_FOLDER_CHECKPOINTS "checkpoints"
/* Of one record with its blind and length. */
#define LOG_FOLDER_RECORD_MAX ((size_t)32 << 10)
#define LOG_FOLDER_RECORDS_MAX (TILE_WIDTH * LOG_FOLDER_RECORD_MAX)

struct log_folder;

struct log_folder_options {
    const char *path;
    /* Keys of the log: a checkpoint must be signed by one of them, and all are of one origin. */
    const struct vkey *logs;
    size_t log_count;
    bool has_entries;
    bool has_records;
    /* Everybody may read it, whatever the umask: for a mirror that a node keeps. */
    bool is_for_all;
};

/*
 * Makes the folder, or takes up where an earlier run ended: its checkpoint is verified and its
 * edge checked against it. Refusals (fault, with remedy): folder.busy, folder.other (another log's,
 * or one with other contents), folder.damaged, folder.disk.
 */
MUST_CHECK enum rc log_folder_open(const struct log_folder_options *options,
                                   struct log_folder **folder, struct fault *fault);
void log_folder_free(struct log_folder *folder);
OWN_PTR_DEFINE(log_folder)

/* Leaves that are in it: the index of the next to add. */
uint64_t log_folder_size(const struct log_folder *folder);

/*
 * Takes up the full tiles, with what is kept beside them, that a run cut short left beyond the
 * checkpoint, as far as they lie below `most` leaves; what is not whole ends it. Call it once,
 * before the first leaf is added. Nothing vouches for those tiles yet: log_folder_finish may find
 * that they are not of this log.
 */
MUST_CHECK enum rc log_folder_resume(struct log_folder *folder, uint64_t most, struct fault *fault);

/* The record with its blind in front; data NULL: none. What is not kept is ignored. */
MUST_CHECK enum rc log_folder_add(struct log_folder *folder, struct bytes entry,
                                  struct bytes blind_and_record, struct fault *fault);

/*
 * The signed tree head of exactly what was added becomes the folder's; the tiles that it needs are
 * written before it. RC_DATA_LOSS "folder.fork": another root than that of the leaves: the log is
 * no longer the one that was exported before, and both notes prove it. Nothing is changed then but
 * tiles beyond the old checkpoint. RC_ABORTED "folder.resume": the same, after log_folder_resume:
 * open the folder again and add all leaves, to know which it is.
 */
MUST_CHECK enum rc log_folder_finish(struct log_folder *folder, struct bytes note,
                                     struct fault *fault);

/*
 * A full bundle of records in the place of the one that stands, once records in it were given up:
 * as log_folder_add wrote them, length 0 for those that are gone. Only below what is published.
 */
MUST_CHECK enum rc log_folder_put_records(struct log_folder *folder, uint64_t index,
                                          struct bytes bundle, struct fault *fault);

/* A text beside the log ("vkey", "policy"); written only when it differs. */
MUST_CHECK enum rc log_folder_put_text(struct log_folder *folder, const char *name,
                                       struct bytes text, struct fault *fault);

/* The first key of this note's origin that verifies it; codes of checkpoint_open. */
MUST_CHECK enum rc log_folder_open_note(struct bytes bytes, const struct vkey *logs,
                                        size_t log_count, struct note *note,
                                        struct checkpoint *checkpoint);

/* The name of a record bundle: as tile_path, below records/. */
void log_folder_record_path(uint64_t index, unsigned width, char out[TILE_PATH_SIZE]);

#endif
