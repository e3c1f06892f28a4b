/*
 * shardfile - the vault's folder: names of shards, key files, marks of erasure. No cache, no lock.
 *
 * vault.h describes the folder. Names are parsed strictly: what this module did not write is
 * logged and left alone. Used by store/vault only, which sees to it that one thread at a time
 * writes.
 */
#ifndef STORE_SHARDFILE_H
#define STORE_SHARDFILE_H

#include <stdint.h>

#include "base/bytes.h"
#include "store/vault.h"

struct shard_label {
    char member[50];   /* "cdmx.ssc" */
    char retention[6]; /* "R5", or VAULT_ESCROW */
    int32_t month;     /* yyyymm */
    uint32_t generation;
};

enum shard_state {
    SHARD_OPEN = 1, /* its key is in force or waits to be destroyed */
    SHARD_BLOCKED,  /* its key is in its file, and nowhere else */
    SHARD_ERASED,
};

/* "R5": years 1..99. RC_INVALID_ARGUMENT. */
MUST_CHECK enum rc shard_years(const char *retention, int32_t *years);
/*
 * From "cdmx/ssc" and a class or VAULT_ESCROW; RC_INVALID_ARGUMENT: network [a-z0-9]{1,16}, code
 * [a-z0-9-]{1,32}.
 */
MUST_CHECK enum rc shard_label_make(const char *member, const char *retention, int32_t month,
                                    struct shard_label *label);
MUST_CHECK enum rc shard_label_parse(struct bytes name, struct shard_label *label);
void shard_label_format(const struct shard_label *label, char out[VAULT_NAME_SIZE]);

/* Opens, checks owner, mode and place, and locks; *root is the caller's. */
MUST_CHECK enum rc shardfile_root(const char *path, const char *log_folder, int *root);
/* Reads the vault's id; RC_NOT_FOUND in a new folder. */
MUST_CHECK enum rc shardfile_id(int root, uint8_t id[VAULT_ID_SIZE]);
MUST_CHECK enum rc shardfile_id_write(int root, const uint8_t id[VAULT_ID_SIZE]);

/* The key is durable when it returns RC_OK; blocked from the beginning, or open. */
MUST_CHECK enum rc shardfile_write(int root, const struct shard_label *label, bool is_blocked,
                                   const uint8_t key[VAULT_KEY_SIZE]);
/* From open to blocked, durably. Goes on where an earlier call was cut short. */
MUST_CHECK enum rc shardfile_block(int root, const struct shard_label *label);
/* The key of a blocked shard; the caller wipes it. RC_NOT_FOUND: destroyed, or not blocked. */
MUST_CHECK enum rc shardfile_blocked(int root, const struct shard_label *label,
                                     uint8_t key[VAULT_KEY_SIZE]);
/* Marks, overwrites, syncs, unlinks, syncs. Goes on where an earlier call was cut short. */
MUST_CHECK enum rc shardfile_destroy(int root, const struct shard_label *label);

/* key is NULL unless the state is SHARD_OPEN; wiped after the call. */
typedef enum rc shardfile_found(struct vault *vault, const struct shard_label *label,
                                enum shard_state state, const uint8_t *key);
/* All shards, in no order; finishes what was cut short. */
MUST_CHECK enum rc shardfile_scan(int root, struct vault *vault, shardfile_found *found);

#endif
