#include "client/profile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/spiffe.h"

#define TEXT(field, fallback_text, least_length, what)                                             \
    {                                                                                              \
#field, CONF_TEXT, offsetof(struct profile, field), fallback_text, least_length, 0, what   \
    }
#define LIST(field, what)                                                                          \
    {                                                                                              \
#field, CONF_TEXTS, offsetof(struct profile, field), NULL, 1, 0, what                      \
    }

const struct conf_row profile_rows[] = {
    TEXT(address, NULL, 1, "la dirección del nodo, servidor:puerto"),
    TEXT(node, NULL, 1, "la identidad del nodo, spiffe://enlace.<red>/node/<clave>"),
    TEXT(certificate, NULL, 1, "archivo PEM: el certificado de este sistema"),
    TEXT(key, NULL, 1, "archivo PEM: su llave privada"),
    TEXT(ca, NULL, 1, "archivo PEM: las autoridades que certifican a los nodos"),
    TEXT(member, NULL, 1, "la institución, red/clave: cdmx/ssc"),
    TEXT(system, "", 0, "el nombre del sistema, como en su certificado; vacío: no es un sistema"),
    TEXT(official_certificate, "", 0, "archivo PEM: certificado del funcionario que firma actos"),
    TEXT(official_key, "", 0, "archivo PEM: su llave privada"),
    TEXT(seal_certificate, "", 0, "archivo PEM: certificado de sello de este sistema"),
    TEXT(seal_key, "", 0, "archivo PEM: la llave que abre lo sellado a este sistema"),
    TEXT(spool, "", 0, "carpeta para lo que falta enviar y los acuses; vacía: no se guarda nada"),
    TEXT(
        policy, "", 0,
        "archivo de testigos y quórum (C2SP tlog-policy): toda verificación lo exige; vacío: basta "
        "la firma de la bitácora"),
    {"timeout_ms", CONF_INTEGER, offsetof(struct profile, timeout_ms), "15000", 100, 600000,
     "cuánto se espera una respuesta del nodo, en milisegundos"},
    LIST(node_log, "llave (vkey) de la bitácora del propio nodo; puede haber varias líneas"),
    LIST(log, "llave (vkey) de la bitácora de otro nodo; puede haber varias líneas"),
    LIST(peer, "institución y origen de la bitácora de su nodo: cdmx/ssc gw.ssc/audit/2026"),
    {.name = NULL},
};

