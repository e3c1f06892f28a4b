#include "offline/partials.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "offline/disk.h"
#include "offline/log_folder.h"
#include "offline/report.h"
#include "tlog/text.h"

/* Hash tiles, then entries, then records. */
#define ROWS (TILE_ENTRIES + 2)

static void path_of(unsigned row, uint64_t index, unsigned width, char out[TILE_PATH_SIZE])
{
    if (row > TILE_ENTRIES) {
        log_folder_record_path(index, width, out);
    } else {
        tile_path(&(struct tile){row, index, width}, out);
    }
}

static const char *check_of(unsigned row)
{
    return row < TILE_ENTRIES    ? "tile.partial"
           : row == TILE_ENTRIES ? "entry.partial"
                                 : "record.partial";
}

static void check_one(const char *folder, unsigned row, const char *path, struct bytes newest,
                      size_t expected, struct report *report)
{
    OWN(buffer) bytes = {0};

    if (disk_read(folder, path, TILE_BUNDLE_MAX, &bytes) != RC_OK || bytes.size > newest.size ||
        (expected != 0 && bytes.size != expected) ||
        !bytes_equal(buffer_bytes(&bytes), BYTES(newest.data, bytes.size))) {
        report_bad(report, check_of(row), path,
                   "No es el comienzo del que el sello más nuevo cubre.");
    }
}

static void check_folder(const char *folder, unsigned row, uint64_t index, unsigned width,
                         struct bytes newest, struct report *report)
{
    char path[TILE_PATH_SIZE];
    char whole[DISK_PATH_SIZE];
    struct dirent *entry;
    DIR *listing;

    path_of(row, index, 1, path);
    path[strlen(path) - strlen("/1")] = '\0';
    if (snprintf(whole, sizeof whole, "%s/%s", folder, path) >= (int)sizeof whole) {
        return;
    }
    listing = opendir(whole);
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        uint64_t found;

        if (text_decimal(bytes_text(entry->d_name), &found) == RC_OK && found > 0 &&
            found < width) {
            path_of(row, index, (unsigned)found, path);
            check_one(folder, row, path, newest, row < TILE_ENTRIES ? found * DIGEST_SIZE : 0,
                      report);
        }
    }
    if (listing != NULL) {
        closedir(listing);
    }
}

void partials_check(const char *folder, const struct tile_edge *edge, struct report *report)
{
    for (unsigned row = 0; row < ROWS; row++) {
        unsigned level = row < TILE_ENTRIES ? row : 0;
        uint64_t hashes = tile_hashes(edge->size, level);
        unsigned width = (unsigned)(hashes % TILE_WIDTH);
        OWN(buffer) newest = {0};
        char path[TILE_PATH_SIZE];

        if (width == 0) {
            continue;
        }
        path_of(row, hashes / TILE_WIDTH, width, path);
        if (row < TILE_ENTRIES) {
            buffer_put(&newest, edge->hashes[level], (size_t)width * DIGEST_SIZE);
        } else if (disk_read(folder, path, TILE_BUNDLE_MAX, &newest) != RC_OK) {
            continue; /* not kept, or told already */
        }
        check_folder(folder, row, hashes / TILE_WIDTH, width, buffer_bytes(&newest), report);
    }
}
