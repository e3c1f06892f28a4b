#include "unit/policy/policy_fixture.h"

#include "crypto/digest.h"
#include "policy/member.h"
#include "policy/route.h"

static void every_column_is_read(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct route *route = route_by_id(d, "medidas");
    struct bytes text = bytes_text(FIXTURE);
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    digest_of(&text, 1, digest);
    assert_memory_equal(d->sha256, digest, sizeof digest);
    assert_string_equal(d->texts[0].subject, "cdmx");
    assert_int_equal(d->texts[0].version, 7);
    assert_int_equal(d->texts[0].in_force.to_day, fixture_day("2026-12-31"));
    assert_int_equal(d->member_count, 3);
    assert_int_equal(d->node_count, 2);
    assert_int_equal(d->identity_count, 6);
    assert_int_equal(d->basis_count, 2);
    assert_int_equal(d->aviso_count, 2);
    assert_int_equal(d->route_count, 3);
    assert_string_equal(d->nodes[1].uri, "spiffe://enlace.cdmx/node/ssc");
    assert_string_equal(d->nodes[1].address, "127.0.0.1:7442");
    assert_string_equal(d->nodes[1].origin, "gw.ssc/audit/2026");
    assert_non_null(route);
    assert_string_equal(route->from, "cdmx/mpi-cdmx");
    assert_string_equal(route->to, "cdmx/ssc");
    assert_int_equal(route->type_count, 6);
    assert_int_equal(route->types[4], MESSAGE_RECALL);
    assert_int_equal(route->code_count, 2);
    assert_string_equal(route->codes[1], "URG-INM-REF");
    assert_string_equal(route->purpose, "proteccion");
    assert_string_equal(route->basis, "CONV-1");
    assert_string_equal(route->aviso, "AVISO");
    assert_true(field_set_has(route->fields, (unsigned)field_number("contact.safe_channel")));
    assert_false(field_set_has(route->fields, (unsigned)field_number("narrative.summary")));
    assert_true(field_set_has(route->reply_fields, (unsigned)field_number("narrative.summary")));
    assert_int_equal(route->sealed_types, 1u << COMPARTMENT_LOCATION);
    assert_string_equal(route->retention, "R2");
    assert_true(route->is_urgent_allowed);
    assert_int_equal(route->clock_count, 2);
    assert_string_equal(route->clocks[1].id, "F6");
    assert_int_equal(route->clocks[1].limit, 30);
    assert_int_equal(route->clocks[1].unit, CLOCK_CALENDAR_DAYS);
    assert_int_equal(route->clocks[1].stop, STOP_IN_FORCE);
    assert_int_equal(route->clocks[0].urgency, URGENCY_URGENT);
    assert_int_equal(route->ladder_count, 1);
    assert_false(route->needs_second_official);
    assert_false(route->is_onward_through_origin);
    assert_true(route_by_id(d, "propias")->is_onward_through_origin);
    assert_true(route_by_id(d, "propias")->needs_second_official);
}

static void identities_carry_uri_certificate_and_seal(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct identity *row = &d->identities[1]; /* sorted by URI: old, then mpi-cdmx */

    (void)state;
    assert_string_equal(row->uri, "spiffe://enlace.cdmx/member/mpi-cdmx/system/plataforma");
    assert_int_equal(row->kind, IDENTITY_SYSTEM);
    assert_string_equal(row->member, "cdmx/mpi-cdmx");
    assert_string_equal(row->name, "plataforma");
    assert_true(row->has_fingerprint && row->has_seal);
    assert_int_equal(row->fingerprint[0], 0xaa);
    assert_memory_equal(row->seal_fingerprint, fixture_bs, 32);
}

struct refused {
    const char *find; /* its first occurrence in the fixture ... */
    const char *put;  /* ... becomes this */
    const char *error;
};

