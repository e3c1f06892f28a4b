#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "unit/store/vault_fixture.h"

static struct bytes name_of(const struct shard *shard)
{
    return bytes_text(shard_name(shard));
}

static void a_key_is_durable_private_and_the_same_after_a_restart(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "cdmx/ssc", 203112);
    uint8_t id[VAULT_ID_SIZE];
    uint8_t key[VAULT_KEY_SIZE];
    uint8_t again[VAULT_KEY_SIZE];
    char path[200];
    struct stat status;

    (void)state;
    assert_string_equal(shard_name(shard), "cdmx.ssc/R5/203112.1");
    assert_int_equal(shard_month(shard), 203112);
    assert_true(shard_is_in_force(shard));
    assert_ptr_equal(shard_at(vault, "cdmx/ssc", 203112), shard);
    assert_ptr_not_equal(shard_at(vault, "cdmx/ssc", 203201), shard);
    assert_ptr_not_equal(shard_at(vault, "cdmx/pgj", 203112), shard);
    assert_int_equal(shard_key(vault, shard, key), RC_OK);
    snprintf(path, sizeof path, "%s/cdmx.ssc/R5/203112.1", places.vault);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, VAULT_KEY_SIZE);
    assert_true(tree_holds(places.vault, key, sizeof key));
    memcpy(id, vault_id(vault), sizeof id);
    vault_free(vault);

    vault = vault_at(&places);
    assert_memory_equal(vault_id(vault), id, sizeof id);
    assert_int_equal(vault_shard_by_name(vault, bytes_text("cdmx.ssc/R5/203112.1"), &shard), RC_OK);
    assert_int_equal(shard_key(vault, shard, again), RC_OK);
    assert_memory_equal(again, key, sizeof key);
    assert_ptr_equal(shard_at(vault, "cdmx/ssc", 203112), shard);
    vault_free(vault);
    tree_remove(places.folder);
}

static void a_destroyed_shard_is_gone_for_ever_and_its_generation_never_returns(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "cdmx/ssc", 203112);
    const struct shard *next;
    uint8_t key[VAULT_KEY_SIZE];
    uint8_t again[VAULT_KEY_SIZE];

    (void)state;
    assert_int_equal(shard_key(vault, shard, key), RC_OK);
    assert_int_equal(vault_destroy(vault, name_of(shard)), RC_OK);
    assert_int_equal(vault_destroy(vault, name_of(shard)), RC_OK);
    assert_int_equal(shard_key(vault, shard, again), RC_NOT_FOUND);
    assert_true(shard_is_erased(shard));
    assert_false(shard_is_in_force(shard));
    assert_false(tree_holds(places.vault, key, sizeof key));
    assert_int_equal(vault_shard(vault, "cdmx/ssc", "R5", 203112, false, &next), RC_NOT_FOUND);
    vault_free(vault);

    vault = vault_at(&places);
    assert_int_equal(vault_shard_by_name(vault, bytes_text("cdmx.ssc/R5/203112.1"), &shard),
                     RC_NOT_FOUND);
    next = shard_at(vault, "cdmx/ssc", 203112);
    assert_string_equal(shard_name(next), "cdmx.ssc/R5/203112.2");
    assert_int_equal(vault_destroy(vault, bytes_text("cdmx.ssc/R5/203112.3")), RC_NOT_FOUND);
    vault_free(vault);
    tree_remove(places.folder);
}

static void the_next_generation_takes_over_and_the_old_one_still_opens(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "mx/segob", 203112);
    const struct shard *next = NULL;
    const struct shard *found = NULL;

    (void)state;
    assert_int_equal(vault_next(vault, shard, &next), RC_OK);
    assert_string_equal(shard_name(next), "mx.segob/R5/203112.2");
    assert_false(shard_is_in_force(shard));
    assert_true(shard_is_in_force(next));
    assert_ptr_equal(shard_at(vault, "mx/segob", 203112), next);
    assert_int_equal(vault_shard_by_name(vault, name_of(shard), &found), RC_OK);
    assert_ptr_equal(found, shard);
    vault_free(vault);
    vault = vault_at(&places);
    assert_string_equal(shard_name(shard_at(vault, "mx/segob", 203112)), "mx.segob/R5/203112.2");
    assert_int_equal(vault_shard_by_name(vault, bytes_text("mx.segob/R5/203112.1"), &found), RC_OK);
    assert_false(shard_is_in_force(found));
    vault_free(vault);
    tree_remove(places.folder);
}

