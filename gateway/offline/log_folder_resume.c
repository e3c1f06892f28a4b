#include "offline/log_folder_parts.h"

#include <string.h>

/* A whole bundle beside these hashes, where the folder keeps such bundles. */
static bool is_bundle_there(const struct log_folder *folder, const struct bundle *bundle,
                            uint64_t index, const uint8_t (*hashes)[DIGEST_SIZE])
{
    OWN(buffer) bytes = {0};
    char path[TILE_PATH_SIZE];

    if (!bundle->is_kept) {
        return true;
    }
    log_folder_bundle_path(bundle, index, TILE_WIDTH, path);
    return disk_read(folder->path, path, TILE_BUNDLE_MAX, &bytes) == RC_OK &&
           log_folder_is_whole(buffer_bytes(&bytes), bundle->is_record, hashes, TILE_WIDTH);
}

/* The next full tile of level 0, if it continues what the checkpoint covers. */
static bool read_next(const struct log_folder *folder, struct buffer *tile)
{
    uint64_t index = folder->edge.size / TILE_WIDTH;
    size_t known = (size_t)(folder->edge.size % TILE_WIDTH) * DIGEST_SIZE;
    char path[TILE_PATH_SIZE];

    tile_path(&(struct tile){0, index, TILE_WIDTH}, path);
    return disk_read(folder->path, path, TILE_BYTES, tile) == RC_OK && tile->size == TILE_BYTES &&
           bytes_equal(BYTES(tile->data, known), BYTES(folder->edge.hashes[0], known)) &&
           is_bundle_there(folder, &folder->entries, index,
                           (const uint8_t(*)[DIGEST_SIZE])tile->data) &&
           is_bundle_there(folder, &folder->records, index,
                           (const uint8_t(*)[DIGEST_SIZE])tile->data);
}

/* Tiles of higher levels that it fills are written again: the run may have been cut before them. */
static enum rc take(struct log_folder *folder, const struct buffer *tile, struct fault *fault)
{
    unsigned filled = 0;

    for (size_t i = (size_t)(folder->edge.size % TILE_WIDTH); i < TILE_WIDTH; i++) {
        filled = tile_edge_append(&folder->edge, tile->data + i * DIGEST_SIZE);
    }
    for (unsigned level = 1; level < filled; level++) {
        TRY(log_folder_write_tile(folder, level,
                                  tile_hashes(folder->edge.size, level) / TILE_WIDTH - 1,
                                  TILE_WIDTH, fault));
    }
    buffer_clear(&folder->entries.bytes);
    buffer_clear(&folder->records.bytes);
    folder->is_resumed = true;
    return RC_OK;
}

enum rc log_folder_resume(struct log_folder *folder, uint64_t most, struct fault *fault)
{
    OWN(buffer) tile = {0};

    while ((folder->edge.size / TILE_WIDTH + 1) * TILE_WIDTH <= most && read_next(folder, &tile)) {
        TRY(take(folder, &tile, fault));
    }
    return RC_OK;
}