static const struct refused refused[] = {
    /* header */
    {"enlace-directory v1", "enlace-directory v2", "fixture:1: expected enlace-directory v1"},
    {"enlace-directory v1\n", "", "fixture:1: "},
    {"version 7", "version 07", "fixture:3: version: expected a number"},
    {"version 7", "version 7x", "expected a number"},
    {"version 7\n", "", "expected the header line \"version"},
    {"network cdmx", "network CDMX", "fixture:2: network: expected"},
    {"in-force 2026-01-01..2026-12-31", "in-force 2026-12-31..2026-01-01",
     "fixture:4: \"2026-12-31..2026-01-01\": expected the earlier date first"},
    {"in-force 2026-01-01..2026-12-31", "in-force 2026-01-01..2026-02-29", "expected dates"},
    {"in-force 2026-01-01..2026-12-31", "in-force 2026-01-01", "expected dates"},
    /* lines */
    {"  name Mecanismo", "  name Mecanismo ", "fixture:6: expected no space at the end"},
    {"  name Mecanismo", "\tname Mecanismo", "fixture:6: expected UTF-8 without tabs"},
    {"  name Mecanismo", "  name Mecanismo\r", "expected UTF-8"},
    {"  name Mecanismo", "  name \xc0\x80", "expected UTF-8"},
    {"  name Mecanismo", "  name \xed\xa0\x80", "expected UTF-8"},
    {"  name Mecanismo", "  name \xc2\x85", "expected UTF-8"},
    {"  name Mecanismo", " name Mecanismo", "fixture:6: expected two spaces before a key"},
    {"  name Mecanismo", "   name Mecanismo", "expected two spaces before a key"},
    {"  name Mecanismo", "  name", "name: expected a value after one space"},
    {"  name Mecanismo", "  name  Mecanismo", "name: expected a value after one space"},
    {"member cdmx/mpi-cdmx\n", "", "fixture:5: expected a stanza before its keys"},
    /* kinds and keys */
    {"member cdmx/ssc", "menber cdmx/ssc",
     "menber: expected a kind of stanza, did you mean member?"},
    {"member cdmx/ssc", "member", "expected \"member ID\""},
    {"  address 127", "  adress 127", "adress: expected a key of node, did you mean address?"},
    {"  name Mecanismo", "  origin x", "origin: expected a key of member"},
    {"  name Mecanismo", "  name M\n  name N", "fixture:7: name: expected once, stands twice"},
    {"  name Mecanismo\n", "", "fixture:5: expected the key \"name\" in this member"},
    {"official cdmx/ssc/enlace-01\n  certificate " HEX_A "\n", "official cdmx/ssc/enlace-01\n",
     "expected the key \"certificate\" in this official"},
    {"acts-for enlace-01", "acts-for enlace-02",
     "acts-for: \"enlace-02\": expected an official of cdmx/ssc, did you mean enlace-01?"},
    {"acts-for enlace-01", "acts-for Juan", "acts-for: \"Juan\": expected officials"},
    {"official cdmx/ssc/enlace-01\n", "official cdmx/ssc/enlace-01\n  acts-for enlace-01\n",
     "acts-for: expected a key of official"},
    /* codes, addresses, keys */
    {"member cdmx/ssc", "member cdmx/SSC", "expected network/code in lower case"},
    {"member cdmx/ssc", "member ssc", "expected network/code in lower case"},
    {"system cdmx/ssc/adapter", "system cdmx/ssc", "expected network/code/name"},
    {"system cdmx/ssc/adapter", "system cdmx/ssc/a/b", "expected network/code/name"},
    {"127.0.0.1:7441", "127.0.0.1", "expected host:port"},
    {"127.0.0.1:7441", "127.0.0.1:70000", "expected host:port"},
    {"127.0.0.1:7441", "127.0.0.1:7441x", "expected host:port"},
    {"+da67467d+", "+da67467e+", "expected a C2SP vkey of type 0x01"},
    {"+AQEBAQ", "+AQEBAR", "expected a C2SP vkey of type 0x01"},
    {"witness-key gw.cdmx/witness+ae40d772+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
     "witness-key gw.cdmx/audit/2026+da67467d+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
     "expected a C2SP vkey of type 0x04"},
    {"origin gw.cdmx/audit/2026", "origin gw.cdmx/audit/2027",
     "log-key: expected the name gw.cdmx/audit/2027"},
    {HEX_A, "AA", "expected a SHA-256 of 64 lower-case hex digits"},
    /* duplicates */
    {"member cdmx/old", "member cdmx/ssc", "cdmx/ssc: expected once, stands in line 9 already"},
    {"node cdmx/ssc\n  address", "node cdmx/cdmx\n  address",
     "cdmx/cdmx: expected once, stands in line 17 already"},
    {"origin gw.ssc/audit/2026\n  log-key gw.ssc/audit/2026+"
     "b52c27c5+AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC",
     "origin gw.cdmx/audit/2026\n  log-key gw.cdmx/audit/2026+"
     "da67467d+AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB",
     "gw.cdmx/audit/2026: expected once"},
    {"system cdmx/old/adapter", "system cdmx/ssc/adapter",
     "spiffe://enlace.cdmx/member/ssc/system/adapter: expected once"},
    {"law LEY-2", "law CONV-1", "CONV-1: expected once"},
    {"version 2", "version 1", "AVISO: expected once"},
    {"route propias", "route medidas", "medidas: expected once"},
    /* references */
    {"node cdmx/cdmx\n  in-force", "node cdmx/cdmy\n  in-force",
     "fixture:7: \"cdmx/cdmy\": expected a node of this directory, did you mean cdmx/cdmx?"},
    {"system cdmx/ssc/adapter", "system cdmx/scc/adapter",
     "\"cdmx/scc\": expected a member of this directory, did you mean cdmx/ssc?"},
    {"to cdmx/ssc", "to cdmx/sscc", "\"cdmx/sscc\": expected a member"},
    {"basis CONV-1", "basis CONV-2", "\"CONV-2\": expected a convenio or law of this directory"},
    {"aviso AVISO\n  fields", "aviso AVISSO\n  fields", "did you mean AVISO?"},
    {"ladder cdmx/mpi-cdmx", "ladder cdmx/mpi", "\"cdmx/mpi\": expected a member"},
    /* routes */
    {"types MeasureRequest Meas", "types MeasureReqest Meas",
     "\"MeasureReqest\": expected a type of message, did you mean MeasureRequest?"},
    {"types StatusReport", "types Act", "\"Act\": expected once, stands twice"},
    {"types StatusReport Recall", "types StatusReport  Recall",
     "types: expected one space between elements"},
    {"codes PRO-COD-VIG", "codes PRO-COD-VIX",
     "\"PRO-COD-VIX\": expected a code of the catalogue, did you mean PRO-COD-VIG?"},
    {"codes PRO-COD-VIG URG-INM-REF", "codes PRO-COD-VIG PRO-COD-VIG", "stands twice"},
    {"  codes PRO-COD-VIG URG-INM-REF\n", "", "codes: expected, since items travel"},
    {"fields identity.alias", "fields identity.alia",
     "\"identity.alia\": expected a field such as identity.full_name, did you mean "
     "identity.alias?"},
    {"fields identity.alias", "fields location.street",
     "location.street: expected no field of location in clear"},
    {"fields identity.alias", "fields schedule.entries.place", "of schedule in clear"},
    {"reply-fields narrative.summary", "reply-fields relatives.entries.phone",
     "of relatives in clear"},
    {"sealed location", "sealed location contact",
     "contact.safe_channel: expected either its compartment in sealed or the field in clear"},
    {"sealed location", "sealed locations", "did you mean location?"},
    {"sealed location", "sealed location location", "stands twice"},
    {"retention R2", "retention 2 years", "expected R and a number of years"},
    {"retention R2", "retention R0", "expected R and a number of years"},
    {"urgent yes", "urgent si", "\"si\": expected yes or no"},
    {"onward never", "onward always", "expected through-origin or never"},
    {"clocks F1=3h", "clocks F1=3s", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks F1=", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks =3h", "expected a clock and its limit"},
    {"clocks F1=3h F6=30d", "clocks F1=3h F1=4h", "\"F1\": expected once"},
    {"clocks F1=3h", "clocks F1=3dd", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks F1=367d", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks F1=0h", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks G1=3h", "expected a clock and its limit"},
    {"clocks F1=3h", "clocks C1=3h", "federal law knows no such clock"},
    {"clocks F1=3h", "clocks C1=3h,urgent", "federal law knows no such clock"},
    {"clocks F1=3h", "clocks F1=3h,R4..R4", "expected an anchor before \"..\""},
    {"clocks F1=3h", "clocks F1=3h,tomorrow..R4", "expected an anchor before \"..\""},
    {"clocks F1=3h", "clocks F1=3h,opening..R2", "expected a stop after \"..\""},
    {"clocks F1=3h", "clocks F1=3h,R3..R1", "expected an anchor before the stop"},
    {"clocks F1=3h", "clocks F1=3h,R3..R3", "expected an anchor before the stop"},
    {"clocks F1=3h", "clocks F1=3h,opening..R3,urgent,ordinary", "and nothing more"},
    {"clocks F1=3h", "clocks F1=3h,", "and nothing more"},
    {"clocks F1=3h", "clocks F1=3h,often", "and nothing more"},
    {"clocks F1=3h F6=30d", "clocks F1=3h F9=4h", "expected one from opening to R3"},
    {"clocks F1=3h F6=30d", "clocks F4=10d F6=5d", "expected F6 to R4 not to be over before F4"},
    {"clocks F1=3h F6=30d", "clocks C1=1h,R3..R4 C2=2h,R3..R4,urgent",
     "expected one from R3 to R4"},
    {"clocks F1=3h F6=30d", "clocks C1=20dh,opening..R4", "expected holidays 2026 in this text"},
    {"urgent yes\n  clocks F1=3h", "urgent no\n  clocks F1=3h", "F1 runs for urgent messages"},
    {"  ladder cdmx/mpi-cdmx\n", "", "ladder: expected, since clocks run"},
    {"clocks F1=3h", "clocks F5=72h F1=3h",
     "expected to end at another institution than cdmx/mpi-cdmx, which is late when F5"},
    {"aviso AVISO\n  version 1", "holidays 26\n  days 2026-01-01\naviso AVISO\n  version 1",
     "expected a year"},
    {"aviso AVISO\n  version 1", "holidays 2026\n  days 2025-12-25\naviso AVISO\n  version 1",
     "expected a date of 2026"},
    {"aviso AVISO\n  version 1",
     "holidays 2026\n  days 2026-05-01 2026-02-02\naviso AVISO\n  version 1",
     "expected dates in ascending order"},
    {"aviso AVISO\n  version 1",
     "holidays 2026\n  days 2026-01-01\nholidays 2026\n  days 2026-01-01\naviso AVISO\n  version "
     "1",
     "holidays 2026: expected once"},
    {"ladder cdmx/mpi-cdmx", "ladder cdmx/mpi-cdmx cdmx/ssc",
     "ladder: expected to end at another institution than cdmx/ssc"},
    {"to cdmx/mpi-cdmx\n  types MeasureRequest Act StatusReport Notice\n  codes PRO-TES-SUP",
     "to cdmx/ssc\n  types MeasureRequest\n  codes PRO-TES-SUP URG-INM-REF",
     "route propias: expected dates, types or codes apart from those of the route in line 61: both "
     "take URG-INM-REF from cdmx/mpi-cdmx to cdmx/ssc"},
};

static void bend(const struct refused *row, char *out, size_t size)
{
    const char *at = strstr(FIXTURE, row->find);

    if (at == NULL) {
        fail_msg("the fixture lacks: %s", row->find);
    }
    snprintf(out, size, "%.*s%s%s", (int)(at - FIXTURE), FIXTURE, row->put, at + strlen(row->find));
}

static void refused_texts_name_line_and_remedy(void **state)
{
    static char text[2 * sizeof FIXTURE];

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct directory *directory = NULL;
        char error[DIRECTORY_ERROR_SIZE] = "";

        bend(&refused[i], text, sizeof text);
        if (directory_parse(bytes_text(text), "fixture", &directory, error) !=
                RC_INVALID_ARGUMENT ||
            strstr(error, refused[i].error) == NULL || directory != NULL) {
            fail_msg("row %zu: expected \"%s\", got \"%s\"", i, refused[i].error, error);
        }
    }
}

