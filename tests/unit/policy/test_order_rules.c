#include "unit/policy/demo_directory.h"

#include "crypto/actsig.h"
#include "crypto/cert.h"
#include "policy/order_rules.h"

static const uint8_t digest[HASH_SIZE] = {3, 3, 3};

#define ONE "official/cdmx.mpi-cdmx.enlace-01"
#define TWO "official/cdmx.mpi-cdmx.enlace-02"
#define PGJ "official/cdmx.pgj.enlace-01"
#define SYSTEM "system/cdmx.mpi-cdmx.plataforma"
#define AUDITOR "auditor/cdmx.contraloria.auditor-01"

struct signer {
    struct cert *cert;
    uint8_t signature[ACTSIG_MAX];
    size_t size;
};

static void sign_as(const struct demo *demo, const char *who, struct signer *out)
{
    char path[192];
    struct actkey *key = NULL;

    snprintf(path, sizeof path, "%s/pki/%s/tls.key", demo->folder, who);
    assert_int_equal(actkey_load(path, &key, NULL), RC_OK);
    assert_int_equal(actkey_sign(key, digest, out->signature, &out->size), RC_OK);
    actkey_free(key);
    snprintf(path, sizeof path, "%s/pki/%s/tls.pem", demo->folder, who);
    assert_int_equal(cert_load(path, &out->cert, NULL), RC_OK);
}

static struct order_signed erasure(void)
{
    struct order_signed made = {.order = {.kind = ORDER_ERASE,
                                          .member = "cdmx/mpi-cdmx",
                                          .basis = "LGPDPPSO-18",
                                          .reason = "conclusion-del-caso",
                                          .created_at_ms = clock_now_ms()}};

    memset(&made.order.id, 1, ID_SIZE);
    memset(&made.order.target.message_id, 2, ID_SIZE);
    return made;
}

/* The reason of the refusal; "" when it is admitted. */
static const char *judge(const struct demo *demo, struct order_signed *order,
                         const char *const signers[], struct fault *fault)
{
    struct signer made[MESSAGE_SIGNATURES_MAX] = {0};
    struct cert_store *authorities = NULL;
    struct order_signers found;
    char path[192];
    enum rc rc;

    order->signature_count = 0;
    for (size_t i = 0; i < 4 && signers[i] != NULL; i++) {
        sign_as(demo, signers[i], &made[i]);
        order->signatures[order->signature_count++] =
            (struct signature){cert_der(made[i].cert), BYTES(made[i].signature, made[i].size)};
    }
    snprintf(path, sizeof path, "%s/pki/ca/all.pem", demo->folder);
    assert_int_equal(cert_store_load(path, &authorities), RC_OK);
    *fault = (struct fault){.rc = RC_OK};
    rc = order_rules_check(demo->directory, authorities, order, digest, clock_now_ms(), &found,
                           fault);
    assert_int_equal(rc, fault->rc);
    for (size_t i = 0; i < 4; i++) {
        cert_free(made[i].cert);
    }
    cert_store_free(authorities);
    return fault->reason;
}

static void two_different_officials_of_the_member_sign(void **state)
{
    static const struct {
        const char *signers[5];
        const char *reason;
    } rows[] = {
        {{ONE, TWO}, ""},
        {{NULL}, "signature.missing"},
        {{ONE}, "signature.missing"},
        {{ONE, ONE}, "signature.same_official"},
        {{ONE, TWO, ONE}, "signature.same_official"},
        {{ONE, PGJ}, "signature.not_official"},
        {{ONE, SYSTEM}, "signature.not_official"},
        {{ONE, AUDITOR}, "signature.not_official"},
        {{ONE, TWO, PGJ}, "signature.not_official"},
    };
    struct fault fault;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct order_signed order = erasure();

        assert_string_equal(judge(*state, &order, rows[i].signers, &fault), rows[i].reason);
    }
}

static void a_hold_is_the_auditors(void **state)
{
    static const char *const auditor[] = {AUDITOR, NULL};
    static const char *const officials[] = {ONE, TWO, NULL};
    struct order_signed order = erasure();
    struct fault fault;

    order.order.kind = ORDER_HOLD;
    assert_string_equal(judge(*state, &order, auditor, &fault), "");
    assert_string_equal(judge(*state, &order, officials, &fault), "signature.not_official");
    memset(&order.order.target, 0, sizeof order.order.target); /* all of the member's */
    assert_string_equal(judge(*state, &order, auditor, &fault), "");
    order.order.kind = ORDER_RELEASE;
    assert_string_equal(judge(*state, &order, auditor, &fault), "order.target");
    memset(&order.order.lifts, 5, ID_SIZE);
    assert_string_equal(judge(*state, &order, auditor, &fault), "");
}

static void change(struct order *order, size_t number)
{
    static const struct id some = {{1}};

    switch (number) {
    case 0:
        order->target.message_id = (struct id){{0}};
        break;
    case 1:
        order->target.exchange_id = some;
        break;
    case 2:
        order->target.subjects[order->target.subject_count++] = some;
        break;
    case 3:
        order->target.part = 256; /* no type */
        break;
    case 4:
        order->target.part = 0xffff; /* the signatures are no compartment */
        break;
    case 5:
        order->lifts = some;
        break;
    case 6:
        order->basis = "";
        break;
    case 7:
        order->basis = "LGPDPPSO-";
        break;
    case 8:
        order->basis = "porque sí";
        break;
    case 9:
        order->reason = "María lo pidió";
        break;
    case 10:
        order->created_at_ms -= ORDER_AGE_MAX_MS + 1000;
        break;
    case 11:
        order->created_at_ms += (int64_t)10 * 60 * 1000;
        break;
    default:
        order->member = "cdmx/nadie";
        break;
    }
}

static void a_malformed_order_is_refused_whoever_signs_it(void **state)
{
    static const char *const signers[] = {ONE, TWO, NULL};
    static const char *const reasons[] = {
        "order.target", "order.target", "order.target", "order.target", "order.target",
        "order.target", "order.basis",  "order.basis",  "order.basis",  "order.reason",
        "order.age",    "order.age",    "order.member"};
    struct fault fault;

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct order_signed order = erasure();

        change(&order.order, i);
        assert_string_equal(judge(*state, &order, signers, &fault), reasons[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_different_officials_of_the_member_sign),
        cmocka_unit_test(a_hold_is_the_auditors),
        cmocka_unit_test(a_malformed_order_is_refused_whoever_signs_it),
    };

    return cmocka_run_group_tests(tests, demo_make, demo_remove);
}
