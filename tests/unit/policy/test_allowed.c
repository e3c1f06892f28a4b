#include "unit/policy/policy_fixture.h"

#include "policy/allowed.h"
#include "policy/route.h"

static void listed_fields_pass_in_their_direction_only(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct route *route = route_by_id(d, "medidas");
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    assert_int_equal(allowed_check(route, message, NULL), RC_OK);
    message->fields.bits = 0;
    field_set_add(&message->fields, (unsigned)field_number("narrative.summary"));
    assert_int_equal(allowed_check(route, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "fields.excess");
    message->header.from = "cdmx/ssc";
    message->header.to = "cdmx/mpi-cdmx";
    assert_int_equal(allowed_check(route, message, NULL), RC_OK);
}

static void every_other_field_is_refused_by_its_path(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct route *route = route_by_id(d, "medidas");
    size_t count;
    const struct field *fields = field_catalogue(&count);

    (void)state;
    for (unsigned i = 0; i < count; i++) {
        struct letter letter;
        struct message *message = letter_request(&letter);
        struct fault fault = {.rc = RC_OK};

        message->fields.bits = 0;
        field_set_add(&message->fields, i);
        if (field_set_has(route->fields, i)) {
            assert_int_equal(allowed_check(route, message, &fault), RC_OK);
            continue;
        }
        assert_int_equal(allowed_check(route, message, &fault), RC_PERMISSION_DENIED);
        assert_string_equal(fault.reason, "fields.excess");
        assert_string_equal(fault.path, fields[i].path);
        assert_non_null(strstr(fault.remedy, fields[i].path));
    }
}

static void several_excess_fields_are_listed_together(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    field_set_add(&message->fields, (unsigned)field_number("identity.curp"));
    field_set_add(&message->fields, (unsigned)field_number("health.condition"));
    assert_int_equal(allowed_check(route_by_id(d, "medidas"), message, &fault),
                     RC_PERMISSION_DENIED);
    assert_string_equal(fault.path, "identity.curp, health.condition");
}

static void sealed_types_pass_sealed_and_listed(void **state)
{
    OWN_PTR(directory) d = fixture_directory(FIXTURE);
    const struct route *route = route_by_id(d, "medidas");
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {.rc = RC_OK};

    (void)state;
    message->sealed_types |= 1u << COMPARTMENT_HEALTH;
    assert_int_equal(allowed_check(route, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "compartment.not_allowed");
    assert_string_equal(fault.path, "compartments.health");
    fault = (struct fault){.rc = RC_OK};
    message->sealed_types = 0;
    message->clear_types |= 1u << COMPARTMENT_LOCATION;
    assert_int_equal(allowed_check(route, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "compartment.must_be_sealed");
    assert_string_equal(fault.path, "compartments.location");
    fault = (struct fault){.rc = RC_OK};
    message->clear_types = 1u << COMPARTMENT_RELATIVES; /* whatever the route says */
    assert_int_equal(allowed_check(route, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "compartment.must_be_sealed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_fields_pass_in_their_direction_only),
        cmocka_unit_test(every_other_field_is_refused_by_its_path),
        cmocka_unit_test(several_excess_fields_are_listed_together),
        cmocka_unit_test(sealed_types_pass_sealed_and_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
