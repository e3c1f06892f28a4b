#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/durable.h"
#include "store/fileblock.h"
#include "store/fileset.h"

struct file_in {
    struct files *files;
    struct part *part; /* NULL: whole, or dropped */
    struct fileblock block;
    struct digest_stream *digest; /* of all that was received */
    uint64_t received;
    uint64_t durable;
    uint64_t room_seen; /* received, when the disk was last looked at */
    bool is_complete;
    bool is_broken;
};

void file_in_free(struct file_in *file)
{
    if (file != NULL) {
        fileblock_release(&file->block);
        digest_stream_free(file->digest);
        if (file->part != NULL) {
            part_close(file->files, file->part);
        }
        free(file);
    }
}

/* Nobody knows what of it is on disk, or it is not what was announced. */
static void drop(struct file_in *file)
{
    if (files_remove(file->files, &file->block.name) != RC_OK) {
        log_warn("files.drop", "file=%s", file->block.name.hex);
    }
    part_forget(file->files, file->part);
    file->part = NULL;
    file->is_broken = true;
}

/* Reads on until a block is missing, torn or changed; what is before it is good. */
static void verify(struct file_in *file)
{
    uint64_t size = file->block.key.size;

    while (file->received < size &&
           fileblock_read(&file->block, file->received / FILES_BLOCK) == RC_OK) {
        size_t n = fileblock_size(&file->block, file->received / FILES_BLOCK);

        digest_stream_add(file->digest, BYTES(file->block.text, n));
        file->received += n;
    }
}

static enum rc sync_blocks(struct file_in *file, uint64_t durable)
{
    enum rc rc = durable_sync(file->block.fd, file->block.name.hex);

    if (rc != RC_OK) {
        drop(file);
        return RC_UNAVAILABLE;
    }
    file->durable = durable;
    part_advance(file->files, file->part, durable);
    return RC_OK;
}

/* All bytes are on disk: is it what was announced? */
static enum rc finish(struct file_in *file, struct fault *fault)
{
    const struct filename *name = &file->block.name;
    struct files *files = file->files;
    uint8_t digest[DIGEST_SIZE];

    TRY(sync_blocks(file, file->received));
    digest_stream_end(file->digest, digest);
    if (!digest_equal(digest, file->block.key.sha256)) {
        drop(file);
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.digest", "attachment.sha256",
                      "El archivo recibido no corresponde al SHA-256 anunciado; envíelo de nuevo "
                      "desde el principio.");
    }
    if (renameat(files->part, name->hex, files->kept, name->hex) != 0) {
        file->is_broken = true;
        return durable_failed("files.keep", name->hex);
    }
    if (durable_sync(files->kept, name->hex) != RC_OK ||
        durable_sync(files->part, name->hex) != RC_OK) {
        drop(file);
        return RC_UNAVAILABLE;
    }
    part_forget(files, file->part);
    file->part = NULL;
    file->is_complete = true;
    return RC_OK;
}

static enum rc resume(struct file_in *file, struct fault *fault)
{
    const struct filename *name = &file->block.name;

    verify(file);
    if (ftruncate(file->block.fd, (off_t)fileblock_disk_size(file->received)) != 0) {
        return durable_failed("files.cut", name->hex);
    }
    if (file->received == file->block.key.size) {
        return finish(file, fault);
    }
    return sync_blocks(file, file->received);
}

static enum rc begin(struct files *files, struct part *part, struct file_in *file,
                     struct fault *fault)
{
    struct filekey key;
    enum rc rc;
    int fd;

    TRY(filekey_read(files->keys, files->vault, &part->name, &key));
    fd = openat(files->part, part->name.hex, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    rc = fd < 0 ? durable_failed("files.open", part->name.hex)
                : fileblock_init(&file->block, fd, &part->name, &key);
    filekey_wipe(&key);
    TRY(rc);
    TRY(durable_sync(files->part, part->name.hex));
    return resume(file, fault);
}

enum rc file_in_open(struct files *files, struct part *part, struct file_in **file,
                     struct fault *fault)
{
    struct file_in *opened = calloc(1, sizeof *opened);
    enum rc rc;

