#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "client/petition.h"
#include "crypto/digest.h"

#define ARENA ((size_t)256 << 10)

struct fixture {
    struct arena *arena;
    struct audit_case audit;
    uint8_t commitment[HASH_SIZE];
    struct petition petition;
    struct buffer text;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct audit_query query;

    assert_non_null(f);
    f->arena = arena_new(ARENA);
    assert_non_null(f->arena);
    assert_int_equal(audit_case_make("auditoria-2026", &f->audit, NULL), RC_OK);
    audit_case_commitment(&f->audit, f->commitment);
    query = (struct audit_query){
        .query_id = {{1}},
        .reader = "spiffe://enlace.cdmx/auditor/contraloria/auditor-01",
        .origin = "gw.cdmx/audit/2026",
        .purpose_commitment = BYTES_OF(f->commitment),
        .from_s = 1,
        .to_s = 2,
        .member = "cdmx/ssc",
        .kind = RECORD_SENT,
        .route = "mpi-ssc",
        .exchange_id = {{2}},
        .person = {{3}},
        .holder = "cdmx/mpi-cdmx",
        .wants_tag_key = true,
        .expires_s = 1795467167,
    };
    assert_int_equal(petition_make(&f->audit, &query, f->arena, &f->petition), RC_OK);
    f->petition.approval.certificate = bytes_text("certificate");
    f->petition.approval.signature = bytes_text("signature");
    petition_write(&f->petition, &f->text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    buffer_release(&f->text);
    arena_free(f->arena);
    free(f);
    return 0;
}

static void a_petition_is_read_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct petition read;
    OWN(buffer) again = {0};

    assert_int_equal(petition_parse(buffer_bytes(&f->text), f->arena, &read), RC_OK);
    assert_string_equal(read.audit.purpose, "auditoria-2026");
    assert_string_equal(read.query.holder, "cdmx/mpi-cdmx");
    assert_true(read.query.wants_tag_key);
    assert_int_equal(read.query.kind, RECORD_SENT);
    petition_write(&read, &again);
    assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&f->text)));
}

static void every_cut_and_every_flipped_bit_of_its_lines_is_refused_or_shows(void **state)
{
    struct fixture *f = *state;
    size_t approved = 0;

    for (size_t size = 0; size < f->text.size; size++) {
        OWN_PTR(arena) arena = arena_new(ARENA);
        struct petition read;

        if (petition_parse(BYTES(f->text.data, size), arena, &read) == RC_OK) {
            assert_int_equal(read.approval.certificate.size, 0); /* the one before it was signed */
            approved++;
        }
    }
    assert_int_equal(approved, 1);
    for (size_t at = 0; at < f->text.size; at++) {
        OWN_PTR(arena) arena = arena_new(ARENA);
        OWN(buffer) again = {0};
        struct petition read;

        f->text.data[at] ^= 1;
        if (petition_parse(buffer_bytes(&f->text), arena, &read) == RC_OK) {
            petition_write(&read, &again); /* one form for one content */
            assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&f->text)));
        }
        f->text.data[at] ^= 1;
    }
}

static void what_is_no_petition_is_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"nothing", ""},
        {"another file", "enlace-audit v1\npurpose a\n"},
        {"another version", "enlace-audit-query v2\npurpose a\nblind "},
        {"no blind", "enlace-audit-query v1\npurpose a\n"},
        {"a short blind", "enlace-audit-query v1\npurpose a\nblind 00\nquery AA==\n"},
        {"a purpose with spaces", "enlace-audit-query v1\npurpose a b\nblind "
                                  "0000000000000000000000000000000000000000000000000000000000000000"
                                  "\nquery AA==\n"},
        {"a query that is none", "enlace-audit-query v1\npurpose a\nblind "
                                 "0000000000000000000000000000000000000000000000000000000000000000"
                                 "\nquery AA==\n"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct petition read;

        print_message("%s\n", rows[i].why);
        assert_int_equal(petition_parse(bytes_text(rows[i].text), f->arena, &read),
                         RC_INVALID_ARGUMENT);
    }
}

static void another_purpose_than_the_query_commits_to_is_refused(void **state)
{
    struct fixture *f = *state;
    struct petition read;

    memcpy(strstr((char *)f->text.data, "auditoria"), "curiosida", 9);
    assert_int_equal(petition_parse(buffer_bytes(&f->text), f->arena, &read), RC_INVALID_ARGUMENT);
}

static void an_audits_file_is_three_lines(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) text = {0};
    struct audit_case read;

    audit_case_write(&f->audit, &text);
    assert_int_equal(audit_case_parse(buffer_bytes(&text), &read), RC_OK);
    assert_memory_equal(read.blind, f->audit.blind, BLIND_SIZE);
    for (size_t size = 0; size < text.size; size++) {
        assert_int_equal(audit_case_parse(BYTES(text.data, size), &read), RC_INVALID_ARGUMENT);
    }
    buffer_put_u8(&text, '\n');
    assert_int_equal(audit_case_parse(buffer_bytes(&text), &read), RC_INVALID_ARGUMENT);
}

static void a_purpose_is_a_code(void **state)
{
    static const char *const wrong[] = {
        "",    "Auditoria", "a b",
        "año", "a_b",       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct audit_case audit;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(audit_case_make(wrong[i], &audit, NULL), RC_INVALID_ARGUMENT);
    }
}

#define WITH_PETITION(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PETITION(a_petition_is_read_as_it_was_written),
        WITH_PETITION(every_cut_and_every_flipped_bit_of_its_lines_is_refused_or_shows),
        WITH_PETITION(what_is_no_petition_is_refused),
        WITH_PETITION(another_purpose_than_the_query_commits_to_is_refused),
        WITH_PETITION(an_audits_file_is_three_lines),
        cmocka_unit_test(a_purpose_is_a_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
