#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tlog/merkle.h"
#include "tlog/tlog_proof.h"
#include "tlog/view.h"

#define ORIGIN "gw.cdmx/audit/2026"
#define HEADER "c2sp.org/tlog-proof@v1\n"
#define HASH "rzFuy5Go7nrpkhBwKy1HWPMM3eO/YePY54fXRoH5Cm4="

/* The receipt of entry 5 of a log with 7 entries "entry 0" ... */
static void make_receipt(const struct keyring *keyring, struct buffer *receipt)
{
    OWN_PTR(view) view = view_new(8);
    OWN(buffer) note = {0};
    struct checkpoint head = {.origin = ORIGIN, .size = 7};
    struct proof path;
    char entry[] = "entry 0";

    view_begin(view, &(struct frontier){0});
    for (; entry[6] < '7'; entry[6]++) {
        uint8_t hash[DIGEST_SIZE];

        merkle_leaf(BYTES(entry, 7), hash);
        assert_int_equal(view_append(view, hash), RC_OK);
    }
    view_end(view);
    memcpy(head.root, view_root(view), DIGEST_SIZE);
    assert_int_equal(checkpoint_sign(&head, keyring, &note), RC_OK);
    assert_int_equal(view_proof(view, 5, &path), RC_OK);
    tlog_proof_write(5, &path, (struct bytes){0}, buffer_bytes(&note), receipt);
}

static struct keyring *make_key(struct vkey *vkey)
{
    uint8_t seed[ED25519_SEED_SIZE] = {3};
    struct keyring *keyring = keyring_from_seed(seed);

    assert_int_equal(vkey_of(ORIGIN, VKEY_ED25519, keyring, vkey), RC_OK);
    return keyring;
}

static void a_receipt_verifies_offline(void **state)
{
    struct vkey vkey;
    OWN_PTR(keyring) keyring = make_key(&vkey);
    OWN(buffer) receipt = {0};
    struct checkpoint head;
    struct note note;
    uint64_t index = 0;

    (void)state;
    make_receipt(keyring, &receipt);
    assert_int_equal(tlog_proof_verify(buffer_bytes(&receipt), bytes_text("entry 5"), &vkey, &index,
                                       &head, &note),
                     RC_OK);
    assert_int_equal(index, 5);
    assert_int_equal(head.size, 7);
    assert_int_equal(note.count, 1);
    assert_int_equal(tlog_proof_verify(buffer_bytes(&receipt), bytes_text("entry 4"), &vkey, &index,
                                       &head, NULL),
                     RC_DATA_LOSS);
}

static void a_flipped_bit_anywhere_is_refused(void **state)
{
    struct vkey vkey;
    OWN_PTR(keyring) keyring = make_key(&vkey);
    OWN(buffer) receipt = {0};
    struct checkpoint head;
    uint64_t index = 0;

    (void)state;
    make_receipt(keyring, &receipt);
    for (size_t i = 0; i < receipt.size * 8; i++) {
        receipt.data[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(tlog_proof_verify(buffer_bytes(&receipt), bytes_text("entry 5"), &vkey,
                                               &index, &head, NULL),
                             RC_OK);
        receipt.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t size = 0; size < receipt.size; size++) {
        assert_int_not_equal(tlog_proof_verify(BYTES(receipt.data, size), bytes_text("entry 5"),
                                               &vkey, &index, &head, NULL),
                             RC_OK);
    }
}

static void extra_data_reads_back(void **state)
{
    OWN(buffer) buffer = {0};
    struct tlog_proof proof;
    uint8_t extra[3000];
    uint8_t read[3000];
    size_t size = 0;

    (void)state;
    for (size_t i = 0; i < sizeof extra; i++) {
        extra[i] = (uint8_t)(i * 7);
    }
    for (size_t length = 0; length <= sizeof extra; length += length < 8 ? 1 : 97) {
        buffer_clear(&buffer);
        tlog_proof_write(9, &(struct proof){.count = 2}, BYTES(extra, length), bytes_text("note\n"),
                         &buffer);
        assert_int_equal(tlog_proof_parse(buffer_bytes(&buffer), &proof), RC_OK);
        assert_true(proof.has_extra);
        assert_int_equal(proof.index, 9);
        assert_int_equal(proof.path.count, 2);
        assert_true(bytes_are_text(proof.note, "note\n"));
        assert_int_equal(base64_decode(proof.extra_base64, read, sizeof read, &size), RC_OK);
        assert_true(bytes_equal(BYTES(read, size), BYTES(extra, length)));
    }
}

static void malformed_receipts_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"wrong header", "wrong-header\nindex 0\n\nc\n"},
        {"another version", "c2sp.org/tlog-proof@v2\nindex 0\n\nc\n"},
        {"no index", HEADER "\n\nc\n"},
        {"no number", HEADER "index \n\nc\n"},
        {"not a number", HEADER "index notanumber\n\nc\n"},
        {"negative", HEADER "index -5\n\nc\n"},
        {"leading zero", HEADER "index 05\n\nc\n"},
        {"two spaces", HEADER "index  5\n\nc\n"},
        {"2^63", HEADER "index 9223372036854775808\n\nc\n"},
        {"extra is not base64", HEADER "extra !!notbase64!!\nindex 0\n\nc\n"},
        {"extra after the index", HEADER "index 0\nextra AAAA\n\nc\n"},
        {"extra twice", HEADER "extra AAAA\nextra AAAA\nindex 0\n\nc\n"},
        {"hash is not base64", HEADER "index 0\n!!notbase64!!\n\nc\n"},
        {"long hash", HEADER "index 0\nAAAA" HASH "\n\nc\n"},
        {"short hash", HEADER "index 0\nAAAA\n\nc\n"},
        {"no empty line", HEADER "index 0\n" HASH "\n"},
        {"no checkpoint", HEADER "index 0\n" HASH "\n\n"},
        {"CR LF", "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nc\r\n"},
    };
    struct tlog_proof proof;

    (void)state;
    assert_int_equal(tlog_proof_parse(bytes_text(HEADER "index 0\n\nc\n"), &proof), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (tlog_proof_parse(bytes_text(rows[i].text), &proof) != RC_INVALID_ARGUMENT) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
}

static void the_path_is_bounded(void **state)
{
    OWN(buffer) buffer = {0};
    struct proof path = {.count = TLOG_PROOF_HASHES_MAX};
    struct tlog_proof proof;

    (void)state;
    tlog_proof_write(1, &path, (struct bytes){0}, bytes_text("c\n"), &buffer);
    assert_int_equal(tlog_proof_parse(buffer_bytes(&buffer), &proof), RC_OK);
    buffer_clear(&buffer);
    path.count++;
    tlog_proof_write(1, &path, (struct bytes){0}, bytes_text("c\n"), &buffer);
    assert_int_equal(tlog_proof_parse(buffer_bytes(&buffer), &proof), RC_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receipt_verifies_offline),
        cmocka_unit_test(a_flipped_bit_anywhere_is_refused),
        cmocka_unit_test(extra_data_reads_back),
        cmocka_unit_test(malformed_receipts_are_refused),
        cmocka_unit_test(the_path_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