/* The line of the nth (from 0) setting of this name: base/conf keeps none. */
static unsigned line_of(const char *path, const char *name, size_t nth)
{
    FILE *file = fopen(path, "re");
    size_t length = strlen(name);
    char text[1024];
    unsigned line = 0;

    while (file != NULL && fgets(text, sizeof text, file) != NULL) {
        const char *at = text + strspn(text, " \t");

        line++;
        if (strncmp(at, name, length) == 0 && strchr(" \t=:", at[length]) != NULL && nth-- == 0) {
            fclose(file);
            return line;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return 0;
}

static enum rc wrong(const struct profile *profile, const char *name, size_t nth, const char *why,
                     char error[PROFILE_ERROR_SIZE])
{
    snprintf(error, PROFILE_ERROR_SIZE, "%s:%u: %s: %s", profile->path,
             line_of(profile->path, name, nth), name, why);
    return RC_INVALID_ARGUMENT;
}

/* A relative path counts from the folder of the profile; "../" are resolved, for people to read. */
static enum rc resolve(const struct profile *profile, const char *name, char path[CONF_TEXT_SIZE],
                       char error[PROFILE_ERROR_SIZE])
{
    char whole[PATH_MAX + CONF_TEXT_SIZE];
    const char *rest = path;
    char *end;

    if (path[0] == '\0' || path[0] == '/') {
        return RC_OK;
    }
    if (realpath(profile->path, whole) == NULL || (end = strrchr(whole, '/')) == NULL) {
        return wrong(profile, name, 0, "no se puede saber en qué carpeta está el perfil", error);
    }
    while (strncmp(rest, "../", 3) == 0 && end != whole) {
        *end = '\0';
        end = strrchr(whole, '/');
        rest += 3;
    }
    snprintf(end, sizeof whole - (size_t)(end - whole), "/%s", rest);
    if (strlen(whole) >= CONF_TEXT_SIZE) {
        return wrong(profile, name, 0, "la ruta completa es demasiado larga; use una más corta",
                     error);
    }
    memcpy(path, whole, strlen(whole) + 1);
    return RC_OK;
}

static enum rc resolve_all(struct profile *profile, char error[PROFILE_ERROR_SIZE])
{
    TRY(resolve(profile, "certificate", profile->certificate, error));
    TRY(resolve(profile, "key", profile->key, error));
    TRY(resolve(profile, "ca", profile->ca, error));
    TRY(resolve(profile, "official_certificate", profile->official_certificate, error));
    TRY(resolve(profile, "official_key", profile->official_key, error));
    TRY(resolve(profile, "seal_certificate", profile->seal_certificate, error));
    TRY(resolve(profile, "seal_key", profile->seal_key, error));
    TRY(resolve(profile, "policy", profile->policy, error));
    return resolve(profile, "spool", profile->spool, error);
}

static enum rc add_logs(struct profile *profile, const char *name, const struct conf_list *list,
                        char error[PROFILE_ERROR_SIZE])
{
    for (size_t i = 0; i < list->count; i++) {
        struct vkey *vkey = &profile->logs[profile->log_count];

        if (vkey_parse(bytes_text(list->items[i]), vkey) != RC_OK || vkey->type != VKEY_ED25519) {
            return wrong(profile, name, i,
                         "no es la llave de una bitácora; copie la línea completa que publica su "
                         "nodo: origen+8 dígitos+base64",
                         error);
        }
        profile->log_count++;
    }
    return RC_OK;
}

static bool has_log(const struct profile *profile, const char *origin)
{
    for (size_t i = 0; i < profile->log_count; i++) {
        if (strcmp(profile->logs[i].name, origin) == 0) {
            return true;
        }
    }
    return false;
}

static enum rc check_peers(const struct profile *profile, char error[PROFILE_ERROR_SIZE])
{
    for (size_t i = 0; i < profile->peer.count; i++) {
        const char *space = strchr(profile->peer.items[i], ' ');

        if (space == NULL || !has_log(profile, space + 1)) {
            return wrong(profile, "peer", i,
                         "se esperaba «institución origen», con una línea «log» o «node_log» de "
                         "ese origen; agréguela",
                         error);
        }
    }
    return RC_OK;
}

static enum rc check_identity(const struct profile *profile, char error[PROFILE_ERROR_SIZE])
{
    const char *slash = strchr(profile->member, '/');
    struct spiffe spiffe;

    if (spiffe_parse(bytes_text(profile->node), &spiffe) != RC_OK || spiffe.kind != SPIFFE_NODE) {
        return wrong(profile, "node", 0,
                     "se esperaba spiffe://enlace.<red>/node/<clave>; pídala a quien opera el nodo",
                     error);
    }
    if (slash == NULL || slash == profile->member || slash[1] == '\0' ||
        strchr(slash + 1, '/') != NULL) {
        return wrong(profile, "member", 0, "se esperaba red/clave, como cdmx/ssc", error);
    }
    if ((profile->official_key[0] == '\0') != (profile->official_certificate[0] == '\0')) {
        return wrong(profile, "official_key", 0,
                     "official_key y official_certificate van juntos; agregue el que falta", error);
    }
    if ((profile->seal_key[0] == '\0') != (profile->seal_certificate[0] == '\0')) {
        return wrong(profile, "seal_key", 0,
                     "seal_key y seal_certificate van juntos; agregue el que falta", error);
    }
    return RC_OK;
}

enum rc profile_read(const char *path, struct profile **profile, char error[PROFILE_ERROR_SIZE])
{
    OWN_PTR(profile) made = calloc(1, sizeof *made);

    if (made == NULL) {
        snprintf(error, PROFILE_ERROR_SIZE, "%s: falta memoria", path);
        return RC_RESOURCE_EXHAUSTED;
    }
    if (strlen(path) >= sizeof made->path) {
        snprintf(error, PROFILE_ERROR_SIZE, "%s: la ruta es demasiado larga", path);
        return RC_INVALID_ARGUMENT;
    }
    TRY(conf_read(path, profile_rows, made, error));
    memcpy(made->path, path, strlen(path) + 1);
    TRY(resolve_all(made, error));
    TRY(check_identity(made, error));
    TRY(add_logs(made, "node_log", &made->node_log, error));
    made->own_log_count = made->log_count;
    TRY(add_logs(made, "log", &made->log, error));
    TRY(check_peers(made, error));
    *profile = MOVE(made);
    return RC_OK;
}

void profile_free(struct profile *profile)
{
    free(profile);
}

const struct vkey *profile_logs_of(const struct profile *profile, const char *member, size_t *count)
{
    size_t length = strlen(member);

    for (size_t i = 0; i < profile->peer.count; i++) {
        const char *line = profile->peer.items[i];

        if (strncmp(line, member, length) != 0 || line[length] != ' ') {
            continue;
        }
        for (size_t j = 0; j < profile->log_count; j++) {
            if (strcmp(profile->logs[j].name, line + length + 1) == 0) {
                *count = 1;
                return &profile->logs[j];
            }
        }
    }
    *count = profile->log_count;
    return profile->logs;
}
