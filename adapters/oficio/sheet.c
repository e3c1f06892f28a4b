#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "oficio/oficio.h"

#define SECTION_SIZE 96
#define CODE_SIDE 124      /* points */
#define GROUNDS_HEIGHT 130 /* about: it stays together */

/* ---- sections ---- */

#define COMMAND "$ "

/* Each paragraph of a section; one that begins with "$ " is a command to be typed. */
static void put_section(const struct sheet *sheet, struct paper *paper, const char *section,
                        enum paper_style style, enum paper_align align)
{
    char *text = arena_text(sheet->arena, bytes_text(sheet_section(sheet, section)));
    char *rest = text;

    for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        if (strncmp(line, COMMAND, strlen(COMMAND)) == 0) {
            paper_text(paper, PAPER_MONO, PAPER_LEFT, line + strlen(COMMAND));
        } else {
            paper_text(paper, style, align, line);
        }
    }
}

static const char *typed(const struct sheet *sheet, const char *kind, char out[SECTION_SIZE])
{
    snprintf(out, SECTION_SIZE, "%s %s", kind, sheet->type);
    return out;
}

static void put_head(const struct sheet *sheet, struct paper *paper)
{
    char line[512];
    char section[SECTION_SIZE];

    put_section(sheet, paper, "titulo", PAPER_TITLE, PAPER_LEFT);
    paper_rule(paper);
    paper_space(paper, 14);
    put_section(sheet, paper, "fecha", PAPER_LINE, PAPER_RIGHT);
    snprintf(line, sizeof line, "Oficio %s", sheet->folio);
    paper_text(paper, PAPER_STRONG, PAPER_RIGHT, line);
    snprintf(line, sizeof line, "Asunto: %.400s",
             sheet_section(sheet, typed(sheet, "asunto", section)));
    paper_text(paper, PAPER_LINE, PAPER_RIGHT, line);
    if (sheet->reading->message->header.urgency == URGENCY_URGENT) {
        paper_space(paper, 4);
        paper_tag(paper, "URGENTE");
    }
    paper_space(paper, 12);
    put_section(sheet, paper, "destinatario", PAPER_STRONG, PAPER_LEFT);
    paper_space(paper, 14);
}

static void put_due(const struct sheet *sheet, struct paper *paper)
{
    char text[512];

    if (sheet_due_ms(&sheet->reading->message->header) == 0) {
        return;
    }
    snprintf(text, sizeof text, "%s (%s), hora de la Ciudad de México.",
             sheet->words.find(&sheet->words, "plazo", ""),
             sheet->words.find(&sheet->words, "plazo_letra", ""));
    paper_notice(paper, "Plazo", text);
}

/* ---- measures ---- */

static const char *cadence(const struct sheet *sheet, unsigned item, char out[96])
{
    struct reading_place place = {.item = item};
    const char *count = reading_text(sheet->reading, "item.count", place);
    const char *period = reading_text(sheet->reading, "item.period", place);

    if (count[0] == '\0') {
        return "";
    }
    if (period[0] == '\0' || strcmp(period, "once") == 0) {
        snprintf(out, 96, "%.20s", count);
    } else {
        snprintf(out, 96, "%.20s %.60s", count, sheet_table(sheet, "periodo", period));
    }
    return out;
}

static void put_items(const struct sheet *sheet, struct paper *paper)
{
    static const struct paper_cell head[] = {
        {"Núm.", 0.08}, {"Medida", 0.47}, {"Clave", 0.2}, {"Veces", 0.25}};
    const struct header *header = &sheet->reading->message->header;

    if (header->item_count == 0) {
        return;
    }
    paper_text(paper, PAPER_HEADING, PAPER_LEFT, "Lo que se pide");
    paper_row(paper, PAPER_LABEL, head, 4);
    for (unsigned i = 0; i < header->item_count; i++) {
        struct reading_place place = {.item = i};
        const char *code = reading_text(sheet->reading, "item.code", place);
        const char *ends = reading_text(sheet->reading, "item.ends_on", place);
        char times[96];
        char last[160];

        snprintf(last, sizeof last, "%s%s%.40s", cadence(sheet, i, times),
                 ends[0] != '\0' ? ", hasta el " : "", ends);
        paper_row(paper, PAPER_BODY,
                  (const struct paper_cell[]){
                      {reading_text(sheet->reading, "item.number", place), head[0].width},
                      {sheet_table(sheet, "medida", code), head[1].width},
                      {code, head[2].width},
                      {last, head[3].width}},
                  4);
    }
    paper_space(paper, 12);
}

/* ---- what is said of people ---- */

/* "calle y número": "Calle y número". What begins with an accent stays. */
static const char *capital(char *text)
{
    if (text[0] >= 'a' && text[0] <= 'z') {
        text[0] = (char)(text[0] - 'a' + 'A');
    }
    return text;
}

static const char *label_of(unsigned field, char out[96])
{
    size_t count;
    const struct field *fields = field_catalogue(&count);

    snprintf(out, 96, "%s", field < count ? fields[field].label : "");
    return capital(out);
}

/* A field whose last word is a table's name goes through that table: location.alcaldia. */
static const char *value_of(const struct sheet *sheet, const struct field_value *value)
{
    size_t count;
    const struct field *fields = field_catalogue(&count);
    const char *dot = value->field < count ? strrchr(fields[value->field].path, '.') : NULL;

    return dot != NULL ? sheet_table(sheet, dot + 1, value->text) : value->text;
}

