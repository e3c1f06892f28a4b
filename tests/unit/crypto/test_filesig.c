#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "crypto/filesig.h"

static char folder[32];

static const char *path(const char *name)
{
    static char whole[4][96];
    static unsigned next;
    char *out = whole[next++ % 4];

    snprintf(out, sizeof whole[0], "%s/%s", folder, name);
    return out;
}

static int run(const char *command)
{
    char whole[1024];

    snprintf(whole, sizeof whole, "cd %s && %s", folder, command);
    return system(whole);
}

/* Keys made by another program, and its verdict on what we signed. */
static int make_keys(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/filesig-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    return run("umask 077; for n in ours theirs other; do openssl req -x509 -newkey ec -pkeyopt "
               "ec_paramgen_curve:P-256 -nodes -keyout $n.key -out $n.pem -days 30 -subj /CN=$n "
               "2>/dev/null || exit 1; done; openssl req -x509 -newkey rsa:1024 -nodes -keyout "
               "weak.key -out weak.pem -days 30 -subj /CN=weak 2>/dev/null; cat theirs.pem "
               "weak.pem > list.pem; cp ours.key open.key; chmod 644 open.key");
}

static int remove_keys(void **state)
{
    (void)state;
    return run("rm -rf \"$PWD\"");
}

static void write_file(const char *name, struct bytes bytes)
{
    FILE *file = fopen(path(name), "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes.data, 1, bytes.size, file), bytes.size);
    fclose(file);
}

static void read_file(const char *name, struct buffer *into)
{
    uint8_t chunk[65536];
    FILE *file = fopen(path(name), "rb");

    assert_non_null(file);
    buffer_put(into, chunk, fread(chunk, 1, sizeof chunk, file));
    fclose(file);
}

static const char content[] = "{\"renglones\": 2}\n";
#define CONTENT BYTES(content, sizeof content - 1)

static void openssl_verifies_what_we_sign(void **state)
{
    OWN_PTR(filesigner) signer = NULL;
    OWN(buffer) signature = {0};
    struct fault fault = {0};

    (void)state;
    assert_int_equal(filesigner_load(path("ours.pem"), path("ours.key"), &signer, &fault), RC_OK);
    assert_int_equal(filesig_sign(signer, CONTENT, &signature), RC_OK);
    write_file("c", CONTENT);
    write_file("c.p7s", buffer_bytes(&signature));
    assert_int_equal(run("openssl cms -verify -binary -inform DER -in c.p7s -content c -CAfile "
                         "ours.pem -purpose any -out /dev/null 2>/dev/null"),
                     0);
    write_file("c", BYTES_OF("other"));
    assert_int_not_equal(run("openssl cms -verify -binary -inform DER -in c.p7s -content c -CAfile "
                             "ours.pem -purpose any -out /dev/null 2>/dev/null"),
                         0);
}

static enum rc verify_by(const char *signer, const char *extra, struct bytes bytes, int64_t now_ms,
                         struct fault *fault)
{
    OWN_PTR(filesigners) signers = NULL;
    OWN(buffer) signature = {0};
    char command[512];

    write_file("d", CONTENT);
    snprintf(command, sizeof command,
             "openssl cms -sign -binary -outform DER -in d -out d.p7s -signer %s.pem -inkey %s.key "
             "%s 2>/dev/null",
             signer, signer, extra);
    assert_int_equal(run(command), 0);
    read_file("d.p7s", &signature);
    assert_int_equal(filesigners_load(path("list.pem"), &signers, fault), RC_OK);
    return filesig_verify(signers, bytes, buffer_bytes(&signature), now_ms, fault);
}

static void only_a_listed_signer_of_exactly_this_content_counts(void **state)
{
    static const int64_t year_ms = 365 * 86400000LL;
    const struct {
        const char *signer;
        const char *extra;
        struct bytes content;
        int64_t later_ms;
        enum rc rc;
        const char *reason;
    } cases[] = {
        {"theirs", "", CONTENT, 0, RC_OK, ""},
        {"theirs", "-nocerts", CONTENT, 0, RC_OK, ""},
        {"theirs", "", BYTES_OF("{}"), 0, RC_UNAUTHENTICATED, "signature.wrong"},
        {"other", "", CONTENT, 0, RC_UNAUTHENTICATED, "signature.unknown_signer"},
        {"theirs", "", CONTENT, year_ms, RC_UNAUTHENTICATED, "signature.expired"},
        {"weak", "", CONTENT, 0, RC_UNAUTHENTICATED, "signature.weak"},
        {"theirs", "-md sha1", CONTENT, 0, RC_UNAUTHENTICATED, "signature.weak"},
        {"theirs", "-signer other.pem -inkey other.key", CONTENT, 0, RC_UNAUTHENTICATED,
         "signature.malformed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = {0};

        assert_int_equal(verify_by(cases[i].signer, cases[i].extra, cases[i].content,
                                   clock_now_ms() + cases[i].later_ms, &fault),
                         cases[i].rc);
        assert_string_equal(fault.reason, cases[i].reason);
    }
}

static void no_flipped_byte_passes(void **state)
{
    OWN_PTR(filesigner) signer = NULL;
    OWN_PTR(filesigners) signers = NULL;
    OWN(buffer) signature = {0};
    struct fault fault = {0};
    size_t passed = 0;

    (void)state;
    assert_int_equal(filesigner_load(path("ours.pem"), path("ours.key"), &signer, &fault), RC_OK);
    assert_int_equal(filesigners_load(path("ours.pem"), &signers, &fault), RC_OK);
    assert_int_equal(filesig_sign(signer, CONTENT, &signature), RC_OK);
    for (size_t i = 0; i <= signature.size; i++) {
        char changed[sizeof content];
        struct fault why = {0};

        memcpy(changed, content, sizeof content);
        changed[i % (sizeof content - 1)] ^= 1;
        assert_int_equal(filesig_verify(signers, BYTES(changed, sizeof content - 1),
                                        buffer_bytes(&signature), clock_now_ms(), &why),
                         RC_UNAUTHENTICATED);
        passed += filesig_verify(signers, CONTENT, BYTES(signature.data, i), clock_now_ms(),
                                 &why) == RC_OK;
    }
    assert_int_equal(passed, 1); /* the whole one */
}

static void a_key_that_others_can_read_is_not_used(void **state)
{
    OWN_PTR(filesigner) signer = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(filesigner_load(path("ours.pem"), path("open.key"), &signer, &fault),
                     RC_PERMISSION_DENIED);
    assert_int_equal(filesigner_load(path("ours.pem"), path("other.key"), &signer, &fault),
                     RC_FAILED_PRECONDITION);
    assert_int_equal(filesigner_load(path("weak.pem"), path("weak.key"), &signer, &fault),
                     RC_FAILED_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verifies_what_we_sign),
        cmocka_unit_test(only_a_listed_signer_of_exactly_this_content_counts),
        cmocka_unit_test(no_flipped_byte_passes),
        cmocka_unit_test(a_key_that_others_can_read_is_not_used),
    };

    return cmocka_run_group_tests(tests, make_keys, remove_keys);
}
