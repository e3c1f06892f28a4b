#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "ssc/ssc.h"

#define ARENA_MAX ((size_t)16 << 20)
#define DETAIL_PATH "/detail/"
#define DETAIL_NAMESPACE "urn:enlace:detalle:1"

static struct ssc *ssc_of(struct https_service *service)
{
    return (struct ssc *)((char *)service - offsetof(struct ssc, service));
}

/* ---- the detail ---- */

static const char *fact(const struct reading *reading, const char *path)
{
    return reading_text(reading, path, (struct reading_place){0});
}

static void put_measures(struct xml_writer *writer, const struct reading *reading)
{
    for (unsigned i = 0; i < reading->message->header.item_count; i++) {
        struct reading_place place = {.item = i};

        xml_open(writer, "Medida");
        xml_put(writer, "Numero", reading_text(reading, "item.number", place));
        xml_put(writer, "Codigo", reading_text(reading, "item.code", place));
        xml_put(writer, "Veces", reading_text(reading, "item.count", place));
        xml_put(writer, "Hasta", reading_text(reading, "item.ends_on", place));
        xml_close(writer);
    }
}

static void put_fields(struct xml_writer *writer, const struct mapping *mapping,
                       const struct reading *reading)
{
    size_t count;
    const struct mapping_row *rows = mapping_out(mapping, &count);

    for (size_t i = 0; i < count; i++) {
        const char *value = mapping_text(mapping, &rows[i], reading, (struct reading_place){0});

        if (value[0] != '\0') {
            xml_open(writer, "Campo");
            xml_put(writer, "Nombre", rows[i].name);
            xml_put(writer, "Valor", value);
            xml_close(writer);
        }
    }
}

/* Of the same message always the same bytes. */
static enum rc write_detail(const struct ssc *ssc, const struct message *message,
                            struct arena *arena, struct buffer *out, struct fault *fault)
{
    OWN_PTR(xml_writer) writer = xml_writer_new("Detalle", DETAIL_NAMESPACE);
    struct reading reading;

    if (writer == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    TRY(reading_open(message, &ssc->context->keys, arena, &reading));
    xml_put(writer, "Folio", fact(&reading, "header.exchange_id"));
    xml_put(writer, "Clave", fact(&reading, "header.message_id"));
    xml_put(writer, "Fundamento", fact(&reading, "header.legal_basis"));
    xml_put(writer, "Finalidad", fact(&reading, "header.purpose"));
    put_measures(writer, &reading);
    put_fields(writer, ssc->context->mapping, &reading);
    return xml_finish(writer, ssc->detail_schema, out, fault);
}

/* One answer for whatever is not to be had; the log has the reason, never the token. */
static void tell_pull(const struct message *message, const uint8_t certificate[DIGEST_SIZE],
                      const char *officer, const char *why)
{
    char fingerprint[17];
    char id[ID_TEXT_SIZE];
    char exchange[ID_TEXT_SIZE];

    hex_encode(certificate, 8, fingerprint);
    if (message == NULL) {
        log_warn("detail.refused", "reason=%s certificate=%s officer=%s", why, fingerprint,
                 officer);
        return;
    }
    id_format(&message->header.message_id, id);
    id_format(&message->header.exchange_id, exchange);
    log_info("detail.pulled", "msg=%s exchange=%s certificate=%s officer=%s", id, exchange,
             fingerprint, officer);
}

static enum rc pull(struct ssc *ssc, const struct https_asked *asked, struct arena *arena,
                    struct buffer *out)
{
    struct bytes token =
        BYTES(asked->path.data + strlen(DETAIL_PATH), asked->path.size - strlen(DETAIL_PATH));
    struct message *message = arena_alloc(arena, sizeof *message);
    char officer[DETAILS_OFFICER_SIZE] = "none";
    struct fault fault = {0};
    const char *why = "officer";
    enum rc rc;

    if (message == NULL) {
        return RC_RESOURCE_EXHAUSTED;
    }
    rc = details_officer(ssc->details, https_asked_header(asked, SSC_OFFICER), officer);
    if (rc == RC_OK) {
        rc = details_pull(ssc->details, token, asked->certificate, officer, clock_now_ms(), arena,
                          message, &why);
    }
    if (rc == RC_OK) {
        rc = write_detail(ssc, message, arena, out, &fault);
        why = fault.reason;
    }
    tell_pull(rc == RC_OK ? message : NULL, asked->certificate, officer, why);
    return rc;
}

/* ---- what the agency says ---- */

struct applying {
    struct adapter_call call; /* first */
    struct ssc *ssc;
    const struct xml *alert;
    struct bytes evidence;
    struct bytes body;
    struct arena *arena;
    struct fault *fault;
};

static int status_of(enum rc rc)
{
    return rc == RC_OK                                                                ? 200
           : rc == RC_UNAVAILABLE || rc == RC_RESOURCE_EXHAUSTED || rc == RC_INTERNAL ? 503
                                                                                      : 422;
}

static enum rc apply(struct adapter_call *call, struct adapter *adapter)
{
    struct applying *applying = (struct applying *)call;

    enum rc rc = ssc_apply(applying->ssc, adapter, applying->alert, applying->evidence,
                           applying->arena, applying->fault);

    if (status_of(rc) == 422) {
        adapter_set_aside(adapter, applying->body, applying->fault);
    }
    return rc;
}

static enum rc take(struct ssc *ssc, struct bytes body, struct arena *arena, struct fault *fault)
{
    OWN_PTR(xml) alert = NULL;
    uint8_t digest[DIGEST_SIZE];
    struct applying applying = {.call.run = apply,
                                .ssc = ssc,
                                .evidence = BYTES_OF(digest),
                                .body = body,
                                .arena = arena,
                                .fault = fault};

    digest_of(&body, 1, digest);
    TRY(xml_read(body, ssc->schemas[SSC_SERVE], &alert, fault));
    applying.alert = alert;
    return adapter_call(ssc->context->adapter, &applying.call);
}

/* The reason is a key of ours; no value comes back. */
static void answer_alert(struct ssc *ssc, const struct https_asked *asked, struct arena *arena,
                         struct http_response *response)
{
    struct fault fault = {0};
    enum rc rc = take(ssc, asked->body, arena, &fault);

    response->status = status_of(rc);
    if (rc != RC_OK) {
        log_line(response->status == 503 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
                 response->status == 503 ? "alert.later" : "alert.refused", "reason=%s path=%s",
                 fault.reason, fault.path);
        response->type = "text/plain; charset=utf-8";
        buffer_print(&response->body, "%s\n%s\n", fault.reason, fault.remedy);
    }
}

void ssc_answer(struct https_service *service, const struct https_asked *asked,
                struct http_response *response)
{
    struct ssc *ssc = ssc_of(service);
    OWN_PTR(arena) arena = arena_new(ARENA_MAX);

    if (arena == NULL) {
        response->status = 503;
    } else if (asked->is_post && bytes_are_text(asked->path, "/alerts")) {
        answer_alert(ssc, asked, arena, response);
    } else if (!asked->is_post && asked->path.size > strlen(DETAIL_PATH) &&
               memcmp(asked->path.data, DETAIL_PATH, strlen(DETAIL_PATH)) == 0 &&
               pull(ssc, asked, arena, &response->body) == RC_OK) {
        response->status = 200;
        response->type = "application/xml";
    }
}
