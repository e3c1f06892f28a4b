#include "offline/log_folder_parts.h"

#include <string.h>

#include "tlog/merkle.h"

static enum rc damaged(const char *name, struct fault *fault)
{
    return refuse(fault, RC_DATA_LOSS, "folder.damaged", name,
                  "Un archivo de la carpeta falta o está dañado; exporte a una carpeta nueva.");
}

void log_folder_bundle_path(const struct bundle *bundle, uint64_t index, unsigned width,
                            char out[TILE_PATH_SIZE])
{
    if (bundle->is_record) {
        log_folder_record_path(index, width, out);
    } else {
        tile_path(&(struct tile){TILE_ENTRIES, index, width}, out);
    }
}

bool log_folder_is_whole(struct bytes bytes, bool is_record, const uint8_t (*hashes)[DIGEST_SIZE],
                         unsigned width)
{
    struct reader records = {.rest = bytes};
    struct bytes entries = bytes;

    for (unsigned i = 0; i < width; i++) {
        uint8_t hash[DIGEST_SIZE];
        struct bytes entry;

        if (is_record) {
            (void)reader_chunk(&records);
        } else if (tile_take_entry(&entries, &entry) != RC_OK) {
            return false;
        } else {
            merkle_leaf(entry, hash);
            if (!digest_equal(hash, hashes[i])) {
                return false;
            }
        }
    }
    return is_record ? reader_is_done(&records) : entries.size == 0;
}

static enum rc load_bundle(struct log_folder *folder, struct bundle *bundle, struct fault *fault)
{
    uint64_t size = folder->published;
    unsigned width = (unsigned)(size % TILE_WIDTH);
    char path[TILE_PATH_SIZE];
    enum rc rc;

    if (size == 0) {
        return RC_OK;
    }
    /* A full last bundle is looked at, too: is this folder one that keeps them? */
    log_folder_bundle_path(bundle, width > 0 ? size / TILE_WIDTH : size / TILE_WIDTH - 1,
                           width > 0 ? width : TILE_WIDTH, path);
    rc = disk_read(folder->path, path, TILE_BUNDLE_MAX, &bundle->bytes);
    if ((rc == RC_OK) != bundle->is_kept) {
        return refuse(fault, RC_FAILED_PRECONDITION, "folder.other", path,
                      "Esa carpeta se exportó con otras opciones (--entries, --records); repita "
                      "con las mismas o use otra carpeta.");
    }
    if (width == 0 || !bundle->is_kept) {
        buffer_clear(&bundle->bytes);
        return RC_OK;
    }
    return log_folder_is_whole(buffer_bytes(&bundle->bytes), bundle->is_record,
                               (const uint8_t(*)[DIGEST_SIZE])folder->edge.hashes[0], width)
               ? RC_OK
               : damaged(path, fault);
}

static enum rc load_edge(struct log_folder *folder, const struct checkpoint *head,
                         struct fault *fault)
{
    uint8_t root[DIGEST_SIZE];
    OWN(buffer) bytes = {0};

    folder->edge.size = head->size;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t hashes = tile_hashes(head->size, level);
        struct tile tile = {level, hashes / TILE_WIDTH, (unsigned)(hashes % TILE_WIDTH)};
        char path[TILE_PATH_SIZE];

        if (tile.width == 0) {
            continue;
        }
        tile_path(&tile, path);
        if (disk_read(folder->path, path, TILE_BYTES, &bytes) != RC_OK ||
            bytes.size != tile.width * (size_t)DIGEST_SIZE) {
            return damaged(path, fault);
        }
        memcpy(folder->edge.hashes[level], bytes.data, bytes.size);
    }
    tile_edge_root(&folder->edge, root);
    return digest_equal(root, head->root) ? RC_OK : damaged("tile", fault);
}

enum rc log_folder_load(struct log_folder *folder, struct fault *fault)
{
    OWN(buffer) bytes = {0};
    struct checkpoint head;
    enum rc rc = disk_read(folder->path, "checkpoint", CHECKPOINT_SIZE_MAX, &bytes);

    if (rc == RC_NOT_FOUND) {
        return RC_OK;
    }
    if (rc != RC_OK) {
        return damaged("checkpoint", fault);
    }
    rc = log_folder_open_note(buffer_bytes(&bytes), folder->logs, folder->log_count, NULL, &head);
    if (rc == RC_NOT_FOUND) {
        return refuse(fault, RC_FAILED_PRECONDITION, "folder.other", "checkpoint",
                      "Esa carpeta es de otra bitácora; use otra.");
    }
    if (rc != RC_OK) {
        return damaged("checkpoint", fault);
    }
    folder->published = head.size;
    TRY(load_edge(folder, &head, fault));
    TRY(load_bundle(folder, &folder->entries, fault));
    return load_bundle(folder, &folder->records, fault);
}
