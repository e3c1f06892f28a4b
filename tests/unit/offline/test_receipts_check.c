#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "offline/receipts_check.h"
#include "tlog/proof.h"
#include "tlog/tlog_proof.h"
#include "unit/offline/fake_log.h"

#define ID "0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11"

/* Two logs of one leaf each: the sender's holds message 0, the receiver's too. */
struct fixture {
    struct fake_log *sender;
    struct fake_log *receiver;
    struct fake_reader *reader;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->sender = fake_new("gw.cdmx/audit/2026", 7, 1);
    f->receiver = fake_new("gw.ssc/audit/2026", 8, 1);
    f->reader = fake_reader_new(f->sender, 0);
    f->reader->report.what = "exchange";
    fake_vkey(f->receiver, &f->reader->trust.logs[f->reader->trust.log_count++]);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fake_free(f->sender);
    fake_free(f->receiver);
    free(f->reader);
    free(f);
    return 0;
}

/* Of message `number`, logged as leaf 0. */
static void add_item(const struct fake_log *log, unsigned level, struct buffer *text)
{
    const struct proof path = {.count = 0};
    OWN(buffer) note = {0};
    OWN(buffer) proof = {0};

    fake_note(log, 1, "", &note);
    tlog_proof_write(0, &path, (struct bytes){0}, buffer_bytes(&note), &proof);
    buffer_print(text, "receipt R%u %zu\nleaf ", level, proof.size);
    buffer_put_base64(text, BYTES_OF(log->leaves[0]));
    buffer_put_u8(text, '\n');
    buffer_put_bytes(text, buffer_bytes(&proof));
}

static void begin(const char *id, size_t message, struct buffer *text)
{
    uint8_t commitment[DIGEST_SIZE];

    fake_message(message, commitment);
    buffer_clear(text);
    buffer_print(text, "enlace-receipt v1\nmessage %s\ncommitment ", id);
    buffer_put_base64(text, BYTES_OF(commitment));
    buffer_put_u8(text, '\n');
}

static const char *fact(const struct report *report, const char *key)
{
    for (size_t i = 0; i < report->fact_count; i++) {
        if (strcmp(report->facts[i].key, key) == 0) {
            return report->facts[i].text;
        }
    }
    return "";
}

static const char *compare(struct fixture *f, const struct buffer *a, const struct buffer *b)
{
    struct report *report = &f->reader->report;
    struct receipt_bundle left;
    struct receipt_bundle right;

    report->fact_count = 0;
    report->finding_count = 0;
    report->bad_total = 0;
    assert_int_equal(receipt_bundle_parse(buffer_bytes(a), &left), RC_OK);
    assert_int_equal(receipt_bundle_parse(buffer_bytes(b), &right), RC_OK);
    receipts_compare(&left, &right, &f->reader->trust, report);
    return fact(report, "pairing");
}

static void what_both_logs_hold_is_paired(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) a = {0};
    OWN(buffer) b = {0};

    begin(ID, 0, &a);
    add_item(f->sender, 0, &a);
    begin(ID, 0, &b);
    add_item(f->receiver, 1, &b);
    assert_string_equal(compare(f, &a, &b), "paired");
    assert_int_equal(f->reader->report.bad_total, 0);
}

static void what_one_log_holds_is_one_sided(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) a = {0};
    OWN(buffer) b = {0};

    begin(ID, 0, &a);
    add_item(f->sender, 0, &a);
    assert_string_equal(compare(f, &a, &a), "one_sided");
    assert_true(fake_only(f->reader, "exchange.one_sided"));
    begin(ID, 0, &b);
    add_item(f->receiver, 1, &b);
    assert_string_equal(compare(f, &b, &b), "one_sided");
    /* The sender's leaf under the receiver's name. */
    begin(ID, 0, &b);
    add_item(f->sender, 1, &b);
    assert_string_equal(compare(f, &a, &b), "one_sided");
}

static void other_content_under_the_same_id_differs(void **state)
{
    struct fixture *f = *state;
    struct fake_log *other = fake_new("gw.ssc/audit/2026", 8, 2);
    struct leaf leaf;
    OWN(buffer) a = {0};
    OWN(buffer) b = {0};
    uint8_t message[DIGEST_SIZE];

    /* The receiver logged message 1 where the sender logged message 0. */
    assert_int_equal(leaf_decode(BYTES_OF(other->leaves[0]), &leaf), RC_OK);
    fake_message(1, message);
    commit_leaf(other->origin, leaf.nonce, message, leaf.message);
    leaf_encode(&leaf, other->leaves[0]);
    begin(ID, 0, &a);
    add_item(f->sender, 0, &a);
    begin(ID, 1, &b);
    add_item(other, 1, &b);
    assert_string_equal(compare(f, &a, &b), "differing");
    assert_true(fake_only(f->reader, "exchange.differing"));
    fake_free(other);
}

