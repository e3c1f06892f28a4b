#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "crypto/cert.h"
#include "crypto/cms.h"
#include "unit/crypto/throwaway.h"

#define URI "spiffe://enlace.cdmx/member/ssc/system/despacho"

struct holder {
    struct throwaway made;
    struct cert *cert;
    struct sealkey *key;
};

static void holder_release(struct holder *holder)
{
    throwaway_release(&holder->made);
    cert_free(holder->cert);
    sealkey_free(holder->key);
}

static struct holder holder_make(void)
{
    struct holder holder = {.made = throwaway_holder(URI, NULL)};
    OWN(buffer) pem = {0};
    char path[THROWAWAY_PATH];

    throwaway_pem(&holder.made, &pem);
    assert_int_equal(cert_from_pem(buffer_bytes(&pem), &holder.cert, NULL), RC_OK);
    throwaway_key_file(holder.made.key, 0600, path);
    assert_int_equal(sealkey_load(path, &holder.key, NULL), RC_OK);
    unlink(path);
    return holder;
}

static void padding_hides_the_length_in_buckets(void **state)
{
    static const struct {
        size_t content;
        size_t padded;
    } rows[] = {
        {0, 1024},       {988, 1024},       {989, 4096},
        {4060, 4096},    {4061, 16384},     {16384, 65536},
        {65536, 262144}, {262144, 1048576}, {CMS_CONTENT_MAX, 1048576},
    };
    uint8_t *content = calloc(1, CMS_CONTENT_MAX + 1);
    OWN(buffer) padded = {0};

    (void)state;
    memset(content, 0xee, CMS_CONTENT_MAX + 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes inner;

        buffer_clear(&padded);
        assert_int_equal(cms_pad(BYTES(content, rows[i].content), &padded), RC_OK);
        assert_int_equal(padded.size, rows[i].padded);
        assert_int_equal(cms_unpad(buffer_bytes(&padded), &inner), RC_OK);
        assert_true(bytes_equal(inner, BYTES(content, rows[i].content)));
    }
    buffer_clear(&padded);
    assert_int_equal(cms_pad(BYTES(content, CMS_CONTENT_MAX + 1), &padded), RC_OUT_OF_RANGE);
    assert_int_equal(padded.size, 0);
    free(content);
}

