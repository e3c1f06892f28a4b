#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tlog/frontier.h"
#include "tlog/tiles.h"
#include "unit/tlog/tree8.h"

/* The examples of tlog-tiles.md. */
static void the_paths_of_the_standard_are_written_and_read(void **state)
{
    static const struct {
        struct tile tile;
        const char *path;
    } rows[] = {
        {{0, 1234067, 256}, "tile/0/x001/x234/067"},
        {{0, 1234067, 8}, "tile/0/x001/x234/067.p/8"},
        {{0, 0, 1}, "tile/0/000.p/1"},
        {{TILE_ENTRIES, 0, 15}, "tile/entries/000.p/15"},
        {{TILE_ENTRIES, 1000, 256}, "tile/entries/x001/000"},
        {{1, 0, 256}, "tile/1/000"},
        {{2, 999, 256}, "tile/2/999"},
        {{2, 1000, 256}, "tile/2/x001/000"},
        {{7, 0, 255}, "tile/7/000.p/255"},
        {{0, UINT64_C(36028797018963967), 255}, "tile/0/x036/x028/x797/x018/x963/967.p/255"},
    };
    char path[TILE_PATH_SIZE];
    struct tile tile;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tile_path(&rows[i].tile, path);
        assert_string_equal(path, rows[i].path);
        assert_int_equal(tile_path_parse(bytes_text(path), &tile), RC_OK);
        assert_memory_equal(&tile, &rows[i].tile, sizeof tile);
    }
}

static void other_paths_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/00/000",
        "tile/8/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/x001",
        "tile/0/x001/",
        "tile/0/001/002",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1/",
        "tile/0/000/",
        "tile/0/000.p/1x",
        "/tile/0/000",
        "tile/0/x001/x002/x003/x004/x005/x006/007",
        "tile/0/../../etc",
    };
    struct tile tile;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (tile_path_parse(bytes_text(rows[i]), &tile) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i]);
        }
    }
}

/* "70,000 entries: 273 full tiles and one of 112; one full and one of 17; one of 1." */
static void widths_are_those_of_the_standard(void **state)
{
    (void)state;
    assert_int_equal(tile_count(70000, 0), 274);
    assert_int_equal(tile_width(70000, 0, 272), 256);
    assert_int_equal(tile_width(70000, 0, 273), 112);
    assert_int_equal(tile_width(70000, 0, 274), 0);
    assert_int_equal(tile_width(70000, 1, 0), 256);
    assert_int_equal(tile_width(70000, 1, 1), 17);
    assert_int_equal(tile_width(70000, 2, 0), 1);
    assert_int_equal(tile_width(70000, 3, 0), 0);
    assert_int_equal(tile_width(70000, TILE_ENTRIES, 273), 112);
    assert_int_equal(tile_count(256, 0), 1);
    assert_int_equal(tile_width(256, 0, 0), 256);
    assert_int_equal(tile_width(256, 1, 0), 1);
    assert_int_equal(tile_count(0, 0), 0);
    assert_int_equal(tile_width(UINT64_MAX >> 1, 7, 0), 127);
}

static void entries_come_back_from_a_bundle_and_a_cut_one_is_refused(void **state)
{
    uint8_t large[TILE_ENTRY_MAX] = {1, 2, 3};
    OWN(buffer) bundle = {0};
    struct bytes rest;
    struct bytes entry;

    (void)state;
    tile_put_entry(&bundle, bytes_text("uno"));
    tile_put_entry(&bundle, (struct bytes){0});
    tile_put_entry(&bundle, BYTES_OF(large));
    rest = buffer_bytes(&bundle);
    assert_int_equal(tile_take_entry(&rest, &entry), RC_OK);
    assert_true(bytes_are_text(entry, "uno"));
    assert_int_equal(tile_take_entry(&rest, &entry), RC_OK);
    assert_int_equal(entry.size, 0);
    assert_int_equal(tile_take_entry(&rest, &entry), RC_OK);
    assert_int_equal(entry.size, TILE_ENTRY_MAX);
    assert_int_equal(tile_take_entry(&rest, &entry), RC_INVALID_ARGUMENT);
    for (size_t size = 1; size < 5; size++) {
        rest = BYTES(bundle.data, size);
        assert_int_equal(tile_take_entry(&rest, &entry), RC_INVALID_ARGUMENT);
        assert_int_equal(rest.size, size);
    }
}

/* Tiles in memory, cut as the standard says, out of the edge that a writer keeps. */
struct memory_tiles {
    struct tile_source tiles; /* first */
    struct tile_edge edge;
    uint8_t (*full)[4][TILE_WIDTH][DIGEST_SIZE]; /* of level 0 and 1 */
    unsigned reads;
};

