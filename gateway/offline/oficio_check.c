#include "offline/oficio_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/cert.h"
#include "offline/receipts_check.h"
#include "offline/report.h"
#include "tlog/sheet_note.h"

static void tell(const struct sheet_note *note, const struct cert *cert, struct report *report)
{
    int64_t due_ms;
    char due[REPORT_TIME_SIZE];

    report_text(report, "folio", "oficio", "%s", note->folio);
    report_text(report, "message", "mensaje", "%s", note->message_id);
    report_text(report, "exchange", "intercambio", "%s", note->exchange_id);
    if (note->due[0] != '\0' && clock_parse(bytes_text(note->due), &due_ms) == RC_OK) {
        report_time((uint64_t)(due_ms / 1000), due);
        report_text(report, "due", "plazo", "%s", due);
    }
    report_text(report, "signer", "lo imprimió y firma", "%s", cert_uri(cert));
}

static bool check_signature(const struct sheet_note *note, const struct cert *cert,
                            struct report *report)
{
    switch (sheet_note_verify(note, cert)) {
    case RC_OK:
        return true;
    case RC_NOT_FOUND:
        report_bad(report, "oficio.other_signer", "",
                   "Firmó otro certificado que el que se dio: pida a la institución el suyo.");
        return false;
    default:
        report_bad(report, "oficio.signature", "",
                   "La firma no es de este texto: el código fue alterado o se leyó mal.");
        return false;
    }
}

static void check_receipt(const struct sheet_note *note, struct bytes receipt,
                          const struct trust *trust, struct report *report)
{
    struct receipt_bundle *bundle = calloc(1, sizeof *bundle);
    uint8_t digest[DIGEST_SIZE];

    digest_of(&receipt, 1, digest);
    if (bundle == NULL || receipt_bundle_parse(receipt, bundle) != RC_OK) {
        report_bad(report, "receipt.malformed", "", "El archivo no es un acuse de Enlace.");
    } else if (!note->has_receipt || !digest_equal(digest, note->receipt) ||
               !digest_equal(bundle->commitment, note->commitment) ||
               strcmp(bundle->message_id, note->message_id) != 0) {
        report_bad(report, "oficio.receipt", "", "El acuse no es el que nombra el oficio.");
    } else {
        (void)receipts_check(bundle, trust, report);
    }
    free(bundle);
}

void oficio_check(struct bytes text, const struct cert *cert, struct bytes receipt,
                  const struct trust *trust, struct report *report)
{
    struct sheet_note note;

    while (text.size > 0 && strchr(" \r\n\t", text.data[text.size - 1]) != NULL) {
        text.size--;
    }
    if (sheet_note_parse(text, &note) != RC_OK) {
        report_bad(report, "oficio.malformed", "",
                   "No es el texto del código de un oficio: comienza con «enlace-oficio v1».");
        return;
    }
    if (!check_signature(&note, cert, report)) {
        return;
    }
    tell(&note, cert, report);
    if (receipt.size > 0) {
        check_receipt(&note, receipt, trust, report);
    }
}
