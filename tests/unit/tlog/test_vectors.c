#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

/*
 * The published vectors, where ENLACE_VECTORS names their folder; they are not part of the tree.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/frontier.h"
#include "tlog/merkle.h"
#include "tlog/tiles.h"
#include "tlog/tlog_proof.h"

static json_t *load(const char *name)
{
    char path[512];
    json_error_t error;
    json_t *json;

    snprintf(path, sizeof path, "%s/%s", getenv("ENLACE_VECTORS"), name);
    json = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    if (json == NULL) {
        fail_msg("%s: %s", path, error.text);
    }
    return json;
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static struct bytes bytes_of(const json_t *string)
{
    return BYTES(json_string_value(string), json_string_length(string));
}

/* False for what is no hash at all: such a probe cannot even be written in our types. */
static bool hash_of(const json_t *object, const char *name, uint8_t out[DIGEST_SIZE])
{
    const json_t *value = json_object_get(object, name);
    size_t size = 0;

    return json_is_string(value) &&
           base64_decode(bytes_of(value), out, DIGEST_SIZE, &size) == RC_OK && size == DIGEST_SIZE;
}

static bool path_of(const json_t *array, struct proof *proof)
{
    proof->count = json_array_size(array);
    if (proof->count > PROOF_MAX) {
        return false;
    }
    for (size_t i = 0; i < proof->count; i++) {
        size_t size = 0;

        if (base64_decode(bytes_of(json_array_get(array, i)), proof->hashes[i], DIGEST_SIZE,
                          &size) != RC_OK ||
            size != DIGEST_SIZE) {
            return false;
        }
    }
    return true;
}

/* Read as a double: exact below 2^53, and the probe with 2^64 - 1 is larger than any size. */
static uint64_t number_of(const json_t *object, const char *name)
{
    double value = json_number_value(json_object_get(object, name));

    return value < 0x1p63 ? (uint64_t)value : UINT64_MAX;
}

static enum rc probe_inclusion(const json_t *probe)
{
    uint8_t leaf_hash[DIGEST_SIZE];
    uint8_t root[DIGEST_SIZE];
    struct proof proof;

    if (!hash_of(probe, "leafHash", leaf_hash) || !hash_of(probe, "root", root) ||
        !path_of(json_object_get(probe, "proof"), &proof)) {
        return RC_INVALID_ARGUMENT;
    }
    return proof_check_inclusion(leaf_hash, number_of(probe, "leafIdx"),
                                 number_of(probe, "treeSize"), &proof, root);
}

static enum rc probe_consistency(const json_t *probe)
{
    uint8_t old_root[DIGEST_SIZE];
    uint8_t new_root[DIGEST_SIZE];
    struct proof proof;

    if (!hash_of(probe, "root1", old_root) || !hash_of(probe, "root2", new_root) ||
        !path_of(json_object_get(probe, "proof"), &proof)) {
        return RC_INVALID_ARGUMENT;
    }
    return proof_check_consistency(number_of(probe, "size1"), old_root, number_of(probe, "size2"),
                                   new_root, &proof);
}

/* One valid probe has roots of 12 bytes and is marked so: our types cannot express it. */
static void run_probes(const char *file, enum rc (*check)(const json_t *probe))
{
    json_t *json = load(file);
    const json_t *probes = json_object_get(json, "probes");
    unsigned valid = 0;
    unsigned no_hashes = 0;

    for (size_t i = 0; i < json_array_size(probes); i++) {
        const json_t *probe = json_array_get(probes, i);
        bool must_fail = json_is_true(json_object_get(probe, "wantErr")) ||
                         json_is_true(json_object_get(probe, "untypable"));
        enum rc rc = check(probe);

        if ((rc == RC_OK) == must_fail) {
            fail_msg("%s: rc=%s", text_of(probe, "file"), rc_name(rc));
        }
        valid += json_is_false(json_object_get(probe, "wantErr"));
        no_hashes += rc == RC_INVALID_ARGUMENT;
    }
    printf("%s: %zu probes, %u valid, %u without hashes\n", file, json_array_size(probes), valid,
           no_hashes);
    assert_int_equal(json_array_size(probes), 98);
    assert_int_equal(valid, 6);
    json_decref(json);
}

static void published_inclusion_probes_are_judged_right(void **state)
{
    (void)state;
    run_probes("inclusion_probes.json", probe_inclusion);
}

static void published_consistency_probes_are_judged_right(void **state)
{
    (void)state;
    run_probes("consistency_probes.json", probe_consistency);
}

static void assert_hashes(const json_t *array, const uint8_t (*hashes)[DIGEST_SIZE])
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        char hex[2 * DIGEST_SIZE + 1];

        hex_encode(hashes[i], DIGEST_SIZE, hex);
        assert_string_equal(hex, json_string_value(json_array_get(array, i)));
    }
}

