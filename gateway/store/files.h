/*
 * files - attachments: encrypted files in a folder, received and given in chunks.
 *
 * All attachments are files, small ones too; the database holds nothing about them. A holder
 * (member) and an attachment id make one file, so that two members of one node hold two files
 * with keys of their own. Its name is hex(SHA-256("enlace/file/v1\0" | holder | 0 | id)[:16]):
 *
 *     <folder>/keys/<name>  H, wrapped (wrap.h): label "enlace/file/v1", context name[16]
 *     H                     key[32] | u64 size | sha256[32] | u8 n | owner[n]
 *     <folder>/part/<name>  blocks, while it is received
 *     <folder>/kept/<name>  blocks of a whole file whose SHA-256 was found right
 *     block i               nonce[12] | GCM(file's key, the i-th 256 KiB) | tag[16]
 *                           AAD: name[16] | u64 i;   only the last one is shorter
 *
 * Memory: two blocks for each open file, whatever its size. A crash at any instant loses at most
 * what was not yet durable: files_receive verifies what is there, cuts a torn tail, makes the rest
 * durable and goes on from there. Durable means fsynced: every FILES_SYNC bytes and at the end. A
 * failed fsync is never retried: that file is dropped, because nobody knows what of it is on disk.
 *
 * `struct files` is for any thread; a file being received or read belongs to one thread at a time.
 * All calls may wait for the disk; going on with 200 MiB reads and hashes them (about a second).
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "crypto/digest.h"
#include "model/id.h"
#include "store/vault.h"

#define FILES_SIZE_MAX ((uint64_t)200 << 20)
#define FILES_CHUNK_MAX ((size_t)256 << 10)
#define FILES_BLOCK ((size_t)256 << 10)
#define FILES_SYNC ((uint64_t)4 << 20)
/* Longest holder or owner, without NUL. */
#define FILES_MEMBER_MAX 63
/* Unfinished files of all owners together. */
#define FILES_PARTS_MAX 4096

struct file_in;
struct file_out;
struct files;

struct files_limits {
    unsigned parts_per_owner_max; /* unfinished files of one owner, open or waiting */
    uint64_t disk_floor;          /* bytes that must stay free on the folder's disk */
};

/* Texts are borrowed. */
struct file_name {
    const char *holder; /* the member that keeps it: "cdmx/ssc" */
    struct id id;
};

struct file_claim {
    struct file_name name;
    const char *owner; /* whose budget it counts against: the sending member, a peer */
    uint64_t size;     /* 1..FILES_SIZE_MAX */
    uint8_t sha256[DIGEST_SIZE];
};

/*
 * Makes the folder and its three sub-folders (0700) if missing, and sweeps what a crash left
 * behind. The vault is borrowed. RC_FAILED_PRECONDITION (logged): not ours to use.
 */
MUST_CHECK enum rc files_open(const char *folder, struct vault *vault,
                              const struct files_limits *limits, struct files **files);
/* All its files must be closed before. */
void files_free(struct files *files);
OWN_PTR_DEFINE(files)

/*
 * Begins, or goes on with, a file. The shard counts only at the beginning.
 * RC_ALREADY_EXISTS         it is here whole, or was announced with other size, digest or owner
 * RC_ABORTED                somebody is sending it just now
 * RC_INVALID_ARGUMENT       size 0 or too big, empty or long names
 * RC_RESOURCE_EXHAUSTED     too many unfinished files, or the disk would go below its floor
 * RC_NOT_FOUND              the shard was destroyed
 * RC_UNAVAILABLE            the disk failed (logged)
 */
MUST_CHECK enum rc files_receive(struct files *files, const struct file_claim *claim,
                                 const struct shard *shard, struct file_in **file,
                                 struct fault *fault);
/* Closes; what is not durable may be lost, the rest waits for the next files_receive. */
void file_in_free(struct file_in *file);
OWN_PTR_DEFINE(file_in)

/* Where the next chunk must begin. */
uint64_t file_in_offset(const struct file_in *file);
/* What a crash cannot take away. */
uint64_t file_in_durable(const struct file_in *file);
bool file_in_is_complete(const struct file_in *file);

/*
 * The next chunk, 1..FILES_CHUNK_MAX bytes, with its SHA-256. With the last byte the file becomes
 * durable and complete, or is dropped when the whole's SHA-256 is not the announced one.
 * RC_OUT_OF_RANGE           not at file_in_offset, or past the announced size; nothing changed
 * RC_INVALID_ARGUMENT       the chunk's digest is another (nothing changed), or the whole's
 *                           ("attachment.digest": dropped)
 * RC_RESOURCE_EXHAUSTED     the disk is at its floor or full
 * RC_UNAVAILABLE            the disk failed (logged)
 * After the last two, close it; files_receive goes on from what is there.
 */
MUST_CHECK enum rc file_in_put(struct file_in *file, uint64_t offset, struct bytes data,
                               const uint8_t sha256[DIGEST_SIZE], struct fault *fault);

/* How far an unfinished or whole file is. RC_NOT_FOUND: there is none, or it was erased. */
struct file_state {
    uint64_t size;
    uint64_t durable;
    bool is_complete;
    uint8_t sha256[DIGEST_SIZE];
};
MUST_CHECK enum rc files_stat(struct files *files, const struct file_name *name,
                              struct file_state *state);

/* RC_NOT_FOUND: not here whole, or erased. RC_DATA_LOSS: its header was changed. */
MUST_CHECK enum rc files_read(struct files *files, const struct file_name *name,
                              struct file_out **file);
void file_out_free(struct file_out *file);
OWN_PTR_DEFINE(file_out)
uint64_t file_out_size(const struct file_out *file);
/*
 * From offset to the end of its block (at most FILES_CHUNK_MAX), verified; borrowed until the next
 * call. Empty at the end. RC_OUT_OF_RANGE past it; RC_DATA_LOSS when a byte was changed or is
 * missing (logged).
 */
MUST_CHECK enum rc file_out_chunk(struct file_out *file, uint64_t offset, struct bytes *chunk);

/* Removes key and blocks. RC_NOT_FOUND: none. RC_ABORTED: it is being received. */
MUST_CHECK enum rc files_erase(struct files *files, const struct file_name *name);
/* Puts the keys of all files of one shard under another; before the old one is destroyed. */
MUST_CHECK enum rc files_rewrap(struct files *files, const struct shard *from,
                                const struct shard *to, size_t *count);
/*
 * Puts the key of one file under a blocked shard, which `view` can use (vault_with_blocked): nobody
 * reads it from here on. What is still being received is dropped. RC_NOT_FOUND: there is none.
 * RC_ABORTED: it is being received just now.
 */
MUST_CHECK enum rc files_block(struct files *files, const struct file_name *name,
                               struct vault *view, const struct shard *to);
/* The shard that a file's key is under; "" when there is none. */
void files_shard(struct files *files, const struct file_name *name, char shard[VAULT_NAME_SIZE]);
/* Drops unfinished files that nobody is sending and nobody touched since an instant; how many. */
size_t files_expire(struct files *files, int64_t before_ms);
/* Removes all files whose shard was destroyed; how many. */
size_t files_sweep(struct files *files);

#endif
