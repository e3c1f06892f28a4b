#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "store/db.h"
#include "store/table.h"
#include "store/tagkey.h"
#include "unit/store/vault_fixture.h"

struct fixture {
    struct places places;
    struct vault *vault;
    struct db *db;
    struct tagkeys *tagkeys;
    const struct shard *shard;
};

static const uint8_t person[16] = "a person's id..";

static struct tagkey_name subject(void)
{
    return (struct tagkey_name){
        .member = "cdmx/ssc", .kind = TAGKEY_SUBJECT, .name = BYTES_OF(person)};
}

static struct tagkey_name party(void)
{
    return (struct tagkey_name){
        .member = "cdmx/ssc", .kind = TAGKEY_PARTY, .name = bytes_text("cdmx/pgj")};
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct db_options options = {
        .kind = DB_LOG, .origin = "gw.test/audit", .epoch = 1, .map_size = (uint64_t)64 << 20};

    assert_non_null(f);
    f->places = places_make();
    options.path = f->places.log;
    options.floor_bytes = 1;
    assert_int_equal(db_open(&options, &f->db), RC_OK);
    f->vault = vault_at(&f->places);
    f->shard = shard_at(f->vault, "cdmx/ssc", 203112);
    assert_int_equal(tagkeys_new(f->vault, 1000, &f->tagkeys), RC_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    tagkeys_free(f->tagkeys);
    db_free(f->db);
    vault_free(f->vault);
    tree_remove(f->places.folder);
    free(f);
    return 0;
}

/* Makes, stores and commits; does not remember. */
static bool store(struct fixture *f, struct tagkey_name name, const struct shard *shard,
                  uint8_t key[TAGKEY_SIZE])
{
    OWN(buffer) row = {0};
    struct txn *txn = NULL;
    bool is_added = false;

    assert_int_equal(tagkey_make(f->vault, shard, &name, &row, key), RC_OK);
    assert_int_equal(txn_write(f->db, &txn), RC_OK);
    assert_int_equal(tagkey_add(txn, f->tagkeys, &name, buffer_bytes(&row), key, &is_added), RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
    return is_added;
}

static enum rc find(struct fixture *f, struct tagkey_name name, uint8_t key[TAGKEY_SIZE])
{
    OWN_READ(txn) = NULL;

    assert_int_equal(txn_read(f->db, &txn), RC_OK);
    return tagkey_find(txn, f->tagkeys, &name, key);
}

static enum rc cached(struct fixture *f, struct tagkey_name name, uint8_t key[TAGKEY_SIZE])
{
    return tagkey_cached(f->tagkeys, &name, key);
}

static void a_stored_key_is_found_then_remembered(void **state)
{
    struct fixture *f = *state;
    struct tagkey_name other = subject();
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];

    assert_int_equal(find(f, subject(), key), RC_NOT_FOUND);
    assert_true(store(f, subject(), f->shard, key));
    assert_int_equal(cached(f, subject(), found), RC_NOT_FOUND);
    assert_int_equal(find(f, subject(), found), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
    memset(found, 0, sizeof found);
    assert_int_equal(cached(f, subject(), found), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
    other.member = "cdmx/pgj";
    assert_int_equal(find(f, other, found), RC_NOT_FOUND);
    assert_int_equal(cached(f, other, found), RC_NOT_FOUND);
    other = subject();
    other.kind = TAGKEY_PARTY;
    assert_int_equal(find(f, other, found), RC_NOT_FOUND);
}

static void keys_of_different_names_differ_and_stand_nowhere_in_clear(void **state)
{
    struct fixture *f = *state;
    uint8_t a[TAGKEY_SIZE];
    uint8_t b[TAGKEY_SIZE];

    assert_true(store(f, subject(), f->shard, a));
    assert_true(store(f, party(), f->shard, b));
    assert_memory_not_equal(a, b, TAGKEY_SIZE);
    assert_false(tree_holds(f->places.folder, a, TAGKEY_SIZE));
    assert_false(tree_holds(f->places.folder, b, TAGKEY_SIZE));
}

static void whoever_is_first_wins_and_the_other_learns_the_key(void **state)
{
    struct fixture *f = *state;
    uint8_t first[TAGKEY_SIZE];
    uint8_t second[TAGKEY_SIZE];

    assert_true(store(f, subject(), f->shard, first));
    assert_false(store(f, subject(), f->shard, second));
    assert_memory_equal(first, second, TAGKEY_SIZE);
}

static void a_destroyed_shard_takes_the_key_out_of_store_and_memory(void **state)
{
    struct fixture *f = *state;
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];

    assert_true(store(f, subject(), f->shard, key));
    assert_int_equal(find(f, subject(), found), RC_OK);
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    assert_int_equal(cached(f, subject(), found), RC_NOT_FOUND);
    assert_int_equal(find(f, subject(), found), RC_NOT_FOUND);
    assert_true(store(f, subject(), shard_at(f->vault, "cdmx/ssc", 203201), found));
    assert_memory_not_equal(found, key, TAGKEY_SIZE);
    assert_int_equal(find(f, subject(), key), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
    tagkey_forget(f->tagkeys);
    assert_int_equal(cached(f, subject(), key), RC_NOT_FOUND);
}

static void a_rewrapped_key_is_the_same_and_outlives_the_old_shard(void **state)
{
    struct fixture *f = *state;
    const struct tagkey_name name = subject();
    const struct shard *next = NULL;
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];
    OWN(buffer) row = {0};
    OWN(buffer) moved = {0};
    struct txn *txn = NULL;
    struct bytes shard;
    bool is_added = true;

    assert_int_equal(tagkey_make(f->vault, f->shard, &name, &row, key), RC_OK);
    assert_int_equal(vault_next(f->vault, f->shard, &next), RC_OK);
    assert_int_equal(tagkey_rewrap(f->vault, &name, buffer_bytes(&row), next, &moved), RC_OK);
    assert_int_equal(tagkey_shard_name(buffer_bytes(&moved), &shard), RC_OK);
    assert_true(bytes_are_text(shard, shard_name(next)));
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    assert_int_equal(txn_write(f->db, &txn), RC_OK);
    assert_int_equal(tagkey_add(txn, f->tagkeys, &name, buffer_bytes(&moved), found, &is_added),
                     RC_OK);
    assert_int_equal(txn_commit(txn), RC_OK);
    assert_int_equal(find(f, name, found), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
}

static void a_row_that_was_changed_or_moved_is_refused(void **state)
{
    struct fixture *f = *state;
    const struct tagkey_name name = subject();
    const struct tagkey_name other = party();
    uint8_t key[TAGKEY_SIZE];
    OWN(buffer) row = {0};
    OWN(buffer) out = {0};

    assert_int_equal(tagkey_make(f->vault, f->shard, &name, &row, key), RC_OK);
    for (size_t i = 0; i < row.size; i++) {
        row.data[i] ^= (uint8_t)(1 << i % 8);
        buffer_clear(&out);
        assert_int_equal(tagkey_rewrap(f->vault, &name, buffer_bytes(&row), f->shard, &out),
                         RC_DATA_LOSS);
        row.data[i] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t size = 0; size < row.size; size++) {
        assert_int_equal(tagkey_rewrap(f->vault, &name, BYTES(row.data, size), f->shard, &out),
                         RC_DATA_LOSS);
    }
    assert_int_equal(tagkey_rewrap(f->vault, &other, buffer_bytes(&row), f->shard, &out),
                     RC_DATA_LOSS);
}

static void malformed_names_are_refused(void **state)
{
    static const uint8_t big[TAGKEY_NAME_MAX + 1] = {1};
    struct fixture *f = *state;
    struct tagkey_name rows[] = {subject(), subject(), subject(), party(), party(), party()};
    uint8_t key[TAGKEY_SIZE];

    rows[0].name.size = 15;
    rows[1].member = "";
    rows[2].kind = (enum tagkey_kind)'x';
    rows[3].name.size = 0;
    rows[4].name = BYTES_OF(big);
    rows[5].member = "cdmx/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN(buffer) row = {0};

        if (cached(f, rows[i], key) != RC_INVALID_ARGUMENT ||
            find(f, rows[i], key) != RC_INVALID_ARGUMENT ||
            tagkey_make(f->vault, f->shard, &rows[i], &row, key) != RC_INVALID_ARGUMENT) {
            fail_msg("row %zu", i);
        }
    }
}

static void remember_one(struct fixture *f, uint64_t number, uint8_t key[TAGKEY_SIZE])
{
    uint8_t id[16] = {0};
    struct tagkey_name name = subject();
    OWN(buffer) row = {0};

    put_u64(id, number);
    name.name = BYTES_OF(id);
    assert_int_equal(tagkey_make(f->vault, f->shard, &name, &row, key), RC_OK);
    tagkey_remember(f->tagkeys, &name, buffer_bytes(&row), key);
    assert_int_equal(cached(f, name, key), RC_OK);
}

static void the_cache_stays_within_its_bound_and_keeps_what_is_used(void **state)
{
    struct fixture *f = *state;
    struct tagkey_name name = subject();
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];
    size_t held = 0;
    int64_t start;

    assert_true(store(f, name, f->shard, key));
    assert_int_equal(find(f, name, found), RC_OK);
    for (uint64_t i = 0; i < 10000; i++) {
        remember_one(f, i, found);
        assert_int_equal(cached(f, name, found), RC_OK);
        assert_memory_equal(found, key, TAGKEY_SIZE);
    }
    for (uint64_t i = 0; i < 10000; i++) {
        uint8_t id[16] = {0};

        put_u64(id, i);
        name.name = BYTES_OF(id);
        held += cached(f, name, found) == RC_OK;
    }
    assert_in_range(held, 500, 1024);
    start = clock_monotonic_us();
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(cached(f, subject(), found), RC_OK);
    }
    print_message("tagkey_cached %lld ns\n",
                  (long long)(clock_monotonic_us() - start) * 1000 / 20000);
}

