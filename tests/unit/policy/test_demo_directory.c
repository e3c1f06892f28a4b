#include "unit/policy/demo_directory.h"

#include "policy/catalogue.h"
#include "policy/member.h"
#include "policy/route.h"

static void six_nodes_listen_on_consecutive_ports(void **state)
{
    const struct demo *demo = *state;
    const struct directory *d = demo->directory;
    static const char *const nodes[][2] = {
        {"cdmx/cdmx", "127.0.0.1:9001"},        {"cdmx/ssc", "127.0.0.1:9002"},
        {"cdmx/pgj", "127.0.0.1:9003"},         {"cdmx/sedesa", "127.0.0.1:9004"},
        {"cdmx/contraloria", "127.0.0.1:9005"}, {"mx/segob", "127.0.0.1:9006"},
    };

    assert_int_equal(d->node_count, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(node_by_code(d, nodes[i][0])->address, nodes[i][1]);
    }
}

static void every_member_is_hosted_and_has_a_system_and_an_official(void **state)
{
    const struct demo *demo = *state;
    const struct directory *d = demo->directory;
    const struct identity *rows[4];
    int32_t today = clock_day(clock_now_ms());

    for (size_t i = 0; i < d->member_count; i++) {
        const char *code = d->members[i].code;

        assert_non_null(node_of_member(d, code, today));
        if (strcmp(code, "cdmx/contraloria") != 0) { /* an auditor: it sends and receives nothing */
            assert_true(identities_of_member(d, code, IDENTITY_SYSTEM, today, rows, 4) >= 1);
            assert_true(rows[0]->has_seal && rows[0]->has_fingerprint);
            assert_true(identities_of_member(d, code, IDENTITY_OFFICIAL, today, rows, 4) >= 1);
        }
    }
    assert_string_equal(node_of_member(d, "cdmx/casa-refugio", today)->code, "cdmx/cdmx");
}

struct flow {
    const char *from, *to;
    enum message_type type;
    const char *codes; /* apart by one space */
};

/* The workload of 2019: every pair, type and code. */
static const struct flow flows[] = {
    {"cdmx/mpi-cdmx", "cdmx/ssc", MESSAGE_MEASURE_REQUEST, "PRO-COD-VIG URG-INM-REF FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/c5", MESSAGE_MEASURE_REQUEST, "PRO-NUM-EME FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/pgj", MESSAGE_MEASURE_REQUEST, "PRO-JUR-CAR FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/sedesa", MESSAGE_MEASURE_REQUEST, "PRO-PSI-SEG FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/ceavi", MESSAGE_MEASURE_REQUEST, "PRO-PSI-CRI"},
    {"cdmx/mpi-cdmx", "cdmx/saf", MESSAGE_MEASURE_REQUEST, "SOC-CAN-ALI SOC-CAN-NAL SOC-REN-INM"},
    {"cdmx/mpi-cdmx", "cdmx/mpi-cdmx", MESSAGE_MEASURE_REQUEST,
     "PRO-TES-SUP PRV-ACO-PRE PRV-MON-TEL"},
    {"cdmx/mpi-cdmx", "cdmx/sedesa", MESSAGE_REFERRAL, "ATN-GEN FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/styfe", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/dif", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/sibiso", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/cdhcm", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/alc-mh", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/casa-refugio", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/ceavi", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/injuve", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/pgj", MESSAGE_REFERRAL, "ATN-GEN FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/secgob", MESSAGE_REFERRAL, "ATN-GEN"},
    {"cdmx/mpi-cdmx", "cdmx/ssc", MESSAGE_REFERRAL, "FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/c5", MESSAGE_REFERRAL, "FED-APO"},
    {"mx/segob", "cdmx/mpi-cdmx", MESSAGE_SUPPORT_REQUEST, "FED-APO"},
    {"cdmx/mpi-cdmx", "cdmx/contraloria", MESSAGE_AGGREGATE, ""},
    {"cdmx/mpi-cdmx", "mx/segob", MESSAGE_AGGREGATE, ""},
};

