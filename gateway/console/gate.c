#include "console/gate.h"

#include <stdio.h>
#include <string.h>

static void digest_text(const char *text, uint8_t out[DIGEST_SIZE])
{
    struct bytes bytes = bytes_text(text);

    digest_of(&bytes, 1, out);
}

/* Keeps the digest only. */
static void draw(char text[GATE_TOKEN_SIZE], uint8_t digest[DIGEST_SIZE])
{
    uint8_t secret[GATE_SECRET_SIZE];

    random_fill(secret, sizeof secret);
    hex_encode(secret, sizeof secret, text);
    explicit_bzero(secret, sizeof secret);
    digest_text(text, digest);
}

void gate_init(struct gate *gate, const char *host, uint16_t port, int64_t now_ms,
               char token[GATE_TOKEN_SIZE])
{
    *gate = (struct gate){.token_until_ms = now_ms + GATE_TOKEN_MS};
    snprintf(gate->host, sizeof gate->host, "%s:%u", host, port);
    snprintf(gate->cookie_name, sizeof gate->cookie_name, "enlace-%u", port);
    draw(token, gate->token);
    random_fill(gate->session, sizeof gate->session); /* that no value digests to */
}

/* ---- where a request comes from ---- */

static bool is_own_origin(const struct gate *gate, const char *origin)
{
    static const char scheme[] = "http://";

    return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
           strcmp(origin + sizeof scheme - 1, gate->host) == 0;
}

/* A browser that does not say where from (no Origin with a GET) says it with Sec-Fetch-Site. */
static bool is_own_page(const struct gate *gate, const struct gate_asked *asked)
{
    bool is_own_site = asked->site[0] == '\0' || strcmp(asked->site, "same-origin") == 0 ||
                       (!asked->is_post && strcmp(asked->site, "none") == 0);

    if (asked->origin[0] != '\0') {
        return is_own_site && is_own_origin(gate, asked->origin);
    }
    return is_own_site && !asked->is_post;
}

enum rc gate_check(const struct gate *gate, const struct gate_asked *asked, struct fault *fault)
{
    if (strcmp(asked->host, gate->host) != 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "console.host", "Host",
                      "La consola sólo responde como %s: abra esa dirección tal cual.", gate->host);
    }
    if (!is_own_page(gate, asked)) {
        return refuse(fault, RC_PERMISSION_DENIED, "console.origin", "Origin",
                      "Otra página intentó usar la consola. Ciérrela y avise a quien opera su "
                      "nodo.");
    }
    if (asked->is_post && strcmp(asked->type, "application/json") != 0) {
        return refuse(fault, RC_PERMISSION_DENIED, "console.form", "Content-Type",
                      "La consola sólo recibe JSON de sus propias páginas.");
    }
    return RC_OK;
}

/* ---- the session ---- */

/* The value of our cookie among those of the header; false: it is not there. */
static bool find_cookie(const struct gate *gate, const char *header, char value[GATE_TOKEN_SIZE])
{
    size_t name_size = strlen(gate->cookie_name);

    for (const char *at = header; at != NULL && *at != '\0';) {
        at += strspn(at, "; ");
        if (strncmp(at, gate->cookie_name, name_size) == 0 && at[name_size] == '=') {
            const char *begin = at + name_size + 1;
            size_t size = strcspn(begin, ";");

            if (size != GATE_TOKEN_SIZE - 1) {
                return false;
            }
            memcpy(value, begin, size);
            value[size] = '\0';
            return true;
        }
        at = strchr(at, ';');
    }
    return false;
}

enum rc gate_check_session(const struct gate *gate, const struct gate_asked *asked,
                           struct fault *fault)
{
    char value[GATE_TOKEN_SIZE];
    uint8_t digest[DIGEST_SIZE];
    bool is_ours = false;

    if (find_cookie(gate, asked->cookie, value)) {
        digest_text(value, digest);
        is_ours = digest_equal(digest, gate->session);
        explicit_bzero(value, sizeof value);
    }
    return is_ours
               ? RC_OK
               : refuse(fault, RC_UNAUTHENTICATED, "console.session", "Cookie",
                        "Esta ventana no tiene sesión: ejecute de nuevo «enlace console» y abra "
                        "el enlace que muestra.");
}

enum rc gate_enter(struct gate *gate, const char *token, int64_t now_ms,
                   char cookie[GATE_COOKIE_MAX], struct fault *fault)
{
    char value[GATE_TOKEN_SIZE];
    uint8_t digest[DIGEST_SIZE];

    digest_text(token, digest);
    if (gate->tries >= GATE_TRIES_MAX || !digest_equal(digest, gate->token)) {
        gate->tries++;
        return refuse(fault, RC_PERMISSION_DENIED, "token.wrong", "token",
                      "Esa clave de entrada no es la de esta consola. Copie completo el enlace que "
                      "muestra la terminal, o ejecute de nuevo «enlace console».");
    }
    if (gate->is_used) {
        return refuse(fault, RC_PERMISSION_DENIED, "token.used", "token",
                      "Ese enlace ya se usó: sirve una vez. Si no fue usted, cierre la consola "
                      "(Ctrl-C) y avise; si lo fue, ejecute de nuevo «enlace console».");
    }
    if (now_ms > gate->token_until_ms) {
        return refuse(fault, RC_PERMISSION_DENIED, "token.expired", "token",
                      "Ese enlace venció a los diez minutos: ejecute de nuevo «enlace console».");
    }
    gate->is_used = true;
    draw(value, gate->session);
    snprintf(cookie, GATE_COOKIE_MAX, "%s=%s; HttpOnly; SameSite=Strict; Path=/", gate->cookie_name,
             value);
    explicit_bzero(value, sizeof value);
    return RC_OK;
}
