#include "unit/policy/policy_fixture.h"

#include "base/clock.h"
#include "policy/route.h"

static const struct route *found;

static void assert_denied(enum rc rc, const struct fault *fault, const char *reason,
                          const char *path)
{
    if (rc != RC_PERMISSION_DENIED || strcmp(fault->reason, reason) != 0 ||
        strcmp(fault->path, path) != 0) {
        fail_msg("expected %s %s, got %s %s %s", reason, path, rc_name(rc), fault->reason,
                 fault->path);
    }
}

static void an_opening_message_finds_its_route(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;

    (void)state;
    assert_int_equal(
        route_find(d, letter_request(&letter), fixture_day("2026-05-15"), &found, NULL), RC_OK);
    assert_string_equal(found->id, "medidas");
}

static void figures_go_by_a_route_of_their_own(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_start(&letter, MESSAGE_AGGREGATE);

    (void)state;
    message->header.purpose = "cifras";
    message->header.legal_basis = "LEY-2";
    assert_int_equal(route_find(d, message, fixture_day("2026-12-15"), &found, NULL), RC_OK);
    assert_string_equal(found->id, "cifras");
}

struct refused {
    const char *day;
    const char *from, *to;
    enum message_type type;
    const char *code, *item, *purpose, *basis, *aviso, *version;
    enum urgency urgency;
    const char *clock;
    int hours;
    const char *reason, *path;
};

/* NULL and 0: as in letter_request. */
static const struct refused refused[] = {
    {.to = "cdmx/none", .reason = "route.none", .path = "header.to"},
    {.to = "cdmx/old", .reason = "route.none", .path = "header.to"},
    {.from = "cdmx/ssc", .to = "cdmx/mpi-cdmx", .reason = "route.none", .path = "header.to"},
    {.type = MESSAGE_REFERRAL, .reason = "route.type_not_allowed", .path = "header.content"},
    {.code = "PRO-TES-SUP", .reason = "route.code_not_allowed", .path = "header.catalogue_code"},
    {.code = "", .reason = "route.code_not_allowed", .path = "header.catalogue_code"},
    {.item = "PRO-TES-SUP", .reason = "route.code_not_allowed", .path = "header.items[1].code"},
    {.day = "2026-12-01", .reason = "route.not_in_force", .path = "header.to"},
    {.day = "2026-07-01", .reason = "basis.not_in_force", .path = "header.legal_basis"},
    {.basis = "LEY-2", .reason = "basis.mismatch", .path = "header.legal_basis"},
    {.purpose = "curiosidad", .reason = "purpose.not_allowed", .path = "header.purpose"},
    {.aviso = "OTRO", .reason = "aviso.mismatch", .path = "header.aviso.id"},
    {.version = "3", .reason = "aviso.mismatch", .path = "header.aviso.version"},
    {.version = "1", .reason = "aviso.mismatch", .path = "header.aviso.sha256"},
    {.clock = "F9", .reason = "clock.not_listed", .path = "header.clocks[0].id"},
    {.hours = 4, .reason = "clock.too_long", .path = "header.clocks[0].due_at_ms"},
    {.clock = "F6",
     .hours = 30 * 24 + 26,
     .reason = "clock.too_long",
     .path = "header.clocks[0].due_at_ms"},
};

#define EITHER(given, usual) ((given) != NULL ? (given) : (usual))

static void each_failing_check_has_its_reason(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct refused *row = &refused[i];
        struct letter letter;
        struct message *message = letter_request(&letter);
        struct header *header = &message->header;
        struct fault fault = {.rc = RC_OK};

        found = NULL;
        header->from = EITHER(row->from, header->from);
        header->to = EITHER(row->to, header->to);
        header->type = row->type != MESSAGE_NONE ? row->type : header->type;
        header->catalogue_code = EITHER(row->code, header->catalogue_code);
        header->items[1].code = EITHER(row->item, header->items[1].code);
        header->purpose = EITHER(row->purpose, header->purpose);
        header->legal_basis = EITHER(row->basis, header->legal_basis);
        header->aviso_id = EITHER(row->aviso, header->aviso_id);
        header->aviso_version = EITHER(row->version, header->aviso_version);
        header->clocks[0].id = EITHER(row->clock, header->clocks[0].id);
        if (row->hours > 0) {
            header->clocks[0].due_at_ms = FIXTURE_NOW + row->hours * (int64_t)3600000;
        }
        assert_denied(
            route_find(d, message, fixture_day(EITHER(row->day, "2026-05-15")), &found, &fault),
            &fault, row->reason, row->path);
        assert_null(found);
    }
}

