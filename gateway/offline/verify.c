#include "offline/verify.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "offline/consistency.h"
#include "offline/disk.h"
#include "offline/evidence_folder.h"
#include "crypto/cert.h"
#include "offline/log_check.h"
#include "offline/oficio_check.h"
#include "offline/receipts_check.h"
#include "offline/report.h"
#include "tlog/sheet_note.h"
#include "tlog/text.h"

#define STATUS_USAGE 2

const char *const verify_help =
    "  log CARPETA            una bitácora exportada, completa\n"
    "  consistency ANTES AHORA  que una bitácora sólo creció (sellos o carpetas)\n"
    "  receipt ARCHIVO        los acuses de un mensaje\n"
    "  exchange A B           lo que dos partes guardan: acuses, o bitácoras con --records\n"
    "  bundle CARPETA         un expediente de evidencia («enlace audit bundle»)\n"
    "  oficio TEXTO|ARCHIVO|-  lo que dice el código QR de un oficio impreso, con --certificate\n"
    "  --vkey LLAVE       llave de la bitácora; varias veces\n"
    "  --policy ARCHIVO   bitácoras, testigos y quórum (C2SP tlog-policy); exige el quórum\n"
    "  --unwitnessed      acepta sin quórum, y lo dice\n"
    "  --own TESTIGO      testigo de la misma institución: no cuenta; varias veces\n"
    "  --fresh SEGUNDOS   no cuentan firmas de testigos más viejas\n"
    "  --tolerance SEGUNDOS  entre relojes (600)\n"
    "  --checkpoint ARCHIVO  un sello que usted recuerda: la bitácora debe contenerlo; varias "
    "veces\n"
    "  --exchange ID      sólo ese intercambio\n"
    "  --certificate PEM  el de quien imprimió el oficio; --receipt ARCHIVO: su acuse, con --vkey\n"
    "  --certificate PEM --tsa PEM  de quien hizo el expediente, y de la autoridad de sellos de "
    "tiempo\n"
    "  --succession ARCHIVO --authorities ARCHIVO  la declaración por la que una bitácora sucedió "
    "a\n"
    "                     otra, y quiénes la firman: revoca lo posterior al último sello bueno\n";

/* Everything of one run; about 200 KiB. */
struct run {
    const struct verify_caller *caller;
    struct trust trust;
    struct report report;
    const char *remembered[LOG_CHECK_REMEMBERED_MAX];
    size_t remembered_count;
    const char *paths[2];
    size_t path_count;
    const char *exchange;
    const char *succession;
    const char *authorities;
    const char *certificate;
    const char *receipt;
    const char *tsa;
};

