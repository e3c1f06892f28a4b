/*
 * filekey - an attachment's name on disk and its header: key, size and digest, wrapped.
 *
 * files.h describes both. Used by files, file_in and file_out only. Keys are wiped by whoever
 * holds a struct filekey (filekey_wipe).
 */
#ifndef STORE_FILEKEY_H
#define STORE_FILEKEY_H

#include <stdint.h>

#include "base/bytes.h"
#include "crypto/aead.h"
#include "crypto/digest.h"
#include "store/files.h"

#define FILENAME_SIZE 16

struct filename {
    uint8_t bytes[FILENAME_SIZE];
    char hex[2 * FILENAME_SIZE + 1];
};

struct filekey {
    uint8_t key[AEAD_KEY_SIZE];
    uint64_t size;
    uint8_t sha256[DIGEST_SIZE];
    char owner[FILES_MEMBER_MAX + 1];
};

/* RC_INVALID_ARGUMENT: no holder, or a long one. */
MUST_CHECK enum rc filename_make(const struct file_name *name, struct filename *filename);
/* A name of a folder's entry; RC_INVALID_ARGUMENT: not ours. */
MUST_CHECK enum rc filename_parse(const char *hex, struct filename *filename);

MUST_CHECK enum rc filekey_write(int folder, struct vault *vault, const struct shard *shard,
                                 const struct filename *name, const struct filekey *key);
/* RC_NOT_FOUND: no header, or its shard was destroyed. RC_DATA_LOSS: damaged. */
MUST_CHECK enum rc filekey_read(int folder, struct vault *vault, const struct filename *name,
                                struct filekey *key);
/* Whether the header is there and its shard was destroyed; a blocked one was not. */
bool filekey_is_erased(int folder, struct vault *vault, const struct filename *name);
/* Under another shard if it is under `from` (NULL: any other); else *is_moved is false. */
MUST_CHECK enum rc filekey_move(int folder, struct vault *vault, const struct filename *name,
                                const struct shard *from, const struct shard *to, bool *is_moved);
/* The shard that it is under; "" when there is no header. */
void filekey_shard(int folder, const struct filename *name, char shard[VAULT_NAME_SIZE]);
void filekey_wipe(struct filekey *key);

#endif
