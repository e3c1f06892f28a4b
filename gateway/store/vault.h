/*
 * vault - shard keys, as files on a medium of their own: what is destroyed when data is erased.
 *
 * A shard is (holding member, retention class, erase-by month, generation), and its name says so:
 * "cdmx.ssc/R5/203112.1". Everything that is kept for that member until that month is wrapped under
 * the shard's key: content keys (content.h), tag keys (tagkey.h), file keys (files.h). Destroying
 * the key makes all of it unreadable wherever copies lie: database, free pages, backups. So vault
 * and log are never in one backup, and the vault's folder lies neither in the log's nor around it.
 *
 *     <vault>/id                       16 random bytes: which vault this is
 *     <vault>/cdmx.ssc/R5/203112.1     32 random bytes, mode 0600, durable before its first use
 *     <vault>/cdmx.ssc/R5/203112.1.blocked  the key of a blocked shard, in place of the other
 *     <vault>/cdmx.ssc/R5/203112.1.erased   empty: destroyed; its generation is never used again
 *
 * A blocked shard (bloqueo, LGPDPPSO 3 and 17) has its key in that file and nowhere else: whoever
 * opens with the vault finds what he would find after its destruction, RC_NOT_FOUND. Only a handle
 * made for it by vault_with_blocked opens it: the authority's reading, and the erasure's own work.
 * Shards of class VAULT_ESCROW are blocked from the beginning; each holds what one order put there.
 *
 * Early erasure: vault_next makes the next generation; one transaction re-wraps all rows that stay;
 * then vault_destroy of the old one. A destruction cut short by a crash is finished by vault_open.
 * Overwriting means something on media that overwrite in place; on flash, use a medium that can be
 * discarded whole, or an encrypted one.
 *
 * Any thread may call anything here. Looking up is a read lock and no system call; a new shard
 * costs a few fsyncs. Shards live as long as the vault, even destroyed ones: pointers stay valid.
 * Keys stay in locked memory that no core dump holds, and are wiped when destroyed and at
 * vault_free.
 */
#ifndef STORE_VAULT_H
#define STORE_VAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

#define VAULT_KEY_SIZE 32
#define VAULT_ID_SIZE 16
/* With NUL: member 49, class 5, month 6, generation 10, separators. */
#define VAULT_NAME_SIZE 80
#define VAULT_SHARDS_MAX 65536

/* In place of a retention class: what was blocked early. Its month is that of the blocking. */
#define VAULT_ESCROW "B"

struct vault;
struct shard;

/*
 * Opens the folder, making it (mode 0700) when only its last component is missing, and reads all
 * keys. Refused with RC_FAILED_PRECONDITION and a log line: inside the log's folder or around it,
 * readable by group or others, owned by somebody else, in use by another process, shards without
 * an id. RC_DATA_LOSS: a key file of another size. log_folder need not exist yet.
 */
MUST_CHECK enum rc vault_open(const char *path, const char *log_folder, struct vault **vault);
void vault_free(struct vault *vault);
OWN_PTR_DEFINE(vault)

/*
 * VAULT_ID_SIZE bytes, borrowed: drawn when the folder was made. Whoever opens log and vault keeps
 * it in the log and compares: an unmounted medium shows as a new, empty vault.
 */
const uint8_t *vault_id(const struct vault *vault);

/*
 * The erase-by month (yyyymm, UTC) of what is stored now under a class: "R5" five years, "R10" ten
 * ("R1".."R99"). The shard is due when that month is over. RC_INVALID_ARGUMENT: no such class.
 */
MUST_CHECK enum rc vault_month(const char *retention, int64_t now_ms, int32_t *month);

/*
 * The shard now in force for a member ("cdmx/ssc"), class and month. When there is none: made if
 * is_made, and durable on return; else RC_NOT_FOUND. RC_INVALID_ARGUMENT: malformed member, class
 * or month. RC_RESOURCE_EXHAUSTED: VAULT_SHARDS_MAX. RC_UNAVAILABLE: the medium failed, no key is
 * used.
 */
MUST_CHECK enum rc vault_shard(struct vault *vault, const char *member, const char *retention,
                               int32_t month, bool is_made, const struct shard **shard);

/* For opening. RC_NOT_FOUND: erased or blocked. RC_DATA_LOSS (logged): neither a key nor a mark of
 * erasure. */
MUST_CHECK enum rc vault_shard_by_name(struct vault *vault, struct bytes name,
                                       const struct shard **shard);

/* The same member, class and month in a new generation, which vault_shard gives from now on. */
MUST_CHECK enum rc vault_next(struct vault *vault, const struct shard *shard,
                              const struct shard **next);

/* The one in force of the same member, class and month, made if need be. */
MUST_CHECK enum rc vault_successor(struct vault *vault, const struct shard *shard,
                                   const struct shard **successor);

/* Blocks it: the key's file is renamed, durably, and the key forgotten. Idempotent. */
MUST_CHECK enum rc vault_block(struct vault *vault, const struct shard *shard);
/* A new shard for what one order blocks. */
MUST_CHECK enum rc vault_escrow(struct vault *vault, const char *member, int32_t month,
                                const struct shard **shard);
/*
 * A handle in which this blocked shard can be used for sealing and opening, and all that the vault
 * itself can; several may be opened in one (view not NULL on entry). One thread at a time; freed by
 * vault_free, before the vault. RC_NOT_FOUND: it is erased or not blocked.
 */
MUST_CHECK enum rc vault_with_blocked(struct vault *vault, struct bytes name, struct vault **view,
                                      const struct shard **shard);

/*
 * False once vault_next, vault_block or vault_destroy was called. What was sealed before it is
 * stored is checked in its transaction: content_rewrap brings a late one under the shard in force.
 */
bool shard_is_in_force(const struct shard *shard);
/* Destroyed, or blocked: nothing is read under it. */
bool shard_is_erased(const struct shard *shard);
/* Whatever its state; NULL: there never was such a shard. */
const struct shard *vault_known(struct vault *vault, struct bytes name);
bool shard_is_blocked(const struct shard *shard);
/* Of a member ("cdmx/ssc")? */
bool shard_is_of(const struct shard *shard, const char *member);
/* "cdmx.ssc/R5/203112.1", borrowed from the vault. */
const char *shard_name(const struct shard *shard);
int32_t shard_month(const struct shard *shard);

/* A copy, which the caller wipes. RC_NOT_FOUND: erased or blocked. */
MUST_CHECK enum rc shard_key(struct vault *vault, const struct shard *shard,
                             uint8_t key[VAULT_KEY_SIZE]);

/*
 * Marks it erased, overwrites, syncs, unlinks, syncs the folder, forgets the key. Idempotent.
 * RC_NOT_FOUND: there never was such a shard. RC_UNAVAILABLE: the medium failed; the key is
 * forgotten here all the same, and the next vault_open or vault_destroy finishes it.
 */
MUST_CHECK enum rc vault_destroy(struct vault *vault, struct bytes name);

/*
 * Shards of a retention class that still have a key, are not blocked, and whose month is before
 * `month`: at most max; returns how many.
 */
size_t vault_due(struct vault *vault, int32_t month, const struct shard **shards, size_t max);

#endif
