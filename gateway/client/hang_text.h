/*
 * hang_text - an exchange in one line of JSON or of words: where it hangs, and who must act; its
 * way as JSON.
 */
#ifndef CLIENT_HANG_TEXT_H
#define CLIENT_HANG_TEXT_H

#include <jansson.h>

#include "rpc/codec_watch.h"

#define HANG_TEXT_SIZE 320
#define SPAN_TEXT_SIZE 48

/* "El nodo de cdmx/ssc no se alcanza desde 24/11/2026 03:10:00: debe actuar quien opera cdmx/ssc"
 */
void hang_text(const struct exchange_summary *summary, char out[HANG_TEXT_SIZE]);
/* "2 h 05 min", "9 d 3 h", "40 s" */
void hang_span(int64_t span_ms, char out[SPAN_TEXT_SIZE]);
/* "en custodia" */
const char *state_text(enum state state);
/* The keys are those of enlace.v1.ExchangeSummary; the states and kinds by their names. */
json_t *summary_json(const struct exchange_summary *summary);
/* {"summary", "hops", "omitted", "now_ms"}: each hop by both logs' times. */
json_t *trace_json(const struct trace *trace);

#endif
