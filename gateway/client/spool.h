/*
 * spool - what a client program must not forget: one folder on its own disk.
 *
 *     secret       32 random bytes: ids and blinds of what this program says derive from it
 *     lock         held while the spool is open: one program at a time
 *     outbox/      serialised SubmitRequests that have no receipt yet; resent, the same bytes
 *     answered/    those that the node has and nobody else yet: sent again after it lost its disk
 *                  (client/answered)
 *     receipts/    receipt files (client/receipt_file) of what the node took
 *     inbox/       serialised Messages in custody that have not been dealt with yet
 *     exchanges/   headers (Messages without compartments) of the openings of running exchanges
 *     parked/      what the node refused for good, beside a .why with the reason, for a person
 *     evidence/    both receipts of what came (receipt files), where the adapter wants them
 *     aside/       what the agency's system said and could not be taken, beside a .why, likewise
 *     rejected/    what came and the agency's own system refused for good, likewise
 *
 * Files are named by the message's id, written to a temporary name, synced, renamed; the folder is
 * synced once for all files of one call. Folders are 0700, files 0600: outbox and inbox hold what
 * travels, in clear where it travels in clear. Ids are UUIDv7, so the order of names is the
 * order of time. One thread.
 */
#ifndef CLIENT_SPOOL_H
#define CLIENT_SPOOL_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/own.h"
#include "model/id.h"

#define SPOOL_SEED_SIZE 32
#define SPOOL_FILE_MAX ((size_t)2 << 20)

struct spool;

enum spool_folder {
    SPOOL_OUTBOX,
    SPOOL_ANSWERED,
    SPOOL_RECEIPTS,
    SPOOL_INBOX,
    SPOOL_EXCHANGES,
    SPOOL_PARKED,
    SPOOL_REJECTED,
    SPOOL_EVIDENCE,
    SPOOL_ASIDE,
    SPOOL_FOLDERS
};

struct spool_entry {
    enum spool_folder folder;
    struct id id;
    struct bytes bytes;
};

/*
 * Makes the folders when they are not there. RC_UNAVAILABLE "spool.busy" when another program has
 * it open, RC_FAILED_PRECONDITION "spool.unusable" with the path otherwise.
 */
MUST_CHECK enum rc spool_open(const char *path, struct spool **spool, struct fault *fault);
void spool_free(struct spool *spool);
OWN_PTR_DEFINE(spool)

const char *spool_path(const struct spool *spool);

/* Durable on return, all of them; a failure is logged and some may be there. Replaces. */
MUST_CHECK enum rc spool_store(struct spool *spool, const struct spool_entry *entries,
                               size_t count);
/* Replaces what the buffer held. RC_NOT_FOUND, or RC_DATA_LOSS when it cannot be read. */
MUST_CHECK enum rc spool_read(const struct spool *spool, enum spool_folder folder,
                              const struct id *id, struct buffer *into);
bool spool_has(const struct spool *spool, enum spool_folder folder, const struct id *id);
/* Not there: fine. Not synced: what comes back after a power cut is known by its id. */
void spool_remove(struct spool *spool, enum spool_folder folder, const struct id *id);
/* Moves it, over what may be there. Not there: fine. Not synced: it is dealt with again then. */
void spool_move(struct spool *spool, enum spool_folder from, enum spool_folder to,
                const struct id *id);
/* Refused for good: moves it from outbox to parked, with the reason for a person to read.
 * A failure is logged; the message stays in the outbox then. */
void spool_park(struct spool *spool, const struct id *id, const struct fault *why);

/* Into rejected or aside, with the reason for a person to read: durable on return. */
MUST_CHECK enum rc spool_reject(struct spool *spool, enum spool_folder folder, const struct id *id,
                                struct bytes message, const struct fault *why);

struct spool_ids {
    struct id *items;
    size_t count;
};
/* Ascending. */
MUST_CHECK enum rc spool_list(const struct spool *spool, enum spool_folder folder,
                              struct spool_ids *ids);
void spool_ids_release(struct spool_ids *ids);

/* HMAC of the spool's secret over the parts: the same parts give the same seed for ever. */
void spool_seed(const struct spool *spool, const struct bytes *parts, size_t count,
                uint8_t seed[SPOOL_SEED_SIZE]);

#endif