static const struct route *route_of(const struct directory *d, const struct flow *flow,
                                    const char *code)
{
    for (size_t i = 0; i < d->route_count; i++) {
        const struct route *route = &d->routes[i];
        bool has_code = route->code_count == 0 && code[0] == '\0';

        for (size_t j = 0; j < route->code_count; j++) {
            has_code = has_code || strcmp(route->codes[j], code) == 0;
        }
        for (size_t j = 0; j < route->type_count && has_code; j++) {
            if (route->types[j] == flow->type && strcmp(route->from, flow->from) == 0 &&
                strcmp(route->to, flow->to) == 0) {
                return route;
            }
        }
    }
    fail_msg("no route from %s to %s for %s", flow->from, flow->to, code);
    return NULL;
}

/* An opening message with the terms that the directory itself lists passes route_find. */
static void try_flow(const struct directory *d, const struct flow *flow, const char *code)
{
    const struct route *route = route_of(d, flow, code);
    const struct route *found = NULL;
    struct letter letter;
    struct message *message = letter_start(&letter, flow->type);
    struct header *header = &message->header;
    struct fault fault = {.rc = RC_OK};

    header->from = flow->from;
    header->to = flow->to;
    header->catalogue_code = code;
    header->purpose = route->purpose;
    header->legal_basis = route->basis;
    header->aviso_id = route->aviso;
    for (size_t i = 0; i < d->aviso_count; i++) {
        if (strcmp(d->avisos[i].id, route->aviso) == 0) {
            header->aviso_version = d->avisos[i].version;
            header->aviso_sha256 = BYTES_OF(d->avisos[i].sha256);
        }
    }
    if (route_find(d, message, clock_day(clock_now_ms()), &found, &fault) != RC_OK) {
        fail_msg("%s: %s %s", route->id, fault.reason, fault.path);
    }
    assert_ptr_equal(found, route);
    if (route->ladder_count > 0) {
        assert_string_not_equal(route->ladder[route->ladder_count - 1], route->to);
    }
}

static void the_workload_of_2019_has_its_routes(void **state)
{
    const struct demo *demo = *state;

    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        char codes[128];
        char *rest = codes;
        char *code;

        snprintf(codes, sizeof codes, "%s", flows[i].codes);
        if (codes[0] == '\0') {
            try_flow(demo->directory, &flows[i], "");
        }
        while (codes[0] != '\0' && (code = strsep(&rest, " ")) != NULL) {
            try_flow(demo->directory, &flows[i], code);
        }
    }
}

static void police_and_prosecutor_get_the_least(void **state)
{
    const struct demo *demo = *state;
    const struct directory *d = demo->directory;

    for (size_t i = 0; i < d->route_count; i++) {
        const struct route *route = &d->routes[i];

        if (strcmp(route->to, "cdmx/ssc") == 0 || strcmp(route->to, "cdmx/pgj") == 0) {
            assert_true(__builtin_popcountll(route->fields.bits) <= 3);
            assert_false(field_set_has(route->fields, (unsigned)field_number("identity.curp")));
            assert_false(route->sealed_types & 1u << COMPARTMENT_RELATIVES);
            assert_false(route->sealed_types & 1u << COMPARTMENT_SCHEDULE);
        }
    }
}

static void a_second_run_changes_nothing(void **state)
{
    struct demo *demo = *state;

    demo_run("cp -p %s/directory.txt %s/before.txt", demo->folder);
    demo_run("deploy/demo/make_directory.sh %s/pki %s/directory.txt --ports-from 9001",
             demo->folder);
    demo_run("cmp %s/before.txt %s/directory.txt", demo->folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(six_nodes_listen_on_consecutive_ports),
        cmocka_unit_test(every_member_is_hosted_and_has_a_system_and_an_official),
        cmocka_unit_test(the_workload_of_2019_has_its_routes),
        cmocka_unit_test(police_and_prosecutor_get_the_least),
        cmocka_unit_test(a_second_run_changes_nothing),
    };

    return cmocka_run_group_tests(tests, demo_make, demo_remove);
}
