#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "crypto/digest.h"
#include "store/content.h"
#include "unit/store/vault_fixture.h"

#define CANARY "Avenida Insurgentes 1457 interior 3"
#define ARENA ((size_t)4 << 20)

static const uint8_t nonce[CONTENT_NONCE_SIZE] = "nonce of a leaf";

static const struct content_persons persons = {.ids = {{{1}}, {{2}}}, .count = 2};

struct fixture {
    struct places places;
    struct vault *vault;
    const struct shard *shard;
    uint8_t blinds[5][BLIND_SIZE];
    uint8_t text[256];
    struct message message;
    struct buffer keys;
    struct buffer body;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->places = places_make();
    f->vault = vault_at(&f->places);
    f->shard = shard_at(f->vault, "cdmx/ssc", 203112);
    random_fill(f->blinds, sizeof f->blinds);
    for (size_t i = 0; i + sizeof CANARY <= sizeof f->text; i += sizeof CANARY) {
        memcpy(f->text + i, CANARY, sizeof CANARY);
    }
    f->message.header_bytes = BYTES_OF(f->text);
    f->message.header_blind = BYTES_OF(f->blinds[0]);
    for (size_t i = 0; i < 4; i++) {
        f->message.compartments[i] = (struct compartment){.part = (uint32_t)i + 1,
                                                          .blind = BYTES_OF(f->blinds[i + 1]),
                                                          .content = BYTES_OF(f->text),
                                                          .is_sealed = i == 3};
    }
    f->message.compartments[2].content.size = 0;
    f->message.compartment_count = 4;
    f->message.signatures[0] = (struct signature){.certificate = bytes_text("certificate " CANARY),
                                                  .signature = bytes_text("signature")};
    f->message.signatures[1] =
        (struct signature){.certificate = bytes_text("second"), .signature = BYTES_OF(f->text)};
    f->message.signature_count = 2;
    assert_int_equal(
        content_seal(f->vault, f->shard, &f->message, &persons, nonce, &f->keys, &f->body), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    buffer_release(&f->keys);
    buffer_release(&f->body);
    vault_free(f->vault);
    tree_remove(f->places.folder);
    free(f);
    return 0;
}

static enum rc open_rows(struct fixture *f, struct arena *arena, struct message *message,
                         struct content_erased *erased)
{
    return content_open(f->vault, buffer_bytes(&f->keys), buffer_bytes(&f->body), nonce, arena,
                        message, erased);
}

static void same(struct bytes a, struct bytes b)
{
    assert_true(bytes_equal(a, b));
}

static void what_was_sealed_opens_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct message out;
    struct content_erased erased;

    assert_int_equal(open_rows(f, arena, &out, &erased), RC_OK);
    assert_int_equal(erased.count, 0);
    same(out.header_bytes, f->message.header_bytes);
    same(out.header_blind, f->message.header_blind);
    assert_int_equal(out.compartment_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(out.compartments[i].part, f->message.compartments[i].part);
        assert_int_equal(out.compartments[i].is_sealed, i == 3);
        same(out.compartments[i].blind, f->message.compartments[i].blind);
        same(out.compartments[i].content, f->message.compartments[i].content);
    }
    assert_int_equal(out.signature_count, 2);
    for (size_t i = 0; i < 2; i++) {
        same(out.signatures[i].certificate, f->message.signatures[i].certificate);
        same(out.signatures[i].signature, f->message.signatures[i].signature);
    }
}

static bool holds(const struct buffer *buffer, const void *needle, size_t size)
{
    return memmem(buffer->data, buffer->size, needle, size) != NULL;
}

