/*
 * cmd_enrol - from nothing to an echo: keys made where they will live, a request for the authority,
 * the certificate put in place, a profile by the directory's texts, and the test of all of it.
 *
 * Keys, requests and certificates are the work of certs/enrol.sh, which needs bash and openssl and
 * is installed beside this program; what needs the directory and the node is done here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"
#include "enlace/command.h"
#include "enlace/doctor_say.h"
#include "policy/directory_file.h"
#include "policy/member.h"

struct enrolment {
    const char *folder; /* of keys and certificates */
    const char *law;
    const char *official; /* folder of the official's, or NULL */
    const char *profile;  /* to write */
};

/* ---- keys and certificates ---- */

/* Beside the installed program, or where ENLACE_CERTS says. */
static void script_path(char out[PATH_MAX])
{
    const char *given = getenv("ENLACE_CERTS");
    char self[PATH_MAX] = "";
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = size > 0 ? strrchr(self, '/') : NULL;

    if (given != NULL) {
        snprintf(out, PATH_MAX, "%s/enrol.sh", given);
        return;
    }
    if (slash != NULL) {
        *slash = '\0';
    }
    snprintf(out, PATH_MAX, "%.4000s/../share/enlace/certs/enrol.sh", self);
}

/* Does not come back. */
static int run_script(const struct cli *cli, char **argv)
{
    char path[PATH_MAX];

    script_path(path);
    (void)execv(path, argv);
    return cli_usage(cli, "enrol", "No se puede ejecutar %.140s: %s.", path, strerror(errno));
}

/* ---- the profile ---- */

static void write_logs(FILE *out, const struct directory *directory, const struct node_entry *home,
                       int32_t today)
{
    fprintf(out, "node_log = %s\n", home->log_vkey);
    for (size_t i = 0; i < directory->node_count; i++) {
        const struct node_entry *node = &directory->nodes[i];

        if (strcmp(node->code, home->code) != 0 && today >= node->in_force.from_day &&
            today <= node->in_force.to_day) {
            fprintf(out, "log = %s\n", node->log_vkey);
        }
    }
    for (size_t i = 0; i < directory->member_count; i++) {
        const struct member *member = &directory->members[i];
        const struct node_entry *node = node_of_member(directory, member->code, today);

        if (node != NULL && today >= member->in_force.from_day &&
            today <= member->in_force.to_day) {
            fprintf(out, "peer = %s %s\n", member->code, node->origin);
        }
    }
}

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, R_OK) == 0;
}

static void write_profile(FILE *out, const struct enrolment *enrolment, const struct spiffe *who,
                          const struct directory *directory, const struct node_entry *home,
                          int32_t today)
{
    const char *folder = enrolment->folder;

    fprintf(out,
            "# Hecho por «enlace enrol connect»; vea «enlace --help-settings».\n"
            "address = %s\nnode = %s\ncertificate = %s/tls.pem\nkey = %s/tls.key\nca = %s/ca.pem\n"
            "member = %s/%s\n",
            home->address, home->uri, folder, folder, folder, who->network, who->code);
    if (who->kind == SPIFFE_SYSTEM) {
        fprintf(out, "system = %s\nspool = %s/spool\n", who->name, folder);
    }
    if (has_file(folder, "seal.pem")) {
        fprintf(out, "seal_certificate = %s/seal.pem\nseal_key = %s/seal.key\n", folder, folder);
    }
    if (enrolment->official != NULL) {
        fprintf(out, "official_certificate = %s/tls.pem\nofficial_key = %s/tls.key\n",
                enrolment->official, enrolment->official);
    }
    write_logs(out, directory, home, today);
}

static enum rc create_profile(const struct enrolment *enrolment, const struct spiffe *who,
                              const struct directory *directory, const struct node_entry *home,
                              int32_t today, struct fault *fault)
{
    int fd = open(enrolment->profile, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "we") : NULL;
    bool is_written;

    if (out == NULL) {
        return refuse(fault, RC_ALREADY_EXISTS, "file.exists", enrolment->profile,
                      "No se puede crear (%s); no se sobrescribe un perfil.", strerror(errno));
    }
    write_profile(out, enrolment, who, directory, home, today);
    is_written = fflush(out) == 0 && fsync(fileno(out)) == 0;
    return fclose(out) == 0 && is_written
               ? RC_OK
               : refuse(fault, RC_UNAVAILABLE, "file.write", enrolment->profile,
                        "No se pudo escribir; haga lugar en el disco.");
}

/* ---- what the directory still has to say ---- */

static bool is_listed(const struct directory *directory, const struct cert *cert, int32_t today)
{
    for (size_t i = 0; i < directory->identity_count; i++) {
        const struct identity *row = &directory->identities[i];

        if (strcmp(row->uri, cert_uri(cert)) == 0 && !row->is_suspended &&
            today >= row->in_force.from_day && today <= row->in_force.to_day &&
            (!row->has_fingerprint ||
             memcmp(row->fingerprint, cert_fingerprint(cert), HASH_SIZE) == 0)) {
            return true;
        }
    }
    return false;
}

