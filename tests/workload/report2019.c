/*
 * enlace-report2019 - the report of 2019, counted again by an auditor who trusts nobody.
 *
 * Reads every node's log through service Audit (workload/logbook checks it), counts units from the
 * receivers' records (workload/tally), takes the figures about persons from the signed Aggregate,
 * asks for a quorum of witnesses over every leaf that it read (workload/graded), reconciles both,
 * verifies every receipt that the systems kept (workload/kept), holds each unit against what the
 * institution that did it wrote in its own book (workload/books), and prints the report line by
 * line. Leaves with 1 on any difference.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "client/profile.h"
#include "client/receipt_check.h"
#include "client/session.h"
#include "client/spool.h"
#include "crypto/cert.h"
#include "crypto/tlsconf.h"
#include "policy/directory_file.h"
#include "policy/member.h"
#include "policy/sign_rules.h"
#include "rpc/codec.h"
#include "workload/books.h"
#include "workload/folder.h"
#include "workload/graded.h"
#include "workload/kept.h"
#include "workload/logbook.h"
#include "workload/plan.h"
#include "workload/tally.h"

#define PURPOSE "informe-2019"
#define MESSAGE_ARENA ((size_t)4 << 20)
#define NODES_MAX 64
#define COLUMN 54
#define INFORMED_MAX 8

struct node_facts {
    const char *code;
    uint64_t leaves;
    struct grade grade;
};

struct report {
    struct logbook_reader reader; /* first */
    const char *folder;
    struct directory *directory;
    struct cert_store *authorities;
    struct tally *tally;
    struct kept *kept;
    const char *node; /* whose log is being read */
    struct node_facts nodes[NODES_MAX];
    size_t node_count;
    struct figures logs;
    struct books *books;
    struct figures at_agencies; /* those units of the logs that stand in the institution's book */
    struct arena *arena;        /* the Aggregate's texts */
    struct figures declared;
    char informed[INFORMED_MAX][CODE_SIZE]; /* whom the figures were declared to */
    unsigned informed_count;
    unsigned differences;
};

static enum rc complain(const char *what, const struct fault *fault)
{
    fprintf(stderr, "enlace-report2019: %s: %s %s: %s\n", what, fault->reason, fault->path,
            fault->remedy);
    return fault->rc == RC_OK ? RC_INTERNAL : fault->rc;
}

static enum rc complain_text(const char *text)
{
    fprintf(stderr, "enlace-report2019: %s\n", text);
    return RC_FAILED_PRECONDITION;
}

/* ---- the logs ---- */

static enum rc on_record(struct logbook_reader *reader, const struct record *record)
{
    struct report *report = (struct report *)reader;

    return tally_add(report->tally, report->node, record);
}

/* "cdmx/ssc" as part of a file's name: "cdmx-ssc". */
static void file_code(const char *code, char out[CODE_SIZE])
{
    snprintf(out, CODE_SIZE, "%s", code);
    for (char *at = out; *at != '\0'; at++) {
        *at = *at == '/' ? '-' : *at;
    }
}

static enum rc remember(const struct report *report, const struct node_entry *node,
                        struct logbook *book)
{
    char code[CODE_SIZE];
    char path[512];
    OWN(buffer) note = {0};
    struct fault fault = {0};

    file_code(node->code, code);
    snprintf(path, sizeof path, "%s/w2019/seen/%s", report->folder, code);
    switch (folder_read(path, &note)) {
    case RC_NOT_FOUND:
        return RC_OK;
    case RC_OK:
        return logbook_remember(book, buffer_bytes(&note), &fault) == RC_OK
                   ? RC_OK
                   : complain(path, &fault);
    default:
        return complain_text(path);
    }
}

static enum rc keep_note(const struct report *report, const struct node_entry *node,
                         const struct logbook *book)
{
    char code[CODE_SIZE];
    char path[512];

    snprintf(path, sizeof path, "%s/w2019/seen", report->folder);
    (void)mkdir(path, 0700);
    file_code(node->code, code);
    snprintf(path, sizeof path, "%s/w2019/seen/%s", report->folder, code);
    return folder_write(path, logbook_note(book)) == RC_OK ? RC_OK : complain_text(path);
}

static enum rc open_session(const struct report *report, const struct node_entry *node,
                            struct profile **profile, struct session **session)
{
    char path[512];
    char code[CODE_SIZE];
    char error[PROFILE_ERROR_SIZE];
    struct fault fault = {0};

