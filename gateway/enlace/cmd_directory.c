/*
 * cmd_directory - signed texts from the first draft to the folder that nodes watch: `enlace
 * directory`, `enlace roster` and `enlace suspend` are one command over three kinds of text.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/keyring.h"
#include "enlace/command.h"
#include "policy/decree.h"
#include "policy/directory_file.h"
#include "policy/law.h"
#include "policy/law_folder.h"
#include "policy/suspension.h"
#include "tlog/note.h"

#define FILES_MAX 32

/* What the command line says. */
struct order {
    const char *files[FILES_MAX];
    size_t count;
    const char *key;
    const char *name;
    const char *out;
    const char *folder;
};

/* ---- reading ---- */

/* A note's text, or the whole of what is no note. */
static struct bytes text_of(struct bytes bytes, struct note *note, bool *is_note)
{
    *is_note = note_parse(bytes, note) == RC_OK;
    return *is_note ? note->text : bytes;
}

static int print_flaw(const struct cli *cli, const char *path, const char *why)
{
    struct fault fault = {0};

    (void)refuse(&fault, RC_INVALID_ARGUMENT, "directory.text", path, "%s", why);
    return cli_fault(cli, &fault);
}

static int print_refusal(const struct cli *cli, const struct law_offer *offer)
{
    struct fault fault = offer->fault;

    (void)refuse(&fault, offer->rc, "law.refused", offer->name, "El texto no se puede publicar.");
    return cli_fault(cli, &fault);
}

/* ---- new ---- */

static int new_network(const char *network)
{
    printf(
        "enlace-directory v1\nnetwork %s\nversion 1\nin-force 2027-01-01..2027-12-31\n\n"
        "# Cuántas autoridades firman (dos al menos), y la llave de cada una: «enlace directory\n"
        "# sign» muestra la línea de la llave.\nquorum 2\n\nauthority NOMBRE\n"
        "  key NOMBRE+huella+llave\n\nnode %s/CLAVE\n  address anfitrión:7443\n"
        "  origin gw.CLAVE/audit/2027\n  log-key gw.CLAVE/audit/2027+huella+llave\n"
        "  witness-key gw.CLAVE/witness+huella+llave\n  in-force 2027-01-01..2027-12-31\n\n"
        "member %s/CLAVE\n  name Nombre de la institución\n  node %s/CLAVE\n"
        "  roster-key CLAVE/registro+huella+llave\n  in-force 2027-01-01..2027-12-31\n",
        network, network, network, network);
    return EXIT_DONE;
}

static int new_roster(const char *member)
{
    printf("enlace-roster v1\nmember %s\nversion 1\nin-force 2027-01-01..2027-12-31\n\n"
           "system %s/NOMBRE\n  certificate SHA-256-del-certificado\n"
           "  seal SHA-256-del-certificado-de-sello\n  in-force 2027-01-01..2027-12-31\n\n"
           "official %s/CLAVE\n  certificate SHA-256-del-certificado\n"
           "  in-force 2027-01-01..2027-12-31\n",
           member, member, member);
    return EXIT_DONE;
}

