/*
 * annex - files that travel beside a message (anexos): sent in chunks that resume, fetched
 * likewise.
 *
 * Constant memory whatever the size. A file that breaks off goes on where the node says it stopped.
 * Blocking; any thread.
 */
#ifndef CLIENT_ANNEX_H
#define CLIENT_ANNEX_H

#include "model/message.h"

struct session;

#define ANNEX_CHUNK_SIZE ((size_t)256 << 10)
#define ANNEX_SIZE_MAX ((uint64_t)200 << 20)
/* Chunks on their way without an answer. */
#define ANNEX_WINDOW 16

struct annex {
    struct id id;
    uint64_t size;
    uint8_t sha256[HASH_SIZE];
};

/* Size and digest of a file. RC_NOT_FOUND "annex.unreadable", RC_OUT_OF_RANGE "annex.too_large". */
MUST_CHECK enum rc annex_measure(const char *path, struct annex *annex, struct fault *fault);

/* Sends what the node does not have yet; *sent bytes went over the wire (NULL: not asked). */
MUST_CHECK enum rc annex_put(struct session *session, const char *path, const struct annex *annex,
                             const char *to, uint64_t *sent, struct fault *fault);

/*
 * Fetches into path + ".part" (going on where an earlier try stopped), compares size and digest
 * with those of the message, then renames. sha256 NULL: not compared.
 */
MUST_CHECK enum rc annex_get(struct session *session, const struct id *id, const uint8_t *sha256,
                             const char *path, uint64_t *size, struct fault *fault);

#endif