static void no_plaintext_blind_or_key_stands_in_the_rows(void **state)
{
    struct fixture *f = *state;
    uint8_t key[VAULT_KEY_SIZE];

    assert_int_equal(shard_key(f->vault, f->shard, key), RC_OK);
    assert_false(holds(&f->keys, "Insurgentes", 11) || holds(&f->body, "Insurgentes", 11));
    assert_false(holds(&f->body, "certificate", 11));
    assert_false(holds(&f->keys, key, 16) || holds(&f->body, key, 16));
    for (size_t i = 0; i < 5; i++) {
        assert_false(holds(&f->body, f->blinds[i], 16));
    }
}

static void every_flipped_bit_and_every_cut_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buffer *rows[] = {&f->keys, &f->body};
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct message out;

    for (size_t r = 0; r < 2; r++) {
        struct buffer *row = rows[r];
        size_t size = row->size;

        for (size_t i = 0; i < size; i++) {
            arena_reset(arena);
            row->data[i] ^= (uint8_t)(1 << i % 8);
            assert_int_equal(open_rows(f, arena, &out, NULL), RC_DATA_LOSS);
            row->data[i] ^= (uint8_t)(1 << i % 8);
        }
        for (row->size = 0; row->size < size; row->size++) {
            arena_reset(arena);
            assert_int_equal(open_rows(f, arena, &out, NULL), RC_DATA_LOSS);
            assert_null(out.header_bytes.data);
        }
        buffer_put_u8(row, 0);
        assert_int_equal(open_rows(f, arena, &out, NULL), RC_DATA_LOSS);
        row->size = size;
    }
    assert_int_equal(open_rows(f, arena, &out, NULL), RC_OK);
}

static void rows_of_another_leaf_are_refused(void **state)
{
    static const uint8_t other[CONTENT_NONCE_SIZE] = "another";
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct message out;
    OWN(buffer) keys = {0};
    OWN(buffer) body = {0};

    assert_int_equal(content_open(f->vault, buffer_bytes(&f->keys), buffer_bytes(&f->body), other,
                                  arena, &out, NULL),
                     RC_DATA_LOSS);
    assert_int_equal(content_seal(f->vault, f->shard, &f->message, &persons, nonce, &keys, &body),
                     RC_OK);
    assert_int_equal(content_open(f->vault, buffer_bytes(&keys), buffer_bytes(&f->body), nonce,
                                  arena, &out, NULL),
                     RC_DATA_LOSS);
}

static void persons_go_with_the_header(void **state)
{
    struct fixture *f = *state;
    const struct shard *next;
    struct content_persons found = {0};
    OWN(buffer) without = {0};

    assert_int_equal(content_persons_open(f->vault, buffer_bytes(&f->keys), nonce, &found), RC_OK);
    assert_int_equal(found.count, 2);
    assert_memory_equal(&found.ids[1], &persons.ids[1], ID_SIZE);
    assert_int_equal(vault_next(f->vault, f->shard, &next), RC_OK);
    assert_int_equal(content_erase_part(f->vault, buffer_bytes(&f->keys), buffer_bytes(&f->body),
                                        nonce, COMMIT_HEADER_PART, next, &without),
                     RC_OK);
    assert_int_equal(content_persons_open(f->vault, buffer_bytes(&without), nonce, &found), RC_OK);
    assert_int_equal(found.count, 0);
    f->keys.data[f->keys.size - 1] ^= 1;
    assert_int_equal(content_persons_open(f->vault, buffer_bytes(&f->keys), nonce, &found),
                     RC_DATA_LOSS);
}

static void after_the_shard_is_destroyed_nothing_opens(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct message out;
    OWN(buffer) keys = {0};
    OWN(buffer) body = {0};

    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    assert_int_equal(open_rows(f, arena, &out, NULL), RC_NOT_FOUND);
    assert_int_equal(content_seal(f->vault, f->shard, &f->message, &persons, nonce, &keys, &body),
                     RC_NOT_FOUND);
    assert_int_equal(keys.size, 0);
    assert_int_equal(body.size, 0);
    vault_free(f->vault);
    f->vault = vault_at(&f->places);
    assert_int_equal(open_rows(f, arena, &out, NULL), RC_NOT_FOUND);
}

