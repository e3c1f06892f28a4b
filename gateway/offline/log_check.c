#include "offline/log_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offline/brackets.h"
#include "offline/disk.h"
#include "offline/log_folder.h"
#include "offline/partials.h"
#include "offline/report.h"
#include "tlog/commit.h"
#include "tlog/control.h"
#include "tlog/merkle.h"

/* Entries or records of the tile that is being walked. */
struct rows {
    bool is_kept; /* the folder has them */
    bool is_good; /* this bundle is there and not exhausted */
    struct buffer bytes;
    struct bytes rest;
    char name[TILE_PATH_SIZE];
};

struct walk {
    const struct log_check *check;
    struct report *report;
    struct checkpoint head;
    struct brackets brackets;
    struct tile_edge edge; /* grown from the leaf hashes of level 0 */
    struct rows entries;
    struct rows records;
    uint64_t last_time_s;
    uint64_t entry_count;
    uint64_t record_count;
    uint64_t minimum; /* as the newest retention leaf has it, its index and time */
    uint64_t minimum_leaf;
    uint64_t minimum_s;
    uint64_t absent; /* past the last record leaf without a record */
};

static void place(char out[128], const char *file, uint64_t index)
{
    snprintf(out, 128, "%s, hoja %" PRIu64, file, index);
}

/* ---- tiles ---- */

static bool read_tile(struct walk *walk, const struct tile *tile, struct buffer *into)
{
    char path[TILE_PATH_SIZE];
    enum rc rc;

    tile_path(tile, path);
    rc = disk_read(walk->check->path, path, TILE_BYTES, into);
    if (rc == RC_NOT_FOUND && tile->width < TILE_WIDTH) {
        /* The log may have grown since: the full tile begins with the partial one. */
        struct tile full = {tile->level, tile->index, TILE_WIDTH};

        tile_path(&full, path);
        rc = disk_read(walk->check->path, path, TILE_BYTES, into);
        into->size = rc == RC_OK && into->size == TILE_BYTES ? (size_t)tile->width * DIGEST_SIZE
                                                             : into->size;
        tile_path(tile, path);
    }
    if (rc == RC_NOT_FOUND) {
        report_bad(walk->report, "tile.missing", path,
                   "Falta una loseta que el sello cubre: la bitácora está cortada.");
    } else if (rc != RC_OK || into->size != (size_t)tile->width * DIGEST_SIZE) {
        report_bad(walk->report, "tile.width", path,
                   "La loseta no tiene el tamaño que le toca (%zu bytes).", into->size);
    } else {
        return true;
    }
    return false;
}

static void compare_tile(struct walk *walk, unsigned level, uint64_t index, unsigned width)
{
    struct tile tile = {level, index, width};
    OWN(buffer) bytes = {0};
    char where[128];
    char path[TILE_PATH_SIZE];

    if (!read_tile(walk, &tile, &bytes)) {
        return;
    }
    tile_path(&tile, path);
    for (unsigned i = 0; i < width; i++) {
        if (memcmp(bytes.data + (size_t)i * DIGEST_SIZE, walk->edge.hashes[level][i],
                   DIGEST_SIZE) != 0) {
            snprintf(where, sizeof where, "%s[%u]", path, i);
            report_bad(walk->report, "tile.hash", where,
                       "Esa huella no es la de las losetas de abajo.");
        }
    }
}

/* ---- entries and records ---- */

static void open_rows(struct walk *walk, struct rows *rows, bool is_record, uint64_t index,
                      unsigned width)
{
    enum rc rc;

    if (!rows->is_kept) {
        return;
    }
    for (unsigned tries = 0; tries < 2; tries++) {
        unsigned wide = tries == 0 ? width : TILE_WIDTH;

        if (is_record) {
            log_folder_record_path(index, wide, rows->name);
        } else {
            tile_path(&(struct tile){TILE_ENTRIES, index, wide}, rows->name);
        }
        rc = disk_read(walk->check->path, rows->name, TILE_BUNDLE_MAX, &rows->bytes);
        if (rc != RC_NOT_FOUND) {
            break;
        }
    }
    rows->is_good = rc == RC_OK;
    rows->rest = buffer_bytes(&rows->bytes);
    if (rc == RC_NOT_FOUND) {
        report_bad(walk->report, is_record ? "record.missing" : "entry.missing", rows->name,
                   "Falta un archivo que el sello cubre.");
    } else if (rc != RC_OK) {
        report_bad(walk->report, is_record ? "record.bundle" : "entry.bundle", rows->name,
                   "El archivo no se puede leer, o es demasiado grande.");
    }
}

