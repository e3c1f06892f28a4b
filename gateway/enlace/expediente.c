#include "enlace/expediente.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/audit_find.h"
#include "client/audit_read.h"
#include "client/audit_seen.h"
#include "client/profile.h"
#include "client/record_json.h"
#include "client/session.h"
#include "crypto/digest.h"
#include "crypto/filesig.h"
#include "crypto/timestamp.h"
#include "enlace/command.h"
#include "offline/disk.h"
#include "offline/evidence_folder.h"
#include "offline/report.h"
#include "tlog/add_checkpoint.h"
#include "tlog/policy.h"
#include "tlog/tlog_proof.h"

#define LAW_FILES_MAX 512
#define LAW_FILE_MAX ((size_t)4 << 20)
#define SEAL_WAIT_MS 20000
#define SEAL_STEP_MS 500

/* One folder on its way. */
struct making {
    struct cli *cli;
    const struct expediente_options *options;
    struct expediente_row *rows; /* EVIDENCE_LEAVES_MAX */
    size_t count;
    char (*names)[EVIDENCE_NAME_SIZE]; /* of what was written, for SUMAS */
    size_t name_count;
    struct checkpoint seal;
};

static enum rc put(struct making *making, const char *name, struct bytes bytes, struct fault *fault)
{
    if (making->name_count == EVIDENCE_FILES_MAX) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "evidence.files", making->options->folder,
                      "Son demasiados archivos para un expediente; use «log export --records».");
    }
    snprintf(making->names[making->name_count++], EVIDENCE_NAME_SIZE, "%s", name);
    return disk_write(making->options->folder, name, bytes, DISK_BY_UMASK) == RC_OK
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "file.unwritable", name,
                        "No se puede escribir en la carpeta: revise permisos y espacio.");
}

/* ---- what the node shows, verified ---- */

struct gathering {
    struct audit_taker taker; /* first */
    struct making *making;
};

static enum rc keep_row(struct audit_taker *taker, const struct audit_entry *entry,
                        const struct leaf *leaf, const struct record *record, struct fault *fault)
{
    struct making *making = ((struct gathering *)taker)->making;

    (void)entry;
    if (making->count == EVIDENCE_LEAVES_MAX) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "evidence.leaves", "",
                      "Son demasiados registros para un expediente; use «log export --records».");
    }
    making->rows[making->count++] = (struct expediente_row){*leaf, *record};
    return RC_OK;
}

/* All records, page by page: first to know how far the seal has to reach. */
static enum rc look(struct making *making, struct audit_find *find, uint64_t *end,
                    struct fault *fault)
{
    struct gathering gathering = {.taker = {keep_row}, .making = making};
    uint64_t next = 0;
    uint64_t size = 0;

    do {
        struct audit_find_page page;

        TRY(audit_find_page(find, next, AUDIT_PAGE_MAX, making->cli->arena, &gathering.taker, &page,
                            fault));
        size = size == 0 ? page.head.size : size;
        next = page.next;
    } while (next < size);
    if (making->count == 0) {
        return refuse(fault, RC_NOT_FOUND, "evidence.none", "",
                      "La bitácora no tiene nada de ese intercambio que usted pueda leer.");
    }
    *end = making->rows[making->count - 1].leaf.index + 1;
    return RC_OK;
}

/* ---- the seal ---- */

/* A checkpoint with a quorum that covers all leaves; the newest there is may lag behind a little.
 */
static enum rc wait_for_seal(struct making *making, uint64_t end, struct bytes *note,
                             struct fault *fault)
{
    struct cli *cli = making->cli;
    const struct profile *profile = cli->profile;
    int64_t until = clock_monotonic_ms() + SEAL_WAIT_MS;

    do {
        TRY(ask_checkpoint(cli->session, profile->logs[0].name, cli->arena, note, fault));
        if (note->size > 0) {
            TRY(audit_read_open_head(*note, profile->logs, profile->own_log_count, &making->seal,
                                     fault));
            if (making->seal.size >= end) {
                return RC_OK;
            }
        }
        clock_sleep_ms(SEAL_STEP_MS);
    } while (clock_monotonic_ms() < until);
    return refuse(fault, RC_UNAVAILABLE, "evidence.unwitnessed", "",
                  "Los testigos todavía no firman hasta la hoja %" PRIu64
                  ": reintente, o vea «enlace status».",
                  end - 1);
}

/* ---- what is written ---- */

