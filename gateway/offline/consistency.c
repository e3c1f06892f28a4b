#include "offline/consistency.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "offline/disk.h"
#include "offline/report.h"
#include "tlog/proof.h"
#include "tlog/tiles.h"

/* Tiles of a folder, one at a time. */
struct folder_tiles {
    struct tile_source tiles; /* first */
    const char *path;
    struct buffer bytes;
};

static enum rc read_tile(struct tile_source *tiles, const struct tile *tile,
                         const uint8_t (**hashes)[DIGEST_SIZE])
{
    struct folder_tiles *folder = (struct folder_tiles *)tiles;
    struct tile full = {tile->level, tile->index, TILE_WIDTH};
    char path[TILE_PATH_SIZE];
    enum rc rc;

    tile_path(tile, path);
    rc = disk_read(folder->path, path, TILE_BYTES, &folder->bytes);
    if (rc == RC_NOT_FOUND) {
        tile_path(&full, path);
        rc = disk_read(folder->path, path, TILE_BYTES, &folder->bytes);
    }
    if (rc != RC_OK || folder->bytes.size < (size_t)tile->width * DIGEST_SIZE) {
        return rc == RC_NOT_FOUND ? rc : RC_DATA_LOSS;
    }
    *hashes = (const uint8_t(*)[DIGEST_SIZE])folder->bytes.data;
    return RC_OK;
}

/* The newer one is what the reader is asked to believe: it must meet the policy, if there is one.
 */
static bool read_head(const char *path, const struct trust *trust, bool is_graded,
                      struct checkpoint *head, struct report *report)
{
    struct note *note = malloc(sizeof *note);
    OWN(buffer) bytes = {0};
    bool is_open = false;

    if (note == NULL) {
        report_bad(report, "memory", "", "Falta memoria.");
    } else if (disk_read(path, "checkpoint", CHECKPOINT_SIZE_MAX, &bytes) != RC_OK &&
               disk_read(path, "", CHECKPOINT_SIZE_MAX, &bytes) != RC_OK) {
        report_bad(report, "checkpoint.missing", path, "Ahí no hay un sello legible.");
    } else {
        is_open = trust_open(trust, buffer_bytes(&bytes), path, note, head, report);
        if (is_open && is_graded) {
            trust_grade(trust, note, "", path, NULL, report);
            trust_judge_policy(trust, head->origin, report);
        }
    }
    free(note);
    return is_open;
}

static void check_growth(const char *path, const struct checkpoint *old,
                         const struct checkpoint *now, struct report *report)
{
    struct folder_tiles folder = {.path = path};
    struct proof proof;
    enum rc rc;

    tile_source_init(&folder.tiles, now->size, read_tile);
    rc = proof_consistency(&folder.tiles.source, old->size, now->size, &proof);
    buffer_release(&folder.bytes);
    if (rc != RC_OK) {
        report_bad(report, "consistency.tiles", path,
                   "Faltan losetas para comparar; se necesita la carpeta de la bitácora completa.");
        return;
    }
    if (proof_check_consistency(old->size, old->root, now->size, now->root, &proof) != RC_OK) {
        report_bad(report, "consistency.fork", path,
                   "La bitácora no continúa el sello anterior: reescribió su pasado, o sus "
                   "losetas están dañadas. Los dos sellos, firmados, lo prueban.");
    }
}

void consistency_check(const char *old_path, const char *new_path, const struct trust *trust,
                       struct report *report)
{
    struct checkpoint old;
    struct checkpoint now;

    if (!read_head(old_path, trust, false, &old, report) ||
        !read_head(new_path, trust, true, &now, report)) {
        return;
    }
    report_text(report, "origin", "Bitácora", "%s", now.origin);
    report_number(report, "old_size", "Hojas, antes", old.size);
    report_number(report, "new_size", "Hojas, ahora", now.size);
    if (strcmp(old.origin, now.origin) != 0) {
        report_bad(report, "checkpoint.unknown_log", old_path, "Son de bitácoras distintas.");
    } else if (old.size == now.size) {
        if (!digest_equal(old.root, now.root)) {
            report_bad(report, "consistency.fork", new_path,
                       "Dos raíces para las mismas %" PRIu64
                       " hojas: la bitácora se bifurcó. Los dos sellos, firmados, lo prueban.",
                       now.size);
        }
    } else if (old.size > now.size) {
        report_bad(report, "consistency.rollback", new_path,
                   "El sello nuevo cubre menos hojas que el anterior: la bitácora retrocedió, o se "
                   "muestra una vista vieja.");
    } else {
        check_growth(new_path, &old, &now, report);
    }
}
