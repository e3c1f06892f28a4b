#include "store/fileblock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/durable.h"

#define BUFFER_SIZE (FILES_BLOCK + (size_t)FILEBLOCK_OVERHEAD)
#define AAD_SIZE (FILENAME_SIZE + 8)

enum rc fileblock_init(struct fileblock *block, int fd, const struct filename *name,
                       const struct filekey *key)
{
    block->buffer = malloc(BUFFER_SIZE);
    if (block->buffer == NULL) {
        close(fd);
        block->fd = -1;
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "bytes=%zu", BUFFER_SIZE);
    }
    block->text = block->buffer + AEAD_NONCE_SIZE;
    block->fd = fd;
    block->name = *name;
    block->key = *key;
    return RC_OK;
}

void fileblock_release(struct fileblock *block)
{
    if (block->buffer != NULL) {
        explicit_bzero(block->buffer, BUFFER_SIZE);
        free(block->buffer);
    }
    if (block->fd >= 0) {
        close(block->fd);
    }
    explicit_bzero(block, sizeof *block);
    block->fd = -1;
}

size_t fileblock_size(const struct fileblock *block, uint64_t index)
{
    uint64_t rest = block->key.size - index * FILES_BLOCK;

    return rest < FILES_BLOCK ? (size_t)rest : FILES_BLOCK;
}

uint64_t fileblock_disk_size(uint64_t size)
{
    return size + (size + FILES_BLOCK - 1) / FILES_BLOCK * FILEBLOCK_OVERHEAD;
}

static uint64_t offset_of(uint64_t index)
{
    return index * (FILES_BLOCK + FILEBLOCK_OVERHEAD);
}

static void aad_make(const struct fileblock *block, uint64_t index, uint8_t aad[AAD_SIZE])
{
    memcpy(aad, block->name.bytes, FILENAME_SIZE);
    put_u64(aad + FILENAME_SIZE, index);
}

enum rc fileblock_write(struct fileblock *block, uint64_t index)
{
    size_t size = fileblock_size(block, index);
    uint8_t aad[AAD_SIZE];

    aad_make(block, index, aad);
    random_fill(block->buffer, AEAD_NONCE_SIZE);
    TRY(aead_seal(block->key.key, block->buffer, BYTES_OF(aad), BYTES(block->text, size),
                  block->text));
    return durable_write_at(block->fd, block->buffer, size + FILEBLOCK_OVERHEAD, offset_of(index))
               ? RC_OK
               : RC_UNAVAILABLE;
}

enum rc fileblock_read(struct fileblock *block, uint64_t index)
{
    size_t size = fileblock_size(block, index);
    uint8_t aad[AAD_SIZE];

    if (!durable_read_at(block->fd, block->buffer, size + FILEBLOCK_OVERHEAD, offset_of(index))) {
        return RC_DATA_LOSS;
    }
    aad_make(block, index, aad);
    return aead_open(block->key.key, block->buffer, BYTES_OF(aad),
                     BYTES(block->text, size + AEAD_TAG_SIZE), block->text);
}