    file_code(node->code, code);
    snprintf(path, sizeof path, "%s/clients/auditoria-%s.conf", report->folder, code);
    if (profile_read(path, profile, error) != RC_OK) {
        return complain_text(error);
    }
    return session_open(*profile, session, &fault) == RC_OK ? RC_OK : complain(path, &fault);
}

/* What was read must stand under a quorum of other institutions' witnesses. */
static enum rc note_grade(struct report *report, const struct node_entry *node,
                          struct session *session, const struct vkey *log, uint64_t leaves)
{
    struct node_facts *facts = &report->nodes[report->node_count++];
    struct fault fault = {0};

    facts->code = node->code;
    facts->leaves = leaves;
    if (graded_find(session, log, leaves, &facts->grade, &fault) != RC_OK) {
        return complain(node->code, &fault);
    }
    report->differences += facts->grade.is_required && facts->grade.size < leaves;
    return RC_OK;
}

static enum rc read_log(struct report *report, const struct node_entry *node)
{
    OWN_PTR(profile) profile = NULL;
    OWN_PTR(session) session = NULL;
    OWN_PTR(logbook) book = NULL;
    struct fault fault = {0};
    struct vkey vkey;

    if (vkey_parse(bytes_text(node->log_vkey), &vkey) != RC_OK ||
        (book = logbook_new(&vkey)) == NULL) {
        return complain_text("una llave de bitácora del directorio no se puede leer");
    }
    TRY(open_session(report, node, &profile, &session));
    TRY(remember(report, node, book));
    report->node = node->code;
    if (logbook_read(book, session, PURPOSE, &report->reader, &fault) != RC_OK) {
        return complain(node->code, &fault);
    }
    TRY(keep_note(report, node, book));
    return note_grade(report, node, session, &vkey, logbook_next(book));
}

static enum rc read_logs(struct report *report)
{
    const struct directory *directory = report->directory;

    for (size_t i = 0; i < directory->node_count && i < NODES_MAX; i++) {
        TRY(read_log(report, &directory->nodes[i]));
    }
    tally_end(report->tally);
    tally_figures(report->tally, &report->logs);
    return RC_OK;
}

/* ---- the Aggregate ---- */

/* Signed by an official in force of the sender, and held by the log of the recipient's node. */
static enum rc check_aggregate(const struct report *report, const struct message *message)
{
    int64_t now_ms = clock_now_ms();
    int32_t today = clock_local_day(now_ms);
    const struct node_entry *node = node_of_member(report->directory, message->header.to, today);
    uint8_t commitment[HASH_SIZE];
    struct fault fault = {0};

    if (receipt_commitment(message, commitment) != RC_OK || node == NULL) {
        return complain_text("las cifras declaradas no tienen la forma debida");
    }
    if (sign_rules_check(report->directory, report->authorities, message, commitment, today, now_ms,
                         &fault) != RC_OK) {
        return complain("la firma de las cifras declaradas", &fault);
    }
    return tally_has_received(report->tally, node->code, commitment)
               ? RC_OK
               : complain_text("las cifras declaradas no están en la bitácora de quien las recibe");
}

/* The sender's copy and the recipient's are one declaration. */
static void note_informed(struct report *report, const char *member)
{
    for (unsigned i = 0; i < report->informed_count; i++) {
        if (strcmp(report->informed[i], member) == 0) {
            return;
        }
    }
    if (report->informed_count < INFORMED_MAX) {
        snprintf(report->informed[report->informed_count++], CODE_SIZE, "%s", member);
    }
}

/* The first one counts; every other must say the same. */
static enum rc take_figures(struct report *report, const struct header *header)
{
    struct figures figures = {.count = 0};
    bool is_first = report->informed_count == 0;

    for (size_t i = 0; i < header->figure_count; i++) {
        figures_add(&figures, header->figures[i].name, header->figures[i].value);
    }
    note_informed(report, header->to);
    if (is_first) {
        report->declared = figures;
        return RC_OK;
    }
    for (size_t i = 0; i < figures.count; i++) {
        int64_t value;

        if (!figures_find(&report->declared, figures.items[i].name, &value) ||
            value != figures.items[i].value) {
            return complain_text("se declararon cifras distintas a instituciones distintas");
        }
    }
    return figures.count == report->declared.count
               ? RC_OK
               : complain_text("se declararon cifras distintas a instituciones distintas");
}

struct aggregate_reader {
    struct folder_user user; /* first */
    struct report *report;
};

static enum rc on_aggregate(struct folder_user *user, const char *path, struct bytes content)
{
    struct report *report = ((struct aggregate_reader *)user)->report;
    struct bytes copy = arena_copy(report->arena, content);
    struct message *message = arena_alloc(report->arena, sizeof *message);
    struct fault fault = {0};