static enum rc put_growth(struct making *making, const struct checkpoint *head,
                          const struct audit_query_page *page, struct fault *fault)
{
    char name[EVIDENCE_NAME_SIZE];
    OWN(buffer) body = {0};
    struct proof proof;

    if (head->size == making->seal.size) {
        return RC_OK;
    }
    snprintf(name, sizeof name, "crecio/%" PRIu64 ".add-checkpoint", head->size);
    for (size_t i = 0; i < making->name_count; i++) {
        if (strcmp(making->names[i], name) == 0) {
            return RC_OK;
        }
    }
    if (!audit_read_path(&page->consistency, &proof)) {
        return RC_INTERNAL; /* it was verified */
    }
    add_checkpoint_write(making->seal.size, &proof, page->page.checkpoint, &body);
    return put(making, name, buffer_bytes(&body), fault);
}

static enum rc put_entry(struct making *making, const struct audit_entry *entry, struct bytes note,
                         struct fault *fault)
{
    char name[EVIDENCE_NAME_SIZE];
    OWN(buffer) record = {0};
    OWN(buffer) text = {0};
    struct proof proof;
    struct leaf leaf;

    if (leaf_decode(entry->leaf, &leaf) != RC_OK) {
        return RC_INTERNAL; /* it was verified */
    }
    if (!audit_read_path(&entry->path, &proof)) {
        return RC_INTERNAL; /* it was verified */
    }
    evidence_leaf_name(leaf.index, "leaf", name);
    TRY(put(making, name, entry->leaf, fault));
    buffer_put_bytes(&record, entry->record_blind);
    buffer_put_bytes(&record, entry->record);
    evidence_leaf_name(leaf.index, "record", name);
    TRY(put(making, name, buffer_bytes(&record), fault));
    tlog_proof_write(leaf.index, &proof, (struct bytes){0}, note, &text);
    evidence_leaf_name(leaf.index, "tlog-proof", name);
    return put(making, name, buffer_bytes(&text), fault);
}

/* The same pages again, now as growth from the seal. */
static enum rc put_pages(struct making *making, struct audit_find *find, struct audit_seen *seen,
                         uint64_t end, struct fault *fault)
{
    const struct profile *profile = making->cli->profile;
    struct gathering gathering = {.taker = {keep_row}, .making = making};
    uint64_t next = 0;

    making->count = 0;
    while (next < end) {
        struct audit_query_page page;
        struct checkpoint head;

        seen->last = making->seal;
        TRY(audit_find_ask(find, next, AUDIT_PAGE_MAX, making->cli->arena, &page, fault));
        TRY(audit_find_verify(&page, &making->options->petition.query, next, profile->logs,
                              profile->own_log_count, making->cli->arena, &gathering.taker, &head,
                              fault));
        TRY(audit_seen_extend(seen, &head, page.page.checkpoint, &page.consistency, fault));
        if (making->seal.size == 0) {
            making->seal = head; /* no witnesses: the first page's checkpoint is the seal */
            TRY(put(making, "sello.checkpoint", page.page.checkpoint, fault));
        }
        for (size_t i = 0; i < page.page.entry_count; i++) {
            TRY(put_entry(making, &page.page.entries[i], page.page.checkpoint, fault));
        }
        TRY(put_growth(making, &head, &page, fault));
        next = page.next_index;
    }
    return RC_OK;
}

char *expediente_facts(const struct expediente_row *rows, size_t count)
{
    json_t *array = json_array();
    char *text;

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, record_json(&rows[i].leaf, &rows[i].record));
    }
    text = json_dumps(array, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(array);
    return text;
}

static enum rc put_texts(struct making *making, struct fault *fault)
{
    char *facts = expediente_facts(making->rows, making->count);
    OWN(buffer) pdf = {0};
    enum rc rc = facts != NULL
                     ? put(making, "hechos.json", bytes_text(facts), fault)
                     : refuse(fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");

    free(facts);
    TRY(rc);
    TRY(expediente_pdf(making->rows, making->count, &making->seal, &pdf, fault));
    return put(making, "expediente.pdf", buffer_bytes(&pdf), fault);
}

/* ---- what it is verified with, and by whom it was made ---- */

static enum rc copy_in(struct making *making, const char *path, const char *name,
                       struct fault *fault)
{
    OWN(buffer) content = {0};

    TRY(cli_read_file(path, LAW_FILE_MAX, &content, fault));
    return put(making, name, buffer_bytes(&content), fault);
}

static bool is_text(const char *name)
{
    size_t size = strlen(name);

    return evidence_name_is_valid(bytes_text(name)) &&
           ((size > 5 && strcmp(name + size - 5, ".note") == 0) ||
            (size > 12 && strcmp(name + size - 12, ".authorities") == 0));
}

static enum rc copy_law(struct making *making, struct fault *fault)
{
    const char *law = making->options->law;
    DIR *folder = law != NULL ? opendir(law) : NULL;
    const struct dirent *found;
    enum rc rc = RC_OK;
    int count = 0;

