#include "unit/policy/law_fixture.h"

#include "policy/suspension.h"

#define MEMBERS_MAX 4096

/* cdmx with mpi-cdmx (roster key M) and ssc (roster key S). */
static void cdmx_text(unsigned version, const char *authorities, const char *more, char out[12288])
{
    char members[MEMBERS_MAX];
    char mpi[512], ssc[512];

    law_member("cdmx/mpi-cdmx", "cdmx/cdmx", 'M', mpi);
    law_member("cdmx/ssc", "cdmx/cdmx", 'S', ssc);
    snprintf(members, sizeof members, "%s%s%s%s%s", NODE_1, mpi, ssc, GROUNDS, more);
    law_network("cdmx", version, 2, authorities, members, out);
}

static void mx_text(unsigned version, const char *more, char out[12288])
{
    char members[MEMBERS_MAX];
    char segob[512];

    law_member("mx/segob", "mx/segob", 'G', segob);
    snprintf(members, sizeof members, "%s%s%s%s", NODE_2, segob, GROUNDS, more);
    law_network("mx", version, 2, "PQ", members, out);
}

static void roster_text(const char *member, unsigned version, const char *more, char out[2048])
{
    snprintf(out, 2048,
             "enlace-roster v1\nmember %s\nversion %u\nin-force " DATES
             "\n\nsystem %s/adapter\n  in-force " DATES "\n%s",
             member, version, member, more);
}

static void expect(enum rc rc, enum rc wanted, const struct fault *fault, const char *reason)
{
    if (rc != wanted || strcmp(fault->reason, reason) != 0) {
        fail_msg("expected %s %s, got %s %s: %s", rc_name(wanted), reason, rc_name(rc),
                 fault->reason, fault->remedy);
    }
}

static void k_of_n_authorities_make_a_text_law(void **state)
{
    static const struct {
        const char *signers;
        enum rc rc;
        const char *reason;
    } rows[] = {
        {"A", RC_PERMISSION_DENIED, "law.quorum"},
        {"AA", RC_PERMISSION_DENIED, "law.quorum"}, /* one who signs twice is one */
        {"AZ", RC_PERMISSION_DENIED, "law.quorum"}, /* a stranger counts nothing */
        {"XYZ", RC_PERMISSION_DENIED, "law.quorum"},
        {"PQ", RC_PERMISSION_DENIED, "law.quorum"},   /* another network's */
        {"Ab", RC_UNAUTHENTICATED, "note.signature"}, /* a false one spoils it */
        {"ABc", RC_UNAUTHENTICATED, "note.signature"},
        {"AC", RC_OK, ""},
        {"ABCZ", RC_ALREADY_EXISTS, ""},
    };
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];

    (void)state;
    cdmx_text(1, "ABC", "", text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum rc rc = law_give(law, text, rows[i].signers, &d, &fault);

        expect(rc, rows[i].rc, &fault, rows[i].reason);
    }
    assert_non_null(d);
    assert_int_equal(d->member_count, 2);
}