static void wrong_padding_is_refused(void **state)
{
    static const struct {
        const char *why;
        size_t size;
        size_t at;
        uint8_t value;
    } rows[] = {
        {"no bucket", 1023, 0, 0},
        {"no bucket", 4095, 0, 0},
        {"empty", 0, 0, 0},
        {"head only", 36, 0, 0},
        {"length past the end", 1024, 32, 1},
        {"last byte not zero", 1024, 1023, 1},
        {"first byte not zero", 1024, 36, 1},
        {"a bucket too large", 4096, 0, 0},
        {"length one too long", 1024, 34, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t block[4096] = {0};
        struct bytes inner;

        block[rows[i].at] = rows[i].value;
        if (cms_unpad(BYTES(block, rows[i].size), &inner) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
}

static void each_recipient_opens_and_nobody_else(void **state)
{
    OWN(holder) a = holder_make();
    OWN(holder) b = holder_make();
    OWN(holder) other = holder_make();
    const struct cert *const recipients[] = {a.cert, b.cert};
    struct holder *const holders[] = {&a, &b};
    uint8_t digest[DIGEST_SIZE];
    OWN(buffer) sealed = {0};
    OWN(buffer) content = {0};

    (void)state;
    assert_int_equal(cms_seal(bytes_text("secret"), recipients, 2, &sealed, digest), RC_OK);
    for (size_t i = 0; i < 2; i++) {
        buffer_clear(&content);
        assert_int_equal(
            cms_open(buffer_bytes(&sealed), holders[i]->cert, holders[i]->key, digest, &content),
            RC_OK);
        assert_true(bytes_are_text(buffer_bytes(&content), "secret"));
    }
    buffer_clear(&content);
    assert_int_equal(cms_open(buffer_bytes(&sealed), other.cert, other.key, digest, &content),
                     RC_PERMISSION_DENIED);
    assert_int_equal(cms_open(buffer_bytes(&sealed), a.cert, other.key, digest, &content),
                     RC_DATA_LOSS);
    digest[0] ^= 1;
    assert_int_equal(cms_open(buffer_bytes(&sealed), a.cert, a.key, digest, &content),
                     RC_DATA_LOSS);
    assert_int_equal(content.size, 0);
}

/* As a node sees it that can not open it. */
static void what_is_sealed_looks_sealed(void **state)
{
    static const size_t sizes[] = {0, 988, 989, 70000, CMS_CONTENT_MAX};
    OWN(holder) a = holder_make();
    const struct cert *const recipients[] = {a.cert, a.cert, a.cert};
    uint8_t *content = calloc(1, CMS_CONTENT_MAX);
    uint8_t digest[DIGEST_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        OWN(buffer) sealed = {0};

        assert_int_equal(cms_seal(BYTES(content, sizes[i]), recipients, 1 + i % 3, &sealed, digest),
                         RC_OK);
        assert_true(cms_looks_sealed(buffer_bytes(&sealed)));
        assert_false(cms_looks_sealed(BYTES(sealed.data, sealed.size - 1)));
        buffer_put_u8(&sealed, 0);
        assert_false(cms_looks_sealed(buffer_bytes(&sealed)));
    }
    free(content);
}

/* One changed byte of the frame: each row names what it breaks. */
static void what_is_not_sealed_is_told_from_it(void **state)
{
    OWN(holder) a = holder_make();
    const struct cert *const recipients[] = {a.cert};
    uint8_t digest[DIGEST_SIZE];
    OWN(buffer) sealed = {0};
    OWN(buffer) copy = {0};
    struct bytes all;
    size_t content_at;

    (void)state;
    assert_int_equal(cms_seal(bytes_text("secret"), recipients, 1, &sealed, digest), RC_OK);
    all = buffer_bytes(&sealed);
    content_at = all.size - 18 - 1024; /* before the tag of 2 + 16 bytes */
    {
        const struct {
            size_t at;
            uint8_t value;
            const char *why;
        } rows[] = {
            {0, 0x31, "no sequence"},
            {1, 0x80, "indefinite length"},
            {3, (uint8_t)(all.data[3] + 1), "longer than it is"},
            {3, (uint8_t)(all.data[3] - 1), "shorter than it is"},
            {16, 0x03, "enveloped data, not authenticated"},
            {17, 0xa1, "not the content"},
            {27, 0x01, "version 1"},
            {28, 0x30, "no set of recipients"},
            {content_at - 4, 0xa0, "encrypted content in pieces"},
            {content_at - 1, 0x01, "no bucket"},
            {content_at - 5, 0x0c, "a tag of 12 bytes"},
            {all.size - 18, 0x03, "no tag"},
        };

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            buffer_clear(&copy);
            buffer_put_bytes(&copy, all);
            copy.data[rows[i].at] = rows[i].value;
            if (cms_looks_sealed(buffer_bytes(&copy))) {
                fail_msg("looks sealed: %s", rows[i].why);
            }
        }
    }
}

static void plain_text_and_noise_do_not_look_sealed(void **state)
{
    static const char *const rows[] = {
        "",
        "0",
        "09015",
        "Calle de la Luna 7, interior 3",
        "\x30\x80",
        "\x30\x82\x01",
        "\x30\x84\xff\xff\xff\xff",
        "\x30\x0f\x06\x0b*\x86H\x86\xf7\r\x01\t\x10\x01\x17\xa0\x02"
        "0",
    };
    uint8_t noise[2048];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(cms_looks_sealed(bytes_text(rows[i])));
    }
    for (unsigned i = 0; i < 1000; i++) {
        random_fill(noise, sizeof noise);
        noise[0] = 0x30;
        assert_false(cms_looks_sealed(BYTES(noise, sizeof noise)));
    }
}

static void a_flipped_bit_anywhere_is_refused(void **state)
{
    OWN(holder) a = holder_make();
    const struct cert *const recipients[] = {a.cert};
    uint8_t digest[DIGEST_SIZE];
    OWN(buffer) sealed = {0};
    OWN(buffer) content = {0};
    unsigned accepted = 0;

    (void)state;
    assert_int_equal(cms_seal(bytes_text("secret"), recipients, 1, &sealed, digest), RC_OK);
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        accepted +=
            cms_open(buffer_bytes(&sealed), a.cert, a.key, digest, &content) == RC_OK ? 1 : 0;
        sealed.data[i] ^= 1;
    }
    for (size_t size = 0; size < sealed.size; size += 7) {
        assert_int_not_equal(cms_open(BYTES(sealed.data, size), a.cert, a.key, digest, &content),
                             RC_OK);
    }
    /*
     * CMS covers neither its two version numbers, nor the tag's length, nor (where the last bit of
     * the ephemeral key is 0) the count of unused bits: what opens then is the right content.
     */
    assert_in_range(accepted, 0, 4);
    assert_int_equal(content.size, accepted * strlen("secret"));
}

