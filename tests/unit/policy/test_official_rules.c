#include "unit/policy/demo_directory.h"

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/member.h"
#include "policy/official_rules.h"

static const uint8_t digest[HASH_SIZE] = {5, 5, 5};

#define ONE "official/cdmx.mpi-cdmx.enlace-01"
#define TWO "official/cdmx.mpi-cdmx.enlace-02"

static struct official_signed rejection(void)
{
    struct official_signed made = {.act = {.kind = OFFICIAL_REJECT,
                                           .id = fixture_id(1),
                                           .member = "cdmx/mpi-cdmx",
                                           .message_id = fixture_id(2),
                                           .reason = "sin-fundamento",
                                           .created_at_ms = clock_now_ms()}};

    return made;
}

/* The reason of the refusal; "" when it is admitted. ONE brings it, `signer` signed it. */
static const char *judge(const struct demo *demo, struct official_signed *act, const char *signer,
                         bool is_flipped, struct fault *fault)
{
    struct cert_store *authorities = NULL;
    const struct identity *official = NULL;
    OWN_PTR(cert) mine = NULL;
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(actkey) key = NULL;
    uint8_t signature[ACTSIG_MAX];
    size_t size = 0;
    char path[192];

    snprintf(path, sizeof path, "%s/pki/ca/all.pem", demo->folder);
    assert_int_equal(cert_store_load(path, &authorities), RC_OK);
    snprintf(path, sizeof path, "%s/pki/" ONE "/tls.pem", demo->folder);
    assert_int_equal(cert_load(path, &mine, NULL), RC_OK);
    assert_int_equal(identity_authenticate(demo->directory, cert_uri(mine), cert_fingerprint(mine),
                                           clock_local_day(clock_now_ms()), &official, NULL),
                     RC_OK);
    snprintf(path, sizeof path, "%s/pki/%s/tls.pem", demo->folder, signer);
    assert_int_equal(cert_load(path, &cert, NULL), RC_OK);
    snprintf(path, sizeof path, "%s/pki/%s/tls.key", demo->folder, signer);
    assert_int_equal(actkey_load(path, &key, NULL), RC_OK);
    assert_int_equal(actkey_sign(key, digest, signature, &size), RC_OK);
    signature[size - 1] ^= is_flipped;
    act->signature = (struct signature){cert_der(cert), BYTES(signature, size)};
    *fault = (struct fault){.rc = RC_OK};
    (void)!official_rules_check(authorities, official, act, digest, clock_now_ms(), fault);
    cert_store_free(authorities);
    return fault->reason;
}

static void the_official_who_brings_it_signs_it(void **state)
{
    struct official_signed act = rejection();
    struct fault fault;

    assert_string_equal(judge(*state, &act, ONE, false, &fault), "");
    assert_string_equal(judge(*state, &act, ONE, true, &fault), "signature.invalid");
    assert_string_equal(judge(*state, &act, TWO, false, &fault), "signature.not_official");
}

struct wrong {
    const char *reason;
    void (*bend)(struct official_act *act);
};

static void other_member(struct official_act *act)
{
    act->member = "cdmx/ssc";
}
static void no_kind(struct official_act *act)
{
    act->kind = OFFICIAL_NONE;
}
static void no_id(struct official_act *act)
{
    act->id = (struct id){{0}};
}
static void words(struct official_act *act)
{
    act->reason = "No procede";
}
static void no_reason(struct official_act *act)
{
    act->reason = "";
}
static void no_message(struct official_act *act)
{
    act->message_id = (struct id){{0}};
}
static void no_signature(struct official_act *act)
{
    act->kind = OFFICIAL_APPROVE;
}
static void old(struct official_act *act)
{
    act->created_at_ms -= OFFICIAL_ACT_AGE_MS + 1000;
}
static void ahead(struct official_act *act)
{
    act->created_at_ms += 3600 * 1000;
}

static void what_is_wrong_is_said(void **state)
{
    static const struct wrong rows[] = {
        {"act.member", other_member},  {"act.kind", no_kind},      {"act.id", no_id},
        {"act.reason", words},         {"act.missing", no_reason}, {"act.missing", no_message},
        {"act.missing", no_signature}, {"act.age", old},           {"act.age", ahead},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct official_signed act = rejection();
        struct fault fault;

        rows[i].bend(&act.act);
        assert_string_equal(judge(*state, &act, ONE, false, &fault), rows[i].reason);
        assert_true(fault.remedy[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_official_who_brings_it_signs_it),
        cmocka_unit_test(what_is_wrong_is_said),
    };

    return cmocka_run_group_tests(tests, demo_make, demo_remove);
}
