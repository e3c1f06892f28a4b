/* audit_seen: a log only grows, also from one reading to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/audit_seen.h"
#include "crypto/keyring.h"
#include "tlog/merkle.h"
#include "tlog/proof.h"
#include "tlog/vkey.h"
#include "tlog/view.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define LEAVES 7

/* The log at every size, honest and forked after its third leaf. */
struct fixture {
    char folder[64];
    char path[96];
    struct vkey vkey;
    struct keyring *keyring;
    uint8_t hashes[2][LEAVES][DIGEST_SIZE];
};

static void root_of(struct fixture *f, int fork, uint64_t size, struct checkpoint *head)
{
    OWN_PTR(view) view = view_new(LEAVES);

    *head = (struct checkpoint){.origin = ORIGIN, .size = size};
    view_begin(view, &(struct frontier){0});
    for (uint64_t i = 0; i < size; i++) {
        assert_int_equal(view_append(view, f->hashes[fork][i]), RC_OK);
    }
    view_end(view);
    memcpy(head->root, view_root(view), DIGEST_SIZE);
}

struct source {
    struct node_source source; /* first */
    const struct fixture *f;
    int fork;
};

static void node_of(const struct source *source, unsigned level, uint64_t index, uint8_t *out)
{
    uint8_t left[DIGEST_SIZE];
    uint8_t right[DIGEST_SIZE];

    if (level == 0) {
        memcpy(out, source->f->hashes[source->fork][index], DIGEST_SIZE);
        return;
    }
    node_of(source, level - 1, 2 * index, left);
    node_of(source, level - 1, 2 * index + 1, right);
    merkle_node(left, right, out);
}

static enum rc give(struct node_source *source, unsigned level, uint64_t index, uint8_t *out)
{
    node_of((struct source *)source, level, index, out);
    return RC_OK;
}

static void path_of(const struct fixture *f, int fork, uint64_t from, uint64_t to,
                    struct proof *proof, struct path *path)
{
    struct source source = {{give}, f, fork};

    assert_int_equal(proof_consistency(&source.source, from, to, proof), RC_OK);
    path->count = proof->count;
    for (size_t i = 0; i < proof->count; i++) {
        path->hashes[i] = BYTES(proof->hashes[i], DIGEST_SIZE);
    }
}

/* What a reader is shown next: a tree of this fork and size, with its proof from the last. */
static enum rc show(struct fixture *f, struct audit_seen *seen, int fork, uint64_t size,
                    struct fault *fault)
{
    struct checkpoint head;
    struct proof proof;
    struct path path = {.count = 0};
    OWN(buffer) note = {0};

    root_of(f, fork, size, &head);
    assert_int_equal(checkpoint_sign(&head, f->keyring, &note), RC_OK);
    if (audit_seen_size(seen) > 0 && size > audit_seen_size(seen)) {
        path_of(f, fork, audit_seen_size(seen), size, &proof, &path);
    }
    return audit_seen_extend(seen, &head, buffer_bytes(&note), &path, fault);
}

static int setup(void **state)
{
    static const uint8_t seed[ED25519_SEED_SIZE] = {7};
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "%s/seenXXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/a.sello", f->folder);
    f->keyring = keyring_from_seed(seed);
    assert_int_equal(vkey_of(ORIGIN, VKEY_ED25519, f->keyring, &f->vkey), RC_OK);
    for (uint8_t fork = 0; fork < 2; fork++) {
        for (uint8_t i = 0; i < LEAVES; i++) {
            uint8_t content[2] = {i, i < 3 ? 0 : fork};

            merkle_leaf(BYTES_OF(content), f->hashes[fork][i]);
        }
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    (void)unlink(f->path);
    (void)rmdir(f->folder);
    keyring_free(f->keyring);
    free(f);
    return 0;
}

static void load(struct fixture *f, struct audit_seen *seen)
{
    assert_int_equal(audit_seen_load(f->path, &f->vkey, 1, seen, NULL), RC_OK);
}

static void a_log_that_grows_is_followed(void **state)
{
    struct fixture *f = *state;
    struct audit_seen seen;

    load(f, &seen);
    assert_true(audit_seen_size(&seen) == 0);
    for (uint64_t size = 1; size <= LEAVES; size++) {
        assert_int_equal(show(f, &seen, 0, size, NULL), RC_OK);
        assert_int_equal(show(f, &seen, 0, size, NULL), RC_OK); /* the same again */
    }
    load(f, &seen); /* from one reading to the next */
    assert_true(audit_seen_size(&seen) == LEAVES);
}

static void a_shorter_log_is_named(void **state)
{
    struct fixture *f = *state;
    struct audit_seen seen;
    struct fault fault = {0};

    load(f, &seen);
    assert_int_equal(show(f, &seen, 0, 5, NULL), RC_OK);
    load(f, &seen);
    assert_int_equal(show(f, &seen, 0, 4, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "audit.shorter");
    assert_true(audit_seen_size(&seen) == 5);
}

static void another_history_is_named(void **state)
{
    struct fixture *f = *state;
    const uint64_t sizes[] = {5, 6, 7}; /* of the same size, and larger, with a proof of its own */

    for (size_t i = 0; i < 3; i++) {
        struct audit_seen seen;
        struct fault fault = {0};

        (void)unlink(f->path);
        load(f, &seen);
        assert_int_equal(show(f, &seen, 0, 5, NULL), RC_OK);
        assert_int_equal(show(f, &seen, 1, sizes[i], &fault), RC_DATA_LOSS);
        assert_string_equal(fault.reason, "audit.other_checkpoint");
    }
}

static void a_proof_that_is_left_out_is_none(void **state)
{
    struct fixture *f = *state;
    struct audit_seen seen;
    struct checkpoint head;
    const struct path none = {.count = 0};
    struct fault fault = {0};

    load(f, &seen);
    assert_int_equal(show(f, &seen, 0, 5, NULL), RC_OK);
    root_of(f, 0, 7, &head);
    assert_int_equal(audit_seen_extend(&seen, &head, (struct bytes){0}, &none, &fault),
                     RC_DATA_LOSS);
    assert_string_equal(fault.reason, "audit.other_checkpoint");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_file_is_not_forgotten(void **state)
{
    struct fixture *f = *state;
    struct audit_seen seen;
    struct fault fault = {0};

    write_file(f->path, "");
    assert_int_equal(audit_seen_load(f->path, &f->vkey, 1, &seen, &fault), RC_DATA_LOSS);
    assert_string_equal(fault.reason, "seen.unreadable");
    write_file(f->path, "no note\n");
    assert_int_equal(audit_seen_load(f->path, &f->vkey, 1, &seen, NULL), RC_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_that_grows_is_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shorter_log_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(another_history_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_proof_that_is_left_out_is_none, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_not_forgotten, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
