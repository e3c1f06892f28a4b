#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sdk/progress.h"
#include "sdk/refer.h"
#include "ssc/ssc.h"

#define REFERENCE_SIZE 224
#define ERROR_REASON "error-de-la-institucion"

const char *const ssc_settings_words[] = {REFER_WORDS, "category", NULL};
const char *const ssc_tables[] = {"mensaje", "tipo",     "estado", "urgencia",
                                  "medida",  "alcaldia", NULL};

/* "" when it has none of that name. */
static const char *parameter(const struct _xmlNode *info, const char *name, struct arena *arena)
{
    if (info == NULL) {
        return "";
    }
    for (const struct _xmlNode *at = xml_child(info, "parameter"); at != NULL;
         at = xml_next(at, "parameter")) {
        if (strcmp(xml_text(at, "valueName", arena), name) == 0) {
            return xml_text(at, "value", arena);
        }
    }
    return "";
}

/* It answers an alert of ours, and in that alert's exchange. */
static enum rc check_reference(const struct ssc *ssc, const char *reference, const char *folio,
                               struct fault *fault)
{
    char sender[97];
    char key[100] = "m/";
    char sent[26];
    char value[BOOK_VALUE_MAX + 1];
    char wanted[REFERENCE_SIZE];

    if (sscanf(reference, "%96[^,],%96[^,],%25s", sender, key + 2, sent) == 3 &&
        strcmp(sender, ssc->terms.sender) == 0 && book_find(ssc->alerts, key, value) == RC_OK) {
        snprintf(wanted, sizeof wanted, "%.60s %.30s", folio, sent);
        if (strcmp(wanted, value) == 0) {
            return RC_OK;
        }
    }
    return refuse(fault, RC_NOT_FOUND, "alert.unknown", "references",
                  "No contesta ninguna alerta enviada a esta institución con ese folio.");
}

/* ---- an Update for each info ---- */

static enum rc say_info(const struct ssc *ssc, struct adapter *adapter,
                        const struct _xmlNode *alert, const struct _xmlNode *info,
                        struct bytes evidence, struct arena *arena, struct fault *fault)
{
    char officer[DETAILS_OFFICER_SIZE];
    struct progress progress;
    const char *state =
        mapping_ours(ssc->context->mapping, "estado", xml_text(info, "event", arena));
    const char *onset = xml_text(info, "onset", arena);

    if (state == NULL) {
        return refuse(fault, RC_INVALID_ARGUMENT, "state.unknown", "event",
                      "Ese estado no está en la tabla de equivalencias.");
    }
    if (details_officer(ssc->details, parameter(info, "oficial", arena), officer) != RC_OK) {
        return refuse(fault, RC_INVALID_ARGUMENT, "alert.officer", "oficial",
                      "Falta quién lo hizo: hasta 64 letras, cifras, puntos y guiones.");
    }
    progress_init(&progress);
    progress.exchange = xml_text(alert, "incidents", arena);
    progress.state = state;
    progress.occurred_at = onset[0] != '\0' ? onset : xml_text(alert, "sent", arena);
    progress.reason = parameter(info, "motivo", arena);
    progress.competent = parameter(info, "competente", arena);
    progress.evidence_sha256 = evidence;
    TRY(progress_number(parameter(info, "medida", arena), &progress.item, fault));
    TRY(progress_number(parameter(info, "ocurrencia", arena), &progress.occurrence, fault));
    TRY(progress_say(adapter, &progress, fault));
    log_info("state.said", "exchange=%s item=%u state=%s occurrence=%u officer=%s",
             progress.exchange, progress.item, state, progress.occurrence, officer);
    return RC_OK;
}

static enum rc say_update(const struct ssc *ssc, struct adapter *adapter,
                          const struct _xmlNode *alert, struct bytes evidence, struct arena *arena,
                          struct fault *fault)
{
    for (const struct _xmlNode *info = xml_child(alert, "info"); info != NULL;
         info = xml_next(info, "info")) {
        TRY(say_info(ssc, adapter, alert, info, evidence, arena, fault));
    }
    return RC_OK;
}

/* After its Ack: what was asked cannot be done. */
static enum rc say_error(struct adapter *adapter, const struct _xmlNode *alert,
                         struct bytes evidence, struct arena *arena, struct fault *fault)
{
    struct progress progress;

    progress_init(&progress);
    progress.exchange = xml_text(alert, "incidents", arena);
    progress.state = "fail";
    progress.reason = ERROR_REASON;
    progress.occurred_at = xml_text(alert, "sent", arena);
    progress.evidence_sha256 = evidence;
    return progress_say(adapter, &progress, fault);
}

/* ---- an Alert: the agency refers somebody ---- */

/* The person's name is not said in CAP: the Mechanism asks the agency, which has it by that key. */
static enum rc say_referral(const struct ssc *ssc, struct adapter *adapter,
                            const struct _xmlNode *alert, struct arena *arena, struct fault *fault)
{
    const struct _xmlNode *info = xml_child(alert, "info");
    struct referral said = {.reference = xml_text(alert, "incidents", arena),
                            .person = parameter(info, "persona", arena),
                            .code = ""};
    struct id exchange;

    return refer(adapter, ssc->context->mapping, &said, &exchange, fault);
}

enum rc ssc_apply(struct ssc *ssc, struct adapter *adapter, const struct xml *alert,
                  struct bytes evidence, struct arena *arena, struct fault *fault)
{
    const struct _xmlNode *root = xml_root(alert);
    const char *type = xml_text(root, "msgType", arena);

    if (strcmp(xml_text(root, "addresses", arena), ssc->terms.sender) != 0 ||
        strcmp(xml_text(root, "sender", arena), ssc->terms.addresses) != 0) {
        return refuse(fault, RC_INVALID_ARGUMENT, "alert.addresses", "addresses",
                      "No va de esa institución a este adaptador.");
    }
    if (strcmp(type, "Alert") == 0) {
        return say_referral(ssc, adapter, root, arena, fault);
    }
    TRY(check_reference(ssc, xml_text(root, "references", arena),
                        xml_text(root, "incidents", arena), fault));
    if (strcmp(type, "Update") == 0) {
        return say_update(ssc, adapter, root, evidence, arena, fault);
    }
    if (strcmp(type, "Error") == 0) {
        return say_error(adapter, root, evidence, arena, fault);
    }
    return strcmp(type, "Ack") == 0 ? RC_OK
                                    : refuse(fault, RC_INVALID_ARGUMENT, "alert.type", "msgType",
                                             "La institución dice Update, Error, Ack o Alert.");
}
