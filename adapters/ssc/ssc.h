/*
 * ssc - police and emergency centres: alerts by OASIS CAP 1.2 that name nobody, and the detail by
 * one authenticated pull. Internal to the adapter.
 *
 *     POST <url>/alerts              Alert, Update, Cancel -> Ack or Error (200), by cap.xsd
 *     on a listener of our own, for the agency's system with its certificate:
 *     GET  /detail/<token>           once, with the header Enlace-Officer; by detalle.xsd
 *     POST /alerts                   Update: what was done; Error: cannot be done; Ack: nothing
 *                                    more; Alert: a referral that the agency begins
 *
 *     ssc_out.c    a message as an alert; the agency's Ack is custody
 *     cap.c        the alert's document, and the check that refuses any other
 *     details.c    tokens, and the detail until it was pulled
 *     ssc_serve.c  the listener
 *     ssc_in.c     what the agency posts, applied
 *
 * Everything the listener answers no to, it answers alike.
 */
#ifndef SSC_SSC_H
#define SSC_SSC_H

#include "http/https_server.h"
#include "sdk/book.h"
#include "sdk/program.h"
#include "sdk/xml.h"
#include "ssc/cap.h"
#include "ssc/details.h"

#define SSC_CONTENT_TYPE "application/cap+xml"
#define SSC_OFFICER "Enlace-Officer"

struct ssc_settings {
    struct program_settings common; /* first */
    char schema[CONF_TEXT_SIZE];
    char detail_schema[CONF_TEXT_SIZE];
    char sender[CONF_TEXT_SIZE];
    char addresses[CONF_TEXT_SIZE];
    char listen[CONF_TEXT_SIZE];
    char server_certificate[CONF_TEXT_SIZE];
    char server_key[CONF_TEXT_SIZE];
    int64_t detail_seconds;
    int64_t detail_hours;
    int64_t exercise;
};

enum ssc_lane { SSC_URGENT, SSC_ORDINARY, SSC_SERVE, SSC_LANES };

struct ssc {
    struct adapter_user user;      /* first */
    struct handover_user handover; /* ssc_of_handover */
    struct https_service service;
    struct ssc_settings settings;
    const struct program_context *context;
    struct cap_terms terms;
    /* One for each thread: two lanes and the listener. */
    struct xml_schema *schemas[SSC_LANES];
    struct xml_schema *detail_schema; /* the listener's */
    struct https *lines[2];
    /* "m/<message>" -> "<exchange> <sent>"; "x/<exchange>" -> reference of its first alert */
    struct book *alerts;
    struct details *details;
    struct tlsserver *tls;
    struct https_server *server;
};

extern const char *const ssc_settings_words[];
extern const char *const ssc_tables[];

/* ssc_out.c; on a lane's thread. */
MUST_CHECK enum rc ssc_hand(struct handover_user *user, const struct message *message,
                            struct arena *arena, struct handover_answer *answer);
/* ssc_serve.c; on the listener's thread. */
void ssc_answer(struct https_service *service, const struct https_asked *asked,
                struct http_response *response);
/*
 * ssc_in.c; on the adapter's thread: an alert of the agency, valid by cap.xsd. `evidence` is the
 * digest of its bytes. Refusals: "alert.addresses", "alert.unknown" (it refers to no alert of
 * ours), "alert.officer", "alert.type", and those of
 * sdk/progress and sdk/refer.
 */
MUST_CHECK enum rc ssc_apply(struct ssc *ssc, struct adapter *adapter, const struct xml *alert,
                             struct bytes evidence, struct arena *arena, struct fault *fault);

#endif