static void numbers_only_rise(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];

    (void)state;
    cdmx_text(7, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    cdmx_text(6, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_FAILED_PRECONDITION, &fault,
           "law.lower_version");
    cdmx_text(7, "ABC", "# otra\n", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_FAILED_PRECONDITION, &fault,
           "law.two_of_one_version");
    cdmx_text(9, "ABC", "", text);
    expect(law_give(law, text, "BC", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->texts[0].version, 9);
}

static void keys_rotate_under_the_old_ones(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];

    (void)state;
    cdmx_text(1, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    cdmx_text(2, "CDE", "", text);
    expect(law_give(law, text, "DE", &d, &fault), RC_PERMISSION_DENIED, &fault, "law.quorum");
    expect(law_give(law, text, "AB", &d, &fault), RC_PERMISSION_DENIED, &fault, "law.quorum");
    expect(law_give(law, text, "BCD", &d, &fault), RC_OK, &fault, "");
    cdmx_text(3, "CDE", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_PERMISSION_DENIED, &fault, "law.quorum");
    expect(law_give(law, text, "DE", &d, &fault), RC_OK, &fault, "");
}

static void a_network_has_no_owner(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char members[MEMBERS_MAX];
    char text[12288];

    (void)state;
    snprintf(members, sizeof members, "%s", NODE_1);
    law_network("cdmx", 1, 1, "ABC", members, text);
    expect(law_give(law, text, "AB", &d, &fault), RC_INVALID_ARGUMENT, &fault, "law.contradiction");
    law_network("cdmx", 1, 4, "ABC", members, text);
    expect(law_give(law, text, "ABC", &d, &fault), RC_INVALID_ARGUMENT, &fault,
           "law.contradiction");
    law_network("cdmx", 1, 2, "AAB", members, text);
    expect(law_give(law, text, "AB", &d, &fault), RC_INVALID_ARGUMENT, &fault, "law.contradiction");
    law_network("df", 1, 2, "ABC", members, text);
    expect(law_give(law, text, "AB", &d, &fault), RC_PERMISSION_DENIED, &fault,
           "law.unknown_network");
    assert_null(d);
}

static void a_member_signs_its_own_roster(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];
    char roster[2048];

    (void)state;
    roster_text("cdmx/ssc", 1, "", roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_FAILED_PRECONDITION, &fault,
           "law.unknown_member");
    cdmx_text(1, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    expect(law_give(law, roster, "ABC", &d, &fault), RC_PERMISSION_DENIED, &fault,
           "law.roster_key");
    expect(law_give(law, roster, "M", &d, &fault), RC_PERMISSION_DENIED, &fault, "law.roster_key");
    expect(law_give(law, roster, "s", &d, &fault), RC_UNAUTHENTICATED, &fault, "note.signature");
    expect(law_give(law, roster, "S", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->identity_count, 1);
    assert_int_equal(d->members[1].roster, d->identities[0].text);
    roster_text("cdmx/ssc", 2, "system cdmx/mpi-cdmx/x\n  in-force " DATES "\n", roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_INVALID_ARGUMENT, &fault,
           "law.contradiction"); /* speaks for another */
    roster_text("cdmx/ssc", 2, "node cdmx/x\n", roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_INVALID_ARGUMENT, &fault,
           "law.contradiction"); /* not a roster's business */
    roster_text("cdmx/nadie", 1, "", roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_FAILED_PRECONDITION, &fault,
           "law.unknown_member");
    assert_int_equal(d->identity_count, 1);
}

static void a_bad_roster_spoils_no_other(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    static struct law_text notes[3];
    struct law_offer offers[3];
    char text[12288];
    char good[2048], bad[2048];

    (void)state;
    cdmx_text(1, "ABC", "", text);
    roster_text("cdmx/ssc", 1, "", good);
    roster_text("cdmx/mpi-cdmx", 1, "oficial x\n", bad);
    memset(offers, 0, sizeof offers);
    offers[0].note = law_sign(bad, "M", &notes[0]);
    offers[1].note = law_sign(good, "S", &notes[1]);
    offers[2].note = law_sign(text, "AB", &notes[2]); /* order does not matter */
    offers[0].name = offers[1].name = offers[2].name = "x";
    assert_int_equal(law_offer(law, offers, 3, &d), RC_OK);
    assert_int_equal(offers[0].rc, RC_INVALID_ARGUMENT);
    assert_int_equal(offers[1].rc, RC_OK);
    assert_int_equal(offers[2].rc, RC_OK);
    assert_int_equal(d->identity_count, 1);
    assert_int_equal(law_count(law), 2);
}

static void a_changed_roster_key_drops_the_old_roster(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char members[MEMBERS_MAX];
    char ssc[512];
    char text[12288];
    char roster[2048];

    (void)state;
    cdmx_text(1, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    roster_text("cdmx/ssc", 1, "", roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_OK, &fault, "");
    law_member("cdmx/ssc", "cdmx/cdmx", 'T', ssc);
    snprintf(members, sizeof members, "%s%s", NODE_1, ssc);
    law_network("cdmx", 2, 2, "ABC", members, text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->identity_count, 0);
    expect(law_give(law, roster, "T", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->identity_count, 1);
}

static void a_route_between_networks_needs_both(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];
    int32_t day = fixture_day("2026-05-15");

    (void)state;
    cdmx_text(1, "ABC", CROSSING("R5"), text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    assert_true(d->routes[0].is_one_sided);
    mx_text(1, CROSSING("R9"), text); /* other terms: nobody agreed to anything */
    expect(law_give(law, text, "PQ", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->route_count, 2);
    assert_true(d->routes[0].is_one_sided && d->routes[1].is_one_sided);
    assert_false(route_is_in_force(d, &d->routes[0], day));
    mx_text(2, CROSSING("R5"), text);
    expect(law_give(law, text, "PQ", &d, &fault), RC_OK, &fault, "");
    assert_int_equal(d->route_count, 1);
    assert_false(d->routes[0].is_one_sided);
    assert_true(route_is_in_force(d, &d->routes[0], day));
    assert_string_equal(d->texts[d->routes[0].text].subject, "mx"); /* in the sender's words */
    mx_text(3, "", text);                                           /* one of both withdraws it */
    expect(law_give(law, text, "PQ", &d, &fault), RC_OK, &fault, "");
    assert_true(d->routes[0].is_one_sided);
}

static void a_network_speaks_for_its_own(void **state)
{
    static const char *const rows[] = {
        "route ajena\n  from mx/segob\n  to mx/segob\n  types Act\n  purpose x\n  basis CONV\n"
        "  aviso AVISO\n  retention R5\n  urgent no\n  second-official no\n  onward never\n"
        "  in-force " DATES "\n",
        "member mx/otra\n  name X\n  node cdmx/cdmx\n  in-force " DATES "\n",
        "system cdmx/ssc/x\n  in-force " DATES "\n",
    };
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = NULL;
    struct fault fault;
    char text[12288];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cdmx_text(1, "ABC", rows[i], text);
        expect(law_give(law, text, "AB", &d, &fault), RC_INVALID_ARGUMENT, &fault,
               "law.contradiction");
    }
}

/* ---- suspensions ---- */

static void suspension_text(const char *network, char issuer, const char *what, char out[512])
{
    snprintf(out, 512,
             "enlace-suspension v1\nnetwork %s\nissuer key.%c\nat 2026-05-15T12:00:00Z\n"
             "suspend %s\nreason Prueba\n",
             network, issuer, what);
}

static struct directory *with_people(struct law *law)
{
    struct directory *d = NULL;
    struct fault fault;
    char text[12288];
    char roster[2048];

    cdmx_text(1, "ABC", "", text);
    expect(law_give(law, text, "AB", &d, &fault), RC_OK, &fault, "");
    roster_text("cdmx/ssc", 1,
                "official cdmx/ssc/enlace-01\n  certificate " HEX_A "\n  in-force " DATES "\n",
                roster);
    expect(law_give(law, roster, "S", &d, &fault), RC_OK, &fault, "");
    roster_text("cdmx/mpi-cdmx", 1, "", roster);
    expect(law_give(law, roster, "M", &d, &fault), RC_OK, &fault, "");
    return d;
}

#define ADAPTER "spiffe://enlace.cdmx/member/ssc/system/adapter"
#define OFFICIAL "spiffe://enlace.cdmx/member/ssc/official/enlace-01"
#define NODE "spiffe://enlace.cdmx/node/cdmx"

static bool enters(const struct directory *d, const char *uri, uint8_t first)
{
    const struct identity *identity;
    const struct node_entry *node;
    uint8_t fingerprint[32];

    memset(fingerprint, first, sizeof fingerprint);
    return strstr(uri, "/node/") != NULL
               ? node_authenticate(d, uri, fingerprint, fixture_day("2026-05-15"), &node, NULL) ==
                     RC_OK
               : identity_authenticate(d, uri, fingerprint, fixture_day("2026-05-15"), &identity,
                                       NULL) == RC_OK;
}

static void one_signature_suspends_at_once(void **state)
{
    static const struct {
        char issuer;
        const char *what;
        const char *uri; /* who is out then */
        uint8_t fingerprint;
        enum rc rc;
        const char *reason;
    } rows[] = {
        {'A', "system cdmx/ssc/adapter", ADAPTER, 0x11, RC_OK, ""},
        {'S', "system cdmx/ssc/adapter", ADAPTER, 0x11, RC_OK, ""},
        {'B', "official cdmx/ssc/enlace-01", OFFICIAL, 0xaa, RC_OK, ""},
        {'S', "member cdmx/ssc", ADAPTER, 0x11, RC_OK, ""},
        {'C', "node cdmx/cdmx", NODE, 0x11, RC_OK, ""},
        {'S', "certificate " HEX_A, OFFICIAL, 0xaa, RC_OK, ""},
        {'A', "certificate " HEX_B, ADAPTER, 0xbb, RC_OK, ""}, /* a row without a fingerprint */
        {'A', "certificate " HEX_B, NODE, 0xbb, RC_OK, ""},    /* a node's */
        {'M', "system cdmx/ssc/adapter", NULL, 0, RC_PERMISSION_DENIED, "suspension.not_yours"},
        {'M', "member cdmx/ssc", NULL, 0, RC_PERMISSION_DENIED, "suspension.not_yours"},
        {'S', "node cdmx/cdmx", NULL, 0, RC_PERMISSION_DENIED, "suspension.not_yours"},
        {'A', "member mx/segob", NULL, 0, RC_PERMISSION_DENIED, "suspension.not_yours"},
        {'Z', "member cdmx/ssc", NULL, 0, RC_PERMISSION_DENIED, "suspension.issuer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN_PTR(law) law = law_of_cdmx();
        OWN_PTR(directory) d = with_people(law);
        char signer[2] = {rows[i].issuer, '\0'};
        struct fault fault;
        char text[512];

        assert_true(rows[i].uri == NULL || enters(d, rows[i].uri, rows[i].fingerprint));
        suspension_text("cdmx", rows[i].issuer, rows[i].what, text);
        expect(law_give(law, text, signer, &d, &fault), rows[i].rc, &fault, rows[i].reason);
        if (rows[i].uri != NULL && enters(d, rows[i].uri, rows[i].fingerprint)) {
            fail_msg("row %zu: still in force", i);
        }
    }
}

static void a_members_suspension_of_a_certificate_is_its_own_affair(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = with_people(law);
    struct fault fault;
    char text[512];

    (void)state;
    suspension_text("cdmx", 'M', "certificate " HEX_A, text);
    expect(law_give(law, text, "M", &d, &fault), RC_OK, &fault, "");
    assert_true(enters(d, OFFICIAL, 0xaa)); /* of ssc, not of mpi-cdmx */
    assert_false(enters(d, "spiffe://enlace.cdmx/member/mpi-cdmx/system/adapter", 0xaa));
}

static void only_k_authorities_lift_it(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = with_people(law);
    struct suspension said;
    struct fault fault = {0};
    char hex[65], lift[128];
    char text[512];
    char network[12288];

    (void)state;
    suspension_text("cdmx", 'A', "system cdmx/ssc/adapter", text);
    assert_int_equal(suspension_parse(bytes_text(text), &said, &fault), RC_OK);
    expect(law_give(law, text, "B", &d, &fault), RC_PERMISSION_DENIED, &fault,
           "suspension.issuer"); /* signed by another than it says */
    expect(law_give(law, text, "a", &d, &fault), RC_UNAUTHENTICATED, &fault, "note.signature");
    assert_true(enters(d, ADAPTER, 0x11));
    expect(law_give(law, text, "A", &d, &fault), RC_OK, &fault, "");
    assert_false(enters(d, ADAPTER, 0x11));
    hex_encode(said.sha256, 32, hex);
    snprintf(lift, sizeof lift, "lift %s\n  reason Apareció\n", hex);
    cdmx_text(2, "ABC", lift, network);
    expect(law_give(law, network, "A", &d, &fault), RC_PERMISSION_DENIED, &fault, "law.quorum");
    assert_false(enters(d, ADAPTER, 0x11));
    expect(law_give(law, network, "AB", &d, &fault), RC_OK, &fault, "");
    assert_true(enters(d, ADAPTER, 0x11));
    expect(law_give(law, text, "A", &d, &fault), RC_ALREADY_EXISTS, &fault, "");
    assert_true(enters(d, ADAPTER, 0x11)); /* a copy changes nothing */
}

static void malformed_suspensions_are_refused(void **state)
{
    static const struct {
        const char *find, *put;
    } rows[] = {
        {"enlace-suspension v1", "enlace-suspension v2"},
        {"network cdmx", "network CDMX"},
        {"network cdmx\n", ""},
        {"issuer key.A", "issuer key A"},
        {"issuer key.A", "issuer "},
        {"at 2026-05-15T12:00:00Z", "at 2026-05-15"},
        {"at 2026-05-15T12:00:00Z", "at 2026-05-15T12:00:00-06:00"},
        {"at 2026-05-15T12:00:00Z", "at 2026-02-30T12:00:00Z"},
        {"suspend system", "suspend sistema"},
        {"suspend system cdmx/ssc/adapter", "suspend system cdmx/ssc"},
        {"suspend system cdmx/ssc/adapter", "suspend member cdmx/SSC"},
        {"suspend system cdmx/ssc/adapter", "suspend certificate AAAA"},
        {"suspend system cdmx/ssc/adapter", "suspend"},
        {"reason Prueba", "reason"},
        {"reason Prueba", "reason \x01"},
        {"reason Prueba\n", "reason Prueba"},
        {"reason Prueba\n", "reason Prueba\nmore x\n"},
    };
    char good[512], bad[1024];

    (void)state;
    suspension_text("cdmx", 'A', "system cdmx/ssc/adapter", good);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(good, rows[i].find);
        struct suspension said;
        struct fault fault = {0};

        assert_non_null(at);
        snprintf(bad, sizeof bad, "%.*s%s%s", (int)(at - good), good, rows[i].put,
                 at + strlen(rows[i].find));
        if (suspension_parse(bytes_text(bad), &said, &fault) != RC_INVALID_ARGUMENT ||
            strcmp(fault.reason, "suspension.malformed") != 0 || fault.remedy[0] == '\0') {
            fail_msg("row %zu was taken", i);
        }
    }
}

static void one_member_does_not_fill_the_list(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    OWN_PTR(directory) d = with_people(law);
    struct fault fault;
    char what[64];
    char text[512];

    (void)state;
    for (int i = 0; i <= LAW_SUSPENSIONS_OF_MEMBER; i++) {
        bool is_over = i == LAW_SUSPENSIONS_OF_MEMBER;

        snprintf(what, sizeof what, "system cdmx/ssc/s-%d", i);
        suspension_text("cdmx", 'S', what, text);
        expect(law_give(law, text, "S", &d, &fault), is_over ? RC_RESOURCE_EXHAUSTED : RC_OK,
               &fault, is_over ? "law.full" : "");
    }
}

static void what_is_no_note_is_refused(void **state)
{
    OWN_PTR(law) law = law_of_cdmx();
    struct directory *d = NULL;
    struct law_offer offer = {.note = BYTES("enlace-directory v1\n", 20), .name = "x"};

    (void)state;
    (void)!law_offer(law, &offer, 1, &d);
    assert_int_equal(offer.rc, RC_INVALID_ARGUMENT);
    assert_string_equal(offer.fault.reason, "note.malformed");
}

/* ---- dates ---- */

static void what_is_urgent_does_not_wait_for_a_directory_that_has_just_run_out(void **state)
{
    static const struct {
        const char *day;
        enum urgency urgency;
        enum rc rc;
        const char *waiver;
    } rows[] = {
        {"2026-12-31", URGENCY_ORDINARY, RC_OK, NULL},
        {"2027-01-01", URGENCY_ORDINARY, RC_FAILED_PRECONDITION, NULL},
        {"2026-12-31", URGENCY_URGENT, RC_OK, NULL},
        {"2027-01-01", URGENCY_URGENT, RC_OK, "directory.not_in_force"},
        {"2027-01-30", URGENCY_URGENT, RC_OK, "directory.not_in_force"},
        {"2027-01-31", URGENCY_URGENT, RC_FAILED_PRECONDITION, NULL},
        {"2025-12-31", URGENCY_URGENT, RC_FAILED_PRECONDITION, NULL}, /* not begun */
    };
    /* The parties, the route and the law outlive the directory. */
    OWN_PTR(directory)
    d = fixture_directory(FIXTURE_HEADER
                          "member cdmx/mpi-cdmx\n  name M\n  node cdmx/cdmx\n"
                          "  in-force 2020-01-01..2030-12-31\n" NODE_1 FIXTURE_GROUNDS
                          "route propias\n  from cdmx/mpi-cdmx\n  to cdmx/mpi-cdmx\n"
                          "  types Aggregate Act\n  purpose cifras\n  basis LEY-2\n"
                          "  aviso AVISO\n  retention R5\n  urgent yes\n"
                          "  second-official no\n  onward never\n"
                          "  in-force 2020-01-01..2030-12-31\n");

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct route *route = NULL;
        struct message message = {0};
        struct header *header = &message.header;
        int32_t day = fixture_day(rows[i].day);
        struct fault fault = {0};
        const char *waiver;
        enum rc rc;

        header->from = header->to = "cdmx/mpi-cdmx";
        header->type = MESSAGE_AGGREGATE;
        header->urgency = rows[i].urgency;
        header->catalogue_code = header->action_code = "";
        header->purpose = "cifras";
        header->legal_basis = "LEY-2";
        header->aviso_id = "AVISO";
        header->aviso_version = "2";
        header->aviso_sha256 = BYTES(fixture_bs, 32);
        rc = route_find(d, &message, day, &route, &fault);
        if (rc != rows[i].rc) {
            fail_msg("row %zu: %s %s", i, rc_name(rc), fault.reason);
        }
        waiver = rc == RC_OK ? route_waiver(d, route, &message, day) : NULL;
        assert_true((waiver == NULL) == (rows[i].waiver == NULL));
        assert_true(waiver == NULL || strcmp(waiver, rows[i].waiver) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_of_n_authorities_make_a_text_law),
        cmocka_unit_test(numbers_only_rise),
        cmocka_unit_test(keys_rotate_under_the_old_ones),
        cmocka_unit_test(a_network_has_no_owner),
        cmocka_unit_test(a_member_signs_its_own_roster),
        cmocka_unit_test(a_bad_roster_spoils_no_other),
        cmocka_unit_test(a_changed_roster_key_drops_the_old_roster),
        cmocka_unit_test(a_route_between_networks_needs_both),
        cmocka_unit_test(a_network_speaks_for_its_own),
        cmocka_unit_test(one_signature_suspends_at_once),
        cmocka_unit_test(a_members_suspension_of_a_certificate_is_its_own_affair),
        cmocka_unit_test(only_k_authorities_lift_it),
        cmocka_unit_test(malformed_suspensions_are_refused),
        cmocka_unit_test(one_member_does_not_fill_the_list),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(what_is_urgent_does_not_wait_for_a_directory_that_has_just_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