static void receipts_of_two_messages_are_not_compared(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) a = {0};
    OWN(buffer) b = {0};

    begin(ID, 0, &a);
    add_item(f->sender, 0, &a);
    begin("0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d12", 0, &b);
    add_item(f->receiver, 1, &b);
    (void)compare(f, &a, &b);
    assert_true(fake_only(f->reader, "exchange.other"));
}

/* A receipt of the sender's log, shown under the receiver's name. */
static void a_leaf_of_another_log_does_not_commit_to_the_message(void **state)
{
    struct fixture *f = *state;
    OWN(buffer) a = {0};
    OWN(buffer) b = {0};

    memcpy(f->receiver->leaves[0], f->sender->leaves[0], LEAF_SIZE);
    begin(ID, 0, &a);
    add_item(f->sender, 0, &a);
    begin(ID, 0, &b);
    add_item(f->receiver, 1, &b);
    assert_string_equal(compare(f, &a, &b), "one_sided");
    assert_true(report_has(&f->reader->report, "receipt.other_message"));
}

static void malformed_bundles_are_refused(void **state)
{
    static const struct {
        const char *why;
        const char *from;
        const char *to;
    } rows[] = {
        {"another version", "v1", "v2"},
        {"CR", "v1\n", "v1\r\n"},
        {"an id in capitals", "c1e", "C1E"},
        {"an id that is short", "9d11", "9d1"},
        {"dashes elsewhere", "a1-7", "a17-"},
        {"no commitment", "commitment ", "commit "},
        {"a level that is none", "R0", "R2"},
        {"a length with a zero in front", "receipt R0 ", "receipt R0 0"},
        {"a length past the end", "receipt R0 ", "receipt R0 9"},
        {"no length", "receipt R0 ", "receipt R0 \n"},
        {"a leaf that is short", "leaf RU5M", "leaf "},
    };
    struct fixture *f = *state;
    struct receipt_bundle bundle;
    OWN(buffer) text = {0};

    begin(ID, 0, &text);
    add_item(f->sender, 0, &text);
    assert_int_equal(receipt_bundle_parse(buffer_bytes(&text), &bundle), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint8_t *at = memmem(text.data, text.size, rows[i].from, strlen(rows[i].from));
        OWN(buffer) wrong = {0};

        assert_non_null(at);
        buffer_put(&wrong, text.data, (size_t)(at - text.data));
        buffer_put_bytes(&wrong, bytes_text(rows[i].to));
        at += strlen(rows[i].from);
        buffer_put(&wrong, at, (size_t)(text.data + text.size - at));
        if (receipt_bundle_parse(buffer_bytes(&wrong), &bundle) == RC_OK) {
            fail_msg("accepted: %s", rows[i].why);
        }
    }
    for (size_t size = 0; size < text.size; size++) {
        assert_int_equal(receipt_bundle_parse(BYTES(text.data, size), &bundle),
                         RC_INVALID_ARGUMENT);
    }
    for (unsigned i = 0; i < RECEIPT_BUNDLE_MAX; i++) {
        add_item(f->sender, 1, &text);
    }
    assert_int_equal(receipt_bundle_parse(buffer_bytes(&text), &bundle), RC_INVALID_ARGUMENT);
}

/* Whatever a text holds, programs can read the report. */
static void a_report_is_json(void **state)
{
    struct fixture *f = *state;
    struct report *report = &f->reader->report;
    char *text = NULL;
    size_t size = 0;
    json_t *json;
    FILE *out;

    report->fact_count = 0;
    report_text(report, "odd", "x", "%s", "\"\\\n\x01 ñ\xc3");
    report_number(report, "large", "", UINT64_MAX >> 1);
    report_flag(report, "flag", true);
    for (unsigned i = 0; i < REPORT_FINDINGS_MAX + 5; i++) {
        /* Cut within a letter of two bytes. */
        report_bad(report, "check", "where", "%0*d%s", (int)(REPORT_TEXT_SIZE - 2), 0, "ññ");
    }
    report_warn(report, "warned", "", "x");
    out = open_memstream(&text, &size);
    assert_int_equal(report_print(report, true, out), 1);
    fclose(out);
    json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    assert_false(json_is_true(json_object_get(json, "verified")));
    assert_int_equal(json_integer_value(json_object_get(json, "findings_total")),
                     REPORT_FINDINGS_MAX + 6);
    assert_int_equal(json_array_size(json_object_get(json, "findings")), REPORT_FINDINGS_MAX);
    json_decref(json);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_both_logs_hold_is_paired),
        TEST(what_one_log_holds_is_one_sided),
        TEST(other_content_under_the_same_id_differs),
        TEST(receipts_of_two_messages_are_not_compared),
        TEST(a_leaf_of_another_log_does_not_commit_to_the_message),
        TEST(malformed_bundles_are_refused),
        TEST(a_report_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