static void *worker(void *argument)
{
    struct fixture *f = argument;

    for (uint64_t i = 0; i < 3000; i++) {
        uint8_t id[16] = {0};
        uint8_t key[TAGKEY_SIZE];
        struct tagkey_name name = subject();
        OWN(buffer) row = {0};

        put_u64(id, i % 300);
        name.name = BYTES_OF(id);
        if (tagkey_cached(f->tagkeys, &name, key) != RC_OK) {
            if (tagkey_make(f->vault, f->shard, &name, &row, key) != RC_OK) {
                return f;
            }
            tagkey_remember(f->tagkeys, &name, buffer_bytes(&row), key);
        }
        if (i % 500 == 0) {
            tagkey_forget(f->tagkeys);
        }
    }
    return NULL;
}

static void any_thread_may_use_the_cache(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, worker, f), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failure = NULL;

        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
}

static void a_key_lasts_as_long_as_the_last_message_that_it_finds(void **state)
{
    struct fixture *f = *state;
    const struct shard *later = shard_at(f->vault, "cdmx/ssc", 203212);
    struct tagkey_name name = subject();
    OWN(buffer) row = {0};
    OWN(buffer) none = {0};
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];
    struct txn *txn = NULL;

    assert_true(store(f, name, f->shard, key));
    assert_int_equal(find(f, name, found), RC_OK);
    assert_false(tagkey_is_outlived(f->tagkeys, &name, f->shard));
    assert_true(tagkey_is_outlived(f->tagkeys, &name, later));
    assert_int_equal(txn_write(f->db, &txn), RC_OK);
    assert_int_equal(tagkey_extend(txn, f->tagkeys, &name, later, &row), RC_OK);
    assert_int_equal(tagkey_extend(txn, f->tagkeys, &name, f->shard, &none), RC_OK);
    assert_int_equal(none.size, 0);
    assert_int_equal(txn_commit(txn), RC_OK);
    tagkey_remember(f->tagkeys, &name, buffer_bytes(&row), key);
    assert_false(tagkey_is_outlived(f->tagkeys, &name, later));

    /* The first message's shard is over: the key is still that of all its leaves. */
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    tagkey_forget(f->tagkeys);
    assert_int_equal(find(f, name, found), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
}

