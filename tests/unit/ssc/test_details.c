#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "client/compose.h"
#include "rpc/codec.h"
#include "ssc/details.h"

#define WINDOW_MS 900000
#define KEEP_MS 3600000
#define NOW_MS INT64_C(1764000000000)

struct bench {
    char folder[32];
    struct details *details;
    struct arena *arena;
    struct message message;
    struct buffer header;
    uint8_t blind[BLIND_SIZE];
    uint8_t mine[DIGEST_SIZE];
    uint8_t other[DIGEST_SIZE];
    char token[DETAILS_TOKEN_SIZE];
};

static void open_details(struct bench *bench)
{
    details_free(bench->details);
    bench->details = NULL;
    assert_int_equal(details_open(bench->folder, WINDOW_MS, KEEP_MS, &bench->details), RC_OK);
}

static int set_up(void **state)
{
    static struct bench bench;

    memset(&bench, 0, sizeof bench);
    snprintf(bench.folder, sizeof bench.folder, "/tmp/details-XXXXXX");
    assert_non_null(mkdtemp(bench.folder));
    bench.arena = arena_new(1 << 20);
    bench.other[0] = 1;
    draft_header_init(&bench.message.header);
    bench.message.header.type = MESSAGE_NOTICE;
    memset(bench.message.header.message_id.bytes, 0x11, sizeof bench.message.header.message_id);
    memset(bench.message.header.exchange_id.bytes, 0x22, sizeof bench.message.header.exchange_id);
    codec_header_write(&bench.message.header, &bench.header);
    bench.message.header_bytes = buffer_bytes(&bench.header);
    bench.message.header_blind = BYTES_OF(bench.blind);
    open_details(&bench);
    assert_int_equal(details_keep(bench.details, &bench.message, NOW_MS, bench.token), RC_OK);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    char command[80];

    details_free(bench->details);
    buffer_release(&bench->header);
    arena_free(bench->arena);
    snprintf(command, sizeof command, "rm -r %s", bench->folder);
    return system(command);
}

static enum rc pull(struct bench *bench, const char *token, const uint8_t *certificate,
                    int64_t now_ms)
{
    struct message *message = arena_alloc(bench->arena, sizeof *message);
    const char *why;

    return details_pull(bench->details, bytes_text(token), certificate, "oficial-0", now_ms,
                        bench->arena, message, &why);
}

static void the_same_certificate_may_have_it_again_until_the_window_is_over(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 5), RC_OK);
    assert_int_equal(pull(bench, bench->token, bench->other, NOW_MS + 6), RC_NOT_FOUND);
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 4 + WINDOW_MS), RC_OK);
    open_details(bench); /* it is remembered over a restart */
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 4 + WINDOW_MS), RC_OK);
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 5 + WINDOW_MS), RC_NOT_FOUND);
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 6), RC_NOT_FOUND);
}

static void a_clock_that_goes_back_gives_nothing(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS - 1), RC_NOT_FOUND);
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 1), RC_NOT_FOUND);
}

static void a_token_with_one_character_changed_is_nothing(void **state)
{
    struct bench *bench = *state;

    for (size_t i = 0; i < DETAILS_TOKEN_SIZE - 1; i++) {
        char token[DETAILS_TOKEN_SIZE];

        memcpy(token, bench->token, sizeof token);
        token[i] = token[i] == '0' ? '1' : '0';
        assert_int_equal(pull(bench, token, bench->mine, NOW_MS + 1), RC_NOT_FOUND);
    }
    assert_int_equal(pull(bench, "", bench->mine, NOW_MS + 1), RC_NOT_FOUND);
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 1), RC_OK);
}

static bool is_there(const struct bench *bench)
{
    char path[128];
    struct stat facts;

    snprintf(path, sizeof path, "%s/details/%.36s", bench->folder, bench->token);
    return stat(path, &facts) == 0;
}

static void what_is_over_is_removed(void **state)
{
    struct bench *bench = *state;

    details_sweep(bench->details, NOW_MS + KEEP_MS - 1);
    assert_true(is_there(bench));
    details_sweep(bench->details, NOW_MS + KEEP_MS);
    assert_false(is_there(bench));
    assert_int_equal(pull(bench, bench->token, bench->mine, NOW_MS + 1), RC_NOT_FOUND);
}

static void what_is_recalled_is_removed_and_does_not_come_again(void **state)
{
    struct bench *bench = *state;
    char token[DETAILS_TOKEN_SIZE];

    assert_int_equal(details_drop(bench->details, &bench->message.header.message_id), RC_OK);
    assert_true(is_there(bench)); /* another exchange */
    assert_int_equal(details_drop(bench->details, &bench->message.header.exchange_id), RC_OK);
    assert_false(is_there(bench));
    assert_int_equal(details_keep(bench->details, &bench->message, NOW_MS, token), RC_OK);
    assert_string_equal(token, bench->token);
    assert_int_equal(pull(bench, token, bench->mine, NOW_MS + 1), RC_NOT_FOUND);
}

static void an_officer_is_opaque_and_always_the_same(void **state)
{
    static const char *const refused[] = {"", "Ana María", "a\tb", "ñ", "a/b"};
    struct bench *bench = *state;
    char first[DETAILS_OFFICER_SIZE];
    char again[DETAILS_OFFICER_SIZE];

    assert_int_equal(details_officer(bench->details, "PLACA-1", first), RC_OK);
    open_details(bench);
    assert_int_equal(details_officer(bench->details, "PLACA-1", again), RC_OK);
    assert_string_equal(first, again);
    assert_null(strstr(first, "PLACA"));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(details_officer(bench->details, refused[i], again), RC_INVALID_ARGUMENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_same_certificate_may_have_it_again_until_the_window_is_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_gives_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_token_with_one_character_changed_is_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_over_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_recalled_is_removed_and_does_not_come_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_officer_is_opaque_and_always_the_same, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
