#include "tlog/tiles.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tlog/frontier.h"
#include "tlog/merkle.h"
#include "tlog/text.h"

#define LEVEL_BITS 8

/* Groups of three digits from the right; 2^63 / 256 has 17 digits, so six groups are enough. */
static int put_index(uint64_t index, char *out, size_t size)
{
    unsigned groups[7];
    size_t count = 0;
    int used = 0;

    do {
        groups[count++] = (unsigned)(index % 1000);
        index /= 1000;
    } while (index > 0);
    while (count-- > 0) {
        used += snprintf(out + used, size - (size_t)used, "%s%03u%s", count > 0 ? "x" : "",
                         groups[count], count > 0 ? "/" : "");
    }
    return used;
}

void tile_path(const struct tile *tile, char out[TILE_PATH_SIZE])
{
    int used;

    assert(tile->level <= TILE_ENTRIES && tile->width >= 1 && tile->width <= TILE_WIDTH);
    used = tile->level == TILE_ENTRIES ? snprintf(out, TILE_PATH_SIZE, "tile/entries/")
                                       : snprintf(out, TILE_PATH_SIZE, "tile/%u/", tile->level);
    used += put_index(tile->index, out + used, TILE_PATH_SIZE - (size_t)used);
    if (tile->width < TILE_WIDTH) {
        used += snprintf(out + used, TILE_PATH_SIZE - (size_t)used, ".p/%u", tile->width);
    }
    assert(used < TILE_PATH_SIZE);
}

static bool take_digits(struct bytes *rest, uint64_t *index)
{
    if (rest->size < 3) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9') {
            return false;
        }
        *index = *index * 10 + (rest->data[i] - '0');
    }
    *rest = BYTES(rest->data + 3, rest->size - 3);
    return true;
}

static bool take_index(struct bytes *rest, uint64_t *index)
{
    *index = 0;
    for (unsigned groups = 0; groups < 6; groups++) {
        if (!text_word(rest, "x")) {
            return take_digits(rest, index);
        }
        if (!take_digits(rest, index) || !text_word(rest, "/")) {
            return false;
        }
    }
    return false;
}

enum rc tile_path_parse(struct bytes text, struct tile *tile)
{
    struct tile parsed = {.width = TILE_WIDTH};
    struct bytes rest = text;
    struct bytes level;
    uint64_t number = 0;
    char again[TILE_PATH_SIZE];

    if (!text_word(&rest, "tile/") || !text_split(&rest, '/', &level)) {
        return RC_INVALID_ARGUMENT;
    }
    if (bytes_are_text(level, "entries")) {
        number = TILE_ENTRIES;
    } else if (text_decimal(level, &number) != RC_OK || number >= TILE_LEVELS) {
        return RC_INVALID_ARGUMENT;
    }
    parsed.level = (unsigned)number;
    if (!take_index(&rest, &parsed.index)) {
        return RC_INVALID_ARGUMENT;
    }
    if (text_word(&rest, ".p/")) {
        TRY(text_decimal(rest, &number));
        if (number < 1 || number >= TILE_WIDTH) {
            return RC_INVALID_ARGUMENT;
        }
        parsed.width = (unsigned)number;
        rest = BYTES(rest.data, 0);
    }
    /* Groups of zeros in front would name one tile twice. */
    tile_path(&parsed, again);
    if (rest.size > 0 || !bytes_are_text(text, again)) {
        return RC_INVALID_ARGUMENT;
    }
    *tile = parsed;
    return RC_OK;
}

uint64_t tile_hashes(uint64_t size, unsigned level)
{
    return level == TILE_ENTRIES ? size : size >> (LEVEL_BITS * level);
}

uint64_t tile_count(uint64_t size, unsigned level)
{
    uint64_t hashes = tile_hashes(size, level);

    return hashes / TILE_WIDTH + (hashes % TILE_WIDTH != 0);
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t index)
{
    uint64_t hashes = tile_hashes(size, level);

    if (index < hashes / TILE_WIDTH) {
        return TILE_WIDTH;
    }
    return index == hashes / TILE_WIDTH ? (unsigned)(hashes % TILE_WIDTH) : 0;
}

void tile_put_entry(struct buffer *bundle, struct bytes entry)
{
    assert(entry.size <= TILE_ENTRY_MAX);
    buffer_put_u16(bundle, (uint16_t)entry.size);
    buffer_put_bytes(bundle, entry);
}