static void clocks_say_what_they_run_from_and_to(void **state)
{
    static char text[2 * sizeof FIXTURE];
    const struct refused row = {
        .find = "clocks F1=3h F6=30d\n  ladder cdmx/mpi-cdmx",
        .put = "clocks F1=90m,opening..R3,urgent F2=9h\n  clocks C1=20dh,R3..R4,ordinary "
               "X2=5d,decision..R4 F5=72h\n  ladder cdmx/mpi-cdmx cdmx/old",
    };
    static const struct clock_rule expected[] = {
        {"F1", 5400000, CLOCK_INSTANTS, ANCHOR_OPENING, STOP_DECIDED, URGENCY_URGENT},
        {"F2", 32400000, CLOCK_INSTANTS, ANCHOR_ACCEPT, STOP_IN_FORCE, URGENCY_URGENT},
        {"C1", 20, CLOCK_WORKING_DAYS, ANCHOR_ACCEPT, STOP_IN_FORCE, URGENCY_ORDINARY},
        {"X2", 5, CLOCK_CALENDAR_DAYS, ANCHOR_DECISION, STOP_IN_FORCE, URGENCY_NONE},
        {"F5", 259200000, CLOCK_INSTANTS, ANCHOR_DECISION, STOP_RECEIVED, URGENCY_NONE},
    };
    const struct route *route;
    size_t size;

    (void)state;
    bend(&row, text, sizeof text);
    size = strlen(text);
    snprintf(text + size, sizeof text - size,
             "holidays 2027\n  days 2027-01-01\nholidays 2026\n  days 2026-02-02\n  days "
             "2026-12-25\n");
    {
        OWN_PTR(directory) d = fixture_directory(text);

        route = route_by_id(d, "medidas");
        assert_non_null(route);
        assert_int_equal(route->clock_count, 5);
        assert_memory_equal(route->clocks, expected, sizeof expected);
        assert_int_equal(d->working_terms[route->text].count, 3);
        assert_int_equal(d->working_terms[route->text].days[0], fixture_day("2026-02-02"));
        assert_int_equal(d->working_terms[route->text].days[2], fixture_day("2027-01-01"));
    }
}