static void urgency_needs_a_route_that_grants_it(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct header *header = &message->header;
    struct fault fault = {.rc = RC_OK};
    int32_t today = fixture_day("2026-05-15");

    (void)state;
    header->urgency = URGENCY_URGENT;
    assert_int_equal(route_find(d, message, today, &found, NULL), RC_OK);
    header->to = "cdmx/mpi-cdmx";
    header->catalogue_code = "PRO-TES-SUP";
    header->items[0].code = header->items[1].code = "PRO-TES-SUP";
    header->legal_basis = "LEY-2";
    assert_denied(route_find(d, message, today, &found, &fault), &fault, "urgency.not_allowed",
                  "header.urgency");
}

static void calendar_days_end_with_a_local_day(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_request(&letter);

    (void)state;
    message->header.clocks[0].id = "F6";
    message->header.clocks[0].due_at_ms =
        clock_local_midnight_ms(clock_local_day(FIXTURE_NOW) + 31);
    assert_int_equal(route_find(d, message, fixture_day("2026-05-15"), &found, NULL), RC_OK);
}

static void a_directory_that_has_run_out_says_so(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct fault fault = {.rc = RC_OK};

    (void)state;
    assert_int_equal(
        route_find(d, letter_request(&letter), fixture_day("2027-01-01"), &found, &fault),
        RC_FAILED_PRECONDITION);
    assert_string_equal(fault.reason, "directory.not_in_force");
}

struct inner {
    enum message_type type;
    enum event event;
    bool is_back; /* from the executor */
    const char *reason;
};

static void inside_an_exchange_each_side_sends_its_own(void **state)
{
    static const struct inner rows[] = {
        {MESSAGE_ACT, EVENT_ACCEPT, true, NULL},
        {MESSAGE_ACT, EVENT_ACCEPT, false, "route.direction"},
        {MESSAGE_ACT, EVENT_CONFIRM, false, NULL},
        {MESSAGE_ACT, EVENT_CONFIRM, true, "route.direction"},
        {MESSAGE_STATUS_REPORT, EVENT_NONE, true, NULL},
        {MESSAGE_STATUS_REPORT, EVENT_NONE, false, "route.direction"},
        {MESSAGE_MEASURE_CHANGE, EVENT_NONE, false, NULL},
        {MESSAGE_MEASURE_CHANGE, EVENT_NONE, true, "route.direction"},
        {MESSAGE_RECALL, EVENT_NONE, false, NULL},
        {MESSAGE_RECALL, EVENT_NONE, true, "route.direction"},
        {MESSAGE_NOTICE, EVENT_NONE, true, NULL},
        {MESSAGE_NOTICE, EVENT_NONE, false, NULL},
        {MESSAGE_CONSULTATION, EVENT_NONE, false, "route.type_not_allowed"},
    };
    OWN_PTR(directory) d = fixture_directory(FIXTURE);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct letter letter;
        struct message *message = letter_answer(&letter, rows[i].type);
        struct fault fault = {.rc = RC_OK};
        enum rc rc;

        message->header.event = rows[i].event;
        if (!rows[i].is_back) {
            message->header.from = "cdmx/mpi-cdmx";
            message->header.to = "cdmx/ssc";
        }
        rc = route_follow(d, "medidas", message, fixture_day("2026-05-15"), &found, &fault);
        if (rows[i].reason == NULL) {
            assert_int_equal(rc, RC_OK);
            assert_int_equal(route_side(found, message),
                             rows[i].is_back ? SIDE_EXECUTOR : SIDE_REQUESTER);
        } else {
            assert_denied(rc, &fault, rows[i].reason, "header.content");
        }
    }
}

static void a_stranger_to_the_exchange_learns_nothing(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_answer(&letter, MESSAGE_STATUS_REPORT);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    message->header.from = "cdmx/old";
    assert_denied(route_follow(d, "medidas", message, fixture_day("2026-05-15"), &found, &fault),
                  &fault, "route.none", "header.to");
    fault = (struct fault){.rc = RC_OK};
    assert_denied(route_follow(d, "otra", message, fixture_day("2026-05-15"), &found, &fault),
                  &fault, "route.none", "header.to");
}