/* What is left over after the last row of a full bundle belongs to nothing. */
static void close_rows(struct walk *walk, struct rows *rows, bool is_record, unsigned width)
{
    if (rows->is_kept && rows->is_good && rows->rest.size > 0 &&
        (width == TILE_WIDTH || strstr(rows->name, ".p/") != NULL)) {
        report_bad(walk->report, is_record ? "record.bundle" : "entry.bundle", rows->name,
                   "Sobran bytes al final del archivo.");
    }
}

static bool next_row(struct walk *walk, struct rows *rows, bool is_record, struct bytes *row)
{
    enum rc rc;

    if (!rows->is_kept || !rows->is_good) {
        return false;
    }
    if (is_record) {
        struct reader reader = {.rest = rows->rest};

        *row = reader_chunk(&reader);
        rc = reader.is_failed ? RC_INVALID_ARGUMENT : RC_OK;
        rows->rest = reader.rest;
    } else {
        rc = tile_take_entry(&rows->rest, row);
    }
    if (rc != RC_OK) {
        rows->is_good = false;
        report_bad(walk->report, is_record ? "record.bundle" : "entry.bundle", rows->name,
                   "El archivo está cortado.");
    }
    return rc == RC_OK;
}

static void check_times(struct walk *walk, uint64_t index, const struct leaf *leaf,
                        const char *where)
{
    const struct trust *trust = walk->check->trust;
    char when[REPORT_TIME_SIZE];
    char bound[REPORT_TIME_SIZE];
    uint64_t bound_s = 0;

    report_time(leaf->time_s, when);
    if (leaf->time_s < walk->last_time_s) {
        report_bad(walk->report, "entry.time", where,
                   "Su hora (%s) es anterior a la de la hoja que la precede.", when);
    } else {
        walk->last_time_s = leaf->time_s;
    }
    if (trust->now_s != 0 && leaf->time_s > trust->now_s + trust->tolerance_s) {
        report_bad(walk->report, "entry.future", where, "Su hora (%s) está en el futuro.", when);
    }
    switch (brackets_check(&walk->brackets, index, leaf->time_s, trust->tolerance_s, &bound_s)) {
    case BRACKETS_EARLY:
        report_time(bound_s, bound);
        report_bad(walk->report, "entry.bracket", where,
                   "Dice %s, pero los testigos firmaron el %s un sello que aún no la tenía: se "
                   "insertó con fecha atrasada.",
                   when, bound);
        break;
    case BRACKETS_LATE:
        report_time(bound_s, bound);
        report_bad(walk->report, "entry.bracket", where,
                   "Dice %s, pero los testigos ya firmaban el %s un sello que la contiene: reloj "
                   "adelantado.",
                   when, bound);
        break;
    case BRACKETS_FINE:
        break;
    }
}

static void note_retention(struct walk *walk, const struct leaf *leaf, struct bytes row)
{
    struct control_retention retention;

    if (control_retention_read(leaf, row, &retention) == RC_OK &&
        retention.minimum > walk->minimum) {
        walk->minimum = retention.minimum;
        walk->minimum_leaf = leaf->index;
        walk->minimum_s = leaf->time_s;
    }
}

static void check_record(struct walk *walk, uint64_t index, const struct leaf *leaf,
                         struct bytes row)
{
    uint8_t expected[DIGEST_SIZE];
    char where[128];

    if (row.size == 0) {
        if (walk->records.is_good && leaf->class == LEAF_RECORD) {
            walk->absent = index + 1;
        }
        return;
    }
    walk->record_count++;
    place(where, walk->records.name, index);
    if (row.size > COMMIT_BLIND_SIZE) {
        commit_record(row.data, BYTES(row.data + COMMIT_BLIND_SIZE, row.size - COMMIT_BLIND_SIZE),
                      expected);
        if (digest_equal(expected, leaf->record)) {
            note_retention(walk, leaf, row);
            return;
        }
    }
    report_bad(walk->report, "record.commitment", where,
               "El registro de auditoría no es el que la hoja compromete.");
}

