#include "unit/policy/demo_directory.h"

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/sign_rules.h"

static const uint8_t commitment[DIGEST_SIZE] = {7, 7, 7};

struct signing {
    const struct demo *demo;
    struct cert_store *authorities;
    int64_t now_ms;
};

static struct signing open_signing(void **state)
{
    struct signing signing = {.demo = *state, .now_ms = clock_now_ms()};
    char path[128];

    snprintf(path, sizeof path, "%s/pki/ca/all.pem", signing.demo->folder);
    assert_int_equal(cert_store_load(path, &signing.authorities), RC_OK);
    return signing;
}

struct signed_by {
    struct cert *cert;
    uint8_t signature[ACTSIG_MAX];
    size_t size;
};

/* `who`: "official/cdmx.ssc.enlace-01" */
static void sign_as(const struct signing *signing, const char *who, struct signed_by *out)
{
    char path[192];
    struct actkey *key = NULL;

    snprintf(path, sizeof path, "%s/pki/%s/tls.key", signing->demo->folder, who);
    assert_int_equal(actkey_load(path, &key, NULL), RC_OK);
    assert_int_equal(actkey_sign(key, commitment, out->signature, &out->size), RC_OK);
    actkey_free(key);
    snprintf(path, sizeof path, "%s/pki/%s/tls.pem", signing->demo->folder, who);
    assert_int_equal(cert_load(path, &out->cert, NULL), RC_OK);
}

static void attach(struct message *message, const struct signed_by *by)
{
    message->signatures[message->signature_count++] = (struct signature){
        .certificate = cert_der(by->cert),
        .signature = BYTES(by->signature, by->size),
    };
}

static enum rc check(const struct signing *signing, const struct message *message,
                     struct fault *fault)
{
    *fault = (struct fault){.rc = RC_OK};
    return sign_rules_check(signing->demo->directory, signing->authorities, message, commitment,
                            clock_day(signing->now_ms), signing->now_ms, fault);
}

static struct message *accept_by(struct letter *letter, const char *official)
{
    struct message *message = letter_answer(letter, MESSAGE_ACT);

    message->header.event = EVENT_ACCEPT;
    message->header.on_behalf_of = official;
    return message;
}

static void acts_that_bind_an_office_are_signed(void **state)
{
    struct letter letter;
    struct message *message = letter_answer(&letter, MESSAGE_ACT);
    static const enum event events[] = {EVENT_ACCEPT,  EVENT_DECLINE, EVENT_IN_FORCE, EVENT_CONFIRM,
                                        EVENT_DISPUTE, EVENT_PURGE,   EVENT_KEEP};

    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        message->header.event = events[i];
        assert_true(sign_rules_need_official(message));
    }
    message->header.event = EVENT_CUSTODY;
    assert_false(sign_rules_need_official(message));
    message->header.type = MESSAGE_RECALL;
    assert_true(sign_rules_need_official(message));
    message->header.type = MESSAGE_AGGREGATE;
    assert_true(sign_rules_need_official(message));
    message->header.type = MESSAGE_STATUS_REPORT;
    assert_false(sign_rules_need_official(message));
}

static void the_named_official_signs(void **state)
{
    struct signing signing = open_signing(state);
    struct signed_by by;
    struct letter letter;
    struct message *message = accept_by(&letter, "enlace-01");
    struct fault fault;

    sign_as(&signing, "official/cdmx.ssc.enlace-01", &by);
    attach(message, &by);
    assert_int_equal(check(&signing, message, &fault), RC_OK);
    cert_free(by.cert);
    cert_store_free(signing.authorities);
}

struct wrong {
    const char *signer; /* NULL: unsigned */
    const char *named;
    const char *reason;
};

