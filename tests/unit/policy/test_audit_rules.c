#include "unit/policy/policy_fixture.h"

#include "crypto/digest.h"
#include "policy/audit_rules.h"
#include "policy/member.h"

#define TODAY "2026-05-05"

static struct directory *directory_with(const char *people)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE];
    char text[16384];

    snprintf(text, sizeof text, "%s%s%s%s%s", FIXTURE_HEADER, FIXTURE_PEOPLE, people,
             FIXTURE_GROUNDS, FIXTURE_ROUTES);
    if (directory_parse(bytes_text(text), "test", &directory, error) != RC_OK) {
        fail_msg("%s", error);
    }
    return directory;
}

#define OFFICIAL(name, role)                                                                       \
    "official cdmx/ssc/" name "\n  certificate " HEX_B "\n" role                                   \
    "  in-force 2026-01-01..2026-12-31\n"
#define AUDITOR(name, role) "auditor cdmx/ssc/" name "\n" role "  in-force 2026-01-01..2026-12-31\n"
#define PEOPLE                                                                                     \
    OFFICIAL("coordinator", "  role coordinator\n")                                                \
    OFFICIAL("operator", "  role operator\n")                                                      \
    OFFICIAL("both", "  role official operator\n")                                                 \
    AUDITOR("authority", "  role authority\n")

static const struct identity *identity_of(const struct directory *directory, const char *uri)
{
    for (size_t i = 0; i < directory->identity_count; i++) {
        if (strcmp(directory->identities[i].uri, uri) == 0) {
            return &directory->identities[i];
        }
    }
    fail_msg("no %s", uri);
    return NULL;
}

/* Rows: who; columns: what each method gives. */
static const struct {
    const char *uri;
    enum audit_scope scopes[AUDIT_METHODS];
} wanted[] = {
    {"spiffe://enlace.cdmx/member/ssc/official/enlace-01",
     {[AUDIT_QUERY] = AUDIT_OWN_MEMBER,
      [AUDIT_PERSON] = AUDIT_OWN_MEMBER,
      [AUDIT_CLOSE] = AUDIT_ALL}},
    {"spiffe://enlace.cdmx/auditor/ssc/auditor-01",
     {[AUDIT_WHOLE_LOG] = AUDIT_ALL,
      [AUDIT_QUERY] = AUDIT_ALL,
      [AUDIT_PERSON] = AUDIT_ALL,
      [AUDIT_TAG_KEY] = AUDIT_ALL,
      [AUDIT_CLOSE] = AUDIT_ALL,
      [AUDIT_INDEX_STATE] = AUDIT_ALL,
      [AUDIT_CONDITION] = AUDIT_ALL}},
    {"spiffe://enlace.cdmx/member/ssc/official/coordinator",
     {[AUDIT_QUERY] = AUDIT_ALL,
      [AUDIT_CLOSE] = AUDIT_ALL,
      [AUDIT_INDEX_STATE] = AUDIT_ALL,
      [AUDIT_CONDITION] = AUDIT_ALL}},
    {"spiffe://enlace.cdmx/member/ssc/official/operator",
     {[AUDIT_QUERY] = AUDIT_NODES_OWN,
      [AUDIT_CLOSE] = AUDIT_ALL,
      [AUDIT_INDEX_STATE] = AUDIT_ALL,
      [AUDIT_REINDEX] = AUDIT_ALL,
      [AUDIT_CONDITION] = AUDIT_ALL}},
    {"spiffe://enlace.cdmx/member/ssc/official/both",
     {[AUDIT_QUERY] = AUDIT_OWN_MEMBER,
      [AUDIT_PERSON] = AUDIT_OWN_MEMBER,
      [AUDIT_CLOSE] = AUDIT_ALL,
      [AUDIT_INDEX_STATE] = AUDIT_ALL,
      [AUDIT_REINDEX] = AUDIT_ALL,
      [AUDIT_CONDITION] = AUDIT_ALL}},
    {"spiffe://enlace.cdmx/auditor/ssc/authority",
     {[AUDIT_WHOLE_LOG] = AUDIT_ALL,
      [AUDIT_QUERY] = AUDIT_ALL,
      [AUDIT_PERSON] = AUDIT_ALL,
      [AUDIT_TAG_KEY] = AUDIT_ALL,
      [AUDIT_CLOSE] = AUDIT_ALL,
      [AUDIT_INDEX_STATE] = AUDIT_ALL,
      [AUDIT_CONDITION] = AUDIT_ALL}},
    /* It holds its spool against the log: its own member's records, nothing else. */
    {"spiffe://enlace.cdmx/member/ssc/system/adapter",
     {[AUDIT_QUERY] = AUDIT_OWN_MEMBER, [AUDIT_CLOSE] = AUDIT_ALL}},
};

