/*
 * expediente_pdf - the evidence of an exchange for people: what each record says, in the order of
 * the log, with the place where its proof lies.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "client/record_json.h"
#include "enlace/command.h"
#include "enlace/expediente.h"
#include "paper/paper.h"
#include "paper/spanish.h"

#define RECORD_HEIGHT 120 /* about: the first lines of one stay together */

struct author {
    struct paper_author author; /* first */
    const struct expediente_row *rows;
    size_t count;
    const struct checkpoint *seal;
};

static void put_pair(struct paper *paper, const char *label, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        paper_pair(paper, label, text);
    }
}

static void put_head(struct author *author, struct paper *paper)
{
    const struct record *first = &author->rows[0].record;
    char text[256];
    char id[ID_TEXT_SIZE];
    char root[2 * DIGEST_SIZE + 1];

    id_format(&first->exchange_id, id);
    hex_encode(author->seal->root, DIGEST_SIZE, root);
    paper_text(paper, PAPER_TITLE, PAPER_LEFT, "Expediente de evidencia");
    paper_rule(paper);
    paper_space(paper, 10);
    put_pair(paper, "Intercambio", id);
    put_pair(paper, "Bitácora", author->seal->origin);
    snprintf(text, sizeof text, "%zu, cada uno con su prueba en la carpeta hojas", author->count);
    put_pair(paper, "Registros", text);
    snprintf(text, sizeof text, "%" PRIu64 " hojas, raíz %s", author->seal->size, root);
    put_pair(paper, "Sello", text);
    paper_space(paper, 8);
    paper_notice(paper, "Qué es esto",
                 "Lo que la bitácora guarda de un intercambio: quién envió qué clase de mensaje a "
                 "quién, cuándo, con qué fundamento y qué campos, por su nombre y nunca su valor. "
                 "Todo se comprueba sin red con «enlace-verify bundle» y lo que acompaña a este "
                 "documento (LEEME.txt); la llave de la bitácora o la política de testigos se "
                 "consigue por otro camino.");
    paper_space(paper, 12);
}

static void put_parties(struct paper *paper, const struct record *record)
{
    char text[256];

    if (record->from[0] != '\0') {
        snprintf(text, sizeof text, "de %s a %s (%s)", record->from, record->to,
                 record_transfer_text(record->transfer));
        put_pair(paper, "Partes", text);
    }
    snprintf(text, sizeof text, "%s%s%s", record->actor,
             record->official[0] != '\0' ? ", por " : "", record->official);
    put_pair(paper, "Quién actuó", text);
}

static void put_content(struct paper *paper, const struct record *record)
{
    char fields[1024];
    char sealed[256];
    char text[1400];

    field_set_describe(record->fields_sent, fields, sizeof fields);
    record_sealed_text(record->sealed_types, sealed, sizeof sealed);
    snprintf(text, sizeof text, "%s %s", record_type_name(record), record->catalogue_code);
    put_pair(paper, "Mensaje", text);
    put_pair(paper, "Campos en claro", fields);
    put_pair(paper, "Partes selladas", sealed);
    snprintf(text, sizeof text, "%s; aviso %s; consentimiento %s", record->legal_basis,
             record->aviso, record_consent_text(record->consent));
    if (record->legal_basis[0] != '\0') {
        put_pair(paper, "Fundamento", text);
    }
    snprintf(text, sizeof text, "%s%s%s", record->purpose,
             record->route[0] != '\0' ? ", ruta " : "", record->route);
    put_pair(paper, "Para qué", text);
    put_pair(paper, "Motivo", record->reason);
}

static void put_record(struct paper *paper, const struct expediente_row *row)
{
    OWN(buffer) when = {0};
    char title[160];
    char text[160];
    char id[ID_TEXT_SIZE];

    spanish_instant((int64_t)row->leaf.time_s * 1000, &when);
    buffer_put_u8(&when, 0);
    paper_keep(paper, RECORD_HEIGHT);
    snprintf(title, sizeof title, "Hoja %" PRIu64 ": %s", row->leaf.index,
             record_kind_text(row->record.kind));
    paper_text(paper, PAPER_HEADING, PAPER_LEFT, title);
    put_pair(paper, "Cuándo", when.is_failed ? "" : (const char *)when.data);
    put_parties(paper, &row->record);
    put_content(paper, &row->record);
    id_format(&row->record.message_id, id);
    snprintf(text, sizeof text, "%s; hojas/%010" PRIu64, id, row->leaf.index);
    put_pair(paper, "Mensaje y prueba", text);
    paper_space(paper, 8);
}

static enum rc write_pages(struct paper_author *of, struct paper *paper)
{
    struct author *author = (struct author *)of;

    put_head(author, paper);
    for (size_t i = 0; i < author->count; i++) {
        put_record(paper, &author->rows[i]);
    }
    return RC_OK;
}

enum rc expediente_pdf(const struct expediente_row *rows, size_t count,
                       const struct checkpoint *seal, struct buffer *pdf, struct fault *fault)
{
    struct author author = {.author = {write_pages}, .rows = rows, .count = count, .seal = seal};
    const struct paper_facts facts = {.title = "Expediente de evidencia",
                                      .subject = "",
                                      .creator = "Enlace",
                                      .head = "Expediente de evidencia",
                                      .foot = "Información reservada",
                                      .created_ms = clock_now_ms()};
    OWN_PTR(paper_fonts) fonts = NULL;
    struct paper_made made;
    enum rc rc;

    TRY(paper_fonts_open(PAPER_FONTS, PAPER_FONTS_MORE, &fonts, fault));
    rc = paper_make(fonts, &facts, &author.author, pdf, &made);
    return rc == RC_OK ? rc : refuse(fault, rc, "paper.failed", "", "No se pudo componer el PDF.");
}