/* What the member's roster has to hold before the node lets anybody in. */
static void ask_for_roster(const char *folder, const struct cert *cert, const struct spiffe *who)
{
    static const char *const kinds[] = {
        [SPIFFE_SYSTEM] = "system", [SPIFFE_OFFICIAL] = "official", [SPIFFE_AUDITOR] = "auditor"};
    OWN_PTR(cert) seal = NULL;
    char fingerprint[2 * HASH_SIZE + 1];
    char path[PATH_MAX];

    hex_encode(cert_fingerprint(cert), HASH_SIZE, fingerprint);
    printf("\nEl registro de %s/%s todavía no tiene en vigor este certificado. Que la institución\n"
           "lo publique («enlace roster edit»):\n\n  %s %s/%s/%s\n    certificate %s\n",
           who->network, who->code, kinds[who->kind], who->network, who->code, who->name,
           fingerprint);
    snprintf(path, sizeof path, "%s/seal.pem", folder);
    if (has_file(folder, "seal.pem") && cert_load(path, &seal, NULL) == RC_OK) {
        hex_encode(cert_fingerprint(seal), HASH_SIZE, fingerprint);
        printf("    seal %s\n", fingerprint);
    }
    puts("    in-force DESDE..HASTA\n\nMientras, el nodo no contesta a este sistema:");
}

static enum rc load_holder(const char *folder, struct cert **cert, struct spiffe *who,
                           struct fault *fault)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/tls.pem", folder);
    TRY(cert_load(path, cert, fault));
    if (spiffe_parse(bytes_text(cert_uri(*cert)), who) != RC_OK || who->kind == SPIFFE_NODE) {
        return refuse(fault, RC_INVALID_ARGUMENT, "file.certificate", path,
                      "No es el certificado de un sistema, una persona servidora pública o quien "
                      "audita.");
    }
    return RC_OK;
}

static const struct node_entry *home_of(const struct directory *directory, const struct spiffe *who,
                                        int32_t today)
{
    char member[CODE_SIZE];

    snprintf(member, sizeof member, "%s/%s", who->network, who->code);
    return node_of_member(directory, member, today);
}

static int connect_up(struct cli *cli, const struct enrolment *enrolment)
{
    OWN_PTR(directory) directory = NULL;
    OWN_PTR(cert) cert = NULL;
    int32_t today = clock_local_day(clock_now_ms());
    const struct node_entry *home;
    struct fault fault = {0};
    struct spiffe who;

    if (load_holder(enrolment->folder, &cert, &who, &fault) != RC_OK ||
        cli_read_law(enrolment->law, &directory, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    home = home_of(directory, &who, today);
    if (home == NULL) {
        (void)refuse(&fault, RC_FAILED_PRECONDITION, "member.no_node", enrolment->law,
                     "El directorio no tiene en vigor a %s/%s con un nodo: lo publica la "
                     "autoridad.",
                     who.network, who.code);
        return cli_fault(cli, &fault);
    }
    if (create_profile(enrolment, &who, directory, home, today, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (!cli->is_json) {
        printf("Perfil: %s\n", enrolment->profile);
        if (!is_listed(directory, cert, today)) {
            ask_for_roster(enrolment->folder, cert, &who);
        }
    }
    cli->profile_path = enrolment->profile;
    return doctor_connection(cli, enrolment->law);
}

static int connect_by_arguments(struct cli *cli, int argc, char **argv)
{
    struct enrolment enrolment = {0};

    for (int i = 2; i < argc; i++) {
        const char **into = strcmp(argv[i], "--with") == 0       ? &enrolment.law
                            : strcmp(argv[i], "--official") == 0 ? &enrolment.official
                            : strcmp(argv[i], "-o") == 0         ? &enrolment.profile
                                                                 : NULL;

        if (into != NULL && i + 1 < argc) {
            *into = argv[++i];
        } else if (into == NULL && argv[i][0] != '-' && enrolment.folder == NULL) {
            enrolment.folder = argv[i];
        } else {
            return cli_usage(cli, "enrol", "No se entiende «%s».", argv[i]);
        }
    }
    if (enrolment.folder == NULL || enrolment.law == NULL || enrolment.profile == NULL) {
        return cli_usage(
            cli, "enrol",
            "Se espera: connect CARPETA --with TEXTOS -o PERFIL [--official CARPETA].");
    }
    return connect_up(cli, &enrolment);
}

int cmd_enrol(struct cli *cli, int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    if (strcmp(verb, "request") == 0 || strcmp(verb, "sign") == 0 || strcmp(verb, "install") == 0) {
        return run_script(cli, argv);
    }
    if (strcmp(verb, "connect") == 0) {
        return connect_by_arguments(cli, argc, argv);
    }
    return cli_usage(cli, "enrol", "Se espera: request, sign, install o connect.");
}
