/*
 * fileblock - the encrypted blocks of an attachment's file: one at a time, in place.
 *
 * One buffer holds a block as it lies on disk, nonce | text | tag; the text is encrypted and
 * decrypted where it stands, so an open file costs one block of memory. A block that is
 * written again (after a torn tail) gets a new nonce. One thread at a time.
 */
#ifndef STORE_FILEBLOCK_H
#define STORE_FILEBLOCK_H

#include <stdint.h>

#include "base/own.h"
#include "store/filekey.h"

#define FILEBLOCK_OVERHEAD ((uint64_t)AEAD_NONCE_SIZE + AEAD_TAG_SIZE)

struct fileblock {
    int fd; /* closed by fileblock_release; -1: none */
    struct filename name;
    struct filekey key;
    uint8_t *text; /* FILES_BLOCK bytes inside the buffer */
    uint8_t *buffer;
};

/* Takes fd; the key is copied. RC_RESOURCE_EXHAUSTED: out of memory, fd is closed. */
MUST_CHECK enum rc fileblock_init(struct fileblock *block, int fd, const struct filename *name,
                                  const struct filekey *key);
/* Wipes key and text. */
void fileblock_release(struct fileblock *block);

/* Bytes of text in block `index` of this file. */
size_t fileblock_size(const struct fileblock *block, uint64_t index);
/* Bytes on disk of a file of `size` bytes of text, or of its first `size` bytes in whole blocks. */
uint64_t fileblock_disk_size(uint64_t size);
/* The text becomes ciphertext. errno says why when it is RC_UNAVAILABLE (not logged). */
MUST_CHECK enum rc fileblock_write(struct fileblock *block, uint64_t index);
/* RC_DATA_LOSS (not logged): changed, torn, or missing. */
MUST_CHECK enum rc fileblock_read(struct fileblock *block, uint64_t index);

#endif
