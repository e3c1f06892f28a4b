/*
 * oficio_check - verifies a printed sheet by the text of its QR code (tlog/sheet_note.h), without a
 * node.
 *
 * The certificate's holder must have signed the text; with a receipt file, that file must be the
 * one that the text names, be of the same message and hold under logs that the reader knows. What
 * the sheet says in words is for the reader to compare: folio, deadline and whose message it is are
 * told.
 *
 * Findings: oficio.malformed .other_signer .signature .receipt, and those of receipts_check.h. Any
 * thread.
 */
#ifndef OFFLINE_OFICIO_CHECK_H
#define OFFLINE_OFICIO_CHECK_H

#include "base/bytes.h"
#include "offline/trust.h"

struct cert;
struct report;

/* `receipt` empty: the text alone. White space at the end of the text is passed over: readers of
 * codes put a line feed there. */
void oficio_check(struct bytes text, const struct cert *cert, struct bytes receipt,
                  const struct trust *trust, struct report *report);

#endif
