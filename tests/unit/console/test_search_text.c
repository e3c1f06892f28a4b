/* search_text: what people type, and what they mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "console/search_text.h"

/* Monday, 23 November 2026, 20:00 in Mexico City: already the 24th in UTC. */
#define NOW ((int64_t)1795485600000)
#define MIDNIGHT ((int64_t)1795413600)
#define DAY ((int64_t)86400)

static const struct search_home home = {"cdmx", NOW};

static enum rc parse(const char *text, struct audit_query *query, struct fault *fault)
{
    static struct arena *arena;

    if (arena == NULL) {
        arena = arena_new((size_t)1 << 20);
    }
    *query = (struct audit_query){.member = "", .route = "", .holder = ""};
    return search_text_parse(text, &home, arena, query, fault);
}

static void operators_name_what_is_asked(void **state)
{
    struct audit_query query;
    char id[ID_TEXT_SIZE];

    (void)state;
    assert_int_equal(
        parse("agencia:ssc  estado:Aceptada\tdesde:01/11/2026 hasta:hoy", &query, NULL), RC_OK);
    assert_string_equal(query.member, "cdmx/ssc");
    assert_int_equal(query.event, EVENT_ACCEPT);
    assert_int_equal(query.type, MESSAGE_ACT);
    assert_true(query.from_s == MIDNIGHT - 22 * DAY);
    assert_true(query.to_s == MIDNIGHT + DAY); /* that day included */
    assert_int_equal(parse("agencia:mx/segob tipo:canalización", &query, NULL), RC_OK);
    assert_string_equal(query.member, "mx/segob");
    assert_int_equal(query.type, MESSAGE_REFERRAL);
    assert_int_equal(parse("TIPO:SOLICITUD estado:enviada", &query, NULL), RC_OK);
    assert_int_equal(query.type, MESSAGE_MEASURE_REQUEST);
    assert_int_equal(query.kind, RECORD_SENT);
    assert_int_equal(parse("desde:ayer hasta:2026-11-22", &query, NULL), RC_OK);
    assert_true(query.from_s == MIDNIGHT - DAY && query.to_s == MIDNIGHT);
    assert_int_equal(parse("0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11", &query, NULL), RC_OK);
    id_format(&query.exchange_id, id);
    assert_string_equal(id, "0193e2a1-7c1e-7a52-8f3e-5f0c4a2b9d11");
    assert_int_equal(parse("", &query, NULL), RC_OK);
    assert_int_equal(query.kind, RECORD_NONE);
}

static void what_is_not_understood_is_named(void **state)
{
    static const struct {
        const char *text, *reason, *says;
    } rows[] = {
        {"agensia:ssc", "search.operator", "agencia"},
        {"color:rojo", "search.operator", "no es un operador"},
        {"ssc", "search.operator", "sin operador"},
        {":", "search.operator", "no es un operador"},
        {"agencia:", "search.value", "agencia"},
        {"agencia:ssc;drop", "search.value", "agencia"},
        {"agencia:ñ", "search.value", "agencia"},
        {"estado:acetada", "search.value", "aceptada"},
        {"tipo:solicitudes", "search.value", "solicitud"},
        {"desde:31/02/2026", "search.value", "dd/mm/aaaa"},
        {"desde:1/2/26", "search.value", "dd/mm/aaaa"},
        {"desde:1969-12-31", "search.value", "dd/mm/aaaa"},
        {"hasta:", "search.value", "dd/mm/aaaa"},
        {"folio:MPI/2019/000123", "search.value", "identificador"},
        {"agencia:ssc agencia:pgj", "search.repeated", "una sola vez"},
        {"tipo:solicitud estado:aceptada", "search.conflict", "junto"},
        {"estado:aceptada tipo:solicitud", "search.conflict", "junto"},
        {"tipo:lectura estado:enviada", "search.conflict", "junto"},
        {"desde:hoy hasta:ayer", "search.conflict", "posterior"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct audit_query query;
        struct fault fault = {0};

        assert_int_equal(parse(rows[i].text, &query, &fault), RC_INVALID_ARGUMENT);
        assert_string_equal(fault.reason, rows[i].reason);
        if (strstr(fault.remedy, rows[i].says) == NULL) {
            fail_msg("%s: %s", rows[i].text, fault.remedy);
        }
    }
}

static void long_texts_are_refused(void **state)
{
    char text[SEARCH_TEXT_MAX + 2];
    struct audit_query query;
    struct fault fault = {0};

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(parse(text, &query, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "search.too_long");
    text[200] = '\0';
    fault = (struct fault){0};
    assert_int_equal(parse(text, &query, &fault), RC_INVALID_ARGUMENT);
    assert_string_equal(fault.reason, "search.too_long");
}

static void every_word_that_help_shows_is_understood(void **state)
{
    static const char *const operators[] = {"tipo", "estado"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *const *words = search_text_words(operators[i]);

        for (size_t j = 0; words[j] != NULL; j++) {
            struct audit_query query;
            char text[96];

            snprintf(text, sizeof text, "%s:%s", operators[i], words[j]);
            assert_int_equal(parse(text, &query, NULL), RC_OK);
            assert_true(query.kind != RECORD_NONE || query.type != MESSAGE_NONE);
        }
    }
    assert_null(search_text_words("agencia"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_name_what_is_asked),
        cmocka_unit_test(what_is_not_understood_is_named),
        cmocka_unit_test(long_texts_are_refused),
        cmocka_unit_test(every_word_that_help_shows_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