    if (law != NULL && folder == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.unreadable", law,
                      "No se puede leer la carpeta de textos: %s.", strerror(errno));
    }
    while (rc == RC_OK && folder != NULL && count < LAW_FILES_MAX &&
           (found = readdir(folder)) != NULL) {
        char path[PATH_MAX];
        char name[EVIDENCE_NAME_SIZE + 16];

        if (is_text(found->d_name)) {
            snprintf(path, sizeof path, "%.3000s/%s", law, found->d_name);
            snprintf(name, sizeof name, "directorio/%.170s", found->d_name);
            rc = copy_in(making, path, name, fault);
            count++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return rc;
}

static enum rc put_trust(struct making *making, struct fault *fault)
{
    const struct profile *profile = making->cli->profile;
    OWN(buffer) keys = {0};

    for (size_t i = 0; i < profile->node_log.count; i++) {
        buffer_print(&keys, "%s\n", profile->node_log.items[i]);
    }
    TRY(put(making, "vkey", buffer_bytes(&keys), fault));
    if (profile->policy[0] != '\0') {
        TRY(copy_in(making, profile->policy, "policy", fault));
    }
    TRY(copy_in(making, profile->ca, "ca.pem", fault));
    return copy_law(making, fault);
}

static const char guide[] =
    "EXPEDIENTE DE EVIDENCIA\n\n"
    "Lo que una bitácora de Enlace guarda de un intercambio entre instituciones: quién envió qué\n"
    "clase de mensaje a quién, cuándo, con qué fundamento y qué campos (por su nombre, nunca su\n"
    "valor). Léase expediente.pdf; lo demás sirve para comprobarlo, sin red y sin confiar en "
    "quien\n"
    "hizo esta carpeta.\n\n"
    "1. Consiga por su cuenta, no de esta carpeta: la llave de la bitácora (vkey) o la política "
    "de\n"
    "   testigos de la red, que publican las autoridades; y el certificado de quien firmó.\n"
    "2. En una máquina con el programa enlace-verify, que no necesita nada más:\n\n"
    "     enlace-verify bundle CARPETA --policy POLITICA --certificate FIRMANTE.pem\n\n"
    "   (o --vkey LLAVE --unwitnessed, si la bitácora no tiene testigos). Termina con 0 si todo\n"
    "   verifica. «enlace verify bundle» compara además hechos.json con los registros.\n"
    "3. Con programas que no son de Enlace: SUMAS es de sha256sum -c; SUMAS.p7s, de\n"
    "     openssl cms -verify -binary -inform DER -in SUMAS.p7s -content SUMAS -certfile F.pem "
    "-noverify\n"
    "   y cada hojas/*.tlog-proof es una prueba C2SP tlog-proof de la hoja del mismo nombre;\n"
    "   crecio/*.add-checkpoint, pruebas de crecimiento C2SP tlog-witness desde sello.checkpoint.\n"
    "4. Sello de tiempo (optativo): envíe sello.tsq a una autoridad RFC 3161 y agregue su "
    "respuesta\n"
    "   con «enlace audit stamp». Se comprueba con --tsa.\n";

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static enum rc put_sums(struct making *making, struct fault *fault)
{
    const struct profile *profile = making->cli->profile;
    bool is_official = profile->official_certificate[0] != '\0';
    OWN_PTR(filesigner) signer = NULL;
    OWN(buffer) signature = {0};
    OWN(buffer) sums = {0};

    qsort(making->names, making->name_count, sizeof making->names[0], by_name);
    for (size_t i = 0; i < making->name_count; i++) {
        OWN(buffer) content = {0};
        char hex[2 * DIGEST_SIZE + 1];
        uint8_t digest[DIGEST_SIZE];
        struct bytes bytes;

        if (disk_read(making->options->folder, making->names[i], EVIDENCE_FILE_MAX, &content) !=
            RC_OK) {
            return refuse(fault, RC_UNAVAILABLE, "file.unreadable", making->names[i],
                          "No se puede leer lo que se acaba de escribir.");
        }
        bytes = buffer_bytes(&content);
        digest_of(&bytes, 1, digest);
        hex_encode(digest, DIGEST_SIZE, hex);
        buffer_print(&sums, "%s  %s\n", hex, making->names[i]);
    }
    TRY(put(making, "SUMAS", buffer_bytes(&sums), fault));
    TRY(filesigner_load(is_official ? profile->official_certificate : profile->certificate,
                        is_official ? profile->official_key : profile->key, &signer, fault));
    TRY(filesig_sign(signer, buffer_bytes(&sums), &signature));
    return put(making, "SUMAS.p7s", buffer_bytes(&signature), fault);
}

static enum rc put_seal(struct making *making, struct bytes note, struct fault *fault)
{
    OWN(buffer) kept = {0};
    OWN(buffer) request = {0};

    if (note.size > 0) {
        TRY(put(making, "sello.checkpoint", note, fault));
    } else if (disk_read(making->options->folder, "sello.checkpoint", EVIDENCE_FILE_MAX, &kept) ==
               RC_OK) {
        note = buffer_bytes(&kept);
    }
    TRY(timestamp_request(note, &request));
    return put(making, "sello.tsq", buffer_bytes(&request), fault);
}

static enum rc make(struct making *making, struct fault *fault)
{
    struct cli *cli = making->cli;
    struct audit_seen seen = {.path = ""};
    OWN_PTR(audit_find) find = NULL;
    struct bytes note = {0};
    uint64_t end = 0;

    TRY(audit_find_open(cli->session, &making->options->petition, &seen, &find, fault));
    TRY(look(making, find, &end, fault));
    if (cli->profile->policy[0] != '\0') {
        TRY(wait_for_seal(making, end, &note, fault));
    }
    if (disk_make_folder(making->options->folder, DISK_BY_UMASK) != RC_OK) {
        return refuse(fault, RC_UNAVAILABLE, "file.unwritable", making->options->folder,
                      "No se puede hacer la carpeta: revise permisos y espacio.");
    }
    TRY(put_pages(making, find, &seen, end, fault));
    TRY(audit_find_finish(find, fault));
    TRY(put_seal(making, note, fault));
    TRY(put_trust(making, fault));
    TRY(put(making, "LEEME.txt", bytes_text(guide), fault));
    TRY(put_texts(making, fault));
    return put_sums(making, fault);
}

int expediente_make(struct cli *cli, const struct expediente_options *options)
{
    struct making making = {.cli = cli, .options = options};
    struct fault fault = {0};
    struct stat facts;
    enum rc rc;

    if (stat(options->folder, &facts) == 0) {
        return cli_usage(cli, "audit", "%.150s ya existe; un expediente no se sobrescribe.",
                         options->folder);
    }
    making.rows = calloc(EVIDENCE_LEAVES_MAX, sizeof *making.rows);
    making.names = calloc(EVIDENCE_FILES_MAX, sizeof *making.names);
    rc = making.rows != NULL && making.names != NULL
             ? make(&making, &fault)
             : refuse(&fault, RC_RESOURCE_EXHAUSTED, "cli.memory", "", "Falta memoria.");
    if (rc != RC_OK) {
        refuse(&fault, rc, "evidence.failed", options->folder, "No se pudo hacer; reintente.");
    } else if (cli->is_json) {
        cli_print(json_pack("{s:s,s:s,s:I,s:I}", "folder", options->folder, "log",
                            making.seal.origin, "records", (json_int_t)making.count, "tree_size",
                            (json_int_t)making.seal.size));
    } else {
        printf("Expediente en %s: %zu registros verificados, bajo el sello de %" PRIu64
               " hojas de %s.\nCompruébelo: enlace-verify bundle %s --policy POLITICA "
               "--certificate FIRMANTE.pem\n",
               options->folder, making.count, making.seal.size, making.seal.origin,
               options->folder);
    }
    free(making.rows);
    free(making.names);
    return rc == RC_OK ? EXIT_DONE : cli_fault(cli, &fault);
}

int expediente_stamp(const struct cli *cli, const char *folder, const char *answer, const char *tsa)
{
    OWN(buffer) seal = {0};
    OWN(buffer) stamp = {0};
    char when[CLI_TIME_SIZE];
    struct fault fault = {0};
    int64_t time_s;

    if (disk_read(folder, "sello.checkpoint", EVIDENCE_FILE_MAX, &seal) != RC_OK) {
        return cli_usage(cli, "audit", "%.150s no es un expediente.", folder);
    }
    if (cli_read_file(answer, TIMESTAMP_MAX, &stamp, &fault) != RC_OK ||
        timestamp_verify(tsa, buffer_bytes(&seal), buffer_bytes(&stamp), &time_s, &fault) !=
            RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (disk_write(folder, "sello.tsr", buffer_bytes(&stamp), DISK_BY_UMASK) != RC_OK) {
        (void)refuse(&fault, RC_UNAVAILABLE, "file.unwritable", folder, "No se puede escribir.");
        return cli_fault(cli, &fault);
    }
    cli_time(time_s * 1000, when);
    if (cli->is_json) {
        cli_print(json_pack("{s:I}", "time_s", (json_int_t)time_s));
    } else {
        printf("Agregado: el sello existía el %s.\n", when);
    }
    return EXIT_DONE;
}
