#include "offline/log_folder.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "offline/disk.h"
#include "tlog/merkle.h"
#include "tlog/text.h"

/* Entries, or records: the bundle that is being filled. */
struct bundle {
    bool is_kept;
    bool is_record;
    struct buffer bytes;
};

struct log_folder {
    char path[DISK_PATH_SIZE];
    const struct vkey *logs;
    size_t log_count;
    int lock;
    uint64_t published; /* what `checkpoint` covers */
    struct tile_edge edge;
    struct bundle entries;
    struct bundle records;
};

static enum rc disk_says_no(const struct log_folder *folder, struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "folder.disk", folder->path,
                  "No se pudo escribir en la carpeta; revise espacio y permisos, y repita.");
}

static enum rc damaged(const char *name, struct fault *fault)
{
    return refuse(fault, RC_DATA_LOSS, "folder.damaged", name,
                  "Un archivo de la carpeta falta o está dañado; exporte a una carpeta nueva.");
}

enum rc log_folder_open_note(struct bytes bytes, const struct vkey *logs, size_t log_count,
                             struct note *note, struct checkpoint *checkpoint)
{
    struct bytes rest = bytes;
    struct bytes origin;
    enum rc rc = RC_NOT_FOUND;

    if (!text_line(&rest, &origin)) {
        return RC_INVALID_ARGUMENT;
    }
    for (size_t i = 0; i < log_count; i++) {
        if (bytes_are_text(origin, logs[i].name)) {
            rc = checkpoint_open(bytes, &logs[i], note, checkpoint);
            if (rc != RC_NOT_FOUND) {
                return rc;
            }
        }
    }
    return rc;
}

void log_folder_record_path(uint64_t index, unsigned width, char out[TILE_PATH_SIZE])
{
    char path[TILE_PATH_SIZE];

    tile_path(&(struct tile){TILE_ENTRIES, index, width}, path);
    snprintf(out, TILE_PATH_SIZE, "records/%s", path + strlen("tile/entries/"));
}

static void bundle_path(const struct bundle *bundle, uint64_t index, unsigned width,
                        char out[TILE_PATH_SIZE])
{
    if (bundle->is_record) {
        log_folder_record_path(index, width, out);
    } else {
        tile_path(&(struct tile){TILE_ENTRIES, index, width}, out);
    }
}

/* As many as the tile beside it has hashes; entries must be theirs. */
static bool is_whole(const struct log_folder *folder, const struct bundle *bundle, unsigned width)
{
    struct reader records = {.rest = buffer_bytes(&bundle->bytes)};
    struct bytes entries = buffer_bytes(&bundle->bytes);

    for (unsigned i = 0; i < width; i++) {
        uint8_t hash[DIGEST_SIZE];
        struct bytes entry;

        if (bundle->is_record) {
            (void)reader_chunk(&records);
        } else if (tile_take_entry(&entries, &entry) != RC_OK) {
            return false;
        } else {
            merkle_leaf(entry, hash);
            if (!digest_equal(hash, folder->edge.hashes[0][i])) {
                return false;
            }
        }
    }
    return bundle->is_record ? reader_is_done(&records) : entries.size == 0;
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
    bundle_path(bundle, width > 0 ? size / TILE_WIDTH : size / TILE_WIDTH - 1,
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
    return is_whole(folder, bundle, width) ? RC_OK : damaged(path, fault);
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

static enum rc load(struct log_folder *folder, struct fault *fault)
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

static enum rc lock(struct log_folder *folder, struct fault *fault)
{
    char path[DISK_PATH_SIZE + 8];

    if (disk_make_folder(folder->path) != RC_OK ||
        ((folder->entries.is_kept || folder->records.is_kept) && chmod(folder->path, 0700) != 0)) {
        return disk_says_no(folder, fault);
    }
    snprintf(path, sizeof path, "%s/.lock", folder->path);
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (folder->lock < 0) {
        return disk_says_no(folder, fault);
    }
    return flock(folder->lock, LOCK_EX | LOCK_NB) == 0
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "folder.busy", folder->path,
                        "Otro proceso exporta a esa carpeta; espere a que termine.");
}

enum rc log_folder_open(const struct log_folder_options *options, struct log_folder **folder,
                        struct fault *fault)
{
    OWN_PTR(log_folder) made = calloc(1, sizeof *made);

    if (made == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "folder.memory", "", "Falta memoria.");
    }
    made->lock = -1;
    /* Room for the longest name below it. */
    if (strlen(options->path) + TILE_PATH_SIZE + 8 > sizeof made->path) {
        return refuse(fault, RC_INVALID_ARGUMENT, "folder.path", "",
                      "La ruta de la carpeta es demasiado larga.");
    }
    snprintf(made->path, sizeof made->path, "%s", options->path);
    made->logs = options->logs;
    made->log_count = options->log_count;
    made->entries.is_kept = options->has_entries;
    made->records.is_kept = options->has_records;
    made->records.is_record = true;
    TRY(lock(made, fault));
    TRY(load(made, fault));
    *folder = MOVE(made);
    return RC_OK;
}

