#include "unit/policy/policy_fixture.h"

#include "policy/member.h"

#define PLATAFORMA "spiffe://enlace.cdmx/member/mpi-cdmx/system/plataforma"

static void members_count_on_their_days_only(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);

    (void)state;
    assert_non_null(member_find(d, "cdmx/old", fixture_day("2026-01-31")));
    assert_null(member_find(d, "cdmx/old", fixture_day("2026-02-01")));
    assert_non_null(member_known(d, "cdmx/old"));
    assert_null(member_known(d, "cdmx/none"));
    assert_null(member_known(d, ""));
}

static void nodes_are_found_by_code_uri_and_member(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    int32_t today = fixture_day("2026-05-15");

    (void)state;
    assert_string_equal(node_by_code(d, "cdmx/ssc")->origin, "gw.ssc/audit/2026");
    assert_null(node_by_code(d, "mx/ssc"));
    assert_ptr_equal(node_by_uri(d, "spiffe://enlace.cdmx/node/ssc"), node_by_code(d, "cdmx/ssc"));
    assert_null(node_by_uri(d, "spiffe://enlace.mx/node/ssc"));
    assert_null(node_by_uri(d, PLATAFORMA));
    assert_string_equal(node_of_member(d, "cdmx/mpi-cdmx", today)->code, "cdmx/cdmx");
    assert_null(node_of_member(d, "cdmx/old", today));
    assert_null(node_of_member(d, "cdmx/ssc", fixture_day("2026-01-15"))); /* node from February */
}

struct attempt {
    const char *uri;
    uint8_t fingerprint;
    const char *day;
    bool is_allowed;
};

static void identities_pass_by_uri_date_and_fingerprint(void **state)
{
    static const struct attempt attempts[] = {
        {PLATAFORMA, 0xaa, "2026-05-15", true},
        {PLATAFORMA, 0xbb, "2026-05-15", false}, /* the next certificate, too early */
        {PLATAFORMA, 0xaa, "2026-06-15", true},  /* both overlap */
        {PLATAFORMA, 0xbb, "2026-06-15", true},
        {PLATAFORMA, 0xaa, "2026-07-01", false},
        {PLATAFORMA, 0xbb, "2026-07-01", true},
        {PLATAFORMA, 0xbb, "2027-01-01", false},
        {PLATAFORMA, 0xcc, "2026-06-15", false},
        {PLATAFORMA "x", 0xaa, "2026-05-15", false},
        {"spiffe://enlace.cdmx/member/ssc/system/adapter", 0x00, "2026-05-15", true},
        {"spiffe://enlace.cdmx/member/old/system/adapter", 0x00, "2026-01-15", true},
        {"spiffe://enlace.cdmx/member/old/system/adapter", 0x00, "2026-05-15", false},
        {"spiffe://enlace.cdmx/node/ssc", 0x00, "2026-05-15", false},
        {"", 0xaa, "2026-05-15", false},
    };
    OWN_PTR(directory) d = fixture_directory(FIXTURE);

    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const struct attempt *a = &attempts[i];
        uint8_t fingerprint[HASH_SIZE];
        const struct identity *identity = NULL;
        struct fault fault = {.rc = RC_OK};
        enum rc rc;

        memset(fingerprint, a->fingerprint, sizeof fingerprint);
        rc = identity_authenticate(d, a->uri, fingerprint, fixture_day(a->day), &identity, &fault);
        if ((rc == RC_OK) != a->is_allowed || (identity != NULL) != a->is_allowed) {
            fail_msg("row %zu: %s", i, rc_name(rc));
        }
        if (rc != RC_OK) { /* one answer, whatever failed */
            assert_int_equal(rc, RC_PERMISSION_DENIED);
            assert_string_equal(fault.reason, "identity.not_allowed");
            assert_string_equal(fault.path, "");
            assert_string_equal(fault.remedy,
                                "No está autorizado. Consulte a quien opera su nodo.");
        }
    }
}