static void each_role_may_what_its_row_says_and_nothing_else(void **state)
{
    OWN_PTR(directory) directory = directory_with(PEOPLE);
    const struct node_entry *self = node_by_code(directory, "cdmx/ssc");

    (void)state;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const struct identity *reader = identity_of(directory, wanted[i].uri);

        for (int method = 0; method < AUDIT_METHODS; method++) {
            struct audit_grant grant = {.scope = AUDIT_NOTHING};
            struct fault fault = {0};
            enum rc rc = audit_rules_allow(directory, self, reader, (enum audit_method)method,
                                           fixture_day(TODAY), &grant, &fault);

            if (wanted[i].scopes[method] == AUDIT_NOTHING) {
                assert_int_equal(rc, RC_PERMISSION_DENIED);
                assert_string_equal(fault.reason, "audit.not_allowed");
                continue;
            }
            assert_int_equal(rc, RC_OK);
            assert_int_equal(grant.scope, wanted[i].scopes[method]);
            assert_int_equal(grant.needs_second, method == AUDIT_PERSON || method == AUDIT_TAG_KEY);
        }
    }
}

static void nobody_reads_a_node_that_is_not_theirs(void **state)
{
    OWN_PTR(directory) directory = directory_with(PEOPLE);
    const struct node_entry *other = node_by_code(directory, "cdmx/cdmx");
    struct node_entry foreign = *other;
    struct audit_grant grant;

    (void)state;
    assert_int_equal(
        audit_rules_allow(directory, other,
                          identity_of(directory, "spiffe://enlace.cdmx/member/ssc/official/both"),
                          AUDIT_QUERY, fixture_day(TODAY), &grant, NULL),
        RC_PERMISSION_DENIED);
    assert_int_equal(
        audit_rules_allow(directory, other,
                          identity_of(directory, "spiffe://enlace.cdmx/member/ssc/system/adapter"),
                          AUDIT_QUERY, fixture_day(TODAY), &grant, NULL),
        RC_PERMISSION_DENIED);
    /* An auditor comes to every node of the network, and to no other's. */
    assert_int_equal(
        audit_rules_allow(directory, other,
                          identity_of(directory, "spiffe://enlace.cdmx/auditor/ssc/auditor-01"),
                          AUDIT_QUERY, fixture_day(TODAY), &grant, NULL),
        RC_OK);
    snprintf(foreign.code, sizeof foreign.code, "mx/segob");
    assert_int_equal(
        audit_rules_allow(directory, &foreign,
                          identity_of(directory, "spiffe://enlace.cdmx/auditor/ssc/auditor-01"),
                          AUDIT_QUERY, fixture_day(TODAY), &grant, NULL),
        RC_PERMISSION_DENIED);
}

static void roles_of_another_kind_are_refused_in_the_directory(void **state)
{
    static const char *const wrong[] = {
        OFFICIAL("x", "  role auditor\n"),           OFFICIAL("x", "  role authority\n"),
        OFFICIAL("x", "  role official official\n"), OFFICIAL("x", "  role Operator\n"),
        AUDITOR("x", "  role operator\n"),           AUDITOR("x", "  role\n"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct directory *directory = NULL;
        char error[DIRECTORY_ERROR_SIZE];
        char text[16384];

        snprintf(text, sizeof text, "%s%s%s%s%s", FIXTURE_HEADER, FIXTURE_PEOPLE, wrong[i],
                 FIXTURE_GROUNDS, FIXTURE_ROUTES);
        assert_int_equal(directory_parse(bytes_text(text), "test", &directory, error),
                         RC_INVALID_ARGUMENT);
    }
}

static void a_question_without_a_signature_is_not_approved(void **state)
{
    OWN_PTR(directory) directory = directory_with(PEOPLE);
    const struct identity *reader =
        identity_of(directory, "spiffe://enlace.cdmx/member/ssc/official/enlace-01");
    const struct identity *second = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(audit_approval_check(directory, NULL, reader, bytes_text("query"),
                                          (struct bytes){0}, (struct bytes){0}, 0, &second, &fault),
                     RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "audit.second_missing");
    fault = (struct fault){0};
    assert_int_equal(audit_approval_check(directory, NULL, reader, bytes_text("query"),
                                          bytes_text("no certificate"), bytes_text("x"), 0, &second,
                                          &fault),
                     RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "audit.second_invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_may_what_its_row_says_and_nothing_else),
        cmocka_unit_test(nobody_reads_a_node_that_is_not_theirs),
        cmocka_unit_test(roles_of_another_kind_are_refused_in_the_directory),
        cmocka_unit_test(a_question_without_a_signature_is_not_approved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