void log_folder_free(struct log_folder *folder)
{
    if (folder == NULL) {
        return;
    }
    if (folder->lock >= 0) {
        close(folder->lock);
    }
    buffer_release(&folder->entries.bytes);
    buffer_release(&folder->records.bytes);
    free(folder);
}

uint64_t log_folder_size(const struct log_folder *folder)
{
    return folder->edge.size;
}

static enum rc write_tile(const struct log_folder *folder, unsigned level, uint64_t index,
                          unsigned width, struct fault *fault)
{
    char path[TILE_PATH_SIZE];

    tile_path(&(struct tile){level, index, width}, path);
    return disk_write(folder->path, path,
                      BYTES(folder->edge.hashes[level], (size_t)width * DIGEST_SIZE)) == RC_OK
               ? RC_OK
               : disk_says_no(folder, fault);
}

static enum rc write_bundle(const struct log_folder *folder, const struct bundle *bundle,
                            uint64_t index, unsigned width, struct fault *fault)
{
    char path[TILE_PATH_SIZE];

    if (!bundle->is_kept) {
        return RC_OK;
    }
    bundle_path(bundle, index, width, path);
    return disk_write(folder->path, path, buffer_bytes(&bundle->bytes)) == RC_OK
               ? RC_OK
               : disk_says_no(folder, fault);
}

static void put_record(struct bundle *bundle, struct bytes blind_and_record)
{
    buffer_put_u32(&bundle->bytes, (uint32_t)blind_and_record.size);
    buffer_put_bytes(&bundle->bytes, blind_and_record);
}

static enum rc write_filled(struct log_folder *folder, unsigned filled, struct fault *fault)
{
    for (unsigned level = 0; level < filled; level++) {
        TRY(write_tile(folder, level, tile_hashes(folder->edge.size, level) / TILE_WIDTH - 1,
                       TILE_WIDTH, fault));
    }
    if (filled > 0) {
        uint64_t index = folder->edge.size / TILE_WIDTH - 1;

        TRY(write_bundle(folder, &folder->entries, index, TILE_WIDTH, fault));
        TRY(write_bundle(folder, &folder->records, index, TILE_WIDTH, fault));
        buffer_clear(&folder->entries.bytes);
        buffer_clear(&folder->records.bytes);
    }
    return RC_OK;
}

enum rc log_folder_add(struct log_folder *folder, struct bytes entry, struct bytes blind_and_record,
                       struct fault *fault)
{
    uint8_t hash[DIGEST_SIZE];

    if (entry.size > TILE_ENTRY_MAX || blind_and_record.size > LOG_FOLDER_RECORD_MAX - 4 ||
        folder->edge.size >= UINT64_MAX >> 1) {
        return refuse(fault, RC_OUT_OF_RANGE, "folder.entry", "", "Una hoja es demasiado grande.");
    }
    if (folder->entries.is_kept) {
        tile_put_entry(&folder->entries.bytes, entry);
    }
    if (folder->records.is_kept) {
        put_record(&folder->records, blind_and_record);
    }
    if (folder->entries.bytes.is_failed || folder->records.bytes.is_failed) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "folder.memory", "", "Falta memoria.");
    }
    merkle_leaf(entry, hash);
    return write_filled(folder, tile_edge_append(&folder->edge, hash), fault);
}

static enum rc write_partials(struct log_folder *folder, struct fault *fault)
{
    uint64_t size = folder->edge.size;

    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        uint64_t hashes = tile_hashes(size, level);

