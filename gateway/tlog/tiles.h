/*
 * tiles - a log as a set of files (C2SP tlog-tiles): their names, widths and contents.
 *
 *     tile/<L>/<N>[.p/<W>]           hash tile n of level l, 32 bytes a hash, 256 when full
 *     tile/entries/<N>[.p/<W>]       entry bundle: u16 length ‖ entry, as many as level 0 has
 * hashes
 *
 * Hash i of tile n at level l is the root of the leaves from (n * 256 + i) * 256^l, 256^l of them:
 * of level 0 the leaf hash, above it the root over one full tile of the level below. N stands in
 * groups of three digits, all but the last led by x: 1234067 is x001/x234/067. A partial tile is
 * the beginning of the full one. Pure; any thread.
 */
#ifndef TLOG_TILES_H
#define TLOG_TILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tlog/proof.h"

#define TILE_WIDTH 256
#define TILE_BYTES ((size_t)TILE_WIDTH * DIGEST_SIZE)
/* Levels that a tree of 2^63 - 1 leaves has. */
#define TILE_LEVELS 8
#define TILE_PATH_SIZE 64
#define TILE_ENTRY_MAX 65535
#define TILE_BUNDLE_MAX ((size_t)TILE_WIDTH * (2 + TILE_ENTRY_MAX))

/* In place of a level: the entry bundles. */
#define TILE_ENTRIES TILE_LEVELS

struct tile {
    unsigned level; /* 0..7, or TILE_ENTRIES */
    uint64_t index;
    unsigned width; /* 1..256; 256 is full */
};

/* "tile/0/x001/x234/067.p/8". Asserts level and width. */
void tile_path(const struct tile *tile, char out[TILE_PATH_SIZE]);
/* RC_INVALID_ARGUMENT: another text than tile_path writes; a level or a width out of range. */
MUST_CHECK enum rc tile_path_parse(struct bytes text, struct tile *tile);

/* Hashes that a tree of this size has at this level: floor(size / 256^level). */
uint64_t tile_hashes(uint64_t size, unsigned level);
/* Tiles of that level, a partial one included. */
uint64_t tile_count(uint64_t size, unsigned level);
/* Width of tile (level, index) in a tree of this size: 0 when it has none. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t index);

/* Appends u16 length and the entry; asserts at most TILE_ENTRY_MAX bytes. */
void tile_put_entry(struct buffer *bundle, struct bytes entry);
/* Takes the next entry, borrowed. RC_INVALID_ARGUMENT: cut off. */
MUST_CHECK enum rc tile_take_entry(struct bytes *bundle, struct bytes *entry);

/*
 * The right edge of every level, kept while leaves are appended: what a writer of tiles holds.
 * 64 KiB; {0} is the empty tree. One owner at a time.
 */
struct tile_edge {
    uint64_t size;
    uint8_t hashes[TILE_LEVELS][TILE_WIDTH][DIGEST_SIZE];
};

/*
 * Appends a leaf hash. Returns how many levels have just filled a tile, 0..8: levels 0 up to that
 * number; they stay readable in `hashes` until the next append.
 */
unsigned tile_edge_append(struct tile_edge *edge, const uint8_t leaf_hash[DIGEST_SIZE]);
/* The root of all that was appended. */
void tile_edge_root(const struct tile_edge *edge, uint8_t out[DIGEST_SIZE]);

/*
 * Nodes out of tiles, for proofs (tlog/proof.h). `read` gives the hashes of a tile of this source's
 * size, at least as many as asked; borrowed until the next read.
 */
struct tile_source {
    struct node_source source; /* first; set by tile_source_init */
    enum rc (*read)(struct tile_source *tiles, const struct tile *tile,
                    const uint8_t (**hashes)[DIGEST_SIZE]);
    uint64_t size;
};

void tile_source_init(struct tile_source *tiles, uint64_t size,
                      enum rc (*read)(struct tile_source *tiles, const struct tile *tile,
                                      const uint8_t (**hashes)[DIGEST_SIZE]));
/* The root of the first `size` leaves, at most those of the source; what `read` says. */
MUST_CHECK enum rc tile_source_root(struct tile_source *tiles, uint64_t size,
                                    uint8_t out[DIGEST_SIZE]);

#endif