static void a_first_start_cut_short_is_begun_again(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    static const uint8_t torn[] = {1, 2, 3};
    char path[200];

    (void)state;
    vault_free(vault);
    snprintf(path, sizeof path, "%s/id", places.vault);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/id.tmp", places.vault);
    file_put(path, torn, sizeof torn);
    vault = vault_at(&places);
    assert_int_not_equal(access(path, F_OK), 0);
    vault_free(vault);
    tree_remove(places.folder);
}

static void a_destruction_cut_short_is_finished_at_the_next_start(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "cdmx/ssc", 203112);
    uint8_t key[VAULT_KEY_SIZE];
    char path[200];

    (void)state;
    assert_int_equal(shard_key(vault, shard, key), RC_OK);
    vault_free(vault);
    snprintf(path, sizeof path, "%s/cdmx.ssc/R5/203112.1.erased", places.vault);
    file_put(path, key, 0);
    snprintf(path, sizeof path, "%s/cdmx.ssc/R5/203201.1.tmp", places.vault);
    file_put(path, key, sizeof key);
    vault = vault_at(&places);
    assert_int_equal(vault_shard_by_name(vault, bytes_text("cdmx.ssc/R5/203112.1"), &shard),
                     RC_NOT_FOUND);
    assert_false(tree_holds(places.vault, key, sizeof key));
    vault_free(vault);
    tree_remove(places.folder);
}

/* For every call that can fail: what failed was not used, and what follows is whole. */
static void a_failing_disk_never_yields_a_key_and_never_undoes_a_destruction(void **state)
{
    (void)state;
    for (unsigned n = 1;; n++) {
        struct places places = places_make();
        struct vault *vault = vault_at(&places);
        const struct shard *shard = NULL;
        const struct shard *again = NULL;
        enum rc made;
        enum rc gone;
        unsigned calls;

        disk.calls = 0;
        disk.countdown = n;
        made = vault_shard(vault, "cdmx/ssc", "R5", 203112, true, &shard);
        if (made != RC_OK) {
            assert_null(shard);
            shard = shard_at(vault, "cdmx/ssc", 203112);
        }
        gone = vault_destroy(vault, name_of(shard));
        calls = disk.calls;
        disk.countdown = 0;
        assert_true(made == RC_OK || made == RC_UNAVAILABLE || made == RC_RESOURCE_EXHAUSTED);
        assert_true(shard_is_erased(shard));
        if (gone != RC_OK) {
            assert_int_equal(vault_destroy(vault, name_of(shard)), RC_OK);
        }
        vault_free(vault);
        vault = vault_at(&places);
        again = shard_at(vault, "cdmx/ssc", 203112);
        assert_string_equal(shard_name(again), "cdmx.ssc/R5/203112.2");
        vault_free(vault);
        tree_remove(places.folder);
        if (n > calls) {
            break;
        }
    }
}