    if (message == NULL || copy.data == NULL) {
        return complain_text("falta memoria");
    }
    if (codec_message_read(copy, report->arena, message, &fault) != RC_OK) {
        return complain(path, &fault);
    }
    if (message->header.type != MESSAGE_AGGREGATE ||
        strcmp(message->header.aggregate_id, PURPOSE) != 0) {
        return RC_OK;
    }
    TRY(check_aggregate(report, message));
    return take_figures(report, &message->header);
}

/* ---- what systems keep ---- */

struct spool_reader {
    struct folder_user user; /* first */
    struct report *report;
};

/* A system's spool: receipts of its own, of its adapter and of its people; openings, figures. */
static enum rc read_spool(struct report *report, const char *spool)
{
    static const char *const receipts[] = {"receipts", "adapter/receipts", "enlace/receipts"};
    struct aggregate_reader aggregates = {{on_aggregate}, report};
    char path[640];

    for (size_t i = 0; i < sizeof receipts / sizeof receipts[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", spool, receipts[i]);
        TRY(kept_read_folder(report->kept, path));
    }
    snprintf(path, sizeof path, "%s/exchanges", spool);
    return folder_walk(path, &aggregates.user);
}

static enum rc on_profile(struct folder_user *user, const char *path, struct bytes content)
{
    struct report *report = ((struct spool_reader *)user)->report;
    OWN_PTR(profile) profile = NULL;
    char error[PROFILE_ERROR_SIZE];

    (void)content;
    if (profile_read(path, &profile, error) != RC_OK) {
        return complain_text(error);
    }
    return profile->spool[0] == '\0' ? RC_OK : read_spool(report, profile->spool);
}

static enum rc read_spools(struct report *report)
{
    struct spool_reader profiles = {{on_profile}, report};
    char path[512];