static void what_is_not_sealed_so_is_refused(void **state)
{
    OWN(holder) a = holder_make();
    const struct cert *const recipients[] = {a.cert};
    uint8_t digest[DIGEST_SIZE] = {0};
    OWN(buffer) sealed = {0};
    OWN(buffer) content = {0};

    (void)state;
    assert_int_equal(cms_seal(bytes_text("x"), recipients, 0, &sealed, digest),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(cms_open(bytes_text(""), a.cert, a.key, digest, &content),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(cms_open(bytes_text("text"), a.cert, a.key, digest, &content),
                     RC_INVALID_ARGUMENT);
    assert_int_equal(cms_seal(bytes_text("x"), recipients, 1, &sealed, digest), RC_OK);
    buffer_put_u8(&sealed, 0);
    assert_int_equal(cms_open(buffer_bytes(&sealed), a.cert, a.key, digest, &content),
                     RC_INVALID_ARGUMENT);
}

/* openssl cms -encrypt with CBC: EnvelopedData, which tampering does not break. */
static void enveloped_data_without_authentication_is_refused(void **state)
{
    OWN(holder) a = holder_make();
    uint8_t digest[DIGEST_SIZE] = {0};
    char cert_path[THROWAWAY_PATH];
    char out_path[] = "/tmp/enlace-cbc-XXXXXX";
    char command[512];
    OWN(buffer) pem = {0};
    OWN(buffer) content = {0};
    uint8_t sealed[4096];
    int fd = mkstemp(out_path);
    ssize_t size;

    (void)state;
    throwaway_pem(&a.made, &pem);
    throwaway_file(buffer_bytes(&pem), 0600, cert_path);
    snprintf(command, sizeof command,
             "echo x | openssl cms -encrypt -binary -outform DER -aes-256-cbc -out %s %s", out_path,
             cert_path);
    assert_int_equal(system(command), 0);
    size = read(fd, sealed, sizeof sealed);
    assert_true(size > 0);
    assert_int_equal(cms_open(BYTES(sealed, (size_t)size), a.cert, a.key, digest, &content),
                     RC_INVALID_ARGUMENT);
    close(fd);
    unlink(out_path);
    unlink(cert_path);
}

static void the_openssl_command_opens_it(void **state)
{
    OWN(holder) a = holder_make();
    const struct cert *const recipients[] = {a.cert};
    uint8_t digest[DIGEST_SIZE];
    uint8_t found[DIGEST_SIZE];
    uint8_t plain[2048];
    OWN(buffer) sealed = {0};
    OWN(buffer) pem = {0};
    char paths[3][THROWAWAY_PATH];
    char command[640];
    struct bytes inner;
    FILE *pipe;
    size_t size;

    (void)state;
    assert_int_equal(cms_seal(bytes_text("secret"), recipients, 1, &sealed, digest), RC_OK);
    throwaway_pem(&a.made, &pem);
    throwaway_file(buffer_bytes(&sealed), 0600, paths[0]);
    throwaway_file(buffer_bytes(&pem), 0600, paths[1]);
    throwaway_key_file(a.made.key, 0600, paths[2]);
    snprintf(command, sizeof command,
             "openssl cms -decrypt -binary -inform DER -in %s -recip %s -inkey %s", paths[0],
             paths[1], paths[2]);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    size = fread(plain, 1, sizeof plain, pipe);
    assert_int_equal(pclose(pipe), 0);
    digest_of(&BYTES(plain, size), 1, found);
    assert_memory_equal(found, digest, DIGEST_SIZE);
    assert_int_equal(cms_unpad(BYTES(plain, size), &inner), RC_OK);
    assert_true(bytes_are_text(inner, "secret"));
    snprintf(command, sizeof command,
             "openssl cms -cmsout -print -noout -inform DER -in %s | "
             "grep -q 'dhSinglePass-stdDH-sha256kdf-scheme'",
             paths[0]);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < 3; i++) {
        unlink(paths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_hides_the_length_in_buckets),
        cmocka_unit_test(wrong_padding_is_refused),
        cmocka_unit_test(each_recipient_opens_and_nobody_else),
        cmocka_unit_test(what_is_sealed_looks_sealed),
        cmocka_unit_test(what_is_not_sealed_is_told_from_it),
        cmocka_unit_test(plain_text_and_noise_do_not_look_sealed),
        cmocka_unit_test(a_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(what_is_not_sealed_so_is_refused),
        cmocka_unit_test(enveloped_data_without_authentication_is_refused),
        cmocka_unit_test(the_openssl_command_opens_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
