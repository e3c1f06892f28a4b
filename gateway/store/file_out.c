#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/durable.h"
#include "store/fileblock.h"
#include "store/fileset.h"

#define NO_BLOCK UINT64_MAX

struct file_out {
    struct fileblock block;
    uint64_t index; /* of the block that is in memory */
};

void file_out_free(struct file_out *file)
{
    if (file != NULL) {
        fileblock_release(&file->block);
        free(file);
    }
}

uint64_t file_out_size(const struct file_out *file)
{
    return file->block.key.size;
}

static enum rc open_kept(struct files *files, const struct filename *name, struct file_out *file)
{
    struct stat status;
    struct filekey key;
    enum rc rc;
    int fd = openat(files->kept, name->hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? RC_NOT_FOUND : durable_failed("files.open", name->hex);
    }
    rc = filekey_read(files->keys, files->vault, name, &key);
    if (rc == RC_OK &&
        (fstat(fd, &status) != 0 || (uint64_t)status.st_size != fileblock_disk_size(key.size))) {
        rc = failed(RC_DATA_LOSS, "files.size", "file=%s", name->hex);
    }
    if (rc != RC_OK) {
        close(fd);
    } else {
        rc = fileblock_init(&file->block, fd, name, &key);
    }
    filekey_wipe(&key);
    return rc;
}

enum rc files_read(struct files *files, const struct file_name *name, struct file_out **file)
{
    struct filename filename;
    struct file_out *opened;
    enum rc rc;

    TRY(filename_make(name, &filename));
    opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return failed(RC_RESOURCE_EXHAUSTED, "files.memory", "file=%s", filename.hex);
    }
    opened->block.fd = -1;
    opened->index = NO_BLOCK;
    rc = open_kept(files, &filename, opened);
    if (rc != RC_OK) {
        file_out_free(opened);
        return rc;
    }
    *file = opened;
    return RC_OK;
}

enum rc file_out_chunk(struct file_out *file, uint64_t offset, struct bytes *chunk)
{
    uint64_t index = offset / FILES_BLOCK;
    size_t from = (size_t)(offset % FILES_BLOCK);

    if (offset > file->block.key.size) {
        return RC_OUT_OF_RANGE;
    }
    if (offset == file->block.key.size) {
        *chunk = (struct bytes){0};
        return RC_OK;
    }
    if (file->index != index) {
        file->index = NO_BLOCK;
        if (fileblock_read(&file->block, index) != RC_OK) {
            return failed(RC_DATA_LOSS, "files.block", "file=%s block=%llu", file->block.name.hex,
                          (unsigned long long)index);
        }
        file->index = index;
    }
    *chunk = BYTES(file->block.text + from, fileblock_size(&file->block, index) - from);
    return RC_OK;
}