static void nobody_else_does(void **state)
{
    static const struct wrong rows[] = {
        {NULL, "enlace-01", "signature.missing"},
        {"official/cdmx.ssc.enlace-01", "", "signature.missing"},
        {"official/cdmx.ssc.enlace-01", "nadie-99", "official.not_in_force"},
        {NULL, "nadie-99", "official.not_in_force"},
        {"official/cdmx.pgj.enlace-01", "enlace-01", "signature.not_official"},
        {"official/mx.segob.enlace-01", "enlace-01", "signature.not_official"},
        {"system/cdmx.ssc.adapter", "enlace-01", "signature.not_official"},
        {"node/ssc", "enlace-01", "signature.not_official"},
        {"auditor/cdmx.contraloria.auditor-01", "enlace-01", "signature.not_official"},
    };
    struct signing signing = open_signing(state);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct signed_by by = {.cert = NULL};
        struct letter letter;
        struct message *message = accept_by(&letter, rows[i].named);
        struct fault fault;

        if (rows[i].signer != NULL) {
            sign_as(&signing, rows[i].signer, &by);
            attach(message, &by);
        }
        if (check(&signing, message, &fault) != RC_PERMISSION_DENIED ||
            strcmp(fault.reason, rows[i].reason) != 0) {
            fail_msg("row %zu: expected %s, got %s", i, rows[i].reason, fault.reason);
        }
        cert_free(by.cert);
    }
    cert_store_free(signing.authorities);
}

static void whoever_is_named_is_in_the_senders_roster(void **state)
{
    struct signing signing = open_signing(state);
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault;

    message->header.on_behalf_of = "enlace-01";
    assert_int_equal(check(&signing, message, &fault), RC_OK); /* named, and need not sign */
    message->header.on_behalf_of = "nadie-99";
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "official.not_in_force");
    assert_string_equal(fault.path, "header.on_behalf_of");
    message->header.on_behalf_of = "plataforma"; /* a system is no official */
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    message->header.on_behalf_of = "auditor-01";
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    message->header.on_behalf_of = "enlace-01";
    message->header.from = "cdmx/nadie";
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    cert_store_free(signing.authorities);
}

static void who_decides_for_an_impeded_person_signs(void **state)
{
    struct signing signing = open_signing(state);
    struct signed_by by;
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault;

    message->header.consent = CONSENT_IMPEDED;
    message->header.on_behalf_of = "enlace-01";
    assert_true(sign_rules_need_official(message));
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "signature.missing");
    sign_as(&signing, "official/cdmx.mpi-cdmx.enlace-01", &by);
    attach(message, &by);
    assert_int_equal(check(&signing, message, &fault), RC_OK);
    cert_free(by.cert);
    cert_store_free(signing.authorities);
}

static void a_flipped_byte_is_refused(void **state)
{
    struct signing signing = open_signing(state);
    struct signed_by by;
    uint8_t der[4096];
    struct bytes whole;

    sign_as(&signing, "official/cdmx.ssc.enlace-01", &by);
    whole = cert_der(by.cert);
    assert_true(whole.size <= sizeof der);
    for (size_t i = 0; i < by.size; i++) {
        struct letter letter;
        struct message *message = accept_by(&letter, "enlace-01");
        struct fault fault;

        by.signature[i] ^= 1;
        attach(message, &by);
        assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
        assert_string_equal(fault.reason, "signature.invalid");
        by.signature[i] ^= 1;
    }
    for (size_t i = 0; i < whole.size; i += 7) {
        struct letter letter;
        struct message *message = accept_by(&letter, "enlace-01");
        struct fault fault;

        attach(message, &by);
        memcpy(der, whole.data, whole.size);
        der[i] ^= 1;
        message->signatures[0].certificate = BYTES(der, whole.size);
        assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
        assert_string_equal(fault.reason, "signature.not_official");
    }
    cert_free(by.cert);
    cert_store_free(signing.authorities);
}

static void certificates_must_be_valid_at_that_time(void **state)
{
    struct signing signing = open_signing(state);
    struct signed_by by;
    struct letter letter;
    struct message *message = accept_by(&letter, "enlace-01");
    struct fault fault;

    sign_as(&signing, "official/cdmx.ssc.enlace-01", &by);
    attach(message, &by);
    signing.now_ms = cert_not_after_ms(by.cert) + 1000;
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "signature.invalid");
    cert_free(by.cert);
    cert_store_free(signing.authorities);
}