static void one_flipped_bit_of_a_fingerprint_is_refused(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct identity *identity = NULL;

    (void)state;
    for (int bit = 0; bit < 256; bit++) {
        uint8_t fingerprint[HASH_SIZE];

        memset(fingerprint, 0xaa, sizeof fingerprint);
        fingerprint[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_authenticate(d, PLATAFORMA, fingerprint,
                                               fixture_day("2026-05-15"), &identity, NULL),
                         RC_PERMISSION_DENIED);
    }
}

static void nodes_authenticate_on_their_days(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct node_entry *node = NULL;

    (void)state;
    assert_int_equal(node_authenticate(d, "spiffe://enlace.cdmx/node/ssc", fixture_ones,
                                       fixture_day("2026-01-15"), &node, NULL),
                     RC_PERMISSION_DENIED);
    assert_int_equal(
        node_authenticate(d, PLATAFORMA, fixture_ones, fixture_day("2026-05-15"), &node, NULL),
        RC_PERMISSION_DENIED);
    assert_null(node);
    assert_int_equal(node_authenticate(d, "spiffe://enlace.cdmx/node/ssc", fixture_ones,
                                       fixture_day("2026-05-15"), &node, NULL),
                     RC_OK);
    assert_string_equal(node->code, "cdmx/ssc");
}

static void nobody_sends_as_somebody_else(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct identity *rows[4];
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};
    int32_t today = fixture_day("2026-06-15");

    (void)state;
    assert_int_equal(identities_of_member(d, "cdmx/mpi-cdmx", IDENTITY_SYSTEM, today, rows, 4), 2);
    assert_int_equal(identity_may_send(rows[0], message, NULL), RC_OK);
    message->header.from_system = "atencion";
    assert_int_equal(identity_may_send(rows[0], message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "sender.not_yours");
    assert_string_equal(fault.path, "header.from_system");
    message->header.from_system = "plataforma";
    message->header.from = "cdmx/ssc";
    fault = (struct fault){.rc = RC_OK};
    assert_int_equal(identity_may_send(rows[0], message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.path, "header.from");
    assert_int_equal(identities_of_member(d, "cdmx/ssc", IDENTITY_OFFICIAL, today, rows, 4), 1);
    assert_int_equal(identity_may_send(rows[0], message, NULL), RC_PERMISSION_DENIED);
    message->header.on_behalf_of = "enlace-01";
    assert_int_equal(identity_may_send(rows[0], message, NULL), RC_OK);
    assert_int_equal(identities_of_member(d, "cdmx/ssc", IDENTITY_AUDITOR, today, rows, 4), 1);
    assert_int_equal(identity_may_send(rows[0], message, NULL), RC_PERMISSION_DENIED);
}

static void codes_are_bounded_and_lower_case(void **state)
{
    static const char *const bad[] = {"",         "cdmx",     "cdmx/",    "/ssc",   "a-b/c",
                                      "cdmx/SSC", "cdmx/s c", "cdmx/a/b", "cdmx/ñ", "cdmx/ssc\n"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(member_code_is_valid(bad[i]));
    }
    assert_true(member_code_is_valid("cdmx/casa-refugio"));
    assert_true(member_code_is_valid("abcdefghijklmnop/abcdefghijklmnopqrstuvwxyz012345"));
    assert_false(member_code_is_valid("abcdefghijklmnopq/a"));
    assert_false(member_code_is_valid("cdmx/abcdefghijklmnopqrstuvwxyz0123456"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_count_on_their_days_only),
        cmocka_unit_test(nodes_are_found_by_code_uri_and_member),
        cmocka_unit_test(identities_pass_by_uri_date_and_fingerprint),
        cmocka_unit_test(one_flipped_bit_of_a_fingerprint_is_refused),
        cmocka_unit_test(nodes_authenticate_on_their_days),
        cmocka_unit_test(nobody_sends_as_somebody_else),
        cmocka_unit_test(codes_are_bounded_and_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
