#include "client/doctor.h"

#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/ask.h"
#include "client/profile.h"
#include "client/session.h"
#include "crypto/cert.h"
#include "crypto/tlsprobe.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define CONNECT_S 5
#define CLOCK_MS 5000 /* beyond this a node lets ordinary messages wait */

bool doctor_note(struct doctor *doctor, const char *name, bool is_well, const char *remedy,
                 const char *format, ...)
{
    struct doctor_step *step = &doctor->steps[doctor->count];
    va_list args;

    if (doctor->count == DOCTOR_STEPS_MAX) {
        return false;
    }
    doctor->count++;

    step->name = name;
    step->is_well = is_well;
    snprintf(step->remedy, sizeof step->remedy, "%s", is_well ? "" : remedy);
    va_start(args, format);
    vsnprintf(step->what, sizeof step->what, format, args);
    va_end(args);
    if (doctor->say != NULL) {
        doctor->say(step);
    }
    return is_well;
}

bool doctor_note_fault(struct doctor *doctor, const char *name, const char *what,
                       const struct fault *fault)
{
    char remedy[512];

    snprintf(remedy, sizeof remedy, "%s (%s%s%s)", fault->remedy, fault->reason,
             fault->path[0] != '\0' ? ": " : "", fault->path);
    return doctor_note(doctor, name, false, remedy, "%s", what);
}

/* ---- our own certificate ---- */

static bool check_own(struct doctor *doctor)
{
    const struct profile *profile = doctor->profile;
    OWN_PTR(cert) cert = NULL;
    struct fault fault = {0};
    int64_t left;

    if (cert_load(profile->certificate, &cert, &fault) != RC_OK) {
        return doctor_note_fault(doctor, "own_certificate", "el certificado de este perfil se lee",
                                 &fault);
    }
    left = cert_not_after_ms(cert) - clock_now_ms();
    if (left <= 0 || cert_not_before_ms(cert) > clock_now_ms()) {
        return doctor_note(
            doctor, "own_certificate", false,
            "Pida otro a la autoridad (certs/README.md), o corrija la hora de esta máquina.",
            "el certificado de este perfil está vigente");
    }
    return doctor_note(doctor, "own_certificate", true, "",
                       "el certificado: %s, le quedan %lld días", cert_uri(cert),
                       (long long)(left / DAY_MS));
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

static bool find_address(struct doctor *doctor, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    char host[256] = "";
    const char *port = "";
    int error;

    if (!split_address(doctor->profile->address, host, &port)) {
        return doctor_note(doctor, "dns", false,
                           "Escriba «address = servidor:puerto» en el perfil.",
                           "la dirección del nodo se entiende");
    }
    error = getaddrinfo(host, port, &hints, found);
    return doctor_note(
        doctor, "dns", error == 0,
        "Revise el nombre en el perfil y el servidor de nombres (DNS) de esta máquina.",
        error == 0 ? "el nombre %s tiene dirección" : "el nombre %s no tiene dirección", host);
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

static bool check_network(struct doctor *doctor)
{
    const char *address = doctor->profile->address;
    struct addrinfo *found = NULL;

    if (!find_address(doctor, &found)) {
        return false;
    }
    for (const struct addrinfo *at = found; at != NULL && doctor->socket < 0; at = at->ai_next) {
        doctor->socket = connect_to(at);
    }
    freeaddrinfo(found);
    return doctor_note(
        doctor, "tcp", doctor->socket >= 0,
        "El nodo está apagado, o un cortafuegos no deja pasar: llame a quien lo opera.",
        doctor->socket >= 0 ? "%s contesta" : "%s no contesta", address);
}

/* ---- TLS and the node's certificate ---- */

static bool check_node(struct doctor *doctor, const struct cert *server)
{
    const struct profile *profile = doctor->profile;
    OWN_PTR(cert_store) ca = NULL;
    struct fault fault = {0};

    if (cert_store_load(profile->ca, &ca) != RC_OK) {
        return doctor_note(doctor, "node_certificate", false,
                           "Ponga en «ca» el certificado de la autoridad.",
                           "las autoridades del perfil se leen: %s", profile->ca);
    }
    if (cert_verify_chain(server, ca, clock_now_ms(), &fault) != RC_OK) {
        return doctor_note(
            doctor, "node_certificate", false,
            "No siga: puede no ser el nodo. Compare con la autoridad la huella de «ca».",
            "el certificado del nodo lo avala la autoridad (%s)", fault.reason);
    }
    return doctor_note(doctor, "node_certificate", strcmp(cert_uri(server), profile->node) == 0,
                       "Corrija «node» o «address» en el perfil: ahí contesta otro nodo.",
                       "el nodo es %s, le quedan %lld días a su certificado", cert_uri(server),
                       (long long)((cert_not_after_ms(server) - clock_now_ms()) / DAY_MS));
}

static bool check_tls(struct doctor *doctor)
{
    const struct profile *profile = doctor->profile;
    OWN_PTR(cert) server = NULL;
    struct fault fault = {0};

    if (tlsprobe(doctor->socket, profile->certificate, profile->key, &server, &fault) != RC_OK) {
        return doctor_note_fault(doctor, "tls", "conexión segura (TLS 1.3) con certificado",
                                 &fault);
    }
    doctor_note(doctor, "tls", true, "",
                "conexión segura (TLS 1.3), y el nodo acepta el certificado");
    return check_node(doctor, server);
}

/* ---- directory, clock, echo ---- */

static bool check_echo(struct doctor *doctor)
{
    OWN_PTR(session) session = NULL;
    struct fault fault = {0};
    struct ping ping = {0};
    int64_t before_us = clock_monotonic_us();
    int64_t skew_ms;

    if (session_open(doctor->profile, &session, &fault) != RC_OK ||
        ask_ping(session, doctor->arena, &ping, &fault) != RC_OK) {
        return doctor_note_fault(doctor, "directory",
                                 "el directorio tiene en vigor a quien pregunta", &fault);
    }
    doctor_note(doctor, "directory", true, "", "el directorio tiene en vigor a %s", ping.you);
    if (doctor->look_further != NULL && !doctor->look_further(doctor, &ping)) {
        return false;
    }
    skew_ms = ping.time_ms - clock_now_ms();
    doctor_note(doctor, "clock", llabs(skew_ms) <= CLOCK_MS,
                "Corrija la hora de esta máquina (NTP).", "su reloj y el del nodo difieren %lld ms",
                (long long)skew_ms);
    return doctor_note(doctor, "echo", true, "", "eco en %.1f ms",
                       (double)(clock_monotonic_us() - before_us) / 1000);
}

bool doctor_visit(struct doctor *doctor)
{
    bool is_well = true;

    doctor->count = 0;
    doctor->socket = -1;
    (void)(check_own(doctor) && check_network(doctor) && check_tls(doctor) && check_echo(doctor));
    if (doctor->socket >= 0) {
        close(doctor->socket);
    }
    for (size_t i = 0; i < doctor->count; i++) {
        is_well = is_well && doctor->steps[i].is_well;
    }
    return is_well;
}