        if (hashes % TILE_WIDTH != 0) {
            TRY(write_tile(folder, level, hashes / TILE_WIDTH, (unsigned)(hashes % TILE_WIDTH),
                           fault));
        }
    }
    if (size % TILE_WIDTH != 0) {
        unsigned width = (unsigned)(size % TILE_WIDTH);

        TRY(write_bundle(folder, &folder->entries, size / TILE_WIDTH, width, fault));
        TRY(write_bundle(folder, &folder->records, size / TILE_WIDTH, width, fault));
    }
    return RC_OK;
}

/* The full tile stands where the last checkpoint's partial one was: that one may go. */
static void drop_partials(const struct log_folder *folder)
{
    uint64_t old = folder->published;
    char path[TILE_PATH_SIZE];

    for (unsigned level = 0; level <= TILE_ENTRIES + 1; level++) {
        bool is_record = level > TILE_ENTRIES;
        uint64_t before = is_record ? old : tile_hashes(old, level);
        uint64_t now = is_record ? folder->edge.size : tile_hashes(folder->edge.size, level);
        uint64_t index = before / TILE_WIDTH;

        if (before % TILE_WIDTH == 0 || now / TILE_WIDTH == index) {
            continue;
        }
        if (is_record) {
            log_folder_record_path(index, 1, path);
        } else {
            tile_path(&(struct tile){level, index, 1}, path);
        }
        path[strlen(path) - strlen("/1")] = '\0';
        disk_remove_folder(folder->path, path);
    }
}

static enum rc check_head(const struct log_folder *folder, struct bytes note,
                          struct checkpoint *head, struct fault *fault)
{
    uint8_t root[DIGEST_SIZE];

    if (log_folder_open_note(note, folder->logs, folder->log_count, NULL, head) != RC_OK) {
        return refuse(fault, RC_UNAUTHENTICATED, "folder.signature", "checkpoint",
                      "El sello no lleva firma con la llave que usted tiene de esa bitácora.");
    }
    if (head->size != folder->edge.size) {
        return refuse(fault, RC_DATA_LOSS, "folder.rollback", "checkpoint",
                      "El sello cubre %" PRIu64 " hojas y la carpeta tiene %" PRIu64
                      ": la bitácora retrocedió. Guarde ambos sellos y avise a la autoridad.",
                      head->size, folder->edge.size);
    }
    tile_edge_root(&folder->edge, root);
    if (!digest_equal(root, head->root)) {
        return refuse(fault, RC_DATA_LOSS, "folder.fork", "checkpoint",
                      "La bitácora ya no contiene lo que se exportó antes: reescribió su pasado. "
                      "Guarde esta carpeta y el sello nuevo, que juntos lo prueban.");
    }
    return RC_OK;
}

/* The same head with more cosignatures than the new note has. */
static bool has_longer_note(const struct log_folder *folder, struct bytes note)
{
    OWN(buffer) now = {0};

    return disk_read(folder->path, "checkpoint", CHECKPOINT_SIZE_MAX, &now) == RC_OK &&
           now.size >= note.size;
}

enum rc log_folder_finish(struct log_folder *folder, struct bytes note, struct fault *fault)
{
    struct checkpoint head;
    char name[64];

    TRY(check_head(folder, note, &head, fault));
    if (head.size == folder->published && has_longer_note(folder, note)) {
        return RC_OK;
    }
    TRY(write_partials(folder, fault));
    snprintf(name, sizeof name, LOG_FOLDER_CHECKPOINTS "/%" PRIu64, head.size);
    if (disk_write(folder->path, name, note) != RC_OK ||
        disk_write(folder->path, "checkpoint", note) != RC_OK) {
        return disk_says_no(folder, fault);
    }
    drop_partials(folder);
    folder->published = head.size;
    return RC_OK;
}

enum rc log_folder_put_text(struct log_folder *folder, const char *name, struct bytes text,
                            struct fault *fault)
{
    OWN(buffer) now = {0};

    if (disk_read(folder->path, name, text.size, &now) == RC_OK &&
        bytes_equal(buffer_bytes(&now), text)) {
        return RC_OK;
    }
    return disk_write(folder->path, name, text) == RC_OK ? RC_OK : disk_says_no(folder, fault);
}