    snprintf(path, sizeof path, "%s/clients", report->folder);
    TRY(folder_walk(path, &profiles.user));
    kept_end(report->kept);
    return RC_OK;
}

/* ---- what institutions wrote down themselves ---- */

static bool is_again(const struct directory *directory, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(directory->members[i].code, directory->members[n].code) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc read_books(struct report *report)
{
    const struct directory *directory = report->directory;
    struct tally_unit unit;

    for (size_t i = 0; i < directory->member_count; i++) {
        const char *code = directory->members[i].code;
        const char *slash = strchr(code, '/');
        char path[640];

        snprintf(path, sizeof path, "%s/agencies/%s/book.tsv", report->folder,
                 slash != NULL ? slash + 1 : code);
        if (!is_again(directory, i) && books_read(report->books, code, path) != RC_OK) {
            return complain_text("el libro de una institución no se puede leer");
        }
    }
    books_end(report->books);
    for (size_t i = 0; tally_unit(report->tally, i, &unit); i++) {
        if (books_has(report->books, unit.from, &unit.exchange_id, unit.item, unit.occurrence)) {
            tally_bump_unit(&unit, &report->at_agencies);
        }
    }
    return RC_OK;
}

/* ---- printing ---- */

/* Columns count characters, not bytes. */
static void print_padded(const char *text, int width)
{
    int shown = 0;

    for (const char *at = text; *at != '\0'; at++) {
        shown += ((unsigned char)*at & 0xc0) != 0x80;
    }
    printf("  %s%*s", text, shown < width ? width - shown : 0, "");
}

#define NOT_THERE INT64_C(-1)

/* `third` is NOT_THERE where institutions' books say nothing. */
static void print_three(struct report *report, const char *label, int64_t theirs, int64_t ours,
                        int64_t third)
{
    bool is_same = theirs == ours && (third == NOT_THERE || third == ours);
    char text[3][32];

    figures_format(theirs, text[0]);
    figures_format(ours, text[1]);
    figures_format(third, text[2]);
    print_padded(label, COLUMN);
    printf("%9s%9s%9s  %s\n", text[0], text[1], third == NOT_THERE ? "" : text[2],
           is_same ? "✔" : "✖");
    report->differences += !is_same;
}

static void print_line(struct report *report, const char *label, int64_t theirs, int64_t ours)
{
    print_three(report, label, theirs, ours, NOT_THERE);
}

/* Names of figures that institutions' own books have, too. */
static bool is_in_books(const char *name)
{
    return strncmp(name, "acciones.", 9) == 0 || strncmp(name, "ejecutor.", 9) == 0;
}

static int64_t of_agencies(const struct report *report, const char *name)
{
    int64_t value;

    (void)figures_find(&report->at_agencies, name, &value);
    return value;
}

static void print_rows(struct report *report)
{
    size_t count;
    const struct figures_row *rows = figures_rows(&count);

    printf("INFORME DE ACTIVIDADES 2019 DEL MPI CDMX, al 12/12/2019\n"
           "Las personas son sintéticas; acciones contadas en las bitácoras de quienes reciben, y "
           "una\n"
           "por una en el libro propio de la institución que las hizo.\n\n");
    print_padded("", COLUMN);
    printf("%9s%9s%9s\n", "informe", "contado", "su libro");
    for (size_t i = 0; i < count; i++) {
        int64_t value;

        if (rows[i].source == FIGURES_SECTION) {
            printf("\n%s\n", rows[i].label);
            continue;
        }
        (void)figures_find(rows[i].source == FIGURES_LOGS ? &report->logs : &report->declared,
                           rows[i].name, &value);
        print_three(report, rows[i].label, rows[i].reported, value,
                    rows[i].source == FIGURES_LOGS && is_in_books(rows[i].name)
                        ? of_agencies(report, rows[i].name)
                        : NOT_THERE);
    }
}

static int64_t of_logs(const struct report *report, const char *name)
{
    int64_t value;

    (void)figures_find(&report->logs, name, &value);
    return value;
}

static int64_t of_declared(const struct report *report, const char *name)
{
    int64_t value;

    (void)figures_find(&report->declared, name, &value);
    return value;
}

/* What mpi-cdmx declared and signed, beside what the auditor counted. */
static void print_reconciliation(struct report *report)
{
    static const struct {
        const char *name;
        const char *label;
    } rows[] = {
        {"acciones.urgente", "acciones de protección urgente"},
        {"acciones.prevencion", "acciones de prevención"},
        {"acciones.social", "acciones de medidas sociales"},
        {"acciones.proteccion", "acciones de protección"},
        {"acciones.canalizacion", "atenciones y canalizaciones"},
        {"acciones.federal", "apoyos al Mecanismo Federal"},
        {"acciones.total", "en total"},
    };
    struct tally_faults faults;

    tally_find_faults(report->tally, &faults);
    printf("\nConciliación: lo declarado y firmado por mpi-cdmx, lo contado en las bitácoras\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_line(report, rows[i].label, of_declared(report, rows[i].name),
                   of_logs(report, rows[i].name));
    }
    print_line(report, "casos, frente a incorporados + canalizados + federales",
               of_declared(report, "casos.total"),
               of_declared(report, "incorporados.total") +
                   of_logs(report, "intercambios.canalizaciones") +
                   of_logs(report, "intercambios.apoyos"));
    print_line(report, "instituciones que recibieron las cifras firmadas", 2,
               report->informed_count);
    print_line(report, "registros recibidos, con su par en la bitácora de envío",
               (int64_t)faults.received, (int64_t)(faults.received - faults.unpaired));
    print_line(report, "acciones en los libros de las instituciones, las mismas",
               (int64_t)books_actions(report->books, NULL), of_agencies(report, "acciones.total"));
    print_line(report, "personas que ellas canalizaron, y el Mecanismo recibió",
               (int64_t)books_referrals(report->books),
               of_logs(report, "canalizaciones.de-instituciones"));
    print_line(report, "acciones anotadas dos veces", 0, (int64_t)faults.repeated);
    print_line(report, "acciones de intercambios derivados, aparte", 0,
               (int64_t)faults.of_children);
    if (faults.refused > 0) {
        printf("  Los nodos rechazaron %zu mensajes, y así lo anotaron.\n", faults.refused);
    }
}

/* How many message records there were when the report was last made; -1: never. */
static int64_t records_before(const char *path)
{
    OWN(buffer) text = {0};

    if (folder_read(path, &text) != RC_OK) {
        return -1;
    }
    buffer_put_u8(&text, '\0');
    return text.is_failed ? -1 : strtoll((const char *)text.data, NULL, 10);
}

static enum rc print_growth(const struct report *report)
{
    struct tally_faults faults;
    OWN(buffer) text = {0};
    char path[512];
    char now[32];
    char then[32];
    int64_t before;