static void a_blocked_key_is_nobodys_and_all_others_move_on(void **state)
{
    struct fixture *f = *state;
    struct tagkey_name name = subject();
    char was[VAULT_NAME_SIZE];
    const struct shard *made = NULL;
    const struct shard *blocked = NULL;
    const struct shard *next = NULL;
    struct vault *view = NULL;
    uint8_t key[TAGKEY_SIZE];
    uint8_t found[TAGKEY_SIZE];
    uint64_t number = 0;
    struct txn *txn = NULL;

    assert_true(store(f, name, f->shard, key));
    assert_true(store(f, party(), f->shard, key));
    assert_int_equal(vault_escrow(f->vault, "cdmx/ssc", 202611, &made), RC_OK);
    assert_int_equal(vault_with_blocked(f->vault, bytes_text(shard_name(made)), &view, &blocked),
                     RC_OK);
    assert_int_equal(txn_write(f->db, &txn), RC_OK);
    assert_int_equal(tagkey_block(txn, f->tagkeys, &name, view, blocked, was), RC_OK);
    assert_string_equal(was, shard_name(f->shard));
    assert_int_equal(tagkey_block(txn, f->tagkeys, &name, view, blocked, was), RC_NOT_FOUND);
    assert_int_equal(vault_next(f->vault, f->shard, &next), RC_OK);
    assert_int_equal(tagkeys_renew(txn, f->tagkeys, 100, &number), RC_NOT_FOUND);
    assert_int_equal(txn_commit(txn), RC_OK);
    vault_free(view);
    assert_int_equal(vault_destroy(f->vault, bytes_text(shard_name(f->shard))), RC_OK);
    tagkey_forget(f->tagkeys);
    assert_int_equal(find(f, name, found), RC_NOT_FOUND);
    assert_int_equal(find(f, party(), found), RC_OK);
    assert_memory_equal(found, key, TAGKEY_SIZE);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_stored_key_is_found_then_remembered),
        WITH_STORE(keys_of_different_names_differ_and_stand_nowhere_in_clear),
        WITH_STORE(whoever_is_first_wins_and_the_other_learns_the_key),
        WITH_STORE(a_destroyed_shard_takes_the_key_out_of_store_and_memory),
        WITH_STORE(a_rewrapped_key_is_the_same_and_outlives_the_old_shard),
        WITH_STORE(a_row_that_was_changed_or_moved_is_refused),
        WITH_STORE(malformed_names_are_refused),
        WITH_STORE(the_cache_stays_within_its_bound_and_keeps_what_is_used),
        WITH_STORE(any_thread_may_use_the_cache),
        cmocka_unit_test_setup_teardown(a_key_lasts_as_long_as_the_last_message_that_it_finds,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_blocked_key_is_nobodys_and_all_others_move_on, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