static void malformed_members_classes_months_and_names_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *member;
        const char *retention;
        int32_t month;
    } rows[] = {
        {"no network", "ssc", "R5", 203112},
        {"upper case", "cdmx/SSC", "R5", 203112},
        {"climbs", "cdmx/..", "R5", 203112},
        {"climbs in the network", "../ssc", "R5", 203112},
        {"a dot", "cd.mx/ssc", "R5", 203112},
        {"a second slash", "cdmx/ssc/x", "R5", 203112},
        {"empty code", "cdmx/", "R5", 203112},
        {"empty network", "/ssc", "R5", 203112},
        {"long code", "cdmx/abcdefghijklmnopqrstuvwxyzabcdefg", "R5", 203112},
        {"no class", "cdmx/ssc", "", 203112},
        {"class without R", "cdmx/ssc", "5", 203112},
        {"class 0", "cdmx/ssc", "R0", 203112},
        {"class 100", "cdmx/ssc", "R100", 203112},
        {"class 05", "cdmx/ssc", "R05", 203112},
        {"month 13", "cdmx/ssc", "R5", 203113},
        {"month 0", "cdmx/ssc", "R5", 203100},
        {"before 1970", "cdmx/ssc", "R5", 196912},
        {"negative", "cdmx/ssc", "R5", -203112},
    };
    static const char *const names[] = {
        "",
        "cdmx.ssc/R5/203112",
        "cdmx.ssc/R5/203112.",
        "cdmx.ssc/R5/203112.0",
        "cdmx.ssc/R5/203112.01",
        "cdmx.ssc/R5/203112.1.",
        "cdmx.ssc/R5/203112.4294967296",
        "cdmx.ssc/R5/2031121.1",
        "cdmx.ssc/R5//203112.1",
        "cdmx/ssc/R5/203112.1",
        "../../etc/passwd",
    };
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (vault_shard(vault, rows[i].member, rows[i].retention, rows[i].month, true, &shard) !=
            RC_INVALID_ARGUMENT) {
            fail_msg("%s", rows[i].why);
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (vault_shard_by_name(vault, bytes_text(names[i]), &shard) != RC_DATA_LOSS ||
            vault_destroy(vault, bytes_text(names[i])) != RC_NOT_FOUND) {
            fail_msg("%s", names[i]);
        }
    }
    vault_free(vault);
    tree_remove(places.folder);
}

static void an_unsafe_place_is_refused(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    struct vault *second = NULL;
    char inside[300];
    char above[100];
    char path[200];

    (void)state;
    assert_int_equal(vault_open(places.vault, places.log, &second), RC_FAILED_PRECONDITION);
    vault_free(vault);
    snprintf(inside, sizeof inside, "%s/inside", places.vault);
    snprintf(above, sizeof above, "%s", places.folder);
    assert_int_equal(vault_open(inside, places.vault, &second), RC_FAILED_PRECONDITION);
    assert_int_equal(vault_open(places.vault, places.vault, &second), RC_FAILED_PRECONDITION);
    assert_int_equal(vault_open(above, places.log, &second), RC_FAILED_PRECONDITION);
    assert_int_equal(mkdir(places.log, 0700), 0);
    assert_int_equal(vault_open(above, places.log, &second), RC_FAILED_PRECONDITION);
    snprintf(path, sizeof path, "%s/link", places.folder);
    assert_int_equal(symlink(places.log, path), 0);
    snprintf(inside, sizeof inside, "%s/vault", path);
    assert_int_equal(vault_open(inside, places.log, &second), RC_FAILED_PRECONDITION);
    assert_int_equal(chmod(places.vault, 0750), 0);
    assert_int_equal(vault_open(places.vault, places.log, &second), RC_FAILED_PRECONDITION);
    assert_int_equal(chmod(places.vault, 0700), 0);
    vault = vault_at(&places);
    vault_free(vault);
    assert_null(second);
    tree_remove(places.folder);
}

static void a_damaged_vault_does_not_open(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    char path[200];
    uint8_t *key;
    size_t size;

    (void)state;
    shard_at(vault, "cdmx/ssc", 203112);
    vault_free(vault);
    vault = NULL;
    snprintf(path, sizeof path, "%s/cdmx.ssc/R5/203112.1", places.vault);
    key = file_take(path, &size);
    file_put(path, key, size - 1);
    assert_int_equal(vault_open(places.vault, places.log, &vault), RC_DATA_LOSS);
    file_put(path, key, size);
    snprintf(path, sizeof path, "%s/id", places.vault);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(vault_open(places.vault, places.log, &vault), RC_FAILED_PRECONDITION);
    free(key);
    tree_remove(places.folder);
}

