/*
 * cmd_doctor - why does it not work? From the profile to an echo, step by step: name, network, TLS,
 * certificates, directory, routes, echo. What fails is said with its remedy; what could not be
 * reached after it is not guessed at.
 */
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/cert.h"
#include "crypto/tlsprobe.h"
#include "enlace/command.h"
#include "enlace/doctor.h"
#include "policy/directory_file.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define CONNECT_S 5
#define CLOCK_MS 5000 /* beyond this a node lets ordinary messages wait */
#define STEPS_MAX 16

struct step {
    const char *name; /* for programs */
    bool is_well;
    char what[160];
    char remedy[512];
};

struct visit {
    struct cli *cli;
    const char *law; /* folder, or NULL */
    struct step steps[STEPS_MAX];
    size_t count;
    int socket;
};

bool doctor_say(const char *what, bool is_well, const char *remedy)
{
    printf("%s %s\n", is_well ? "✔" : "✖", what);
    if (!is_well) {
        printf("    %s\n", remedy);
    }
    return is_well;
}

/* Notes one step; false when it failed, so that the next ones that need it are left out. */
__attribute__((format(printf, 5, 6))) static bool note(struct visit *visit, const char *name,
                                                       bool is_well, const char *remedy,
                                                       const char *format, ...)
{
    struct step *step = &visit->steps[visit->count++];
    va_list args;

    step->name = name;
    step->is_well = is_well;
    snprintf(step->remedy, sizeof step->remedy, "%s", is_well ? "" : remedy);
    va_start(args, format);
    vsnprintf(step->what, sizeof step->what, format, args);
    va_end(args);
    if (!visit->cli->is_json) {
        doctor_say(step->what, is_well, step->remedy);
    }
    return is_well;
}

static bool note_fault(struct visit *visit, const char *name, const char *what,
                       const struct fault *fault)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy, "%s (%s%s%s)", fault->remedy, fault->reason,
             fault->path[0] != '\0' ? ": " : "", fault->path);
    return note(visit, name, false, remedy, "%s", what);
}

/* ---- our own certificate ---- */

static bool check_own(struct visit *visit)
{
    const struct profile *profile = visit->cli->profile;
    OWN_PTR(cert) cert = NULL;
    struct fault fault = {0};
    int64_t left;

    if (cert_load(profile->certificate, &cert, &fault) != RC_OK) {
        return note_fault(visit, "own_certificate", "el certificado de este perfil se lee", &fault);
    }
    left = cert_not_after_ms(cert) - clock_now_ms();
    if (left <= 0 || cert_not_before_ms(cert) > clock_now_ms()) {
        return note(
            visit, "own_certificate", false,
            "Pida otro a la autoridad (certs/README.md), o corrija la hora de esta máquina.",
            "el certificado de este perfil está vigente");
    }
    return note(visit, "own_certificate", true, "", "el certificado: %s, le quedan %lld días",
                cert_uri(cert), (long long)(left / DAY_MS));
}

/* ---- name and network ---- */

/* "host:port" or "[v6]:port". */
static bool split_address(const char *address, char host[256], const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t size = colon != NULL ? (size_t)(colon - address) : 0;

    if (size == 0 || size >= 256) {
        return false;
    }
    *port = colon + 1;
    if (address[0] == '[' && address[size - 1] == ']') {
        address++;
        size -= 2;
    }
    memcpy(host, address, size);
    host[size] = '\0';
    return true;
}

static bool find_address(struct visit *visit, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char host[256] = "";
    const char *port = "";
    int error;

    if (!split_address(visit->cli->profile->address, host, &port)) {
        return note(visit, "dns", false, "Escriba «address = servidor:puerto» en el perfil.",
                    "la dirección del nodo se entiende");
    }
    error = getaddrinfo(host, port, &hints, found);
    return note(visit, "dns", error == 0,
                "Revise el nombre en el perfil y el servidor de nombres (DNS) de esta máquina.",
                error == 0 ? "el nombre %s tiene dirección" : "el nombre %s no tiene dirección",
                host);
}

static int connect_to(const struct addrinfo *at)
{
    struct timeval patience = {.tv_sec = CONNECT_S};
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);

    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0 ||
                    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0 ||
                    connect(fd, at->ai_addr, at->ai_addrlen) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool check_network(struct visit *visit)
{
    const char *address = visit->cli->profile->address;
    struct addrinfo *found = NULL;

    if (!find_address(visit, &found)) {
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && visit->socket < 0; at = at->ai_next) {
        visit->socket = connect_to(at);
    }
    freeaddrinfo(found);
    return note(visit, "tcp", visit->socket >= 0,
                "El nodo está apagado, o un cortafuegos no deja pasar: llame a quien lo opera.",
                visit->socket >= 0 ? "%s contesta" : "%s no contesta", address);
}

/* ---- TLS and the node's certificate ---- */

