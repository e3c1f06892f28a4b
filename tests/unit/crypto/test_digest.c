#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/digest.h"

static void assert_hex(const uint8_t digest[DIGEST_SIZE], const char *hex)
{
    char text[2 * DIGEST_SIZE + 1];

    hex_encode(digest, DIGEST_SIZE, text);
    assert_string_equal(text, hex);
}

static void sha256_has_the_standard_values(void **state)
{
    uint8_t digest[DIGEST_SIZE];
    const struct bytes parts[] = {bytes_text("a"), bytes_text(""), bytes_text("bc")};

    (void)state;
    digest_of(NULL, 0, digest);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_of(parts, 3, digest);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231, cases 1, 2 and 6. */
static void hmac_has_the_standard_values(void **state)
{
    uint8_t key[131];
    uint8_t mac[DIGEST_SIZE];
    const struct bytes split[] = {bytes_text("Hi "), bytes_text("There")};
    struct bytes text;

    (void)state;
    memset(key, 0x0b, sizeof key);
    hmac_of(BYTES(key, 20), split, 2, mac);
    assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    text = bytes_text("what do ya want for nothing?");
    hmac_of(bytes_text("Jefe"), &text, 1, mac);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    text = bytes_text("Test Using Larger Than Block-Size Key - Hash Key First");
    hmac_of(BYTES_OF(key), &text, 1, mac);
    assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869, case 3 (no info): the first block of the output. */
static void hkdf_expand_has_the_standard_value(void **state)
{
    uint8_t key[DIGEST_SIZE];
    uint8_t out[DIGEST_SIZE];
    uint8_t other[DIGEST_SIZE];

    (void)state;
    assert_int_equal(hex_decode("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
                                key, sizeof key),
                     RC_OK);
    hkdf_expand(key, "", out);
    assert_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    hkdf_expand(key, "open", other);
    assert_false(digest_equal(out, other));
}

static void a_stream_gives_what_one_call_gives_and_starts_over(void **state)
{
    OWN_PTR(digest_stream) stream = digest_stream_new();
    uint8_t whole[DIGEST_SIZE];
    uint8_t piecewise[DIGEST_SIZE];
    uint8_t data[1000];

    (void)state;
    assert_non_null(stream);
    memset(data, 7, sizeof data);
    digest_of(&BYTES_OF(data), 1, whole);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof data; i += 100) {
            digest_stream_add(stream, BYTES(data + i, 100));
        }
        digest_stream_end(stream, piecewise);
        assert_memory_equal(piecewise, whole, DIGEST_SIZE);
    }
}

static void one_bit_makes_digests_unequal(void **state)
{
    uint8_t a[DIGEST_SIZE] = {0};
    uint8_t b[DIGEST_SIZE] = {0};

    (void)state;
    assert_true(digest_equal(a, b));
    b[31] = 1;
    assert_false(digest_equal(a, b));
}

static void random_bytes_differ_and_stay_within_bounds(void **state)
{
    uint8_t a[66] = {0};
    uint8_t b[66] = {0};

    (void)state;
    random_fill(a + 1, 64);
    random_fill(b + 1, 64);
    assert_memory_not_equal(a, b, 66);
    assert_int_equal(a[0] + a[65] + b[0] + b[65], 0);
    random_fill(a, 0);
}

static void small_draws_never_repeat(void **state)
{
    static uint8_t drawn[300][16];

    (void)state;
    for (size_t i = 0; i < 300; i++) {
        random_fill(drawn[i], sizeof drawn[i]);
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(drawn[i], drawn[k], sizeof drawn[i]);
        }
    }
}

static void a_forked_child_draws_otherwise_than_its_parent(void **state)
{
    uint8_t ours[32];
    uint8_t theirs[32];
    int ends[2];
    pid_t child;

    (void)state;
    random_fill(ours, 1);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        random_fill(theirs, sizeof theirs);
        _exit(write(ends[1], theirs, sizeof theirs) == sizeof theirs ? 0 : 1);
    }
    random_fill(ours, sizeof ours);
    assert_int_equal(read(ends[0], theirs, sizeof theirs), sizeof theirs);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_memory_not_equal(ours, theirs, sizeof ours);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_has_the_standard_values),
        cmocka_unit_test(hmac_has_the_standard_values),
        cmocka_unit_test(hkdf_expand_has_the_standard_value),
        cmocka_unit_test(a_stream_gives_what_one_call_gives_and_starts_over),
        cmocka_unit_test(one_bit_makes_digests_unequal),
        cmocka_unit_test(random_bytes_differ_and_stay_within_bounds),
        cmocka_unit_test(small_draws_never_repeat),
        cmocka_unit_test(a_forked_child_draws_otherwise_than_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
