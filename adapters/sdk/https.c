#include "sdk/https.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "crypto/tlsconf.h"

#define CONNECT_MS 10000L

struct https {
    CURL *curl;
    char base[HTTPS_URL_MAX];
    size_t answer_max;
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool is_loopback(const char *base)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};

    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t length = strlen(hosts[i]);

        if (strncmp(base, hosts[i], length) == 0 && strchr(":/", base[length]) != NULL) {
            return true; /* strchr finds the end of the text, too */
        }
    }
    return false;
}

uint16_t https_port(const char *base)
{
    CURLU *url = curl_url();
    char *text = NULL;
    unsigned long port = 0;

    if (url != NULL && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        port = strtoul(text, NULL, 10);
    }
    curl_free(text);
    curl_url_cleanup(url);
    return port <= 65535 ? (uint16_t)port : 0;
}

/* ---- making one ---- */

static CURLcode allow_tls12(CURL *curl, void *context, void *user)
{
    (void)curl;
    (void)user;
    tlsconf_allow_tls12(context);
    return CURLE_OK;
}

static void set_tls(CURL *curl, const struct https_config *config)
{
    curl_easy_setopt(curl, CURLOPT_SSLVERSION,
                     config->allows_tls12 ? (long)CURL_SSLVERSION_TLSv1_2
                                          : (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, config->certificate);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, config->key);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (config->allows_tls12) {
        curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, allow_tls12);
        log_warn("agency.tls12", "reason=\"the agency's system has no TLS 1.3\"");
    }
}

static enum rc check(const struct https_config *config, struct fault *fault)
{
    size_t length = strlen(config->base);

    if (length == 0 || length > HTTPS_URL_MAX / 2 || config->base[length - 1] == '/' ||
        strpbrk(config->base, "?#@ ") != NULL ||
        (!begins(config->base, "https://") && !is_loopback(config->base))) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.url", "url",
                      "La dirección va como https://servidor:puerto/ruta, sin / al final; http:// "
                      "solo en esta misma máquina.");
    }
    if (begins(config->base, "https://") &&
        (config->ca[0] == '\0' || config->certificate[0] == '\0' || config->key[0] == '\0')) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.certificate", "certificate",
                      "Con https:// hacen falta ca, certificate y key del sistema de la "
                      "institución.");
    }
    return RC_OK;
}

enum rc https_new(const struct https_config *config, struct https **https, struct fault *fault)
{
    OWN_PTR(https) made = calloc(1, sizeof *made);

    TRY(check(config, fault));
    if (made == NULL || curl_global_init(CURL_GLOBAL_NOTHING) != 0 ||
        (made->curl = curl_easy_init()) == NULL) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "adapter.memory", "", "Falta memoria.");
    }
    snprintf(made->base, sizeof made->base, "%s", config->base);
    made->answer_max = config->answer_max;
    curl_easy_setopt(made->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(made->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(made->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(made->curl, CURLOPT_PROTOCOLS_STR,
                     begins(config->base, "https://") ? "https" : "http");
    curl_easy_setopt(made->curl, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms);
    curl_easy_setopt(made->curl, CURLOPT_CONNECTTIMEOUT_MS,
                     config->timeout_ms < CONNECT_MS ? (long)config->timeout_ms : CONNECT_MS);
    curl_easy_setopt(made->curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)config->answer_max);
    if (begins(config->base, "https://")) {
        set_tls(made->curl, config);
    }
    *https = MOVE(made);
    return RC_OK;
}

void https_free(struct https *https)
{
    if (https != NULL) {
        curl_easy_cleanup(https->curl);
        free(https);
    }
}

void https_answer_release(struct https_answer *answer)
{
    buffer_release(&answer->body);
}

/* ---- a call ---- */

struct receiving {
    struct buffer *body;
    size_t max;
    bool is_too_long;
};

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    struct receiving *receiving = user;

    if (receiving->body->size + size * count > receiving->max) {
        receiving->is_too_long = true;
        return 0;
    }
    buffer_put(receiving->body, data, size * count);
    return receiving->body->is_failed ? 0 : size * count;
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    *list = longer != NULL ? longer : *list;
    return longer != NULL;
}

static bool headers(const struct https_request *request, struct curl_slist **list)
{
    char type[160];
    bool is_good = append(list, "Expect:");

    if (request->content_type != NULL) {
        snprintf(type, sizeof type, "Content-Type: %s", request->content_type);
        is_good = is_good && append(list, type);
    }
    for (size_t i = 0; i < HTTPS_HEADERS_MAX && request->headers[i] != NULL; i++) {
        is_good = is_good && append(list, request->headers[i]);
    }
    return is_good;
}

static void take_type(CURL *curl, char out[96])
{
    const char *type = NULL;
    size_t length;

    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(out, 96, "%s", type != NULL ? type : "");
    length = strcspn(out, "; ");
    out[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        out[i] = (char)tolower((unsigned char)out[i]);
    }
}

static enum rc tell(CURLcode code, bool is_too_long, struct fault *fault)
{
    if (is_too_long || code == CURLE_FILESIZE_EXCEEDED) {
        return refuse(fault, RC_RESOURCE_EXHAUSTED, "agency.answer_too_long", "",
                      "La respuesta de la institución es más larga de lo permitido.");
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return refuse(fault, RC_DEADLINE_EXCEEDED, "agency.timeout", "",
                      "El sistema de la institución no contestó a tiempo.");
    }
    return refuse(fault, RC_UNAVAILABLE,
                  code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR
                      ? "agency.tls"
                      : "agency.unreachable",
                  "", "No hay comunicación con el sistema de la institución: %s.",
                  curl_easy_strerror(code));
}

static void set_request(struct https *https, const struct https_request *request,
                        struct curl_slist *list, struct receiving *receiving)
{
    CURL *curl = https->curl;

    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, receiving);
    if (request->body.size > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    } else {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

enum rc https_call(struct https *https, const struct https_request *request,
                   struct https_answer *answer, struct fault *fault)
{
    struct receiving receiving = {.body = &answer->body, .max = https->answer_max};
    struct curl_slist *list = NULL;
    char url[HTTPS_URL_MAX];
    long status = 0;
    CURLcode code = CURLE_OUT_OF_MEMORY;
    int length = snprintf(url, sizeof url, "%s%s", https->base, request->path);

    if (length < 0 || (size_t)length >= sizeof url) {
        return refuse(fault, RC_INVALID_ARGUMENT, "agency.url", "", "La dirección es muy larga.");
    }
    buffer_clear(&answer->body);
    curl_easy_setopt(https->curl, CURLOPT_URL, url);
    if (headers(request, &list)) {
        set_request(https, request, list, &receiving);
        code = curl_easy_perform(https->curl);
    }
    curl_slist_free_all(list);
    if (code != CURLE_OK) {
        return tell(code, receiving.is_too_long, fault);
    }
    curl_easy_getinfo(https->curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = (int)status;
    take_type(https->curl, answer->content_type);
    return RC_OK;
}