__attribute__((format(printf, 2, 3))) static int usage(const struct run *run, const char *format,
                                                       ...)
{
    char text[REPORT_TEXT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (run->caller->is_json) {
        report_print_error("usage", run->caller->program, text, stdout);
    } else {
        fprintf(stderr, "%s: %s\n", run->caller->program, text);
    }
    return STATUS_USAGE;
}

static int take_policy(struct run *run, const char *path)
{
    OWN(buffer) text = {0};
    struct policy_flaw flaw = {0};

    if (run->trust.has_policy) {
        return usage(run, "Sólo una --policy.");
    }
    if (disk_read(path, "", POLICY_SIZE_MAX, &text) != RC_OK) {
        return usage(run, "No se puede leer la política %s.", path);
    }
    if (trust_set_policy(&run->trust, buffer_bytes(&text), &flaw) != RC_OK) {
        return usage(run, "%s:%zu: no es una política (tlog-policy): %s", path, flaw.line,
                     flaw.reason != NULL ? flaw.reason : "demasiadas bitácoras");
    }
    return 0;
}

static int take_seconds(struct run *run, const char *text, uint64_t *seconds)
{
    return text_decimal(bytes_text(text), seconds) == RC_OK && *seconds < UINT32_MAX
               ? 0
               : usage(run, "Se esperaba un número de segundos, no «%s».", text);
}

static int take_option(struct run *run, int choice, const char *value)
{
    switch (choice) {
    case 'k':
        return trust_add_log(&run->trust, bytes_text(value)) == RC_OK
                   ? 0
                   : usage(run, "«%s» no es la llave (vkey) de una bitácora.", value);
    case 'p':
        return take_policy(run, value);
    case 'u':
        run->trust.is_unwitnessed_fine = true;
        return 0;
    case 'o':
        if (run->trust.own_count == TRUST_OWN_MAX) {
            return usage(run, "Demasiados --own.");
        }
        run->trust.own[run->trust.own_count++] = value;
        return 0;
    case 'f':
        return take_seconds(run, value, &run->trust.fresh_s);
    case 't':
        return take_seconds(run, value, &run->trust.tolerance_s);
    case 'c':
        if (run->remembered_count == LOG_CHECK_REMEMBERED_MAX) {
            return usage(run, "Demasiados --checkpoint.");
        }
        run->remembered[run->remembered_count++] = value;
        return 0;
    case 'x':
        run->exchange = value;
        return 0;
    case 's':
        run->succession = value;
        return 0;
    case 'a':
        run->authorities = value;
        return 0;
    case 'q':
        run->certificate = value;
        return 0;
    case 'r':
        run->receipt = value;
        return 0;
    case 'z':
        run->tsa = value;
        return 0;
    default:
        return usage(run, "Una opción no se entiende.");
    }
}

static int take_arguments(struct run *run, int argc, char **argv)
{
    static const struct option names[] = {
        {"vkey", required_argument, NULL, 'k'},
        {"policy", required_argument, NULL, 'p'},
        {"unwitnessed", no_argument, NULL, 'u'},
        {"own", required_argument, NULL, 'o'},
        {"fresh", required_argument, NULL, 'f'},
        {"tolerance", required_argument, NULL, 't'},
        {"checkpoint", required_argument, NULL, 'c'},
        {"exchange", required_argument, NULL, 'x'},
        {"succession", required_argument, NULL, 's'},
        {"authorities", required_argument, NULL, 'a'},
        {"certificate", required_argument, NULL, 'q'},
        {"receipt", required_argument, NULL, 'r'},
        {"tsa", required_argument, NULL, 'z'},
        {NULL, 0, NULL, 0},
    };
    int choice;

    opterr = 0;
    optind = 1;
    while ((choice = getopt_long(argc, argv, "", names, NULL)) != -1) {
        int status = take_option(run, choice, optarg);

        if (status != 0) {
            return status;
        }
    }
    for (; optind < argc; optind++) {
        if (run->path_count == 2) {
            return usage(run, "Sobra «%s».", argv[optind]);
        }
        run->paths[run->path_count++] = argv[optind];
    }
    return 0;
}

/* The caller's policy; whoever named keys himself believes those and no others. */
static int take_callers_policy(struct run *run)
{
    size_t named = run->trust.log_count;
    int status;

    if (run->trust.has_policy || run->caller->policy == NULL) {
        return 0;
    }
    status = take_policy(run, run->caller->policy);
    run->trust.log_count = named > 0 ? named : run->trust.log_count;
    return status;
}

static int take_succession(struct run *run)
{
    OWN(buffer) note = {0};
    OWN(buffer) list = {0};

    if (run->succession == NULL && run->authorities == NULL) {
        return 0;
    }
    if (run->succession == NULL || run->authorities == NULL) {
        return usage(run, "--succession y --authorities van juntos.");
    }
    if (disk_read(run->succession, "", SUCCESSION_SIZE_MAX, &note) != RC_OK ||
        disk_read(run->authorities, "", AUTHORITIES_TEXT_MAX, &list) != RC_OK) {
        return usage(run, "No se puede leer %s o %s.", run->succession, run->authorities);
    }
    return trust_set_succession(&run->trust, buffer_bytes(&note), buffer_bytes(&list)) == RC_OK
               ? 0
               : usage(run,
                       "%s no es una declaración de sucesión firmada por bastantes de esas "
                       "autoridades.",
                       run->succession);
}

static int take_trust(struct run *run)
{
    struct trust *trust = &run->trust;
    int status = take_succession(run);

    status = status == 0 ? take_callers_policy(run) : status;

    if (status != 0) {
        return status;
    }
    if (trust->log_count == 0 && run->caller->log_count <= TRUST_LOGS_MAX) {
        for (size_t i = 0; i < run->caller->log_count; i++) {
            trust->logs[trust->log_count++] = run->caller->logs[i];
        }
    }
    return trust->log_count > 0
               ? 0
               : usage(run, "Falta --vkey o --policy: la llave de la bitácora, obtenida por otro "
                            "camino que lo que se verifica.");
}

static int read_bundle(struct run *run, const char *path, struct buffer *text,
                       struct receipt_bundle *bundle)
{
    if (disk_read(path, "", RECEIPT_BUNDLE_SIZE_MAX, text) != RC_OK) {
        return usage(run, "No se puede leer %s.", path);
    }
    return receipt_bundle_parse(buffer_bytes(text), bundle) == RC_OK
               ? 0
               : usage(run, "%s no es un acuse de Enlace (enlace receipt ID -o ARCHIVO).", path);
}

static int run_receipts(struct run *run)
{
    struct receipt_bundle bundles[2];
    OWN(buffer) first = {0};
    OWN(buffer) second = {0};
    int status = read_bundle(run, run->paths[0], &first, &bundles[0]);

    if (status == 0 && run->path_count == 2) {
        status = read_bundle(run, run->paths[1], &second, &bundles[1]);
    }
    if (status != 0) {
        return status;
    }
    if (run->path_count == 2) {
        receipts_compare(&bundles[0], &bundles[1], &run->trust, &run->report);
    } else {
        (void)receipts_check(&bundles[0], &run->trust, &run->report);
    }
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

static int run_exchange(struct run *run)
{
    if (!is_folder(run->paths[0]) && !is_folder(run->paths[1])) {
        return run_receipts(run);
    }
    if (run->caller->exchange_folders == NULL) {
        return usage(run, "Para comparar bitácoras completas use «enlace verify exchange».");
    }
    run->caller->exchange_folders(run->paths[0], run->paths[1], run->exchange, &run->trust,
                                  &run->report);
    return 0;
}

static void run_log(struct run *run)
{
    struct log_check check = {.path = run->paths[0],
                              .trust = &run->trust,
                              .remembered = run->remembered,
                              .remembered_count = run->remembered_count};
    struct checkpoint head = {0};

    log_check_run(&check, &head, &run->report);
}

/* The text itself, a file with it, or what a reader of codes gives to our standard input. */
static int read_sheet(struct run *run, const char *argument, struct buffer *text)
{
    uint8_t chunk[SHEET_NOTE_MAX + 2];

    if (strncmp(argument, "enlace-oficio", 13) == 0) {
        buffer_put_bytes(text, bytes_text(argument));
        return 0;
    }
    if (strcmp(argument, "-") == 0) {
        buffer_put(text, chunk, fread(chunk, 1, sizeof chunk, stdin));
        return 0;
    }
    return disk_read(argument, "", sizeof chunk, text) == RC_OK
               ? 0
               : usage(run, "No se puede leer %s: ni es un archivo corto ni el texto del código.",
                       argument);
}

static int run_oficio(struct run *run)
{
    OWN(buffer) text = {0};
    OWN(buffer) receipt = {0};
    OWN_PTR(cert) cert = NULL;
    int status;

    if (run->path_count != 1 || run->certificate == NULL) {
        return usage(run, "«oficio» espera el texto del código y --certificate.");
    }
    if (cert_load(run->certificate, &cert, NULL) != RC_OK) {
        return usage(run, "No se puede leer el certificado %s.", run->certificate);
    }
    status = run->receipt != NULL ? take_trust(run) : 0;
    status = status == 0 ? read_sheet(run, run->paths[0], &text) : status;
    if (status == 0 && run->receipt != NULL &&
        disk_read(run->receipt, "", RECEIPT_BUNDLE_SIZE_MAX, &receipt) != RC_OK) {
        status = usage(run, "No se puede leer %s.", run->receipt);
    }
    if (status != 0) {
        return status;
    }
    run->report.what = "oficio";
    oficio_check(buffer_bytes(&text), cert, buffer_bytes(&receipt), &run->trust, &run->report);
    return report_print(&run->report, run->caller->is_json, stdout);
}

static void run_bundle(struct run *run)
{
    const struct evidence_check check = {.folder = run->paths[0],
                                         .trust = &run->trust,
                                         .certificate = run->certificate,
                                         .tsa = run->tsa};

    evidence_check_run(&check, &run->report);
    if (run->caller->bundle_facts != NULL) {
        run->caller->bundle_facts(run->paths[0], &run->report);
    }
}

static bool is_one_of(const char *kind, const char *const *kinds)
{
    while (*kinds != NULL && strcmp(kind, *kinds) != 0) {
        kinds++;
    }
    return *kinds != NULL;
}

static int act(struct run *run, const char *kind)
{
    static const char *const of_one[] = {"log", "receipt", "bundle", NULL};
    static const char *const of_two[] = {"consistency", "exchange", NULL};
    size_t wanted = is_one_of(kind, of_one) ? 1 : 2;
    int status;

    if (strcmp(kind, "oficio") == 0) {
        return run_oficio(run);
    }
    if (wanted == 2 && !is_one_of(kind, of_two)) {
        return usage(run, "No se sabe verificar «%s».", kind);
    }
    if (run->path_count != wanted) {
        return usage(run, "«%s» espera %zu archivo(s) o carpeta(s).", kind, wanted);
    }
    status = take_trust(run);
    for (size_t i = 0; status == 0 && i < wanted; i++) {
        if (access(run->paths[i], R_OK) != 0) {
            status = usage(run, "No se puede leer %s.", run->paths[i]);
        }
    }
    if (status != 0) {
        return status;
    }
    run->report.what = kind;
    if (strcmp(kind, "log") == 0) {
        run_log(run);
    } else if (strcmp(kind, "bundle") == 0) {
        run_bundle(run);
    } else if (strcmp(kind, "consistency") == 0) {
        consistency_check(run->paths[0], run->paths[1], &run->trust, &run->report);
    } else if (strcmp(kind, "exchange") == 0) {
        status = run_exchange(run);
    } else {
        status = run_receipts(run);
    }
    return status != 0 ? status : report_print(&run->report, run->caller->is_json, stdout);
}

int verify_run(const struct verify_caller *caller, int argc, char **argv)
{
    struct run *run = calloc(1, sizeof *run);
    int status;

    if (run == NULL) {
        return 1;
    }
    run->caller = caller;
    run->trust.now_s = (uint64_t)(clock_now_ms() / 1000);
    run->trust.tolerance_s = TRUST_TOLERANCE_S;
    status = take_arguments(run, argc, argv);
    status = status == 0 ? act(run, argv[0]) : status;
    trust_release(&run->trust);
    free(run);
    return status;
}