    tally_find_faults(report->tally, &faults);
    snprintf(path, sizeof path, "%s/w2019/records", report->folder);
    before = records_before(path);
    figures_format((int64_t)faults.messages, now);
    figures_format(before, then);
    if (before == (int64_t)faults.messages) {
        printf("Sin cambios desde la corrida anterior: %s registros de mensajes, los mismos.\n",
               now);
    } else if (before >= 0) {
        printf("Hay %s registros de mensajes; en la corrida anterior había %s.\n", now, then);
    } else {
        printf("Hay %s registros de mensajes, sin los avisos de plazos ni lo retirado.\n", now);
    }
    buffer_print(&text, "%zu\n", faults.messages);
    return folder_write(path, buffer_bytes(&text));
}

static void print_logs(const struct report *report)
{
    printf("\nBitácoras leídas completas, con sello, rutas, registros y raíz verificados "
           "(cada lectura agrega una hoja):\n");
    for (size_t i = 0; i < report->node_count; i++) {
        char leaves[32];

        const struct node_facts *facts = &report->nodes[i];

        figures_format((int64_t)facts->leaves, leaves);
        printf("  %-18s%9s hojas", facts->code, leaves);
        if (facts->grade.size >= facts->leaves) {
            printf(", atestiguadas por %zu de %zu\n", facts->grade.counted, facts->grade.foreign);
        } else {
            printf("%s\n", facts->grade.is_required ? ", SIN quórum de testigos ✖" : "");
        }
    }
}

static size_t count_whole(const struct report *report, size_t *units)
{
    int32_t today = clock_local_day(clock_now_ms());
    struct tally_unit unit;
    size_t whole = 0;

    for (*units = 0; tally_unit(report->tally, *units, &unit); (*units)++) {
        const struct node_entry *sender = node_of_member(report->directory, unit.from, today);

        whole +=
            sender != NULL && kept_is_whole(report->kept, unit.commitment, sender->code, unit.node);
    }
    return whole;
}

/* The last line: each unit's R0 as its executor kept it, and R0 and R1 as its requester did. */
static void print_receipts(struct report *report)
{
    struct kept_figures figures = kept_figures(report->kept);
    size_t units;
    size_t whole = count_whole(report, &units);
    char text[3][32];

    figures_format((int64_t)figures.receipts, text[2]);
    printf("Acuses guardados por los sistemas: %s verificados sin conexión; %zu no se "
           "sostienen.\n",
           text[2], figures.bad);
    figures_format((int64_t)whole, text[0]);
    figures_format((int64_t)units, text[1]);
    printf("recibos verificados: %s de %s\n", text[0], text[1]);
    report->differences += whole != units || units == 0 || figures.bad > 0;
}

/* ---- the whole ---- */

static void report_release(struct report *report)
{
    kept_free(report->kept);
    books_free(report->books);
    tally_free(report->tally);
    arena_free(report->arena);
    cert_store_free(report->authorities);
    directory_free(report->directory);
}

static enum rc open_report(struct report *report)
{
    char path[512];
    char error[DIRECTORY_ERROR_SIZE];

    snprintf(path, sizeof path, "%s/directory.txt", report->folder);
    if (directory_read(path, &report->directory, error) != RC_OK) {
        return complain_text(error);
    }
    snprintf(path, sizeof path, "%s/pki/ca/all.pem", report->folder);
    if (cert_store_load(path, &report->authorities) != RC_OK) {
        return complain_text("no se pueden leer las autoridades, pki/ca/all.pem");
    }
    report->reader.on_record = on_record;
    report->tally = tally_new(PLAN_LAST_DAY);
    report->arena = arena_new(MESSAGE_ARENA);
    report->kept = kept_new(report->directory);
    report->books = books_new(PLAN_LAST_DAY);
    return report->tally != NULL && report->arena != NULL && report->kept != NULL &&
                   report->books != NULL
               ? RC_OK
               : complain_text("falta memoria");
}

static enum rc make_report(struct report *report)
{
    TRY(open_report(report));
    TRY(read_logs(report));
    TRY(read_spools(report));
    TRY(read_books(report));
    print_rows(report);
    print_reconciliation(report);
    print_logs(report);
    TRY(print_growth(report));
    print_receipts(report);
    return RC_OK;
}

int main(int argc, char **argv)
{
    struct report *report;
    bool is_good;

    if (argc != 2) {
        fprintf(stderr, "uso: enlace-report2019 CARPETA\n"
                        "  CARPETA   de la demostración: directory.txt, pki/, clients/, w2019/\n");
        return 2;
    }
    log_open("enlace-report2019", LOG_LEVEL_WARN);
    if (tlsconf_require_tls13() != RC_OK) {
        return 1;
    }
    report = calloc(1, sizeof *report);
    if (report == NULL) {
        return 1;
    }
    report->folder = argv[1];
    is_good = make_report(report) == RC_OK && report->differences == 0;
    if (!is_good && report->differences > 0) {
        fprintf(stderr, "enlace-report2019: %u líneas no coinciden\n", report->differences);
    }
    report_release(report);
    free(report);
    return is_good ? 0 : 1;
}
