#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/profile.h"

#define NODE_LOG "gw.cdmx/audit/2026"
#define OTHER_LOG "gw.ssc/audit/2026"

static void vkey_line(const char *origin, uint8_t byte, char out[VKEY_TEXT_SIZE])
{
    uint8_t seed[ED25519_SEED_SIZE] = {byte};
    OWN_PTR(keyring) keyring = keyring_from_seed(seed);
    struct vkey vkey;

    assert_int_equal(vkey_of(origin, VKEY_ED25519, keyring, &vkey), RC_OK);
    vkey_format(&vkey, out);
}

/* A good profile of these lines, and `more` after them. */
static enum rc read_lines(const char *member, const char *more, struct profile **profile,
                          char error[PROFILE_ERROR_SIZE])
{
    char path[] = "/tmp/enlace-profile-XXXXXX";
    char own[VKEY_TEXT_SIZE];
    char other[VKEY_TEXT_SIZE];
    FILE *file = fdopen(mkstemp(path), "w");
    enum rc rc;

    vkey_line(NODE_LOG, 1, own);
    vkey_line(OTHER_LOG, 2, other);
    fprintf(file,
            "address = 127.0.0.1:7443\nnode = spiffe://enlace.cdmx/node/cdmx\n"
            "certificate = pki/tls.pem\nkey = /abs/tls.key\nca = pki/ca.pem\nmember = %s\n"
            "system = plataforma\nnode_log = %s\nlog = %s\n%s",
            member, own, other, more);
    fclose(file);
    rc = profile_read(path, profile, error);
    unlink(path);
    return rc;
}

static void a_profile_is_read_and_paths_count_from_it(void **state)
{
    OWN_PTR(profile) profile = NULL;
    char error[PROFILE_ERROR_SIZE] = "";

    (void)state;
    assert_int_equal(read_lines("cdmx/mpi-cdmx", "", &profile, error), RC_OK);
    assert_string_equal(profile->certificate, "/tmp/pki/tls.pem");
    assert_string_equal(profile->key, "/abs/tls.key");
    assert_int_equal(profile->log_count, 2);
    assert_int_equal(profile->own_log_count, 1);
    assert_int_equal(profile->timeout_ms, 15000);
    assert_string_equal(profile->spool, "");
}

static void the_log_of_a_member_is_the_one_that_its_line_names(void **state)
{
    OWN_PTR(profile) profile = NULL;
    char error[PROFILE_ERROR_SIZE] = "";
    size_t count = 0;

    (void)state;
    assert_int_equal(
        read_lines("cdmx/mpi-cdmx", "peer = cdmx/ssc " OTHER_LOG "\n", &profile, error), RC_OK);
    assert_string_equal(profile_logs_of(profile, "cdmx/ssc", &count)->name, OTHER_LOG);
    assert_int_equal(count, 1);
    (void)profile_logs_of(profile, "cdmx/ss", &count);
    assert_int_equal(count, 2); /* nobody said: any that is trusted */
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    static const struct {
        const char *member;
        const char *more;
        const char *told;
    } rows[] = {
        {"cdmx", "", ":6: member:"},
        {"cdmx/", "", ":6: member:"},
        {"cdmx/a/b", "", ":6: member:"},
        {"cdmx/ssc", "log = gw.pgj/audit/2026+00000000+AAAA\n", ":10: log:"},
        {"cdmx/ssc", "peer = cdmx/pgj gw.pgj/audit/2026\n", ":10: peer:"},
        {"cdmx/ssc", "peer = cdmx/pgj\n", ":10: peer:"},
        {"cdmx/ssc", "official_key = a.key\n", ":10: official_key:"},
        {"cdmx/ssc", "seal_certificate = a.pem\n", "seal_key"},
        {"cdmx/ssc", "sistema = x\n", "did you mean system"},
        {"cdmx/ssc", "timeout_ms = 1\n", ":10: timeout_ms:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OWN_PTR(profile) profile = NULL;
        char error[PROFILE_ERROR_SIZE] = "";

        assert_int_equal(read_lines(rows[i].member, rows[i].more, &profile, error),
                         RC_INVALID_ARGUMENT);
        assert_null(profile);
        if (strstr(error, rows[i].told) == NULL) {
            print_error("expected %s in: %s\n", rows[i].told, error);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_is_read_and_paths_count_from_it),
        cmocka_unit_test(the_log_of_a_member_is_the_one_that_its_line_names),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
