#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "client/audit_read.h"
#include "tlog/commit.h"
#include "tlog/frontier.h"
#include "tlog/leaf.h"
#include "tlog/merkle.h"
#include "tlog/view.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define SIZE 9
#define FROM 4
#define COUNT 3

/* A log of nine and the page of leaves 4, 5, 6. */
struct fixture {
    struct vkey vkey;
    struct buffer note;
    uint8_t leaves[SIZE][LEAF_SIZE];
    char records[COUNT][16];
    uint8_t blind[COMMIT_BLIND_SIZE];
    struct proof paths[COUNT];
    struct audit_entry entries[COUNT];
    struct audit_page page;
    struct checkpoint head;
};

static void encode(struct fixture *f, uint64_t index)
{
    struct leaf leaf = {.class = LEAF_RECORD, .time_s = 1795467167, .index = index};

    if (index >= FROM && index < FROM + COUNT) {
        char *record = f->records[index - FROM];

        record[0] = (char)index;
        commit_record(f->blind, BYTES(record, sizeof f->records[0]), leaf.record);
    }
    leaf_encode(&leaf, f->leaves[index]);
}

static void make_page(struct fixture *f)
{
    for (size_t i = 0; i < COUNT; i++) {
        struct audit_entry *entry = &f->entries[i];

        *entry = (struct audit_entry){.leaf = BYTES_OF(f->leaves[FROM + i]),
                                      .record = BYTES_OF(f->records[i]),
                                      .record_blind = BYTES_OF(f->blind)};
        for (; entry->path.count < f->paths[i].count; entry->path.count++) {
            entry->path.hashes[entry->path.count] = BYTES_OF(f->paths[i].hashes[entry->path.count]);
        }
    }
    f->page = (struct audit_page){
        .checkpoint = buffer_bytes(&f->note), .entries = f->entries, .entry_count = COUNT};
}

static int set_up(void **state)
{
    static struct fixture f;
    uint8_t seed[ED25519_SEED_SIZE] = {7};
    OWN_PTR(keyring) keyring = keyring_from_seed(seed);
    OWN_PTR(view) view = view_new(16);
    struct checkpoint head = {.origin = ORIGIN, .size = SIZE};

    f = (struct fixture){.blind = {3}};
    assert_int_equal(vkey_of(ORIGIN, VKEY_ED25519, keyring, &f.vkey), RC_OK);
    view_begin(view, &(struct frontier){0});
    for (uint64_t i = 0; i < SIZE; i++) {
        uint8_t hash[DIGEST_SIZE];

        encode(&f, i);
        merkle_leaf(BYTES_OF(f.leaves[i]), hash);
        assert_int_equal(view_append(view, hash), RC_OK);
    }
    view_end(view);
    memcpy(head.root, view_root(view), DIGEST_SIZE);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(view_proof(view, FROM + i, &f.paths[i]), RC_OK);
    }
    assert_int_equal(checkpoint_sign(&head, keyring, &f.note), RC_OK);
    make_page(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    buffer_release(&f->note);
    return 0;
}

static const char *verify(struct fixture *f, uint64_t from)
{
    static struct fault fault;

    fault = (struct fault){0};
    return audit_read_verify(&f->page, from, &f->vkey, 1, &f->head, &fault) == RC_OK ? "ok"
                                                                                     : fault.reason;
}

static void a_page_verifies(void **state)
{
    struct fixture *f = *state;

    assert_string_equal(verify(f, FROM), "ok");
    assert_int_equal(f->head.size, SIZE);
    f->entries[1].record = (struct bytes){0}; /* erased, or a control leaf */
    assert_string_equal(verify(f, FROM), "ok");
    f->page.entry_count = 0;
    assert_string_equal(verify(f, SIZE), "ok");
}

static void what_is_not_proven_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t other[COMMIT_BLIND_SIZE] = {4};

    assert_string_equal(verify(f, FROM + 1), "audit.index");
    f->entries[1].leaf = f->entries[2].leaf;
    assert_string_equal(verify(f, FROM), "audit.index");
    make_page(f);
    f->entries[1].leaf.size--;
    assert_string_equal(verify(f, FROM), "audit.leaf");
    make_page(f);
    f->entries[1].path.count--;
    assert_string_equal(verify(f, FROM), "audit.not_included");
    make_page(f);
    f->entries[1].path.hashes[0].size--;
    assert_string_equal(verify(f, FROM), "audit.path");
    make_page(f);
    f->entries[1].record = f->entries[2].record;
    assert_string_equal(verify(f, FROM), "audit.record");
    make_page(f);
    f->entries[1].record_blind = BYTES_OF(other);
    assert_string_equal(verify(f, FROM), "audit.record");
    f->entries[1].record_blind.size--;
    assert_string_equal(verify(f, FROM), "audit.record");
    make_page(f);
    f->page.entry_count = 0;
    assert_string_equal(verify(f, FROM), "audit.missing");
    f->vkey.id[0] ^= 1;
    assert_string_equal(verify(f, FROM), "audit.checkpoint");
}

static void each_flipped_bit_of_leaf_or_checkpoint_is_refused(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < LEAF_SIZE; i++) {
        f->leaves[FROM][i] ^= (uint8_t)(1u << i % 8);
        assert_string_not_equal(verify(f, FROM), "ok");
        f->leaves[FROM][i] ^= (uint8_t)(1u << i % 8);
    }
    for (size_t i = 0; i < f->note.size; i++) {
        f->note.data[i] ^= (uint8_t)(1u << i % 8);
        assert_string_not_equal(verify(f, FROM), "ok");
        f->note.data[i] ^= (uint8_t)(1u << i % 8);
    }
    assert_string_equal(verify(f, FROM), "ok");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_page_verifies),
        TEST(what_is_not_proven_is_refused),
        TEST(each_flipped_bit_of_leaf_or_checkpoint_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
