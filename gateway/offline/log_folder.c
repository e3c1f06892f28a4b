#include "offline/log_folder_parts.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tlog/merkle.h"
#include "tlog/text.h"

static enum rc disk_says_no(const struct log_folder *folder, struct fault *fault)
{
    return refuse(fault, RC_UNAVAILABLE, "folder.disk", folder->path,
                  "No se pudo escribir en la carpeta; revise espacio y permisos, y repita.");
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

static enum rc lock(struct log_folder *folder, struct fault *fault)
{
    char path[DISK_PATH_SIZE + 8];

    if (disk_make_folder(folder->path, folder->reach) != RC_OK ||
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
    made->reach = options->is_for_all ? DISK_FOR_ALL : DISK_BY_UMASK;
    TRY(lock(made, fault));
    TRY(log_folder_load(made, fault));
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

enum rc log_folder_write_tile(const struct log_folder *folder, unsigned level, uint64_t index,
                              unsigned width, struct fault *fault)
{
    char path[TILE_PATH_SIZE];

    tile_path(&(struct tile){level, index, width}, path);
    return disk_write(folder->path, path,
                      BYTES(folder->edge.hashes[level], (size_t)width * DIGEST_SIZE),
                      folder->reach) == RC_OK
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
    log_folder_bundle_path(bundle, index, width, path);
    return disk_write(folder->path, path, buffer_bytes(&bundle->bytes), folder->reach) == RC_OK
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
        TRY(log_folder_write_tile(folder, level,
                                  tile_hashes(folder->edge.size, level) / TILE_WIDTH - 1,
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
            TRY(log_folder_write_tile(folder, level, hashes / TILE_WIDTH,
                                      (unsigned)(hashes % TILE_WIDTH), fault));
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
    if (!digest_equal(root, head->root) && folder->is_resumed) {
        return refuse(fault, RC_ABORTED, "folder.resume", "tile",
                      "Lo que dejó una exportación interrumpida no es de esa bitácora; se rehace.");
    }
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
    if (disk_write(folder->path, name, note, folder->reach) != RC_OK ||
        disk_write(folder->path, "checkpoint", note, folder->reach) != RC_OK) {
        return disk_says_no(folder, fault);
    }
    drop_partials(folder);
    folder->published = head.size;
    return RC_OK;
}

enum rc log_folder_put_records(struct log_folder *folder, uint64_t index, struct bytes bundle,
                               struct fault *fault)
{
    char path[TILE_PATH_SIZE];

    if (!folder->records.is_kept || (index + 1) * TILE_WIDTH > folder->published) {
        return refuse(fault, RC_OUT_OF_RANGE, "folder.records", "",
                      "La carpeta no tiene esos registros.");
    }
    log_folder_record_path(index, TILE_WIDTH, path);
    return disk_write(folder->path, path, bundle, folder->reach) == RC_OK
               ? RC_OK
               : disk_says_no(folder, fault);
}

enum rc log_folder_put_text(struct log_folder *folder, const char *name, struct bytes text,
                            struct fault *fault)
{
    OWN(buffer) now = {0};

    if (disk_read(folder->path, name, text.size, &now) == RC_OK &&
        bytes_equal(buffer_bytes(&now), text)) {
        return RC_OK;
    }
    return disk_write(folder->path, name, text, folder->reach) == RC_OK
               ? RC_OK
               : disk_says_no(folder, fault);
}
