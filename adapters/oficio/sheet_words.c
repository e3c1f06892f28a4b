#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "oficio/oficio.h"
#include "paper/spanish.h"

const char *const oficio_tables[] = {"institucion", "fundamento", "finalidad", "medida",
                                     "periodo",     "alcaldia",   "sex",       "evento",
                                     "motivo",      "estado",     NULL};

enum own_word { WORD_FOLIO, WORD_DATE, WORD_DUE, WORD_DUE_WORDS, WORD_FIRST, OWN_WORDS };

static const char *const own_words[OWN_WORDS] = {"folio", "fecha", "plazo", "plazo_letra",
                                                 "primer_folio"};

static int own_word(const char *word)
{
    for (int i = 0; i < OWN_WORDS; i++) {
        if (strcmp(own_words[i], word) == 0) {
            return i;
        }
    }
    return -1;
}

/* Through a table of the mapping; as it is when that has no such row. */
const char *sheet_table(const struct sheet *sheet, const char *table, const char *ours)
{
    const char *theirs = mapping_theirs(sheet->oficio->context->mapping, table, ours);

    return theirs != NULL ? theirs : ours;
}

int64_t sheet_due_ms(const struct header *header)
{
    int64_t due_ms = 0;

    for (size_t i = 0; i < header->clock_count; i++) {
        if (due_ms == 0 || header->clocks[i].due_at_ms < due_ms) {
            due_ms = header->clocks[i].due_at_ms;
        }
    }
    return due_ms;
}

static const char *kept(const struct sheet *sheet, const struct buffer *text)
{
    const char *copy = arena_text(sheet->arena, buffer_bytes(text));

    return copy != NULL ? copy : "";
}

/* Of the sheet that opened the exchange, for those that follow it. */
static const char *first_folio(const struct sheet *sheet)
{
    OWN(buffer) text = {0};
    char key[ID_TEXT_SIZE];
    char row[BOOK_VALUE_MAX + 1];

    id_format(&sheet->reading->message->header.exchange_id, key);
    if (book_find(sheet->oficio->folios, key, row) != RC_OK) {
        return "";
    }
    buffer_put(&text, row, strcspn(row, " "));
    return kept(sheet, &text);
}

static const char *own_text(const struct sheet *sheet, enum own_word word)
{
    OWN(buffer) text = {0};
    int64_t due_ms = sheet_due_ms(&sheet->reading->message->header);

    switch (word) {
    case WORD_FOLIO:
        return sheet->folio;
    case WORD_DATE:
        spanish_date(sheet->at_ms, &text);
        break;
    case WORD_DUE:
        if (due_ms > 0) {
            spanish_instant(due_ms, &text);
        }
        break;
    case WORD_DUE_WORDS:
        if (due_ms > 0) {
            spanish_instant_words(due_ms, &text);
        }
        break;
    case WORD_FIRST:
        return first_folio(sheet);
    case OWN_WORDS:
        break;
    }
    return kept(sheet, &text);
}

static const char *find(const struct wording_source *source, const char *word, const char *table)
{
    const struct sheet *sheet =
        (const struct sheet *)((const char *)source - offsetof(struct sheet, words));
    int own = own_word(word);
    const char *text = own >= 0 ? own_text(sheet, (enum own_word)own)
                                : reading_text(sheet->reading, word, (struct reading_place){0});

    return table[0] != '\0' && text[0] != '\0' ? sheet_table(sheet, table, text) : text;
}

static bool knows(const struct wording_source *source, const char *word, const char *table)
{
    bool is_table = table[0] == '\0';

    (void)source;
    for (size_t i = 0; !is_table && oficio_tables[i] != NULL; i++) {
        is_table = strcmp(oficio_tables[i], table) == 0;
    }
    return is_table && (own_word(word) >= 0 || reading_knows(word));
}

void sheet_words_init(struct wording_source *words)
{
    *words = (struct wording_source){.find = find, .knows = knows};
}

const char *sheet_section(const struct sheet *sheet, const char *section)
{
    OWN(buffer) text = {0};
    const char *wording = wording_text(sheet->oficio->wording, section);

    if (wording == NULL || wording_fill(wording, &sheet->words, &text) != RC_OK) {
        return "";
    }
    return kept(sheet, &text);
}