static void a_text_without_its_end_is_refused(void **state)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE];
    struct bytes text = bytes_text(FIXTURE);

    (void)state;
    for (size_t cut = 0; cut < text.size; cut++) {
        enum rc rc = directory_parse(BYTES(text.data, cut), "cut", &directory, error);

        assert_true(rc == RC_OK || (rc == RC_INVALID_ARGUMENT && error[0] != '\0'));
        if (rc == RC_OK) { /* a whole number of stanzas */
            assert_int_equal(text.data[cut - 1], '\n');
            directory_free(directory);
        }
    }
}

static void long_lines_and_large_texts_are_refused(void **state)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE];
    size_t size = DIRECTORY_TEXT_MAX + 1;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    memset(text, '#', size);
    text[size - 1] = '\n';
    assert_int_equal(directory_parse(BYTES(text, size), "big", &directory, error),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(error, "big:1: expected a text of 1 to 8388608 bytes");
    assert_int_equal(directory_parse(BYTES(text + size - 5000, 5000), "long", &directory, error),
                     RC_INVALID_ARGUMENT);
    assert_string_equal(error, "long:1: expected a line of at most 4095 bytes");
    free(text);
}

static void a_name_may_change_with_its_date(void **state)
{
    OWN_PTR(directory)
    d = fixture_directory(FIXTURE "member cdmx/old\n  name Después\n  node cdmx/ssc\n"
                                  "  in-force 2026-02-01..2026-12-31\n");

    (void)state;
    assert_string_equal(member_find(d, "cdmx/old", fixture_day("2026-01-31"))->name, "Antes");
    assert_string_equal(member_find(d, "cdmx/old", fixture_day("2026-02-01"))->name, "Después");
}