static void the_standard_tree_is_reproduced(void **state)
{
    json_t *json = load("rfc6962_tree8.json");
    const json_t *leaves = json_object_get(json, "leaves_hex");
    uint8_t hashes[9][DIGEST_SIZE];
    uint8_t roots[9][DIGEST_SIZE];

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        const json_t *hex = json_array_get(leaves, i);
        uint8_t entry[16];
        size_t size = json_string_length(hex) / 2;

        assert_int_equal(hex_decode(json_string_value(hex), entry, size), RC_OK);
        merkle_leaf(BYTES(entry, size), hashes[i]);
    }
    for (size_t size = 0; size <= 8; size++) {
        merkle_root((const uint8_t(*)[DIGEST_SIZE])hashes, size, roots[size]);
    }
    assert_hashes(json_object_get(json, "leaf_hashes_hex"), (const uint8_t(*)[DIGEST_SIZE])hashes);
    assert_hashes(json_object_get(json, "roots_by_size_hex"), (const uint8_t(*)[DIGEST_SIZE])roots);
    json_decref(json);
}

static void check_note(const json_t *row)
{
    const char *seed_hex = text_of(row, "seed_hex");
    const char *vkey_text = text_of(row, "vkey");
    struct bytes bytes = bytes_of(json_object_get(row, "note"));
    struct note note;
    struct vkey vkey;

    assert_int_equal(note_parse(bytes, &note), RC_OK);
    if (vkey_text != NULL) {
        assert_int_equal(vkey_parse(bytes_text(vkey_text), &vkey), RC_OK);
        assert_int_equal(note_verify(&note, &vkey), RC_OK);
    }
    if (seed_hex != NULL) {
        uint8_t seed[ED25519_SEED_SIZE];
        OWN_PTR(keyring) keyring = NULL;
        OWN(buffer) line = {0};
        char name[VKEY_NAME_MAX + 1] = {0};
        struct note_line last = note.lines[note.count - 1];

        memcpy(name, last.name.data, last.name.size);
        assert_int_equal(hex_decode(seed_hex, seed, sizeof seed), RC_OK);
        keyring = keyring_from_seed(seed);
        assert_int_equal(vkey_of(name, VKEY_ED25519, keyring, &vkey), RC_OK);
        assert_true(note_line_is_of(&last, &vkey));
        assert_int_equal(note_verify(&note, &vkey), RC_OK);
        assert_int_equal(note_sign_line(note.text, name, keyring, &line), RC_OK);
        assert_memory_equal(line.data, bytes.data + bytes.size - line.size, line.size);
    }
}

static void published_notes_verify(void **state)
{
    json_t *json = load("signed_notes.json");
    const json_t *notes = json_object_get(json, "notes");
    const json_t *bad = json_object_get(json_object_get(json, "bad_vkeys"), "vkeys");

    (void)state;
    assert_int_equal(json_array_size(notes), 6);
    for (size_t i = 0; i < json_array_size(notes); i++) {
        check_note(json_array_get(notes, i));
    }
    for (size_t i = 0; i < json_array_size(bad); i++) {
        struct vkey vkey;

        assert_int_equal(vkey_parse(bytes_of(json_array_get(bad, i)), &vkey), RC_INVALID_ARGUMENT);
    }
    json_decref(json);
}

static void check_cosignature(const json_t *row)
{
    struct bytes bytes = bytes_of(json_object_get(row, "note"));
    uint64_t expected = number_of(row, "timestamp");
    uint8_t seed[ED25519_SEED_SIZE];
    OWN_PTR(keyring) keyring = NULL;
    OWN(buffer) line = {0};
    struct note note;
    struct vkey vkey;
    struct vkey made;
    uint64_t time = 0;

    assert_int_equal(note_parse(bytes, &note), RC_OK);
    assert_int_equal(vkey_parse(bytes_of(json_object_get(row, "vkey")), &vkey), RC_OK);
    assert_int_equal(vkey.type, VKEY_COSIGNATURE);
    assert_int_equal(checkpoint_cosigned(&note, &vkey, &time), RC_OK);
    assert_int_equal(time, expected);
    assert_int_equal(hex_decode(text_of(row, "seed_hex"), seed, sizeof seed), RC_OK);
    keyring = keyring_from_seed(seed);
    assert_int_equal(vkey_of(vkey.name, VKEY_COSIGNATURE, keyring, &made), RC_OK);
    assert_memory_equal(made.id, vkey.id, VKEY_ID_SIZE);
    assert_int_equal(checkpoint_cosign(note.text, vkey.name, keyring, expected, &line), RC_OK);
    assert_memory_equal(line.data, bytes.data + bytes.size - line.size, line.size);
}

static void published_cosignatures_verify_and_are_reproduced(void **state)
{
    json_t *json = load("cosignatures.json");
    const json_t *vectors = json_object_get(json, "vectors");
    struct note note;

    (void)state;
    assert_int_equal(json_array_size(vectors), 3);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        check_cosignature(json_array_get(vectors, i));
    }
    assert_int_equal(
        note_parse(bytes_of(json_object_get(
                       json_object_get(json, "c2sp_doc_example_without_published_key"), "note")),
                   &note),
        RC_OK);
    json_decref(json);
}

