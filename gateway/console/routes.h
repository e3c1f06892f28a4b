/*
 * routes - every address of the console: pages (constant files) and what they ask (JSON).
 *
 * A page of one's own: a file page_NAME.c with its functions, a row for each in this table, a
 * module web/NAME.js, and a row in web/pages.js.
 */
#ifndef CONSOLE_ROUTES_H
#define CONSOLE_ROUTES_H

#include "console/desk_parts.h"

/* NULL: no such address. */
const struct page *routes_find(bool is_post, const char *path);

/* console/page_session.c */
enum rc page_who(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_records.c */
enum rc page_records_state(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_records_open(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_records_close(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_records_search(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_records_more(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_records_leaf(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_inbox.c */
enum rc page_inbox(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_inbox_changes(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_inbox_seen(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_inbox_exchange(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_inbox_act(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_request.c */
enum rc page_request_forms(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_request_review(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_request_send(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_board.c */
enum rc page_board(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_board_trace(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_approvals.c */
enum rc page_approvals(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_approvals_read(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_approvals_give(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_network.c */
enum rc page_network(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_network_test(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_directory.c */
enum rc page_directory(const struct asked *asked, json_t **answer, struct fault *fault);
enum rc page_directory_versions(const struct asked *asked, json_t **answer, struct fault *fault);

/* console/page_reports.c */
enum rc page_reports_catalogue(const struct asked *asked, json_t **answer, struct fault *fault);

#endif
