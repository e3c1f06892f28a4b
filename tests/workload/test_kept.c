/* A unit has its evidence when three receipts of the right logs hold, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/receipt_file.h"
#include "workload/folder.h"
#include "workload/kept.h"
#include "workload/paper_log.h"

#define UNIT 3 /* the leaf that holds the message, in both logs */

struct fixture {
    struct paper_log ssc;
    struct paper_log cdmx;
    struct node_entry nodes[2];
    struct directory directory;
    char folder[32];
    unsigned files;
};

static void list_node(struct node_entry *node, const char *code, const struct paper_log *log)
{
    char text[VKEY_TEXT_SIZE];

    vkey_format(&log->vkey, text);
    snprintf(node->code, sizeof node->code, "%s", code);
    snprintf(node->log_vkey, sizeof node->log_vkey, "%.190s", text);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    paper_log_make(&fixture->ssc, "gw.ssc/audit/2026", 1);
    paper_log_make(&fixture->cdmx, "gw.cdmx/audit/2026", 2);
    list_node(&fixture->nodes[0], "cdmx/ssc", &fixture->ssc);
    list_node(&fixture->nodes[1], "cdmx/cdmx", &fixture->cdmx);
    fixture->directory.nodes = fixture->nodes;
    fixture->directory.node_count = 2;
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/enlace-kept.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    *state = fixture;
    return 0;
}

static void file_path(const struct fixture *fixture, unsigned n, char out[64])
{
    snprintf(out, 64, "%.31s/%u", fixture->folder, n);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned n = 0; n < fixture->files; n++) {
        char path[64];

        file_path(fixture, n, path);
        (void)unlink(path);
    }
    (void)rmdir(fixture->folder);
    paper_log_release(&fixture->ssc);
    paper_log_release(&fixture->cdmx);
    free(fixture);
    return 0;
}

static void put_text(struct fixture *fixture, struct bytes text)
{
    char path[64];

    file_path(fixture, fixture->files++, path);
    assert_int_equal(folder_write(path, text), RC_OK);
}

static void put_file(struct fixture *fixture, const struct receipt *receipts, size_t count)
{
    struct receipt_file file = {.count = count};
    OWN(buffer) text = {0};

    memcpy(file.commitment, fixture->ssc.commitments[UNIT], HASH_SIZE);
    memcpy(file.receipts, receipts, count * sizeof *receipts);
    receipt_file_write(&file, &text);
    put_text(fixture, buffer_bytes(&text));
}

/* What the executor's system keeps, and the requester's. */
static void put_senders(struct fixture *fixture)
{
    OWN(buffer) proof = {0};
    struct receipt held = paper_receipt(&fixture->ssc, UNIT, RECEIPT_HELD, &proof);

    put_file(fixture, &held, 1);
}

static void put_receivers(struct fixture *fixture, struct paper_log *receiver)
{
    OWN(buffer) held = {0};
    OWN(buffer) received = {0};
    struct receipt receipts[] = {
        paper_receipt(&fixture->ssc, UNIT, RECEIPT_HELD, &held),
        paper_receipt(receiver, UNIT, RECEIPT_RECEIVED, &received),
    };

    put_file(fixture, receipts, 2);
}

static bool is_whole(const struct fixture *fixture, const char *receiver,
                     struct kept_figures *figures)
{
    OWN_PTR(kept) kept = kept_new(&fixture->directory);

    assert_int_equal(kept_read_folder(kept, fixture->folder), RC_OK);
    kept_end(kept);
    *figures = kept_figures(kept);
    return kept_is_whole(kept, fixture->ssc.commitments[UNIT], "cdmx/ssc", receiver);
}

static void three_receipts_of_two_logs_are_whole(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_senders(fixture);
    put_receivers(fixture, &fixture->cdmx);
    assert_true(is_whole(fixture, "cdmx/cdmx", &figures));
    assert_int_equal(figures.files, 2);
    assert_int_equal(figures.receipts, 3);
    assert_int_equal(figures.bad, 0);
}

static void without_the_senders_copy_it_is_not_whole(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_receivers(fixture, &fixture->cdmx);
    assert_false(is_whole(fixture, "cdmx/cdmx", &figures));
}

static void without_the_receivers_copy_it_is_not_whole(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_senders(fixture);
    assert_false(is_whole(fixture, "cdmx/cdmx", &figures));
}

static void another_nodes_log_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_senders(fixture);
    put_receivers(fixture, &fixture->cdmx);
    assert_false(is_whole(fixture, "cdmx/pgj", &figures));
}

/* Between members of one node both receipts are of one log, but never of one leaf. */
static void one_leaf_does_not_pass_for_two(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_senders(fixture);
    put_receivers(fixture, &fixture->ssc);
    assert_false(is_whole(fixture, "cdmx/ssc", &figures));
    assert_int_equal(figures.bad, 1);
}

static void a_log_outside_the_directory_is_not_believed(void **state)
{
    struct fixture *fixture = *state;
    struct kept_figures figures;

    put_senders(fixture);
    put_receivers(fixture, &fixture->cdmx);
    fixture->directory.node_count = 1;
    assert_false(is_whole(fixture, "cdmx/cdmx", &figures));
    assert_int_equal(figures.bad, 1);
}

static void no_flipped_bit_of_a_file_proves_anything(void **state)
{
    struct fixture *fixture = *state;
    OWN(buffer) text = {0};
    struct kept_figures figures;
    char path[64];

    put_senders(fixture);
    put_receivers(fixture, &fixture->cdmx);
    file_path(fixture, 0, path);
    assert_int_equal(folder_read(path, &text), RC_OK);
    for (size_t i = 0; i < text.size; i += 7) {
        bool was_whole;

        text.data[i] ^= 4;
        assert_int_equal(folder_write(path, buffer_bytes(&text)), RC_OK);
        was_whole = is_whole(fixture, "cdmx/cdmx", &figures);
        /* The message's id in the file is a label: nothing is proven by it, nothing lost. */
        if (was_whole && memchr(text.data, '\n', i) != NULL &&
            memmem(text.data, i, "commitment", 10) != NULL) {
            fail_msg("byte %zu", i);
        }
        text.data[i] ^= 4;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(three_receipts_of_two_logs_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_the_senders_copy_it_is_not_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_the_receivers_copy_it_is_not_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_nodes_log_does_not_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_leaf_does_not_pass_for_two, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_outside_the_directory_is_not_believed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_flipped_bit_of_a_file_proves_anything, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