static enum rc read_memory(struct tile_source *tiles, const struct tile *tile,
                           const uint8_t (**hashes)[DIGEST_SIZE])
{
    struct memory_tiles *memory = (struct memory_tiles *)tiles;

    memory->reads++;
    if (tile->width == TILE_WIDTH) {
        assert_true(tile->level < 2 && tile->index < 4);
        *hashes = (const uint8_t(*)[DIGEST_SIZE])memory->full[tile->level][tile->index];
    } else {
        *hashes = (const uint8_t(*)[DIGEST_SIZE])memory->edge.hashes[tile->level];
    }
    return RC_OK;
}

static void proofs_and_roots_come_out_of_tiles(void **state)
{
    enum { SIZE = 1000 };
    static struct memory_tiles memory;
    static uint8_t leaves[SIZE][DIGEST_SIZE];
    const uint8_t(*all)[DIGEST_SIZE] = (const uint8_t(*)[DIGEST_SIZE])leaves;
    struct frontier frontier = {0};
    uint8_t root[DIGEST_SIZE];
    uint8_t old_root[DIGEST_SIZE];
    uint8_t from_edge[DIGEST_SIZE];

    (void)state;
    memory = (struct memory_tiles){.full = calloc(2, sizeof *memory.full)};
    numbered_leaves(leaves, SIZE);
    tile_edge_root(&memory.edge, from_edge);
    assert_hash(from_edge, tree8_roots[0]);
    for (size_t i = 0; i < SIZE; i++) {
        unsigned filled = tile_edge_append(&memory.edge, leaves[i]);

        assert_int_equal(filled, i % 256 == 255 ? 1 : 0);
        if (filled > 0) {
            memcpy(memory.full[0][i / 256], memory.edge.hashes[0], TILE_BYTES);
        }
        frontier_append(&frontier, leaves[i]);
        frontier_root(&frontier, root);
        tile_edge_root(&memory.edge, from_edge);
        assert_memory_equal(root, from_edge, DIGEST_SIZE);
    }
    tile_source_init(&memory.tiles, SIZE, read_memory);
    for (uint64_t index = 0; index < SIZE; index += 37) {
        struct proof proof;
        struct proof expected = {.count = 0};

        assert_int_equal(proof_inclusion(&memory.tiles.source, index, SIZE, &proof), RC_OK);
        naive_path(all, index, 0, SIZE, &expected);
        assert_int_equal(proof.count, expected.count);
        assert_memory_equal(proof.hashes, expected.hashes, expected.count * DIGEST_SIZE);
    }
    for (uint64_t old = 1; old <= SIZE; old += 13) {
        struct proof proof;

        assert_int_equal(tile_source_root(&memory.tiles, old, old_root), RC_OK);
        naive_root(all, 0, old, from_edge);
        assert_memory_equal(old_root, from_edge, DIGEST_SIZE);
        assert_int_equal(proof_consistency(&memory.tiles.source, old, SIZE, &proof), RC_OK);
        assert_int_equal(proof_check_consistency(old, old_root, SIZE, root, &proof), RC_OK);
    }
    assert_int_equal(tile_source_root(&memory.tiles, SIZE + 1, old_root), RC_OUT_OF_RANGE);
    free(memory.full);
}

/* Past 65,536 leaves two levels fill at once. */
static void a_tile_of_the_second_level_fills_with_the_256th_of_the_first(void **state)
{
    static struct tile_edge edge;
    struct frontier frontier = {0};
    uint8_t root[DIGEST_SIZE];
    uint8_t from_edge[DIGEST_SIZE];

    (void)state;
    for (uint64_t i = 0; i < 70000; i++) {
        uint8_t raw[8];
        uint8_t hash[DIGEST_SIZE];
        unsigned filled;

        put_u64(raw, i);
        merkle_leaf(BYTES_OF(raw), hash);
        filled = tile_edge_append(&edge, hash);
        assert_int_equal(filled, i == 65535 ? 2 : i % 256 == 255 ? 1 : 0);
        frontier_append(&frontier, hash);
        if (i % 1111 == 0 || (i > 65530 && i < 65540)) {
            frontier_root(&frontier, root);
            tile_edge_root(&edge, from_edge);
            assert_memory_equal(root, from_edge, DIGEST_SIZE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_paths_of_the_standard_are_written_and_read),
        cmocka_unit_test(other_paths_are_refused),
        cmocka_unit_test(widths_are_those_of_the_standard),
        cmocka_unit_test(entries_come_back_from_a_bundle_and_a_cut_one_is_refused),
        cmocka_unit_test(proofs_and_roots_come_out_of_tiles),
        cmocka_unit_test(a_tile_of_the_second_level_fills_with_the_256th_of_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
