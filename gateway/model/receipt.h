/*
 * receipt - evidence that a log holds a message (enlace.v1.Receipt), as borrowed bytes.
 *
 * tlog verifies it; see proto/enlace/v1/receipt.proto.
 */
#ifndef MODEL_RECEIPT_H
#define MODEL_RECEIPT_H

#include "base/bytes.h"
#include "model/id.h"
#include "base/rc.h"

/* The wire's values (enlace.v1.ReceiptLevel): R0 and R1. */
enum receipt_level { RECEIPT_NONE, RECEIPT_HELD, RECEIPT_RECEIVED };

struct receipt {
    enum receipt_level level;
    struct bytes leaf;       /* 200 bytes */
    struct bytes tlog_proof; /* C2SP tlog-proof text */
};

/* One answer to one submission: a receipt, or a fault whose rc is not RC_OK. */
struct submit_result {
    struct id message_id;
    struct receipt receipt;
    struct fault fault;
    bool is_erased; /* the content is gone; the receipt is the old one */
};

#endif