static void a_class_gives_its_month_and_only_past_months_are_due(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *due[4];
    int64_t now = 0;
    int32_t month = 0;

    (void)state;
    assert_int_equal(clock_parse(bytes_text("2026-12-31T23:59:59Z"), &now), RC_OK);
    assert_int_equal(vault_month("R5", now, &month), RC_OK);
    assert_int_equal(month, 203112);
    assert_int_equal(vault_month("R10", now + 1000, &month), RC_OK);
    assert_int_equal(month, 203701);
    assert_int_equal(vault_month("R1", 0, &month), RC_OK);
    assert_int_equal(month, 197101);
    assert_int_equal(vault_month("5", now, &month), RC_INVALID_ARGUMENT);
    assert_int_equal(vault_month("R5", -1, &month), RC_INVALID_ARGUMENT);
    shard_at(vault, "cdmx/ssc", 203112);
    shard_at(vault, "cdmx/ssc", 203201);
    assert_int_equal(vault_due(vault, 203112, due, 4), 0);
    assert_int_equal(vault_due(vault, 203201, due, 4), 1);
    assert_int_equal(shard_month(due[0]), 203112);
    assert_int_equal(vault_due(vault, 203202, due, 1), 1);
    assert_int_equal(vault_destroy(vault, name_of(due[0])), RC_OK);
    assert_int_equal(vault_due(vault, 203202, due, 4), 1);
    vault_free(vault);
    tree_remove(places.folder);
}

static void a_blocked_key_is_in_its_file_alone_until_somebody_may_use_it(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "cdmx/ssc", 203112);
    const struct shard *lent = NULL;
    struct vault *view = NULL;
    uint8_t key[VAULT_KEY_SIZE];
    uint8_t again[VAULT_KEY_SIZE];

    (void)state;
    assert_int_equal(shard_key(vault, shard, key), RC_OK);
    assert_int_equal(vault_with_blocked(vault, name_of(shard), &view, &lent), RC_NOT_FOUND);
    for (int start = 0; start < 2; start++) {
        assert_int_equal(vault_block(vault, shard), RC_OK);
        assert_true(shard_is_blocked(shard) && shard_is_erased(shard));
        assert_false(shard_is_in_force(shard));
        assert_int_equal(shard_key(vault, shard, again), RC_NOT_FOUND);
        assert_int_equal(vault_shard_by_name(vault, name_of(shard), &lent), RC_NOT_FOUND);
        assert_int_equal(vault_due(vault, 999912, &lent, 1), 0);
        assert_true(tree_holds(places.vault, key, sizeof key));

        assert_int_equal(vault_with_blocked(vault, name_of(shard), &view, &lent), RC_OK);
        assert_int_equal(shard_key(view, lent, again), RC_OK);
        assert_memory_equal(again, key, sizeof key);
        assert_int_equal(shard_key(vault, shard, again), RC_NOT_FOUND);
        vault_free(view);
        view = NULL;

        vault_free(vault); /* and the same after a restart */
        vault = vault_at(&places);
        shard = vault_known(vault, bytes_text("cdmx.ssc/R5/203112.1"));
        assert_non_null(shard);
    }
    assert_string_equal(shard_name(shard_at(vault, "cdmx/ssc", 203112)), "cdmx.ssc/R5/203112.2");
    assert_int_equal(vault_destroy(vault, name_of(shard)), RC_OK);
    assert_false(tree_holds(places.vault, key, sizeof key));
    assert_false(shard_is_blocked(shard));
    assert_int_equal(vault_with_blocked(vault, name_of(shard), &view, &lent), RC_NOT_FOUND);
    vault_free(vault);
    tree_remove(places.folder);
}