static void check_entry(struct walk *walk, uint64_t index, const uint8_t leaf_hash[DIGEST_SIZE])
{
    uint8_t hash[DIGEST_SIZE];
    struct bytes entry;
    struct bytes record = {0};
    struct leaf leaf;
    char where[128];

    (void)next_row(walk, &walk->records, true, &record);
    if (!next_row(walk, &walk->entries, false, &entry)) {
        return;
    }
    walk->entry_count++;
    place(where, walk->entries.name, index);
    merkle_leaf(entry, hash);
    if (!digest_equal(hash, leaf_hash)) {
        report_bad(walk->report, "entry.hash", where, "La hoja no es la que la bitácora selló.");
    }
    if (leaf_decode(entry, &leaf) != RC_OK) {
        report_bad(walk->report, "entry.leaf", where, "No tiene la forma de una hoja de Enlace.");
        return;
    }
    if (leaf.index != index) {
        report_bad(walk->report, "entry.index", where, "Dice ser la hoja %" PRIu64 ".", leaf.index);
        return;
    }
    check_times(walk, index, &leaf, where);
    check_record(walk, index, &leaf, record);
    if (walk->check->visitor != NULL) {
        walk->check->visitor->leaf(walk->check->visitor, &walk->head, &leaf, record);
    }
}

/* ---- the walk ---- */

static bool walk_tile(struct walk *walk, uint64_t index)
{
    struct tile tile = {0, index, tile_width(walk->head.size, 0, index)};
    OWN(buffer) bytes = {0};

    if (!read_tile(walk, &tile, &bytes)) {
        return false;
    }
    open_rows(walk, &walk->entries, false, index, tile.width);
    open_rows(walk, &walk->records, true, index, tile.width);
    for (unsigned i = 0; i < tile.width; i++) {
        const uint8_t *hash = bytes.data + (size_t)i * DIGEST_SIZE;
        unsigned filled;

        check_entry(walk, walk->edge.size, hash);
        filled = tile_edge_append(&walk->edge, hash);
        for (unsigned level = 1; level < filled; level++) {
            compare_tile(walk, level, tile_hashes(walk->edge.size, level) / TILE_WIDTH - 1,
                         TILE_WIDTH);
        }
        brackets_compare(&walk->brackets, &walk->edge, walk->report);
    }
    close_rows(walk, &walk->entries, false, tile.width);
    close_rows(walk, &walk->records, true, tile.width);
    return true;
}

static void walk_tiles(struct walk *walk)
{
    uint8_t root[DIGEST_SIZE];

    brackets_compare(&walk->brackets, &walk->edge, walk->report);
    for (uint64_t index = 0; index < tile_count(walk->head.size, 0); index++) {
        if (!walk_tile(walk, index)) {
            return;
        }
    }
    for (unsigned level = 1; level < TILE_LEVELS; level++) {
        uint64_t hashes = tile_hashes(walk->head.size, level);

        if (hashes % TILE_WIDTH != 0) {
            compare_tile(walk, level, hashes / TILE_WIDTH, (unsigned)(hashes % TILE_WIDTH));
        }
    }
    partials_check(walk->check->path, &walk->edge, walk->report);
    tile_edge_root(&walk->edge, root);
    if (!digest_equal(root, walk->head.root)) {
        report_bad(walk->report, "root", "checkpoint",
                   "La raíz de las losetas no es la que la bitácora firmó.");
    }
}

static void say_facts(const struct walk *walk, struct report *report)
{
    char hex[2 * DIGEST_SIZE + 1];

    hex_encode(walk->head.root, DIGEST_SIZE, hex);
    report_text(report, "origin", "Bitácora", "%s", walk->head.origin);
    report_number(report, "size", "Hojas", walk->head.size);
    report_text(report, "root", "Raíz", "%s", hex);
}

