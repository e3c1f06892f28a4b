#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "crypto/spiffe.h"
#include "enlace/command.h"
#include "enlace/doctor_say.h"
#include "policy/directory_file.h"
#include "policy/member.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

/* Who the certificate is of, by the directory of today. */
static bool is_listed(const struct directory *directory, const struct cert *cert)
{
    int32_t today = clock_local_day(clock_now_ms());
    const struct identity *identity;
    const struct node_entry *node;
    struct spiffe spiffe;

    if (spiffe_parse(bytes_text(cert_uri(cert)), &spiffe) == RC_OK && spiffe.kind == SPIFFE_NODE) {
        return node_authenticate(directory, cert_uri(cert), cert_fingerprint(cert), today, &node,
                                 NULL) == RC_OK;
    }
    return identity_authenticate(directory, cert_uri(cert), cert_fingerprint(cert), today,
                                 &identity, NULL) == RC_OK;
}

static bool check(const struct directory *directory, const struct cert *cert,
                  const struct cert_store *ca)
{
    int64_t left = cert_not_after_ms(cert) - clock_now_ms();
    bool is_vouched = cert_verify_chain(cert, ca, clock_now_ms(), NULL) == RC_OK;
    bool is_in_force = is_listed(directory, cert);
    bool is_well = doctor_say("una autoridad certificadora de la red lo avala, y está vigente",
                              is_vouched, "Pídalo de nuevo a la autoridad (certs/README.md).");

    is_well =
        doctor_say("el directorio tiene en vigor a su titular, con este certificado", is_in_force,
                   "Publique antes el registro con la huella nueva junto a la anterior (enlace "
                   "roster), o vea si está suspendido.") &&
        is_well;
    is_well = doctor_say("le quedan más de 30 días", left > 30 * DAY_MS,
                         "Conviene pedir ya el siguiente: se cambia sin reiniciar.") &&
              is_well;
    for (size_t i = 0; i < directory->node_count; i++) {
        printf("  %-20s %s\n", directory->nodes[i].code,
               is_vouched && is_in_force ? "lo aceptará" : "lo rechazará");
    }
    return is_well;
}

int doctor_certificate(const struct cli *cli, const char *certificate, const char *authorities,
                       const char *law)
{
    OWN_PTR(directory) directory = NULL;
    OWN_PTR(cert) cert = NULL;
    OWN_PTR(cert_store) ca = NULL;
    struct fault fault = {0};

    if (cert_load(certificate, &cert, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    if (cert_store_load(authorities, &ca) != RC_OK) {
        return cli_usage(cli, "doctor", "No se pueden leer los certificados de %.100s.",
                         authorities);
    }
    if (cli_read_law(law, &directory, &fault) != RC_OK) {
        return cli_fault(cli, &fault);
    }
    printf("%s\nhuella ", cert_uri(cert));
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        printf("%02x", cert_fingerprint(cert)[i]);
    }
    putchar('\n');
    return check(directory, cert, ca) ? EXIT_DONE : EXIT_FAILED;
}