static void an_escrow_shard_is_blocked_from_the_beginning_and_never_due(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = NULL;
    const struct shard *other = NULL;
    const struct shard *lent = NULL;
    struct vault *view = NULL;
    uint8_t key[VAULT_KEY_SIZE];

    (void)state;
    assert_int_equal(vault_escrow(vault, "cdmx/ssc", 202611, &shard), RC_OK);
    assert_int_equal(vault_escrow(vault, "cdmx/ssc", 202611, &other), RC_OK);
    assert_string_equal(shard_name(shard), "cdmx.ssc/B/202611.1");
    assert_string_equal(shard_name(other), "cdmx.ssc/B/202611.2");
    assert_true(shard_is_of(shard, "cdmx/ssc"));
    assert_false(shard_is_of(shard, "cdmx/ss") || shard_is_of(shard, "cdm/ssc") ||
                 shard_is_of(shard, "cdmx/ssc2") || shard_is_of(shard, "cdmx.ssc"));
    assert_int_equal(shard_key(vault, shard, key), RC_NOT_FOUND);
    assert_int_equal(vault_due(vault, 999912, &lent, 1), 0);
    assert_int_equal(vault_with_blocked(vault, name_of(shard), &view, &lent), RC_OK);
    assert_int_equal(vault_with_blocked(vault, name_of(other), &view, &other), RC_OK);
    assert_int_equal(shard_key(view, lent, key), RC_OK);
    /* The view knows what the vault knows, and finds its own first. */
    assert_int_equal(vault_shard_by_name(view, name_of(shard), &lent), RC_OK);
    other = shard_at(vault, "cdmx/ssc", 203112);
    assert_int_equal(vault_shard_by_name(view, name_of(other), &lent), RC_OK);
    assert_ptr_equal(lent, other);
    assert_int_equal(shard_key(view, lent, key), RC_OK);
    vault_free(view);
    vault_free(vault);
    tree_remove(places.folder);
}

static void a_blocking_cut_short_is_told_and_can_be_repeated(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    const struct shard *shard = shard_at(vault, "cdmx/ssc", 203112);

    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        disk.countdown = n;
        assert_int_equal(vault_block(vault, shard), RC_UNAVAILABLE);
        disk.countdown = 0;
        assert_false(shard_is_blocked(shard));
    }
    assert_int_equal(vault_block(vault, shard), RC_OK);
    assert_true(shard_is_blocked(shard));
    assert_int_equal(vault_block(vault, shard), RC_OK);
    vault_free(vault);
    tree_remove(places.folder);
}

static void *worker(void *argument)
{
    struct vault *vault = argument;

    for (int i = 0; i < 2000; i++) {
        const struct shard *shard = NULL;
        uint8_t key[VAULT_KEY_SIZE];
        uint8_t again[VAULT_KEY_SIZE];

        if (vault_shard(vault, "cdmx/ssc", "R5", 203101 + i % 12, true, &shard) != RC_OK ||
            shard_key(vault, shard, key) != RC_OK ||
            vault_shard_by_name(vault, name_of(shard), &shard) != RC_OK ||
            shard_key(vault, shard, again) != RC_OK || !digest_equal(key, again)) {
            return vault;
        }
    }
    return NULL;
}

static void threads_that_meet_at_a_new_shard_get_one_key(void **state)
{
    struct places places = places_make();
    struct vault *vault = vault_at(&places);
    pthread_t threads[4];
    const struct shard *due[64];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, worker, vault), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failure = NULL;

        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
    assert_int_equal(vault_due(vault, 203201, due, 64), 12);
    vault_free(vault);
    tree_remove(places.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_durable_private_and_the_same_after_a_restart),
        cmocka_unit_test(a_destroyed_shard_is_gone_for_ever_and_its_generation_never_returns),
        cmocka_unit_test(the_next_generation_takes_over_and_the_old_one_still_opens),
        cmocka_unit_test(a_first_start_cut_short_is_begun_again),
        cmocka_unit_test(a_destruction_cut_short_is_finished_at_the_next_start),
        cmocka_unit_test(a_failing_disk_never_yields_a_key_and_never_undoes_a_destruction),
        cmocka_unit_test(malformed_members_classes_months_and_names_are_refused),
        cmocka_unit_test(an_unsafe_place_is_refused),
        cmocka_unit_test(a_damaged_vault_does_not_open),
        cmocka_unit_test(a_class_gives_its_month_and_only_past_months_are_due),
        cmocka_unit_test(a_blocked_key_is_in_its_file_alone_until_somebody_may_use_it),
        cmocka_unit_test(an_escrow_shard_is_blocked_from_the_beginning_and_never_due),
        cmocka_unit_test(a_blocking_cut_short_is_told_and_can_be_repeated),
        cmocka_unit_test(threads_that_meet_at_a_new_shard_get_one_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
