/* fuzz_search - what a browser sends to the console: a search, a cookie, where it comes from. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "console/gate.h"
#include "console/search_text.h"

FUZZ_QUIET()

static void search(const char *text)
{
    static const struct search_home home = {"cdmx", 1795485600000};
    OWN_PTR(arena) arena = arena_new((size_t)64 << 10);
    struct audit_query query = {.member = "", .route = "", .holder = ""};
    struct fault fault = {0};

    if (search_text_parse(text, &home, arena, &query, &fault) == RC_OK) {
        assert(query.to_s == 0 || query.from_s < query.to_s);
        assert(query.member != NULL && strlen(query.member) < SEARCH_TEXT_MAX);
    } else {
        assert(fault.reason[0] != '\0' && fault.remedy[0] != '\0');
    }
}

/* No text that was not drawn here is a session or a token. */
static void knock(const char *text)
{
    struct gate_asked asked = {
        .host = text, .origin = text, .site = "", .type = "", .cookie = text};
    char token[GATE_TOKEN_SIZE];
    char cookie[GATE_COOKIE_MAX];
    struct gate gate;

    gate_init(&gate, "127.0.0.1", 7470, 0, token);
    (void)!gate_check(&gate, &asked, NULL);
    assert(gate_check_session(&gate, &asked, NULL) != RC_OK);
    assert(gate_enter(&gate, text, 0, cookie, NULL) != RC_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    search(text);
    knock(text);
    free(text);
    return 0;
}