/* The leaf that gives them up comes after all of them. */
static void check_absent(const struct walk *walk, struct report *report)
{
    char where[48];

    if (walk->absent > walk->minimum) {
        snprintf(where, sizeof where, "records, hoja %" PRIu64, walk->absent - 1);
        report_bad(report, "record.missing", where,
                   "Falta el registro de auditoría de esa hoja, y ninguna hoja de retención dice "
                   "que se depuró.");
    }
}

static void say_pruned(const struct walk *walk, struct report *report)
{
    char when[REPORT_TIME_SIZE];

    if (walk->minimum == 0) {
        return;
    }
    report_time(walk->minimum_s, when);
    report_number(report, "minimum_index", "", walk->minimum);
    report_number(report, "minimum_leaf", "", walk->minimum_leaf);
    report_text(report, "pruned", "Depurada",
                "los registros anteriores a la hoja %" PRIu64
                " se depuraron el %s por la hoja %" PRIu64 "; todas las huellas están",
                walk->minimum, when, walk->minimum_leaf);
}

static void say_counts(const struct walk *walk, struct report *report)
{
    report_number(report, "entries_checked",
                  walk->entries.is_kept ? "Hojas leídas una por una" : "", walk->entry_count);
    report_number(report, "records_checked", walk->records.is_kept ? "Registros de auditoría" : "",
                  walk->record_count);
    report_number(report, "checkpoints_checked", "Sellos anteriores",
                  walk->brackets.count > 0 ? walk->brackets.count - 1 : 0);
    if (walk->entries.is_kept && !brackets_have_time(&walk->brackets)) {
        report_text(report, "time_bracketing", "Horas contra los testigos", "%s",
                    "no comprobadas (sin cosignaturas)");
    } else if (walk->entries.is_kept) {
        report_text(report, "time_bracketing", "Horas contra los testigos", "%s", "comprobadas");
    }
}

static bool has_file(const char *folder, bool is_record, uint64_t size)
{
    unsigned width = tile_width(size, 0, 0);
    OWN(buffer) bytes = {0};

    if (size == 0) {
        return false;
    }
    for (unsigned tries = 0; tries < 2; tries++) {
        char path[TILE_PATH_SIZE];

        if (is_record) {
            log_folder_record_path(0, tries == 0 ? width : TILE_WIDTH, path);
        } else {
            tile_path(&(struct tile){TILE_ENTRIES, 0, tries == 0 ? width : TILE_WIDTH}, path);
        }
        if (disk_read(folder, path, TILE_BUNDLE_MAX, &bytes) != RC_NOT_FOUND) {
            return true;
        }
    }
    return false;
}

static void run(struct walk *walk, struct note *note)
{
    const struct log_check *check = walk->check;
    struct report *report = walk->report;
    OWN(buffer) bytes = {0};

    if (disk_read(check->path, "checkpoint", CHECKPOINT_SIZE_MAX, &bytes) != RC_OK) {
        report_bad(report, "checkpoint.missing", "checkpoint",
                   "No hay un sello legible: «%s» no es una bitácora exportada.", check->path);
        return;
    }
    if (!trust_open(check->trust, buffer_bytes(&bytes), "checkpoint", note, &walk->head, report)) {
        return;
    }
    say_facts(walk, report);
    trust_grade(check->trust, note, "", "checkpoint", NULL, report);
    trust_judge_policy(check->trust, walk->head.origin, report);
    brackets_gather(&walk->brackets, check, &walk->head, note, report);
    walk->entries.is_kept = has_file(check->path, false, walk->head.size);
    walk->records.is_kept = has_file(check->path, true, walk->head.size);
    walk_tiles(walk);
    check_absent(walk, report);
    say_counts(walk, report);
    say_pruned(walk, report);
}

void log_check_run(const struct log_check *check, struct checkpoint *head, struct report *report)
{
    struct walk *walk = calloc(1, sizeof *walk);
    struct note *note = malloc(sizeof *note);

    if (walk == NULL || note == NULL) {
        report_bad(report, "memory", "", "Falta memoria.");
    } else {
        walk->check = check;
        walk->report = report;
        run(walk, note);
        *head = walk->head;
        if (check->minimum != NULL) {
            *check->minimum = walk->minimum;
        }
        brackets_release(&walk->brackets);
        buffer_release(&walk->entries.bytes);
        buffer_release(&walk->records.bytes);
    }
    free(walk);
    free(note);
}