static int new_suspension(const struct cli *cli, const struct order *order)
{
    char text[SUSPENSION_TEXT_MAX];
    char at[CLOCK_TEXT_SIZE];
    struct suspension unused;
    struct fault fault = {0};

    if (order->count != 5) {
        return cli_usage(cli, "suspend", "Se espera: new RED EMISOR TIPO ID MOTIVO.");
    }
    clock_format(clock_now_ms(), at);
    snprintf(text, sizeof text,
             "enlace-suspension v1\nnetwork %s\nissuer %s\nat %s\nsuspend %s %s\nreason %s\n",
             order->files[0], order->files[1], at, order->files[2], order->files[3],
             order->files[4]);
    if (suspension_parse(bytes_text(text), &unused, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    fputs(text, stdout);
    return EXIT_DONE;
}

/* ---- check ---- */

/* The texts of a folder, without those that `skip` is a newer version of. */
static size_t add_folder(const struct law_folder *folder, const char *skip, struct note *note,
                         struct directory_source *sources, size_t count)
{
    for (size_t i = 0; i < folder->count && count < DIRECTORY_TEXTS_MAX; i++) {
        char subject[CODE_SIZE];
        enum law_kind kind;
        uint64_t version;

        if (note_parse(buffer_bytes(&folder->files[i].bytes), note) == RC_OK &&
            law_look(note->text, &kind, subject, &version, NULL) == RC_OK &&
            kind != LAW_SUSPENSION && strcmp(subject, skip) != 0) {
            sources[count++] =
                (struct directory_source){.text = note->text, .name = folder->files[i].name};
        }
    }
    return count;
}

static int say_good(const struct cli *cli, const char *subject, uint64_t version,
                    const struct directory *directory)
{
    size_t one_sided = 0;

    for (size_t i = 0; i < directory->route_count; i++) {
        one_sided += directory->routes[i].is_one_sided;
    }
    if (cli->is_json) {
        cli_print(json_pack("{s:b,s:s,s:I,s:I,s:I}", "ok", 1, "subject", subject, "version",
                            (json_int_t)version, "routes", (json_int_t)directory->route_count,
                            "one_sided", (json_int_t)one_sided));
        return EXIT_DONE;
    }
    printf("%s versión %llu: se entiende (%zu instituciones, %zu nodos, %zu identidades, %zu "
           "rutas).\n",
           subject, (unsigned long long)version, directory->member_count, directory->node_count,
           directory->identity_count, directory->route_count);
    for (size_t i = 0; i < directory->route_count; i++) {
        if (directory->routes[i].is_one_sided) {
            printf("  ruta %s: falta que la otra red la tenga igual; mientras, no está en vigor.\n",
                   directory->routes[i].id);
        }
    }
    return EXIT_DONE;
}

static int check_text(const struct cli *cli, const struct order *order, const char *path,
                      struct bytes text)
{
    struct directory_source *sources = calloc(DIRECTORY_TEXTS_MAX + 1, sizeof *sources);
    OWN_PTR(directory) directory = NULL;
    OWN(law_folder) folder = {0};
    char error[DIRECTORY_ERROR_SIZE] = "";
    char subject[CODE_SIZE] = "";
    struct fault fault = {0};
    struct note note;
    enum law_kind kind;
    uint64_t version;
    size_t count = 1;
    enum rc rc;

    if (sources == NULL || law_look(text, &kind, subject, &version, &fault) != RC_OK) {
        free(sources);
        return cli_fault(cli, &fault);
    }
    if (kind == LAW_SUSPENSION) {
        free(sources);
        puts("Es una suspensión bien formada.");
        return EXIT_DONE;
    }
    sources[0] = (struct directory_source){.text = text, .name = path};
    if (order->folder != NULL && law_folder_read(order->folder, &folder) == RC_OK) {
        count = add_folder(&folder, subject, &note, sources, count);
    }
    rc = directory_assemble(sources, count, &directory, error);
    free(sources);
    return rc == RC_OK ? say_good(cli, subject, version, directory) : print_flaw(cli, path, error);
}

static int run_check(const struct cli *cli, const struct order *order)
{
    int status = EXIT_DONE;

    for (size_t i = 0; i < order->count && status == EXIT_DONE; i++) {
        OWN(buffer) bytes = {0};
        struct fault fault = {0};
        struct note note;
        bool is_note;

        if (cli_read_file(order->files[i], NOTE_SIZE_MAX, &bytes, &fault) != RC_OK) {
            return cli_fault(cli, &fault);
        }
        status =
            check_text(cli, order, order->files[i], text_of(buffer_bytes(&bytes), &note, &is_note));
    }
    return status;
}

/* ---- sign ---- */

/* The text and the lines that it has already, then ours. */
static enum rc add_line(struct bytes bytes, const char *name, const struct keyring *keyring,
                        struct buffer *out)
{
    struct note note;
    bool is_note;
    struct bytes text = text_of(bytes, &note, &is_note);

    if (is_note) {
        buffer_put_bytes(out, bytes);
        return note_sign_line(text, name, keyring, out);
    }
    return note_sign(text, name, keyring, out);
}

static int run_sign(const struct cli *cli, const struct order *order)
{
    OWN(buffer) bytes = {0};
    OWN(buffer) out = {0};
    OWN_PTR(keyring) keyring = NULL;
    struct fault fault = {0};
    char text[VKEY_TEXT_SIZE];
    char subject[CODE_SIZE];
    enum law_kind kind;
    struct vkey vkey;
    uint64_t version;
    struct note note;
    bool is_note;

    if (order->count != 1 || order->key == NULL || order->name == NULL || order->out == NULL) {
        return cli_usage(cli, "directory",
                         "Se espera: sign ARCHIVO --key LLAVE --name NOMBRE -o NOTA.");
    }
    if (cli_read_file(order->files[0], NOTE_SIZE_MAX, &bytes, &fault) != RC_OK ||
        law_look(text_of(buffer_bytes(&bytes), &note, &is_note), &kind, subject, &version,
                 &fault) != RC_OK ||
        keyring_load(order->key, &keyring, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (vkey_of(order->name, VKEY_ED25519, keyring, &vkey) != RC_OK ||
        add_line(buffer_bytes(&bytes), order->name, keyring, &out) != RC_OK) {
        return print_flaw(cli, order->files[0],
                          "No se puede firmar: el texto o el nombre no son "
                          "de una nota C2SP.");
    }
    if (cli_write_file(order->out, buffer_bytes(&out), &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    vkey_format(&vkey, text);
    printf("Firmado %s versión %llu: %s\nLlave: %s\n", subject, (unsigned long long)version,
           order->out, text);
    return EXIT_DONE;
}

/* ---- diff ---- */

static int run_diff(const struct cli *cli, const struct order *order)
{
    OWN(buffer) before = {0};
    OWN(buffer) after = {0};
    static struct note notes[2];
    struct fault fault = {0};
    bool is_note;

    if (order->count != 2) {
        return cli_usage(cli, "directory", "Se espera: diff ANTES DESPUÉS.");
    }
    if (cli_read_file(order->files[0], NOTE_SIZE_MAX, &before, &fault) != RC_OK ||
        cli_read_file(order->files[1], NOTE_SIZE_MAX, &after, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    (void)decree_print(text_of(buffer_bytes(&before), &notes[0], &is_note),
                       text_of(buffer_bytes(&after), &notes[1], &is_note), stdout);
    return EXIT_DONE;
}

/* ---- publish ---- */

static bool has_line(const struct buffer *merged, struct bytes line)
{
    return line.size > 0 && merged->size >= line.size &&
           memmem(merged->data, merged->size, line.data, line.size) != NULL;
}

/* Signatures that were made apart, over one text. */
static enum rc merge(const struct cli *cli, const struct order *order, struct buffer *merged,
                     struct fault *fault)
{
    for (size_t i = 0; i < order->count; i++) {
        OWN(buffer) bytes = {0};
        struct note note;
        struct bytes rest;

        TRY(cli_read_file(order->files[i], NOTE_SIZE_MAX, &bytes, fault));
        if (note_parse(buffer_bytes(&bytes), &note) != RC_OK) {
            return refuse(fault, RC_INVALID_ARGUMENT, "note.malformed", order->files[i],
                          "No es una nota firmada: fírmela con «enlace directory sign».");
        }
        if (i == 0) {
            buffer_put_bytes(merged, buffer_bytes(&bytes));
            continue;
        }
        if (merged->size <= note.text.size ||
            memcmp(merged->data, note.text.data, note.text.size) != 0) {
            return refuse(fault, RC_INVALID_ARGUMENT, "note.other_text", order->files[i],
                          "Firma un texto distinto del de %.100s.", order->files[0]);
        }
        rest = BYTES(bytes.data + note.text.size + 1, bytes.size - note.text.size - 1);
        while (rest.size > 0) {
            const uint8_t *end = memchr(rest.data, '\n', rest.size);
            struct bytes line = BYTES(rest.data, (size_t)(end - rest.data) + 1);

            if (!has_line(merged, line)) {
                buffer_put_bytes(merged, line);
            }
            rest = BYTES(end + 1, rest.size - line.size);
        }
    }
    (void)cli;
    return merged->is_failed ? RC_RESOURCE_EXHAUSTED : RC_OK;
}

/* What is in force in the folder now. */
static int load(const struct cli *cli, const char *path, struct law *law)
{
    OWN(law_folder) folder = {0};
    struct directory *directory = NULL;
    char error[LAW_ERROR_SIZE] = "";
    struct law_offer *offers;

    if (law_folder_trust(path, law, error) != RC_OK || law_folder_read(path, &folder) != RC_OK) {
        return print_flaw(cli, path, error[0] != '\0' ? error : "No se puede leer la carpeta.");
    }
    offers = calloc(folder.count + 1, sizeof *offers);
    for (size_t i = 0; offers != NULL && i < folder.count; i++) {
        offers[i].note = buffer_bytes(&folder.files[i].bytes);
        offers[i].name = folder.files[i].name;
    }
    if (offers != NULL) {
        (void)!law_offer(law, offers, folder.count, &directory);
    }
    free(offers);
    directory_free(directory);
    return EXIT_DONE;
}

static enum rc put(const struct law *law, struct bytes note_bytes, const char *folder)
{
    struct law_note found;
    char name[128];

    for (size_t i = 0; i < law_count(law); i++) {
        law_at(law, i, &found);
        if (bytes_equal(found.note, note_bytes)) {
            law_file_name(&found, false, name);
            TRY(law_folder_put(folder, name, note_bytes));
            printf("Publicado en %s/%s\n", folder, name);
            return RC_OK;
        }
    }
    return RC_INTERNAL;
}

static int run_publish(const struct cli *cli, const struct order *order)
{
    OWN_PTR(law) law = law_new();
    OWN_PTR(directory) directory = NULL;
    OWN(buffer) merged = {0};
    struct fault fault = {0};
    struct law_offer offer = {.name = order->files[0]};
    struct directory *made = NULL;
    int status;

    if (order->count == 0 || order->folder == NULL) {
        return cli_usage(cli, "directory", "Se espera: publish NOTA… --to CARPETA.");
    }
    if (law == NULL || merge(cli, order, &merged, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    status = load(cli, order->folder, law);
    if (status != EXIT_DONE) {
        return status;
    }
    offer.note = buffer_bytes(&merged);
    (void)!law_offer(law, &offer, 1, &made);
    directory = made;
    if (offer.rc == RC_ALREADY_EXISTS) {
        puts("Ya está publicado.");
        return EXIT_DONE;
    }
    if (offer.rc != RC_OK) {
        return print_refusal(cli, &offer);
    }
    return put(law, offer.note, order->folder) == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

/* ---- edit ---- */

/* The next version of a text, for $EDITOR: the number is raised, the rest is as it was. */
static enum rc next_version(struct bytes text, FILE *out)
{
    const char *at = memmem(text.data, text.size, "\nversion ", 9);
    char *end = NULL;
    unsigned long long version;

    if (at == NULL) {
        return RC_INVALID_ARGUMENT;
    }
    at += 9;
    version = strtoull(at, &end, 10);
    fwrite(text.data, 1, (size_t)(at - (const char *)text.data), out);
    fprintf(out, "%llu", version + 1);
    fwrite(end, 1, text.size - (size_t)(end - (const char *)text.data), out);
    return RC_OK;
}

/* The program that $EDITOR names, without a shell between. */
static bool run_editor(const char *path)
{
    const char *editor = getenv("EDITOR");
    char *words[] = {(char *)(editor != NULL ? editor : "editor"), (char *)path, NULL};
    int status = 0;
    pid_t child;

    return posix_spawnp(&child, words[0], NULL, NULL, words, environ) == 0 &&
           waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_edit(const struct cli *cli, struct order *order)
{
    OWN(buffer) bytes = {0};
    struct fault fault = {0};
    struct note note;
    bool is_note;
    FILE *out;

    if (order->count != 1 || order->out == NULL) {
        return cli_usage(cli, "directory", "Se espera: edit NOTA -o TEXTO.");
    }
    if (cli_read_file(order->files[0], NOTE_SIZE_MAX, &bytes, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    out = fopen(order->out, "wxe");
    if (out == NULL || next_version(text_of(buffer_bytes(&bytes), &note, &is_note), out) != RC_OK ||
        fclose(out) != 0) {
        return print_flaw(cli, order->out, "No se puede escribir, ya existe, o no hay versión.");
    }
    if (!run_editor(order->out)) {
        return print_flaw(cli, order->out, "El editor no terminó bien; el texto quedó guardado.");
    }
    order->files[0] = order->out;
    return run_check(cli, order);
}

/* ---- the command line ---- */

static bool take_option(struct order *order, int argc, char **argv, int *at)
{
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        {"--key", offsetof(struct order, key)},     {"--name", offsetof(struct order, name)},
        {"-o", offsetof(struct order, out)},        {"--to", offsetof(struct order, folder)},
        {"--with", offsetof(struct order, folder)},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(argv[*at], rows[i].name) == 0 && *at + 1 < argc) {
            *(const char **)((char *)order + rows[i].offset) = argv[++*at];
            return true;
        }
    }
    return false;
}

static int run_new(const struct cli *cli, const char *kind, const struct order *order)
{
    if (strcmp(kind, "suspend") == 0) {
        return new_suspension(cli, order);
    }
    if (order->count != 1) {
        return cli_usage(cli, kind, "Se espera: new RED, o new RED/CLAVE.");
    }
    return strcmp(kind, "roster") == 0 ? new_roster(order->files[0]) : new_network(order->files[0]);
}

int cmd_directory(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    struct order order = {0};

    for (int at = 2; at < argc; at++) {
        if (take_option(&order, argc, argv, &at)) {
            continue;
        }
        if (order.count == FILES_MAX || (argv[at][0] == '-' && argv[at][1] != '\0')) {
            return cli_usage(cli, argv[0], "No se entiende «%s».", argv[at]);
        }
        order.files[order.count++] = argv[at];
    }
    if (strcmp(verb, "new") == 0) {
        return run_new(cli, argv[0], &order);
    }
    if (strcmp(verb, "check") == 0 && order.count > 0) {
        return run_check(cli, &order);
    }
    if (strcmp(verb, "sign") == 0) {
        return run_sign(cli, &order);
    }
    if (strcmp(verb, "diff") == 0) {
        return run_diff(cli, &order);
    }
    if (strcmp(verb, "publish") == 0) {
        return run_publish(cli, &order);
    }
    if (strcmp(verb, "edit") == 0) {
        return run_edit(cli, &order);
    }
    return cli_usage(cli, argv[0], "Se espera new, edit, check, sign, diff o publish.");
}