enum rc tile_take_entry(struct bytes *bundle, struct bytes *entry)
{
    struct reader reader = {.rest = *bundle};
    uint16_t size = reader_u16(&reader);
    struct bytes taken = reader_take(&reader, size);

    if (reader.is_failed) {
        return RC_INVALID_ARGUMENT;
    }
    *entry = taken;
    *bundle = reader.rest;
    return RC_OK;
}

unsigned tile_edge_append(struct tile_edge *edge, const uint8_t leaf_hash[DIGEST_SIZE])
{
    uint64_t at = edge->size;
    uint8_t hash[DIGEST_SIZE];
    unsigned filled = 0;

    assert(edge->size < FRONTIER_SIZE_MAX);
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        memcpy(edge->hashes[level][at % TILE_WIDTH], hash, DIGEST_SIZE);
        if (at % TILE_WIDTH != TILE_WIDTH - 1) {
            break;
        }
        merkle_root((const uint8_t(*)[DIGEST_SIZE])edge->hashes[level], TILE_WIDTH, hash);
        at /= TILE_WIDTH;
        filled++;
    }
    edge->size++;
    return filled;
}

/* From the lowest level up: what lies right of a level's hashes joins them as one. */
void tile_edge_root(const struct tile_edge *edge, uint8_t out[DIGEST_SIZE])
{
    struct frontier frontier;
    uint8_t tail[DIGEST_SIZE];
    bool has_tail = false;

    merkle_empty(out);
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        size_t width = (size_t)(tile_hashes(edge->size, level) % TILE_WIDTH);

        frontier.size = 0;
        for (size_t i = 0; i < width; i++) {
            frontier_append(&frontier, edge->hashes[level][i]);
        }
        /* The nodes of this level's edge, the narrowest (rightmost) first. */
        for (unsigned bit = 0; bit < LEVEL_BITS; bit++) {
            if ((frontier.size >> bit & 1) == 0) {
                continue;
            }
            if (has_tail) {
                merkle_node(frontier.edge[bit], tail, tail);
            } else {
                memcpy(tail, frontier.edge[bit], DIGEST_SIZE);
            }
            has_tail = true;
        }
    }
    if (has_tail) {
        memcpy(out, tail, DIGEST_SIZE);
    }
}

/* A node below a tile's own level is folded from 2^k of its hashes. */
static enum rc node_from_tiles(struct node_source *source, unsigned level, uint64_t index,
                               uint8_t out[DIGEST_SIZE])
{
    struct tile_source *tiles = (struct tile_source *)source;
    unsigned tile_level = level / LEVEL_BITS;
    unsigned fold = level % LEVEL_BITS;
    uint64_t first;
    struct tile tile = {.level = tile_level};
    const uint8_t(*hashes)[DIGEST_SIZE];

    if (tile_level >= TILE_LEVELS || index > UINT64_MAX >> level || index >= tiles->size >> level) {
        return RC_OUT_OF_RANGE;
    }
    first = index << fold;
    tile.index = first / TILE_WIDTH;
    tile.width = tile_width(tiles->size, tile_level, tile.index);
    if (tile.width == 0) {
        return RC_OUT_OF_RANGE;
    }
    TRY(tiles->read(tiles, &tile, &hashes));
    merkle_root(hashes + first % TILE_WIDTH, (size_t)1 << fold, out);
    return RC_OK;
}

void tile_source_init(struct tile_source *tiles, uint64_t size,
                      enum rc (*read)(struct tile_source *tiles, const struct tile *tile,
                                      const uint8_t (**hashes)[DIGEST_SIZE]))
{
    tiles->source.node = node_from_tiles;
    tiles->read = read;
    tiles->size = size;
}

enum rc tile_source_root(struct tile_source *tiles, uint64_t size, uint8_t out[DIGEST_SIZE])
{
    struct frontier frontier = {.size = size};

    if (size > tiles->size) {
        return RC_OUT_OF_RANGE;
    }
    for (unsigned level = 0; level < FRONTIER_LEVELS - 1; level++) {
        if ((size >> level & 1) != 0) {
            TRY(node_from_tiles(&tiles->source, level, (size >> level) - 1, frontier.edge[level]));
        }
    }
    frontier_root(&frontier, out);
    return RC_OK;
}
