#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/receipt_file.h"
#include "unit/client/small_log.h"

static const uint8_t commitment[HASH_SIZE] = {4, 5, 6};

static void make(struct small_log *log, struct buffer *text)
{
    struct receipt_file file = {.message_id = {{1}}, .count = 2};

    small_log_make(log, commitment);
    memcpy(file.commitment, commitment, HASH_SIZE);
    file.receipts[0] = small_log_receipt(log);
    file.receipts[1] = small_log_receipt(log);
    file.receipts[1].level = RECEIPT_RECEIVED;
    receipt_file_write(&file, text);
}

static void what_is_written_is_read_and_verifies(void **state)
{
    static struct receipt_file file;
    OWN(small_log) log;
    OWN(buffer) text = {0};

    (void)state;
    make(&log, &text);
    assert_int_equal(receipt_file_parse(buffer_bytes(&text), &file), RC_OK);
    assert_int_equal(file.count, 2);
    assert_int_equal(file.receipts[0].level, RECEIPT_HELD);
    assert_int_equal(file.receipts[1].level, RECEIPT_RECEIVED);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            receipt_check(file.commitment, &file.receipts[i], &log.vkey, 1, NULL, NULL), RC_OK);
    }
}

static void every_cut_is_refused(void **state)
{
    static struct receipt_file file;
    OWN(small_log) log;
    OWN(buffer) text = {0};
    size_t whole = 0;

    (void)state;
    make(&log, &text);
    for (size_t size = 0; size < text.size; size++) {
        whole += receipt_file_parse(BYTES(text.data, size), &file) == RC_OK;
    }
    assert_int_equal(whole, 1); /* after the first receipt it is a file with one */
}

static void other_forms_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "empty"},
        {"enlace-receipt v2\n", "another version"},
        {"enlace-receipt v1\r\nmessage", "CR"},
        {"enlace-receipt v1\nmessage 0193E2A1-7c1e-7a52-8f3e-5f0c4a2b9d11\n", "upper case"},
        {"enlace-receipt v1\nmessage 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\n"
         "commitment AAAA\n",
         "a short commitment"},
        {"enlace-receipt v1\nmessage 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\n"
         "commitment AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
         "no receipt"},
        {"enlace-receipt v1\nmessage 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\n"
         "commitment AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nreceipt R2 1\n",
         "no such level"},
        {"enlace-receipt v1\nmessage 0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11\n"
         "commitment AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nreceipt R0 01\n",
         "a leading zero"},
    };
    static struct receipt_file file;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (receipt_file_parse(bytes_text(rows[i].text), &file) == RC_OK) {
            print_error("accepted: %s\n", rows[i].why);
            fail();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_and_verifies),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(other_forms_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