static void put_part(const struct sheet *sheet, struct paper *paper,
                     const struct reading_part *part)
{
    char label[96];

    if (!part->is_read) {
        paper_pair(paper, "Sellado",
                   "Este apartado viene sellado a otro sistema y no se pudo abrir; pídalo a quien "
                   "firma la solicitud.");
    }
    for (size_t i = 0; i < part->count; i++) {
        if (i > 0 && part->values[i].entry != part->values[i - 1].entry) {
            paper_space(paper, 5);
        }
        paper_pair(paper, label_of(part->values[i].field, label),
                   value_of(sheet, &part->values[i]));
    }
}

static void put_subject(const struct sheet *sheet, struct paper *paper, unsigned subject)
{
    static const char *const roles[] = {"Persona", "Persona", "Colectivo", "Familiar"};
    const struct header *header = &sheet->reading->message->header;
    char title[96];
    bool is_first = true;

    for (size_t i = 0; i < sheet->reading->count; i++) {
        const struct reading_part *part = &sheet->reading->parts[i];

        if (compartment_subject(part->compartment) != subject) {
            continue;
        }
        if (is_first) {
            if (header->subject_count > 1) {
                snprintf(title, sizeof title, "%s %u de %zu: datos que se entregan",
                         roles[header->subjects[subject].role], subject + 1, header->subject_count);
            } else {
                snprintf(title, sizeof title, "Datos que se entregan");
            }
            paper_text(paper, PAPER_HEADING, PAPER_LEFT, title);
            is_first = false;
        }
        put_part(sheet, paper, part);
    }
    if (!is_first) {
        paper_space(paper, 8);
    }
}

/* ---- on what grounds ---- */

static void put_fact(const struct sheet *sheet, struct paper *paper, const char *label,
                     const char *path, const char *table)
{
    const char *text = reading_text(sheet->reading, path, (struct reading_place){0});

    char said[256];

    if (text[0] != '\0') {
        snprintf(said, sizeof said, "%s",
                 table[0] != '\0' ? sheet_table(sheet, table, text) : text);
        paper_pair(paper, label, capital(said));
    }
}

static const char *consent_of(const struct header *header)
{
    switch (header->consent) {
    case CONSENT_GIVEN:
        return "Otorgado; consta en el expediente de quien solicita.";
    case CONSENT_IMPEDED:
        return "La persona está impedida para otorgarlo; consta la razón en el expediente.";
    default:
        return "";
    }
}

static void put_grounds(const struct sheet *sheet, struct paper *paper)
{
    const struct header *header = &sheet->reading->message->header;
    char aviso[192];

    paper_keep(paper, GROUNDS_HEIGHT);
    paper_text(paper, PAPER_HEADING, PAPER_LEFT, "Fundamento y tratamiento de los datos");
    put_fact(sheet, paper, "Fundamento", "header.legal_basis", "fundamento");
    put_fact(sheet, paper, "Finalidad", "header.purpose", "finalidad");
    snprintf(aviso, sizeof aviso, "%.64s, versión %.32s", header->aviso_id, header->aviso_version);
    paper_pair(paper, "Aviso de privacidad", aviso);
    if (consent_of(header)[0] != '\0') {
        paper_pair(paper, "Consentimiento", consent_of(header));
    }
    put_fact(sheet, paper, "Plan", "header.plan_id", "");
    paper_space(paper, 8);
}

/* ---- the whole ---- */

static enum rc write_sheet(struct paper_author *author, struct paper *paper)
{
    const struct sheet *sheet = (const struct sheet *)author;
    static const char *const blanks[] = {"Nombre", "Cargo", "Fecha y hora", "Firma"};
    const struct message *message = sheet->reading->message;
    char section[SECTION_SIZE];

    put_head(sheet, paper);
    put_section(sheet, paper, typed(sheet, "cuerpo", section), PAPER_BODY, PAPER_JUSTIFIED);
    paper_space(paper, 4);
    put_due(sheet, paper);
    put_items(sheet, paper);
    for (unsigned i = 0; i < message->header.subject_count; i++) {
        put_subject(sheet, paper, i);
    }
    put_grounds(sheet, paper);
    if (message_wants_custody(message->header.type)) {
        paper_text(paper, PAPER_HEADING, PAPER_LEFT, "Cómo contestar");
        put_section(sheet, paper, "contestar", PAPER_BODY, PAPER_JUSTIFIED);
        paper_space(paper, 6);
    }
    put_section(sheet, paper, "leyenda", PAPER_SMALL, PAPER_JUSTIFIED);
    paper_space(paper, 8);
    if (paper_qr(paper, sheet->note, CODE_SIDE, "Verificación sin conexión",
                 sheet_section(sheet, "verificar")) != RC_OK) {
        return refuse(sheet->fault, RC_INVALID_ARGUMENT, "paper.code", "",
                      "Lo que diría el código no cabe en él.");
    }
    paper_space(paper, 4);
    put_section(sheet, paper, "comprobar", PAPER_SMALL, PAPER_LEFT);
    paper_space(paper, 8);
    if (message_wants_custody(message->header.type)) {
        paper_form(paper, "Acuse de recibo en papel", blanks, 4);
    }
    return RC_OK;
}

enum rc sheet_make(struct sheet *sheet, struct buffer *pdf, struct paper_made *made)
{
    char title[96];
    char subject[128];
    const struct paper_facts facts = {.title = title,
                                      .subject = subject,
                                      .creator = "enlace-oficio",
                                      .head = title,
                                      .foot = sheet_section(sheet, "pie"),
                                      .created_ms = sheet->at_ms};
    char section[SECTION_SIZE];

    snprintf(title, sizeof title, "Oficio %s", sheet->folio);
    snprintf(subject, sizeof subject, "%.120s",
             sheet_section(sheet, typed(sheet, "asunto", section)));
    sheet->author.write = write_sheet;
    return paper_make(sheet->oficio->fonts, &facts, &sheet->author, pdf, made);
}