static void commit_of(const struct message *message, const struct content_erased *erased,
                      uint8_t out[DIGEST_SIZE])
{
    struct commit_part parts[CONTENT_PARTS_MAX];
    size_t count = 0;
    size_t next = 0;

    parts[count].number = COMMIT_HEADER_PART;
    commit_part(message->header_blind.data, message->header_bytes, parts[count++].digest);
    for (size_t i = 0; i < message->compartment_count; i++) {
        const struct compartment *compartment = &message->compartments[i];

        while (next < erased->count && erased->parts[next].number < compartment->part) {
            parts[count++] = erased->parts[next++];
        }
        parts[count].number = (uint16_t)compartment->part;
        commit_part(compartment->blind.data, compartment->content, parts[count++].digest);
    }
    assert_int_equal(commit_message(parts, count, out), RC_OK);
}

static void early_erasure_takes_one_part_and_leaves_the_others_provable(void **state)
{
    static const struct content_erased none = {.count = 0};
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    const struct shard *next = NULL;
    struct content_erased erased;
    struct message out;
    struct message other;
    uint8_t before[DIGEST_SIZE];
    uint8_t after[DIGEST_SIZE];
    OWN(buffer) neighbour_keys = {0};
    OWN(buffer) neighbour_body = {0};
    OWN(buffer) rewrapped = {0};
    OWN(buffer) kept = {0};
    OWN(buffer) again = {0};
    struct bytes name;

    commit_of(&f->message, &none, before);
    assert_int_equal(content_seal(f->vault, f->shard, &f->message, &persons, nonce, &neighbour_keys,
                                  &neighbour_body),
                     RC_OK);
    assert_int_equal(vault_next(f->vault, f->shard, &next), RC_OK);
    assert_int_equal(content_erase_part(f->vault, buffer_bytes(&f->keys), buffer_bytes(&f->body),
                                        nonce, 2, next, &kept),
                     RC_OK);
    assert_int_equal(
        content_rewrap(f->vault, buffer_bytes(&neighbour_keys), nonce, next, &rewrapped), RC_OK);
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);

    assert_int_equal(open_rows(f, arena, &out, NULL), RC_NOT_FOUND);
    assert_int_equal(content_open(f->vault, buffer_bytes(&rewrapped), buffer_bytes(&neighbour_body),
                                  nonce, arena, &other, &erased),
                     RC_OK);
    assert_int_equal(erased.count, 0);
    assert_int_equal(other.compartment_count, 4);
    assert_int_equal(content_open(f->vault, buffer_bytes(&kept), buffer_bytes(&f->body), nonce,
                                  arena, &out, &erased),
                     RC_OK);
    assert_int_equal(erased.count, 1);
    assert_int_equal(erased.parts[0].number, 2);
    assert_int_equal(out.compartment_count, 3);
    assert_int_equal(out.signature_count, 2);
    same(out.compartments[0].content, f->message.compartments[0].content);
    same(out.compartments[2].content, f->message.compartments[3].content);
    commit_of(&out, &erased, after);
    assert_memory_equal(after, before, DIGEST_SIZE);

    assert_int_equal(content_shard_name(buffer_bytes(&kept), &name), RC_OK);
    assert_true(bytes_are_text(name, shard_name(next)));
    assert_int_equal(content_erase_part(f->vault, buffer_bytes(&kept), buffer_bytes(&f->body),
                                        nonce, 2, next, &again),
                     RC_OK);
    assert_int_equal(content_erase_part(f->vault, buffer_bytes(&kept), buffer_bytes(&f->body),
                                        nonce, 9, next, &again),
                     RC_INVALID_ARGUMENT);
}

