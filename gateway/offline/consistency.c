#include "offline/consistency.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "offline/disk.h"
#include "offline/log_folder.h"
#include "offline/report.h"
#include "tlog/commit.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
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

/* ---- across an epoch ---- */

/* From what the reader has of the old log to where the statement says that it ended. */
static void check_end(const char *old_path, const struct checkpoint *old,
                      const struct succession *succession, struct report *report)
{
    const struct checkpoint *last = &succession->last;
    struct folder_tiles folder = {.path = old_path};
    struct proof proof;
    enum rc rc;

    if (old->size > last->size) {
        report_bad(report, "succession.behind", old_path,
                   "Usted tiene un sello de %" PRIu64 " hojas; la declaración nombra %" PRIu64
                   ": lo de en medio no pasó a la nueva.",
                   old->size, last->size);
        return;
    }
    if (old->size == last->size) {
        if (!digest_equal(old->root, last->root)) {
            report_bad(report, "consistency.fork", old_path,
                       "Dos raíces para las mismas %" PRIu64 " hojas: la declaración nombra otra "
                       "historia. Los dos sellos, firmados, lo prueban.",
                       old->size);
        }
        return;
    }
    tile_source_init(&folder.tiles, last->size, read_tile);
    rc = proof_consistency(&folder.tiles.source, old->size, last->size, &proof);
    buffer_release(&folder.bytes);
    if (rc != RC_OK ||
        proof_check_consistency(old->size, old->root, last->size, last->root, &proof) != RC_OK) {
        report_warn(report, "succession.unproven", old_path,
                    "Entre su sello y el último de la declaración no hay con qué probar que la "
                    "anterior sólo creció.");
    }
}

/* The first of a bundle; borrowed from the buffer. */
static bool first_entry(const char *path, uint64_t size, struct buffer *bundle, struct bytes *entry)
{
    struct tile tile = {TILE_ENTRIES, 0, tile_width(size, 0, 0)};
    char name[TILE_PATH_SIZE];
    struct bytes rest;

    tile_path(&tile, name);
    if (disk_read(path, name, TILE_BUNDLE_MAX, bundle) != RC_OK) {
        return false;
    }
    rest = buffer_bytes(bundle);
    return tile_take_entry(&rest, entry) == RC_OK;
}

static bool is_in_tree(const char *path, struct bytes entry, const struct checkpoint *now)
{
    struct folder_tiles folder = {.path = path};
    uint8_t hash[DIGEST_SIZE];
    struct proof proof;
    enum rc rc;

    merkle_leaf(entry, hash);
    tile_source_init(&folder.tiles, now->size, read_tile);
    rc = proof_inclusion(&folder.tiles.source, 0, now->size, &proof);
    buffer_release(&folder.bytes);
    return rc == RC_OK && proof_check_inclusion(hash, 0, now->size, &proof, now->root) == RC_OK;
}

/* Where the folder has records: the first one holds the statement, byte for byte. */
static bool record_says_so(const char *path, uint64_t size, const struct leaf *leaf,
                           struct bytes statement)
{
    struct reader reader = {0};
    OWN(buffer) bundle = {0};
    char name[TILE_PATH_SIZE];
    uint8_t made[DIGEST_SIZE];
    struct bytes record;

    log_folder_record_path(0, tile_width(size, 0, 0), name);
    if (disk_read(path, name, LOG_FOLDER_RECORDS_MAX, &bundle) != RC_OK) {
        return true;
    }
    reader.rest = buffer_bytes(&bundle);
    record = reader_chunk(&reader);
    if (reader.is_failed || record.size < COMMIT_BLIND_SIZE + statement.size) {
        return false;
    }
    commit_record(record.data,
                  BYTES(record.data + COMMIT_BLIND_SIZE, record.size - COMMIT_BLIND_SIZE), made);
    return digest_equal(made, leaf->record) &&
           memmem(record.data, record.size, statement.data, statement.size) != NULL;
}

static void check_beginning(const char *path, const struct checkpoint *now,
                            const struct trust *trust, struct report *report)
{
    const struct succession *succession = &trust->succession;
    struct bytes last = BYTES(succession->last_note, succession->last_note_size);
    uint8_t digest[DIGEST_SIZE];
    OWN(buffer) bundle = {0};
    struct bytes entry;
    struct leaf leaf;

    digest_of(&last, 1, digest);
    if (now->size == 0 || !first_entry(path, now->size, &bundle, &entry) ||
        leaf_decode(entry, &leaf) != RC_OK || !is_in_tree(path, entry, now)) {
        report_bad(report, "succession.leaf", path,
                   "No está la primera hoja de la nueva, o no es de su árbol; se necesita la "
                   "carpeta exportada con --entries.");
        return;
    }
    if (leaf.class != LEAF_CONTROL || leaf.index != 0 || !digest_equal(leaf.seen, digest) ||
        !record_says_so(path, now->size, &leaf, buffer_bytes(&trust->succession_note))) {
        report_bad(report, "succession.leaf", path,
                   "La primera hoja no nombra el último sello de la anterior, o su registro no es "
                   "esta declaración.");
    }
}

static void check_succession(const char *old_path, const struct checkpoint *old,
                             const char *new_path, const struct checkpoint *now,
                             const struct trust *trust, struct report *report)
{
    const struct succession *succession = &trust->succession;

    if (!trust->has_succession || strcmp(old->origin, succession->old_key.name) != 0 ||
        strcmp(now->origin, succession->new_key.name) != 0) {
        report_bad(report, "checkpoint.unknown_log", old_path, "Son de bitácoras distintas.");
        return;
    }
    report_text(report, "old_origin", "Sucede a", "%s", old->origin);
    report_text(report, "cause", "Causa", "%s", succession_cause_name(succession->cause));
    report_number(report, "last_size", "Último sello de la anterior", succession->last.size);
    check_end(old_path, old, succession, report);
    check_beginning(new_path, now, trust, report);
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
        check_succession(old_path, &old, new_path, &now, trust, report);
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