static void what_needs_no_signature_may_carry_a_good_one(void **state)
{
    struct signing signing = open_signing(state);
    struct signed_by by;
    struct letter letter;
    struct message *message = letter_answer(&letter, MESSAGE_STATUS_REPORT);
    struct fault fault;

    assert_int_equal(check(&signing, message, &fault), RC_OK);
    sign_as(&signing, "system/cdmx.ssc.adapter", &by);
    attach(message, &by);
    assert_int_equal(check(&signing, message, &fault), RC_OK);
    by.signature[10] ^= 1;
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "signature.invalid");
    cert_free(by.cert);
    cert_store_free(signing.authorities);
}

static void a_system_names_only_whom_it_acts_for(void **state)
{
    struct signing signing = open_signing(state);
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault;

    message->header.on_behalf_of = "enlace-02";
    assert_int_equal(check(&signing, message, &fault), RC_OK);
    message->header.from_system = "";
    assert_int_equal(check(&signing, message, &fault), RC_OK); /* the official's own connection */
    message->header.from_system = "otro";
    assert_int_equal(check(&signing, message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "official.not_bound");
    cert_store_free(signing.authorities);
}

static void a_second_official_approves_where_the_route_asks(void **state)
{
    struct signing signing = open_signing(state);
    struct route route = {.from = "cdmx/mpi-cdmx", .to = "cdmx/ssc", .needs_second_official = true};
    struct signed_by first, second, system;
    struct letter letter;
    struct message *message = letter_request(&letter);
    struct fault fault = {0};

    sign_as(&signing, "official/cdmx.mpi-cdmx.enlace-01", &first);
    sign_as(&signing, "official/cdmx.mpi-cdmx.enlace-02", &second);
    sign_as(&signing, "system/cdmx.mpi-cdmx.plataforma", &system);
    assert_true(sign_rules_need_second(&route, message));
    assert_int_equal(sign_rules_check_second(message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "approval.no_official");
    message->header.on_behalf_of = "enlace-01";
    attach(message, &first); /* the first one again is nobody else */
    attach(message, &system);
    fault = (struct fault){0};
    assert_int_equal(sign_rules_check_second(message, &fault), RC_PERMISSION_DENIED);
    assert_string_equal(fault.reason, "approval.missing");
    attach(message, &second);
    assert_int_equal(check(&signing, message, &fault), RC_OK);
    assert_int_equal(sign_rules_check_second(message, &fault), RC_OK);
    cert_free(first.cert);
    cert_free(second.cert);
    cert_free(system.cert);
    cert_store_free(signing.authorities);
}

static void what_waits_for_a_second_official(void **state)
{
    struct route route = {.from = "cdmx/mpi-cdmx", .to = "cdmx/ssc", .needs_second_official = true};
    struct letter letter;
    struct message *message = letter_request(&letter);

    (void)state;
    message->header.break_glass = "peligro-inminente";
    assert_false(sign_rules_need_second(&route, message));
    assert_true(sign_rules_need_official(message));
    message->header.break_glass = "";
    route.needs_second_official = false;
    assert_false(sign_rules_need_second(&route, message));
    route.needs_second_official = true;
    message = letter_answer(&letter, MESSAGE_STATUS_REPORT); /* of the executor */
    letter_compartment(message, COMPARTMENT_NARRATIVE, false);
    assert_false(sign_rules_need_second(&route, message));
    message = letter_start(&letter, MESSAGE_RECALL);
    message->header.exchange_id = fixture_id(2);
    assert_false(sign_rules_need_second(&route, message)); /* nothing leaves with it */
    message->header.type = MESSAGE_MEASURE_CHANGE;
    assert_true(sign_rules_need_second(&route, message));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acts_that_bind_an_office_are_signed),
        cmocka_unit_test(the_named_official_signs),
        cmocka_unit_test(nobody_else_does),
        cmocka_unit_test(whoever_is_named_is_in_the_senders_roster),
        cmocka_unit_test(who_decides_for_an_impeded_person_signs),
        cmocka_unit_test(a_flipped_byte_is_refused),
        cmocka_unit_test(certificates_must_be_valid_at_that_time),
        cmocka_unit_test(what_needs_no_signature_may_carry_a_good_one),
        cmocka_unit_test(a_system_names_only_whom_it_acts_for),
        cmocka_unit_test(a_second_official_approves_where_the_route_asks),
        cmocka_unit_test(what_waits_for_a_second_official),
    };

    return cmocka_run_group_tests(tests, demo_make, demo_remove);
}
