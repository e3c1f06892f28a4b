#include "relay/serve.h"

#include "relay/annex_in.h"
#include "relay/annex_out.h"
#include "relay/audit.h"
#include "relay/audit_call.h"
#include "relay/attached.h"
#include "relay/board.h"
#include "relay/duty_calls.h"
#include "relay/follow.h"
#include "relay/node.h"
#include "relay/officials.h"
#include "relay/orders.h"
#include "relay/parcels.h"
#include "relay/receipts.h"
#include "relay/give_again.h"
#include "relay/lawfetch.h"
#include "relay/receive.h"
#include "relay/redeliver.h"
#include "relay/replay.h"
#include "relay/submit.h"
#include "relay/submit_stream.h"
#include "relay/trace.h"
#include "relay/track.h"
#include "relay/vitals.h"
#include "relay/wake_peer.h"
#include "relay/witness_call.h"

#define EXCHANGE "/enlace.v1.ExchangeService/"
#define FEDERATION "/enlace.v1.FederationService/"
#define AUDIT "/enlace.v1.AuditService/"
#define OPERATION "/enlace.v1.OperationService/"
#define WATCH "/enlace.v1.WatchService/"
#define ORDER "/enlace.v1.OrderService/"
#define OFFICIAL "/enlace.v1.OfficialService/"
#define DUTY "/enlace.v1.DutyService/"
#define PARCEL "/enlace.v1.ParcelService/"

static const struct rpc_method table[] = {
    {.path = EXCHANGE "Submit", .kind = RPC_UNARY, .on_call = submit_on_call},
    {.path = EXCHANGE "SubmitStream", .kind = RPC_STREAM, .on_stream = submit_stream_on_stream},
    {.path = EXCHANGE "Attach", .kind = RPC_STREAM, .on_stream = attached_on_stream},
    {.path = EXCHANGE "Track", .kind = RPC_UNARY, .on_call = track_on_call},
    {.path = EXCHANGE "GetReceipts", .kind = RPC_UNARY, .on_call = receipts_on_call},
    {.path = EXCHANGE "GiveAgain", .kind = RPC_UNARY, .on_call = give_again_on_call},
    {.path = EXCHANGE "GetWitnessedReceipts",
     .kind = RPC_UNARY,
     .on_call = receipts_on_witnessed_call},
    {.path = EXCHANGE "PutAttachment", .kind = RPC_STREAM, .on_stream = annex_in_on_stream},
    {.path = EXCHANGE "StatAttachment", .kind = RPC_UNARY, .on_call = annex_out_stat_on_call},
    {.path = EXCHANGE "GetAttachment", .kind = RPC_STREAM, .on_stream = annex_out_on_stream},
    {.path = EXCHANGE "Ping", .kind = RPC_UNARY, .on_call = ping_on_call},
    {.path = WATCH "ListExchanges", .kind = RPC_UNARY, .on_call = board_on_list},
    {.path = WATCH "Redeliver", .kind = RPC_UNARY, .on_call = redeliver_on_call},
    {.path = WATCH "TraceExchange", .kind = RPC_UNARY, .on_call = trace_on_call},
    {.path = FEDERATION "Exchange", .kind = RPC_STREAM, .on_stream = receive_on_stream},
    {.path = FEDERATION "PutPeerAttachment",
     .kind = RPC_STREAM,
     .on_stream = annex_in_on_peer_stream},
    {.path = FEDERATION "FetchDirectory", .kind = RPC_UNARY, .on_call = lawfetch_on_call},
    {.path = FEDERATION "AddCheckpoint", .kind = RPC_UNARY, .on_call = witness_on_add},
    {.path = FEDERATION "GetCheckpoint", .kind = RPC_UNARY, .on_call = witness_on_get},
    {.path = FEDERATION "Replay", .kind = RPC_UNARY, .on_call = replay_on_call},
    {.path = FEDERATION "Follow", .kind = RPC_UNARY, .on_call = follow_on_call},
    {.path = FEDERATION "GetSeen", .kind = RPC_UNARY, .on_call = get_seen_on_call},
    {.path = FEDERATION "WakeDuty", .kind = RPC_UNARY, .on_call = wake_peer_on_call},
    {.path = DUTY "ListDuty", .kind = RPC_UNARY, .on_call = duty_calls_on_list},
    {.path = DUTY "AnswerDuty", .kind = RPC_UNARY, .on_call = duty_calls_on_answer},
    {.path = PARCEL "ExportParcel", .kind = RPC_UNARY, .on_call = parcels_on_export},
    {.path = PARCEL "ImportParcel", .kind = RPC_UNARY, .on_call = parcels_on_import},
    {.path = ORDER "GiveOrder", .kind = RPC_UNARY, .on_call = orders_on_give},
    {.path = ORDER "GetOrder", .kind = RPC_UNARY, .on_call = orders_on_get},
    {.path = ORDER "ReadBlocked", .kind = RPC_UNARY, .on_call = orders_on_read_blocked},
    {.path = OFFICIAL "ListAwaiting", .kind = RPC_UNARY, .on_call = officials_on_list},
    {.path = OFFICIAL "GetAwaiting", .kind = RPC_UNARY, .on_call = officials_on_get},
    {.path = OFFICIAL "GetWill", .kind = RPC_UNARY, .on_call = officials_on_will},
    {.path = OFFICIAL "GiveAct", .kind = RPC_UNARY, .on_call = officials_on_give},
    {.path = AUDIT "ReadRecords", .kind = RPC_STREAM, .on_stream = audit_on_whole_stream},
    {.path = AUDIT "QueryRecords", .kind = RPC_STREAM, .on_stream = audit_on_query_stream},
    {.path = AUDIT "GiveTagKey", .kind = RPC_UNARY, .on_call = audit_on_give_tag_key},
    {.path = AUDIT "CloseAudit", .kind = RPC_UNARY, .on_call = audit_on_close},
    {.path = AUDIT "Reindex", .kind = RPC_UNARY, .on_call = audit_on_reindex},
    {.path = OPERATION "GetCondition", .kind = RPC_UNARY, .on_call = vitals_on_call},
};

#define METHODS (sizeof table / sizeof table[0])
_Static_assert(METHODS <= SERVE_METHODS_MAX, "the caller's array holds the table");

size_t serve_methods(struct node *node, struct rpc_method methods[SERVE_METHODS_MAX])
{
    for (size_t i = 0; i < METHODS; i++) {
        methods[i] = table[i];
        methods[i].service = &node->service;
    }
    return METHODS;
}
