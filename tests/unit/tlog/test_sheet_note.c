#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "crypto/cert.h"
#include "tlog/sheet_note.h"
#include "unit/crypto/throwaway.h"

#define URI "spiffe://enlace.cdmx/member/ceavi/system/adapter"

struct fixture {
    struct throwaway made;
    struct throwaway another;
    struct actkey *key;
    struct cert *cert;
    struct cert *other;
    struct buffer text;
};

static struct cert *cert_of(const struct throwaway *made)
{
    struct cert *cert = NULL;
    OWN(buffer) pem = {0};

    throwaway_pem(made, &pem);
    assert_int_equal(cert_from_pem(buffer_bytes(&pem), &cert, NULL), RC_OK);
    return cert;
}

static struct sheet_note a_note(void)
{
    return (struct sheet_note){.folio = "CEAVI/2026/000001",
                               .message_id = "01a20b53-9174-76fb-be69-e346a15cf948",
                               .exchange_id = "01a20b53-9174-76fb-be69-e346a15cf948",
                               .commitment = {1, 2, 3},
                               .has_receipt = true,
                               .receipt = {4, 5, 6},
                               .due = "2026-11-27T13:32:00-06:00"};
}

static int set_up(void **state)
{
    static struct fixture f;
    struct sheet_note note = a_note();
    char path[THROWAWAY_PATH];

    f = (struct fixture){.made = throwaway_holder(URI, NULL),
                         .another = throwaway_holder(URI, NULL)};
    throwaway_key_file(f.made.key, 0600, path);
    assert_int_equal(actkey_load(path, &f.key, NULL), RC_OK);
    unlink(path);
    f.cert = cert_of(&f.made);
    f.other = cert_of(&f.another);
    assert_int_equal(sheet_note_sign(&note, f.cert, f.key, &f.text), RC_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    actkey_free(f->key);
    cert_free(f->cert);
    cert_free(f->other);
    buffer_release(&f->text);
    throwaway_release(&f->made);
    throwaway_release(&f->another);
    return 0;
}

static void what_is_printed_is_read_and_verifies(void **state)
{
    const struct fixture *f = *state;
    struct sheet_note wanted = a_note();
    struct sheet_note note;

    assert_int_equal(sheet_note_parse(buffer_bytes(&f->text), &note), RC_OK);
    assert_string_equal(note.folio, wanted.folio);
    assert_string_equal(note.message_id, wanted.message_id);
    assert_string_equal(note.due, wanted.due);
    assert_memory_equal(note.commitment, wanted.commitment, DIGEST_SIZE);
    assert_true(note.has_receipt);
    assert_memory_equal(note.receipt, wanted.receipt, DIGEST_SIZE);
    assert_int_equal(sheet_note_verify(&note, f->cert), RC_OK);
    assert_int_equal(sheet_note_verify(&note, f->other), RC_NOT_FOUND);
}

/* Any one byte, each way: refused, or no longer signed. */
static void no_byte_can_be_another(void **state)
{
    const struct fixture *f = *state;
    uint8_t text[SHEET_NOTE_MAX];

    for (size_t i = 0; i < f->text.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct sheet_note note;

            memcpy(text, f->text.data, f->text.size);
            text[i] ^= (uint8_t)(1u << bit);
            if (sheet_note_parse(BYTES(text, f->text.size), &note) == RC_OK) {
                assert_int_not_equal(sheet_note_verify(&note, f->cert), RC_OK);
            }
        }
    }
}

static void what_is_cut_or_longer_is_refused(void **state)
{
    const struct fixture *f = *state;
    OWN(buffer) longer = {0};
    struct sheet_note note;

    for (size_t size = 0; size < f->text.size; size++) {
        if (sheet_note_parse(BYTES(f->text.data, size), &note) == RC_OK) {
            assert_int_not_equal(sheet_note_verify(&note, f->cert), RC_OK);
        }
    }
    buffer_put_bytes(&longer, buffer_bytes(&f->text));
    buffer_put_u8(&longer, '\n');
    assert_int_equal(sheet_note_parse(buffer_bytes(&longer), &note), RC_INVALID_ARGUMENT);
}

static void what_no_sheet_says_is_not_signed(void **state)
{
    const struct fixture *f = *state;
    OWN(buffer) text = {0};
    struct sheet_note note = a_note();

    note.folio[5] = ' ';
    assert_int_equal(sheet_note_sign(&note, f->cert, f->key, &text), RC_INVALID_ARGUMENT);
    note = a_note();
    note.due[4] = '/';
    assert_int_equal(sheet_note_sign(&note, f->cert, f->key, &text), RC_INVALID_ARGUMENT);
    note = a_note();
    note.message_id[0] = 'X';
    assert_int_equal(sheet_note_sign(&note, f->cert, f->key, &text), RC_INVALID_ARGUMENT);
    assert_int_equal(text.size, 0);
}

static void a_sheet_without_receipt_or_deadline_says_so(void **state)
{
    const struct fixture *f = *state;
    OWN(buffer) text = {0};
    struct sheet_note note = a_note();

    note.has_receipt = false;
    note.due[0] = '\0';
    assert_int_equal(sheet_note_sign(&note, f->cert, f->key, &text), RC_OK);
    assert_int_equal(sheet_note_parse(buffer_bytes(&text), &note), RC_OK);
    assert_false(note.has_receipt);
    assert_string_equal(note.due, "");
    assert_int_equal(sheet_note_verify(&note, f->cert), RC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_read_and_verifies),
        cmocka_unit_test(no_byte_can_be_another),
        cmocka_unit_test(what_is_cut_or_longer_is_refused),
        cmocka_unit_test(what_no_sheet_says_is_not_signed),
        cmocka_unit_test(a_sheet_without_receipt_or_deadline_says_so),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
