#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/spiffe.h"

#define CODE32 "abcdefghijklmnopqrstuvwxyz-01234"

static void each_kind_reads_and_writes_back(void **state)
{
    static const struct {
        const char *uri;
        struct spiffe expected;
    } rows[] = {
        {"spiffe://enlace.cdmx/member/ssc/system/despacho",
         {SPIFFE_SYSTEM, "cdmx", "ssc", "despacho"}},
        {"spiffe://enlace.mx/node/segob", {SPIFFE_NODE, "mx", "segob", ""}},
        {"spiffe://enlace.cdmx/member/mpi-cdmx/official/4711",
         {SPIFFE_OFFICIAL, "cdmx", "mpi-cdmx", "4711"}},
        {"spiffe://enlace.cdmx/auditor/contraloria/a-1",
         {SPIFFE_AUDITOR, "cdmx", "contraloria", "a-1"}},
        {"spiffe://enlace.abcdefghijklmn01/member/" CODE32 "/official/" CODE32,
         {SPIFFE_OFFICIAL, "abcdefghijklmn01", CODE32, CODE32}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct spiffe spiffe;
        char text[SPIFFE_TEXT_SIZE];

        assert_int_equal(spiffe_parse(bytes_text(rows[i].uri), &spiffe), RC_OK);
        assert_int_equal(spiffe.kind, rows[i].expected.kind);
        assert_string_equal(spiffe.network, rows[i].expected.network);
        assert_string_equal(spiffe.code, rows[i].expected.code);
        assert_string_equal(spiffe.name, rows[i].expected.name);
        spiffe_format(&spiffe, text);
        assert_string_equal(text, rows[i].uri);
    }
}

static void anything_else_is_refused(void **state)
{
    static const struct {
        const char *why;
        const char *uri;
    } rows[] = {
        {"empty", ""},
        {"scheme only", "spiffe://"},
        {"another scheme", "https://enlace.cdmx/node/ssc"},
        {"upper case scheme", "SPIFFE://enlace.cdmx/node/ssc"},
        {"another trust domain", "spiffe://example.cdmx/node/ssc"},
        {"no network", "spiffe://enlace./node/ssc"},
        {"no dot", "spiffe://enlace/node/ssc"},
        {"network too long", "spiffe://enlace.abcdefghijklmn012/node/ssc"},
        {"hyphen in the network", "spiffe://enlace.cd-mx/node/ssc"},
        {"dot in the network", "spiffe://enlace.cdmx.gob/node/ssc"},
        {"upper case network", "spiffe://enlace.CDMX/node/ssc"},
        {"port", "spiffe://enlace.cdmx:443/node/ssc"},
        {"user", "spiffe://a@enlace.cdmx/node/ssc"},
        {"no path", "spiffe://enlace.cdmx"},
        {"unknown kind", "spiffe://enlace.cdmx/robot/ssc"},
        {"unknown part", "spiffe://enlace.cdmx/member/ssc/robot/a"},
        {"member alone", "spiffe://enlace.cdmx/member/ssc"},
        {"no code", "spiffe://enlace.cdmx/member//system/a"},
        {"no name", "spiffe://enlace.cdmx/member/ssc/system/"},
        {"code too long", "spiffe://enlace.cdmx/node/" CODE32 "5"},
        {"name too long", "spiffe://enlace.cdmx/member/ssc/system/" CODE32 "5"},
        {"slash at the end", "spiffe://enlace.cdmx/node/ssc/"},
        {"more", "spiffe://enlace.cdmx/node/ssc/x"},
        {"node with a name", "spiffe://enlace.cdmx/node/ssc/system/a"},
        {"auditor without id", "spiffe://enlace.cdmx/auditor/contraloria"},
        {"escape", "spiffe://enlace.cdmx/node/s%73c"},
        {"query", "spiffe://enlace.cdmx/node/ssc?x"},
        {"fragment", "spiffe://enlace.cdmx/node/ssc#x"},
        {"dots", "spiffe://enlace.cdmx/node/../ssc"},
        {"underscore", "spiffe://enlace.cdmx/node/s_c"},
        {"space", "spiffe://enlace.cdmx/node/ssc "},
        {"letter of another alphabet", "spiffe://enlace.cdmx/node/ss\xd1\x81"},
    };
    struct spiffe spiffe;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (spiffe_parse(bytes_text(rows[i].uri), &spiffe) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
    assert_int_equal(spiffe_parse(BYTES("spiffe://enlace.cdmx/node/ssc\0", 30), &spiffe),
                     RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_reads_and_writes_back),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
