/*
 * fuzz_oficio - what an institution without a system hands over, from arbitrary bytes: a form, its
 * texts, and the text of a code. A form's lines are read again as they were; a code that is
 * understood is one text only.
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/arena.h"
#include "oficio/form.h"
#include "oficio/wording.h"
#include "tlog/sheet_note.h"

FUZZ_QUIET()

static const char *find(const struct wording_source *source, const char *word, const char *table)
{
    (void)source;
    (void)table;
    return word;
}

static bool knows(const struct wording_source *source, const char *word, const char *table)
{
    (void)source;
    (void)table;
    return word[0] != '\0';
}

static void check_form(struct bytes text, struct arena *arena)
{
    OWN(buffer) again = {0};
    struct form form;
    struct form other;
    struct fault fault = {0};

    if (form_read(text, arena, &form, &fault) != RC_OK) {
        assert(fault.reason[0] != '\0');
        return;
    }
    buffer_print(&again, "formato: %s\n",
                 form.kind == FORM_ANSWER ? "enlace-acuse 1" : "enlace-canalizacion 1");
    for (size_t i = 0; i < form.count; i++) {
        assert(strpbrk(form.lines[i].value, "\n\r\t") == NULL);
        buffer_print(&again, "%s: %s\n", form.lines[i].key, form.lines[i].value);
    }
    assert(again.size > FORM_BYTES_MAX ||
           form_read(buffer_bytes(&again), arena, &other, &fault) == RC_OK);
    for (size_t i = 0; again.size <= FORM_BYTES_MAX && i < form.count; i++) {
        assert(strcmp(form.lines[i].key, other.lines[i].key) == 0);
        assert(strcmp(form.lines[i].value, other.lines[i].value) == 0);
    }
}

static void check_wording(struct bytes text)
{
    const struct wording_source source = {find, knows};
    OWN_PTR(wording) wording = NULL;
    OWN(buffer) filled = {0};
    char error[WORDING_ERROR_SIZE] = "";

    if (wording_read(text, &source, &wording, error) != RC_OK) {
        assert(error[0] != '\0');
        return;
    }
    assert(wording_fill(wording_text(wording, "leyenda"), &source, &filled) == RC_OK);
    assert(filled.data[filled.size] == '\0');
}

static void check_note(struct bytes text)
{
    struct sheet_note note;

    if (sheet_note_parse(text, &note) == RC_OK) {
        assert(note.folio[0] != '\0' && strlen(note.message_id) == SHEET_NOTE_ID_SIZE - 1);
        assert(note.signature_size <= ACTSIG_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN_PTR(arena) arena = arena_new((size_t)4 << 20);

    check_form(BYTES(data, size), arena);
    check_wording(BYTES(data, size));
    check_note(BYTES(data, size));
    return 0;
}