    if (opened == NULL) {
        part_close(files, part);
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "file=%s", part->name.hex);
    }
    opened->files = files;
    opened->part = part;
    opened->block.fd = -1;
    opened->digest = digest_stream_new();
    rc = opened->digest == NULL ? RC_RESOURCE_EXHAUSTED : begin(files, part, opened, fault);
    if (rc != RC_OK) {
        file_in_free(opened);
        return rc;
    }
    *file = opened;
    return RC_OK;
}

uint64_t file_in_offset(const struct file_in *file)
{
    return file->received;
}

uint64_t file_in_durable(const struct file_in *file)
{
    return file->durable;
}

bool file_in_is_complete(const struct file_in *file)
{
    return file->is_complete;
}

static enum rc check_chunk(const struct file_in *file, uint64_t offset, struct bytes data,
                           const uint8_t *sha256, struct fault *fault)
{
    uint8_t digest[DIGEST_SIZE];

    if (file->is_broken || file->is_complete) {
        return RC_FAILED_PRECONDITION;
    }
    if (data.size == 0 || data.size > FILES_CHUNK_MAX) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.chunk_size", "chunk.data",
                      "Cada fragmento lleva de 1 a %zu bytes.", FILES_CHUNK_MAX);
    }
    if (offset != file->received || data.size > file->block.key.size - offset) {
        return refuse(fault, RC_OUT_OF_RANGE, "attachment.offset", "chunk.offset",
                      "El fragmento siguiente debe comenzar en el byte %llu y no pasar del tamaño "
                      "anunciado.",
                      (unsigned long long)file->received);
    }
    digest_of(&data, 1, digest);
    if (!digest_equal(digest, sha256)) {
        return refuse(fault, RC_INVALID_ARGUMENT, "attachment.chunk_digest", "chunk.sha256",
                      "El fragmento no corresponde a su SHA-256; envíelo de nuevo.");
    }
    return RC_OK;
}

/* Before anything of the chunk is taken, every FILES_SYNC bytes. */
static enum rc check_room(struct file_in *file, struct fault *fault)
{
    if (file->received - file->room_seen >= FILES_SYNC) {
        TRY(files_room(file->files, FILES_SYNC, fault));
        file->room_seen = file->received;
    }
    return RC_OK;
}

/* A block is full, or the last one has all its bytes. */
static enum rc flush(struct file_in *file, uint64_t index)
{
    enum rc rc = fileblock_write(&file->block, index);

    if (rc == RC_UNAVAILABLE) {
        rc = durable_failed("files.write", file->block.name.hex);
    }
    if (rc != RC_OK) {
        file->is_broken = true;
        return rc;
    }
    return file->received - file->durable >= FILES_SYNC && file->received < file->block.key.size
               ? sync_blocks(file, file->received)
               : RC_OK;
}

enum rc file_in_put(struct file_in *file, uint64_t offset, struct bytes data,
                    const uint8_t sha256[DIGEST_SIZE], struct fault *fault)
{
    TRY(check_chunk(file, offset, data, sha256, fault));
    TRY(check_room(file, fault));
    digest_stream_add(file->digest, data);
    while (data.size > 0) {
        uint64_t index = file->received / FILES_BLOCK;
        size_t used = (size_t)(file->received % FILES_BLOCK);
        size_t room = fileblock_size(&file->block, index) - used;
        size_t n = data.size < room ? data.size : room;

        memcpy(file->block.text + used, data.data, n);
        data = BYTES(data.data + n, data.size - n);
        file->received += n;
        if (n == room) {
            TRY(flush(file, index));
        }
    }
    return file->received == file->block.key.size ? finish(file, fault) : RC_OK;
}