static void check_encoding(const json_t *row)
{
    static const char *const words[] = {"hash1", "hash2"};
    const json_t *extra = json_object_get(row, "extra");
    struct bytes note = bytes_of(json_object_get(row, "checkpoint"));
    struct bytes want = bytes_of(json_object_get(row, "want"));
    struct proof path = {.count = json_array_size(json_object_get(row, "hashes"))};
    struct tlog_proof proof;
    OWN(buffer) made = {0};

    for (size_t i = 0; i < path.count; i++) {
        struct bytes word = bytes_text(words[i]);

        digest_of(&word, 1, path.hashes[i]);
    }
    tlog_proof_write(number_of(row, "index"), &path,
                     extra != NULL ? bytes_of(extra) : (struct bytes){0}, note, &made);
    assert_true(bytes_equal(buffer_bytes(&made), want));
    assert_int_equal(tlog_proof_parse(want, &proof), RC_OK);
    assert_int_equal(proof.index, number_of(row, "index"));
    assert_int_equal(proof.has_extra, extra != NULL);
    assert_true(bytes_equal(proof.note, note));
}

static void published_receipts_are_written_and_read(void **state)
{
    json_t *json = load("tlog_proof_encoding.json");
    const json_t *good = json_object_get(json, "marshal");
    const json_t *bad = json_object_get(json, "must_reject");

    (void)state;
    assert_int_equal(json_array_size(good), 3);
    for (size_t i = 0; i < json_array_size(good); i++) {
        check_encoding(json_array_get(good, i));
    }
    for (size_t i = 0; i < json_array_size(bad); i++) {
        struct tlog_proof proof;

        assert_int_equal(tlog_proof_parse(bytes_of(json_array_get(bad, i)), &proof),
                         RC_INVALID_ARGUMENT);
    }
    json_decref(json);
}

/* Leaves "record 0", "record 1", ...: the root that a published log of 300 has, and larger ones. */
static void roots_of_numbered_records_are_reproduced(void **state)
{
    json_t *json = load("derived/roots_record_d.json");
    const json_t *roots = json_object_get(json, "roots_b64");
    struct frontier frontier = {0};
    unsigned compared = 0;

    (void)state;
    for (uint64_t size = 0; size <= 70000; size++) {
        char text[24];
        uint8_t hash[DIGEST_SIZE];
        uint8_t expected[DIGEST_SIZE];

        snprintf(text, sizeof text, "%" PRIu64, size);
        if (hash_of(roots, text, expected)) {
            frontier_root(&frontier, hash);
            assert_memory_equal(hash, expected, DIGEST_SIZE);
            compared++;
        }
        snprintf(text, sizeof text, "record %" PRIu64, size);
        merkle_leaf(bytes_text(text), hash);
        frontier_append(&frontier, hash);
    }
    assert_int_equal(compared, json_object_size(roots));
    json_decref(json);
}

/* "L0 N1234067 W8", "entries N0 W15" -> a path. */
static struct tile tile_named(const char *name)
{
    struct tile tile = {TILE_ENTRIES, 0, TILE_WIDTH};
    const char *index = strstr(name, " N");
    const char *width = strstr(name, " W");

    if (name[0] == 'L') {
        tile.level = (unsigned)strtoul(name + 1, NULL, 10);
    }
    tile.index = strtoull(index + 2, NULL, 10);
    if (width != NULL) {
        tile.width = (unsigned)strtoul(width + 2, NULL, 10);
    }
    return tile;
}

static void published_tile_paths_and_widths_are_reproduced(void **state)
{
    json_t *json = load("tile_paths.json");
    const json_t *large = json_object_get(json, "tiles_for_size_70000");
    const char *name;
    json_t *path;

    (void)state;
    json_object_foreach(json_object_get(json, "paths"), name, path)
    {
        const struct tile expected = tile_named(name);
        char text[TILE_PATH_SIZE];
        struct tile tile;

        tile_path(&expected, text);
        assert_string_equal(text, json_string_value(path));
        assert_int_equal(tile_path_parse(bytes_of(path), &tile), RC_OK);
        assert_memory_equal(&tile, &expected, sizeof tile);
    }
    assert_int_equal(number_of(large, "level0_full"), tile_hashes(70000, 0) / TILE_WIDTH);
    assert_int_equal(number_of(large, "level0_partial_width"), tile_width(70000, 0, 273));
    assert_int_equal(number_of(large, "level1_full"), tile_hashes(70000, 1) / TILE_WIDTH);
    assert_int_equal(number_of(large, "level1_partial_width"), tile_width(70000, 1, 1));
    assert_int_equal(number_of(large, "level2_partial_width"), tile_width(70000, 2, 0));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_inclusion_probes_are_judged_right),
        cmocka_unit_test(published_consistency_probes_are_judged_right),
        cmocka_unit_test(the_standard_tree_is_reproduced),
        cmocka_unit_test(published_notes_verify),
        cmocka_unit_test(published_cosignatures_verify_and_are_reproduced),
        cmocka_unit_test(published_receipts_are_written_and_read),
        cmocka_unit_test(roots_of_numbered_records_are_reproduced),
        cmocka_unit_test(published_tile_paths_and_widths_are_reproduced),
    };

    if (getenv("ENLACE_VECTORS") == NULL) {
        puts("skipped: ENLACE_VECTORS is not set");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
