/*
 * expediente_facts - does hechos.json say what the records of a folder say? For `enlace verify
 * bundle`: records are read again, and the text is made again.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "enlace/expediente.h"
#include "offline/disk.h"
#include "offline/evidence_folder.h"
#include "offline/report.h"
#include "rpc/codec.h"
#include "tlog/commit.h"

#define FACTS_ARENA_MAX ((size_t)256 << 20)

struct reading {
    const char *folder;
    struct arena *arena;
    struct expediente_row *rows;
    size_t count;
};

static bool read_leaf(struct reading *reading, const char *name)
{
    struct expediente_row *row = &reading->rows[reading->count];
    char record_name[EVIDENCE_NAME_SIZE];
    OWN(buffer) leaf = {0};
    OWN(buffer) record = {0};
    struct bytes bytes;

    snprintf(record_name, sizeof record_name, "%.*s.record", (int)(strlen(name) - 5), name);
    if (reading->count == EVIDENCE_LEAVES_MAX ||
        disk_read(reading->folder, name, LEAF_SIZE, &leaf) != RC_OK ||
        leaf_decode(buffer_bytes(&leaf), &row->leaf) != RC_OK ||
        disk_read(reading->folder, record_name, EVIDENCE_FILE_MAX, &record) != RC_OK) {
        return false;
    }
    bytes = arena_copy(reading->arena, buffer_bytes(&record));
    if (bytes.data == NULL || bytes.size < COMMIT_BLIND_SIZE ||
        codec_record_read(BYTES(bytes.data + COMMIT_BLIND_SIZE, bytes.size - COMMIT_BLIND_SIZE),
                          reading->arena, &row->record, NULL) != RC_OK) {
        return false;
    }
    reading->count++;
    return true;
}

static int by_index(const void *a, const void *b)
{
    uint64_t first = ((const struct expediente_row *)a)->leaf.index;
    uint64_t second = ((const struct expediente_row *)b)->leaf.index;

    return (first > second) - (first < second);
}

static bool read_all(struct reading *reading)
{
    char path[DISK_PATH_SIZE];
    const struct dirent *found;
    DIR *folder;
    bool is_read = true;

    snprintf(path, sizeof path, "%s/hojas", reading->folder);
    folder = opendir(path);
    while (is_read && folder != NULL && (found = readdir(folder)) != NULL) {
        size_t size = strlen(found->d_name);
        char name[EVIDENCE_NAME_SIZE];

        if (size > 5 && size < 64 && strcmp(found->d_name + size - 5, ".leaf") == 0) {
            snprintf(name, sizeof name, "hojas/%.63s", found->d_name);
            is_read = read_leaf(reading, name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    qsort(reading->rows, reading->count, sizeof reading->rows[0], by_index);
    return is_read && folder != NULL;
}

static bool says_the_same(const struct reading *reading)
{
    char *facts = expediente_facts(reading->rows, reading->count);
    OWN(buffer) kept = {0};
    bool is_same = facts != NULL &&
                   disk_read(reading->folder, "hechos.json", EVIDENCE_FILE_MAX, &kept) == RC_OK &&
                   bytes_equal(buffer_bytes(&kept), bytes_text(facts));

    free(facts);
    return is_same;
}

void expediente_check_facts(const char *folder, struct report *report)
{
    OWN_PTR(arena) arena = arena_new(FACTS_ARENA_MAX);
    struct reading reading = {.folder = folder, .arena = arena};

    reading.rows = calloc(EVIDENCE_LEAVES_MAX, sizeof *reading.rows);
    if (arena == NULL || reading.rows == NULL) {
        report_bad(report, "memory", "", "Falta memoria.");
    } else if (!read_all(&reading) || !says_the_same(&reading)) {
        report_bad(report, "evidence.facts", "hechos.json",
                   "No dice lo que dicen los registros: cuentan los registros.");
    } else {
        report_text(report, "facts", "hechos.json", "dice lo que dicen los registros");
    }
    free(reading.rows);
}