static bool check_node(struct visit *visit, const struct cert *server)
{
    const struct profile *profile = visit->cli->profile;
    OWN_PTR(cert_store) ca = NULL;
    struct fault fault = {0};

    if (cert_store_load(profile->ca, &ca) != RC_OK) {
        return note(visit, "node_certificate", false,
                    "Ponga en «ca» el certificado de la autoridad.",
                    "las autoridades del perfil se leen: %s", profile->ca);
    }
    if (cert_verify_chain(server, ca, clock_now_ms(), &fault) != RC_OK) {
        return note(visit, "node_certificate", false,
                    "No siga: puede no ser el nodo. Compare con la autoridad la huella de «ca».",
                    "el certificado del nodo lo avala la autoridad (%s)", fault.reason);
    }
    return note(visit, "node_certificate", strcmp(cert_uri(server), profile->node) == 0,
                "Corrija «node» o «address» en el perfil: ahí contesta otro nodo.",
                "el nodo es %s, le quedan %lld días a su certificado", cert_uri(server),
                (long long)((cert_not_after_ms(server) - clock_now_ms()) / DAY_MS));
}

static bool check_tls(struct visit *visit)
{
    const struct profile *profile = visit->cli->profile;
    OWN_PTR(cert) server = NULL;
    struct fault fault = {0};

    if (tlsprobe(visit->socket, profile->certificate, profile->key, &server, &fault) != RC_OK) {
        return note_fault(visit, "tls", "conexión segura (TLS 1.3) con certificado", &fault);
    }
    note(visit, "tls", true, "", "conexión segura (TLS 1.3), y el nodo acepta el certificado");
    return check_node(visit, server);
}

/* ---- directory, routes, echo ---- */

static bool check_routes(struct visit *visit, const struct directory *directory)
{
    const char *member = visit->cli->profile->member;
    int32_t today = clock_local_day(clock_now_ms());
    size_t out = 0;
    size_t in = 0;

    for (size_t i = 0; i < directory->route_count; i++) {
        const struct route *route = &directory->routes[i];

        if (today >= route->in_force.from_day && today <= route->in_force.to_day) {
            out += strcmp(route->from, member) == 0;
            in += strcmp(route->to, member) == 0;
        }
    }
    return note(visit, "route", out + in > 0,
                "Ninguna ruta del directorio nombra hoy a esta institución: pídala a la autoridad.",
                "rutas en vigor hoy: %zu de %s hacia otros, %zu hacia ella", out, member, in);
}

static bool check_law(struct visit *visit, const struct ping *ping)
{
    OWN_PTR(directory) directory = NULL;
    struct fault fault = {0};

    if (visit->law == NULL) {
        return true; /* the rest does not need it */
    }
    if (cli_read_law(visit->law, &directory, &fault) != RC_OK) {
        return note_fault(visit, "law", "la copia del directorio se entiende", &fault);
    }
    note(visit, "law", bytes_equal(ping->directory_sha256, BYTES_OF(directory->sha256)),
         "Uno de los dos está atrasado: copie los textos publicados a los dos.",
         "el nodo usa el mismo directorio que la copia");
    return check_routes(visit, directory);
}

static bool check_echo(struct visit *visit)
{
    struct cli *cli = visit->cli;
    struct fault fault = {0};
    struct ping ping = {0};
    int64_t before_us = clock_monotonic_us();
    int64_t skew_ms;

    if (session_open(cli->profile, &cli->session, &fault) != RC_OK ||
        ask_ping(cli->session, cli->arena, &ping, &fault) != RC_OK) {
        return note_fault(visit, "directory", "el directorio tiene en vigor a quien pregunta",
                          &fault);
    }
    note(visit, "directory", true, "", "el directorio tiene en vigor a %s", ping.you);
    if (!check_law(visit, &ping)) {
        return false;
    }
    skew_ms = ping.time_ms - clock_now_ms();
    note(visit, "clock", llabs(skew_ms) <= CLOCK_MS, "Corrija la hora de esta máquina (NTP).",
         "su reloj y el del nodo difieren %lld ms", (long long)skew_ms);
    return note(visit, "echo", true, "", "eco en %.1f ms",
                (double)(clock_monotonic_us() - before_us) / 1000);
}

static int conclude(const struct visit *visit)
{
    json_t *steps = json_array();
    bool is_well = true;

    for (size_t i = 0; i < visit->count; i++) {
        const struct step *step = &visit->steps[i];

        is_well = is_well && step->is_well;
        json_array_append_new(steps,
                              json_pack("{s:s,s:b,s:s,s:s}", "check", step->name, "ok",
                                        step->is_well, "what", step->what, "remedy", step->remedy));
    }
    if (visit->cli->is_json) {
        cli_print(json_pack("{s:b,s:o}", "ok", is_well, "checks", steps));
    } else {
        json_decref(steps);
    }
    return is_well ? EXIT_DONE : EXIT_FAILED;
}

int doctor_connection(struct cli *cli, const char *law)
{
    struct visit visit = {.cli = cli, .law = law, .socket = -1};
    int status = cli_need_profile(cli);

    if (status != EXIT_DONE) {
        return status;
    }
    (void)(check_own(&visit) && check_network(&visit) && check_tls(&visit) && check_echo(&visit));
    if (visit.socket >= 0) {
        close(visit.socket);
    }
    return conclude(&visit);
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    if (argc == 1) {
        return doctor_connection(cli, NULL);
    }
    if (argc == 3 && strcmp(argv[1], "--with") == 0) {
        return doctor_connection(cli, argv[2]);
    }
    if (argc == 6 && strcmp(argv[2], "--ca") == 0 && strcmp(argv[4], "--with") == 0) {
        return doctor_certificate(cli, argv[1], argv[3], argv[5]);
    }
    return cli_usage(cli, "doctor",
                     "Se espera: nada más, o --with CARPETA, o CERTIFICADO.pem --ca ARCHIVO --with "
                     "CARPETA.");
}
