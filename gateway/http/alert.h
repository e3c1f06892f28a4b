/*
 * alert - one short text to one place: a mailbox by SMTP, or a webhook over HTTPS.
 *
 * Mail goes over TLS from the first byte (smtps://) or after STARTTLS (smtp://), and the server's
 * certificate is verified; without it nothing is sent, but to this machine itself. A webhook gets
 * {"aviso":"..."} by POST, with the instant and an HMAC-SHA256 of both under a shared secret
 *
 *     Enlace-Instante: 1795485600
 *     Enlace-Firma: sha256=HEX            over "1795485600.{...}"
 *
 * or a client certificate, or both; it answers with a status of 2xx, and leads nowhere else. TLS
 * 1.2 is let through: mail servers are not ours. Secrets are read from files at each alert, and
 * wiped. Blocking, at most ALERT_TIMEOUT_MS; any thread.
 */
#ifndef HTTP_ALERT_H
#define HTTP_ALERT_H

#include "base/bytes.h"

#define ALERT_TIMEOUT_MS 20000
#define ALERT_CONNECT_MS 5000
#define ALERT_TEXT_MAX 200
#define ALERT_SECRET_MAX 256

/* Files and addresses; empty: not set. Borrowed. */
struct alert_config {
    const char *smtp_url;      /* "smtps://correo.example:465", "smtp://correo.example:587" */
    const char *smtp_from;     /* a bare address */
    const char *smtp_user;     /* file: one line */
    const char *smtp_password; /* file: one line */
    const char *ca;            /* PEM; empty: the system's */
    const char *secret;        /* file: the webhooks' key, one line */
    const char *certificate;   /* PEM, for webhooks */
    const char *key;
};

/* Are the settings whole? RC_INVALID_ARGUMENT with the setting and what is expected. */
MUST_CHECK enum rc alert_check(const struct alert_config *config, struct fault *fault);

/*
 * RC_FAILED_PRECONDITION: this channel is not set up. RC_UNAVAILABLE and others: it did not arrive;
 * the fault's reason ("alert.unreachable", "alert.tls", "alert.refused", "alert.timeout",
 * "alert.secret") holds neither the text nor the place.
 */
MUST_CHECK enum rc alert_by_mail(const struct alert_config *config, const char *to,
                                 const char *text, struct fault *fault);
MUST_CHECK enum rc alert_by_webhook(const struct alert_config *config, const char *url,
                                    const char *text, struct fault *fault);

#endif