static void erasing_all_parts_leaves_an_empty_message(void **state)
{
    static const uint16_t parts[] = {0, 1, 2, 3, 4, CONTENT_SIGNATURES};
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct content_erased erased;
    struct message out;

    for (size_t i = 0; i < 6; i++) {
        struct buffer next = {0};

        assert_int_equal(content_erase_part(f->vault, buffer_bytes(&f->keys),
                                            buffer_bytes(&f->body), nonce, parts[i], f->shard,
                                            &next),
                         RC_OK);
        buffer_release(&f->keys);
        f->keys = next;
    }
    assert_int_equal(open_rows(f, arena, &out, &erased), RC_OK);
    assert_int_equal(erased.count, 6);
    assert_int_equal(out.compartment_count + out.signature_count + out.header_bytes.size, 0);
}

static void malformed_messages_are_not_sealed(void **state)
{
    struct fixture *f = *state;
    struct message wrong[9];
    OWN(buffer) keys = {0};
    OWN(buffer) body = {0};

    for (size_t i = 0; i < 9; i++) {
        wrong[i] = f->message;
    }
    wrong[0].header_blind.size = 31;
    wrong[1].compartments[1].blind.size = 0;
    wrong[2].compartments[1].part = 1;
    wrong[3].compartments[0].part = 0;
    wrong[4].compartments[3].part = CONTENT_SIGNATURES;
    wrong[5].compartments[3].part = 0x10004;
    wrong[6].header_bytes.size = MESSAGE_HEADER_MAX + 1;
    wrong[7].compartments[0].content.size = MESSAGE_BYTES_MAX + 1;
    wrong[8].signatures[0].certificate.size = CONTENT_SIGNATURE_MAX + 1;
    for (size_t i = 0; i < 9; i++) {
        if (content_seal(f->vault, f->shard, &wrong[i], &persons, nonce, &keys, &body) !=
                RC_INVALID_ARGUMENT ||
            keys.size != 0 || body.size != 0) {
            fail_msg("row %zu", i);
        }
    }
}

static void a_full_arena_is_said(void **state)
{
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(500);
    struct message out;

    assert_int_equal(open_rows(f, arena, &out, NULL), RC_RESOURCE_EXHAUSTED);
}

/* A header and four compartments of 256 bytes; a figure, not a promise. */
static void how_long_it_takes(void **state)
{
    enum { ROUNDS = 20000 };
    struct fixture *f = *state;
    OWN_PTR(arena) arena = arena_new(ARENA);
    struct message out;
    int64_t start;

    f->message.signature_count = 0;
    f->message.compartments[2].content.size = sizeof f->text;
    start = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        buffer_clear(&f->keys);
        buffer_clear(&f->body);
        assert_int_equal(
            content_seal(f->vault, f->shard, &f->message, &persons, nonce, &f->keys, &f->body),
            RC_OK);
    }
    print_message("content_seal %lld ns\n",
                  (long long)(clock_monotonic_us() - start) * 1000 / ROUNDS);
    start = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(arena);
        assert_int_equal(open_rows(f, arena, &out, NULL), RC_OK);
    }
    print_message("content_open %lld ns\n",
                  (long long)(clock_monotonic_us() - start) * 1000 / ROUNDS);
}

int main(void)
{
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(what_was_sealed_opens_byte_for_byte),
        WITH_ROWS(no_plaintext_blind_or_key_stands_in_the_rows),
        WITH_ROWS(every_flipped_bit_and_every_cut_is_refused),
        WITH_ROWS(rows_of_another_leaf_are_refused),
        WITH_ROWS(persons_go_with_the_header),
        WITH_ROWS(after_the_shard_is_destroyed_nothing_opens),
        WITH_ROWS(early_erasure_takes_one_part_and_leaves_the_others_provable),
        WITH_ROWS(erasing_all_parts_leaves_an_empty_message),
        WITH_ROWS(malformed_messages_are_not_sealed),
        WITH_ROWS(a_full_arena_is_said),
        WITH_ROWS(how_long_it_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