static void a_system_acts_for_whom_the_roster_binds_it_to(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);

    (void)state;
    assert_true(system_acts_for(d, "cdmx/ssc", "adapter", "enlace-01"));
    assert_false(system_acts_for(d, "cdmx/ssc", "adapter", "enlace-02"));
    assert_false(system_acts_for(d, "cdmx/old", "adapter", "enlace-01"));
    assert_false(system_acts_for(d, "cdmx/mpi-cdmx", "plataforma", "enlace-01"));
}

static void a_missing_file_is_said(void **state)
{
    struct directory *directory = NULL;
    char error[DIRECTORY_ERROR_SIZE];

    (void)state;
    assert_int_equal(directory_read("/nonexistent/directory.txt", &directory, error), RC_NOT_FOUND);
    assert_non_null(strstr(error, "/nonexistent/directory.txt: cannot be read: No such file"));
    assert_int_equal(directory_read("/tmp", &directory, error), RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_column_is_read),
        cmocka_unit_test(a_system_acts_for_whom_the_roster_binds_it_to),
        cmocka_unit_test(identities_carry_uri_certificate_and_seal),
        cmocka_unit_test(refused_texts_name_line_and_remedy),
        cmocka_unit_test(clocks_say_what_they_run_from_and_to),
        cmocka_unit_test(a_text_without_its_end_is_refused),
        cmocka_unit_test(long_lines_and_large_texts_are_refused),
        cmocka_unit_test(a_name_may_change_with_its_date),
        cmocka_unit_test(a_missing_file_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