static void an_exchange_outlives_its_basis_to_report_and_close(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_answer(&letter, MESSAGE_STATUS_REPORT);
    struct fault fault = {.rc = RC_OK};
    int32_t late = fixture_day("2027-02-01");

    (void)state;
    assert_int_equal(route_follow(d, "medidas", message, late, &found, NULL), RC_OK);
    letter_compartment(message, COMPARTMENT_NARRATIVE, false);
    assert_int_equal(route_follow(d, "medidas", message, late, &found, &fault),
                     RC_FAILED_PRECONDITION);
    fault = (struct fault){.rc = RC_OK};
    assert_denied(route_follow(d, "medidas", message, fixture_day("2026-07-01"), &found, &fault),
                  &fault, "basis.not_in_force", "header.legal_basis");
    message = letter_answer(&letter, MESSAGE_STATUS_REPORT);
    message->header.purpose = "otra";
    fault = (struct fault){.rc = RC_OK};
    assert_denied(route_follow(d, "medidas", message, late, &found, &fault), &fault,
                  "purpose.not_allowed", "header.purpose");
    message->header.purpose = "proteccion";
    message->header.action_code = "PRO-TES-SUP";
    fault = (struct fault){.rc = RC_OK};
    assert_denied(route_follow(d, "medidas", message, late, &found, &fault), &fault,
                  "route.code_not_allowed", "header.action_code");
}

static void a_members_exchange_with_itself_goes_by_event(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_answer(&letter, MESSAGE_ACT);

    (void)state;
    message->header.from = message->header.to = "cdmx/mpi-cdmx";
    message->header.legal_basis = "LEY-2";
    message->header.event = EVENT_ACCEPT;
    assert_int_equal(route_follow(d, "propias", message, fixture_day("2026-05-15"), &found, NULL),
                     RC_OK);
    assert_int_equal(route_side(found, message), SIDE_EXECUTOR);
    message->header.event = EVENT_CONFIRM;
    assert_int_equal(route_follow(d, "propias", message, fixture_day("2026-05-15"), &found, NULL),
                     RC_OK);
    assert_int_equal(route_side(found, message), SIDE_REQUESTER);
}

static void events_belong_to_the_side_of_the_lifecycle(void **state)
{
    (void)state;
    for (int event = EVENT_CUSTODY; event < EVENTS; event++) {
        enum side side = route_event_side((enum event)event);
        bool has_step = false;

        assert_int_not_equal(side, SIDE_NONE);
        for (int from = STATE_NONE; from < STATES; from++) {
            enum side other = side == SIDE_REQUESTER ? SIDE_EXECUTOR : SIDE_REQUESTER;

            has_step =
                has_step || lifecycle_step((enum state)from, (enum event)event, side) != NULL;
            assert_null(lifecycle_step((enum state)from, (enum event)event, other));
        }
        assert_true(has_step);
    }
}

static void a_notice_stays_on_its_ladder_and_names_nobody(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct route *route = NULL;
    struct letter letter;
    struct message *message = letter_start(&letter, MESSAGE_NOTICE);
    struct header *header = &message->header;
    int32_t today = fixture_day("2026-05-15");
    struct fault fault = {0};

    (void)state;
    header->notice_route = "medidas";
    header->notice_clock = "F1";
    header->notice_late = "cdmx/ssc";
    assert_int_equal(route_notice(d, message, today, &route, &fault), RC_OK);
    header->to = "cdmx/old"; /* neither party nor rung */
    assert_int_equal(route_notice(d, message, today, &route, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "notice.ladder");
    header->to = "cdmx/ssc";
    header->subject_count = 1;
    fault = (struct fault){0};
    assert_int_equal(route_notice(d, message, today, &route, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "notice.person");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_opening_message_finds_its_route),
        cmocka_unit_test(figures_go_by_a_route_of_their_own),
        cmocka_unit_test(each_failing_check_has_its_reason),
        cmocka_unit_test(urgency_needs_a_route_that_grants_it),
        cmocka_unit_test(calendar_days_end_with_a_local_day),
        cmocka_unit_test(a_directory_that_has_run_out_says_so),
        cmocka_unit_test(inside_an_exchange_each_side_sends_its_own),
        cmocka_unit_test(a_stranger_to_the_exchange_learns_nothing),
        cmocka_unit_test(an_exchange_outlives_its_basis_to_report_and_close),
        cmocka_unit_test(a_members_exchange_with_itself_goes_by_event),
        cmocka_unit_test(events_belong_to_the_side_of_the_lifecycle),
        cmocka_unit_test(a_notice_stays_on_its_ladder_and_names_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
